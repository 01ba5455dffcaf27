//! What belongs to one hart. Cells without a lock named are its own: no other hart writes them.

use crate::list::ThreadList;
use crate::memory::Frame;
use crate::sync::{AtomicUsize, Cell32, Cell64, Lock};
use crate::thread::state;
use crate::timers::TimerHeap;
use nexus_abi::bounds::PRIORITIES;

/// See the module. The trap code reads and writes some of the cells by offset.
#[repr(C)]
pub struct Hart {
    /// Address of the current thread's `Context`; 0 when idle.
    pub context: AtomicUsize,
    /// What its current thread does: `state::RUNNING` and its number.
    pub running_state: Cell64,
    /// Its number (0 to 7).
    pub id: Cell32,
    /// Frame of the current thread; 0 when idle.
    pub current: Cell32,
    /// Frame of the current thread's process.
    pub process: Cell32,
    /// Frame of the process whose address space is loaded (0: the kernel's own). Read by whoever frees one.
    pub space: Cell32,
    /// 1: the way out of the kernel must be the long one, through `dispatch`: the current thread may have to give way or
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
    /// Calls on the fast path.
    pub fast: Cell64,
    /// Messages delivered on the slow path.
    pub slow: Cell64,
    /// Thread switches.
    pub switches: Cell64,
}

impl Hart {
    /// An idle hart.
    pub fn new(id: u32) -> Hart {
        let zero32 = || Cell32::new(0);
        let zero64 = || Cell64::new(0);
        Hart {
            context: AtomicUsize::new(0),
            running_state: Cell64::new((state::RUNNING as u64) << 32 | id as u64),
            id: Cell32::new(id),
            current: zero32(),
            process: zero32(),
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
            fast: zero64(),
            slow: zero64(),
            switches: zero64(),
        }
    }

    /// Frame of the current thread, or none.
    #[inline(always)]
    pub fn running(&self) -> Frame {
        Frame(self.current.get())
    }

    /// Frame of the current thread's process.
    #[inline(always)]
    pub fn owner(&self) -> Frame {
        Frame(self.process.get())
    }
}
