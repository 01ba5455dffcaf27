//! A critical process that keeps failing restarts the machine: seen on one that really does.

use std::time::{Duration, Instant};

use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::console::message;
use crate::machine::options::Options;
use crate::machine::watch::{Verdict, Watcher};

const SUITE: &str = "failing";
const TEST: &str = "machine-restarts";

/// What `tests/system.failing.toml` says.
const RESTARTS: usize = 3;

/// How often the machine is to restart.
const TIMES: usize = 2;

const LIMIT: Duration = Duration::from_secs(60);

const BEGINS: &str = "neuron: 1 hart";
const ENDED: &str = "nexus-init: error: failing exited with code 3";
const AGAIN: &str = "nexus-init: failing is started again in ";
const GIVEN_UP: &str = "nexus-init: failing keeps failing: restarting the machine";

/// The one test.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(vec![TEST.into()])
}

/// Boots the image and reads until it has given up often enough.
pub fn run(bench: &mut Bench) -> Outcome {
    if !bench.wants(SUITE, TEST) {
        return Ok(());
    }
    let folder = build::build(bench.house, Variant::Failing, bench.output)?.folder;
    let log = bench.house.log(SUITE)?;
    let begun = Instant::now();
    let mut options = Options::new(&folder, 1);
    options.icount = true;
    options.no_reboot = false;
    options.log = Some(log.named("console.log"));
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::default();
    let mut lines: Vec<String> = Vec::new();
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        lines.push(message(&line.text).into());
        lines.iter().filter(|line| *line == GIVEN_UP).count() == TIMES
    });
    let repeat = machine.command.clone();
    let judged = match verdict {
        Verdict::Done => judge(&lines),
        verdict => {
            let failure = watcher.failure(&verdict, &mut machine, "restarted often enough", LIMIT.as_secs());
            if verdict == Verdict::Interrupted {
                return Err(failure);
            }
            Err(failure.what)
        }
    };
    machine.kill();
    let passed = judged.is_ok();
    let detail = judged.err().unwrap_or_else(|| format!("the machine restarted {TIMES} times"));
    bench.report(Report {
        suite: SUITE,
        name: TEST.into(),
        passed,
        detail,
        repeat,
        took: Some(begun.elapsed()),
    });
    Ok(())
}

/// Each life of the machine: it begins, the process ends and is started again as often as it may be, after pauses that
/// double, and is given up.
fn judge(lines: &[String]) -> Result<(), String> {
    let lives: Vec<&[String]> = lines.split_inclusive(|line| line == GIVEN_UP).collect();
    if lives.len() != TIMES {
        return Err(format!("{} lives instead of {TIMES}", lives.len()));
    }
    for life in lives {
        let count = |text: &str| life.iter().filter(|line| line.starts_with(text)).count();
        let pauses: Vec<&str> = life.iter().filter_map(|line| line.strip_prefix(AGAIN)).collect();
        let doubled: Vec<String> = (0..RESTARTS).map(|n| format!("{} ms", 1 << n)).collect();
        if count(BEGINS) != 1 || count(ENDED) != RESTARTS + 1 || pauses != doubled {
            return Err(format!("a life of another kind:\n{}", life.join("\n")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life() -> Vec<String> {
        let pause = |ms| format!("{AGAIN}{ms} ms");
        let lines = [BEGINS.to_string() + ", 128 MiB", ENDED.into(), pause(1), ENDED.into(), pause(2)];
        let rest = [ENDED.into(), pause(4), ENDED.into(), GIVEN_UP.into()];
        lines.into_iter().chain(rest).collect()
    }

    #[test]
    fn only_whole_lives_count() {
        assert_eq!(judge(&[life(), life()].concat()), Ok(()));
        assert!(judge(&life()).is_err());
        for missing in 0..life().len() {
            let mut lines = [life(), life()].concat();
            lines.remove(missing);
            assert!(judge(&lines).is_err(), "line {missing} is missing");
        }
    }
}
