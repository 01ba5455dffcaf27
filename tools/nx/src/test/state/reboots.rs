//! One disk that goes through several machines. Each ends without a word to anybody, and the next one must find everything that was promised.

use std::path::Path;

use serde_json::Value;

use super::{LIMIT, Run, Told, judge, proofs, sound};
use crate::exit::Outcome;
use crate::house::House;
use crate::process::{bound, own_program};

/// Machines that the disk goes through, in the quick lane and with `--full`.
const MACHINES: usize = 4;
const MACHINES_FULL: usize = 100;

/// What the example (`tests/counter`) says each time, with the number of its starts.
const COUNTED: &str = "counter: start ";

/// All of them, on one disk.
pub fn run(run: &mut Run<'_>) -> Outcome<Told> {
    let machines = if run.full { MACHINES_FULL } else { MACHINES };
    let disk = run.file("disk.img")?;
    for machine in 0..machines {
        let is_first = machine == 0;
        let mut options = run.options(&disk)?;
        options.fresh = is_first;
        let device = run.boot(&options, "a disk goes through machines", LIMIT)?;
        let counted = format!("{COUNTED}{}", machine + 1);
        let due: Vec<&str> = proofs(is_first).into_iter().chain([counted.as_str()]).collect();
        let outcome =
            judge(&device, &due).and_then(|()| sound(&disk)).and_then(|()| kept(run.house, &disk, is_first));
        if let Err(what) = outcome {
            return Ok(Err(format!("machine {}: {what}", machine + 1)));
        }
    }
    Ok(Ok(format!("{machines} machines")))
}

/// Whether the crash of this machine is there with the function that it happened in, and the log of the machine before.
fn kept(house: &House, disk: &Path, is_first: bool) -> Result<(), String> {
    let disk = disk.display().to_string();
    let nx = |words: &[&str]| -> Result<Value, String> {
        let mut command = bound(own_program());
        command.args(words).args(["--disk", &disk, "--json"]).env("NX_ROOT", house.root());
        let ended = command.output().map_err(|error| format!("{words:?}: {error}"))?;
        if !ended.status.success() {
            return Err(format!("{words:?}: {}", String::from_utf8_lossy(&ended.stderr)));
        }
        serde_json::from_slice(&ended.stdout).map_err(|error| format!("{words:?}: {error}"))
    };
    let crash = nx(&["crash", "show"])?;
    let mut frames = crash["at"].as_array().into_iter().flatten();
    let at = frames.find(|frame| frame["function"] == "faulter::reads_where_nothing_is");
    let is_right = crash["process"] == "faulter"
        && crash["code"] == 13
        && crash["address"] == 0x7008
        && at.is_some_and(|at| at["place"].to_string().contains("tests/faulter/src/main.rs:"))
        && crash["from"].to_string().contains("faulter::run");
    if !is_right {
        return Err(format!("the newest crash is {crash}"));
    }
    if is_first {
        return Ok(());
    }
    let log = nx(&["log", "--boot", "-1"])?;
    let has = |text: &str| {
        log.as_array()
            .into_iter()
            .flatten()
            .any(|record| record["text"].as_str().is_some_and(|found| found.contains(text)))
    };
    if has("nexus-init") && has("faulted: load page fault (13)") {
        return Ok(());
    }
    Err(format!("the log of the machine before is {log}"))
}
