//! A binding: the one node by which an object stands in a port's ready list.
//!
//! The cells are guarded by the object's lock; `queued`, `next` and `prev` also by the port's. A node refers to its
//! object by frame and end, so a port never holds a pointer that could outlive the object: the object unlinks itself.

use crate::handles::ObjectRef;
use crate::memory::Frame;
use crate::sync::{Cell32, Cell64};
use nexus_abi::Signals;

/// Names a node: the frame of its object, times 2, plus the end (for channels). 0: none.
pub type NodeRef = u32;

/// The node for an object's (end's) binding.
pub fn node_ref(frame: Frame, end: usize) -> NodeRef {
    frame.0 << 1 | end as u32
}

/// The object and end of a node.
pub fn node_object(node: NodeRef) -> (Frame, usize) {
    (Frame(node >> 1), (node & 1) as usize)
}

/// See the module.
#[derive(Default)]
#[repr(C)]
pub struct Binding {
    /// The port, as a raw `ObjectRef`; 0: not bound.
    pub port: Cell64,
    /// What the port's waiters know the object by.
    pub key: Cell64,
    /// Signals asked for.
    pub wanted: Cell32,
    /// Edge signals raised and not yet told.
    pub pending: Cell32,
    /// 1 while in the port's ready list.
    pub queued: Cell32,
    /// Neighbours in that list.
    pub next: Cell32,
    /// See `next`.
    pub prev: Cell32,
    /// PEER_CLOSED has been told.
    pub told: Cell32,
}

impl Binding {
    /// The port it is bound to, if any.
    pub fn port(&self) -> Option<ObjectRef> {
        match self.port.get() {
            0 => None,
            raw => Some(ObjectRef::from_raw(raw)),
        }
    }

    /// These signals are told.
    pub fn tell(&self, edge: u32) {
        self.pending.set(self.pending.get() & !edge);
        if edge & (Signals::PEER_CLOSED | Signals::TERMINATED).bits() != 0 {
            self.told.set(1);
        }
    }

    /// Forgets the port. The node must not be queued. What has not been told waits for the next binding.
    pub fn clear(&self) {
        self.port.set(0);
        self.wanted.set(0);
        self.told.set(0);
        self.queued.set(0);
    }
}
