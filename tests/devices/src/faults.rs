//! A driver that reaches past its window, executes it, or hands the kernel pointers into it.

use crate::logged::Mark;
use crate::probe;
use alloc::format;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_abi::ExitCause;
use nexus_abi::bounds::{DEVICE_START, USER_END};
use nexus_rt::{Handles, clock};

const OP_OUTSIDE: u8 = 0xe3;
const OP_EXECUTE: u8 = 0xe4;
const OP_POINTERS: u8 = 0xe5;

/// Load and instruction page faults.
const LOAD: u64 = 13;
const FETCH: u64 = 12;

/// A probe does what ends it; the kernel's record of that is in the log.
fn fault(bench: &Bench, op: u8, scause: u64, record: &str) -> Verdict {
    // The first times make heaps grow.
    for _ in 0..5 {
        once(bench, op, scause, record)?;
    }
    let before = Account::take(bench)?;
    for _ in 0..5 {
        once(bench, op, scause, record)?;
    }
    before.unchanged(bench)
}

fn once(bench: &Bench, op: u8, scause: u64, record: &str) -> Verdict {
    let mut probe = probe::with_window(bench)?;
    let mark = Mark::now()?;
    why("send", probe.channel.send(&[op], &mut Handles::new(), clock::in_millis(1000)))?;
    let end = probe.wait_end()?;
    let in_range = (DEVICE_START..USER_END).contains(&end.address);
    let expected = end.cause == ExitCause::Faulted as u32 && end.code == scause && in_range;
    expect(expected, &format!("cause {}, code {}, address {:#x}", end.cause, end.code, end.address))?;
    mark.wait_for(record, |said| said.service == 0 && said.text == record)
}

/// One byte past the window.
pub fn outside(bench: &Bench) -> Verdict {
    fault(bench, OP_OUTSIDE, LOAD, "mmio denied (outside window)")
}

/// The window itself, as code.
pub fn execute(bench: &Bench) -> Verdict {
    fault(bench, OP_EXECUTE, FETCH, "mmio denied (exec attempt)")
}

/// The kernel touches no device on a program's behalf.
pub fn pointers(bench: &Bench) -> Verdict {
    let probe = probe::with_window(bench)?;
    let mut room = [0; 8];
    let (length, _) = why("pointers", probe.call(&[OP_POINTERS], &mut Handles::new(), &mut room))?;
    expect(length == 1 && room[0] == 2, &format!("{} of 2 were refused", room[0]))
}
