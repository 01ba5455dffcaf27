//! The simulated machine: user memory is reached through the same page tables that a real one would walk.

use super::controller::{Controller, IRQ_SOURCES};
use super::harts;
use crate::kernel::Kernel;
use crate::memory::{Frame, KernelBytes};
use crate::paging;
use crate::platform::{HartMask, Platform};
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::ops::Range;
use nexus_abi::Ticks;
use nexus_abi::bounds::{MAX_HARTS, PAGE_SIZE};
use std::sync::OnceLock;

/// Physical addresses below this are devices' (the simulated RAM begins there).
pub const DEVICES_END: u64 = 0x4000_0000;

/// Leaf bits of a translation.
const READ: u64 = 2;
const WRITE: u64 = 4;

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
    /// The kernel that runs on it, for user copies.
    pub kernel: OnceLock<&'static Kernel<Host>>,
}

impl Host {
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
        let Some(root) = kernel.memory.frame_at((satp & ((1 << 44) - 1)) << 12) else { return false };
        let mut done = 0;
        while done < bytes.len() {
            let at = user + done as u64;
            let run = (PAGE_SIZE - at as usize % PAGE_SIZE).min(bytes.len() - done);
            let Some((physical, bits)) = paging::translate(&kernel.memory, root, at) else { return false };
            let Some(frame) = kernel.memory.frame_at(physical).filter(|_| bits & need == need) else {
                return false;
            };
            copy(frame, at as usize % PAGE_SIZE, done, run);
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
        self.satp[self.hart()].store(satp, Ordering::Relaxed);
    }

    fn leave_space(&self) {
        self.satp[self.hart()].store(0, Ordering::Relaxed);
    }

    fn satp(&self, root: u64, asid: u32) -> u64 {
        root >> 12 | (asid as u64) << 44
    }

    fn now(&self) -> Ticks {
        self.clock.load(Ordering::Relaxed)
    }

    fn set_timer(&self, _at: Ticks) {}

    fn kick(&self, hart: u32) {
        assert!(
            self.kernel.get().is_some_and(|kernel| kernel.online() & 1 << hart != 0),
            "hart {hart} is not there"
        );
        self.called[hart as usize].store(1, Ordering::Release);
    }

    fn interrupt_pending(&self) -> bool {
        self.called[self.hart()].load(Ordering::Relaxed) != 0
    }

    fn fence(&self, _harts: HartMask, _asid: u16, _start: u64, _pages: u64) {}

    fn copy_from_user(&self, to: KernelBytes<'_>, from: u64) -> bool {
        let Some(kernel) = self.kernel.get() else { return false };
        self.copy(from, to, READ, |frame, at, done, run| {
            kernel.memory.fill(to.part(done, run), kernel.memory.bytes(frame, at, run));
        })
    }

    fn copy_to_user(&self, to: u64, from: KernelBytes<'_>) -> bool {
        let Some(kernel) = self.kernel.get() else { return false };
        self.copy(to, from, READ | WRITE, |frame, at, done, run| {
            kernel.memory.fill(kernel.memory.bytes(frame, at, run), from.part(done, run));
        })
    }

    fn sync_code(&self) {}

    fn is_device(&self, range: Range<u64>) -> bool {
        range.end <= DEVICES_END
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
