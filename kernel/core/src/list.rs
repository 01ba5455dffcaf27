//! A doubly linked list of threads through their own cells: no storage, constant time, one list at a time.
//! Whoever holds the lock of the list's owner owns the links.

use crate::memory::{Frame, Memory};
use crate::sync::Cell32;
use crate::thread::Thread;

/// Head and tail.
#[derive(Default)]
#[repr(C)]
pub struct ThreadList {
    head: Cell32,
    tail: Cell32,
}

impl ThreadList {
    /// The first thread, or no frame.
    #[inline(always)]
    pub fn head(&self) -> Frame {
        Frame(self.head.get())
    }

    /// Whether nobody is in it.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.head.get() == 0
    }

    /// Adds at the end.
    pub fn push_back(&self, memory: &Memory, thread: Frame) {
        let t = memory.page::<Thread>(thread);
        let tail = self.tail.get();
        t.next.set(0);
        t.prev.set(tail);
        self.tail.set(thread.0);
        match tail {
            0 => self.head.set(thread.0),
            _ => memory.page::<Thread>(Frame(tail)).next.set(thread.0),
        }
    }

    /// Adds at the front.
    #[inline(always)]
    pub fn push_front(&self, memory: &Memory, thread: Frame) {
        let t = memory.page::<Thread>(thread);
        let head = self.head.get();
        t.prev.set(0);
        t.next.set(head);
        self.head.set(thread.0);
        match head {
            0 => self.tail.set(thread.0),
            _ => memory.page::<Thread>(Frame(head)).prev.set(thread.0),
        }
    }

    /// Takes a thread out, wherever it stands.
    #[inline(always)]
    pub fn remove(&self, memory: &Memory, thread: Frame) {
        let t = memory.page::<Thread>(thread);
        let (next, prev) = (t.next.get(), t.prev.get());
        match prev {
            0 => self.head.set(next),
            _ => memory.page::<Thread>(Frame(prev)).next.set(next),
        }
        match next {
            0 => self.tail.set(prev),
            _ => memory.page::<Thread>(Frame(next)).prev.set(prev),
        }
    }

    /// Takes the first.
    pub fn pop_front(&self, memory: &Memory) -> Option<Frame> {
        let head = self.head();
        head.exists().then(|| {
            self.remove(memory, head);
            head
        })
    }
}
