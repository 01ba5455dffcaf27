//! The contract between the kernel and user programs, and its only source.
//!
//! The kernel's dispatch table, the user stubs, the reference documentation and the hostile tests are all
//! generated from what stands here. Nothing here may depend on the machine or allocate, and no number that
//! was released may ever change its meaning: `tests/golden.rs` pins every one.
#![no_std]
#![forbid(unsafe_code)]

pub mod bounds;
mod error;
mod exception;
mod info;
mod object;
mod syscall;
mod tag;

pub use error::Error;
pub use exception::exception;
pub use info::{
    DmaInfo, ExitCause, ExitRecord, HandleInfo, Holding, Holdings, IrqInfo, KernelRecord, KernelRecords,
    KernelStats, MmioInfo, PoolInfo, ProcessInfo, QuotaInfo, RecordKind, StartInfo, Topic, VmoInfo,
};
pub use object::{Handle, Identity, Kind, Rights, Signals};
pub use syscall::{SyscallInfo, Sysno};
pub use tag::{Delivery, Tag};

/// A point in time or a deadline, in ticks of the machine's `time` counter since reset
/// ([`StartInfo::timebase_hz`] ticks a second). User programs read the counter with `rdtime`.
pub type Ticks = u64;

/// Deadline of an operation that may wait for ever.
pub const NEVER: Ticks = u64::MAX;

/// Deadline of an operation that must not wait: it answers [`Error::WouldBlock`] instead.
pub const NOW: Ticks = 0;
