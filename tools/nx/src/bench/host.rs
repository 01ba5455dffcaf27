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
const LIMIT: Duration = Duration::from_secs(20);
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

/// Instructions until ready. Under exact counting an instruction is a nanosecond of the guest's clock, and nexus-init
/// tells the clock when all are ready; a system that does not tell has no figure.
fn instructions(options: &Options) -> Outcome<Option<Figure>> {
    let mut options = options.clone();
    options.icount = true;
    let mut roster: Roster = roster(&options.image)?;
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::default();
    let mut told = None;
    let mut ready_at = None;
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        roster.note(line);
        told = told.or(nanoseconds(&line.text));
        ready_at = ready_at.or(roster.ready_at().map(|_| Instant::now()));
        ready_at.is_some() && told.is_some()
    });
    match verdict {
        Verdict::Done => {}
        Verdict::TimedOut if ready_at.is_some() => {}
        other => return Err(watcher.failure(&other, &mut machine, "ready", LIMIT.as_secs())),
    }
    Ok(Figure::of("boot.ready_insns", "instructions", told.into_iter().collect()))
}

/// The time in `nexus-init: all ready at tick T, HZ a second`, in nanoseconds.
fn nanoseconds(line: &str) -> Option<f64> {
    let (ticks, rate) = line.split_once("nexus-init: all ready at tick ")?.1.split_once(", ")?;
    let rate: f64 = rate.strip_suffix(" a second")?.parse().ok()?;
    Some(ticks.parse::<f64>().ok()? * 1e9 / rate)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_is_read_from_the_line_of_init() {
        let line = "nexus-init: all ready at tick 250000, 10000000 a second";
        assert_eq!(super::nanoseconds(line), Some(25_000_000.0));
        assert_eq!(super::nanoseconds("nexus-init: ready"), None);
    }
}
