//! Time: deadlines, the timer interrupt, and who pays for the processor.
//!
//! A call lends its caller's budget to the server: each thread names its payer, and the hart accounts elapsed time
//! to the payer of what it ran. What must never happen: time that nobody pays for, or a deadline
//! that is armed later than it is.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, Memory, usage};
use crate::objects::Timer;
use crate::platform::Platform;
use crate::process::Process;
use crate::sync::{Cell32, Ordering};
use crate::thread::Thread;
use crate::timers::{HeapStorage, TimerNode};
use nexus_abi::bounds::MAX_HARTS;
use nexus_abi::{Error, Handle, Kind, NEVER, NOW, Rights, Signals, Ticks};

/// The storage of one hart's heap: a directory page of pages of slots, made when the hart comes online.
pub(crate) struct Storage<'m> {
    memory: &'m Memory,
    pages: Frame,
}

impl HeapStorage for Storage<'_> {
    fn slot(&self, index: u32) -> &Cell32 {
        let page = self.memory.page::<[Cell32; 1024]>(self.pages)[index as usize / 1024].get();
        &self.memory.page::<[Cell32; 1024]>(Frame(page))[index as usize % 1024]
    }

    fn node(&self, frame: Frame) -> &TimerNode {
        if self.memory.header(frame).kind.get() & usage::KIND == Kind::Timer as u32 {
            &self.memory.page::<Timer>(frame).node
        } else {
            &self.memory.page::<Thread>(frame).timer
        }
    }
}

/// Deadlines that one timer interrupt sees to, and threads without budget that it looks at. What is left is due at once: the interrupt comes
/// again.
const DEADLINES_PER_STEP: u32 = 4;
const REFILLS_PER_STEP: u32 = 32;

