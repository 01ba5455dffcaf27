//! The vault: a root secret and counters that only rise, in two blocks of a flash that nothing else is in. The same code on host and device.
//!
//! What must never happen: a counter is less than what was answered, wherever the power was cut, or a secret that may be needed is replaced by another.
//!
//! # On the flash
//!
//! Numbers are little-endian; erased bytes are 0xff. One block counts: the one of the higher epoch. The other is what was before it, or erased.
//!
//! | at | what |
//! |---|---|
//! | 0, and again at 4,096 | header: magic `NXVAULT\0`, version `u32`, 0 `u32`, epoch `u64`, secret (32 bytes), eight counters (`u64`), checksum (XXH3) of all before |
//! | 8,192 to 65,536 | log: records of 16 bytes, each twice: counter `u8`, 0xa5, 0 `u16`, checksum `u32` over epoch, counter and value, value `u64` |
//!
//! A record that is not whole, as a cut leaves it, is passed over; its other copy may be whole. When the log is full, or anything in
//! it cannot be read, the other block is erased and becomes the next epoch. The first record of each log says that the block was
//! finished, so that a flash whose headers are gone is not taken for a new one.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod flash;
mod header;
mod vault;

pub use flash::{Fault, Flash};
pub use header::{COUNTERS, SECRET, VERSION};
pub use vault::{Error, Vault};

/// Blocks that the vault is in.
pub const BLOCKS: usize = 2;

/// Bytes of a block that it uses; a block has at least so many.
pub const USED: usize = 64 << 10;

/// Whether bytes are as erasing leaves them.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0xff)
}
