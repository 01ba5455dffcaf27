//! `nx test`: every suite, a line for each test, and the sum. A test that did not run is never counted as passed,
//! and a suite whose programs do not exist is not in the list.

mod boots;
mod damaged;
mod device;
mod failing;
mod figures;
pub mod filled;
mod guide;
mod guides;
mod harness;
mod host;
mod link;
mod lint;
mod loom;
mod machine;
mod machines;
mod miri;
mod net;
mod powercut;
mod race;
mod rules;
mod stalled;
mod state;
mod style;
mod tree;
mod unreset;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use device::{Device, boot as boot_device, exact, said, watched};
pub use net::{round_trips, watched as watched_net};
pub use state::watched as watched_state;

use crate::cli::{TestArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;
use crate::output::{Output, Paint};
use crate::timings;

/// What one test came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its suite.
    pub suite: &'static str,
    /// Its name in the suite.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// Why it failed, or what it measured; can have several lines.
    pub detail: String,
    /// How to run it again.
    pub repeat: String,
    /// How long it took, when known.
    pub took: Option<Duration>,
}

/// What a suite is given, and where it puts its reports.
pub struct Bench<'a> {
    /// The source tree.
    pub house: &'a House,
    /// How to answer.
    pub output: Output,
    /// Whether to run the hundreds and thousands.
    pub full: bool,
    filter: Option<&'a str>,
    whole_suite: bool,
    reports: Vec<Report>,
    /// Suites that could not run here, and why.
    skipped: Vec<(&'static str, String)>,
}

impl Bench<'_> {
    /// Whether a test of this name is asked for.
    pub fn wants(&self, suite: &str, name: &str) -> bool {
        self.whole_suite || self.filter.is_none_or(|part| name.contains(part) || suite.contains(part))
    }

    /// What narrows the names, unless the whole suite is asked for.
    pub fn part(&self) -> Option<&str> {
        if self.whole_suite { None } else { self.filter }
    }

    fn failed(&self) -> usize {
        self.reports.iter().filter(|report| !report.passed).count()
    }

    /// Notes that a suite did not run, which is neither passed nor failed, and prints why.
    fn skip(&mut self, suite: &'static str, why: &str) {
        self.output.line(&format!("skipped {suite}: {why}"));
        self.skipped.push((suite, why.to_string()));
    }

    /// Notes a test, and prints its line.
    pub fn report(&mut self, report: Report) {
        if !self.wants(report.suite, &report.name) {
            return;
        }
        let word = if report.passed { ("ok  ", Paint::Good) } else { ("FAIL", Paint::Bad) };
        let took = report.took.map_or(String::new(), |took| format!("  ({:.1} s)", took.as_secs_f64()));
        let detail = if report.passed && !report.detail.is_empty() {
            format!("  {}", report.detail)
        } else {
            String::new()
        };
        let name = format!(" {}::{}{detail}", report.suite, report.name);
        self.output.parts(&[(word.0.into(), word.1), (name, Paint::Plain), (took, Paint::Dim)]);
        if !report.passed {
            for line in report.detail.lines() {
                self.output.line(&format!("     {line}"));
            }
            self.output.line(&format!("     repeat: {}", report.repeat));
        }
        self.reports.push(report);
    }
}

/// Suites that list their tests without building anything.
const LISTED_AT_ONCE: [&str; 11] =
    ["style", "lint", "bench", "device", "race", "state", "powercut", "machine", "link", "boots", "guides"];

/// A group of tests that run together.
struct Suite {
    name: &'static str,
    what: &'static str,
    run: fn(&mut Bench) -> Outcome,
    /// Names of its tests, without running them.
    list: fn(&House, bool) -> Outcome<Vec<String>>,
}

