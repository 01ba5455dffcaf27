//! The dispatch table: from the registers of an `ecall` to the operation, and its answer back into registers.
//!
//! A light system call takes its arguments from registers and answers into registers; a heavy one works on the
//! registers that the trap code saved. A system call that blocks is one that is not complete: its registers stay as
//! they are, the program counter still at the `ecall`, until whoever ends the wait completes it. What must never
//! happen: a register that carries anything but the result across the boundary.

use crate::context::reg;
use crate::handles::{Capability, named};
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::platform::Platform;
use nexus_abi::{Error, Handle, Kind, Rights, Sysno};

/// What a system call answers: 0 or an error number, and two results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// For `a0`.
    pub error: u64,
    /// For `a1` and `a2`.
    pub results: [u64; 2],
}

/// Whether a system call is light: complete when it returns, with one result at most, and in need of no register but its arguments. Bit `n`
/// stands for number `n`. The others find the thread's registers saved, because they carry messages, let go of the thread, or
/// reach user memory: a copy that faults is a trap from the kernel, after which the program counter is only in what was saved.
pub const LIGHT: u64 = {
    use Sysno as S;
    let heavy = [
        S::channel_send,
        S::channel_recv,
        S::channel_call,
        S::channel_reply,
        S::reply_and_wait,
        S::thread_exit,
        S::quota_destroy,
        S::machine_reset,
        S::object_info,
        S::console_write,
        S::channel_create,
    ];
    let mut mask = (1 << S::TABLE.len()) - 1;
    let mut n = 0;
    while n < heavy.len() {
        mask &= !(1 << heavy[n] as u64);
        n += 1;
    }
    mask
};

impl<P: Platform> Kernel<P> {
    /// A light system call of the hart's current thread, whose saved registers are stale. Afterwards the thread goes on,
    /// unless [`Hart::resched`] is set: then it is complete all the same, and [`Self::dispatch`] is due.
    #[inline(always)]
    pub fn light(&self, hart: &Hart, number: u64, a: [u64; 6]) -> Outcome {
        // Asked for where it is needed: a call without arguments pays for nothing.
        let process = || hart.owner();
        let h = |n: usize| named(a[n]);
        let answer: Answer<[u64; 2]> = match Sysno::from_raw(number) {
            Some(Sysno::null) => Ok([0, 0]),
            Some(Sysno::handle_close) => self.handle_close(hart, h(0)).map(none),
            Some(Sysno::handle_dup) => self.handle_dup(hart, h(0), a[1]).map(one),
            Some(Sysno::object_info) => {
                self.object_info(hart, [a[0], a[1], a[2], a[3], a[4]]).map(|n| [n, 0])
            }
            Some(Sysno::channel_create) => {
                self.channel_create(process(), h(0), [a[1], a[2]]).map(|[x, y]| [x.0 as u64, y.0 as u64])
            }
            Some(Sysno::port_create) => self.port_create(process(), h(0)).map(one),
            Some(Sysno::port_bind) => self.port_bind(hart, h(0), h(1), a[2], a[3]).map(none),
            Some(Sysno::port_signal) if self.fast_signal(hart, a[0], a[1]) => Ok([0, 0]),
            Some(Sysno::port_signal) => self.port_signal(hart, a[0], a[1]).map(none),
            Some(Sysno::vmo_create) => self.vmo_create(process(), h(0), a[1]).map(one),
            Some(Sysno::vmo_seal) => self.vmo_seal(process(), h(0)).map(none),
            Some(Sysno::vm_map) => self.vm_map(hart, a[0], a[1], [a[2], a[3], a[4]], a[5]).map(|at| [at, 0]),
            Some(Sysno::vm_unmap) => self.vm_unmap(hart, h(0), a[1]).map(none),
            Some(Sysno::process_create) => self.process_create(hart, [a[0], a[1], a[2], a[3], a[4]]).map(one),
            Some(Sysno::thread_create) => self.thread_create(hart, h(0), h(1), a[2]).map(one),
            Some(Sysno::thread_start) => self.thread_start(hart, h(0), [a[1], a[2], a[3]], h(4)).map(none),
            Some(Sysno::process_kill) => self.process_kill(hart, h(0)).map(none),
            Some(Sysno::thread_yield) => {
                self.thread_yield(hart);
                Ok([0, 0])
            }
            Some(Sysno::timer_create) => self.timer_create(process(), h(0)).map(one),
            Some(Sysno::timer_set) => self.timer_set(hart, h(0), a[1]).map(none),
            Some(Sysno::quota_create) => self.quota_create(process(), h(0), a[1], a[2]).map(one),
            Some(Sysno::identity_create) => self.identity_create(process(), [a[0], a[1], a[2]]).map(one),
            Some(Sysno::mmio_create) => self.mmio_create(process(), [a[0], a[1], a[2], a[3]]).map(one),
            Some(Sysno::irq_create) => self.irq_create(process(), [a[0], a[1], a[2]]).map(one),
            Some(Sysno::irq_ack) => self.irq_ack(hart, h(0)).map(none),
            Some(Sysno::pool_create) => self.pool_create(process(), [a[0], a[1], a[2]]).map(one),
            Some(Sysno::pool_take) => self.pool_take(process(), h(0), a[1]).map(one),
            Some(Sysno::console_write) => self.console_write(hart, [a[0], a[1], a[2]]).map(none),
            _ => Err(Error::BadSyscall),
        };
        match answer {
            Ok(results) => Outcome { error: 0, results },
            Err(error) => Outcome { error: error as u64, results: [0, 0] },
        }
    }

