//! The time of day: as the machine's clock was set, going as fast as its counter, and never back.

use crate::awake::Awake;
use alloc::format;
use harness::{Bench, Verdict, expect, why};
use nexus_rt::api::time;
use nexus_rt::clock;
use nexus_rt::samgr::Service;

/// Nanoseconds since 1970 when the machine began, as `tools/nx/src/test/device.rs` sets it: 2031-02-03 04:05:06 UTC.
const BEGAN: u64 = 1_927_857_906 * SECOND;
const SECOND: u64 = 1_000_000_000;

/// How far the answer may be from what the counter says: on several harts `timed` may have to wait between its two readings.
const APART: u64 = SECOND;

/// The clock shows when the machine began and what its counter has counted since, and the two readings of one answer are of one moment.
pub fn time(_bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut client = time::Client::new(Service("time"));
    let (mut last, mut steps) = (0, None);
    for _ in 0..20 {
        let earliest = clock::now();
        let now = why("now", client.now())?;
        let within = (earliest..=clock::now()).contains(&now.ticks);
        expect(within && now.hz == clock::timebase(), "its counter is another one")?;
        let due = BEGAN + now.ticks * (SECOND / now.hz);
        expect(now.unix_ns.abs_diff(due) < APART, &format!("{} ns, and {due} are due", now.unix_ns))?;
        expect(now.unix_ns >= last, "time went back")?;
        expect(*steps.get_or_insert(now.steps) == now.steps, "the clock was set back")?;
        last = now.unix_ns;
    }
    Ok(())
}
