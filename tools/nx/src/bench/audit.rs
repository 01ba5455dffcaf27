//! The recount: QEMU executes one instruction a block and writes each address down; between a client's marks every
//! line is one instruction. This shares nothing with the counter that the guest reads, so that one checks the other.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::Figure;
use super::guest::{Mark, Run};
use super::path::{self, Counts, Sort};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;
use crate::output::{Cell, Output, Paint};
use crate::process::{bound, cannot_start, end_group};
use crate::timings::{self, span};

/// Longest trace that is read.
const LIMIT: Duration = Duration::from_secs(900);

/// Steps between looks at the clock.
const LOOK_EVERY: u64 = 262_144;

/// Counts of one mark.
#[derive(Debug, Default)]
struct Count {
    open: Option<u64>,
    seen: Vec<f64>,
    /// What the kernel executed each time that it was entered, in the passage that is open, and in the last one that was whole.
    visits: Vec<Counts>,
    whole: Vec<Counts>,
    is_inside: bool,
}

/// Where the kernel's half of every address space begins.
const KERNEL: u64 = 1 << 63;

/// Recounts every figure that has a mark; an error when one disagrees. Answers for each what the kernel executed, each time that
/// it was entered.
pub fn check(house: &House, run: &Run, output: Output) -> Outcome<Vec<(Figure, Vec<Counts>)>> {
    if run.marks.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            "the bench image printed no BENCH-MARK",
            "its programs must tell where they count",
        ));
    }
    let about = timings::about(house, "audit");
    output.step("audit", &format!("the same image again, single-stepped{about}"));
    let begun = Instant::now();
    let counts = trace(run, output)?;
    timings::note(house, "audit", begun.elapsed());
    let mut rows = vec![["name", "guest", "trace", ""].map(Cell::from).to_vec()];
    let mut wrong = Vec::new();
    for (mark, seen) in run.marks.iter().zip(counts.iter().map(|count| &count.seen)) {
        let guest = run.figures.iter().find(|figure| figure.name == mark.name);
        let traced = Figure::of(&mark.name, "instructions", seen.clone());
        let agree =
            guest.is_some_and(|g| traced.as_ref().is_some_and(|t| g.min == t.min && g.median == t.median));
        let show = |figure: Option<&Figure>| {
            figure.map_or(String::from("none"), |f| format!("{}/{}", f.min, f.median))
        };
        let verdict = if agree { ("agree", Paint::Good) } else { ("DISAGREE", Paint::Bad) };
        rows.push(vec![
            mark.name.clone().into(),
            show(guest).into(),
            show(traced.as_ref()).into(),
            Cell(verdict.0.into(), verdict.1),
        ]);
        if !agree {
            wrong.push(mark.name.clone());
        }
    }
    output.table(&rows);
    show_sorts(run, &counts, output);
    if wrong.is_empty() {
        let figure = |mark: &Mark| run.figures.iter().find(|figure| figure.name == mark.name).cloned();
        let passages = run.marks.iter().map(figure).zip(counts);
        Ok(passages.filter_map(|(figure, count)| Some((figure?, count.whole))).collect())
    } else {
        Err(Failure::new(Exit::Failed, format!("the counts disagree: {}", wrong.join(", ")), ""))
    }
}

/// What the kernel's instructions are, each time that a passage enters it.
fn show_sorts(run: &Run, counts: &[Count], output: Output) {
    let head = ["in the kernel", "instructions", "loads", "stores", "CSR", "atomics", "fences"];
    let mut rows = vec![head.map(Cell::from).to_vec()];
    for (mark, count) in run.marks.iter().zip(counts) {
        for (n, visit) in count.whole.iter().enumerate() {
            let of = if count.whole.len() > 1 {
                format!(", {} of {}", n + 1, count.whole.len())
            } else {
                String::new()
            };
            let numbers = visit.numbers().map(|number| Cell::from(number.to_string()));
            rows.push(std::iter::once(format!("{}{of}", mark.name).into()).chain(numbers).collect());
        }
    }
    output.table(&rows);
}

