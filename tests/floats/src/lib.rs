//! Every floating-point register of a thread, filled and looked at again: what a test of their switching is made of. Assembly, because a
//! compiler may use them for what it likes between two statements.
#![cfg_attr(target_os = "none", no_std)]

use nexus_abi::{Handle, Sysno, Tag};

#[cfg(target_arch = "riscv64")]
core::arch::global_asm!(include_str!("hold.S"));

#[cfg(target_arch = "riscv64")]
unsafe extern "C" {
    safe fn floats_leftovers() -> u64;
    fn floats_hold(pattern: u64, rounds: u64, number: u64, a0: u64, a1: u64, spin: u64) -> u64;
}

/// What a thread does between two looks at its registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// It lets others run.
    Yield,
    /// It works so many turns, longer than it is left alone.
    Work(u64),
    /// It calls with 8 bytes and waits for the answer.
    Call(Handle),
}

/// Everything that is in the registers of a thread that has not written to them, or-ed.
pub fn leftovers() -> u64 {
    #[cfg(target_arch = "riscv64")]
    return floats_leftovers();
    #[cfg(not(target_arch = "riscv64"))]
    0
}

/// Holds a pattern in all registers for `rounds` rounds; answers how many were found changed.
pub fn hold(pattern: u64, rounds: u64, between: Between) -> u64 {
    let (number, a0, a1, spin) = match between {
        Between::Yield => (Sysno::thread_yield, 0u64, 0u64, 0u64),
        Between::Work(turns) => (Sysno::null, 0, 0, turns),
        Between::Call(end) => (Sysno::channel_call, u64::from(end.0), Tag::new(8, 0).with_room(8, 0).0, 0),
    };
    #[cfg(target_arch = "riscv64")]
    // SAFETY: none of the calls is given an address; the callee-saved registers are put back.
    return unsafe { floats_hold(pattern, rounds.max(1), number as u64, a0, a1, spin) };
    #[cfg(not(target_arch = "riscv64"))]
    {
        let _ = (pattern, rounds, number, a0, a1, spin);
        0
    }
}
