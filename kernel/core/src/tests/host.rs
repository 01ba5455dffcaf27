//! The simulated machine: user memory is reached through the same page tables that a real one would walk.

use super::controller::{Controller, IRQ_SOURCES};
use super::harts;
use crate::kernel::Kernel;
use crate::memory::{Frame, KernelBytes, Memory};
use crate::platform::{HartMask, Platform, Waiting};
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::ops::Range;
use nexus_abi::Ticks;
use nexus_abi::bounds::{DEVICE_START, MAX_HARTS, PAGE_SIZE};
use std::sync::OnceLock;

/// Physical addresses below this are devices' (the simulated RAM begins there).
pub const DEVICES_END: u64 = 0x4000_0000;

/// The registers of the console.
pub const CONSOLE: Range<u64> = 0x5000_0000..0x5000_1000;

/// Leaf bits of a translation.
const READ: u64 = 2;
const WRITE: u64 = 4;

/// What a machine, or the kernel's use of it, could do wrong: so that tests see that it would be noticed.
#[cfg_attr(any(loom, miri), expect(dead_code, reason = "histories alone run on such machines"))]
#[derive(Default, Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// A fence does not reach this hart.
    FenceLeftOut(usize),
    /// A fence takes effect when the next one is asked for.
    FenceLate,
    /// No hart is called.
    NobodyCalled,
    /// A timer that is set while another setting stands keeps that.
    TimerKept,
}

/// When each hart's timer interrupts. Plain atomics: only their own hart uses them.
pub struct Timers([core::sync::atomic::AtomicU64; MAX_HARTS]);

impl Default for Timers {
    fn default() -> Self {
        Timers(core::array::from_fn(|_| core::sync::atomic::AtomicU64::new(nexus_abi::NEVER)))
    }
}

impl Timers {
    /// When this hart's timer interrupts.
    pub fn of(&self, hart: usize) -> Ticks {
        self.0[hart].load(Ordering::Relaxed)
    }

    fn set(&self, hart: usize, at: Ticks) {
        self.0[hart].store(at, Ordering::Relaxed);
    }
}

/// The machine.
#[derive(Default)]
pub struct Host {
    /// What its clock shows.
    pub clock: AtomicU64,
    /// The hart that calls, where a test does not interleave harts.
    pub at: AtomicUsize,
    /// Harts that were called and have not looked yet.
    pub called: [AtomicU32; MAX_HARTS],
    /// Its interrupt controller.
    pub controller: Controller,
    /// The address space that each hart has loaded, as a `satp` value.
    pub satp: [AtomicU64; MAX_HARTS],
    /// What each hart's timer is armed for.
    pub timers: Timers,
    /// What this machine does wrong.
    pub fault: Fault,
    /// The fence that was asked for last, while fences are late.
    late: std::sync::Mutex<Option<(HartMask, u16, u64, u64)>>,
    /// The kernel that runs on it, for user copies.
    pub kernel: OnceLock<&'static Kernel<Host>>,
}

/// Buffers of translations, where harts are coroutines; elsewhere page tables are walked each time.
#[cfg(all(not(loom), not(miri)))]
mod translations {
    pub use crate::tests::harts::alone;
    pub use crate::tests::tlb::{fence_all, given, loaded, translate};
}
#[cfg(any(loom, miri))]
mod translations {
    use super::{Frame, Memory};
    use crate::paging;

    pub fn alone<T>(act: impl FnOnce() -> T) -> T {
        act()
    }

    pub fn translate(memory: &Memory, _hart: usize, satp: u64, address: u64) -> Option<(u64, u64)> {
        let root: Frame = memory.frame_at((satp & ((1 << 44) - 1)) << 12)?;
        paging::translate(memory, root, address)
    }

    pub fn loaded(_: &Memory, _: usize, _: u64) {}
    pub fn fence_all(_: u32, _: u16, _: u64, _: u64) {}
    pub fn given(_: u32) {}
}

/// Copies bytes; where models are explored, as words that Loom keeps if they are such.
fn fill(memory: &Memory, to: KernelBytes<'_>, from: KernelBytes<'_>) {
    #[cfg(loom)]
    if super::loom::copied_as_words(memory, to, from) {
        return;
    }
    memory.fill(to, from);
}

impl Host {
    /// A machine with this fault.
    #[cfg(all(not(loom), not(miri)))]
    pub fn with_fault(fault: Fault) -> Host {
        Host { fault, ..Host::default() }
    }

    fn load(&self, satp: u64) {
        translations::alone(|| {
            self.satp[self.hart()].store(satp, Ordering::Relaxed);
            if let Some(kernel) = self.kernel.get() {
                translations::loaded(&kernel.memory, self.hart(), satp);
            }
        });
    }

