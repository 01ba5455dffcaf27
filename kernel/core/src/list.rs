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
            self.drop_front(memory, head);
            head
        })
    }

    /// Takes `head` out, which is the first.
    #[inline(always)]
    pub fn drop_front(&self, memory: &Memory, head: Frame) {
        let next = memory.page::<Thread>(head).next.get();
        self.head.set(next);
        match next {
            0 => self.tail.set(0),
            _ => memory.page::<Thread>(Frame(next)).prev.set(0),
        }
    }

    /// The thread that is in it, if it is one alone.
    #[inline(always)]
    pub fn only(&self) -> Option<Frame> {
        (self.head.get() == self.tail.get() && self.head.get() != 0).then(|| self.head())
    }

    /// Puts `thread` into the list, which is empty.
    #[inline(always)]
    pub fn begin(&self, t: &Thread, thread: Frame) {
        t.next.set(0);
        t.prev.set(0);
        self.head.set(thread.0);
        self.tail.set(thread.0);
    }

    /// Forgets the one thread that is in it.
    #[inline(always)]
    pub fn clear(&self) {
        self.head.set(0);
        self.tail.set(0);
    }
}
