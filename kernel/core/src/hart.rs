//! What belongs to one hart. Cells without a lock named are its own: no other hart writes them.

use crate::link::Link;
use crate::list::ThreadList;
use crate::memory::Frame;
use crate::sync::{Cell32, Cell64, Lock};
use crate::thread::{Thread, state};
use crate::timers::TimerHeap;
use nexus_abi::bounds::PRIORITIES;

/// See the module. The trap code reads and writes some of the cells by offset.
#[repr(C)]
pub struct Hart {
    /// The current thread, which begins with its registers; none when idle.
    pub thread: Link<Thread>,
    /// What its current thread does: `state::RUNNING` and its number.
    pub running_state: Cell64,
    /// Its number (0 to 7).
    pub id: Cell32,
    /// A thread that was made ready here and goes before every other: it is in no queue, and runs when the kernel is left.
    pub next: Link<Thread>,
    /// The least [`Thread::rank`] that may follow the current thread by the fast path: above 0, and at least that of the best
    /// ready thread. `NO_RANK`: none may.
    pub floor: Cell32,
    /// Frame of the process whose address space is loaded (0: the kernel's own). While a thread is current it may be out of date:
    /// then it is that thread's which is loaded, and the process lives. Read by whoever frees one.
    pub space: Cell32,
    /// [`Self::YIELD`], or 1: the way out of the kernel must be the long one, through `dispatch`: the current thread may have to give way or
    /// to end, the timer may have to be set, or there are graves to clear.
    pub resched: Cell32,
    /// Priority of the best ready thread, plus 1; 0: nobody. Written under `queue_lock`.
    pub best: Cell32,
    /// Who pays for the time that runs, as a raw `ObjectRef`.
    pub payer: Cell64,
    /// Since when.
    pub charged_at: Cell64,
    /// End of the current slice.
    pub slice_end: Cell64,
    /// What the timer interrupt is armed for.
    pub armed: Cell64,
    /// When to look again at threads whose payer's budget was used up.
    pub refill_at: Cell64,
    /// First dead process to take apart here.
    pub reap: Cell32,
    /// First thread that ended here and is to be freed.
    pub graves: Cell32,
    /// Guards the ready queues.
    pub queue_lock: Lock,
    /// One bit for each non-empty ready queue; under `queue_lock`.
    pub ready: Cell32,
    /// Ready threads by priority; under `queue_lock`.
    pub queues: [ThreadList; PRIORITIES],
    /// Deadlines set here.
    pub heap: TimerHeap,
    /// Frame of the directory of the heap's storage.
    pub heap_pages: Cell32,
    /// Bytes of messages copied from or to users.
    pub copied: Cell64,
    /// Messages delivered on the slow path.
    pub slow: Cell64,
    /// Thread switches.
    pub switches: Cell64,
    /// While threads without budget are looked at, step by step: when to do so again ([`Self::refill_at`] comes from it); 0: they are not.
    pub refill_next: Cell64,
    /// How often that was done, times the number of harts.
    pub refill_round: Cell32,
}

impl Hart {
    /// Value of `resched` when the current thread yields.
    pub const YIELD: u32 = 2;

    /// More than any rank.
    pub const NO_RANK: u32 = u32::MAX;

    /// An idle hart.
    pub fn new(id: u32) -> Hart {
        let zero32 = || Cell32::new(0);
        let zero64 = || Cell64::new(0);
        Hart {
            thread: Link::none(),
            running_state: Cell64::new((state::RUNNING as u64) << 32 | id as u64),
            id: Cell32::new(id),
            next: Link::none(),
            floor: Cell32::new(Self::NO_RANK),
            space: zero32(),
            resched: zero32(),
            best: zero32(),
            payer: zero64(),
            charged_at: zero64(),
            slice_end: zero64(),
            armed: Cell64::new(nexus_abi::NEVER),
            refill_at: Cell64::new(nexus_abi::NEVER),
            reap: zero32(),
            graves: zero32(),
            queue_lock: Lock::new(),
            ready: zero32(),
            queues: core::array::from_fn(|_| ThreadList::default()),
            heap: TimerHeap::default(),
            heap_pages: zero32(),
            copied: zero64(),
            slow: zero64(),
            switches: zero64(),
            refill_next: zero64(),
            refill_round: zero32(),
        }
    }

    /// The current thread; there is one.
    #[inline(always)]
    pub fn current(&self) -> &Thread {
        self.thread.get()
    }

    /// Frame of the current thread, or none.
    #[inline(always)]
    pub fn running(&self) -> Frame {
        self.thread.find().map_or(Frame::NONE, Thread::frame)
    }

    /// Frame of the current thread's process.
    #[inline(always)]
    pub fn owner(&self) -> Frame {
        self.thread.find().map_or(Frame::NONE, Thread::owner)
    }

    /// Says who may follow `now`, which is to run, by the fast path.
    pub fn set_floor(&self, now: &Thread) {
        self.floor.set(if now.rank.get() == 0 { Self::NO_RANK } else { self.best.get().max(1) });
    }

    /// The current thread uses floating point from now on: nobody follows it by the fast path, nor it anybody.
    pub fn use_floating_point(&self) {
        if let Some(t) = self.thread.find() {
            t.rank.set(0);
        }
        self.floor.set(Self::NO_RANK);
    }
}
