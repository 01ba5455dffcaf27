//! The power fails at every write that a machine made to its disk. QEMU writes down what the disk saw; from that every disk is made that a cut could
//! have left, the same engine as on the device mounts it, and what it finds must be the row of changes (`tests/state-work`) up to some point:
//! none before what was promised, none half done, nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nexus_state::engine::{Error as Engine, Store};
use nexus_state::rules::{Access, EXTRA, MAX_LIST, State};
use powercut::{Cuts, Disk, Event, images};
use state_work::{Contents, HARD, Work};
use xxhash_rust::xxh3::Xxh3Default;

use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Failure, Outcome};
use crate::machine::options::Options;
use crate::machine::vault::Vault;
use crate::machine::watch::{Verdict, Watcher};
use crate::machine::{Ended, Machine, disk, write_log};
use crate::state::image::Partition;

const SUITE: &str = "powercut";
const NAMES: [&str; 2] = ["every-write", "flushes-dropped"];

/// What `tests/system.cuts.toml` says.
const CHANGES: usize = 600;
const SEED: u64 = 1;

/// A small disk, so that the log is full often and checkpoints are many.
const DISK_BYTES: u64 = 4 << 20;

const LIMIT: Duration = Duration::from_secs(60);

/// Images that are judged at least, in the quick lane and with `--full`.
const LEAST: usize = 300;
const LEAST_FULL: usize = 10_000;

/// For each image whose recovery is cut as well, so many go by.
const AGAIN: usize = 20;

/// Of the images of a lying disk, each how many-th is judged.
const SHARE: usize = 15;

/// The service that did the changes, and the rules as the host reads them.
const SERVICE: u32 = 65_630;

/// The names of the suite.
pub fn list(_house: &crate::house::House, _full: bool) -> Outcome<Vec<String>> {
    Ok(NAMES.map(String::from).to_vec())
}

/// Runs it.
pub fn run(bench: &mut Bench) -> Outcome {
    let wanted = NAMES.map(|name| bench.wants(SUITE, name));
    if !wanted.contains(&true) {
        return Ok(());
    }
    let begun = Instant::now();
    let recorded = recorded(bench)?;
    for (name, _) in NAMES.into_iter().zip(wanted).filter(|(_, wanted)| *wanted) {
        let judged = recorded.clone().and_then(|(before, events)| {
            if name == NAMES[0] { every(&before, &events, bench.full) } else { caught(&before, events) }
        });
        let passed = judged.is_ok();
        let detail = judged.unwrap_or_else(|what| what);
        let (name, repeat) = (name.to_string(), format!("nx test {name}"));
        bench.report(Report { suite: SUITE, name, passed, detail, repeat, took: Some(begun.elapsed()) });
    }
    Ok(())
}

/// The partition as it was at first, and what was done to it.
type Recorded = (Vec<u8>, Vec<Event>);

/// Lets a machine do its changes.
fn recorded(bench: &Bench) -> Outcome<Result<Recorded, String>> {
    let folder = build::build(bench.house, Variant::Cuts, bench.output)?.folder;
    let place = bench.house.folder(SUITE)?;
    let (image, log) = (place.join("disk.img"), place.join("writes.log"));
    disk::make(&image, DISK_BYTES, false)?;
    let failed = |path: &Path, error| Failure::host(path.display(), &error);
    fs::File::create(&log).and_then(|file| file.set_len(256 << 20)).map_err(|error| failed(&log, error))?;
    let (first, length) = Partition::open(&image, false)?.place();
    let mut options = Options::new(&folder, 1);
    options.disk = Some(image.clone());
    options.write_log = Some(log.clone());
    // Nobody but the client changes anything.
    options.vault = Vault::None;
    options.log = Some(bench.house.log(SUITE)?);
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::telling(bench.output, SUITE, "a machine changes its disk", None);
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |_| false);
    if !matches!(verdict, Verdict::Ended(Ended::Code(0))) {
        let failure = watcher.failure(&verdict, &mut machine, "the end", LIMIT.as_secs());
        return if matches!(verdict, Verdict::Interrupted) { Err(failure) } else { Ok(Err(failure.what)) };
    }
    drop(machine);
    let events = write_log::load(&log, first, length)?;
    remove(&[log]);
    Ok(Ok((vec![0; length as usize], events)))
}

