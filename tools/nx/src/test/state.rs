//! `/state` over one disk that goes through several machines: each ends without a word to anybody, and the next one must find
//! everything that was promised. Between them the host looks at every page of the store, with the same code. And what somebody can do to a disk who
//! has it in hand: the next machine must tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nexus_state::engine::{self, Op, Tree};
use nexus_state::rules::{self, Access, State};
use serde_json::Value;

use super::{Bench, Device, Report, said};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Failure, Outcome};
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::vault::{self, Vault, beside};
use crate::machine::watch::{Verdict, Watcher};
use crate::process::{self, bound};
use crate::state::image::Image;

const SUITE: &str = "state";
const NAMES: [&str; 2] = ["reboots", "sealed"];

/// Machines that the disk goes through, in the quick lane and with `--full`.
const MACHINES: usize = 3;
const MACHINES_FULL: usize = 100;

/// Most that the test may store, and so how many machines one disk can go through before it begins anew.
const A_DISK: usize = 6;

/// How long each may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What every machine must say, and what every one but the first.
pub const PROOFS: [&str; 8] = [
    "statefsd: write hardening on (auth-envelope)",
    "SELFTEST: statefs put ok",
    "SELFTEST: statefs unauthorized access rejected",
    "SELFTEST: statefs watch ok",
    "SELFTEST: quota deny ok",
    "SELFTEST: statefs auth put ok",
    "SELFTEST: statefs restart ok",
    "SELFTEST: crash record ok",
];
const LASTS: [&str; 3] =
    ["SELFTEST: statefs persist ok", "SELFTEST: device key persist ok", "SELFTEST: bootctl persist ok"];

/// What is done to disk or vault between two machines, as the word that is left of it, and what the next machine must say.
const DENIALS: [(&str, &str); 5] = [
    ("deaths", "SELFTEST: trust order deaths ok"),
    ("tampered", "SELFTEST: statefs tamper deny ok"),
    ("taken back", "SELFTEST: statefs rollback deny ok"),
    ("another vault", "SELFTEST: statefs another vault deny ok"),
    ("no vault", "SELFTEST: statefs no vault ok"),
];

/// The client on the machine, and where word is left for it.
const SERVICE: u32 = 65_630;
const WORD: &str = "app/test/word";

/// The sealed value that is forged, as the engine's key; and what must not be on the disk in the clear.
const FORGED: &[u8] = b"vtrust\x01test\x01changes";
const SECRET: &[u8] = b"what nobody reads off a disk";

/// The names of the suite.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(NAMES.map(String::from).to_vec())
}

/// Runs what is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    let wanted = NAMES.map(|name| bench.wants(SUITE, name));
    if !wanted.contains(&true) {
        return Ok(());
    }
    let folder = build::build(bench.house, Variant::State, bench.output)?.folder;
    for (name, test) in
        NAMES.into_iter().zip([reboots, sealed]).zip(wanted).filter_map(|(test, is)| is.then_some(test))
    {
        let begun = Instant::now();
        let place = bench.house.folder(SUITE)?;
        let mut run = Run { bench, folder: &folder, disk: place.join("disk.img"), repeat: String::new() };
        let outcome = test(&mut run)?;
        let repeat = run.repeat;
        let passed = outcome.is_ok();
        let detail = outcome.unwrap_or_else(|what| what);
        let (name, took) = (name.to_string(), Some(begun.elapsed()));
        bench.report(Report { suite: SUITE, name, passed, detail, repeat, took });
    }
    Ok(())
}

/// A test on its way.
struct Run<'a> {
    bench: &'a Bench<'a>,
    folder: &'a Path,
    disk: PathBuf,
    /// The command of the last machine.
    repeat: String,
}

/// What came of it: what there is to say, or what is wrong.
type Told = Result<String, String>;

fn reboots(run: &mut Run<'_>) -> Outcome<Told> {
    let machines = if run.bench.full { MACHINES_FULL } else { MACHINES };
    let (disk, vault) = (run.disk.clone(), Vault::File(beside(&run.disk)));
    for machine in 0..machines {
        let is_first = machine % A_DISK == 0;
        let device = run.boot(&disk, vault.clone(), is_first)?;
        let outcome = judge(&device, &proofs(is_first))
            .and_then(|()| sound(&disk))
            .and_then(|()| kept(run.bench.house, &disk, is_first));
        if let Err(what) = outcome {
            return Ok(Err(format!("machine {}: {what}", machine + 1)));
        }
    }
    Ok(Ok(format!("{machines} machines")))
}

