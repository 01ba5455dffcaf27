//! The machine as core sees it, and the one kernel.

use crate::cell::Once;
use crate::tree::MAX_BARRED;
use crate::{console, copy, cpu, hart, paging, plic, power, sbi, timer};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use neuron_core::Kernel;
use neuron_core::memory::KernelBytes;
use neuron_core::platform::{HartMask, Platform, Waiting};
use nexus_abi::Ticks;
use nexus_abi::bounds::{MAX_HARTS, PAGE_SIZE};

/// More pages than this are fenced as the whole address space.
const MAX_FENCED_PAGES: u64 = 64;

/// The kernel. Set by the boot hart before any other hart starts.
pub static KERNEL: Once<Kernel<Riscv>> = Once::new();

/// The kernel, for code that only runs once there is one: trap handlers and what they call.
#[inline(always)]
pub fn kernel() -> &'static Kernel<Riscv> {
    // SAFETY: user mode and the other harts are entered after `set`, and starting a hart orders memory.
    unsafe { KERNEL.get_unchecked() }
}

/// What the trait needs to know of the machine.
pub struct Riscv {
    hart_ids: [u64; MAX_HARTS],
    barred: [Range<u64>; MAX_BARRED],
    console: Range<u64>,
}

impl Riscv {
    /// The kernel's hart `n` is the machine's `ids[n]`; no program gets a window of what is `barred`, but of the
    /// `console` whoever may take it over.
    pub fn new(ids: &[u64], barred: &[Range<u64>], console: Range<u64>) -> Riscv {
        let mut riscv = Riscv { hart_ids: [0; MAX_HARTS], barred: [const { 0..0 }; MAX_BARRED], console };
        riscv.hart_ids[..ids.len()].copy_from_slice(ids);
        riscv.barred[..barred.len()].clone_from_slice(barred);
        riscv
    }

    /// Calls firmware for a set of harts, in as few groups as their ids allow.
    fn for_groups(&self, mut harts: HartMask, call: impl Fn(sbi::Harts) -> Result<usize, isize>) {
        while harts != 0 {
            let members = |mask: HartMask| (0..MAX_HARTS).filter(move |n| mask & 1 << n != 0);
            let base = members(harts).map(|n| self.hart_ids[n]).min().unwrap_or(0);
            let mut group = sbi::Harts { base, bits: 0 };
            for n in members(harts).filter(|n| self.hart_ids[*n] - base < u64::BITS as u64) {
                group.bits |= 1 << (self.hart_ids[n] - base);
                harts &= !(1 << n);
            }
            if let Err(error) = call(group) {
                // A fence or a wake-up that did not happen cannot be lived with.
                panic!("firmware refused harts {:#x} from {base}: {error}", group.bits);
            }
        }
    }

    fn own_bit(&self) -> HartMask {
        1 << self.hart()
    }
}

impl Platform for Riscv {
    fn hart(&self) -> usize {
        hart::local().id.load(Relaxed)
    }

    fn now(&self) -> Ticks {
        cpu::time()
    }

    fn set_timer(&self, at: Ticks) {
        timer::set(at);
    }

    fn kick(&self, hart: u32) {
        self.for_groups(1 << hart, sbi::send_ipi);
    }

    fn interrupt_pending(&self) -> bool {
        cpu::pending() != 0
    }

    fn take_interrupts(&self) -> Waiting {
        let pending = cpu::pending();
        if pending & cpu::SOFTWARE != 0 {
            cpu::clear_software();
        }
        Waiting {
            call: pending & cpu::SOFTWARE != 0,
            timer: pending & cpu::TIMER != 0,
            device: pending & cpu::EXTERNAL != 0,
        }
    }

    #[inline(always)]
    fn switch_space(&self, satp: u64) {
        // SAFETY: core makes every root from the kernel's own upper half.
        unsafe { cpu::set_satp(satp) };
    }

    fn leave_space(&self) {
        // SAFETY: it is the kernel's own.
        unsafe { cpu::set_satp(paging::kernel_satp()) };
    }

    fn satp(&self, root: u64, asid: u32) -> u64 {
        paging::satp(root, asid)
    }

    fn fence(&self, harts: HartMask, asid: u16, start: u64, pages: u64) {
        let whole = pages == 0 || pages > MAX_FENCED_PAGES;
        let own = self.own_bit();
        if harts & own != 0 {
            match whole {
                true => cpu::fence_asid(asid),
                false => (0..pages).for_each(|n| cpu::fence_page(asid, start + n * PAGE_SIZE as u64)),
            }
        }
        let (start, bytes) = if whole { (0, u64::MAX) } else { (start, pages * PAGE_SIZE as u64) };
        cpu::fence();
        self.for_groups(harts & !own, |group| sbi::remote_fence_asid(group, start, bytes, asid));
    }

    fn copy_from_user(&self, to: KernelBytes<'_>, from: u64) -> bool {
        copy::from_user(to, from)
    }

    fn copy_to_user(&self, to: u64, from: KernelBytes<'_>) -> bool {
        copy::to_user(to, from)
    }

    #[inline(always)]
    fn word_from_user(&self, from: u64) -> Option<u32> {
        copy::word_from_user(from)
    }

    #[inline(always)]
    fn word_to_user(&self, to: u64, word: u32) -> bool {
        copy::word_to_user(to, word)
    }

    fn sync_code(&self) {
        cpu::fence();
        cpu::fence_code();
        self.for_groups(kernel().online() & !self.own_bit(), sbi::remote_fence_code);
    }

    fn is_device(&self, range: Range<u64>) -> bool {
        // The kernel's devices stand in whole pages, as windows do.
        let page = PAGE_SIZE as u64;
        let overlaps = |r: &Range<u64>| {
            r.start / page * page < range.end && range.start < r.end.saturating_add(page - 1) / page * page
        };
        !self.barred.iter().any(|r| !r.is_empty() && overlaps(r))
    }

    fn console_range(&self) -> Range<u64> {
        self.console.clone()
    }

    fn irq_sources(&self) -> u32 {
        plic::sources()
    }

    fn irq_claim(&self) -> u32 {
        plic::claim(self.hart())
    }

    fn irq_complete(&self, source: u32) {
        plic::complete(self.hart(), source);
    }

    fn irq_enable(&self, source: u32, on: bool) {
        plic::set_priority(source, on);
    }

    fn irq_route(&self, source: u32, from: Option<u32>, to: u32) {
        plic::route(source, from, to);
    }

    fn console(&self, bytes: &[u8]) {
        console::write(bytes);
    }

    fn reset(&self, code: u64) -> ! {
        power::reset(code)
    }
}
