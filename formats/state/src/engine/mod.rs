//! The engine: two trees of keys and values on one medium, a log before them, and up to four snapshots of the first tree.
//!
//! Commits are collected in memory and written by [`Store::sync`] as one frame of the log, twice, with one flush. When
//! the log's half is full, a checkpoint writes what changed into new pages of the trees, flushes, and names
//! them in a superblock, twice, with another flush. Each page is named together with its checksum, so a page
//! is checked when it is read, and what is old or elsewhere does not pass for it. See `docs/state-format.md`.

mod cache;
mod check;
mod checkpoint;
mod checksum;
mod codec;
mod error;
mod frame;
mod layout;
mod lookup;
mod medium;
mod merge;
mod mount;
mod node;
mod overlay;
mod pages;
mod prune;
mod repair;
mod space;
mod stage;
mod store;
mod superblock;
mod value;
mod versions;

pub use check::{Check, Checked};
pub use error::{Damage, Error};
pub use layout::{MAX_PAGES, MIN_DATA_PAGES, Shape};
pub use medium::{Fault, Medium};
pub use mount::{Mounted, Notice};
pub use overlay::Overlay;
pub use prune::{Lost, MAX_LOST};
pub use repair::{Repair, Repaired, Whose};
pub use stage::Stage;
pub use store::{Figures, MAX_LOGGED, Op, Store, Tree, reserve};
pub use superblock::{MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, Snapshot};
pub use value::{MAX_INLINE, MAX_VALUE, Value};
pub use versions::{OLDEST, VERSION};

/// Bytes of a page: what the trees consist of, and what has one checksum.
pub const PAGE: usize = 4096;

/// Bytes of a sector: what the medium writes whole or not at all.
pub const SECTOR: usize = 512;

/// Longest key, in bytes.
pub const MAX_KEY: usize = 300;

pub(crate) use checksum::checksum;
