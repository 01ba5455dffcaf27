//! `nx doctor`: looks at what the host must have, and tells the exact command that mends what it has not. It
//! changes nothing itself, and reports nothing that it did not see.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;
use crate::machine::options::{is_program, qemu};
use crate::machine::shell_line;
use crate::output::{Cell, Output, Paint};
use crate::process::ask;

/// The oldest QEMU that is known to work.
const OLDEST_QEMU: (u32, u32) = (7, 2);

/// The device target.
pub const TARGET: &str = "riscv64gc-unknown-none-elf";

/// Free space that a build needs, in MiB.
const FREE_MIB: u64 = 2048;

/// The firmware that QEMU starts by itself.
const FIRMWARE: &str = "opensbi-riscv64-generic-fw_dynamic.bin";

/// How long a tool may take to say its version; one that asks a network or a terminal would take for ever.
const LONGEST: Duration = Duration::from_secs(10);

/// What was found, or why it is not good.
type Found = Result<String, String>;

/// What installs Miri, which only `nx test miri` needs.
pub const MIRI_MEND: &str = "rustup toolchain install nightly --profile minimal --component miri,rust-src";

/// Miri's version, if it is installed.
pub fn miri(root: &Path) -> Found {
    first_line("rustup", &["run", "nightly", "cargo", "miri", "--version"], Some(root))
}

/// One thing that was looked at.
struct Check {
    name: &'static str,
    good: bool,
    found: String,
    mend: String,
}

impl Check {
    fn new(name: &'static str, found: Found, mend: &str) -> Check {
        let good = found.is_ok();
        let found = found.unwrap_or_else(|why| why);
        Check { name, good, found, mend: if good { String::new() } else { mend.to_string() } }
    }
}

/// Does what `nx doctor` says.
pub fn run(house: &House, output: Output) -> Outcome {
    let checks = checks(house);
    if interrupt::seen() {
        return Err(interrupt::failure("nothing was changed"));
    }
    let word = |check: &Check| match check.good {
        true => Cell(String::from("ok"), Paint::Good),
        false => Cell(String::from("missing"), Paint::Bad),
    };
    let row = |check: &Check| vec![check.name.into(), word(check), check.found.clone().into()];
    output.table(&checks.iter().map(row).collect::<Vec<_>>());
    let values =
        checks.iter().map(|c| json!({ "name": c.name, "ok": c.good, "found": c.found, "mend": c.mend }));
    output.value(&json!(values.collect::<Vec<_>>()));
    let missing: Vec<&Check> = checks.iter().filter(|check| !check.good).collect();
    if missing.is_empty() {
        if miri(house.root()).is_err() {
            output.step("doctor", &format!("without Miri, `nx test miri` is skipped: {MIRI_MEND}"));
        }
        output.step("doctor", "everything is here; go on with: nx run (it needs no KVM)");
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|check| check.name).collect();
    let mut mends: Vec<&str> = Vec::new();
    for check in &missing {
        if !mends.contains(&check.mend.as_str()) {
            mends.push(&check.mend);
        }
    }
    Err(Failure::new(Exit::Missing, format!("missing: {}", names.join(", ")), mends.join(" && ")))
}

