//! `/state` over one disk that goes through several machines: each ends without a word to anybody, and the next one must find
//! everything that was promised. Between them the host looks at every page of the store, with the same code.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Bench, Device, Report, said};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::watch::{Verdict, Watcher};
use crate::state::image::Image;

const SUITE: &str = "state";
const NAME: &str = "reboots";

/// Machines that the disk goes through, in the quick lane and with `--full`.
const MACHINES: usize = 3;
const MACHINES_FULL: usize = 100;

/// Most that the test may store, and so how many machines one disk can go through before it begins anew.
const A_DISK: usize = 6;

/// How long each may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What every machine must say, and what every one but the first.
pub const PROOFS: [&str; 4] = [
    "SELFTEST: statefs put ok",
    "SELFTEST: statefs unauthorized access rejected",
    "SELFTEST: quota deny ok",
    "SELFTEST: statefs restart ok",
];
const LASTS: &str = "SELFTEST: statefs persist ok";

/// The names of the suite.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(vec![NAME.to_string()])
}

/// Runs it.
pub fn run(bench: &mut Bench) -> Outcome {
    if !bench.wants(SUITE, NAME) {
        return Ok(());
    }
    let begun = Instant::now();
    let folder = build::build(bench.house, Variant::State, bench.output)?.folder;
    let disk = bench.house.folder(SUITE)?.join("disk.img");
    let machines = if bench.full { MACHINES_FULL } else { MACHINES };
    let (mut repeat, mut outcome) = (String::new(), Ok(()));
    for machine in 0..machines {
        let is_first = machine % A_DISK == 0;
        let device = boot(bench, &folder, &disk, is_first)?;
        repeat.clone_from(&device.command);
        outcome = judge(&device, is_first).and_then(|()| sound(&disk));
        if let Err(what) = &outcome {
            outcome = Err(format!("machine {}: {what}", machine + 1));
            break;
        }
    }
    let passed = outcome.is_ok();
    let detail = outcome.err().unwrap_or_else(|| format!("{machines} machines"));
    let (name, took) = (NAME.to_string(), Some(begun.elapsed()));
    bench.report(Report { suite: SUITE, name, passed, detail, repeat, took });
    Ok(())
}

/// One machine, to its end.
fn boot(bench: &Bench, folder: &Path, disk: &Path, fresh: bool) -> Outcome<Device> {
    let mut options = Options::new(folder, 1);
    options.disk = Some(disk.to_path_buf());
    options.fresh = fresh;
    options.log = Some(bench.house.log(SUITE)?);
    let mut machine = Machine::start(&options)?;
    let mut device = Device::default();
    device.command.clone_from(&machine.command);
    let mut watcher = Watcher::telling(bench.output, SUITE, "a disk goes through machines", None);
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        device.note(&line.text);
        false
    });
    device.complaint = match &verdict {
        Verdict::Ended(crate::machine::Ended::Code(0)) => None,
        Verdict::Interrupted => {
            return Err(watcher.failure(&verdict, &mut machine, "the end", LIMIT.as_secs()));
        }
        other => {
            let failure = watcher.failure(other, &mut machine, "the end", LIMIT.as_secs()).what;
            let why = device.tests.iter().find_map(|(_, why)| why.clone());
            Some(why.map_or(failure.clone(), |why| format!("{why}\n{failure}")))
        }
    };
    Ok(device)
}

/// Whether the device said what it must.
fn judge(device: &Device, is_first: bool) -> Result<(), String> {
    if let Some(complaint) = &device.complaint {
        return Err(complaint.clone());
    }
    let lasts = (!is_first).then_some(LASTS);
    let missing: Vec<&str> = PROOFS
        .into_iter()
        .chain(lasts)
        .filter(|proof| !device.console.iter().any(|line| said(line) == *proof))
        .collect();
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
