//! How machines end, for real: `nx run` with QEMU and the production kernel, brought to each bad end on purpose. Each
//! must be told for what it is, with its own exit code and what to do next, and no QEMU may be left.

mod images;
pub mod session;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Bench, Report};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Exit, Outcome};
use crate::house::House;
use session::{End, Session, expect};

const SUITE: &str = "machine";

/// Why a test failed.
type Verdict = Result<(), String>;

/// What the tests boot.
struct Images {
    /// The production image.
    good: PathBuf,
    /// The same kernel with a first program that needs more memory than the machine has.
    panics: PathBuf,
    /// The same kernel with a first program that never announces anything.
    hangs: PathBuf,
    root: PathBuf,
}

/// A test's name and what it does.
type Test = (&'static str, fn(&Images) -> Verdict);

const TESTS: [Test; 14] = [
    ("ready", ready),
    ("kernel-panic", kernel_panic),
    ("hang", hang),
    ("qemu-killed", |images| {
        qemu_ends(images, Signal::KILL, "QEMU was ended from outside (signal 9, SIGKILL)")
    }),
    ("qemu-crash", |images| qemu_ends(images, Signal::SEGV, "QEMU crashed (signal 11, SIGSEGV)")),
    ("ctrl-c", |images| nx_ends(images, Signal::INT, "interrupted")),
    ("term", |images| nx_ends(images, Signal::TERM, "told to end (TERM)")),
    ("hup", |images| nx_ends(images, Signal::HUP, "the terminal is gone (HUP)")),
    ("nx-killed", nx_killed),
    ("output-gone", output_gone),
    ("no-input", no_input),
    ("prompt", prompt),
    ("repeat", repeat),
    ("picture", picture),
];

/// Names of the tests.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(TESTS.iter().map(|(name, _)| name.to_string()).collect())
}

/// Runs those that are asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    if !TESTS.iter().any(|(name, _)| bench.wants(SUITE, name)) {
        return Ok(());
    }
    let good = build::build(bench.house, Variant::Production, bench.output)?.folder;
    let folder = bench.house.folder("machine")?;
    let panics = images::with_first_program(&good, &folder.join("panics"), &images::too_large())?;
    let hangs = images::with_first_program(&good, &folder.join("hangs"), &images::silent())?;
    let images = Images { good, panics, hangs, root: bench.house.root().to_path_buf() };
    for (name, test) in TESTS {
        if !bench.wants(SUITE, name) {
            continue;
        }
        let begun = Instant::now();
        let verdict = test(&images);
        if crate::interrupt::seen() {
            return Err(crate::interrupt::failure("nothing was left behind"));
        }
        bench.report(Report {
            suite: SUITE,
            name: name.into(),
            passed: verdict.is_ok(),
            detail: verdict.err().unwrap_or_default(),
            repeat: format!("./nx test {name}"),
            took: Some(begun.elapsed()),
        });
    }
    Ok(())
}

fn start(images: &Images, image: &Path, words: &[&str]) -> Result<Session, String> {
    let image = image.display().to_string();
    Session::start(&images.root, &[&["run", "--image", &image], words].concat(), None)
}

/// The usual end of a test: this exit code, all of this said, and QEMU gone.
fn ended(end: &End, exit: Exit, said: &[&str]) -> Verdict {
    expect(end.code == Some(exit as i32), || format!("ended with {:?}:\n{}", end.code, end.text))?;
    for part in said {
        expect(end.text.contains(part), || format!("does not say `{part}`:\n{}", end.text))?;
    }
    end.machine_is_gone()
}

const UNTIL: [&str; 5] = ["--headless", "--until", "ready", "--timeout", "60"];

fn ready(images: &Images) -> Verdict {
    let end = start(images, &images.good, &UNTIL)?.end()?;
    ended(&end, Exit::Good, &["nexus-init: ready", " services, "])
}

/// Boots the image that no kernel can start on a small machine.
fn panicked(images: &Images) -> Result<End, String> {
    start(images, &images.panics, &[&UNTIL[..], &["--memory", "64"]].concat())?.end()
}

fn kernel_panic(images: &Images) -> Verdict {
    let end = panicked(images)?;
    let what =
        "the kernel panicked: neuron: panic on hart 0: the first program cannot start: Kernel(QuotaExceeded)";
    ended(
        &end,
        Exit::Panic,
        &[what, "kernel/arch/riscv64/src/boot.rs:", "the whole console: ", "repeat: ", "next: "],
    )
}

fn hang(images: &Images) -> Verdict {
    let end = start(images, &images.hangs, &["--headless", "--until", "ready", "--timeout", "6"])?.end()?;
    let what = "the machine hangs or is too slow: not ready (missing: ";
    ended(&end, Exit::Timeout, &[what, "after 6 s", "| neuron: 1 hart", "repeat: ", "next: "])
}

