//! Figures that the guest counts: the bench image prints `BENCH name unit min median max n` for each, then
//! `BENCH-END n` with their number, and ends the machine with 0. Where a row can be recounted it also prints
//! `BENCH-MARK name start-pc end-pc`, and for one that could not be taken `BENCH-LEFT-OUT name: why`.

use std::time::{Duration, Instant};

use super::Figure;
use crate::build;
use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::machine::options::{Options, Virtio};
use crate::machine::watch::{Verdict, Watcher};
use crate::machine::{Ended, Machine};
use crate::output::Output;
use crate::test::said;
use crate::timings;

const LIMIT: Duration = Duration::from_secs(300);

/// Where a figure's code begins and ends in the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The figure.
    pub name: String,
    /// Address of the first instruction that counts.
    pub start: u64,
    /// Address of the first instruction that does not count any more.
    pub end: u64,
}

/// What the bench image said.
#[derive(Debug)]
pub struct Run {
    /// Its figures.
    pub figures: Vec<Figure>,
    /// Its marks.
    pub marks: Vec<Mark>,
    /// The machine, to run it again.
    pub options: Options,
}

/// A machine that figures are taken on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// One hart, instructions counted: the same on every host.
    Exact,
    /// Two harts in real time.
    Harts,
}

impl Lane {
    fn variant(self) -> Variant {
        match self {
            Lane::Exact => Variant::Bench,
            Lane::Harts => Variant::Harts,
        }
    }

    /// Whether there is an image for it.
    pub fn exists(self, house: &House) -> bool {
        house.additions(self.variant()).is_some_and(|path| path.is_file())
    }
}

/// Boots the image of a lane and reads it to its end.
pub fn run(house: &House, lane: Lane, output: Output) -> Outcome<Run> {
    let built = build::build(house, lane.variant(), output)?;
    let name = lane.variant().name();
    let mut options = Options::new(&built.folder, if lane == Lane::Exact { 1 } else { 2 });
    options.icount = lane == Lane::Exact;
    // What comes over a network comes when it likes, also in the middle of what is counted.
    options.devices.retain(|device| *device != Virtio::Net);
    options.log = Some(house.log(&format!("{name}-log"))?);
    let how = match lane {
        Lane::Exact => "one hart, instructions counted exactly",
        Lane::Harts => "two harts, in real time",
    };
    output.step("bench", &format!("the {name} image, {how}"));
    let mut machine = Machine::start(&options)?;
    let begun = Instant::now();
    let about = timings::last(house, name);
    let mut watcher = Watcher::telling(output, "bench", &format!("the {name} image runs"), about);
    let (mut figures, mut marks, mut end) = (Vec::new(), Vec::new(), None);
    let mut left_out = Vec::new();
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        let text = said(&line.text);
        figures.extend(figure(text));
        marks.extend(mark(text));
        left_out.extend(text.strip_prefix("BENCH-LEFT-OUT ").map(String::from));
        end = end.or(text.strip_prefix("BENCH-END ").and_then(|count| count.parse::<usize>().ok()));
        false
    });
    match verdict {
        Verdict::Ended(Ended::Code(0)) if end == Some(figures.len()) && !figures.is_empty() => {
            timings::note(house, name, begun.elapsed());
            left_out.iter().for_each(|why| output.step("left out", why));
            Ok(Run { figures, marks, options })
        }
        Verdict::Ended(Ended::Code(0)) => {
            let what = format!("{} figures were seen, the image says {end:?}", figures.len());
            Err(Failure::new(
                Exit::Failed,
                format!("{what}\n{}", watcher.last_lines()),
                format!("repeat: {}", machine.command),
            ))
        }
        other => Err(watcher.failure(&other, &mut machine, "ended with its figures", LIMIT.as_secs())),
    }
}

/// The figure in a line of such an image.
pub fn figure(text: &str) -> Option<Figure> {
    let words: Vec<&str> = text.strip_prefix("BENCH ")?.split_whitespace().collect();
    let [name, unit, min, median, max, n] = words.as_slice() else { return None };
    let number = |word: &str| word.parse::<f64>().ok();
    Some(Figure {
        name: name.to_string(),
        unit: unit.to_string(),
        min: number(min)?,
        median: number(median)?,
        max: number(max)?,
        n: n.parse().ok()?,
    })
}

fn mark(text: &str) -> Option<Mark> {
    let words: Vec<&str> = text.strip_prefix("BENCH-MARK ")?.split_whitespace().collect();
    let [name, start, end] = words.as_slice() else { return None };
    let address = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    Some(Mark { name: name.to_string(), start: address(start)?, end: address(end)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_marks_are_read_whole_or_not_at_all() {
        let read = figure("BENCH ipc.round_trip.0w instructions 240 241 260 1000").unwrap();
        assert_eq!((read.name.as_str(), read.min, read.n), ("ipc.round_trip.0w", 240.0, 1000));
        assert_eq!(figure("BENCH ipc instructions 1 2 3"), None);
        assert_eq!(figure("BENCH ipc instructions 1 2 3 x"), None);
        assert_eq!(mark("BENCH-MARK a 0x10 0x20"), Some(Mark { name: "a".into(), start: 16, end: 32 }));
        assert_eq!(mark("BENCH-MARK a 10 20"), None);
    }
}
