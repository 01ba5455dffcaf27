//! The small objects: port, vmo, timer, quota, identity. What is done with them stands in the file of each one's name.
//! (Window, interrupt, pool and resource have their structure there too.)

use crate::binding::{Binding, NodeRef};
use crate::list::ThreadStack;
use crate::mapping::Mapped;
use crate::memory::PageType;
use crate::sync::{Cell32, Cell64};
use crate::timers::TimerNode;

/// Where threads wait. While anyone waits, nothing is ready but what another thread has been woken for.
#[repr(C)]
pub struct Port {
    /// Threads that wait, warmest on top.
    pub waiters: ThreadStack,
    /// What a wait would find: the first ready node (a [`NodeRef`], low half) and the user bits raised and not yet taken (high
    /// half). One word, so that one look tells.
    ready: Cell64,
    /// Last ready node.
    pub ready_tail: Cell32,
    /// 1 once a handle to it has left the process that made it: then whoever waits here need not be who holds what is bound.
    pub shared: Cell32,
}

impl Port {
    /// Whether a wait would find something.
    #[inline(always)]
    pub fn is_ready(&self) -> bool {
        self.ready.get() != 0
    }

    /// The first ready node.
    pub fn first(&self) -> NodeRef {
        self.ready.get() as u32
    }

    /// Makes another node the first.
    pub fn set_first(&self, node: NodeRef) {
        self.ready.set(self.ready.get() >> 32 << 32 | node as u64);
    }

    /// Raises user bits.
    pub fn raise(&self, bits: u32) {
        self.ready.set(self.ready.get() | (bits as u64) << 32);
    }

    /// The user bits raised and not yet taken.
    #[cfg(test)]
    pub fn user(&self) -> u32 {
        (self.ready.get() >> 32) as u32
    }

    /// Takes the user bits.
    pub fn take_user(&self) -> u32 {
        let ready = self.ready.take(self.first() as u64);
        (ready >> 32) as u32
    }
}

/// Memory of a fixed size. Its frames hang in an index: `depth` levels of pages of 1,024 frame numbers.
#[repr(C)]
pub struct Vmo {
    /// Size in pages; never changes.
    pub pages: Cell32,
    /// Levels of index pages above the frames; [`Vmo::CONTIGUOUS`]: `root` is the first of consecutive frames,
    /// which no free list ever gets; [`Vmo::POOLED`]: of frames of a pool.
    pub depth: Cell32,
    /// The top index page, or the only frame.
    pub root: Cell32,
    /// 1 once sealed.
    pub sealed: Cell32,
    /// Handles with WRITE, also those in flight.
    pub writable_handles: Cell32,
    /// Who maps it.
    pub mapped: Mapped,
    /// The pool that its memory belongs to, as a raw `ObjectRef`.
    pub pool: Cell64,
}

impl Vmo {
    /// See `depth`.
    pub const CONTIGUOUS: u32 = u32::MAX;
    /// See `depth`.
    pub const POOLED: u32 = u32::MAX - 1;
}

/// Signals once when its deadline has passed.
#[repr(C)]
pub struct Timer {
    /// Its place in a hart's heap.
    pub node: TimerNode,
    /// Where EXPIRED goes.
    pub binding: Binding,
}

/// An account. Pages and processor share split off to other quotas count as used.
#[repr(C)]
pub struct Quota {
    /// Pages it can charge.
    pub pages: Cell64,
    /// Pages charged.
    pub used: Cell64,
    /// Thousandths of a hart it can give.
    pub cpu: Cell32,
    /// Thousandths given.
    pub cpu_used: Cell32,
    /// First object of its list.
    pub objects: Cell32,
    /// Length of that list.
    pub count: Cell32,
    /// 1 while it is being destroyed: nothing more can be charged.
    pub dying: Cell32,
}

/// The right to bear a service id.
#[repr(C)]
pub struct Identity {
    /// The service id.
    pub service: Cell32,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Port {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Vmo {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Timer {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Quota {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Identity {}
