//! What is not declared is denied: a decision that is seen, and not a time-out taken for one.

use crate::logged::Mark;
use crate::{SPARE, probe, text};
use alloc::format;
use harness::{Bench, Verdict, expect, why};
use nexus_rt::api::policy::{Client, Error};
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;

/// Service id of `policyd`.
const POLICYD: u32 = 5;

/// Longer than it takes until the log has room for everything that is said here.
const REST_MS: u64 = 1000;

/// Another's device, one that does not exist, and one that somebody holds are refused, each with a record.
pub fn deny(bench: &Bench) -> Verdict {
    // The log takes a bounded number of records of one service in a second, and tests before this one had `policyd` say a lot.
    bench.pause(REST_MS)?;
    let holder = probe::with_window(bench)?;
    let refusals =
        [("rng", Error::PermissionDenied), ("nothing", Error::PermissionDenied), (SPARE, Error::Busy)];
    for (device, refusal) in refusals {
        let mark = Mark::now()?;
        let answer = Client::new(Service("policy")).window(text(device)?).map(|_| ());
        expect(answer == Err(CallError::Service(refusal)), &format!("{device}: {answer:?}"))?;
        let record = format!("selftest: the window of {device} is refused: {refusal:?}");
        mark.wait_for(&record, |said| said.service == POLICYD && said.audit && said.text == record)?;
    }
    for device in ["rng", "nothing"] {
        let answer = Client::new(Service("policy")).interrupt(text(device)?).map(|_| ());
        let refused = answer == Err(CallError::Service(Error::PermissionDenied));
        expect(refused, &format!("the interrupt of {device}: {answer:?}"))?;
    }
    drop(holder);
    let mark = Mark::now()?;
    let again = why("ask again", Client::new(Service("policy")).window(text(SPARE)?))?;
    mark.wait_for("the grant", |said| {
        said.service == POLICYD && said.audit && said.text == "selftest is given the window of spare"
    })?;
    drop(again);
    let answer = Client::new(Service("policy")).interrupt(text(SPARE)?).map(|_| ());
    let refused = answer == Err(CallError::Service(Error::PermissionDenied));
    expect(refused, &format!("the interrupt without the window: {answer:?}"))?;
    bench.say("SELFTEST: mmio policy deny ok");
    Ok(())
}

/// Where a virtio device says what state it is in, and two states that a driver brings it to.
const STATUS: usize = 0x70;
const FOUND: u32 = 1 | 2;

/// Whoever gets a device gets it reset, however the last one left it.
pub fn reset(bench: &Bench) -> Verdict {
    for _ in 0..2 {
        let window = probe::window()?;
        let registers = why("map", window.map(bench.own))?;
        let before = why("the status", registers.load::<u32>(STATUS))?;
        expect(before == 0, &format!("its status is {before:#x}"))?;
        why("use it", registers.store(STATUS, FOUND))?;
        let after = why("the status", registers.load::<u32>(STATUS))?;
        expect(after == FOUND, &format!("its status stays {after:#x}"))?;
    }
    Ok(())
}
