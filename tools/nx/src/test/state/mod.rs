//! `/state` on whole machines. Each ends without a word to anybody, and everything that was promised must be there afterwards: on the next machine, and for
//! the host, which looks at every page of the store with the same code.

mod kills;
mod media;
mod reboots;
mod sealed;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Bench, Device, Report, filled, said};
use crate::bench::{committed, devices, state as figures};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::{DISK_BYTES, Options};
use crate::machine::vault::{Vault, beside};
use crate::machine::watch::Watcher;
use crate::output::Output;
use crate::state::image::Image;

const SUITE: &str = "state";

/// How long a machine may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Values whose memory is taken back, in the quick lane and with `--full`.
const TAKEN: usize = 128;
const TAKEN_FULL: usize = 2_048;

/// What every machine must say, and what every one but the first of a disk.
const PROOFS: [&str; 10] = [
    "statefsd: ready",
    "statefsd: write hardening on (auth-envelope)",
    "SELFTEST: statefs put ok",
    "SELFTEST: statefs unauthorized access rejected",
    "SELFTEST: statefs watch ok",
    "SELFTEST: quota deny ok",
    "SELFTEST: statefs auth put ok",
    "SELFTEST: statefs restart ok",
    "SELFTEST: statefs look ok",
    "SELFTEST: crash record ok",
];
const LASTS: [&str; 3] =
    ["SELFTEST: statefs persist ok", "SELFTEST: device key persist ok", "SELFTEST: bootctl persist ok"];

/// What came of a test: what there is to say, or what is wrong.
type Told = Result<String, String>;

/// A test of the suite.
type Test = fn(&mut Run<'_>) -> Outcome<Told>;

const TESTS: [(&str, Test); 7] = [
    ("reboots", reboots::run),
    ("sealed", sealed::run),
    ("taken-back", taken_back),
    ("memory", memory),
    ("machine-kills", kills::machines),
    ("service-kills", kills::services),
    ("keystored-kills", kills::keeper),
];

/// The names of the suite.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    let media = media::ALL.iter().map(|medium| medium.name);
    Ok(TESTS.iter().map(|(name, _)| *name).chain(media).map(String::from).collect())
}

/// Runs what is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    if !list(bench.house, bench.full)?.iter().any(|name| bench.wants(SUITE, name)) {
        return Ok(());
    }
    let folder = build::build(bench.house, Variant::State, bench.output)?.folder;
    for (name, test) in TESTS {
        one(bench, name, &folder, test)?;
    }
    for medium in &media::ALL {
        one(bench, medium.name, &folder, |run| media::run(run, medium))?;
    }
    Ok(())
}

/// Runs one test, if it is asked for, and reports it.
fn one(
    bench: &mut Bench,
    name: &str,
    folder: &Path,
    test: impl FnOnce(&mut Run<'_>) -> Outcome<Told>,
) -> Outcome {
    if !bench.wants(SUITE, name) {
        return Ok(());
    }
    let begun = Instant::now();
    let mut run = Run::new(bench.house, bench.output, bench.full, folder);
    let told = test(&mut run)?;
    let passed = told.is_ok();
    let (repeat, took) = (run.told.command, Some(begun.elapsed()));
    let detail = told.unwrap_or_else(|what| what);
    bench.report(Report { suite: SUITE, name: name.into(), passed, detail, repeat, took });
    Ok(())
}

/// All that the machines said whose disk was forged or taken back between them, as if they were one.
pub fn watched(house: &House, output: Output) -> Outcome<Device> {
    let folder = build::build(house, Variant::State, output)?.folder;
    let mut run = Run::new(house, output, false, &folder);
    let told = sealed::run(&mut run)?;
    let mut device = run.told;
    device.complaint = device.complaint.or(told.err());
    Ok(device)
}

/// A test on its way.
struct Run<'a> {
    house: &'a House,
    output: Output,
    full: bool,
    /// Where kernel and image are.
    folder: &'a Path,
    /// What its machines said, and how to boot the last one again.
    told: Device,
}

