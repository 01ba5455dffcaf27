//! Copies from and to user memory, which survive a fault (`copy.S`).
//!
//! A hart may have cached that a page is absent which another hart has mapped since (Privileged Architecture, "Supervisor
//! Memory-Management Fence Instruction"), so a copy that faults is tried once more after a fence of this hart.

use crate::cpu;
use core::arch::{asm, global_asm};
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

/// Reads the user's word at `from`, an aligned address that is not a device's or the kernel's.
#[inline(always)]
pub fn word_from_user(from: u64) -> Option<u32> {
    let mut word = 0;
    let read = twice(|| {
        let done: usize;
        // SAFETY: writes nothing but the registers named (t5 and t6 when it faults); a bad address ends in the fixup.
        unsafe {
            asm!("jal user_load", inout("a0") from => done, out("a1") word, out("t0") _, out("t5") _,
                out("t6") _, out("ra") _, options(nostack))
        };
        done
    });
    read.then_some(word as u32)
}

/// Writes it to `to`, likewise.
#[inline(always)]
pub fn word_to_user(to: u64, word: u32) -> bool {
    twice(|| {
        let done: usize;
        // SAFETY: as above; what is written is user memory.
        unsafe {
            asm!("jal user_store", inout("a0") to => done, in("a1") word, out("t0") _, out("t5") _,
                out("t6") _, out("ra") _, options(nostack))
        };
        done
    })
}

#[inline(always)]
fn twice(mut copy: impl FnMut() -> usize) -> bool {
    copy() != 0 || {
        cpu::fence_all();
        copy() != 0
    }
}
