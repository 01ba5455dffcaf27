//! Addresses that the kernel must not believe, and memory set aside to tell whether it did.

use crate::lab::{Lab, call, must};
use alloc::string::String;
use nexus_abi::bounds::{DEVICE_START, USER_END};
use nexus_abi::{Rights, Sysno};

/// Where the memory of [`Places`] lies: two pages, and nothing after them.
pub const PAGES_AT: u64 = 0x6000_0000;
const PAGE: u64 = 4096;

/// Two pages that can be written, then a hole; one that can be read alone right before one that can be written.
pub struct Places {
    vmos: [u64; 2],
}

const READ: u64 = Rights::READ.bits() as u64;
const READ_WRITE: u64 = READ | Rights::WRITE.bits() as u64;
/// The page that can be read alone; after it one that can be written.
const READ_ONLY_AT: u64 = PAGES_AT + 16 * PAGE;

impl Places {
    /// Maps them.
    pub fn make(lab: &Lab) -> Result<Places, String> {
        let vmos = [
            must("vmo", call(Sysno::vmo_create, &[lab.spare, 2 * PAGE]))?[0],
            must("vmo", call(Sysno::vmo_create, &[lab.spare, 2 * PAGE]))?[0],
        ];
        let map = |vmo, offset, bytes, at, access| {
            must("map", call(Sysno::vm_map, &[lab.own, vmo, offset, bytes, at, access]))
        };
        map(vmos[0], 0, 2 * PAGE, PAGES_AT, READ_WRITE)?;
        map(vmos[1], 0, PAGE, READ_ONLY_AT, READ)?;
        map(vmos[1], PAGE, PAGE, READ_ONLY_AT + PAGE, READ_WRITE)?;
        Ok(Places { vmos })
    }

    /// Unmaps them.
    pub fn end(self, lab: &Lab) -> Result<(), String> {
        for at in [PAGES_AT, READ_ONLY_AT, READ_ONLY_AT + PAGE] {
            must("unmap", call(Sysno::vm_unmap, &[lab.own, at]))?;
        }
        self.vmos.into_iter().try_for_each(crate::lab::close)
    }

    /// Memory that can be read and written.
    pub fn good(&self) -> u64 {
        PAGES_AT + 64
    }

    /// Where `bytes` bytes cannot be read.
    pub fn unreadable(bytes: u64) -> [u64; 16] {
        let end = PAGES_AT + 2 * PAGE;
        [
            0,
            1,
            8,
            PAGE - 1,
            0x1000_0000,
            0x8000_0000,
            end,
            // The second page of these is not there.
            end - bytes + 1,
            end - 1,
            DEVICE_START,
            DEVICE_START - 1,
            USER_END - 1,
            USER_END,
            0xffff_ffc0_0000_0000,
            // These wrap round.
            u64::MAX - bytes + 1,
            1 << 63 | PAGES_AT,
        ]
    }

    /// Where `bytes` bytes cannot be written, but can be read.
    pub fn unwritable(bytes: u64) -> [u64; 4] {
        [
            READ_ONLY_AT,
            READ_ONLY_AT + PAGE - bytes,
            // Only the end of this can be written.
            READ_ONLY_AT + PAGE - 1,
            crate::faults::code(),
        ]
    }

    /// Fills the memory that can be written with a pattern.
    pub fn paint(&self) {
        for word in words() {
            // SAFETY: the word lies in memory that is mapped for this alone.
            unsafe { core::ptr::write_volatile(word as *mut u64, word ^ PATTERN) };
        }
    }

    /// Whether nothing was written there but for the last `bytes` bytes.
    pub fn is_untouched_but_for(&self, bytes: u64) -> bool {
        // SAFETY: as above.
        words()
            .filter(|word| PAGES_AT + 2 * PAGE - word > bytes)
            .all(|word| unsafe { core::ptr::read_volatile(word as *const u64) } == word ^ PATTERN)
    }
}

const PATTERN: u64 = 0xa5a5_5a5a_c3c3_3c3c;

fn words() -> impl Iterator<Item = u64> {
    (PAGES_AT..PAGES_AT + 2 * PAGE).step_by(8)
}
