//! The fast path: a call, or an answer and a wait, that hands the processor straight to the thread it is for.
//!
//! It is taken when nothing that the slow path would look at can matter, and does then what the slow path would do, less
//! the queueing and the choosing. Its invariants:
//!
//! - Everything is checked before the first change; a refusal changes nothing and the slow path starts afresh.
//! - What a thread remembers of its handles, and an end of its port, is a hint. It is believed once the object's latch has been
//!   taken with the very word that was remembered: then the object lives, and no handle to it has left a table since
//!   (`latch.rs`). So one compare stands for the look-up, the rights, the holder and the generation.
//! - The registers of the thread that lets go have been saved before its state says so: what must survive, and what an end
//!   of its wait needs (tag, buffers, deadline). A waiting thread's program counter is at its call.
//! - At most two locks: the channel's, then the port's. The next address space is loaded before either is free.
//! - Message words stay in their registers; who has them last clears those past the message's length.
//! - The caller lends its budget, so the payer does not change and no time is settled.
//! - No timer is touched: a deadline is taken only if the thread's node is armed on this hart for no later.
//! - Floating-point state does not move here: a thread that has some is of no rank, and `Hart::floor` is above all ranks
//!   while one runs.
//!
//! What must never happen: a message that the slow path would have refused.

use crate::carry::{BYTES, HANDLE};
use crate::channel::End;
use crate::context::reg;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::latch::Seized;
use crate::objects::Port;
use crate::platform::Platform;
use crate::thread::Thread;
use nexus_abi::bounds::{REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{NEVER, Sysno, Tag, Ticks};

/// What the thread that runs next finds in its registers, beside the message's words in `a2` to `a7`; every other one that is
/// not its own is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// Address of its saved registers.
    pub context: usize,
    /// For `a1`.
    pub tag: u64,
    /// For `t1`.
    pub key: u64,
    /// For `t2`.
    pub identity: u64,
    /// For `t3`.
    pub token: u64,
}

/// What is to be done with a call that is not handed over at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Else {
    /// The slow path is to do it. Nothing happened.
    Slow,
    /// It may be more than registers: [`Kernel::carry_call`] must go on with it. Its channel is held.
    Carry,
}

/// The bytes of a message that has less than `limit`, which are register words, and nothing else that matters.
#[inline(always)]
pub(crate) fn bytes_below(limit: u64, tag: u64) -> Option<u64> {
    // The commonest case: nothing but a length.
    if tag < limit {
        return Some(tag);
    }
    let bytes = tag & Tag::SIZES;
    (bytes < limit && Tag(tag).has_plain_room()).then_some(bytes)
}

/// Whether a wait until `deadline` needs no timer that is not there already.
#[inline(always)]
pub(crate) fn is_timed(hart: &Hart, t: &Thread, deadline: Ticks) -> bool {
    deadline == NEVER || (t.timer.hart.get() == hart.id.get() + 1 && t.timer.at.get() <= deadline)
}

impl<P: Platform> Kernel<P> {
    /// Makes `next`, which no list has any more and whose address space is loaded, the current thread.
    #[inline(always)]
    fn switch_to(&self, hart: &Hart, next: &Thread) -> usize {
        next.state.set(hart.running_state.get());
        hart.thread.set(next);
        core::ptr::from_ref(next).addr()
    }

    /// `channel_call` of the hart's current thread, which has been saved as the module says.
    #[inline(always)]
    pub fn fast_call(&self, hart: &Hart, handle: u64, tag: u64) -> Result<HandOver, Else> {
        let c = hart.thread.get();
        if c.aimed.get() != handle || !is_timed(hart, c, c.deadline()) {
            return Err(Else::Slow);
        }
        let held = c.aim.seize().ok_or(Else::Slow)?;
        let end = c.aim.at();
        if bytes_below(end.limit.get(), tag).is_none() {
            held.put_aside();
            return Err(Else::Carry);
        }
        let port_held = end.port.seize().ok_or(Else::Slow)?;
        let port = end.port.at();
        let s = port.waiters.top().ok_or(Else::Slow)?;
        if s.rank.get() < hart.floor.get() {
            return Err(Else::Slow);
        }

        self.platform.switch_space(s.satp.get());
        let over = self.pass_call(hart, c, s, (end, &held), port, tag);
        held.release_both(port_held);
        Ok(over)
    }

