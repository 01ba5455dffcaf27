//! GUID partition tables (UEFI specification 2.10, chapter 5): what is on a disk, by whoever wrote it.
//!
//! Whoever reads the disk gives [`Scan`] the sectors that it asks for; it answers the partitions, from the table at the
//! front or, when that is damaged, from the one at the back. Both checksums are checked before anything is believed. What must never
//! happen: a partition outside the disk, over a table or over another partition; a panic because of what a disk holds.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod scan;
mod table;
pub mod write;

pub use scan::{Need, Scan, Step};
pub use table::{Damage, Header, Partition, partitions};

/// Bytes of a sector. (Disks with larger ones say so in another header, which is not read.)
pub const SECTOR: usize = 512;

/// Most sectors of a table's entries: 128 entries of 128 bytes take 32.
pub const MAX_ENTRY_SECTORS: u64 = 64;

/// Characters of a partition's name, in UTF-16 units.
pub const NAME: usize = 36;
