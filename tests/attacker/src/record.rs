//! Which pairs (system call, answer) were seen, and which answers no call may give.
//!
//! Every system call of an attack goes through here. What must never happen: a call whose answer is not noted.

use core::sync::atomic::{AtomicU32, Ordering};
use nexus_abi::{Error, Sysno};
use nexus_rt::sys::raw::{self, MessageIn, MessageOut, Outcome};

/// One word for each system call: bit `n` for the error with number `n`, bit 0 for success, bit 31 for any number that is
/// not an error's. The last word is for numbers of system calls that do not exist.
static SEEN: [AtomicU32; Sysno::TABLE.len() + 1] = [const { AtomicU32::new(0) }; _];

/// Notes what a call answered that was not made here.
pub fn note(number: u64, status: u64) {
    let row = Sysno::from_raw(number).map_or(Sysno::TABLE.len(), |number| number as usize);
    let known = status == 0 || Error::from_raw(status).is_some();
    SEEN[row].fetch_or(1 << if known { status } else { 31 }, Ordering::Relaxed);
}

/// The table, as little-endian words.
pub fn table() -> [u8; (Sysno::TABLE.len() + 1) * 4] {
    let mut bytes = [0; _];
    let rows: &mut [u8] = &mut bytes;
    for (row, seen) in rows.chunks_exact_mut(4).zip(&SEEN) {
        row.copy_from_slice(&seen.load(Ordering::Relaxed).to_le_bytes());
    }
    bytes
}

/// Any system call with any arguments.
pub fn any(number: u64, arguments: [u64; 7]) -> Outcome {
    // SAFETY: what is passed here as an address is either not this program's memory at all, or memory that an attack
    // set aside and refers to by its address alone; no call is handed this program's code, stack or heap to be taken away.
    let outcome = unsafe { raw::syscall(number, arguments) };
    note(number, outcome.status);
    outcome
}

/// Any message call with any registers.
pub fn message(number: Sysno, m: MessageIn) -> MessageOut {
    // SAFETY: as above.
    let out = unsafe { raw::message(number, m) };
    note(number as u64, out.status);
    out
}
