//! Where a long operation lets interrupts in.
//!
//! The kernel runs with interrupts off. What takes as long as a program chooses is done in bounded steps, and between two of them the hart *breathes*:
//! whatever waits for it is served, and the operation goes on. So whoever breathes holds no lock and has no thread in limbo, and what it goes on with is its own
//! (an object that is being made, or is retired), is kept by a count, or is looked at again. What must never happen: a loop without a
//! bound that does not breathe, or an interrupt served that breathes itself.

use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::platform::Platform;
use nexus_abi::NOW;

/// Small steps between two breaths: each is a few dozen instructions. Tests have small worlds, and breathe as often there.
const SMALL_STEPS: u32 = if cfg!(test) { 4 } else { 64 };

impl<P: Platform> Kernel<P> {
    /// Serves what waits for the hart, which is in the middle of a long operation.
    #[inline(always)]
    pub(crate) fn breathe(&self) {
        #[cfg(all(test, not(loom), not(miri)))]
        crate::tests::breaths::taken();
        if self.platform.interrupt_pending() {
            self.serve_between(self.this_hart());
        }
    }

    /// The same after every [`SMALL_STEPS`]th of small steps, of which this is number `n`.
    #[inline(always)]
    pub(crate) fn breathe_at(&self, n: u32) {
        if n % SMALL_STEPS == SMALL_STEPS - 1 {
            self.breathe();
        }
    }

    #[cold]
    fn serve_between(&self, hart: &Hart) {
        self.serve(hart);
        if hart.armed.get() == NOW {
            match hart.resched.get() {
                0 => self.program_timer(hart),
                // The slice may be over, which is seen to when the kernel is left: it does not interrupt again before. `armed` stays as
                // it is, so that the kernel is left the long way, which sets the timer for the slice too.
                _ => self.platform.set_timer(hart.heap.first().min(hart.refill_at.get())),
            }
        }
    }

    /// Serves what waits for this hart. No lock is held.
    pub fn serve(&self, hart: &Hart) {
        let waiting = self.platform.take_interrupts();
        if waiting.call {
            self.kicked(hart);
        }
        if waiting.timer {
            self.timer(hart);
        }
        if waiting.device {
            self.external(hart);
        }
    }
}
