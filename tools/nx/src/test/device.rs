//! Tests on the device. The test image prints `TEST name ok` or `TEST name FAILED: why` for each, then
//! `TESTS n passed, m failed`, and ends the machine with 0 only when all passed. All three must agree: a line that is
//! missing, a sum that differs and an exit code that contradicts are failures of their own.

use std::time::{Duration, Instant};

use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Failure, Outcome};
use crate::house::House;
use crate::machine::console::message;
use crate::machine::options::{Options, Virtio};
use crate::machine::watch::{Verdict, Watcher};
use crate::machine::{Ended, Machine};
use crate::output::Output;
use crate::timings;

/// How long the test image may take.
const EXACT_LIMIT: Duration = Duration::from_secs(400);
/// The same when everything is done hundreds and thousands of times.
const FULL_LIMIT: Duration = Duration::from_secs(7200);

/// What the image says when it waits for a word on its console, and the word.
const ASKS_FOR_WORD: &str = "console: type the word";
const WORD: &str = "nexus\n";

/// The machine's clock begins at a moment that the tests know (`tests/devices/src/time.rs`), and goes as fast as its counter.
pub const CLOCK: [&str; 2] = ["-rtc", "base=2031-02-03T04:05:06,clock=vm"];

/// Sources of entropy besides the one that the system drives: one that tests ask for, and one that nobody is given.
pub const TEST_DEVICES: [Virtio; 2] = [Virtio::Rng; 2];

/// What one run of the test image came to.
#[derive(Debug, Default)]
pub struct Device {
    /// Each test with why it failed, in the order of their lines.
    pub tests: Vec<(String, Option<String>)>,
    /// Every line of the console.
    pub console: Vec<String>,
    /// What contradicts a good end.
    pub complaint: Option<String>,
    /// The command that repeats it.
    pub command: String,
    sum: Option<(usize, usize)>,
}

impl Device {
    /// Notes a line of the console.
    pub fn note(&mut self, text: &str) {
        let said = said(text);
        if let Some((name, why)) = test_line(said) {
            self.tests.push((name.to_string(), why.map(String::from)));
        }
        if let Some(sum) = sum_line(said) {
            self.sum = Some(sum);
        }
        self.console.push(text.to_string());
    }

    /// What is wrong with the end of a machine that ends well only with 0: what a test said first. An interruption is an error.
    pub fn complaint(
        &self,
        verdict: &Verdict,
        watcher: &Watcher,
        machine: &mut Machine,
        limit: Duration,
    ) -> Outcome<Option<String>> {
        if *verdict == Verdict::Ended(Ended::Code(0)) {
            return Ok(None);
        }
        let failure = watcher.failure(verdict, machine, "the end", limit.as_secs());
        if *verdict == Verdict::Interrupted {
            return Err(failure);
        }
        let why = self.tests.iter().filter_map(|(_, why)| why.as_deref()).next();
        Ok(Some(why.map_or(failure.what.clone(), |why| format!("{why}\n{}", failure.what))))
    }

    fn failed(&self) -> usize {
        self.tests.iter().filter(|(_, why)| why.is_some()).count()
    }

    /// What is wrong with the end of a run, besides the tests that failed.
    fn contradiction(&self, code: i32) -> Option<String> {
        let failed = self.failed();
        let counted = (self.tests.len() - failed, failed);
        match self.sum {
            _ if self.tests.is_empty() => Some(String::from("no test reported anything")),
            None => {
                Some(String::from("the sum (`TESTS n passed, m failed`) is missing: the run ended early"))
            }
            Some(sum) if sum != counted => Some(format!(
                "{} passed and {} failed were seen, the image says {} and {}",
                counted.0, counted.1, sum.0, sum.1
            )),
            Some(_) if (code == 0) != (failed == 0) => {
                Some(format!("{failed} tests failed, yet the machine ended with {code}"))
            }
            Some(_) => None,
        }
    }
}

/// Boots the test image in `options` and reads it to its end. An `Err` is an interruption or a host that cannot.
pub fn boot(options: &Options, limit: Duration, mut watcher: Watcher) -> Outcome<Device> {
    let mut device = Device::default();
    let mut machine = Machine::start(options)?;
    device.command = machine.command.clone();
    let deadline = Instant::now() + limit;
    let verdict = loop {
        let verdict = watcher.watch(&mut machine, Some(deadline), |line| {
            device.note(&line.text);
            line.text == ASKS_FOR_WORD
        });
        if verdict != Verdict::Done {
            break verdict;
        }
        machine.type_text(WORD);
    };
    device.complaint = match &verdict {
        Verdict::Ended(Ended::Code(code)) if *code != 0x7f => {
            let contradiction = device.contradiction(*code);
            contradiction.map(|what| format!("{what}\nlast lines of the console:\n{}", watcher.last_lines()))
        }
        verdict => {
            let failure: Failure = watcher.failure(verdict, &mut machine, "ended", limit.as_secs());
            if *verdict == Verdict::Interrupted {
                return Err(failure);
            }
            Some(failure.what)
        }
    };
    Ok(device)
}

