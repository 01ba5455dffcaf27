//! The timer interrupt of each hart: set through a register of its own (`stimecmp`, the Sstc extension) where it has one, through
//! firmware where it has not, which costs hundreds of instructions a time.
//!
//! Decided once for each hart, by itself, when it starts: the device tree has to name the extension, and the register has to be there,
//! because firmware may keep it from the kernel. What must never happen: a deadline set where nobody looks at it.

use crate::{cpu, hart, sbi};
use core::arch::global_asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use neuron_core::platform::HartMask;
use nexus_abi::{NEVER, Ticks};

/// Harts that set a register of their own, one bit each.
static OWN: AtomicU32 = AtomicU32::new(0);

global_asm!(
    // Answers whether reading the register is no trap. One goes on behind the read, and what it changed is put back.
    ".pushsection .text.timer, \"ax\"",
    "has_own_timer:",
    "    csrr    t0, sstatus",
    "    lla     t1, 1f",
    "    csrrw   t1, stvec, t1",
    "    li      a0, 0",
    "    csrr    t2, 0x14d", // stimecmp
    "    li      a0, 1",
    "    .balign 4",
    "1:  csrw    stvec, t1",
    "    csrw    sstatus, t0",
    "    ret",
    ".popsection",
);

unsafe extern "C" {
    fn has_own_timer() -> u64;
}

/// These harts have the extension, says the device tree. Called before any of them chooses.
pub fn declare(harts: HartMask) {
    OWN.store(harts, Relaxed);
}

/// Decides for the calling hart, whose timer is not armed after this.
pub fn choose() {
    // SAFETY: it changes only registers that a C function may, but for where traps go, which it puts back. Interrupts are off
    // in the kernel, so nothing but the read can trap.
    if is_own(hart_id()) && unsafe { has_own_timer() } == 0 {
        OWN.fetch_and(!(1 << hart_id()), Relaxed);
    }
    set(NEVER);
}

/// Arms the calling hart's timer interrupt, and clears it until then.
pub fn set(at: Ticks) {
    if is_own(hart_id()) { cpu::set_deadline(at) } else { sbi::set_timer(at) }
}

/// Whether the kernel's hart `id` sets a register of its own.
pub fn is_own(id: usize) -> bool {
    OWN.load(Relaxed) >> id & 1 != 0
}

fn hart_id() -> usize {
    hart::local().id.load(Relaxed)
}