/// Every suite that exists in this tree.
fn suites(house: &House) -> Vec<Suite> {
    let mut suites = vec![
        Suite { name: "style", what: "rules that every file keeps", run: style::run, list: style::list },
        Suite { name: "lint", what: "rustfmt and clippy", run: lint::run, list: lint::list },
        Suite {
            name: "host",
            what: "libraries and the kernel's portable part, on this host",
            run: host::run,
            list: host::list,
        },
        Suite {
            name: "loom",
            what: "lock-free protocols of the kernel, every interleaving within a bound",
            run: loom::run,
            list: loom::list,
        },
        Suite {
            name: "miri",
            what: "the kernel's portable part against Rust's rules of memory",
            run: miri::run,
            list: miri::list,
        },
    ];
    if house.additions(Variant::Bench).is_some_and(|path| path.is_file()) {
        suites.push(Suite {
            name: "bench",
            what: "instructions of the kernel's operations, against the committed figures",
            run: figures::run,
            list: figures::list,
        });
    }
    let test_image = house.additions(Variant::Test).is_some_and(|path| path.is_file());
    if test_image {
        suites.push(Suite {
            name: "device",
            what: "the test image, one hart, instructions counted exactly",
            run: device::run,
            list: device::list,
        });
        suites.push(Suite {
            name: "race",
            what: "the test image on several harts, and a storm of random work and deaths, repeated",
            run: race::run,
            list: race::list,
        });
        suites.push(Suite {
            name: "failing",
            what: "an image with a critical process that cannot do its job",
            run: failing::run,
            list: failing::list,
        });
    }
    if house.additions(Variant::Net).is_some_and(|path| path.is_file()) {
        suites.push(Suite {
            name: "net",
            what: "a client on the host talks to the device, whose drivers die meanwhile",
            run: net::run,
            list: net::list,
        });
    }
    if house.additions(Variant::State).is_some_and(|path| path.is_file()) {
        suites.push(Suite {
            name: "state",
            what: "one disk through several machines, which end without a word",
            run: state::run,
            list: state::list,
        });
    }
    if house.additions(Variant::Cuts).is_some_and(|path| path.is_file()) {
        suites.push(Suite {
            name: "powercut",
            what: "the power fails at every write that a machine made to its disk",
            run: powercut::run,
            list: powercut::list,
        });
    }
    suites.push(Suite {
        name: "machine",
        what: "each way in which `nx run` can end, with a real QEMU",
        run: machine::run,
        list: machine::list,
    });
    suites.push(Suite {
        name: "link",
        what: "terminals that look into a running system, also hostile ones",
        run: link::run,
        list: link::list,
    });
    suites.push(Suite {
        name: "boots",
        what: "the production image becomes ready, every time",
        run: boots::run,
        list: boots::list,
    });
    suites.push(Suite {
        name: "machines",
        what: "the production image on other machines: memory, harts, devices",
        run: machines::run,
        list: machines::list,
    });
    suites.push(Suite {
        name: "guides",
        what: "what guides of docs/ tell to do, done to the letter in a copy of the tree",
        run: guides::run,
        list: guides::list,
    });
    suites
}

/// Does what `nx test` says.
pub fn run(house: &House, args: &TestArgs, output: Output) -> Outcome {
    let begun = Instant::now();
    let all = suites(house);
    let filter = args.name.as_deref();
    let named = |suite: &&Suite| filter == Some(suite.name);
    let whole_suite = all.iter().any(|suite| named(&suite));
    let chosen: Vec<&Suite> = match filter {
        None => all.iter().collect(),
        Some(_) if whole_suite => all.iter().filter(named).collect(),
        Some(name) => narrowed(house, &all, name, args.full),
    };
    if args.list {
        return list(house, args, &chosen, output);
    }
    let mut bench = Bench {
        house,
        output,
        full: args.full,
        filter,
        whole_suite,
        reports: Vec::new(),
        skipped: Vec::new(),
    };
    let whole = filter.is_none() || whole_suite;
    for suite in chosen {
        let key = format!("{}{}", suite.name, if args.full { ".full" } else { "" });
        let about = if whole { timings::about(house, &key) } else { String::new() };
        output.step("suite", &format!("{}: {}{about}", suite.name, suite.what));
        let (suite_begun, before) = (Instant::now(), bench.failed());
        let done = (suite.run)(&mut bench);
        if whole && done.is_ok() && bench.failed() == before {
            timings::note(house, &key, suite_begun.elapsed());
        }
        if let Err(failure) = done {
            if failure.exit == Exit::Interrupted || interrupt::seen() {
                return Err(failure);
            }
            // A suite that cannot run is a failed test, and no reason to leave the others out.
            let repeat = format!("./nx test {}", suite.name);
            let name = String::from("runs");
            bench.report(Report {
                suite: suite.name,
                name,
                passed: false,
                detail: failure.to_string(),
                repeat,
                took: None,
            });
        }
    }
    finish(&bench, begun)
}

