//! Where in an address space memory goes whose address is left to the kernel.
//!
//! It is looked for under the process's lock, where nobody breathes. What must never happen: a search whose length grows with the square
//! of the mappings, which a program lays out as it likes.

use crate::mapping::PAGE;
use crate::process::Mapping;
use core::ops::Range;
use nexus_abi::bounds::MAX_MAPPINGS;

/// The lowest gap of `bytes` in `region`, with an unmapped page on both sides.
pub(crate) fn find(mappings: &[Mapping], region: Range<u64>, bytes: u64) -> Option<u64> {
    let (mut taken, mut count) = ([0; MAX_MAPPINGS], 0);
    for mapping in mappings.iter().filter(|mapping| mapping.pages.get() != 0) {
        // By its first page; how many it has comes along.
        let range = ((mapping.start.get() / PAGE) << 32) | mapping.pages.get() as u64;
        let at = taken[..count].partition_point(|other| *other < range);
        taken.copy_within(at..count, at + 1);
        taken[at] = range;
        count += 1;
    }
    let (mut start, pages) = (region.start / PAGE, bytes / PAGE);
    // None overlaps another one, so none before hits a start that has moved on.
    for range in &taken[..count] {
        let (first, end) = (range >> 32, (range >> 32) + (range & u64::from(u32::MAX)));
        if first <= start + pages && start <= end {
            start = end + 1;
        }
    }
    (start + pages <= region.end / PAGE).then_some(start * PAGE)
}
