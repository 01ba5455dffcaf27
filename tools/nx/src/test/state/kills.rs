//! `/state` under load, and whoever does it killed: the machine, without a word, and judged by the host after each time; `statefsd` and the
//! driver of the disk, and judged by their client. What there must be follows from the number of steps (`tests/state-work`, `load`).

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nexus_state::rules::{Error, Path as Key, State};
use state_work::load::{COUNT, SLOTS, slot, value};

use super::{LIMIT, Run, SUITE, Told, sound};
use crate::exit::Outcome;
use crate::machine::Machine;
use crate::machine::options::DISK_BYTES;
use crate::machine::watch::{Verdict, Watcher};
use crate::state::image::Image;
use crate::test::{filled, said};

/// Machines that are killed, and services, in the quick lane and with `--full`.
const MACHINES: usize = 3;
const MACHINES_FULL: usize = 100;
const SERVICES: usize = 6;
const SERVICES_FULL: usize = 200;

/// Deaths of `keystored`.
const KEEPERS: usize = 20;
const KEEPERS_FULL: usize = 500;

/// The value that tells the client what to do.
pub const MODE: &str = "app/test/mode";

/// How long so many services may take to be killed.
const LIMIT_FULL: Duration = Duration::from_secs(900);

/// Kills machines on one disk, each in the middle of its steps.
pub fn machines(run: &mut Run<'_>) -> Outcome<Told> {
    let disk = run.file("killed.img")?;
    filled::make(&disk, DISK_BYTES, [(MODE.into(), b"load 0".to_vec())].into_iter())?;
    let (mut steps, kills) = (0, if run.full { MACHINES_FULL } else { MACHINES });
    for kill in 0..kills {
        match killed(run, &disk, kill)?.and_then(|promised| {
            let found = judge(&disk)?;
            if found >= promised {
                Ok(found)
            } else {
                Err(format!("{found} steps are there of {promised} that were safe"))
            }
        }) {
            Ok(found) => steps = found,
            Err(what) => return Ok(Err(format!("machine {}: {what}", kill + 1))),
        }
    }
    Ok(Ok(format!("{kills} machines, {steps} steps")))
}

/// One machine, killed while it works; how many steps it called safe.
fn killed(run: &mut Run<'_>, disk: &Path, kill: usize) -> Outcome<Result<usize, String>> {
    let mut machine = Machine::start(&run.options(disk)?)?;
    run.told.command.clone_from(&machine.command);
    let (mut safe, mut words) = (0, 0);
    // After so many words, and a moment later still: where in a step that is, is the host's affair.
    let most = 1 + kill * 5 % 7;
    let mut watcher = Watcher::telling(run.output, SUITE, "a machine is killed under load", None);
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        let word = said(&line.text).strip_prefix("LOAD ").and_then(|rest| rest.split_once(' '));
        if let Some((count, what)) = word.and_then(|(count, what)| Some((count.parse().ok()?, what))) {
            safe = count;
            words += usize::from(what == "safe");
        }
        words >= most
    });
    if verdict == Verdict::Done {
        sleep(Duration::from_millis((kill as u64 * 13) % 40));
        machine.kill();
        return Ok(Ok(safe));
    }
    let failure = watcher.failure(&verdict, &mut machine, "worked", LIMIT.as_secs());
    if verdict == Verdict::Interrupted { Err(failure) } else { Ok(Err(failure.what)) }
}

/// Whether everything is there that must be after as many steps as the disk says; how many that are.
fn judge(disk: &Path) -> Result<usize, String> {
    sound(disk)?;
    let store = Image::open(disk, false).map_err(|failure| failure.what)?.into_store();
    let rules = filled::everything().ok_or("no rules")?;
    let mut state = State::new(store, rules, 1).map_err(|error| format!("charges: {error:?}"))?;
    let mut get = |path: &str| {
        let key = Key::new(path).map_err(|error| format!("{path}: {error:?}"))?;
        match state.get(filled::OWNER, &key, 0, usize::MAX) {
            Ok((bytes, _)) => Ok(Some(bytes)),
            Err(Error::NotFound | Error::NotDir) => Ok(None),
            Err(error) => Err(format!("{path}: {error:?}")),
        }
    };
    let count = get(COUNT)?.map_or(Ok(0), |bytes| {
        let text = String::from_utf8(bytes).map_err(|_| String::from("the count is no text"))?;
        text.parse::<usize>().map_err(|_| format!("`{text}` is no count"))
    })?;
    for number in 0..SLOTS {
        if get(&slot(number))? != value(count, number) {
            return Err(format!("{} is not what it is after {count} steps", slot(number)));
        }
    }
    Ok(count)
}

/// Lets a client have `statefsd` and the driver killed under it.
pub fn services(run: &mut Run<'_>) -> Outcome<Told> {
    let disk = run.file("served.img")?;
    let (kills, limit) = if run.full { (SERVICES_FULL, LIMIT_FULL) } else { (SERVICES, LIMIT) };
    filled::make(&disk, DISK_BYTES, [(MODE.into(), format!("kills {kills}").into_bytes())].into_iter())?;
    let options = run.options(&disk)?;
    let device = run.boot(&options, "services are killed under load", limit)?;
    let proof = format!("SELFTEST: statefs kills ok n={kills}");
    Ok(super::judge(&device, &[&proof])
        .and_then(|()| judge(&disk))
        .map(|steps| format!("{kills} kills, {steps} steps")))
}

/// Has `keystored` killed again and again, on a machine that has a vault; nothing of the dead is left.
pub fn keeper(run: &mut Run<'_>) -> Outcome<Told> {
    let disk = run.file("keeper.img")?;
    let (kills, limit) = if run.full { (KEEPERS_FULL, LIMIT_FULL) } else { (KEEPERS, LIMIT) };
    filled::make(&disk, DISK_BYTES, [(MODE.into(), format!("keeper {kills}").into_bytes())].into_iter())?;
    let options = run.options(&disk)?;
    let device = run.boot(&options, "keystored is killed", limit)?;
    let took =
        device.console.iter().find_map(|line| said(line).strip_prefix("KEEPER ")).unwrap_or("").to_string();
    let proof = format!("SELFTEST: keystored kills ok n={kills}");
    Ok(super::judge(&device, &[&proof])
        .and_then(|()| sound(&disk))
        .map(|()| format!("{kills} kills, {took}")))
}
