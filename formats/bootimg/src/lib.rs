//! The boot image: every program and table that the machine starts with, in one file that the boot loader
//! leaves in memory for the kernel.
//!
//! The same code reads it in the kernel, in `nexus-init`, in `execd` and on the build host. It must never trust
//! a byte, never allocate, and never look at a name to decide what an entry is for: roles are by kind and by
//! place (the first entry is the first program).
//!
//! # Layout (little-endian, version 1)
//!
//! | bytes | header field |
//! |---|---|
//! | 0–7 | magic `NEXUSIMG` |
//! | 8–11 | version, 1 |
//! | 12–15 | number of entries, 1 to [`MAX_ENTRIES`] |
//! | 16–23 | size of the whole image, a multiple of the page size |
//! | 24–55 | SHA-256 of everything behind the header |
//! | 56–63 | 0 |
//!
//! Behind it stands the table, 64 bytes an entry:
//!
//! | bytes | entry field |
//! |---|---|
//! | 0–31 | name: 1 to [`MAX_NAME`] characters of `a-z 0-9 . _ -`, padded with 0 |
//! | 32–39 | where its bytes begin, a multiple of the page size |
//! | 40–47 | how many there are, at least 1 |
//! | 48–51 | [`Kind`] |
//! | 52–63 | 0 |
//!
//! Payloads follow in the order of the table, each at the first page boundary behind the one before, so a
//! program's pages can be mapped straight out of the image. There is one spelling of an image: every other
//! is refused.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "write")]
extern crate std;

pub mod elf;
mod image;
#[cfg(feature = "write")]
mod write;

pub use elf::{Access, Program, ProgramError, Segment};
pub use image::{Entries, Entry, Image, ImageError, Kind};
#[cfg(feature = "write")]
pub use write::{ImageWriter, WriteError, strip_program};

/// Payloads begin at multiples of this: the page size of the machine.
pub const PAGE_SIZE: usize = nexus_abi::bounds::PAGE_SIZE;

/// Most entries an image can have.
pub const MAX_ENTRIES: usize = 128;

/// Longest entry name, in bytes.
pub const MAX_NAME: usize = 31;

/// Largest image, in bytes.
pub const MAX_IMAGE_BYTES: usize = 64 << 20;

/// The first bytes of every image.
pub const MAGIC: [u8; 8] = *b"NEXUSIMG";

/// The only version there is.
pub const VERSION: u32 = 1;

const HEADER_BYTES: usize = 64;
const ENTRY_BYTES: usize = 64;

/// `bytes` rounded up to whole pages; `None` when that leaves the number range.
pub(crate) const fn page_up(bytes: usize) -> Option<usize> {
    match bytes.checked_add(PAGE_SIZE - 1) {
        Some(sum) => Some(sum & !(PAGE_SIZE - 1)),
        None => None,
    }
}