fn checks(house: &House) -> Vec<Check> {
    let root = house.root();
    let channel = channel(root).unwrap_or_else(|| String::from("stable"));
    let toolchain =
        format!("rustup toolchain install {channel} --profile minimal -c rustfmt,clippy -t {TARGET}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let build = root.join("build");
    let qemu_package = apt("qemu-system-misc");
    vec![
        Check::new("toolchain", toolchain_of(root, &channel), &toolchain),
        Check::new("rustfmt", first_line("cargo", &["fmt", "--version"], Some(root)), &toolchain),
        Check::new("clippy", first_line("cargo", &["clippy", "--version"], Some(root)), &toolchain),
        Check::new("target", target_of(root), &format!("rustup target add --toolchain {channel} {TARGET}")),
        Check::new("linker", first_line("cc", &["--version"], None), &apt("gcc libc6-dev")),
        Check::new("qemu", qemu_version(), &qemu_package),
        Check::new("machine", machine(), &qemu_package),
        Check::new("firmware", firmware(), &qemu_package),
        Check::new("setpriv", first_line("setpriv", &["--version"], None), &apt("util-linux")),
        Check::new(
            "disk",
            free_space(root),
            &format!("rm -rf {} {}  # or free space elsewhere", word(&build), word(&target)),
        ),
        Check::new("target/", writable(&target), &own(&target)),
        Check::new("build/", writable(&build), &own(&build)),
    ]
}

/// The command that installs Debian packages, as the one who runs this has to say it.
pub fn apt(packages: &str) -> String {
    as_root(&format!("apt-get install -y --no-install-recommends {packages}"))
}

fn as_root(command: &str) -> String {
    match is_program("sudo") {
        _ if rustix::process::geteuid().is_root() => command.to_string(),
        true => format!("sudo {command}"),
        false => format!("su -c '{command}'"),
    }
}

/// A path as a word for a shell.
fn word(path: &Path) -> String {
    shell_line(&[path.display().to_string()])
}

/// The command that makes a folder ours.
fn own(folder: &Path) -> String {
    as_root(&format!("chown -R {} {}", rustix::process::getuid().as_raw(), word(folder)))
}

/// The first line that a command prints, or why there is none.
fn first_line(program: &str, arguments: &[&str], folder: Option<&Path>) -> Found {
    let mut command = Command::new(program);
    // Rustup would install what is missing; looking must not change anything.
    command.args(arguments).env("RUSTUP_AUTO_INSTALL", "0");
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let said = ask(command, LONGEST)?;
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_string();
    if said.good { Ok(line(&said.out)) } else { Err(line(&said.err)) }
}

/// The toolchain that the tree asks for.
fn channel(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join("rust-toolchain.toml")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("channel = \""))?;
    Some(value.trim_end_matches('"').to_string())
}

fn toolchain_of(root: &Path, channel: &str) -> Found {
    let line = first_line("cargo", &["--version"], Some(root))?;
    let is_wanted =
        line.split_whitespace().nth(1) == Some(channel) || !channel.starts_with(|c: char| c.is_ascii_digit());
    if is_wanted { Ok(line) } else { Err(format!("{line}, but the tree is built with {channel}")) }
}

fn target_of(root: &Path) -> Found {
    let sysroot = first_line("rustc", &["--print", "sysroot"], Some(root))?;
    let library = Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib");
    if library.is_dir() { Ok(String::from(TARGET)) } else { Err(format!("{TARGET} is not installed")) }
}

/// QEMU's version, when it is new enough.
pub fn qemu_version() -> Found {
    let line = first_line(&qemu(), &["--version"], None)?;
    let number = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut parts = number.unwrap_or_default().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version >= OLDEST_QEMU {
        Ok(line)
    } else {
        Err(format!("{line} is older than {}.{}", OLDEST_QEMU.0, OLDEST_QEMU.1))
    }
}

/// What QEMU answers, whole.
fn asked(arguments: &[&str]) -> Found {
    let mut command = Command::new(qemu());
    command.args(arguments);
    let said = ask(command, LONGEST)?;
    Ok(String::from_utf8_lossy(&said.out).into_owned())
}

/// The machine that everything here runs on.
fn machine() -> Found {
    let text = asked(&["-machine", "help"])?;
    let line = text.lines().find(|line| line.split_whitespace().next() == Some("virt"));
    line.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .ok_or_else(|| String::from("this QEMU has no machine `virt`"))
}

/// The firmware, as `-bios default` finds it.
fn firmware() -> Found {
    let text = asked(&["-L", "help"])?;
    let found =
        text.lines().map(|folder| Path::new(folder.trim()).join(FIRMWARE)).find(|path| path.is_file());
    found.map(|path| path.display().to_string()).ok_or_else(|| format!("QEMU finds no {FIRMWARE}"))
}

fn free_space(root: &Path) -> Found {
    let done = rustix::fs::statvfs(root).map_err(|error| error.to_string())?;
    let free = (done.f_bavail * done.f_frsize) >> 20;
    let found = format!("{free} MiB free");
    if free >= FREE_MIB { Ok(found) } else { Err(format!("{found}, {FREE_MIB} are needed")) }
}

/// Whether files can be made in a folder, or where it would be made.
fn writable(folder: &Path) -> Found {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    let probe = there.join(format!(".nx-doctor-{}", std::process::id()));
    fs::write(&probe, "").map_err(|error| format!("cannot write in {}: {error}", there.display()))?;
    fs::remove_file(&probe).map_err(|error| format!("{}: {error}", probe.display()))?;
    Ok(format!("{} can be written", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolchain_is_the_one_of_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let channel = channel(&root).expect("the tree names one");
        assert!(channel.starts_with(|c: char| c.is_ascii_digit()), "{channel} is not pinned");
        assert_eq!(super::channel(Path::new("/nowhere")), None);
    }
}
