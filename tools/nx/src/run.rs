//! `nx run`: builds, boots, and shows the system come up. Ready means that every process that the registry of the
//! booted image declares as announcing has announced itself; nothing less counts.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nexus_bootimg::Image;
use nexus_registry::{Registry, Start};
use serde_json::json;

use crate::build;
use crate::cli::{RunArgs, Until};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::link;
use crate::machine::options::Options;
use crate::machine::screen::Screen;
use crate::machine::watch::{Roster, Verdict, Watcher};
use crate::machine::{Ended, Machine};
use crate::output::{Output, Paint};
use crate::picture;
use crate::prompt;

/// How long a machine may take to become ready when nothing else is said.
const DEFAULT_TIMEOUT: u64 = 60;

/// Does what `nx run` says.
pub fn run(house: &House, args: &RunArgs, output: Output) -> Outcome {
    let Some(file) = &args.picture else { return session(house, args, output) };
    picture::begin();
    let command =
        std::env::args().skip(1).take_while(|word| word != "--picture").collect::<Vec<_>>().join(" ");
    picture::note(&[(String::from("$ "), Paint::Dim), (format!("./nx {command}"), Paint::Plain)]);
    let outcome = session(house, args, Output::new(output.json));
    let shown = picture::end();
    // A session that failed is no picture of the system.
    if outcome.is_ok() {
        fs::write(file, picture::svg("Nexus OS", &shown)).map_err(|e| Failure::host(file.display(), &e))?;
        output.step("picture", &file.display().to_string());
    }
    outcome
}

fn session(house: &House, args: &RunArgs, output: Output) -> Outcome {
    let folder = match &args.image {
        Some(folder) => folder.clone(),
        None => build::build(house, args.variant, output)?.folder,
    };
    let kept = house.log("run")?;
    let log = house.show(&kept.path);
    let mut options = Options::with_args(&folder, &args.machine);
    (options.link, options.door) = kept.path.parent().and_then(link::sockets).unzip();
    if options.link.is_none() {
        output.step("link", "none: the path of this tree is too long for a socket");
    }
    options.log = Some(kept);
    options.no_reboot = args.headless;
    options.prepare()?;
    let mut roster = roster(&options.image)?;
    let mut machine = Machine::start(&options)?;
    let harts = if args.machine.smp == 1 { "1 hart" } else { &format!("{} harts", args.machine.smp) };
    output.step("boot", &format!("{harts}, {} MiB; the console is kept in {log}", args.machine.memory));

    let bounded = args.until.is_some() || args.timeout.is_some() || !args.headless;
    let seconds = args.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let deadline = bounded.then(|| Instant::now() + Duration::from_secs(seconds));
    let mut watcher = Watcher::default();
    let mut screen = Screen::new(output);
    let wait_for_ready = args.until == Some(Until::Ready) || !args.headless;
    let verdict = watcher.watch(&mut machine, deadline, |line| {
        screen.show(line);
        roster.note(line);
        wait_for_ready && roster.ready_at().is_some()
    });
    match verdict {
        Verdict::Done => {
            ready(&roster, &machine, &log, output);
            if args.headless { Ok(()) } else { prompt::stay(&mut machine, &mut watcher, &mut screen, output) }
        }
        // Without --until the machine's own good end is what was asked for.
        Verdict::Ended(Ended::Code(0)) if args.headless && args.until.is_none() => {
            output.step("ended", "the machine ended by itself, with success");
            output.value(&json!({
                "result": "ended", "code": 0, "log": log, "command": machine.command,
            }));
            Ok(())
        }
        other => {
            let missing = roster.missing().join(", ");
            let waited_for =
                if wait_for_ready { format!("ready (missing: {missing})") } else { String::from("ended") };
            let failure = watcher.failure(&other, &mut machine, &waited_for, seconds);
            output.value(&json!({
                "result": failure.exit.word(), "missing": roster.missing(), "log": log, "command": machine.command,
            }));
            Err(failure)
        }
    }
}

/// Who has to announce itself, by the registry in the boot image.
pub fn roster(image: &Path) -> Outcome<Roster> {
    let bytes = fs::read(image).map_err(|e| Failure::host(image.display(), &e))?;
    let spoiled = |what: String| {
        Failure::new(Exit::Build, format!("{}: {what}", image.display()), "build it again: nx build")
    };
    let image = Image::parse(&bytes).map_err(|e| spoiled(format!("no boot image: {e:?}")))?;
    let table = image.registry().ok_or_else(|| spoiled(String::from("has no registry")))?;
    let registry = Registry::parse(table.bytes).map_err(|e| spoiled(format!("no registry: {e:?}")))?;
    let announcing =
        registry.processes().filter(|process| process.announces_ready && process.start == Start::Boot);
    Ok(Roster::new(announcing.map(|process| process.name.to_string())))
}

fn ready(roster: &Roster, machine: &Machine, log: &str, output: Output) {
    let count = roster.services.len();
    let ms = |at: &Duration| at.as_millis() as u64;
    let whole = roster.ready_at().map_or(0, |at| ms(&at));
    output.step("ready", &format!("{count} of {count} services, {whole} ms after the start of QEMU"));
    let services =
        roster.services.iter().map(|(name, at)| json!({ "name": name, "ms": at.as_ref().map(ms) }));
    output.value(&json!({
        "result": "ready", "ready_ms": whole, "services": services.collect::<Vec<_>>(), "log": log, "command": machine.command,
    }));
}