/// What a test program said: without time stamp and without the name that the log puts before it.
pub fn said(line: &str) -> &str {
    let line = message(line);
    match line.split_once(": ") {
        Some((name, rest)) if is_marker(rest) && !name.contains(' ') => rest,
        _ => line,
    }
}

fn is_marker(text: &str) -> bool {
    ["TEST ", "TESTS ", "SELFTEST: ", "vmo: ", "blk: ", "BENCH ", "BENCH-END ", "BENCH-MARK ", "BENCH-BOOT "]
        .iter()
        .any(|marker| text.starts_with(marker))
}

fn test_line(text: &str) -> Option<(&str, Option<&str>)> {
    let (name, result) = text.strip_prefix("TEST ")?.split_once(' ').filter(|(name, _)| !name.is_empty())?;
    match result.strip_prefix("FAILED") {
        Some(why) => Some((name, Some(why.trim_start_matches(':').trim()))),
        None if result == "ok" => Some((name, None)),
        None => None,
    }
}

fn sum_line(text: &str) -> Option<(usize, usize)> {
    let (passed, failed) = text.strip_prefix("TESTS ")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

/// The exact lane: one hart, each instruction one nanosecond.
pub fn run(bench: &mut Bench) -> Outcome {
    let variant = if bench.full { Variant::Full } else { Variant::Test };
    let options = machine(bench.house, variant, bench.output)?;
    let begun = Instant::now();
    let device = watched(bench.house, bench.output, &options, bench.full)?;
    let repeat = &device.command;
    for (name, why) in &device.tests {
        let detail = why.clone().unwrap_or_default();
        bench.report(Report {
            suite: "device",
            name: name.clone(),
            passed: why.is_none(),
            detail,
            repeat: repeat.clone(),
            took: None,
        });
    }
    let passed = device.complaint.is_none();
    let detail = device.complaint.clone().unwrap_or_else(|| format!("{} tests", device.tests.len()));
    bench.report(Report {
        suite: "device",
        name: "whole".into(),
        passed,
        detail,
        repeat: repeat.clone(),
        took: Some(begun.elapsed()),
    });
    Ok(())
}

/// Boots the exact lane to its end, telling how long that takes.
pub fn watched(house: &House, output: Output, options: &Options, full: bool) -> Outcome<Device> {
    let (work, limit) = if full { ("device image.full", FULL_LIMIT) } else { ("device image", EXACT_LIMIT) };
    let begun = Instant::now();
    let about = timings::last(house, work);
    let device = boot(options, limit, Watcher::telling(output, "device", "the test image runs", about))?;
    if device.complaint.is_none() {
        timings::note(house, work, begun.elapsed());
    }
    Ok(device)
}

/// The machine of the exact lane with the test image, built.
pub fn exact(house: &House, output: Output) -> Outcome<Options> {
    machine(house, Variant::Test, output)
}

/// Without a network card: what comes over a network comes when it likes, and these tests count every page. The suite `net` has one.
fn machine(house: &House, variant: Variant, output: Output) -> Outcome<Options> {
    let built = build::build(house, variant, output)?;
    let mut options = Options::new(&built.folder, 1).with_scratch();
    options.icount = true;
    options.extra.extend(CLOCK.map(String::from));
    options.devices.splice(0..0, TEST_DEVICES);
    // And one more that is left over for whoever follows docs/how-to-add-a-driver.md.
    options.devices.insert(0, Virtio::Rng);
    options.devices.retain(|device| *device != Virtio::Net);
    options.log = Some(house.log("device")?);
    Ok(options)
}

/// The names that the last run of the test image reported; they are known only to it.
pub fn list(house: &House, _full: bool) -> Outcome<Vec<String>> {
    let log = house.folder("device")?.join("console.log");
    let mut device = Device::default();
    if let Ok(text) = std::fs::read_to_string(log) {
        text.lines().for_each(|line| device.note(line.trim_end()));
    }
    let mut names: Vec<String> = device.tests.into_iter().map(|(name, _)| name).collect();
    names.push(String::from("whole"));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(lines: &[&str]) -> Device {
        let mut device = Device::default();
        lines.iter().for_each(|line| device.note(line));
        device
    }

    #[test]
    fn lines_sum_and_exit_code_must_agree() {
        let good = device(&["TEST a ok", "[0.1] probe: TEST b ok", "TESTS 2 passed, 0 failed"]);
        assert_eq!(good.contradiction(0), None);
        assert!(good.contradiction(1).is_some());
        let bad = device(&["TEST a ok", "TEST b FAILED: why not", "TESTS 1 passed, 1 failed"]);
        assert_eq!(bad.tests[1], ("b".to_string(), Some("why not".to_string())));
        assert_eq!(bad.contradiction(1), None);
        assert!(bad.contradiction(0).is_some());
        assert!(device(&["TEST a ok"]).contradiction(0).is_some());
        assert!(device(&["TEST a ok", "TESTS 2 passed, 0 failed"]).contradiction(0).is_some());
        assert!(device(&["TESTS 0 passed, 0 failed"]).contradiction(0).is_some());
    }

    #[test]
    fn noise_is_no_result() {
        assert!(device(&["TEST a okay", "TESTa ok", "x y: TEST a ok", "TEST  ok"]).tests.is_empty());
    }
}
