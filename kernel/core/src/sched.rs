//! Who runs: ready queues, dispatch, blocking and waking.
//!
//! Fixed priorities, round robin within one; a thread whose payer's budget is used up counts as priority 0. A
//! hart with nothing to do takes from another's queue before it sleeps. What must never happen: a ready thread that no
//! hart will look for, or a thread on two harts.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::Frame;
use crate::platform::Platform;
use crate::process::{Process, life};
use crate::sync::{Ordering, fence};
use crate::thread::{Thread, resume, state};
use nexus_abi::{Error, NEVER, NOW, Ticks};

/// What a hart is to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Load the context at `hart.context` and return to user mode.
    Run,
    /// Wait for an interrupt.
    Idle,
}

impl<P: Platform> Kernel<P> {
    /// A thread's cells.
    #[inline(always)]
    pub(crate) fn thread(&self, frame: Frame) -> &Thread {
        self.memory.page(frame)
    }

    /// A process's cells.
    #[inline(always)]
    pub(crate) fn table(&self, frame: Frame) -> &Process {
        self.memory.page(frame)
    }

    /// The priority that counts now: 0 while the payer's budget is used up.
    pub(crate) fn effective_priority(&self, t: &Thread, now: Ticks) -> u32 {
        let payer = ObjectRef::from_raw(t.payer.get());
        if self.exhausted_until(payer) > now { 0 } else { t.priority.get() }
    }

    /// Makes a thread that belongs to nobody ready here, and calls an idle hart to take what this one cannot run
    /// at once.
    pub(crate) fn wake(&self, hart: &Hart, thread: Frame) {
        self.wake_thread(hart, self.thread(thread));
    }

    /// The same.
    #[inline(always)]
    pub(crate) fn wake_thread(&self, hart: &Hart, t: &Thread) {
        self.wake_beside(hart, hart.thread.find(), t);
    }

    /// The same for who has seen what thread this hart runs, if any.
    #[inline(always)]
    pub(crate) fn wake_beside(&self, hart: &Hart, current: Option<&Thread>, t: &Thread) {
        let now = self.platform.now();
        // A server that waited in a call of its own must not pay with its priority for what its caller used up.
        let priority = match self.is_solvent(ObjectRef::from_raw(t.payer.get()), now) {
            true => t.priority.get(),
            false => {
                t.pay_oneself();
                self.effective_priority(t, now)
            }
        };
        if self.goes_next(hart, current, priority) {
            t.set_doing(state::RUNNING, hart.id.get());
            hart.next.set(t);
            hart.resched.set(1);
            return;
        }
        self.stand_by(hart, t, priority, now);
    }

    /// Puts a thread that was woken where it waits for its turn.
    #[inline(never)]
    fn stand_by(&self, hart: &Hart, t: &Thread, priority: u32, now: Ticks) {
        self.note_refill(hart, t, priority);
        self.enqueue(hart, t.frame(), priority, false);
        let Some(current) = hart.thread.find() else {
            return;
        };
        // Whoever used up its budget counts as priority 0 while it runs, too.
        if priority > self.effective_priority(current, now) {
            hart.resched.set(1);
        }
        self.call_idle();
    }

