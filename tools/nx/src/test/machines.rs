//! Other machines than the usual one: less and more memory, an odd number of harts, devices in another order, one more, one less.
//! The production image becomes ready on each, and says of exactly those drivers whose device is missing that they are absent.
//! The long lane also runs every device test where all devices are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nexus_bootimg::Image;
use nexus_registry::{Find, Registry};

use super::device::{boot, exact};
use super::{Bench, Report, unreset};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::machine::Machine;
use crate::machine::options::{Options, Virtio};
use crate::machine::vault::Vault;
use crate::machine::watch::{Verdict, Watcher, absent};
use crate::process::ask;
use crate::run::roster;

const SUITE: &str = "machines";

/// A boot that is not ready by then hangs; and how long every device test may take.
const LIMIT: Duration = Duration::from_secs(30);
const LONG_LIMIT: Duration = Duration::from_secs(900);

/// A machine's name, and what is different about it.
type Kind = (&'static str, fn(&mut Options));

const KINDS: [Kind; 12] = [
    ("64-mib", |options| options.memory = 64),
    ("4-gib", |options| options.memory = 4096),
    ("3-harts", |options| options.smp = 3),
    ("no-sstc", |options| options.cpu = NO_SSTC),
    (NOT_AS_TOLD, |options| options.cpu = NO_SSTC),
    ("other-order", |options| options.devices.reverse()),
    ("second-disk", |options| options.devices.push(Virtio::SecondDisk)),
    ("no-net", |options| options.devices.retain(|device| *device != Virtio::Net)),
    ("no-rng", |options| options.devices.retain(|device| *device != Virtio::Rng)),
    ("no-vault", |options| options.vault = Vault::None),
    ("no-devices", |options| options.devices.clear()),
    (NEVER_RESET, |_| ()),
];

/// The machine whose entropy device does not obey.
const NEVER_RESET: &str = "never-reset";

/// Harts without a timer of their own, and what the kernel says of those alone.
const NO_SSTC: &str = "rv64,sstc=off";
const SET_BY_FIRMWARE: &str = ", timers set by firmware";

/// The machine of such harts whose device tree says that they have one.
const NOT_AS_TOLD: &str = "sstc-not-as-told";

/// Names of the tests.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(KINDS.map(|(name, _)| name.to_string()).to_vec())
}

/// Boots each machine.
pub fn run(bench: &mut Bench) -> Outcome {
    let wanted: Vec<Kind> = KINDS.into_iter().filter(|(name, _)| bench.wants(SUITE, name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let folder = build::build(bench.house, Variant::Production, bench.output)?.folder;
    for (name, change) in wanted {
        let begun = Instant::now();
        let mut options = Options::new(&folder, 1);
        options.log = Some(bench.house.log("machines")?.named(&format!("{name}.log")));
        change(&mut options);
        bench.output.status(SUITE, name);
        if name == NOT_AS_TOLD {
            let usual = Options { cpu: Options::new(&folder, 1).cpu, ..options.clone() };
            let tree = device_tree(&usual, &bench.house.folder("machines")?.join("usual.dtb"))?;
            options.extra.extend([String::from("-dtb"), tree.display().to_string()]);
        }
        let obeys = name != NEVER_RESET;
        let (mut wrong, repeat) = match obeys {
            true => becomes_ready(&options)?,
            false => unreset::boots(&mut options, &bench.house.folder("machines")?)?,
        };
        let mut detail = format!("ready in {} ms", begun.elapsed().as_millis());
        if wrong.is_none() && bench.full && obeys && missing(&options)?.is_empty() {
            let mut options = exact(bench.house, bench.output)?;
            change(&mut options);
            options.icount = options.smp == 1;
            let device = boot(&options, LONG_LIMIT, Watcher::default())?;
            let failed =
                device.tests.iter().filter_map(|(name, why)| Some(format!("{name}: {}", why.as_ref()?)));
            let failed: Vec<String> = failed.chain(device.complaint.clone()).collect();
            wrong = (!failed.is_empty()).then(|| failed.join("\n"));
            detail = format!("{detail}, {} device tests", device.tests.len());
        }
        let passed = wrong.is_none();
        let detail = wrong.unwrap_or(detail);
        let (name, took) = (name.to_string(), Some(begun.elapsed()));
        bench.report(Report { suite: SUITE, name, passed, detail, repeat, took });
    }
    Ok(())
}

/// The tree that QEMU makes for a machine, in a file.
pub fn device_tree(options: &Options, file: &Path) -> Outcome<PathBuf> {
    options.prepare()?;
    let words = options.command_line();
    let (program, arguments) = words.split_first().expect("QEMU's name is the first word");
    let mut command = Command::new(program);
    command.args(arguments).args(["-machine", &format!("dumpdtb={}", file.display())]);
    let said = ask(command, LIMIT).map_err(|why| Failure::new(Exit::Qemu, why, ""))?;
    match said.good {
        true => Ok(file.to_path_buf()),
        false => Err(Failure::new(
            Exit::Qemu,
            format!("no device tree: {}", String::from_utf8_lossy(&said.err)),
            "",
        )),
    }
}

/// What is wrong about a boot, and the command that repeats it.
fn becomes_ready(options: &Options) -> Outcome<(Option<String>, String)> {
    let mut roster = roster(&options.image)?;
    let mut machine = Machine::start(options)?;
    let repeat = machine.command.clone();
    let mut watcher = Watcher::default();
    let (mut lacking, mut kernel) = (Vec::new(), None);
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        lacking.extend(absent(line).map(String::from));
        kernel = kernel.take().or(line.text.starts_with("neuron: ").then(|| line.text.clone()));
        roster.note(line);
        roster.ready_at().is_some()
    });
    if verdict != Verdict::Done {
        let waited_for = format!("ready (missing: {})", roster.missing().join(", "));
        let failure = watcher.failure(&verdict, &mut machine, &waited_for, LIMIT.as_secs());
        return if verdict == Verdict::Interrupted { Err(failure) } else { Ok((Some(failure.what), repeat)) };
    }
    let expected = missing(options)?;
    let kernel = kernel.unwrap_or_default();
    let wrong = if lacking != expected {
        Some(format!("absent are {lacking:?}, and should be {expected:?}"))
    } else if kernel.is_empty() || kernel.ends_with(SET_BY_FIRMWARE) != (options.cpu == NO_SSTC) {
        Some(format!("who sets the timers? The kernel says `{kernel}`"))
    } else {
        None
    };
    Ok((wrong, repeat))
}

/// The processes whose device is not plugged in, in the order of their start.
fn missing(options: &Options) -> Outcome<Vec<String>> {
    let spoiled = |what: String| Failure::new(Exit::Build, what, "build it again: nx build");
    let bytes = fs::read(&options.image).map_err(|e| Failure::host(options.image.display(), &e))?;
    let image = Image::parse(&bytes).map_err(|e| spoiled(format!("no boot image: {e:?}")))?;
    let table = image.registry().ok_or_else(|| spoiled(String::from("no registry")))?;
    let registry = Registry::parse(table.bytes).map_err(|e| spoiled(format!("no registry: {e:?}")))?;
    let plugged_in = |id: u16| {
        let same = |device: &&Virtio| device.id() == id;
        options.devices.iter().filter(same).count()
    };
    let lacks = |device: usize| {
        registry.device(device).is_some_and(|device| match device.find {
            Find::Virtio(id) => plugged_in(id) <= usize::from(device.nth),
            Find::Compatible(_) => false,
        })
    };
    let all = registry.processes().filter(|process| process.device.is_some_and(lacks));
    Ok(all.map(|process| process.name.to_string()).collect())
}