    /// Copies page by page between kernel bytes and user memory that allows `need`.
    fn copy(
        &self,
        user: u64,
        bytes: KernelBytes<'_>,
        need: u64,
        copy: impl Fn(Frame, usize, usize, usize),
    ) -> bool {
        let Some(kernel) = self.kernel.get() else { return false };
        let satp = self.satp[self.hart()].load(Ordering::Relaxed);
        let mut done = 0;
        while done < bytes.len() {
            let at = user + done as u64;
            let run = (PAGE_SIZE - at as usize % PAGE_SIZE).min(bytes.len() - done);
            // An instruction of the hart: a fence waits for it.
            let copied = translations::alone(|| {
                let (physical, bits) = translations::translate(&kernel.memory, self.hart(), satp, at)?;
                let frame = kernel.memory.frame_at(physical).filter(|_| bits & need == need)?;
                copy(frame, at as usize % PAGE_SIZE, done, run);
                Some(())
            });
            if copied.is_none() {
                return false;
            }
            done += run;
        }
        true
    }
}

impl Platform for Host {
    fn hart(&self) -> usize {
        harts::current().unwrap_or_else(|| self.at.load(Ordering::Relaxed))
    }

    fn switch_space(&self, satp: u64) {
        self.load(satp);
    }

    fn leave_space(&self) {
        self.load(0);
    }

    fn satp(&self, root: u64, asid: u32) -> u64 {
        translations::given(asid);
        root >> 12 | (asid as u64) << 44
    }

    fn now(&self) -> Ticks {
        self.clock.load(Ordering::Relaxed)
    }

    fn set_timer(&self, at: Ticks) {
        if self.fault != Fault::TimerKept || self.timers.of(self.hart()) == nexus_abi::NEVER {
            self.timers.set(self.hart(), at);
        }
    }

    fn kick(&self, hart: u32) {
        assert!(
            self.kernel.get().is_some_and(|kernel| kernel.online() & 1 << hart != 0),
            "hart {hart} is not there"
        );
        if self.fault != Fault::NobodyCalled {
            self.called[hart as usize].store(1, Ordering::Release);
        }
    }

    fn interrupt_pending(&self) -> bool {
        let hart = self.hart();
        self.called[hart].load(Ordering::Relaxed) != 0
            || self.timers.of(hart) <= self.now()
            || self.controller.interrupts(hart as u32)
    }

    fn take_interrupts(&self) -> Waiting {
        let hart = self.hart();
        Waiting {
            call: self.called[hart].swap(0, Ordering::AcqRel) != 0,
            timer: self.timers.of(hart) <= self.now(),
            device: self.controller.interrupts(hart as u32),
        }
    }

    fn fence(&self, harts: HartMask, asid: u16, start: u64, pages: u64) {
        let asked = (harts, asid, start, pages);
        let (harts, asid, start, pages) = match self.fault {
            Fault::FenceLeftOut(hart) => (harts & !(1 << hart), asid, start, pages),
            Fault::FenceLate => self.late.lock().expect("lock").replace(asked).unwrap_or_default(),
            _ => asked,
        };
        // One hart after the other, and others go on between.
        for hart in (0..MAX_HARTS).filter(|hart| harts & 1 << hart != 0) {
            self.called[hart].load(Ordering::Relaxed);
            translations::fence_all(1 << hart, asid, start, pages);
        }
    }

    fn copy_from_user(&self, to: KernelBytes<'_>, from: u64) -> bool {
        let Some(kernel) = self.kernel.get() else { return false };
        self.copy(from, to, READ, |frame, at, done, run| {
            fill(&kernel.memory, to.part(done, run), kernel.memory.bytes(frame, at, run));
        })
    }

    fn copy_to_user(&self, to: u64, from: KernelBytes<'_>) -> bool {
        let Some(kernel) = self.kernel.get() else { return false };
        self.copy(to, from, READ | WRITE, |frame, at, done, run| {
            fill(&kernel.memory, kernel.memory.bytes(frame, at, run), from.part(done, run));
        })
    }

    fn word_from_user(&self, from: u64) -> Option<u32> {
        assert!(from.is_multiple_of(4) && from < DEVICE_START, "{from:#x} was not looked at");
        let mut word = [0; 4];
        let read = self.copy_from_user(KernelBytes::from_mut(&mut word), from);
        read.then_some(u32::from_le_bytes(word))
    }

    fn word_to_user(&self, to: u64, word: u32) -> bool {
        assert!(to.is_multiple_of(4) && to < DEVICE_START, "{to:#x} was not looked at");
        self.copy_to_user(to, KernelBytes::from_ref(&word.to_le_bytes()))
    }

    fn sync_code(&self) {}

    fn is_device(&self, range: Range<u64>) -> bool {
        range.end <= DEVICES_END
    }

    fn console_range(&self) -> Range<u64> {
        CONSOLE
    }

    fn irq_sources(&self) -> u32 {
        IRQ_SOURCES
    }

    fn irq_claim(&self) -> u32 {
        self.controller.claim(self.hart() as u32)
    }

    fn irq_complete(&self, source: u32) {
        self.controller.complete(self.hart() as u32, source);
    }

    fn irq_enable(&self, source: u32, on: bool) {
        self.controller.set_priority(source, on);
    }

    fn irq_route(&self, source: u32, from: Option<u32>, to: u32) {
        self.controller.route(source, from, to);
    }

    fn console(&self, _bytes: &[u8]) {}

    fn reset(&self, code: u64) -> ! {
        panic!("reset {code}")
    }
}
