//! A hart's deadlines: a binary heap of threads and timer objects, earliest first.
//!
//! A thread's node may stand for an earlier deadline than the thread has now (a call that ended in time leaves
//! its node behind): it fires once too early and is put right then, so that the common call never touches
//! the heap. Each node knows its place, so that an object that ends takes its node out.
//!
//! A node that fires is in no heap: its thread may arm it again, on any hart, while the first hart still looks at the wait
//! that is over. `firing` only keeps the object from being freed meanwhile.

use crate::memory::Frame;
use crate::sync::{Cell32, Cell64, Lock, Ordering};
use nexus_abi::{NEVER, Ticks};

/// An object's place in a heap; in every [`Thread`](crate::thread::Thread) and [`Timer`](crate::objects::Timer).
#[derive(Default)]
#[repr(C)]
pub struct TimerNode {
    /// Hart whose heap it is in, plus 1; 0: in none.
    pub hart: Cell32,
    /// Its index in that heap.
    pub place: Cell32,
    /// When it fires.
    pub at: Cell64,
    /// Harts that took it out because its time had come and are not done with its object.
    pub firing: Cell32,
    unused: Cell32,
}

impl TimerNode {
    /// This hart is done with the object of a node that [`TimerHeap::pop_due`] took out.
    pub fn fired(&self) {
        self.firing.atomic().fetch_sub(1, Ordering::Release);
    }

    /// Whether a hart is not done with its object yet.
    pub fn is_firing(&self) -> bool {
        self.firing.atomic().load(Ordering::Acquire) != 0
    }
}

/// The heap of one hart. Storage has room for every object that memory could hold.
#[derive(Default)]
#[repr(C)]
pub struct TimerHeap {
    /// Guards the heap and the nodes in it.
    pub lock: Lock,
    /// Nodes in the heap.
    len: Cell32,
    /// Deadline of the first.
    first: Cell64,
}

/// Storage of a heap, and how to reach the node of an object.
pub trait HeapStorage {
    /// The cell at `index`.
    fn slot(&self, index: u32) -> &Cell32;
    /// The node of the object in `frame`.
    fn node(&self, frame: Frame) -> &TimerNode;
}

impl TimerHeap {
    /// An empty heap.
    pub fn init(&self) {
        self.len.set(0);
        self.first.set(NEVER);
    }

    /// When the first node fires; `NEVER` if there is none.
    pub fn first(&self) -> Ticks {
        self.first.get()
    }

    /// Adds the object's node. It must be in no heap.
    pub fn insert(&self, storage: &impl HeapStorage, hart: u32, frame: Frame, at: Ticks) {
        let node = storage.node(frame);
        node.at.set(at);
        node.hart.set(hart + 1);
        let place = self.len.get();
        self.len.set(place + 1);
        self.put(storage, place, frame);
        self.rise(storage, place);
        self.note_first(storage);
    }

    /// Takes the object's node out. It must be in this heap.
    pub fn remove(&self, storage: &impl HeapStorage, frame: Frame) {
        let node = storage.node(frame);
        let (place, last) = (node.place.get(), self.len.get() - 1);
        // Whoever sees it in no heap sees who fires it, and may put it into another heap at once.
        node.hart.atomic().store(0, Ordering::Release);
        self.len.set(last);
        if place != last {
            self.put(storage, place, Frame(storage.slot(last).get()));
            self.rise(storage, place);
            self.sink(storage, place);
        }
        self.note_first(storage);
    }

    /// Takes the first object out if its time has come; its node is then firing, until [`TimerNode::fired`].
    pub fn pop_due(&self, storage: &impl HeapStorage, now: Ticks) -> Option<Frame> {
        if self.first.get() > now || self.len.get() == 0 {
            return None;
        }
        let frame = Frame(storage.slot(0).get());
        storage.node(frame).firing.atomic().fetch_add(1, Ordering::Relaxed);
        self.remove(storage, frame);
        Some(frame)
    }

    fn note_first(&self, storage: &impl HeapStorage) {
        let first = match self.len.get() {
            0 => NEVER,
            _ => self.at(storage, 0),
        };
        self.first.set(first);
    }

    fn at(&self, storage: &impl HeapStorage, place: u32) -> Ticks {
        storage.node(Frame(storage.slot(place).get())).at.get()
    }

    fn put(&self, storage: &impl HeapStorage, place: u32, frame: Frame) {
        storage.slot(place).set(frame.0);
        storage.node(frame).place.set(place);
    }

    fn swap(&self, storage: &impl HeapStorage, a: u32, b: u32) {
        let (x, y) = (storage.slot(a).get(), storage.slot(b).get());
        self.put(storage, a, Frame(y));
        self.put(storage, b, Frame(x));
    }

    fn rise(&self, storage: &impl HeapStorage, mut place: u32) {
        while place > 0 && self.at(storage, place) < self.at(storage, (place - 1) / 2) {
            self.swap(storage, place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
    }

    fn sink(&self, storage: &impl HeapStorage, mut place: u32) {
        loop {
            let mut least = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.len.get() && self.at(storage, child) < self.at(storage, least) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.swap(storage, place, least);
            place = least;
        }
    }
}