/// Files that nobody needs any more.
fn remove(files: &[PathBuf]) {
    for file in files {
        // What cannot be removed is overwritten the next time.
        let _ = fs::remove_file(file);
    }
}

type Sum = u64;

fn sum(values: impl Iterator<Item = (String, Vec<u8>)>) -> Sum {
    let mut all = Xxh3Default::new();
    for (path, bytes) in values {
        all.update(&(path.len() as u64).to_le_bytes());
        all.update(path.as_bytes());
        all.update(&(bytes.len() as u64).to_le_bytes());
        all.update(&bytes);
    }
    all.digest()
}

fn sum_of(contents: &Contents) -> Sum {
    // The order of a list: the first database, then the other one; `/` before everything else.
    let mut paths: Vec<&String> = contents.keys().collect();
    paths.sort_by_key(|path| (path.starts_with("boot"), path.replace('/', "\u{1}")));
    sum(paths.into_iter().map(|path| (path.clone(), contents[path].bytes())))
}

/// From which change on, and up to which, there is what was found.
type Span = (usize, usize);

/// Who knows what may be on a disk.
struct Judge {
    /// The changes after which there are these contents.
    known: BTreeMap<Sum, Vec<usize>>,
    /// After so many events: what is there when nothing is lost, and how many changes are surely safe.
    whole: Vec<Span>,
    safe: Vec<usize>,
}

impl Judge {
    fn new(before: &[u8], events: &[Event]) -> Result<Judge, String> {
        let mut work = Work::new(SEED);
        let mut known: BTreeMap<Sum, Vec<usize>> = BTreeMap::new();
        known.entry(sum_of(&work.now)).or_default().push(0);
        for number in 1..=CHANGES {
            work.advance();
            known.entry(sum_of(&work.now)).or_default().push(number);
        }
        let mut judge = Judge { known, whole: Vec::new(), safe: Vec::new() };
        let (mut image, mut flushed) = (before.to_vec(), 0);
        for number in 0..=events.len() {
            // Contents may be there more than once in the row: it is the next time that is meant.
            let found = judge.contents(&image)?;
            let last = judge.whole.last().map_or(0, |(least, _)| *least);
            let after = found.iter().copied().filter(|change| *change >= last);
            let (Some(least), Some(most)) = (after.clone().min(), run_from(after)) else {
                return Err(format!("after {number} events there is less than before"));
            };
            judge.whole.push((least, most));
            // A change begins when the one before is safe.
            judge.safe.push(flushed.max(least.saturating_sub(1)));
            match events.get(number) {
                Some(Event::Write(at, data)) => image[*at as usize..][..data.len()].copy_from_slice(data),
                Some(Event::Flush) => flushed = least,
                None => {}
            }
        }
        match judge.whole.last() {
            Some((_, CHANGES)) => Ok(judge),
            other => Err(format!("at the end {other:?} of {CHANGES} changes are there")),
        }
    }

