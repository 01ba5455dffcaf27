//! The spin lock, the latch, and the release of two latches with one fence.

use super::explore;
use crate::latch::{Known, Latch};
use crate::memory::{Frame, Header, Memory};
use crate::sync::{Cell32, Lock};

#[derive(Default)]
struct Locks {
    first: Lock,
    data: [Cell32; 2],
}

#[test]
fn what_a_lock_guards_is_never_seen_half_done() {
    fn twice(locks: &Locks) {
        let _held = locks.first.hold();
        assert_eq!(locks.data[0].get(), locks.data[1].get());
        locks.data[0].add(1);
        locks.data[1].add(1);
    }
    explore(3, Locks::default, &[twice, twice, twice], |locks| {
        assert_eq!([locks.data[0].get(), locks.data[1].get()], [3, 3]);
    });
}

/// Two objects, what is known of them, and what they guard. What each is goes back on what an object is for.
struct Objects {
    memory: Memory,
    frames: [Frame; 2],
    known: [Known<Header>; 2],
    data: [Cell32; 2],
    seized: Cell32,
}

impl Objects {
    fn build() -> Objects {
        let memory = Memory::for_test(32).expect("memory");
        let frames = [0; 2].map(|_| memory.allocate().expect("frame"));
        let known = [Known::default(), Known::default()];
        for (known, frame) in known.iter().zip(frames) {
            let header = memory.header(frame);
            let _held = header.latch.hold();
            known.note(header, header);
        }
        Objects { memory, frames, known, data: Default::default(), seized: Cell32::default() }
    }

    fn latch(&self, n: usize) -> &Latch {
        &self.memory.header(self.frames[n]).latch
    }

    /// The fast path's way to both.
    fn seize(&self) {
        let Some(first) = self.known[0].seize() else { return };
        let Some(second) = self.known[1].seize() else { return };
        assert_eq!(self.data[0].get(), self.data[1].get());
        self.data[0].add(1);
        self.data[1].add(1);
        self.seized.add(1);
        first.release_both(second);
    }

    /// A slow path that waits for each.
    fn hold(&self) {
        let _first = self.latch(0).hold();
        let _second = self.latch(1).hold();
        assert_eq!(self.data[0].get(), self.data[1].get());
        self.data[0].add(1);
        self.data[1].add(1);
    }
}

#[test]
fn what_two_latches_guard_is_never_seen_half_done_however_they_were_taken() {
    explore(3, Objects::build, &[Objects::seize, Objects::hold, Objects::seize], |objects| {
        let both = objects.seized.get() + 1;
        assert_eq!([objects.data[0].get(), objects.data[1].get()], [both, both]);
        assert!(objects.seized.get() <= 2);
    });
}

#[test]
fn a_latch_is_not_seized_for_an_object_that_is_gone_or_a_handle_that_left() {
    // Whoever ends the object, or takes the handle away, does so under the latch; what it leaves is seen by nobody who
    // remembers the word from before.
    fn destroy(objects: &Objects) {
        let _held = objects.latch(1).hold();
        objects.latch(1).raise_generation();
        objects.data[0].set(9);
    }
    fn take_away(objects: &Objects) {
        let _held = objects.latch(1).hold();
        objects.latch(1).raise_tenure();
        objects.data[0].set(9);
    }
    fn check(objects: &Objects) {
        assert!(objects.known[1].seize().is_none());
        // And a failed attempt leaves it free.
        drop(objects.latch(1).hold());
    }
    explore(3, Objects::build, &[Objects::seize, destroy], check);
    explore(3, Objects::build, &[Objects::seize, take_away], check);
}