/// A machine that is up, with nobody waiting for anything.
fn up(images: &Images) -> Result<Session, String> {
    let mut session = start(images, &images.good, &["--headless"])?;
    session.until("nexus-init: ready")?;
    session.find_machine()?;
    Ok(session)
}

fn qemu_ends(images: &Images, signal: Signal, said: &str) -> Verdict {
    let session = up(images)?;
    session.machine.ok_or("no machine")?.kill(signal)?;
    ended(&session.end()?, Exit::Qemu, &[said, "| nexus-init: ready", "repeat: ", "next: "])
}

fn nx_ends(images: &Images, signal: Signal, said: &str) -> Verdict {
    let session = up(images)?;
    session.nx()?.kill(signal)?;
    ended(&session.end()?, Exit::Interrupted, &[said, "the machine is ended"])
}

fn nx_killed(images: &Images) -> Verdict {
    let session = up(images)?;
    session.nx()?.kill(Signal::KILL)?;
    let end = session.end()?;
    expect(end.code.is_none(), || format!("ended with {:?}", end.code))?;
    end.machine_is_gone()
}

fn output_gone(images: &Images) -> Verdict {
    let image = images.good.display().to_string();
    let words = ["run", "--image", &image, "--headless"];
    let mut session = Session::start(&images.root, &words, Some("nexus-init: ready"))?;
    session.until("nexus-init: ready")?;
    session.find_machine()?;
    ended(&session.end()?, Exit::Interrupted, &["nobody reads the output any more; the machine is ended"])
}

fn no_input(images: &Images) -> Verdict {
    let mut session = start(images, &images.good, &[])?;
    session.until("nx> ")?;
    session.find_machine()?;
    session.close_input();
    ended(&session.end()?, Exit::Good, &["no more input; the machine is ended"])
}

fn prompt(images: &Images) -> Verdict {
    let mut session = start(images, &images.good, &["--smp", "2"])?;
    session.until("nx> ")?;
    session.find_machine()?;
    session.type_line("test style")?;
    session.until(" passed, 0 failed")?;
    session.type_line("quit")?;
    ended(&session.end()?, Exit::Good, &["neuron: 2 harts", "ok   style::header"])
}

/// The line that a bad end prints does the same again when it is pasted into a shell.
fn repeat(images: &Images) -> Verdict {
    let end = panicked(images)?;
    let line =
        end.text.lines().find_map(|line| line.strip_prefix("repeat: ")).ok_or("there is no repeat line")?;
    let mut text = String::new();
    let mut shell: Command = crate::process::bound("sh");
    shell.args(["-c", line]);
    let joined = crate::process::Errors::Joined;
    let good = crate::process::lines(shell, Duration::from_secs(60), joined, |line| {
        text.extend(line.map(|line| format!("{line}\n")));
    });
    expect(good.is_ok_and(|good| !good), || String::from("the repeated machine ended well"))?;
    let what = "neuron: panic on hart 0: the first program cannot start";
    expect(text.contains(what), || format!("the repeated machine said:\n{text}"))
}

/// The picture at the top of the README, and the command that draws it.
const PICTURE: &str = "docs/images/run.svg";
const DRAW: &str = "printf 'test promises\\nquit\\n' | ./nx run --smp 4 --picture docs/images/run.svg";

/// The picture shows the services that a boot brings up today.
fn picture(images: &Images) -> Verdict {
    let drawn = images.root.join("build/machine/run.svg");
    let words = ["run", "--smp", "4", "--picture", &drawn.display().to_string()];
    let mut session = Session::start(&images.root, &words, None)?;
    session.until("nx> ")?;
    session.find_machine()?;
    session.type_line("quit")?;
    ended(&session.end()?, Exit::Good, &[])?;
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let (then, now) = (shown(&read(&images.root.join(PICTURE))?), shown(&read(&drawn)?));
    expect(!now.is_empty(), || String::from("the boot shows no service"))?;
    expect(then == now, || {
        format!("{PICTURE} shows\n{then:#?}\nand a boot now\n{now:#?}\ndraw it anew: {DRAW}")
    })
}

/// What a picture shows of the kernel and of who is ready and provides what, without times, sorted: harts do not take
/// turns, and what services say besides comes when it comes.
fn shown(svg: &str) -> Vec<String> {
    let said = |line: &String| line.split_once(" ms  ").map(|(_, said)| said.to_string());
    let kept = |line: &String| {
        line.starts_with("neuron: ") || line.ends_with(": ready") || line.contains("` is provided by ")
    };
    let mut lines: Vec<String> = crate::picture::texts(svg).iter().filter_map(said).filter(kept).collect();
    lines.sort();
    lines
}
