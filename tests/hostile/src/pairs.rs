//! Which answers were seen from which system call, over all attacks: every error that a call declares, and none that it
//! does not.

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicU32, Ordering};
use harness::{Bench, Verdict, expect};
use nexus_abi::{Error, Sysno};

const CALLS: usize = Sysno::TABLE.len();

/// A word for each call, and one for numbers that are none: bit `n` for the error with number `n`, bit 0 for success, bit 31
/// for a number that is no error's.
static SEEN: [AtomicU32; CALLS + 1] = [const { AtomicU32::new(0) }; _];

fn note(number: usize, bits: u32) {
    SEEN[number].fetch_or(bits, Ordering::Relaxed);
}

/// Adds what an attacker saw: the words of its table.
pub fn add(table: &[u8]) -> Verdict {
    expect(table.len() == SEEN.len() * 4, "an attacker's table has another size")?;
    for (number, word) in table.chunks_exact(4).enumerate() {
        note(number, word.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte)));
    }
    Ok(())
}

/// Adds what was learnt of a process that could not tell it itself.
pub fn add_one(number: Sysno, error: Error) {
    note(number as usize, 1 << error as u32);
}

/// What only this process can be refused: it holds the console and the machine's end.
fn own(bench: &Bench) -> Verdict {
    let console = bench.kernel_console.handle().0.into();
    let reset = bench.reset.handle().0.into();
    for (number, arguments, expected) in [
        (Sysno::console_write, [console, 0, 1], Error::BadAddress),
        (Sysno::console_write, [console, u64::MAX, 2], Error::BadAddress),
        (Sysno::console_write, [console, 0xffff_ffc0_0000_0000, 1], Error::BadAddress),
        (Sysno::console_write, [console, 0, 257], Error::Invalid),
        (Sysno::console_write, [console, 0, u64::MAX], Error::Invalid),
        // A driver has it.
        (Sysno::console_write, [console, 0, 0], Error::BadState),
        (Sysno::machine_reset, [reset, 0x8001, 0], Error::Invalid),
        (Sysno::machine_reset, [reset, u64::MAX, 0], Error::Invalid),
    ] {
        let refused = harness::refused(number, arguments);
        note(number as usize, 1 << refused);
        expect(refused == expected as u64, &format!("{number:?} {arguments:x?} answered {refused}"))?;
    }
    Ok(())
}

/// The judgement, after all attacks.
pub fn all(bench: &Bench) -> Verdict {
    own(bench)?;
    let (mut missing, mut odd) = (String::new(), String::new());
    for info in Sysno::TABLE {
        let seen = SEEN[info.number as usize].load(Ordering::Relaxed);
        let declared = info.errors.iter().fold(1, |bits, error| bits | 1 << *error as u32);
        for error in info.errors.iter().filter(|error| seen >> **error as u32 & 1 == 0) {
            missing += &format!(" {}:{}", info.name, error.name());
        }
        for bit in (0..32).filter(|bit| seen & !declared & 1 << bit != 0) {
            let name = Error::from_raw(bit).map_or("no error", Error::name);
            odd += &format!(" {}:{name}", info.name);
        }
    }
    let unknown = SEEN[CALLS].load(Ordering::Relaxed);
    expect(unknown == 1 << Error::BadSyscall as u32, &format!("numbers of no call: {unknown:#x}"))?;
    expect(odd.is_empty(), &format!("answered, not declared:{odd}"))?;
    expect(missing.is_empty(), &format!("declared, not seen:{missing}"))
}
