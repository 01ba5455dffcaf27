//! Figures that only the host can take: how long a boot lasts, how large the image is, what an idle system costs.

use std::time::{Duration, Instant};

use super::Figure;
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::watch::{Roster, Verdict, Watcher};
use crate::output::Output;
use crate::run::roster;

const BOOTS: usize = 11;
const LIMIT: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(30);
const IDLE_QUICK: Duration = Duration::from_secs(5);

/// Takes the figures that are asked for.
pub fn figures(
    house: &House,
    quick: bool,
    wants: &dyn Fn(&str) -> bool,
    output: Output,
) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    if !["boot", "image", "idle"].iter().any(|group| wants(group)) {
        return Ok(figures);
    }
    let built = build::build(house, Variant::Production, output)?;
    if wants("image") {
        figures.extend(Figure::of("image.bytes", "bytes", vec![built.image_bytes as f64]));
    }
    if wants("boot") {
        output.step("bench", "boot.ready_ms and boot.ready_insns");
        let options = Options::new(&built.folder, 1);
        let mut times = Vec::new();
        for _ in 0..BOOTS {
            times.push(ready(&options)?.1.as_secs_f64() * 1000.0);
        }
        figures.extend(Figure::of("boot.ready_ms", "ms", times));
        figures.extend(instructions(&options)?);
    }
    if wants("idle") {
        for harts in [1, 4] {
            let window = if quick { IDLE_QUICK } else { IDLE };
            output.step("bench", &format!("idle.host_cpu_pct, {harts} hart(s), {} s", window.as_secs()));
            let (mut machine, _) = ready(&Options::new(&built.folder, harts))?;
            let before = machine.cpu_ms();
            let mut watcher = Watcher::default();
            let begun = Instant::now();
            let verdict = watcher.watch(&mut machine, Some(begun + window), |_| false);
            if verdict != Verdict::TimedOut {
                return Err(watcher.failure(
                    &verdict,
                    &mut machine,
                    "idle to the end of the window",
                    window.as_secs(),
                ));
            }
            let used = machine.cpu_ms().zip(before).map(|(after, before)| after.saturating_sub(before));
            let percent = used.map(|used| used as f64 / begun.elapsed().as_millis() as f64 * 100.0);
            let name = if harts == 1 { "idle.host_cpu_pct" } else { "idle.host_cpu_pct.4harts" };
            figures.extend(Figure::of(name, "percent of a host core", percent.into_iter().collect()));
        }
    }
    Ok(figures)
}

/// Boots until every declared process is ready; how long that took from the start of QEMU.
fn ready(options: &Options) -> Outcome<(Machine, Duration)> {
    let mut roster: Roster = roster(&options.image)?;
    let mut machine = Machine::start(options)?;
    let mut watcher = Watcher::default();
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        roster.note(line);
        roster.ready_at().is_some()
    });
    match (verdict, roster.ready_at()) {
        (Verdict::Done, Some(at)) => Ok((machine, at)),
        (verdict, _) => {
            let waited_for = format!("ready (missing: {})", roster.missing().join(", "));
            Err(watcher.failure(&verdict, &mut machine, &waited_for, LIMIT.as_secs()))
        }
    }
}

/// Instructions until ready: under exact counting the guest's clock is the count. nexus-init tells it with its own
/// announcement (`[seconds] …` on the line); without a time stamp there is no figure.
fn instructions(options: &Options) -> Outcome<Option<Figure>> {
    let mut options = options.clone();
    options.icount = true;
    let mut roster: Roster = roster(&options.image)?;
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::default();
    let mut last = None;
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        if roster.note(line).is_some() {
            last = stamp(&line.text);
        }
        roster.ready_at().is_some()
    });
    if verdict != Verdict::Done {
        return Err(watcher.failure(&verdict, &mut machine, "ready", LIMIT.as_secs()));
    }
    let values = last.map(|seconds| seconds * 1e9).into_iter().collect();
    Ok(Figure::of("boot.ready_insns", "instructions", values))
}

/// The time stamp `[seconds.fraction]` of a line.
fn stamp(line: &str) -> Option<f64> {
    line.strip_prefix('[')?.split_once(']')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_stamp_is_seconds() {
        assert_eq!(super::stamp("[    0.250] logd: ready"), Some(0.25));
        assert_eq!(super::stamp("logd: ready"), None);
    }
}
