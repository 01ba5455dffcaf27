//! Figures that only the host can take: how long a boot lasts, how large the image is, what an idle system costs.

use std::time::{Duration, Instant};

use super::Figure;
use super::timeline::{self, Timeline};
use crate::build::{self, Built};
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::watch::{Roster, Verdict, Watcher};
use crate::output::Output;
use crate::run::roster;
use crate::test::said;

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
        figures.extend(image_of(&built));
    }
    if wants("boot") {
        output.step("bench", "boot.ready_ms, boot.ready_insns and boot.ram_bytes");
        let options = Options::new(&built.folder, 1);
        let (mut times, mut boots) = (Vec::new(), Vec::new());
        for _ in 0..BOOTS {
            let (_, at, timeline) = ready(&options)?;
            times.push(at.as_secs_f64() * 1000.0);
            boots.push(timeline);
        }
        figures.extend(timeline::figures(&boots));
        figures.extend(Figure::of("boot.ready_ms", "ms", times));
        figures.extend(at_ready(house, output)?);
    }
    if wants("idle") {
        for harts in [1, 4] {
            let window = if quick { IDLE_QUICK } else { IDLE };
            output.step("bench", &format!("idle.host_cpu_pct, {harts} hart(s), {} s", window.as_secs()));
            let (mut machine, ..) = ready(&Options::new(&built.folder, harts))?;
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
            // At the most: what the host's account is too coarse to show may have been used as well.
            let used = used.map(|used| used + Machine::cpu_grain_ms());
            let percent = used.map(|used| used as f64 / begun.elapsed().as_millis() as f64 * 100.0);
            let name = if harts == 1 { "idle.host_cpu_pct" } else { "idle.host_cpu_pct.4harts" };
            figures.extend(Figure::of(name, "percent of a host core", percent.into_iter().collect()));
        }
    }
    Ok(figures)
}

/// The size of the boot image that users get.
pub fn image(house: &House, output: Output) -> Outcome<Option<Figure>> {
    Ok(image_of(&build::build(house, Variant::Production, output)?))
}

fn image_of(built: &Built) -> Option<Figure> {
    Figure::of("image.bytes", "bytes", vec![built.image_bytes as f64])
}

/// Boots until every declared process is ready; how long that took from the start of QEMU, and each stage of it.
fn ready(options: &Options) -> Outcome<(Machine, Duration, Timeline)> {
    let mut roster: Roster = roster(&options.image)?;
    let mut machine = Machine::start(options)?;
    let mut watcher = Watcher::default();
    let mut timeline = Timeline::default();
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        timeline.note(line, roster.note(line));
        roster.ready_at().is_some()
    });
    match (verdict, roster.ready_at()) {
        (Verdict::Done, Some(at)) => Ok((machine, at, timeline)),
        (verdict, _) => {
            let waited_for = format!("ready (missing: {})", roster.missing().join(", "));
            Err(watcher.failure(&verdict, &mut machine, &waited_for, LIMIT.as_secs()))
        }
    }
}

/// Instructions until ready, and the memory in use then. Under exact counting an instruction is a nanosecond of the guest's
/// clock. The first program after those of the production image tells; what it costs itself is in the figures.
pub fn at_ready(house: &House, output: Output) -> Outcome<Vec<Figure>> {
    let built = build::build(house, Variant::Bench, output)?;
    let mut options = Options::new(&built.folder, 1);
    options.icount = true;
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::default();
    let mut told = None;
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        told = told.or(boot_line(said(&line.text)));
        told.is_some()
    });
    let Some((nanoseconds, free)) = told else {
        return Err(watcher.failure(&verdict, &mut machine, "ready", LIMIT.as_secs()));
    };
    let used = f64::from(options.memory) * 1024.0 * 1024.0 - free;
    let instructions = Figure::of("boot.ready_insns", "instructions", vec![nanoseconds]);
    Ok(instructions.into_iter().chain(Figure::of("boot.ram_bytes", "bytes", vec![used])).collect())
}

/// The nanoseconds and the free bytes in `BENCH-BOOT T ticks of HZ a second, N bytes free`.
fn boot_line(line: &str) -> Option<(f64, f64)> {
    let (ticks, rest) = line.strip_prefix("BENCH-BOOT ")?.split_once(" ticks of ")?;
    let (rate, free) = rest.strip_suffix(" bytes free")?.split_once(" a second, ")?;
    let number = |text: &str| text.parse::<u64>().ok().map(|number| number as f64);
    Some((number(ticks)? * 1e9 / number(rate)?, number(free)?))
}

#[cfg(test)]
mod tests {
    use super::boot_line;

    #[test]
    fn clock_and_memory_are_read_from_the_line_of_the_first_program_after_the_others() {
        let line = "BENCH-BOOT 250000 ticks of 10000000 a second, 4096 bytes free";
        assert_eq!(boot_line(line), Some((25_000_000.0, 4096.0)));
        for bad in ["BENCH-BOOT x ticks of 1 a second, 1 bytes free", "BENCH-BOOT 1 ticks of 1 a second", ""]
        {
            assert_eq!(boot_line(bad), None, "{bad}");
        }
    }
}
