//! A hart of the simulated machine from its first dispatch on: user programs, traps, and sleep, as `kernel/arch` has them.
//!
//! Each hart is a coroutine that others may overtake at any access to shared memory. What must never happen: work while a hart
//! sleeps that nobody calls. It is looked for whenever no hart is in the kernel, and everything is audited when all harts sleep.

use super::Storm;
use crate::context::reg;
use crate::hart::Hart;
use crate::sched::Next;
use crate::sync::Ordering;
use crate::syscall::LIGHT;
use crate::tests::harts::{alone, below, rest};
use nexus_abi::{NEVER, Sysno};

/// Where a hart is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Place {
    /// In a program.
    User,
    /// In the kernel.
    Kernel,
    /// It waits for an interrupt.
    Asleep,
}

impl Storm {
    /// What a hart does from power-on until the history is over.
    pub fn run(&self, id: usize) {
        let hart = self.world.kernel.hart(id);
        self.choose(hart);
        while !self.is_over() {
            self.enter(id, Place::User);
            self.look_for_lost_work();
            if below(3) == 0 {
                rest();
            }
            if self.is_over() {
                return;
            }
            self.time_passes();
            if self.is_interrupted(id) {
                self.enter(id, Place::Kernel);
                self.world.kernel.serve(hart);
                self.choose(hart);
            } else {
                self.instruction(hart);
            }
        }
    }

    pub fn enter(&self, id: usize, place: Place) {
        self.note(|notes| notes.places[id] = place);
    }

    /// Ticks pass, mostly few.
    fn time_passes(&self) {
        let ticks = match below(200) {
            0 => below(3 * self.world.kernel.slice),
            1..20 => below(2000),
            _ => below(60),
        };
        self.world.kernel.platform.clock.fetch_add(ticks, Ordering::Relaxed);
    }

    /// Whether an interrupt waits for a hart.
    fn is_interrupted(&self, id: usize) -> bool {
        let host = &self.world.kernel.platform;
        alone(|| {
            host.called[id].load(Ordering::Relaxed) != 0
                || host.timers.of(id) <= host.clock.load(Ordering::Relaxed)
                || host.controller.interrupts(id as u32)
        })
    }

    /// One step of the current program: an access to memory or a system call.
    fn instruction(&self, hart: &Hart) {
        let id = hart.id.get() as usize;
        let Some(number) = self.program(hart) else { return };
        self.enter(id, Place::Kernel);
        match number {
            Ok(number) => self.system_call(hart, number),
            Err(address) => {
                self.world.kernel.fault(hart, 15, address);
                self.choose(hart);
            }
        }
    }

    /// As the trap code does it.
    fn system_call(&self, hart: &Hart, number: Sysno) {
        let kernel = self.world.kernel;
        let t = hart.current();
        t.context.set(reg::T[0], number as u64);
        if LIGHT >> number as u64 & 1 == 1 {
            let arguments = core::array::from_fn(|n| t.context.get(reg::A0 + n));
            let outcome = kernel.light(hart, number as u64, arguments);
            kernel.finish(t, outcome.error, outcome.results);
        } else {
            let fast = matches!(number, Sysno::channel_call | Sysno::reply_and_wait) && kernel.fast(hart);
            if fast {
                self.note(|notes| notes.fast += 1);
                return;
            }
            kernel.syscall(hart);
        }
        if (hart.resched.get() != 0 || hart.thread.find().is_none()) && !kernel.switch_at_once(hart) {
            self.choose(hart);
        }
    }

    /// Runs the kernel until there is a thread to run.
    fn choose(&self, hart: &Hart) {
        let id = hart.id.get() as usize;
        self.enter(id, Place::Kernel);
        while self.world.kernel.dispatch(hart) == Next::Idle {
            self.sleep(id);
            if self.is_over() {
                return;
            }
            self.world.kernel.serve(hart);
        }
    }

    /// Waits for an interrupt. As on a real machine that can also end for no reason: firmware had something to do.
    fn sleep(&self, id: usize) {
        self.enter(id, Place::Asleep);
        while !self.is_interrupted(id) && !self.is_over() {
            self.look_for_lost_work();
            if below(60) == 0 {
                break;
            }
            if self.everybody_sleeps() {
                alone(|| self.quiet());
            }
            rest();
        }
        self.enter(id, Place::Kernel);
    }

    /// Whether no hart has anything to do until time passes.
    fn everybody_sleeps(&self) -> bool {
        let asleep = self.note(|notes| notes.places[..self.world.harts].iter().all(|p| *p == Place::Asleep));
        asleep && (0..self.world.harts).all(|id| !self.is_interrupted(id))
    }

    /// All harts sleep: nothing may be half done, and the next thing that happens is a deadline.
    fn quiet(&self) {
        self.audit();
        let host = &self.world.kernel.platform;
        let next = (0..self.world.harts).map(|id| host.timers.of(id)).min().unwrap_or(NEVER);
        self.note(|notes| notes.quiet += 1);
        if self.is_empty() {
            return self.end();
        }
        assert_ne!(next, NEVER, "everybody sleeps for ever");
        host.clock.store(next + below(300), Ordering::Relaxed);
    }

    /// While no hart is in the kernel and none has been called, a hart that sleeps has nothing to do.
    fn look_for_lost_work(&self) {
        let (kernel, count) = (self.world.kernel, self.world.harts);
        let places = self.note(|notes| notes.places);
        let asleep = places[..count].iter().position(|place| *place == Place::Asleep);
        let (Some(asleep), false) = (asleep, places[..count].contains(&Place::Kernel)) else { return };
        alone(|| {
            if (0..count).any(|id| places[id] == Place::Asleep && self.is_interrupted(id)) {
                return;
            }
            let ready = (0..count).find(|id| kernel.hart(*id).best.get() != 0);
            assert!(
                ready.is_none(),
                "hart {asleep} sleeps while a thread is ready on hart {ready:?}: {places:?}, idle {:b}",
                kernel.idle.get()
            );
        });
    }
}