    /// What a call changes: `c` waits at `end` for its answer, and `s`, which waited at `port` and whose address space is loaded, serves it.
    #[inline(always)]
    pub(crate) fn pass_call(
        &self,
        hart: &Hart,
        c: &Thread,
        s: &Thread,
        (end, held): (&End, &Seized<'_>),
        port: &Port,
        tag: u64,
    ) -> HandOver {
        port.waiters.take_top(s);
        let token = c.next_token();
        end.answering.push(c);
        c.state.set(end.open_state.get());
        s.serving.note_seized(held, end);
        s.payer.set(c.payer.get());
        HandOver {
            context: self.switch_to(hart, s),
            tag,
            key: end.binding.key.get(),
            identity: c.identity.get(),
            token,
        }
    }

    /// `reply_and_wait` with an answer, likewise.
    #[inline(always)]
    pub fn fast_reply(&self, hart: &Hart, handle: u64, tag: u64) -> Option<HandOver> {
        let bytes = bytes_below(REGISTER_BYTES as u64 + 1, tag)?;
        let s = hart.thread.get();
        if s.stood.get() != handle || !is_timed(hart, s, s.deadline()) {
            return None;
        }
        // Where the last call came in: the token is believed only if its caller is there.
        let held = s.serving.seize()?;
        let end = s.serving.at();
        let c = end.answering.top()?;
        if c.token.get() != s.context.get(reg::T[4]) || c.rank.get() < hart.floor.get() {
            return None;
        }
        let port_held = s.stand.seize()?;
        let port = s.stand.at();
        if port.is_ready() {
            return None;
        }

        self.platform.switch_space(c.satp.get());
        let over = self.pass_answer(hart, s, c, end, port, bytes);
        held.release_both(port_held);
        Some(over)
    }

    /// What an answer changes: `c`, whose address space is loaded, waits no more, and `s` waits at `port`.
    #[inline(always)]
    pub(crate) fn pass_answer(
        &self,
        hart: &Hart,
        s: &Thread,
        c: &Thread,
        end: &End,
        port: &Port,
        bytes: u64,
    ) -> HandOver {
        end.answering.take_top(c);
        port.waiters.push(s);
        s.state.set(s.stand_state.get());
        HandOver {
            context: self.switch_to(hart, c),
            tag: bytes,
            key: 0,
            identity: s.identity.get(),
            token: 0,
        }
    }

    /// A system call whose registers are all saved, by the fast path if it can be. False: nothing happened that counts.
    pub fn fast(&self, hart: &Hart) -> bool {
        let from = &hart.current().context;
        let [handle, tag] = [0, 1].map(|n| from.get(reg::A0 + n));
        // Once the channel is free the sender's registers are anybody's.
        let words = core::array::from_fn(|n| from.get(reg::A0 + 2 + n));
        let handed = match Sysno::from_raw(from.get(reg::T[0])) {
            Some(Sysno::channel_call) => match self.fast_call(hart, handle, tag) {
                Ok(over) => Some((over, words)),
                Err(Else::Carry) => match Tag(tag).handles() {
                    0 => self.carry_call::<BYTES>(hart, tag),
                    _ => self.carry_call::<HANDLE>(hart, tag),
                },
                Err(Else::Slow) => None,
            },
            Some(Sysno::reply_and_wait) => match self.fast_reply(hart, handle, tag) {
                Some(over) => Some((over, words)),
                None => match Tag(tag).handles() {
                    0 => self.carry_reply::<BYTES>(hart, handle, tag),
                    _ => self.carry_reply::<HANDLE>(hart, handle, tag),
                },
            },
            _ => None,
        };
        handed.map(|(over, words)| self.arrive(hart, words, over)).is_some()
    }

    /// What the trap code does with registers, in memory.
    fn arrive(&self, hart: &Hart, words: [u64; REGISTER_WORDS], over: HandOver) {
        let to = &hart.current().context;
        reg::T.into_iter().chain([reg::A0]).for_each(|n| to.set(n, 0));
        to.set(reg::PC, to.get(reg::PC).wrapping_add(4));
        to.set(reg::A0 + 1, over.tag);
        let bytes = Tag(over.tag).bytes();
        for (n, word) in words.into_iter().enumerate() {
            let within = bytes <= REGISTER_BYTES && n * 8 < bytes;
            to.set(reg::A0 + 2 + n, if within { word } else { 0 });
        }
        to.set(reg::T[1], over.key);
        to.set(reg::T[2], over.identity);
        to.set(reg::T[3], over.token);
    }

    /// After a refusal: looks again at the handle of the call, when it is another one than last time or its object changed, and
    /// tries once more. The registers are all saved.
    pub(crate) fn fast_again(&self, hart: &Hart, number: Sysno) -> bool {
        let t = hart.thread.get();
        let raw = t.context.get(reg::A0);
        match number {
            Sysno::channel_send => self.fast_send(hart),
            Sysno::channel_call => self.aim(hart, t, raw) && self.fast(hart),
            Sysno::reply_and_wait => self.stand(hart, t, raw) && self.fast(hart),
            _ => false,
        }
    }
}
