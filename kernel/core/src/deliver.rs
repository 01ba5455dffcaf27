//! Giving something straight to a thread that waits for it, while the one that gives goes on: a message that fits registers, a
//! signal. As in `fast.rs` everything is checked before the first change, and a refusal changes nothing.
//!
//! What must never happen: something told to a thread that would have had to be told something else before.

use crate::context::reg;
use crate::fast::bytes_below;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::platform::Platform;
use crate::thread::{Thread, resume, state};
use nexus_abi::Signals;

impl<P: Platform> Kernel<P> {
    /// `channel_send` to a thread that waits where the message goes: it is delivered at once, and the sender goes on unless the
    /// other is of higher priority. The registers are all saved. False: nothing happened.
    pub(crate) fn fast_send(&self, hart: &Hart) -> bool {
        let t = hart.current();
        let raw = t.context.get(reg::A0);
        let known = t.aimed.get() == raw || self.aim(hart, t, raw);
        known
            && self.hand_in(hart, t).is_some_and(|w| {
                self.finish(t, 0, [0, 0]);
                self.wake_beside(hart, Some(t), w);
                true
            })
    }

    /// Gives the message of `t` to the thread that waits for it, which is then on no list and has completed its wait.
    fn hand_in<'a>(&self, hart: &Hart, t: &'a Thread) -> Option<&'a Thread> {
        let held = t.aim.seize()?;
        let end = t.aim.at();
        let bytes = bytes_below(end.limit.get(), t.context.get(reg::A0 + 1))?;
        // An end without a queue takes calls alone, and nobody overtakes who waits for room.
        if end.queued.get() >= end.depth.get() || !end.senders.is_empty() {
            return None;
        }
        let port_held = end.port.seize()?;
        let port = end.port.at();
        if port.is_ready() {
            return None;
        }
        let w = port.waiters.top()?;

        port.waiters.take_top(w);
        w.pay_oneself();
        self.finish(w, 0, [bytes, 0]);
        for n in 0..(bytes as usize).div_ceil(8) {
            w.context.set(reg::A0 + 2 + n, t.context.get(reg::A0 + 2 + n));
        }
        w.context.set(reg::T[1], end.binding.key.get());
        w.context.set(reg::T[2], t.identity.get());
        hart.slow.add(1);
        // Off its list and not ready yet: whoever would end its wait leaves it to this hart.
        w.set_doing(state::LIMBO, 0);
        held.release_both(port_held);
        Some(w)
    }

    /// `port_signal` through the handle that was used last: a thread that waits is told at once, else the bits stay. False: nothing
    /// happened.
    #[inline(always)]
    pub(crate) fn fast_signal(&self, hart: &Hart, raw: u64, bits: u64) -> bool {
        let t = hart.current();
        if t.poked.get() != raw || bits == 0 || bits & !(Signals::USER.bits() as u64) != 0 {
            return false;
        }
        let Some(held) = t.poke.seize() else { return false };
        let port = t.poke.at();
        let Some(w) = port.waiters.top() else {
            port.raise(bits as u32);
            return true;
        };
        // While something is ready, another thread has been woken for it and the rest is for who comes after.
        if port.is_ready() {
            return false;
        }
        port.waiters.take_top(w);
        w.pay_oneself();
        // It tells itself when it runs, which mostly is at once.
        w.port.set(bits);
        w.resume.set(resume::EVENT);
        w.set_doing(state::LIMBO, 0);
        drop(held);
        self.wake_beside(hart, Some(t), w);
        true
    }
}