    /// A system call of the hart's current thread, whose registers are saved. What the fast path refused it may take when it has
    /// looked at the handle again.
    pub fn syscall(&self, hart: &Hart) {
        let number = hart.thread.get().context.get(reg::T[0]);
        match Sysno::from_raw(number) {
            Some(number) if self.fast_again(hart, number) => {}
            _ => self.slow(hart),
        }
    }

    /// The same by the slow path.
    pub fn slow(&self, hart: &Hart) {
        let thread = hart.running();
        let t = self.thread(thread);
        let a = |n: usize| t.context.get(reg::A0 + n);
        let raw = t.context.get(reg::T[0]);
        let answer: Answer<[u64; 2]> = match Sysno::from_raw(raw) {
            Some(number @ (Sysno::channel_send | Sysno::channel_call)) => {
                match self.channel_send(hart, thread, number == Sysno::channel_call) {
                    Ok(false) => return,
                    Ok(true) => Ok([0, 0]),
                    Err(error) => Err(error),
                }
            }
            Some(Sysno::channel_recv) => {
                if let Err(refusal) = self.channel_recv(hart, thread) {
                    self.refuse(thread, refusal);
                }
                return;
            }
            Some(Sysno::channel_reply) => self.channel_reply(hart, thread).map(none),
            Some(Sysno::reply_and_wait) => match self.reply_first(hart, thread) {
                Ok(()) => return self.wait(hart, thread),
                Err(error) => Err(error),
            },
            Some(Sysno::thread_exit) => return self.thread_exit(hart, a(0), a(1)),
            Some(Sysno::quota_destroy) => match self.quota_destroy(hart, a(0)) {
                Ok(false) => return,
                Ok(true) => Ok([0, 0]),
                Err(error) => Err(error),
            },
            Some(Sysno::machine_reset) => self.machine_reset(hart, a(0), a(1)).map(none),
            _ => {
                let outcome = self.light(hart, raw, core::array::from_fn(a));
                return self.finish(t, outcome.error, outcome.results);
            }
        };
        match answer {
            Ok(results) => self.finish(t, 0, results),
            Err(error) => self.finish(t, error as u64, [0, 0]),
        }
    }

    /// The answer in `reply_and_wait`. The port is looked at first: a server must not wait for nothing after it answered.
    fn reply_first(&self, hart: &Hart, thread: crate::memory::Frame) -> Answer<()> {
        let context = &self.thread(thread).context;
        let port = context.get(reg::A0);
        self.table(hart.owner()).lookup_as(&self.memory, port, Kind::Port, Rights::WAIT)?;
        match context.get(reg::T[4]) {
            0 => Ok(()),
            _ => self.channel_reply(hart, thread),
        }
    }

    fn handle_close(&self, hart: &Hart, handle: Handle) -> Answer<()> {
        let capability = self.table(hart.owner()).remove(&self.memory, handle)?;
        self.drop_capability(capability);
        Ok(())
    }

    fn handle_dup(&self, hart: &Hart, handle: Handle, rights: u64) -> Answer<Handle> {
        let table = self.table(hart.owner());
        let capability = table.lookup(&self.memory, handle)?;
        let rights = u32::try_from(rights).ok().and_then(Rights::from_bits).ok_or(Error::Invalid)?;
        if capability.kind == Kind::Channel {
            return Err(Error::WrongType);
        }
        if !capability.rights.contains(rights | Rights::DUPLICATE) {
            return Err(Error::AccessDenied);
        }
        let copy = Capability { rights, ..capability };
        let place = table.reserve(&self.memory)?;
        if let Err(error) = self.keep(copy) {
            table.release(&self.memory, place);
            return Err(error);
        }
        table.fill(&self.memory, place, copy);
        Ok(place)
    }

    /// `Ok(false)`: not done yet, the same call is to be made again after interrupts have been served.
    fn quota_destroy(&self, hart: &Hart, quota: u64) -> Answer<bool> {
        let object =
            self.table(hart.owner()).lookup_as(&self.memory, quota, Kind::Quota, Rights::MANAGE)?.object;
        let mut at = object;
        loop {
            match self.quota_destroy_step(object, &mut at) {
                Ok(true) => {
                    self.clear_graves(hart);
                    return Ok(true);
                }
                Ok(false) => self.clear_graves(hart),
                Err(Error::Busy) => {
                    self.thread_yield(hart);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
            // Whatever was served between the steps may have somebody else run first.
            if self.platform.interrupt_pending() || hart.resched.get() != 0 {
                return Ok(false);
            }
        }
    }
}

fn none((): ()) -> [u64; 2] {
    [0, 0]
}

fn one(handle: Handle) -> [u64; 2] {
    [handle.0 as u64, 0]
}
