//! The pause before a restart doubles with each end in a row, and is kept: seen by the times of the log's records.

use alloc::format;
use harness::{Bench, Verdict, expect, why};
use nexus_rt::api::echo::Client;
use nexus_rt::clock;
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;

use crate::reader::Reader;
use crate::{NEXUS_INIT, await_next};

const ENDS: usize = 4;

/// `echo` fails some times in a row. (Being killed by the supervisor's leave is no failure.)
pub fn doubles(bench: &Bench) -> Verdict {
    let mut log = Reader::at_end()?;
    let mut last = None;
    for _ in 0..ENDS {
        let was = bench.look("echo")?;
        let crashed = Client::new(Service("echo")).crash();
        expect(crashed == Err(CallError::ServerDied), &format!("a call that ends its server: {crashed:?}"))?;
        let ended = "echo exited with code 9";
        let end = log.find(bench, ended, |r| r.service == NEXUS_INIT && r.text.ends_with(ended))?;
        let said = log.find(bench, "the pause", |r| {
            r.service == NEXUS_INIT && r.text.starts_with("echo is started again in ")
        })?;
        let pause = said.text.trim_start_matches("echo is started again in ").trim_end_matches(" ms");
        let pause: u64 = why("the pause", pause.parse())?;
        let ready = log.find_ready(bench, "echo")?;
        await_next(bench, "echo", &was)?;
        let took = ready.time.saturating_sub(said.time);
        expect(end.time <= said.time, "the pause was told before the end")?;
        // Told right before it begins, so a record cannot be late: what can be is `logd` itself, which makes it seem shorter, on
        // one hart by less than a millisecond.
        expect(
            !bench.is_exact()? || took + clock::millis(1) >= clock::millis(pause),
            &format!("{took} ticks are no {pause} ms"),
        )?;
        let doubled = last.is_none_or(|last| pause == 2 * last);
        expect(doubled, &format!("a pause of {pause} ms follows one of {last:?}"))?;
        last = Some(pause);
    }
    Ok(())
}
