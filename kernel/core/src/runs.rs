//! Runs of consecutive frames, for memory that a device reaches by its physical address.
//!
//! A free run stands in a list of its own through the headers of its first frame (`next`, and its length in `charge`), so
//! that a pool that is destroyed and made again finds its run again; single frames are broken off a run only when there are no
//! others. What must never happen: a frame in a run and on the free list at once.

use crate::memory::{Frame, Memory};

impl Memory {
    /// `pages` consecutive free frames, not zeroed: out of a free run, or of memory that was never handed out. `None` when
    /// there are not so many in one piece.
    pub(crate) fn allocate_run(&self, pages: u32) -> Option<Frame> {
        let _held = self.free_lock.hold();
        let first = self.take_run(pages).or_else(|| self.fresh_run(pages))?;
        self.free_count.sub(pages);
        Some(first)
    }

    /// Gives a run back. The caller owned it and has removed every way to it.
    pub(crate) fn free_run(&self, first: Frame, pages: u32) {
        #[cfg(all(test, not(loom), not(miri)))]
        crate::tests::tlb::freed(first, pages);
        let _held = self.free_lock.hold();
        self.push_run(first, pages);
        self.free_count.add(pages);
    }

    /// One frame off the first free run. The lock is held.
    pub(crate) fn break_run(&self) -> Option<Frame> {
        self.take_run(1)
    }

    /// The end of the first free run that is long enough.
    fn take_run(&self, pages: u32) -> Option<Frame> {
        let mut link = &self.runs;
        while link.get() != 0 {
            let run = Frame(link.get());
            let header = self.header(run);
            let length = header.charge.get();
            if length >= pages {
                header.charge.set(length - pages);
                if length == pages {
                    link.set(header.next.get());
                }
                return Some(Frame(run.0 + length - pages));
            }
            link = &header.next;
        }
        None
    }

    fn push_run(&self, first: Frame, pages: u32) {
        let header = self.header(first);
        header.charge.set(pages);
        header.next.set(self.runs.take(first.0));
    }

    /// A run that was never handed out. Gaps before it that are too short become free runs.
    fn fresh_run(&self, pages: u32) -> Option<Frame> {
        loop {
            let start = self.skip_reserved(self.fresh.get());
            let end = self.reserved.iter().map(|r| r.0).filter(|r| *r > start).min();
            let end = end.unwrap_or(self.frames).min(self.frames);
            if start >= end {
                return None;
            }
            if end - start >= pages {
                self.fresh.set(start + pages);
                return Some(Frame(start));
            }
            self.push_run(Frame(start), end - start);
            self.fresh.set(end);
        }
    }
}
