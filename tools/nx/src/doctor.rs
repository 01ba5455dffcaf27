//! `nx doctor`: looks at what the host must have, and tells the exact command that mends what it has not. It
//! changes nothing itself.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::machine::options::qemu;
use crate::output::{Output, table};

/// The oldest QEMU that is known to work.
const OLDEST_QEMU: (u32, u32) = (7, 2);

/// The device target.
pub const TARGET: &str = "riscv64gc-unknown-none-elf";

/// Free space that a build needs, in MiB.
const FREE_MIB: u64 = 2048;

/// One thing that was looked at.
struct Check {
    name: &'static str,
    good: bool,
    found: String,
    mend: String,
}

impl Check {
    fn new(name: &'static str, found: Result<String, String>, mend: &str) -> Check {
        let good = found.is_ok();
        let found = found.unwrap_or_else(|why| why);
        Check { name, good, found, mend: if good { String::new() } else { mend.to_string() } }
    }
}

/// Does what `nx doctor` says.
pub fn run(house: &House, output: Output) -> Outcome {
    let qemu_mend = "apt-get install -y --no-install-recommends qemu-system-misc";
    let checks = [
        Check::new(
            "toolchain",
            toolchain(house.root()),
            "rustup toolchain install --profile minimal -c rustfmt,clippy 1.95.0",
        ),
        Check::new("target", target(house.root()), &format!("rustup target add {TARGET}")),
        Check::new("qemu", qemu_version(), qemu_mend),
        Check::new("firmware", firmware(), qemu_mend),
        Check::new("setpriv", first_line("setpriv", &["--version"], None), "apt-get install -y util-linux"),
        Check::new("git", first_line("git", &["--version"], None), "apt-get install -y git"),
        Check::new("disk", free_space(house.root()), "rm -rf build target, or free space elsewhere"),
    ];
    let word = |check: &Check| if check.good { output.good("ok") } else { output.bad("missing") };
    let row =
        |check: &Check| vec![check.name.to_string(), word(check), check.found.clone(), check.mend.clone()];
    for line in table(&checks.iter().map(row).collect::<Vec<_>>()) {
        output.line(&line);
    }
    let values =
        checks.iter().map(|c| json!({ "name": c.name, "ok": c.good, "found": c.found, "mend": c.mend }));
    output.value(&json!(values.collect::<Vec<_>>()));
    let missing: Vec<&Check> = checks.iter().filter(|check| !check.good).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|check| check.name).collect();
    let mut mends: Vec<&str> = missing.iter().map(|check| check.mend.as_str()).collect();
    mends.dedup();
    Err(Failure::new(Exit::Missing, format!("missing: {}", names.join(", ")), mends.join(" && ")))
}

/// The first line that a command prints, or why there is none.
fn first_line(program: &str, arguments: &[&str], folder: Option<&Path>) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let done = command.output().map_err(|error| format!("cannot run {program}: {error}"))?;
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_string();
    if done.status.success() { Ok(line(&done.stdout)) } else { Err(line(&done.stderr)) }
}

fn toolchain(root: &Path) -> Result<String, String> {
    first_line("cargo", &["--version"], Some(root))
}

fn target(root: &Path) -> Result<String, String> {
    let sysroot = first_line("rustc", &["--print", "sysroot"], Some(root))?;
    let library = Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib");
    if library.is_dir() { Ok(String::from(TARGET)) } else { Err(format!("{TARGET} is not installed")) }
}

/// QEMU's version, when it is new enough.
pub fn qemu_version() -> Result<String, String> {
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

/// The firmware that QEMU starts by itself, as `-bios default` finds it.
fn firmware() -> Result<String, String> {
    let help = Command::new(qemu()).args(["-L", "help"]).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&help.stdout).to_string();
    let name = "opensbi-riscv64-generic-fw_dynamic.bin";
    let found = text.lines().map(|folder| Path::new(folder.trim()).join(name)).find(|path| path.is_file());
    found.map(|path| path.display().to_string()).ok_or_else(|| format!("QEMU finds no {name}"))
}

fn free_space(root: &Path) -> Result<String, String> {
    let done = Command::new("df")
        .args(["--output=avail", "-m"])
        .arg(root)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout).to_string();
    let free: u64 =
        text.lines().nth(1).and_then(|line| line.trim().parse().ok()).ok_or("df gave no number")?;
    let found = format!("{free} MiB free");
    if free >= FREE_MIB { Ok(found) } else { Err(format!("{found}, {FREE_MIB} needed")) }
}