impl<'a> Run<'a> {
    fn new(house: &'a House, output: Output, full: bool, folder: &'a Path) -> Run<'a> {
        Run { house, output, full, folder, told: Device::default() }
    }

    /// A file of the suite's own.
    fn file(&self, name: &str) -> Outcome<PathBuf> {
        Ok(self.house.folder(SUITE)?.join(name))
    }

    /// A machine with this disk and the vault beside it.
    fn options(&self, disk: &Path) -> Outcome<Options> {
        let mut options = Options::new(self.folder, 1);
        options.disk = Some(disk.to_path_buf());
        options.vault = Vault::File(beside(disk));
        options.log = Some(self.house.log(SUITE)?);
        Ok(options)
    }

    /// One machine, to its end.
    fn boot(&mut self, options: &Options, what: &str, limit: Duration) -> Outcome<Device> {
        let mut machine = Machine::start(options)?;
        let mut device = Device::default();
        device.command.clone_from(&machine.command);
        let mut watcher = Watcher::telling(self.output, SUITE, what, None);
        let verdict = watcher.watch(&mut machine, Some(Instant::now() + limit), |line| {
            device.note(&line.text);
            false
        });
        device.complaint = device.complaint(&verdict, &watcher, &mut machine, limit)?;
        self.told.command.clone_from(&device.command);
        self.told.console.extend(device.console.iter().cloned());
        self.told.tests.extend(device.tests.iter().cloned());
        self.told.complaint = self.told.complaint.take().or(device.complaint.clone());
        Ok(device)
    }
}

/// What a machine must say.
fn proofs(is_first: bool) -> Vec<&'static str> {
    PROOFS.into_iter().chain(if is_first { [].to_vec() } else { LASTS.to_vec() }).collect()
}

/// Whether the device said what it must.
fn judge(device: &Device, proofs: &[&str]) -> Result<(), String> {
    if let Some(complaint) = &device.complaint {
        return Err(complaint.clone());
    }
    let is_missing = |proof: &&str| !device.console.iter().any(|line| said(line) == *proof);
    let missing: Vec<&str> = proofs.iter().copied().filter(is_missing).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the device did not say: {}", missing.join("; "))) }
}

/// Whether every page of the store on the disk is as it should be.
fn sound(disk: &Path) -> Result<(), String> {
    let mut image = Image::open(disk, false).map_err(|failure| failure.what)?;
    let checked = image.check().map_err(|failure| failure.what)?;
    if checked.damage.is_empty() && checked.lost == 0 && checked.unmapped == 0 {
        Ok(())
    } else {
        Err(format!("the store on the disk is damaged: {checked:?}"))
    }
}

/// Memory that goes with messages is taken back while `statefsd` copies it, on a machine that has a hart for each of the two.
fn taken_back(run: &mut Run<'_>) -> Outcome<Told> {
    let disk = run.file("taken.img")?;
    let values = if run.full { TAKEN_FULL } else { TAKEN };
    let mode = (String::from(kills::MODE), format!("taken {values}").into_bytes());
    filled::make(&disk, DISK_BYTES, [mode].into_iter())?;
    let options = Options { smp: 2, ..run.options(&disk)? };
    let device = run.boot(&options, "memory is taken back", LIMIT)?;
    let came = device.console.iter().find_map(|line| said(line).strip_prefix("TAKEN ")).unwrap_or("").into();
    Ok(judge(&device, &[&format!("SELFTEST: statefs taken back ok n={values}")]).map(|()| came))
}

/// What `statefsd` holds with a hundred thousand keys, against the limit of its figure.
fn memory(run: &mut Run<'_>) -> Outcome<Told> {
    let options = figures::machine(run.house, figures::MOST, run.output)?;
    run.told.command = String::from("./nx test memory");
    let name = format!("state.memory.{}", figures::MOST);
    let taken = devices::run(&options, run.output)?;
    let limit = committed::rows(run.house)?.into_iter().find(|row| row.name == name).and_then(|row| row.most);
    let found = taken.iter().find(|figure| figure.name == name).map(|figure| figure.max);
    Ok(match (found, limit) {
        (Some(found), Some(limit)) if found <= limit => Ok(format!("{found} bytes")),
        (found, limit) => Err(format!("{found:?} bytes are held, {limit:?} at most")),
    })
}