impl<P: Platform> Kernel<P> {
    pub(crate) fn storage(&self, hart: &Hart) -> Storage<'_> {
        Storage { memory: &self.memory, pages: Frame(hart.heap_pages.get()) }
    }

    /// Makes sure the thread's or timer's node fires at `at` or before. Nobody else arms it meanwhile: a thread is armed by
    /// the hart that it runs on, or under the lock of the place where it waits; a timer under its own.
    pub(crate) fn arm(&self, hart: &Hart, frame: Frame, at: Ticks) {
        let storage = self.storage(hart);
        let node = storage.node(frame);
        // In another hart's heap it could fire right now, and be told before the wait is there.
        if node.hart.get() == hart.id.get() + 1 && node.at.get() <= at {
            return;
        }
        self.take_out(node, frame);
        let _held = hart.heap.lock.hold();
        hart.heap.insert(&storage, hart.id.get(), frame, at);
    }

    /// Takes a node out of whatever heap it is in.
    #[inline(always)]
    fn take_out(&self, node: &TimerNode, frame: Frame) {
        loop {
            let on = node.hart.atomic().load(Ordering::Acquire);
            if on == 0 {
                return;
            }
            let hart = self.harts[on as usize - 1];
            let _held = hart.heap.lock.hold();
            if node.hart.get() == on {
                return hart.heap.remove(&self.storage(hart), frame);
            }
        }
    }

    /// Takes a node out and waits until nobody fires it any more. Its object is not freed meanwhile, and no lock is held that
    /// a firing node needs: a timer's own.
    pub(crate) fn disarm(&self, frame: Frame) {
        while !self.try_disarm(frame) {
            crate::sync::pause();
        }
    }

    /// The same, with the object's lock held; false while another hart fires the node.
    fn try_disarm(&self, frame: Frame) -> bool {
        let storage = self.storage(self.harts[0]);
        let node = storage.node(frame);
        self.take_out(node, frame);
        !node.is_firing()
    }

    /// The timer interrupt.
    pub fn timer(&self, hart: &Hart) {
        self.awake(hart);
        // The interrupt stays pending until the timer is set again, if only to never.
        hart.armed.set(NOW);
        let now = self.platform.now();
        for _ in 0..DEADLINES_PER_STEP {
            let due = {
                let _held = hart.heap.lock.hold();
                hart.heap.pop_due(&self.storage(hart), now)
            };
            let Some(frame) = due else { break };
            // The node is firing, so that its object cannot be freed before we are done with it.
            if self.memory.header(frame).kind.get() & usage::KIND == Kind::Timer as u32 {
                self.expire_timer(hart, frame);
            } else {
                self.expire_thread(hart, frame, now);
            }
            self.storage(hart).node(frame).fired();
        }
        // Also when threads of one payer took turns for so long without an account.
        let accounted = hart.charged_at.get().saturating_add(self.slice);
        if hart.running().exists() && now >= hart.slice_end.get().min(accounted) {
            hart.resched.set(1);
        }
        if now >= hart.refill_at.get() {
            self.refill(hart, now);
        }
    }

    /// A thread's node fired: its wait is over, or the node stood for an earlier one.
    fn expire_thread(&self, hart: &Hart, thread: Frame, now: Ticks) {
        let is_over = |t: &Thread| {
            let deadline = t.deadline();
            if deadline > now && deadline != NEVER && t.timer.hart.get() == 0 {
                self.arm(hart, thread, deadline);
            }
            deadline <= now
        };
        if self.detach_if(thread, is_over) {
            self.fail(hart, thread, Error::TimedOut);
        }
    }

    fn expire_timer(&self, hart: &Hart, frame: Frame) {
        let _held = self.memory.lock(frame);
        let timer = self.memory.page::<Timer>(frame);
        timer.binding.pending.set(timer.binding.pending.get() | Signals::EXPIRED.bits());
        self.notify(hart, frame, 0);
    }

    /// Threads at priority 0 whose payer has budget again go back to where they belong. Under the queue's lock throughout, so that
    /// no other hart takes one that is between two queues. Those that stay go to the end of the queue, so that it is as it was when
    /// all were looked at: then one that was looked at comes first. Whoever joins the queue meanwhile sees to itself (`note_refill`).
    fn refill(&self, hart: &Hart, now: Ticks) {
        let _held = hart.queue_lock.hold();
        let queue = &hart.queues[0];
        if hart.refill_next.get() == 0 {
            hart.refill_round.add(MAX_HARTS as u32);
            hart.refill_next.set(NEVER);
        }
        // No two harts have the same one, and none is 0.
        let round = hart.refill_round.get() + hart.id.get() + 1;
        for _ in 0..REFILLS_PER_STEP {
            let thread = queue.head();
            if !thread.exists() || self.thread(thread).refill_round.get() == round {
                return hart.refill_at.set(hart.refill_next.take(0));
            }
            let t = self.thread(thread);
            t.refill_round.set(round);
            let until = self.exhausted_until(ObjectRef::from_raw(t.payer.get()));
            if until > now {
                hart.refill_next.set(hart.refill_next.get().min(until));
            } else if t.priority.get() != 0 {
                self.dequeue(hart, thread, 0);
                self.insert(hart, thread, t.priority.get(), false);
                hart.resched.set(1);
                continue;
            }
            queue.remove(&self.memory, thread);
            queue.push_back(&self.memory, thread);
        }
    }

    /// Whether something is due before the timer interrupt.
    #[inline(always)]
    pub(crate) fn is_timer_late(&self, hart: &Hart) -> bool {
        let armed = hart.armed.get();
        // Both are compared, not the lesser one chosen: that would cost an instruction more or less with which comes first.
        armed == NOW || (hart.heap.first() < armed) | (hart.refill_at.get() < armed)
    }

    /// Arms the timer interrupt for whatever comes first.
    pub(crate) fn program_timer(&self, hart: &Hart) {
        let slice = if hart.running().exists() { hart.slice_end.get() } else { NEVER };
        let at = hart.heap.first().min(slice).min(hart.refill_at.get());
        if at != hart.armed.get() {
            hart.armed.set(at);
            self.platform.set_timer(at);
        }
    }

    /// Until when a payer's budget is used up; 0 if it is not, or if the payer is gone.
    pub(crate) fn exhausted_until(&self, payer: ObjectRef) -> Ticks {
        let header = self.memory.header(payer.frame);
        let until = self.memory.page::<Process>(payer.frame).exhausted_until.get();
        if header.latch.generation() == payer.generation { until } else { 0 }
    }

    /// Charges the time since the last settlement to the current payer.
    pub(crate) fn settle_time(&self, hart: &Hart, now: Ticks) {
        let since = hart.charged_at.take(now);
        let payer = hart.payer.get();
        if payer == 0 {
            return;
        }
        let payer = ObjectRef::from_raw(payer);
        let Ok(_held) = self.hold(payer) else { return };
        let process = self.table(payer.frame);
        let elapsed = now.saturating_sub(since);
        let budget = self.period * process.cpu.get() as u64 / 1000;
        let periods = now.saturating_sub(process.budget_start.get()) / self.period;
        if periods > 0 {
            process.budget_start.add(periods * self.period);
            process.budget_used.set(process.budget_used.get().saturating_sub(budget.saturating_mul(periods)));
        }
        // What it ran without budget it ran at priority 0, on time that nobody else wanted: nothing is owed for that.
        process.budget_used.add(now.saturating_sub(since.max(process.exhausted_until.get())));
        process.cpu_total.add(elapsed);
        // With debt, wait as many periods as it takes to pay it off; without any share there is no end to that.
        let until = match (process.budget_used.get().saturating_sub(budget)).checked_div(budget) {
            _ if process.budget_used.get() < budget => 0,
            Some(more) => process.budget_start.get() + (1 + more) * self.period,
            None => NEVER,
        };
        process.exhausted_until.set(until);
    }

    /// A server whose caller's budget ran out, or whose caller is gone, goes on with its own. The thread runs on `hart`.
    pub(crate) fn own_budget(&self, hart: &Hart, t: &Thread, now: Ticks) {
        if !self.is_solvent(ObjectRef::from_raw(t.payer.get()), now) {
            self.pay_oneself(hart, t);
        }
    }

    /// Whether a payer is there and has budget left.
    #[inline(always)]
    pub(crate) fn is_solvent(&self, payer: ObjectRef, now: Ticks) -> bool {
        let until = self.table(payer.frame).exhausted_until.get();
        self.memory.header(payer.frame).latch.generation() == payer.generation && until <= now
    }

    /// From now on the running thread's own process pays for it.
    pub(crate) fn pay_oneself(&self, hart: &Hart, t: &Thread) {
        t.pay_oneself();
        hart.payer.set(t.payer.get());
    }

    /// System call `timer_create`.
    pub(crate) fn timer_create(&self, process: Frame, quota: Handle) -> Answer<Handle> {
        let quota = self.table(process).lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let frame = self.create(quota, Kind::Timer, 1)?;
        self.publish(process, frame, Kind::Timer.all_rights())
    }

    /// System call `timer_set`.
    pub(crate) fn timer_set(&self, hart: &Hart, timer: Handle, deadline: Ticks) -> Answer<()> {
        let object =
            self.table(hart.owner()).lookup_as(&self.memory, timer, Kind::Timer, Rights::MANAGE)?.object;
        let timer = self.memory.page::<Timer>(object.frame);
        loop {
            // The lock keeps the timer; a firing node needs it.
            let held = self.hold(object)?;
            if !self.try_disarm(object.frame) {
                drop(held);
                crate::sync::pause();
                continue;
            }
            timer.binding.pending.set(timer.binding.pending.get() & !Signals::EXPIRED.bits());
            if deadline != NEVER {
                self.arm(hart, object.frame, deadline);
                hart.resched.set(1);
            }
            return Ok(());
        }
    }

    /// Takes a retired timer apart.
    pub(crate) fn clear_timer(&self, frame: Frame) {
        self.disarm(frame);
        let _held = self.memory.lock(frame);
        self.unbind(frame, 0, &self.memory.page::<Timer>(frame).binding);
    }
}
