//! The registry: which processes exist, what each may hold, and who may call whom.
//!
//! `system.toml` is its only source. On the build host the `compile` feature checks it and turns it into a
//! small table that travels in the boot image; on the device [`Registry`] reads that table without allocating.
//! A process that is not in it is never started, an edge that is not in it is never connected, and no reader
//! may guess at either.
//!
//! # Fields of `[[process]]` in `system.toml`
//!
//! | field | must | meaning |
//! |---|---|---|
//! | `name` | yes | canonical name, `a-z 0-9 -`, at most [`MAX_NAME`] |
//! | `id` | yes | service id: what the kernel stamps on its messages; never changes, never reused |
//! | `authority` | yes | the one job it has; `test` for test programs |
//! | `program` | | crate and binary of its program; the name when left out |
//! | `priority` | yes | of its threads, 1 to 31; at least that of everyone who calls it |
//! | `cpu` | yes | thousandths of a hart that are its own |
//! | `pages` | yes | 4 KiB pages that it can cause the kernel to hold |
//! | `handles` | yes | size of its handle table |
//! | `start` | | `boot` (default), or `demand`: started by who is told to |
//! | `ready` | | whether it announces `NAME: ready`; default true |
//! | `restart` | | `never` (default), `on-failure`, `always` |
//! | `backoff_ms` | | pause before the first restart, doubled each time; default 100 |
//! | `max_restarts` | | restarts in a row before giving up; default 5 |
//! | `critical` | | whether giving up restarts the machine; default false |
//! | `grants` | | what it is handed besides its identity and quota: see [`Grants`] |
//! | `provides` | | names of the services it alone registers |
//! | `uses` | | services it calls; the graph of these has no cycle |
//! | `sends` | | services it only sends to, without waiting; these may go the other way |
//! | `args` | | text handed to the program, at most [`MAX_ARGS`] bytes |
//! | `device` | | the one device that it drives: it is handed `mmio`, `irq` and, if the device has a pool, `dma` |
//! | `partitions` | | partitions of the disk that it may open; `*` is the whole disk; at most [`MAX_SHARES`] processes have any |
//! | `disk_pages` | with `partitions` | 4 KiB pages of its own that it shares with the disk's driver: twice what it uses, as its last instance may have some still |
//! | `state` | | what it may do under `/state`: `PREFIX:OPERATIONS` each, see `nexus_state::rules::Access`; what is under `boot` and `keystore` one authority alone |
//! | `state_quota` | | `SOFT/HARD`: bytes that it may store there; without it none; all together must surely fit [`STATE_BYTES`] |
//! | `seals` | | prefixes of `/state` whose values are sealed, and whose keys it alone pushes |
//! | `may_request` | | devices that `policyd` gives it when it asks |
//!
//! # Fields of `[[device]]`
//!
//! | field | must | meaning |
//! |---|---|---|
//! | `name` | yes | what grants call it |
//! | `virtio`, `compatible` | one | how it is found: the virtio device id, or a string of the device tree's `compatible` |
//! | `index` | | which of those found, by rising address; default 0 |
//! | `window_pages` | | 4 KiB pages of its first window that its driver is given, from its beginning; all of it when left out |
//! | `pool_pages` | | 4 KiB pages that the device may reach; default 0 |
//! | `pool_vmos` | | vmos that can be taken of them at a time; default 0 |
//!
//! # Fields of `[[allow]]`, in a file of tests only
//!
//! | field | must | meaning |
//! |---|---|---|
//! | `name` | yes | a process of `system.toml` |
//! | `grants` | | what it is handed besides, in this image |
//! | `state` | | what it may do under `/state` besides, in this image |
//! | `state_quota` | | what it may store there, in this image |
//! | `start` | | when it is started, in this image: `demand` for one that would work on its own while tests count |
//!
//! # Table (little-endian, version 4)
//!
//! | part | bytes each | fields |
//! |---|---|---|
//! | header | 32 | magic `NEXUSREG`, version `u32`, counts of processes, services, edges, text bytes and devices (`u32` each) |
//! | process | 64 | see `table.rs` |
//! | service | 8 | name (offset, length: `u16` each), owner's index `u16`, 0 `u16` |
//! | edge | 8 | client's index `u16`, service's index `u16`, kind `u16` (1 call, 2 send), 0 `u16` |
//! | device | 24 | see `device.rs` |
//! | text | | names and arguments, UTF-8 |
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "compile")]
extern crate std;

#[cfg(feature = "compile")]
pub mod compile;
mod device;
pub mod names;
mod process;
mod table;

pub use device::{Device, Find, MAX_POOL_PAGES, MAX_SHARES, MAX_VIRTIO, MAX_WINDOW_PAGES, SHARE_VMOS, Share};
pub use process::{EdgeKind, Grants, Restart, Start};
pub use table::{Edge, Process, Registry, RegistryError, Service};

/// Most processes in a registry.
pub const MAX_PROCESSES: usize = 128;

/// Most services in a registry.
pub const MAX_SERVICES: usize = 256;

/// Most edges in a registry.
pub const MAX_EDGES: usize = 1024;

/// Most devices in a registry.
pub const MAX_DEVICES: usize = 32;

/// Longest name of a device: what its objects are called must be names too.
pub const MAX_DEVICE_NAME: usize = MAX_NAME - 5;

/// Longest name of a process, service, authority or program, in bytes.
pub const MAX_NAME: usize = 31;

/// Longest `args`, in bytes.
pub const MAX_ARGS: usize = 255;

/// Most bytes of names and arguments together.
pub const MAX_TEXT: usize = 32 << 10;

/// Bytes of the partition `state` on a disk that `nx` makes: what all quotas of `/state` together must have room on.
pub const STATE_BYTES: u64 = 62 << 20;

/// The first bytes of every table.
pub const MAGIC: [u8; 8] = *b"NEXUSREG";

/// The only version there is.
pub const VERSION: u32 = 4;
