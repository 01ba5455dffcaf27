//! Copies from and to user memory, which survive a fault (`copy.S`).

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
    unsafe { user_copy(to.start() as usize, from as usize, to.len()) != 0 }
}

/// Copies to the user's `to`; false when a byte of it cannot be written.
pub fn to_user(to: u64, from: KernelBytes<'_>) -> bool {
    // SAFETY: as above, the other way round.
    unsafe { user_copy(to as usize, from.start() as usize, from.len()) != 0 }
}
