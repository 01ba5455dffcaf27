//! From one thread to another that is known already: the one that was made ready and goes first (`Hart::next`), or the next of equals.
//!
//! What must never happen: a thread seen in a queue before its registers are saved, or whose address space could be freed
//! while it is loaded.

use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::platform::Platform;
use crate::process::life;
use crate::thread::{Thread, resume, state};
use nexus_abi::Ticks;

impl<P: Platform> Kernel<P> {
    /// The common switch, tried before [`Self::dispatch`]: from a thread that goes on later to one that was made ready and goes first,
    /// or by a yield to its equal. Both have one payer, and there is nothing else to see to: no cold path stands in the middle of
    /// it. False: nothing happened.
    #[inline(always)]
    pub fn switch_at_once(&self, hart: &Hart) -> bool {
        let Some(t) = hart.thread.find() else { return false };
        if hart.graves.get() | hart.reap.get() != 0 || self.is_timer_late(hart) {
            return false;
        }
        let chosen = hart.next.find();
        if chosen.is_none() && (hart.resched.get() != Hart::YIELD || hart.best.get() != t.priority.get() + 1)
        {
            return false;
        }
        let now = self.platform.now();
        // As in `leave`: from the moment that this one is in a queue it and its process may end elsewhere.
        let process = t.process.get();
        hart.space.set(process);
        let Some(held) = hart.queue_lock.try_hold() else { return false };
        let priority = t.priority.get();
        let queue = &hart.queues[priority as usize];
        let next = match chosen {
            Some(next) => next,
            // Another hart may have emptied the queue.
            None if queue.is_empty() => return false,
            None => self.thread(queue.head()),
        };
        if !self.may_take_over(hart, next) {
            return false;
        }
        if chosen.is_some() && now < hart.slice_end.get() {
            queue.push_front(&self.memory, t);
        } else {
            queue.push_back(&self.memory, t.frame());
        }
        match chosen {
            // Of one payer with a thread that has a priority: the one that makes way has it too.
            Some(_) => self.note_best(hart, priority),
            None => queue.remove(&self.memory, next.frame()),
        }
        t.set_doing(state::READY, hart.id.get() | priority << 8);
        next.state.set(hart.running_state.get());
        drop(held);
        hart.next.clear();
        hart.resched.set(0);
        hart.thread.set(next);
        // What is left of the slice is the next one's: the timer stays as it is.
        hart.switches.add(1);
        if next.process.get() != process {
            self.platform.switch_space(next.satp.get());
            hart.space.set(next.process.get());
        }
        hart.set_floor(next);
        self.call_idle();
        true
    }

    /// After such a switch: the signal bits that the thread was woken for, if it is to be told by nothing but registers. Every other
    /// register that does not survive a system call is then to be 0, and the program counter past the call.
    #[inline(always)]
    pub fn take_event(&self, hart: &Hart) -> Option<u64> {
        let t = hart.current();
        if t.resume.get() != resume::EVENT {
            return None;
        }
        if t.rank.get() == 0 {
            // Its floating-point registers have to be loaded as well.
            self.resume(hart, t.frame());
            return None;
        }
        t.resume.set(resume::NONE);
        Some(t.port.get())
    }

    /// Whether a thread can be run without any more ado: it is of the payer that pays now, its process lives and has an address space
    /// identifier of its own, and it has nothing to do in the kernel but to be told.
    #[inline(always)]
    fn may_take_over(&self, hart: &Hart, next: &Thread) -> bool {
        let owner = self.table(next.owner());
        next.payer.get() == hart.payer.get()
            && next.resume.get() <= resume::EVENT
            && owner.life.get() == life::ALIVE
            && owner.asid.get() != 0
    }

    /// Whether a thread of this priority goes before the current one, every ready one, and one that was to do so already, which
    /// then waits for its turn.
    #[inline]
    pub(crate) fn goes_next(&self, hart: &Hart, current: Option<&Thread>, priority: u32) -> bool {
        let goes = current.is_some_and(|t| priority > t.priority.get()) && priority >= hart.best.get();
        match hart.next.find() {
            None => goes,
            Some(next) if goes && priority > next.priority.get() => {
                self.put_off(hart);
                true
            }
            Some(_) => false,
        }
    }

    /// The thread that was to run next waits for its turn like others.
    #[inline(never)]
    pub(crate) fn put_off(&self, hart: &Hart) {
        if let Some(t) = hart.next.take() {
            self.enqueue(hart, t.frame(), self.effective_priority(t, self.platform.now()), true);
        }
    }

    /// Makes a thread current that belongs to this hart.
    pub(crate) fn take_over(&self, hart: &Hart, t: &Thread, now: Ticks) {
        hart.thread.set(t);
        hart.switches.add(1);
        self.follow_payer(hart);
        hart.slice_end.set(now + self.slice);
    }

    /// From now on whoever pays for the current thread pays. Threads of one payer are settled together, at the latest when the
    /// slice ends. No lock is held.
    pub(crate) fn follow_payer(&self, hart: &Hart) {
        let payer = hart.current().payer.get();
        if hart.payer.get() != payer {
            self.settle_time(hart, self.platform.now());
            hart.payer.set(payer);
        }
    }
}
