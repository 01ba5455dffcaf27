//! Whether quotas fit a medium: what services may store, times the pages that a stored byte can come to take, and what is kept free.

use super::MAX_AT_ONCE;
use super::plan::MAX_CHANGES;
use super::upload::MAX_UPLOADS;
use crate::engine::{PAGE, Shape, reserve};

/// Most bytes of pages that a charged byte takes, whatever is stored, moved and deleted: `tests/room.rs` churns until it is nearly that. The
/// worst is the shortest value that has a page of its own.
pub const AMPLIFICATION: u64 = 6;

/// Levels of a tree that are counted with: at three entries a page, which its rules do not let pages sink to, eleven hold a million.
const LEVELS: u64 = 11;

/// Pages that the largest commit may take before anything that it replaces is given up: of each change a way down the tree and
/// its splits, and its value.
const COMMIT: u64 =
    (MAX_CHANGES as u64 + 2) * (2 * LEVELS + 1) + (MAX_CHANGES * MAX_AT_ONCE.div_ceil(PAGE)) as u64;

/// The largest sum of hard quotas that are all kept on a medium of so many bytes: each can be stored to its last byte, and as much of it again
/// be on its way as uploads. 0 where there is no room for any.
pub fn quotas_that_fit(bytes: u64) -> u64 {
    let Ok(shape) = Shape::for_size(bytes) else { return 0 };
    let data = u64::from(shape.pages - shape.first_data());
    // An upload begins its pages, and pages that name them, for itself.
    let kept = u64::from(reserve(shape)) + COMMIT + 8 * MAX_UPLOADS as u64;
    data.saturating_sub(kept) * PAGE as u64 / (AMPLIFICATION + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_the_reserve_the_largest_commit_and_the_beginnings_of_uploads() {
        for bytes in [16 << 20, 24 << 20, 64 << 20, 1 << 30] {
            let shape = Shape::for_size(bytes).unwrap();
            let data = u64::from(shape.pages - shape.first_data());
            let most = quotas_that_fit(bytes);
            // Stored at its worst, and once more on its way.
            let taken = (6 * most + most).div_ceil(4096);
            // 64 changes, the charge and the header: eleven levels down and their splits, and 16 pages a value. Four uploads.
            let kept = u64::from(reserve(shape)) + 66 * 23 + 64 * 16 + 4 * 8;
            assert_eq!(data - taken, kept, "{bytes} bytes");
        }
        assert_eq!([0, 1 << 20, 10 << 20].map(quotas_that_fit), [0; 3], "no room for the largest commit");
    }
}
