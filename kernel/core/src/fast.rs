//! The fast path: a call, or an answer and a wait, that hands the processor straight to the thread it is for.
//!
//! It is taken when nothing that the slow path would look at can matter, and does then what the slow path would do, less
//! the queueing and the choosing. Its invariants:
//!
//! - Everything is checked before the first change; a refusal changes nothing and the slow path starts afresh.
//! - The registers of the thread that lets go have been saved before its state says so: what must survive, and its
//!   arguments, because the slow path may have to end what began here. A waiting thread's program counter is at its call.
//! - At most two locks: the channel's, then the port's. While a thread waits on a port, nothing is ready there.
//! - The message words are read under the channel's lock: once it is free, the sender's registers are anybody's.
//! - The caller lends its budget, so the payer does not change and no time is settled.
//! - No timer is touched: a deadline is taken only if the thread's node is armed on this hart for no later.
//! - Floating-point state does not move here: a thread that has some goes the slow way.
//!
//! What must never happen: a message that the slow path would have refused.

use crate::binding::{node_object, node_ref};
use crate::channel::Channel;
use crate::context::{Context, reg};
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::{Frame, usage};
use crate::objects::Port;
use crate::platform::Platform;
use crate::sync::Ordering;
use crate::thread::{Thread, state};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Delivery, Handle, Kind, NEVER, Rights, Signals, Sysno, Tag, Ticks};

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
    tag & Tag::SIZES <= REGISTER_BYTES as u64 && tag >> Tag::ROOM_SHIFT <= MAX_MESSAGE_BYTES as u64
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

    /// Whether `next` may run at once after `now`.
    #[inline(always)]
    fn may_follow(&self, hart: &Hart, now: &Thread, next: &Thread) -> bool {
        (now.context.fp_live.load(Ordering::Relaxed) | next.context.fp_live.load(Ordering::Relaxed)) == 0
            && next.priority.get() + 1 >= hart.best.get()
            && self.table(next.owner()).asid.get() != 0
    }

    /// Makes `next` the current thread, address space included. Its list has let go of it.
    #[inline(always)]
    fn switch_to(&self, hart: &Hart, frame: Frame, next: &Thread) -> usize {
        let owner = next.owner();
        let context = self.memory.pointer(frame);
        next.set_doing(state::RUNNING, hart.id.get());
        hart.current.set(frame.0);
        hart.context.store(context, Ordering::Relaxed);
        hart.process.set(owner.0);
        self.platform.switch_space(self.table(owner).satp.get());
        hart.space.atomic().store(owner.0, Ordering::Release);
        hart.fast.add(1);
        context
    }

    /// `channel_call` of the hart's current thread, whose callee-saved registers, `sp`, `gp`, `tp`, program counter
    /// and arguments are saved. `None`: the slow path is to do it.
    #[inline(always)]
    pub fn fast_call(&self, hart: &Hart, handle: u64, tag: u64, deadline: u64) -> Option<HandOver> {
        let caller = hart.running();
        let c = self.thread(caller);
        if !is_plain(tag) || !self.is_timed(hart, c, deadline) {
            return None;
        }
        let process = self.table(hart.owner());
        let capability =
            process.lookup_as(&self.memory, Handle(handle as u32), Kind::Channel, Rights::SEND).ok()?;
        let frame = capability.object.frame;
        let _channel = self.hold(capability.object).ok()?;
        let at = 1 - capability.end as usize;
        let end = &self.memory.page::<Channel>(frame).ends[at];
        let bytes = tag & Tag::SIZES;
        if end.open.get() == 0
            || end.waiting.get() != 0
            || bytes > end.max_bytes.get() as u64
            || end.binding.wanted.get() & Signals::READABLE.bits() == 0
        {
            return None;
        }
        let port = end.binding.port()?;
        let _port = self.hold(port).ok()?;
        let p = self.memory.page::<Port>(port.frame);
        let server = p.waiters.head();
        let s = self.thread(server);
        if !server.exists() || !self.may_follow(hart, c, s) {
            return None;
        }

        p.waiters.remove(&self.memory, server);
        c.call_number.add(1);
        c.deadline.set(deadline);
        end.answering.push_front(&self.memory, caller);
        end.open_calls.add(1);
        c.set_doing(state::OPEN, node_ref(frame, at));
        s.serving.set(node_ref(frame, at));
        s.payer.set(c.payer.get());
        Some(HandOver {
            context: self.switch_to(hart, server, s),
            tag: tag | (Delivery::Call as u64) << Tag::DELIVERY_SHIFT,
            words: words(&c.context, bytes),
            key: end.binding.key.get(),
            identity: process.identity.get(),
            token: caller.0 as u64 | (c.call_number.get() as u64) << 32,
        })
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
        let server = hart.running();
        let s = self.thread(server);
        if !is_plain(tag) || !self.is_timed(hart, s, deadline) {
            return None;
        }
        let process = self.table(hart.owner());
        let port =
            process.lookup_as(&self.memory, Handle(handle as u32), Kind::Port, Rights::WAIT).ok()?.object;
        // The channel that the last call came through: the token is believed only if its caller is there.
        let (frame, at) = node_object(s.serving.get());
        if !frame.exists() {
            return None;
        }
        let _channel = self.memory.lock(frame);
        let end = &self.memory.page::<Channel>(frame).ends[at];
        let caller = end.answering.head();
        let c = self.thread(caller);
        if self.memory.header(frame).kind.get() & (usage::KIND | usage::RETIRED) != Kind::Channel as u32
            || !caller.exists()
            || caller.0 as u64 | (c.call_number.get() as u64) << 32 != token
            || end.holder.get() != hart.process.get()
            || c.payer.get() != hart.payer.get()
            || !self.may_follow(hart, s, c)
        {
            return None;
        }
        let _port = self.hold(port).ok()?;
        let p = self.memory.page::<Port>(port.frame);
        if p.is_ready() {
            return None;
        }

        end.answering.remove(&self.memory, caller);
        end.open_calls.sub(1);
        s.deadline.set(deadline);
        s.payer.set(s.home.get());
        p.waiters.push_front(&self.memory, server);
        s.set_doing(state::PORT, port.frame.0);
        Some(HandOver {
            context: self.switch_to(hart, caller, c),
            tag: tag & Tag::SIZES,
            words: words(&s.context, tag & Tag::SIZES),
            key: 0,
            identity: process.identity.get(),
            token: 0,
        })
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
