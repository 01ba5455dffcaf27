//! The fast path: a call, or an answer and a wait, that hands the processor straight to the thread it is for.
//!
//! It is taken when nothing that the slow path would look at can matter, and does then what the slow path would do, less
//! the queueing and the choosing. Its invariants:
//!
//! - Everything is checked before the first change; a refusal changes nothing and the slow path starts afresh.
//! - The registers of the thread that lets go have been saved before its state says so: what must survive, and its
//!   arguments, because the slow path may have to end what began here. A waiting thread's program counter is at its call.
//! - At most two locks: the channel's, then the port's.
//! - The message words are read under the channel's lock: once it is free, the sender's registers are anybody's.
//! - The caller lends its budget, so the payer does not change and no time is settled.
//! - No timer is touched: a deadline is taken only if the thread's node is armed on this hart for no later.
//! - Floating-point state does not move here: a thread that has some goes the slow way.
//!
//! What must never happen: a message that the slow path would have refused.

use crate::binding::node_object;
use crate::channel::Channel;
use crate::context::{Context, reg};
use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::{Frame, View};
use crate::objects::Port;
use crate::platform::Platform;
use crate::process::Process;
use crate::sync::{Held, Ordering};
use crate::thread::{Thread, state};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Delivery, Kind, NEVER, Rights, Signals, Sysno, Tag, Ticks};

/// What the thread that runs next finds in its registers; every other one that is not callee-saved is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// Address of its saved registers.
    pub context: usize,
    /// For `a1`.
    pub tag: u64,
    /// For `a2` to `a7`; 0 past the message's length.
    pub words: [u64; REGISTER_WORDS],
    /// For `t1`.
    pub key: u64,
    /// For `t2`.
    pub identity: u64,
    /// For `t3`.
    pub token: u64,
}

/// Whether the message travels in registers alone, and what comes back brings no handles.
#[inline(always)]
fn is_plain(tag: u64) -> bool {
    // The first half is the second's commonest case: nothing but a length.
    tag <= REGISTER_BYTES as u64
        || (tag & Tag::SIZES <= REGISTER_BYTES as u64 && tag >> Tag::ROOM_SHIFT <= MAX_MESSAGE_BYTES as u64)
}

/// The words of a message of `bytes` bytes. Written out, so that a short message costs little.
#[inline(always)]
fn words(from: &Context, bytes: u64) -> [u64; REGISTER_WORDS] {
    let word = |n: usize| from.get(reg::A0 + 2 + n);
    let mut words = [0; REGISTER_WORDS];
    if bytes > 0 {
        words[0] = word(0);
        if bytes > 8 {
            words[1] = word(1);
            if bytes > 16 {
                words[2] = word(2);
                if bytes > 24 {
                    words[3] = word(3);
                    if bytes > 32 {
                        words[4] = word(4);
                        if bytes > 40 {
                            words[5] = word(5);
                        }
                    }
                }
            }
        }
    }
    words
}

impl<P: Platform> Kernel<P> {
    /// Whether a wait until `deadline` needs no timer that is not there already.
    #[inline(always)]
    fn is_timed(&self, hart: &Hart, t: &Thread, deadline: Ticks) -> bool {
        deadline == NEVER || (t.timer.hart.get() == hart.id.get() + 1 && t.timer.at.get() <= deadline)
    }

    /// Whether `next` of process `owner` may run at once after `now`.
    #[inline(always)]
    fn may_follow(&self, hart: &Hart, now: &Thread, next: &Thread, owner: &Process) -> bool {
        (now.context.fp_live.load(Ordering::Relaxed) | next.context.fp_live.load(Ordering::Relaxed)) == 0
            && next.priority.get() + 1 >= hart.best.get()
            && owner.asid.get() != 0
    }

    /// Makes `next` the current thread, address space included. No list has it any more.
    #[inline(always)]
    fn switch_to(&self, view: &View, hart: &Hart, frame: Frame, next: &Thread, owner: &Process) -> usize {
        let context = view.pointer(frame);
        next.state.set(hart.running_state.get());
        hart.current.set(frame.0);
        hart.context.store(context, Ordering::Relaxed);
        hart.process.set(next.process.get());
        self.platform.switch_space(owner.satp.get());
        context
    }