    /// After which changes there is what this image has.
    fn contents(&self, image: &[u8]) -> Result<&[usize], String> {
        let store = match Store::mount(Disk::of(image.to_vec()), 64) {
            Ok((store, _)) => store,
            Err((_, Engine::Unformatted)) => return Ok(&self.known[&sum(std::iter::empty())]),
            Err((_, error)) => return Err(format!("it cannot be mounted: {error:?}")),
        };
        let rules = format!("0::rws 0:boot:rw {SERVICE}#{HARD}/{HARD}");
        let access = Access::read(&rules).ok_or("no rules")?;
        let mut state = State::new(store, access, 1).map_err(|error| format!("charges: {error:?}"))?;
        let (mut values, mut after, mut charge) = (Vec::new(), None, 0);
        loop {
            let listed = state.list(0, "", after.as_ref(), MAX_LIST);
            let (entries, next) = listed.map_err(|error| format!("it cannot be listed: {error:?}"))?;
            for entry in entries {
                let path = entry.path.as_str().to_string();
                let got = state.get(0, &entry.path, 0, usize::MAX);
                let (bytes, _) = got.map_err(|error| format!("{path}: {error:?}"))?;
                charge += (path.len() + bytes.len()) as u64 + EXTRA;
                values.push((path, bytes));
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let held: u64 = state.store().snapshots().map(|snapshot| u64::from(snapshot.pages) * 4096).sum();
        if state.used(SERVICE) != charge + held {
            return Err(format!("{} is charged for {charge} and {held}", state.used(SERVICE)));
        }
        let checked = state.store_mut().check().map_err(|error| format!("check: {error:?}"))?;
        if !checked.damage.is_empty() || checked.lost + checked.unmapped > 0 {
            return Err(format!("damaged: {checked:?}"));
        }
        let found = sum(values.into_iter());
        self.known.get(&found).map(Vec::as_slice).ok_or_else(|| "what is there never was".into())
    }

    /// Whether an image may be what a cut behind so many events leaves.
    fn judge(&self, image: &[u8], after: usize) -> Result<(), String> {
        let found = self.contents(image).map_err(|what| format!("cut after {after} events: {what}"))?;
        let (least, most) = (self.safe[after], self.whole[after].1);
        if found.iter().any(|change| (least..=most).contains(change)) {
            return Ok(());
        }
        Err(format!(
            "cut after {after} events: change {found:?} is there; {least} was promised, {most} was the newest"
        ))
    }
}

/// The last of the numbers that follow each other from the first on.
fn run_from(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    let first = *numbers.first()?;
    Some(numbers.iter().zip(first..).take_while(|(number, expected)| *number == expected).count() + first - 1)
}

/// Every image of an honest disk is judged, and of some of them every image of the recovery.
fn every(before: &[u8], events: &[Event], full: bool) -> Result<String, String> {
    let judge = Judge::new(before, events)?;
    let (mut wrong, mut judged, mut again) = (None, 0, 0);
    let (subsets, stride) = if full { (24, 1) } else { (4, 12) };
    let cuts = Cuts { subsets, seed: SEED, stride };
    let made = images(before, events, cuts, |image, after| {
        judged += 1;
        let mut outcome = judge.judge(image, after);
        if judged % AGAIN == 0 {
            let disk = Disk::of(image.to_vec()).recorded();
            if let Ok((store, _)) = Store::mount(disk, 64) {
                let recovery = store.medium().events.clone().unwrap_or_default();
                let cuts = Cuts { subsets: 2, seed: SEED, stride: 1 };
                again += images(image, &recovery, cuts, |image, _| {
                    if outcome.is_ok() {
                        outcome = judge.judge(image, after).map_err(|what| format!("cut again: {what}"));
                    }
                });
            }
        }
        if let Err(what) = outcome {
            wrong.get_or_insert(what);
        }
    });
    let least = if full { LEAST_FULL } else { LEAST };
    match wrong {
        Some(what) => Err(what),
        None if judged < least => Err(format!("only {judged} images of {made} were judged")),
        None => Ok(format!("{made} distinct images, {judged} judged, {again} of a recovery")),
    }
}

/// A disk that answers flushes and does not do them must not pass: the same writes, and no flush between them.
fn caught(before: &[u8], mut events: Vec<Event>) -> Result<String, String> {
    events.retain(|event| *event != Event::Flush);
    let judge = Judge::new(before, &events)?;
    let (mut bad, mut judged, mut seen) = (0, 0, 0);
    images(before, &events, Cuts { subsets: 100, seed: SEED, stride: 1 }, |image, after| {
        // Those of which something in the middle is missing, and of these a share.
        seen += usize::from(after == events.len());
        if after == events.len() && seen % SHARE == 0 {
            judged += 1;
            bad += usize::from(judge.judge(image, after).is_err());
        }
    });
    if bad > judged / 20 {
        Ok(format!("{bad} of {judged} images are refused"))
    } else {
        Err(format!("only {bad} of {judged} images of a lying disk are refused"))
    }
}