    /// Calls an idle hart, if there is one, to take a thread that was made ready.
    #[inline(always)]
    pub(crate) fn call_idle(&self) {
        // The queue, then who is idle: an idle hart announces itself before it looks into the queues a last time. With a fence
        // on both sides one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.idle.get() != 0 {
            self.call_one();
        }
    }

    /// Another hart may call the same one at the same time, for a thread of its own: then it is the turn of the next.
    #[cold]
    fn call_one(&self) {
        while let idle @ 1.. = self.idle.get() {
            let bit = 1 << idle.trailing_zeros();
            if self.idle.atomic().fetch_and(!bit, Ordering::Relaxed) & bit != 0 {
                return self.platform.kick(idle.trailing_zeros());
            }
        }
    }

    /// A thread that was queued at 0 for want of budget is looked at again when there is some.
    fn note_refill(&self, hart: &Hart, t: &Thread, priority: u32) {
        if priority == 0 && t.priority.get() != 0 {
            let until = self.exhausted_until(ObjectRef::from_raw(t.payer.get()));
            hart.refill_at.set(hart.refill_at.get().min(until));
            if hart.refill_next.get() != 0 {
                hart.refill_next.set(hart.refill_next.get().min(until));
            }
            hart.resched.set(1);
        }
    }

    /// Puts a thread into a ready queue, in front if it was only interrupted.
    #[inline(always)]
    pub(crate) fn enqueue(&self, hart: &Hart, thread: Frame, priority: u32, front: bool) {
        let _held = hart.queue_lock.hold();
        self.insert(hart, thread, priority, front);
    }

    /// The same, with the queue's lock held.
    #[inline(always)]
    pub(crate) fn insert(&self, hart: &Hart, thread: Frame, priority: u32, front: bool) {
        self.thread(thread).set_doing(state::READY, hart.id.get() | priority << 8);
        let queue = &hart.queues[priority as usize];
        if front {
            queue.push_front(&self.memory, self.thread(thread));
        } else {
            queue.push_back(&self.memory, thread);
        }
        self.note_ready(hart, priority);
    }

    /// There is a ready thread of this priority. The queue's lock is held.
    #[inline(always)]
    pub(crate) fn note_ready(&self, hart: &Hart, priority: u32) {
        self.note_best(hart, priority);
        hart.floor.set(hart.floor.get().max(priority + 1));
    }

    /// The same, of who is about to say what may follow it ([`Hart::set_floor`]).
    #[inline(always)]
    pub(crate) fn note_best(&self, hart: &Hart, priority: u32) {
        hart.ready.set(hart.ready.get() | 1 << priority);
        hart.best.set(hart.best.get().max(priority + 1));
    }

    /// Takes a ready thread out of its queue; the queue's lock is held.
    pub(crate) fn dequeue(&self, hart: &Hart, thread: Frame, priority: u32) {
        let queue = &hart.queues[priority as usize];
        queue.remove(&self.memory, thread);
        if queue.is_empty() {
            hart.ready.set(hart.ready.get() & !(1 << priority));
            hart.best.set(32 - hart.ready.get().leading_zeros());
        }
    }

    fn take_best(&self, from: &Hart, by: &Hart) -> Option<Frame> {
        let _held = from.queue_lock.hold();
        let priority = from.best.get().checked_sub(1)?;
        let thread = from.queues[priority as usize].head();
        self.dequeue(from, thread, priority);
        self.thread(thread).set_doing(state::RUNNING, by.id.get());
        Some(thread)
    }

    /// Lets go of the current thread, which somebody else owns now or which has ended.
    pub(crate) fn leave(&self, hart: &Hart) {
        // Whoever frees address spaces asks for this once no thread is current.
        hart.space.atomic().store(hart.owner().0, Ordering::Release);
        hart.thread.clear();
    }

    /// Blocks the current thread at a place whose lock is held and whose list it has been put on.
    pub(crate) fn block(&self, hart: &Hart, thread: Frame, what: u32, place: u32, deadline: Ticks) {
        let t = self.thread(thread);
        if deadline != NEVER {
            self.arm(hart, thread, deadline);
        }
        self.leave(hart);
        t.set_doing(what, place);
    }

    /// Ends a wait: `error` for the deadline, which tells "do not wait" from "waited too long".
    pub(crate) fn late(deadline: Ticks) -> Error {
        if deadline == NOW { Error::WouldBlock } else { Error::TimedOut }
    }

    /// Whether a wait with this deadline is over before it begins.
    pub(crate) fn is_past(&self, deadline: Ticks) -> bool {
        deadline != NEVER && deadline <= self.platform.now()
    }

    /// Ends the system call of a thread that is not running, with an error, and wakes it. The thread was taken
    /// off every list by the caller, who holds no lock.
    pub(crate) fn fail(&self, hart: &Hart, thread: Frame, error: Error) {
        self.return_handles(hart, thread);
        let t = self.thread(thread);
        t.resume.set(resume::NONE);
        self.finish(t, error as u64, [0, 0]);
        self.wake(hart, thread);
    }

    /// Ends a system call: result registers set, everything else that is not callee-saved zero, past the `ecall`.
    pub(crate) fn finish(&self, t: &Thread, error: u64, results: [u64; 2]) {
        use crate::context::reg;
        for n in reg::T {
            t.context.set(n, 0);
        }
        for n in 3..8 {
            t.context.set(reg::A0 + n, 0);
        }
        t.context.set(reg::A0, error);
        t.context.set(reg::A0 + 1, results[0]);
        t.context.set(reg::A0 + 2, results[1]);
        t.context.set(reg::PC, t.context.get(reg::PC).wrapping_add(4));
    }

    /// Chooses what this hart does now. Called at the end of each entry into the kernel.
    pub fn dispatch(&self, hart: &Hart) -> Next {
        loop {
            self.clear_graves(hart);
            self.give_way(hart);
            if !hart.running().exists() && !self.choose(hart) {
                return Next::Idle;
            }
            let thread = hart.running();
            let t = self.thread(thread);
            if t.resume.get() != resume::NONE {
                self.load_space(hart, t);
                self.resume(hart, thread);
                self.breathe();
                continue;
            }
            if self.table(t.owner()).life.get() != life::ALIVE {
                self.end_current(hart);
                self.breathe();
                continue;
            }
            self.load_space(hart, t);
            self.program_timer(hart);
            hart.set_floor(t);
            return Next::Run;
        }
    }

    /// Puts the current thread back into the queue if another one is to run first.
    fn give_way(&self, hart: &Hart) {
        let Some(t) = hart.thread.find() else { return };
        let asked = hart.resched.take(0);
        if asked == 0 {
            return;
        }
        let now = self.platform.now();
        if let Some(next) = hart.next.take() {
            let priority = self.effective_priority(t, now);
            self.leave_to_others(hart, t, priority, now < hart.slice_end.get());
            self.take_over(hart, next, now);
            return self.call_idle();
        }
        self.settle_time(hart, now);
        self.own_budget(hart, t, now);
        let priority = self.effective_priority(t, now);
        let expired = now >= hart.slice_end.get() || asked == Hart::YIELD;
        // A dead process waits for its turn like the best of its threads.
        let dead = Frame(hart.reap.get());
        let dead = if dead.exists() { self.table(dead).reap_priority.get() + 1 } else { 0 };
        let best = hart.best.get().max(dead);
        if best > priority + 1 || (expired && best == priority + 1) {
            self.leave_to_others(hart, t, priority, !expired);
        } else if expired {
            hart.slice_end.set(now + self.slice);
        }
    }

    /// Puts the current thread back into the queue. From that moment on another hart may run it, and end it and its process: so
    /// everything that asks it something comes before.
    fn leave_to_others(&self, hart: &Hart, t: &Thread, priority: u32, front: bool) {
        self.note_refill(hart, t, priority);
        self.leave(hart);
        self.enqueue(hart, t.frame(), priority, front);
    }

    /// Makes the best ready thread current; false if there is none anywhere.
    fn choose(&self, hart: &Hart) -> bool {
        // Sleep can end without an interrupt that the kernel is told of. Whoever calls an idle hart must not find one that is not.
        self.awake(hart);
        loop {
            let reap = Frame(hart.reap.get());
            if reap.exists() && self.table(reap).reap_priority.get() + 1 >= hart.best.get() {
                self.put_off(hart);
                self.leave_space(hart);
                self.reap_step(hart, reap);
                self.clear_graves(hart);
                self.breathe();
                continue;
            }
            let now = self.platform.now();
            if let Some(next) = hart.next.take() {
                self.take_over(hart, next, now);
                return true;
            }
            let found = self.take_best(hart, hart).or_else(|| self.steal(hart));
            if let Some(thread) = found {
                self.take_over(hart, self.thread(thread), now);
                // Whoever made threads ready while it was idle itself called nobody. Each hart that finds one calls the next.
                if self.is_somebody_ready() {
                    self.call_idle();
                }
                return true;
            }
            if hart.reap.get() != 0 {
                continue;
            }
            self.settle_time(hart, now);
            hart.payer.set(0);
            self.leave_space(hart);
            self.program_timer(hart);
            // Announce first, look again after: whoever makes a thread ready either sees the bit or is seen.
            let bit = 1 << hart.id.get();
            self.idle.atomic().fetch_or(bit, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if self.is_somebody_ready() {
                self.idle.atomic().fetch_and(!bit, Ordering::Relaxed);
                continue;
            }
            return false;
        }
    }

    fn is_somebody_ready(&self) -> bool {
        self.running_harts().iter().any(|other| other.best.get() != 0)
    }

    /// Takes a thread that another hart has no time for.
    fn steal(&self, hart: &Hart) -> Option<Frame> {
        self.running_harts()
            .iter()
            .filter(|other| other.id.get() != hart.id.get() && other.best.get() != 0)
            .find_map(|other| self.take_best(other, hart))
    }

    /// The hart has left its sleep.
    pub(crate) fn awake(&self, hart: &Hart) {
        let bit = 1 << hart.id.get();
        if self.idle.atomic().load(Ordering::Relaxed) & bit != 0 {
            self.idle.atomic().fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Loads a thread's address space.
    pub(crate) fn load_space(&self, hart: &Hart, t: &Thread) {
        let owner = t.owner();
        if hart.space.get() != owner.0 {
            let process = self.table(owner);
            self.platform.switch_space(process.satp.get());
            if process.asid.get() == 0 {
                self.platform.fence(1 << hart.id.get(), 0, 0, 0);
            }
            hart.space.atomic().store(owner.0, Ordering::Release);
        }
    }

    /// Leaves every user address space.
    pub(crate) fn leave_space(&self, hart: &Hart) {
        if hart.space.get() != 0 {
            self.platform.leave_space();
            hart.space.atomic().store(0, Ordering::Release);
        }
    }

    /// System call `thread_yield`.
    pub(crate) fn thread_yield(&self, hart: &Hart) {
        hart.resched.set(Hart::YIELD);
    }

    /// Does what the current thread was woken for.
    pub(crate) fn resume(&self, hart: &Hart, thread: Frame) {
        let t = self.thread(thread);
        match t.resume.take(resume::NONE) {
            resume::WAIT => self.wait_at(hart, thread, ObjectRef::from_raw(t.port.get())),
            resume::EVENT => self.deliver_event(t, 0, t.port.get() as u32),
            _ => self.take_answer(hart, thread),
        }
    }
}
