//! Lists and stacks of threads through their own cells: no storage, constant time, one at a time.
//! Whoever holds the lock of the list's owner owns the links.

use crate::link::Link;
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
    pub fn push_front(&self, memory: &Memory, t: &Thread) {
        let (thread, head) = (t.frame(), self.head.get());
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

/// A stack of threads, last in, first out; any of them can be taken out. Made for paths that count their instructions.
#[derive(Default)]
#[repr(C)]
pub struct ThreadStack {
    top: Link<Thread>,
}

impl ThreadStack {
    /// The thread on top.
    #[inline(always)]
    pub fn top(&self) -> Option<&Thread> {
        self.top.find()
    }

    /// Puts a thread on top.
    #[inline(always)]
    pub fn push(&self, t: &Thread) {
        match self.top.find() {
            Some(below) => {
                below.above.set(t);
                t.below.set(below);
            }
            None => t.below.clear(),
        }
        self.top.set(t);
    }

    /// Takes off `top`, which is on top. What is below keeps what it says is above it, which nobody asks the top one for.
    #[inline(always)]
    pub fn take_top(&self, top: &Thread) {
        self.top.copy(&top.below);
    }

    /// Takes the thread on top.
    pub fn pop(&self) -> Option<&Thread> {
        self.top().inspect(|top| self.take_top(top))
    }

    /// Takes a thread out, wherever it is.
    pub fn remove(&self, t: &Thread) {
        if self.top.is(t) {
            return self.take_top(t);
        }
        t.above.get().below.copy(&t.below);
        if let Some(below) = t.below.find() {
            below.above.copy(&t.above);
        }
    }
}