/// Two machines that are well; then what was done to copies of their disk and vault.
fn sealed(run: &mut Run<'_>) -> Outcome<Told> {
    let (disk, vault) = (run.disk.clone(), beside(&run.disk));
    let [old, copy, other] = ["old.img", "copy.img", "other.vault"].map(|name| disk.with_file_name(name));
    for is_first in [true, false] {
        let device = run.boot(&disk, Vault::File(vault.clone()), is_first)?;
        if let Err(what) = judge(&device, &proofs(is_first)).and_then(|()| sound(&disk)) {
            return Ok(Err(what));
        }
        if is_first {
            take(&disk, &old)?;
        }
    }
    let bytes = fs::read(&disk).map_err(|error| Failure::host(disk.display(), &error))?;
    if bytes.windows(SECRET.len()).any(|window| window == SECRET) {
        return Ok(Err("a sealed value is on the disk in the clear".into()));
    }
    for (word, proof) in DENIALS {
        take(if word == "taken back" { &old } else { &disk }, &copy)?;
        if let Err(what) = leave(&copy, word) {
            return Ok(Err(format!("{word}: {what}")));
        }
        let vault = match word {
            "no vault" => Vault::None,
            "another vault" => {
                vault::make(&other)?;
                Vault::File(other.clone())
            }
            _ => {
                take(&vault, &other)?;
                Vault::File(other.clone())
            }
        };
        let device = run.boot(&copy, vault, false)?;
        if let Err(what) = judge(&device, &[proof]).and_then(|()| sound(&copy)) {
            return Ok(Err(format!("{word}: {what}")));
        }
    }
    Ok(Ok(format!("2 machines, and {} with something else", DENIALS.len())))
}

/// A copy of a file.
fn take(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to).map(drop).map_err(|error| Failure::host(to.display(), &error))
}

/// Does to the disk what the word says, with checksums as they should be, and leaves the word there.
fn leave(disk: &Path, word: &str) -> Result<(), String> {
    let told = |error: engine::Error| format!("{error:?}");
    let mut store = Image::open(disk, true).map_err(|failure| failure.what)?.into_store();
    if word == "tampered" {
        let mut row = store.get(Tree::Kept, FORGED).map_err(told)?.ok_or("there is nothing to forge")?;
        *row.last_mut().ok_or("an empty value")? ^= 1;
        store.commit(vec![Op::put(Tree::Kept, FORGED, row)], false).map_err(told)?;
    }
    let access =
        Access::read(&format!("{SERVICE}:app/test:rw {SERVICE}#9000000/9000000")).unwrap_or_default();
    let told = |error: rules::Error| format!("{error:?}");
    let mut state = State::new(store, access, 1).map_err(told)?;
    let path = rules::Path::new(WORD).map_err(told)?;
    state.put(SERVICE, &path, word.as_bytes()).map_err(told)?;
    state.sync(None).map_err(told)
}

/// What a machine must say.
fn proofs(is_first: bool) -> Vec<&'static str> {
    PROOFS.into_iter().chain(if is_first { [].to_vec() } else { LASTS.to_vec() }).collect()
}

impl Run<'_> {
    /// One machine, to its end.
    fn boot(&mut self, disk: &Path, vault: Vault, fresh: bool) -> Outcome<Device> {
        let bench = self.bench;
        let mut options = Options::new(self.folder, 1);
        options.disk = Some(disk.to_path_buf());
        options.vault = vault;
        options.fresh = fresh;
        options.log = Some(bench.house.log(SUITE)?);
        let mut machine = Machine::start(&options)?;
        let mut device = Device::default();
        device.command.clone_from(&machine.command);
        self.repeat.clone_from(&machine.command);
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

/// Whether the crash of this machine is there with the function that it happened in, and the log of the machine before.
fn kept(house: &House, disk: &Path, is_first: bool) -> Result<(), String> {
    let disk = disk.display().to_string();
    let nx = |words: &[&str]| -> Result<Value, String> {
        let mut command = bound(process::own_program());
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
