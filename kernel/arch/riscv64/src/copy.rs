//! Copies from and to user memory, which survive a fault (`copy.S`).
//!
//! A hart may have cached that a page is absent which another hart has mapped since (Privileged Architecture, "Supervisor
//! Memory-Management Fence Instruction"), so a copy that faults is tried once more after a fence of this hart.

use crate::cpu;
use core::arch::global_asm;
use neuron_core::memory::KernelBytes;

global_asm!(include_str!("copy.S"));

unsafe extern "C" {
    fn user_copy(to: usize, from: usize, bytes: usize) -> usize;
}

/// Copies from the user's `from`; false when a byte of it cannot be read.
pub fn from_user(to: KernelBytes<'_>, from: u64) -> bool {
    // SAFETY: `to` is kernel memory that the caller may write for its whole length. Core checked that `from` lies
    // in user space; whatever else is wrong with it ends in the fixup.
    twice(|| unsafe { user_copy(to.start() as usize, from as usize, to.len()) })
}

/// Copies to the user's `to`; false when a byte of it cannot be written.
pub fn to_user(to: u64, from: KernelBytes<'_>) -> bool {
    // SAFETY: as above, the other way round.
    twice(|| unsafe { user_copy(to as usize, from.start() as usize, from.len()) })
}

#[inline(always)]
fn twice(copy: impl Fn() -> usize) -> bool {
    copy() != 0 || {
        cpu::fence_all();
        copy() != 0
    }
}
