//! Counts the instructions of the kernel's operations under exact instruction counting. What each row counts is in
//! `docs/performance.md`.
//!
//! It writes to the console past the log, so that nothing stands before a figure. What must never happen: a figure of a call that
//! did not do what it is a figure of.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

#[cfg(target_os = "none")]
mod faults;
#[cfg(target_os = "none")]
mod harts;
#[cfg(target_os = "none")]
mod measure;
#[cfg(target_os = "none")]
mod rows;

use alloc::format;
use alloc::string::String;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_rt::console::Console;
use nexus_rt::{IdentityKind, Owned, ResourceKind, Startup, clock};

nexus_rt::main!(run);

/// Prints figures and counts them.
pub struct Report {
    console: Console,
    printed: usize,
}

impl Report {
    /// A line that is no figure.
    pub fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.write(&format!("{line}\n"));
    }

    /// One row of instructions.
    pub fn figure(&mut self, name: &str, counts: &mut [u64]) {
        self.row(name, "instructions", counts);
    }

    /// One row.
    pub fn row(&mut self, name: &str, unit: &str, values: &mut [u64]) {
        self.print(name, unit, values, |value| format!("{value}"));
    }

    /// One row of values in hundredths.
    pub fn hundredths(&mut self, name: &str, unit: &str, values: &mut [u64]) {
        self.print(name, unit, values, |value| format!("{}.{:02}", value / 100, value % 100));
    }

    fn print(&mut self, name: &str, unit: &str, values: &mut [u64], show: fn(u64) -> String) {
        values.sort_unstable();
        let (Some(min), Some(max)) = (values.first(), values.last()) else { return };
        let [min, median, max] = [*min, values[values.len() / 2], *max].map(show);
        self.say(&format!("BENCH {name} {unit} {min} {median} {max} {}", values.len()));
        self.printed += 1;
    }

    /// Where a row's code begins and ends.
    pub fn mark(&self, name: &str, (start, end): (u64, u64)) {
        self.say(&format!("BENCH-MARK {name} {start:#x} {end:#x}"));
    }
}

/// Says when this program began, right after everything else was ready, and what memory nobody held then.
fn boot(mut startup: Startup) -> u64 {
    let now = clock::now();
    let Some(stats) = startup.take::<ResourceKind>("kernel-stats") else { return 3 };
    let Ok(stats) = stats.stats() else { return 4 };
    let free = stats.frames_free * PAGE_SIZE as u64;
    let line = format!("BENCH-BOOT {now} ticks of {} a second, {free} bytes free\n", clock::timebase());
    let told = Console::default().write(&line);
    startup.ready();
    told.is_err() as u64
}

fn run(mut startup: Startup) -> u64 {
    match startup.args() {
        "boot" => return boot(startup),
        "follow" => return follow(&startup),
        _ => {}
    }
    let Some(reset) = startup.take::<ResourceKind>("reset") else { return 3 };
    let identity = startup.take::<IdentityKind>("identity");
    startup.ready();
    let mut report = Report { console: Console::default(), printed: 0 };
    let done = measure_all(&startup, identity.as_ref(), &mut report);
    match &done {
        Ok(()) => report.say(&format!("BENCH-END {}", report.printed)),
        Err(reason) => report.say(&format!("bench: {reason}")),
    }
    let _ = report.console.drain();
    let _ = reset.reset(done.is_err() as u64);
    4
}

#[cfg(target_os = "none")]
fn measure_all(
    startup: &Startup,
    identity: Option<&Owned<IdentityKind>>,
    report: &mut Report,
) -> Result<(), String> {
    if startup.args() == "lead" { harts::lead(startup, report) } else { rows::all(startup, identity, report) }
}

#[cfg(target_os = "none")]
fn follow(startup: &Startup) -> u64 {
    harts::follow(startup)
}

#[cfg(not(target_os = "none"))]
fn follow(_startup: &Startup) -> u64 {
    3
}

#[cfg(not(target_os = "none"))]
fn measure_all(
    _startup: &Startup,
    _identity: Option<&Owned<IdentityKind>>,
    _report: &mut Report,
) -> Result<(), String> {
    Err("figures are counted on the device".into())
}
