//! The spin lock, and the release of two locks with one fence.

use super::explore;
use crate::sync::{Cell32, Lock, Ordering};

#[derive(Default)]
struct Locks {
    first: Lock,
    second: Lock,
    data: [Cell32; 2],
    told: Cell32,
    seen: [Cell32; 2],
}

#[test]
fn what_a_lock_guards_is_never_seen_half_done() {
    fn twice(locks: &'static Locks) {
        let _held = locks.first.hold();
        assert_eq!(locks.data[0].get(), locks.data[1].get());
        locks.data[0].add(1);
        locks.data[1].add(1);
    }
    explore(3, Locks::default, &[twice, twice, twice], |locks| {
        assert_eq!([locks.data[0].get(), locks.data[1].get()], [3, 3]);
    });
}

#[test]
fn two_locks_are_released_with_one_fence_and_a_word_told_after() {
    fn writer(locks: &'static Locks) {
        let first = locks.first.hold();
        let second = locks.second.hold();
        locks.data[0].set(1);
        locks.data[1].set(1);
        first.release_both(second, &locks.told, 7);
    }
    // Each of the locks, and the word, is a way to see all that was done.
    fn by_the_first(locks: &'static Locks) {
        let _held = locks.first.hold();
        assert_eq!(locks.data[0].get(), locks.data[1].get());
        locks.seen[0].set(locks.data[0].get());
    }
    fn by_the_second_and_the_word(locks: &'static Locks) {
        if locks.told.atomic().load(Ordering::Acquire) == 7 {
            assert_eq!([locks.data[0].get(), locks.data[1].get()], [1, 1]);
        }
        let _held = locks.second.hold();
        assert_eq!(locks.data[0].get(), locks.data[1].get());
    }
    explore(3, Locks::default, &[writer, by_the_first, by_the_second_and_the_word], |locks| {
        assert_eq!(locks.told.get(), 7);
        assert_eq!([locks.data[0].get(), locks.data[1].get()], [1, 1]);
    });
}