/// Runs the machine single-stepped; answers the passages of each mark.
fn trace(run: &Run, output: Output) -> Outcome<Vec<Count>> {
    let kernel = run.options.kernel.with_extension("elf");
    let sorts = std::fs::read(&kernel).ok().and_then(|file| path::sorts(&file)).ok_or_else(|| {
        Failure::new(Exit::Build, format!("{} has no code", kernel.display()), "nx build bench")
    })?;
    let mut options = run.options.clone();
    options.log = None;
    options.extra.extend(["-singlestep", "-d", "exec,nochain", "-D", "/dev/stderr"].map(String::from));
    let words = options.command_line();
    let (program, arguments) = words.split_first().expect("QEMU's name is the first word");
    let mut command = bound(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
    let mut counts: Vec<Count> = run.marks.iter().map(|_| Count::default()).collect();
    let begun = Instant::now();
    let mut outcome = Ok(());
    if let Some(pipe) = child.stderr.take() {
        let mut reader = BufReader::with_capacity(1 << 20, pipe);
        let mut line = Vec::new();
        let mut number = 0u64;
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            if let Some(pc) = pc_of(&line) {
                number += 1;
                let sort = (pc >= KERNEL).then(|| sorts.get(&pc).copied().unwrap_or(Sort::Other));
                for (mark, count) in run.marks.iter().zip(&mut counts) {
                    step(mark, count, pc, number);
                    count.note(sort);
                }
                if number.is_multiple_of(LOOK_EVERY) {
                    let passages: usize = counts.iter().map(|count| count.seen.len()).sum();
                    let so_far = format!("{} million steps, {passages} passages", number / 1_000_000);
                    output.status("audit", &format!("{so_far}, {}", span(begun.elapsed())));
                    if interrupt::seen() {
                        outcome = Err(interrupt::failure("the single-stepped machine is ended"));
                        break;
                    }
                    if begun.elapsed() > LIMIT {
                        let what = format!("the trace did not end within {} s", LIMIT.as_secs());
                        outcome = Err(Failure::new(
                            Exit::Timeout,
                            what,
                            "a busy host needs more time; run it alone",
                        ));
                        break;
                    }
                }
            }
            line.clear();
        }
    }
    end_group(&mut child);
    outcome.map(|()| counts)
}

/// From the first instruction of a mark to just before its end. Other programs have instructions at the same addresses: what never enters
/// the kernel in between is theirs.
fn step(mark: &Mark, count: &mut Count, pc: u64, number: u64) {
    if pc == mark.end
        && let Some(start) = count.open.take()
        && !count.visits.is_empty()
    {
        count.seen.push((number - start) as f64);
        count.whole = std::mem::take(&mut count.visits);
    }
    if pc == mark.start {
        count.open = Some(number);
        count.visits.clear();
        count.is_inside = false;
    }
}

impl Count {
    /// An instruction of the kernel, of this sort, or one of a program.
    fn note(&mut self, sort: Option<Sort>) {
        if self.open.is_none() {
            return;
        }
        if let Some(sort) = sort {
            if !self.is_inside {
                self.visits.push(Counts::default());
            }
            self.visits.last_mut().into_iter().for_each(|visit| visit.add(sort));
        }
        self.is_inside = sort.is_some();
    }
}

/// The address in a line of QEMU's execution trace: `Trace 0: 0x7f… [flags/PC/cs_base/cflags] symbol`.
fn pc_of(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix("Trace ")?;
    let inside = text.split_once('[')?.1.split_once(']')?.0;
    u64::from_str_radix(inside.split('/').nth(1)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_line_has_its_address_in_brackets() {
        let line = b"Trace 0: 0x7f1c [00000000/0000000080000000/b1000060/ff000000] \n";
        assert_eq!(pc_of(line), Some(0x8000_0000));
        assert_eq!(pc_of(b"logd: ready"), None);
    }

    #[test]
    fn a_passage_is_counted_from_its_start_to_before_its_end() {
        let mark = Mark { name: "a".into(), start: 10, end: 20 };
        let mut count = Count::default();
        // The one in the middle is of a program that has something else there.
        let path = [5, 10, 11, KERNEL, KERNEL + 4, 20, 10, 20, 10, KERNEL, 20, 20];
        for (number, pc) in path.into_iter().enumerate() {
            step(&mark, &mut count, pc, number as u64);
            count.note((pc >= KERNEL).then_some(Sort::Other));
        }
        assert_eq!(count.seen, [4.0, 2.0]);
    }

    #[test]
    fn each_entry_of_a_passage_into_the_kernel_is_counted_by_itself() {
        let mark = Mark { name: "a".into(), start: 10, end: 20 };
        let mut count = Count::default();
        let path = [10, KERNEL, KERNEL + 4, 99, KERNEL, 20, KERNEL, 10, KERNEL, 20];
        for (number, pc) in path[..7].iter().enumerate() {
            step(&mark, &mut count, *pc, number as u64);
            count.note((*pc >= KERNEL).then_some(Sort::Load));
        }
        assert_eq!(
            count.whole.iter().map(|visit| (visit.all, visit.loads)).collect::<Vec<_>>(),
            [(2, 2), (1, 1)]
        );
        for (number, pc) in path[7..].iter().enumerate() {
            step(&mark, &mut count, *pc, number as u64);
            count.note((*pc >= KERNEL).then_some(Sort::Store));
        }
        assert_eq!(count.whole.iter().map(|visit| (visit.all, visit.stores)).collect::<Vec<_>>(), [(1, 1)]);
    }
}
