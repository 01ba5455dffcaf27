//! The race lane: the test image on several harts in real time, where nothing is exact, and the storm alone on as many for long.
//!
//! It runs when it is asked for by name, or with everything: a machine with fewer processors than the guest has harts needs long for it, and
//! a quick lane must not depend on luck.

use std::time::{Duration, Instant};

use super::device::{CLOCK, TEST_DEVICES, boot};
use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::options::{Options, Virtio};
use crate::machine::watch::Watcher;
use crate::timings;

const SUITE: &str = "race";

/// What is run again and again.
struct Kind {
    /// Its name; a number comes behind it.
    name: &'static str,
    variant: Variant,
    times: usize,
    times_full: usize,
    /// Of so many one has eight harts, the others have four.
    wide: usize,
    limit: Duration,
}

/// Two million operations of the storm, then everything.
const KINDS: [Kind; 2] = [
    Kind {
        name: "storm",
        variant: Variant::Storm,
        times: 2,
        times_full: 10,
        wide: 2,
        limit: Duration::from_secs(900),
    },
    Kind {
        name: "run",
        variant: Variant::Test,
        times: 3,
        times_full: 24,
        wide: 4,
        limit: Duration::from_secs(200),
    },
];

impl Kind {
    fn names(&self, full: bool) -> impl Iterator<Item = (usize, String)> {
        let (name, times) = (self.name, if full { self.times_full } else { self.times });
        (1..=times).map(move |time| (time, format!("{name}-{time}")))
    }
}

/// Runs what is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    if !bench.full && bench.filter.is_none() {
        return Ok(());
    }
    for kind in &KINDS {
        let wanted: Vec<_> = kind.names(bench.full).filter(|(_, name)| bench.wants(SUITE, name)).collect();
        if wanted.is_empty() {
            continue;
        }
        let built = build::build(bench.house, kind.variant, bench.output)?;
        let mut options = Options::new(&built.folder, 4).with_scratch();
        options.extra.extend(CLOCK.map(String::from));
        options.devices.retain(|device| *device != Virtio::Net);
        options.devices.splice(0..0, TEST_DEVICES);
        options.log = Some(bench.house.log(SUITE)?);
        for (time, name) in wanted {
            options.smp = if time % kind.wide == 0 { 8 } else { 4 };
            let report = once(bench, kind, &name, &options)?;
            bench.report(report);
        }
    }
    Ok(())
}

/// One boot to its end.
fn once(bench: &Bench, kind: &Kind, name: &str, options: &Options) -> Outcome<Report> {
    let begun = Instant::now();
    let work = format!("{SUITE} {}", kind.name);
    let about = timings::last(bench.house, &work);
    let device = boot(options, kind.limit, Watcher::telling(bench.output, SUITE, name, about))?;
    let failed: Vec<String> =
        device.tests.iter().filter_map(|(name, why)| Some(format!("{name}: {}", why.as_ref()?))).collect();
    let passed = failed.is_empty() && device.complaint.is_none();
    if passed {
        timings::note(bench.house, &work, begun.elapsed());
    }
    let detail = match passed {
        true => format!("{} tests on {} harts", device.tests.len(), options.smp),
        false => failed.into_iter().chain(device.complaint).collect::<Vec<_>>().join("\n"),
    };
    let took = Some(begun.elapsed());
    Ok(Report { suite: SUITE, name: name.into(), passed, detail, repeat: device.command, took })
}

/// Names of its runs.
pub fn list(_house: &House, full: bool) -> Outcome<Vec<String>> {
    Ok(KINDS.iter().flat_map(|kind| kind.names(full)).map(|(_, name)| name).collect())
}
