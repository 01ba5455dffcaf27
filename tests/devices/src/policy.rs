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

/// Another's device, one that does not exist, and one that somebody holds are refused, each with a record.
pub fn deny(bench: &Bench) -> Verdict {
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
