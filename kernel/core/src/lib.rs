//! neuron, the portable part: objects, capabilities, channels, ports, scheduling, accounting.
//!
//! Compiled for the device and, unchanged, for host tests over a simulated machine ([`Platform`]). Each noun of the
//! ABI has its file; who may touch what when is `docs/concurrency.md`. Unsafe code stands in `memory` and `link` alone, and in
//! the one-line promises that a structure is made of atomic cells.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]

mod asid;
mod binding;
mod boot;
mod breath;
mod cargo;
mod carry;
mod channel;
pub mod context;
mod deaths;
mod deliver;
mod ends;
mod fast;
mod handles;
mod hart;
mod hints;
mod info;
mod irq;
mod kernel;
mod latch;
mod link;
mod list;
mod mapping;
pub mod memory;
mod mmio;
mod objects;
mod paging;
pub mod platform;
mod pool;
mod port;
mod process;
mod processes;
mod quota;
mod reaping;
mod receive;
mod records;
mod reply;
mod room;
mod runs;
mod sched;
mod send;
mod switch;
mod sync;
mod syscall;
#[cfg(test)]
mod tests;
mod thread;
mod threads;
mod time;
mod timers;
mod transfer;
mod unmapping;
mod vmos;

pub use boot::{BootError, BootImage};
pub use carry::{BYTES, HANDLE};
pub use fast::{Else, HandOver};
pub use hart::Hart;
pub use kernel::Kernel;
pub use memory::Memory;
pub use platform::{HartMask, Platform, Waiting};
pub use sched::Next;
pub use sync::{AtomicU64, Cell64};
pub use syscall::{LIGHT, Outcome};
