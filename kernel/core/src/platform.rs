//! What the machine does for the portable kernel, and nothing more: everything with an instruction that Rust
//! has no word for stands behind this trait, so that the same kernel runs under host tests.
//!
//! No method may block, allocate or call back into the kernel.

use crate::memory::KernelBytes;
use core::ops::Range;
use nexus_abi::Ticks;

/// A set of harts, one bit each, by the kernel's own hart number (0 to 7).
pub type HartMask = u32;

/// What waits for a hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Another hart has called ([`Platform::kick`]).
    pub call: bool,
    /// The time has come that the timer was set for. It waits until the timer is set again.
    pub timer: bool,
    /// The interrupt controller has something. It waits until all of that is claimed.
    pub device: bool,
}

/// The machine under the kernel.
pub trait Platform: Sync {
    /// The calling hart's number, as the kernel counts harts.
    fn hart(&self) -> usize;

    /// Loads an address space: the `satp` value of one that core made.
    fn switch_space(&self, satp: u64);

    /// Loads the kernel's own address space.
    fn leave_space(&self);

    /// The `satp` value of a root page table.
    fn satp(&self, root: u64, asid: u32) -> u64;

    /// The `time` counter.
    fn now(&self) -> Ticks;

    /// Arms the calling hart's timer interrupt for `at`, replacing an earlier setting; `NEVER` disarms it.
    fn set_timer(&self, at: Ticks);

    /// Makes another hart enter the kernel soon (inter-processor interrupt); it then runs
    /// [`Kernel::kicked`](crate::Kernel::kicked).
    fn kick(&self, hart: u32);

    /// Whether an interrupt waits for the calling hart. Long operations ask between their steps.
    fn interrupt_pending(&self) -> bool;

    /// What waits for the calling hart, which is about to serve it: a call waits no longer.
    fn take_interrupts(&self) -> Waiting;

    /// Drops the translations of `pages` pages from `start` in address space `asid` on every hart of `harts`
    /// (the calling one included, if named); returns when it is done. `pages` 0 means the whole address space.
    fn fence(&self, harts: HartMask, asid: u16, start: u64, pages: u64);

    /// Copies `to.len()` bytes from user memory of the current address space. False if any byte of it is not
    /// readable by the user; what was copied before is then unspecified. The range has been checked to lie in
    /// user space.
    fn copy_from_user(&self, to: KernelBytes<'_>, from: u64) -> bool;

    /// Copies to user memory of the current address space, likewise.
    fn copy_to_user(&self, to: u64, from: KernelBytes<'_>) -> bool;

    /// Reads one word of user memory, at an aligned address that has been checked not to be a device's or the kernel's.
    fn word_from_user(&self, from: u64) -> Option<u32>;

    /// Writes one, likewise.
    fn word_to_user(&self, to: u64, word: u32) -> bool;

    /// Makes instruction fetches of every hart see what was written to memory (a new executable mapping).
    fn sync_code(&self);

    /// Whether a physical range is a device's that may be given to a program: no RAM, and nothing that the kernel itself uses.
    fn is_device(&self, range: Range<u64>) -> bool;

    /// The registers of the console, whole pages, if a driver may take it over; else an empty range.
    fn console_range(&self) -> Range<u64>;

    /// The highest interrupt source of the machine's controller; 0 if it has none.
    fn irq_sources(&self) -> u32;

    /// Takes the next interrupt for the calling hart off the controller; 0: there is none.
    fn irq_claim(&self) -> u32;

    /// Ends what [`Self::irq_claim`] began, on the same hart.
    fn irq_complete(&self, source: u32);

    /// Whether the source can interrupt: its priority, not its enable bit (see `docs/concurrency.md`).
    fn irq_enable(&self, source: u32, on: bool);

    /// The source, which is off, interrupts hart `to` from now on, and no longer hart `from`.
    fn irq_route(&self, source: u32, from: Option<u32>, to: u32);

    /// Writes bytes to the kernel console.
    fn console(&self, bytes: &[u8]);

    /// Ends or restarts the machine; `code` as in the `machine_reset` system call.
    fn reset(&self, code: u64) -> !;
}
