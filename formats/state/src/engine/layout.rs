//! Where things lie on the medium: two pairs of superblocks, two maps, two halves of the log, then pages of trees and values.

use super::superblock::MAX_SNAPSHOTS;
use super::{Damage, Error, PAGE};

/// Most pages of a store: 1 GiB. The maps of all of them are kept in memory.
pub const MAX_PAGES: u32 = 1 << 18;

/// Fewest pages that are left for trees and values.
pub const MIN_DATA_PAGES: u32 = 16;

/// Maps that are kept: of each tree and of each snapshot.
pub const MAPS: usize = 2 + MAX_SNAPSHOTS;

/// Pages before the maps: two superblocks, each twice.
pub const SUPERBLOCKS: u32 = 4;

/// How large a store and its log are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Pages of the whole store.
    pub pages: u32,
    /// Pages of each half of the log.
    pub log_pages: u32,
}

impl Shape {
    /// Most pages of a half of the log: what is in the log is also in memory.
    pub const MAX_LOG_PAGES: u32 = 256;

    /// The shape for a medium of so many bytes.
    pub fn for_size(bytes: u64) -> Result<Shape, Error> {
        let pages = (bytes / PAGE as u64).min(u64::from(MAX_PAGES)) as u32;
        Shape { pages, log_pages: (pages / 64).clamp(4, 128) }.checked().map_err(|_| Error::Size)
    }

    /// The shape, if it can be.
    pub fn checked(self) -> Result<Shape, Damage> {
        let fits = self.pages <= MAX_PAGES
            && (1..=Shape::MAX_LOG_PAGES).contains(&self.log_pages)
            && self.pages >= self.first_data() + MIN_DATA_PAGES;
        if fits { Ok(self) } else { Err(Damage::Content) }
    }

    /// Bytes of one map: a bit a page, whole words.
    pub fn map_bytes(self) -> usize {
        (self.pages as usize).div_ceil(64) * 8
    }

    fn maps_pages(self) -> u32 {
        (MAPS * self.map_bytes()).div_ceil(PAGE) as u32
    }

    /// Where a copy of the superblock of an epoch lies.
    pub fn superblock(epoch: u64, copy: usize) -> u64 {
        ((epoch & 1) * 2 + copy as u64) * PAGE as u64
    }

    /// Where the maps of an epoch lie.
    pub fn maps(self, epoch: u64) -> u64 {
        (u64::from(SUPERBLOCKS) + (epoch & 1) * u64::from(self.maps_pages())) * PAGE as u64
    }

    /// Bytes that the maps of an epoch take, rounded up to whole pages.
    pub fn maps_bytes(self) -> usize {
        self.maps_pages() as usize * PAGE
    }

    /// Where the half of the log of an epoch begins.
    pub fn log(self, epoch: u64) -> u64 {
        let first = u64::from(SUPERBLOCKS + 2 * self.maps_pages());
        (first + (epoch & 1) * u64::from(self.log_pages)) * PAGE as u64
    }

    /// Bytes of a half of the log.
    pub fn log_bytes(self) -> u64 {
        u64::from(self.log_pages) * PAGE as u64
    }

    /// The first page that a tree may have.
    pub fn first_data(self) -> u32 {
        SUPERBLOCKS + 2 * self.maps_pages() + 2 * self.log_pages
    }
}