    /// Takes the lock of an object that a reference means, if it is still there.
    #[inline(always)]
    fn seize<'v>(view: &'v View, object: ObjectRef) -> Option<Held<'v>> {
        let header = view.header(object.frame);
        let held = header.lock.hold();
        (header.generation.get() == object.generation).then_some(held)
    }

    /// `channel_call` of the hart's current thread, whose callee-saved registers, `sp`, `gp`, `tp`, program counter
    /// and arguments are saved. `None`: the slow path is to do it.
    #[inline(always)]
    pub fn fast_call(&self, hart: &Hart, handle: u64, tag: u64, deadline: u64) -> Option<HandOver> {
        let view = &self.memory.view();
        let caller = hart.running();
        let c = view.page::<Thread>(caller);
        if !is_plain(tag) || !self.is_timed(hart, c, deadline) {
            return None;
        }
        let process = view.page::<Process>(hart.owner());
        let (channel, end) = process.glance(view, handle as u32, Kind::Channel, Rights::SEND)?;
        let held = Self::seize(view, channel)?;
        let end = &view.page::<Channel>(channel.frame).ends[end as usize ^ 1];
        let bytes = tag & Tag::SIZES;
        if end.open.get() == 0
            || end.waiting.get() != 0
            || bytes > end.max_bytes.get() as u64
            || end.binding.wanted.get() & Signals::READABLE.bits() == 0
            || !end.answering.is_empty()
        {
            return None;
        }
        // Where there are wanted signals there is a port, if perhaps one that is gone.
        let port = ObjectRef::from_raw(end.binding.port.get());
        let port_held = Self::seize(view, port)?;
        let p = view.page::<Port>(port.frame);
        let server = p.waiters.head();
        if !server.exists() || p.is_ready() {
            return None;
        }
        let s = view.page::<Thread>(server);
        let owner = view.page::<Process>(s.owner());
        if !self.may_follow(hart, c, s, owner) {
            return None;
        }

        p.waiters.drop_front(&self.memory, server);
        let number = c.call_number.get().wrapping_add(1);
        c.call_number.set(number);
        c.deadline.set(deadline);
        end.answering.begin(c, caller);
        let open = end.open_state.get();
        c.state.set(open);
        s.serving.set(open as u32);
        s.payer.set(c.payer.get());
        hart.fast.add(1);
        let over = HandOver {
            context: self.switch_to(view, hart, server, s, owner),
            tag: tag | (Delivery::Call as u64) << Tag::DELIVERY_SHIFT,
            words: words(&c.context, bytes),
            key: end.binding.key.get(),
            identity: process.identity.get(),
            token: caller.0 as u64 | (number as u64) << 32,
        };
        held.release_both(port_held, &hart.space, s.process.get());
        Some(over)
    }

    /// `reply_and_wait` with an answer, likewise.
    #[inline(always)]
    pub fn fast_reply(
        &self,
        hart: &Hart,
        handle: u64,
        tag: u64,
        deadline: u64,
        token: u64,
    ) -> Option<HandOver> {
        let view = &self.memory.view();
        let server = hart.running();
        let s = view.page::<Thread>(server);
        if !is_plain(tag) || !self.is_timed(hart, s, deadline) {
            return None;
        }
        let process = view.page::<Process>(hart.owner());
        let (port, _) = process.glance(view, handle as u32, Kind::Port, Rights::WAIT)?;
        // The channel that the last call came through: the token is believed only if its caller is there.
        let (frame, at) = node_object(s.serving.get());
        if !frame.exists() {
            return None;
        }
        let header = view.header(frame);
        let held = header.lock.hold();
        let end = &view.page::<Channel>(frame).ends[at];
        if header.kind.get() != Kind::Channel as u32 {
            return None;
        }
        let caller = end.answering.only()?;
        let c = view.page::<Thread>(caller);
        let owner = view.page::<Process>(c.owner());
        if caller.0 as u64 | (c.call_number.get() as u64) << 32 != token
            || end.holder.get() != hart.process.get()
            || c.payer.get() != hart.payer.get()
            || !self.may_follow(hart, s, c, owner)
        {
            return None;
        }
        let port_held = Self::seize(view, port)?;
        let p = view.page::<Port>(port.frame);
        if p.is_ready() {
            return None;
        }

        end.answering.clear();
        s.deadline.set(deadline);
        s.payer.set(s.home.get());
        p.waiters.push_front(&self.memory, server);
        s.set_doing(state::PORT, port.frame.0);
        let bytes = tag & Tag::SIZES;
        let over = HandOver {
            context: self.switch_to(view, hart, caller, c, owner),
            tag: bytes,
            words: words(&s.context, bytes),
            key: 0,
            identity: process.identity.get(),
            token: 0,
        };
        held.release_both(port_held, &hart.space, c.process.get());
        Some(over)
    }

    /// A system call whose registers are all saved, by the fast path if it can be: what the trap code does, in the form that
    /// host tests compare with [`Self::syscall`]. False: nothing happened, the slow path is to do it.
    pub fn fast(&self, hart: &Hart) -> bool {
        let from = &self.thread(hart.running()).context;
        let [handle, tag] = [0, 1].map(|n| from.get(reg::A0 + n));
        let [deadline, token] = [3, 4].map(|n| from.get(reg::T[n]));
        let handed = match Sysno::from_raw(from.get(reg::T[0])) {
            Some(Sysno::channel_call) => self.fast_call(hart, handle, tag, deadline),
            Some(Sysno::reply_and_wait) => self.fast_reply(hart, handle, tag, deadline, token),
            _ => None,
        };
        let Some(over) = handed else {
            return false;
        };
        let to = &self.thread(hart.running()).context;
        reg::T.into_iter().chain([reg::A0, 1]).for_each(|n| to.set(n, 0));
        to.set(reg::PC, to.get(reg::PC).wrapping_add(4));
        to.set(reg::A0 + 1, over.tag);
        for (n, word) in over.words.into_iter().enumerate() {
            to.set(reg::A0 + 2 + n, word);
        }
        to.set(reg::T[1], over.key);
        to.set(reg::T[2], over.identity);
        to.set(reg::T[3], over.token);
        true
    }
}
