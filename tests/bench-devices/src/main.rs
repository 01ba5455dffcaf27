//! Takes the figures of devices: the driver of the disk beside a bare loop over a second disk, the way of an interrupt, the restart of a
//! driver; told `state`, those of `/state` on a disk that holds keys already. What each row counts is in `docs/performance.md`.
//!
//! It takes all rows on every machine; those in instructions hold under exact counting alone, those in time without it. It writes to
//! the console past the log, so that nothing stands before a figure. What must never happen: a figure of what was not done.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

#[cfg(target_os = "none")]
mod bare;
#[cfg(target_os = "none")]
mod rows;
#[cfg(target_os = "none")]
mod spin;
#[cfg(target_os = "none")]
mod state;

use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use nexus_driver::Grants;
use nexus_rt::console::Console;
use nexus_rt::{Channel, Owned, ResourceKind, Startup};

nexus_rt::main!(run);

/// What was not done, and why.
type Step = Result<(), String>;

/// Any refusal as text, with what was tried.
pub fn why<T, E: Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// Prints figures and counts them.
pub struct Report {
    console: Console,
    printed: usize,
}

impl Report {
    fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.write(&format!("{line}\n"));
    }

    /// One row.
    pub fn figure(&mut self, name: &str, unit: &str, counts: &mut [u64]) {
        counts.sort_unstable();
        let (Some(min), Some(max)) = (counts.first(), counts.last()) else { return };
        let median = counts[counts.len() / 2];
        self.say(&format!("BENCH {name} {unit} {min} {median} {max} {}", counts.len()));
        self.printed += 1;
    }

    /// A row that is what so many came to altogether, divided by their number.
    pub fn share(&mut self, name: &str, unit: &str, all: u64, count: usize) {
        let hundredths = all * 100 / count.max(1) as u64;
        let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        self.say(&format!("BENCH {name} {unit} {value} {value} {value} {count}"));
        self.printed += 1;
    }
}

fn run(mut startup: Startup) -> u64 {
    let Some(reset) = startup.take::<ResourceKind>("reset") else { return 3 };
    let Some(supervisor) = startup.take("supervise") else { return 3 };
    let grants = Grants::take(&mut startup);
    startup.ready();
    let mut report = Report { console: Console::default(), printed: 0 };
    let done = measure(&startup, grants, &supervisor, &mut report);
    match &done {
        Ok(()) => report.say(&format!("BENCH-END {}", report.printed)),
        Err(reason) => report.say(&format!("bench: {reason}")),
    }
    let _ = report.console.drain();
    let _ = reset.reset(done.is_err() as u64);
    4
}

/// What the grants of a device come to where there is none.
type Granted<E> = Result<Grants, E>;

#[cfg(target_os = "none")]
fn measure<E: Debug>(
    startup: &Startup,
    grants: Granted<E>,
    supervisor: &Owned<Channel>,
    report: &mut Report,
) -> Step {
    match startup.args() {
        "state" => state::all(supervisor, report),
        _ => rows::all(startup, why("grants", grants)?, supervisor, report),
    }
}

#[cfg(not(target_os = "none"))]
fn measure<E>(_: &Startup, _: Granted<E>, _: &Owned<Channel>, _: &mut Report) -> Step {
    Err("figures are counted on the device".into())
}
