//! What is kept of a machine beyond its life, as values under `/state`: a record of each process that faulted, and the end of its log.
//! The same code writes them on the device and reads them on the host.
//!
//! A disk may have been anywhere: bytes that are not exactly what was written are refused, whatever they are, and never read in part.
//!
//! # Paths
//!
//! | path | what |
//! |---|---|
//! | `crash/BOOT-NUMBER` | a [`Crash`]: which boot of this store, and which fault of that boot |
//! | `log/BOOT/SEGMENT` | a [`Segment`]: log records of that boot, in their order |
//!
//! Numbers have eight and four digits, so that the order of paths is that of time.
//!
//! # Bytes (little-endian)
//!
//! Both begin with a magic (`NXCR`, `NXLG`) and the version (`u16`, [`VERSION`]), and end with the CRC-32 (ISO-HDLC) of all before.
//!
//! A crash: lengths of two texts (`u8` each), time, hz, wall time, code, pc, address (`u64` each), 31 registers, image (16 bytes), service,
//! generation (`u32` each), then the texts: name and program.
//!
//! A segment: two zeros, hz (`u64`), then each record: length of its text (`u16`), of the name (`u8`), level, purpose (`u8` each), sequence, time (`u64`
//! each), service, generation (`u32` each), name, text.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bytes;
mod crash;
mod log;
pub mod paths;

pub use crash::Crash;
pub use log::{Entry, Segment};

/// The only version there is.
pub const VERSION: u16 = 1;

/// Longest name of a process or program, in bytes.
pub const MAX_NAME: usize = 31;

/// Longest text of a log record, in bytes.
pub const MAX_TEXT: usize = 480;

/// Most bytes of either value: what one message of the interface `state` carries.
pub const MAX_BYTES: usize = 3_072;