/// What a whole suite came to.
pub struct Evidence {
    /// Tests that passed.
    pub passed: usize,
    /// Those that did not, and suites that could not run here.
    pub failed: Vec<String>,
}

/// Whether this tree has a suite of that name.
pub fn has_suite(house: &House, name: &str) -> bool {
    suites(house).iter().any(|suite| suite.name == name)
}

/// Runs the quick lane of a whole suite.
pub fn evidence(house: &House, name: &str, output: Output) -> Outcome<Evidence> {
    let mut bench = Bench {
        house,
        output,
        full: false,
        filter: Some(name),
        whole_suite: true,
        reports: Vec::new(),
        skipped: Vec::new(),
    };
    for suite in suites(house).iter().filter(|suite| suite.name == name) {
        (suite.run)(&mut bench)?;
    }
    let (passed, failed): (Vec<_>, Vec<_>) = bench.reports.iter().partition(|report| report.passed);
    let failed = failed.iter().map(|report| format!("{}::{}", report.suite, report.name));
    let skipped = bench.skipped.iter().map(|(suite, why)| format!("{suite} was not run: {why}"));
    Ok(Evidence { passed: passed.len(), failed: failed.chain(skipped).collect() })
}

/// The suites that a name is looked for in: all of them, unless it is the whole name of a test in one that knows its
/// names without building anything. So repeating one test does not compile all the others.
fn narrowed<'a>(house: &House, all: &'a [Suite], name: &str, full: bool) -> Vec<&'a Suite> {
    let knows = |suite: &&Suite| {
        LISTED_AT_ONCE.contains(&suite.name)
            && (suite.list)(house, full).is_ok_and(|names| names.iter().any(|known| known == name))
    };
    let knowing: Vec<&Suite> = all.iter().filter(knows).collect();
    if knowing.is_empty() { all.iter().collect() } else { knowing }
}

fn finish(bench: &Bench, begun: Instant) -> Outcome {
    let Bench { reports, filter, output, skipped, .. } = bench;
    let failed = reports.iter().filter(|report| !report.passed).count();
    let passed = reports.len() - failed;
    output.line(&format!("{passed} passed, {failed} failed"));
    let values: Vec<Value> = reports.iter().map(value).collect();
    let seconds = begun.elapsed().as_secs_f64();
    let skipped_values: Vec<Value> =
        skipped.iter().map(|(suite, why)| json!({ "suite": suite, "why": why })).collect();
    output.value(&json!({
        "passed": passed, "failed": failed, "seconds": seconds, "tests": values, "skipped": skipped_values,
    }));
    match (failed, passed, filter) {
        (0, 0, Some(part)) if skipped.is_empty() => {
            Err(Failure::new(Exit::Failed, format!("no test has `{part}` in its name"), "nx test --list"))
        }
        (0, _, _) => Ok(()),
        _ => {
            let names =
                reports.iter().filter(|report| !report.passed).map(|r| format!("{}::{}", r.suite, r.name));
            Err(Failure::new(
                Exit::Failed,
                format!("failed: {}", names.collect::<Vec<_>>().join(", ")),
                "each has its `repeat:` line above",
            ))
        }
    }
}

fn value(report: &Report) -> Value {
    json!({
        "suite": report.suite,
        "name": report.name,
        "passed": report.passed,
        "detail": report.detail,
        "repeat": report.repeat,
        "seconds": report.took.map(|took| took.as_secs_f64()),
    })
}

fn list(house: &House, args: &TestArgs, suites: &[&Suite], output: Output) -> Outcome {
    let mut values = Vec::new();
    for suite in suites {
        for name in (suite.list)(house, args.full)? {
            let whole = args.name.as_deref() == Some(suite.name);
            if whole
                || args.name.as_deref().is_none_or(|part| name.contains(part) || suite.name.contains(part))
            {
                output.line(&format!("{}::{name}", suite.name));
                values.push(json!({ "suite": suite.name, "name": name }));
            }
        }
    }
    output.value(&json!(values));
    Ok(())
}
