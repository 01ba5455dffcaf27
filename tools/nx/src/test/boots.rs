//! The production image, started again and again on 1, 2, 4 and 8 harts: every boot becomes ready.

use std::time::{Duration, Instant};

use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::watch::{Verdict, Watcher};
use crate::run::roster;

const SUITE: &str = "boots";
const HARTS: [u8; 4] = [1, 2, 4, 8];
const QUICK: u32 = 10;
const FULL: u32 = 200;

/// A boot that is not ready by then hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// Names of the tests.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(HARTS.map(name).to_vec())
}

fn name(harts: u8) -> String {
    format!("{harts}-hart{}", if harts == 1 { "" } else { "s" })
}

/// Boots as often as asked for on each number of harts.
pub fn run(bench: &mut Bench) -> Outcome {
    if !HARTS.iter().any(|harts| bench.wants(SUITE, &name(*harts))) {
        return Ok(());
    }
    let folder = build::build(bench.house, Variant::Production, bench.output)?.folder;
    let log = bench.house.log("boots")?;
    let times = if bench.full { FULL } else { QUICK };
    for harts in HARTS.into_iter().filter(|harts| bench.wants(SUITE, &name(*harts))).collect::<Vec<_>>() {
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut bad = None;
        for boot in 1..=times {
            let mut options = Options::new(&folder, harts);
            options.log = Some(log.named(&format!("{harts}-harts.log")));
            let mut roster = roster(&options.image)?;
            let mut machine = Machine::start(&options)?;
            let mut watcher = Watcher::default();
            bench.output.status("boots", &format!("{}: boot {boot} of {times}", name(harts)));
            let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
                roster.note(line);
                roster.ready_at().is_some()
            });
            if verdict != Verdict::Done {
                let waited_for = format!("ready (missing: {})", roster.missing().join(", "));
                let failure = watcher.failure(&verdict, &mut machine, &waited_for, LIMIT.as_secs());
                if verdict == Verdict::Interrupted {
                    return Err(failure);
                }
                bad = Some(format!("boot {boot} of {times}: {}", failure.what));
                let repeat = machine.command.clone();
                let detail = bad.clone().unwrap_or_default();
                bench.report(Report {
                    suite: SUITE,
                    name: name(harts),
                    passed: false,
                    detail,
                    repeat,
                    took: Some(begun.elapsed()),
                });
                break;
            }
            slowest = slowest.max(roster.ready_at().unwrap_or_default());
        }
        if bad.is_none() {
            let detail = format!("{times} of {times} ready, slowest {} ms", slowest.as_millis());
            let repeat = format!("./nx test {}", name(harts));
            bench.report(Report {
                suite: SUITE,
                name: name(harts),
                passed: true,
                detail,
                repeat,
                took: Some(begun.elapsed()),
            });
        }
    }
    Ok(())
}
