//! `kernel.max_irq_off`: the longest stretch of instructions that the kernel runs with interrupts off, over the whole device test suite
//! on the exact lane. A plugin (`tools/stretch`) counts it from outside, on the same image that `nx test device` boots.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use object::{Object, ObjectSymbol};
use serde_json::Value;

use super::Figure;
use crate::build::cargo;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::machine::watch::Watcher;
use crate::output::{Cell, Output};
use crate::process::{Errors, bound, lines};
use crate::test::{boot_device, exact};

/// Its name.
pub const NAME: &str = "kernel.max_irq_off";
const PLUGIN: &str = "nexus-stretch";
/// The suite takes a few minutes when each block is counted.
const LIMIT: Duration = Duration::from_secs(2400);

/// A place in the kernel where stretches over the limit spent most of their time.
#[derive(PartialEq, Eq, Debug)]
struct Long {
    pc: u64,
    longest: u64,
    times: u64,
}

/// What the plugin wrote.
#[derive(PartialEq, Eq, Debug)]
struct Found {
    longest: u64,
    stretches: u64,
    long: Vec<Long>,
}

/// Takes the figure, and shows where the long stretches are.
pub fn figure(house: &House, output: Output) -> Outcome<Option<Figure>> {
    let plugin = build_plugin(house)?;
    let mut options = exact(house, output)?;
    let out = house.folder("stretch")?.join("stretches.txt");
    let _ = fs::remove_file(&out);
    options.extra.extend(["-plugin".into(), format!("{},out={}", plugin.display(), out.display())]);
    output.step("bench", "the test image, every stretch with interrupts off counted from outside");
    let watcher = Watcher::telling(output, "bench", "the test image runs", None);
    let device = boot_device(&options, LIMIT, watcher)?;
    if let Some(what) = device.complaint {
        return Err(Failure::new(Exit::Failed, what, format!("repeat: {}", device.command)));
    }
    let text = fs::read_to_string(&out).map_err(|error| {
        let what = format!("the plugin wrote nothing to {}: {error}", out.display());
        Failure::new(Exit::Host, what, "this QEMU may have no plugins of version 1")
    })?;
    let found = read(&text)
        .ok_or_else(|| Failure::new(Exit::Failed, format!("{} is cut short", out.display()), "again"))?;
    show(&found, &options.kernel.with_extension("elf"), output);
    let value = found.longest as f64;
    let figure = Figure {
        name: NAME.into(),
        unit: "instructions".into(),
        min: value,
        median: value,
        max: value,
        n: found.stretches,
    };
    Ok((found.stretches > 0).then_some(figure))
}

/// Builds the plugin for this host; answers where it is.
fn build_plugin(house: &House) -> Outcome<PathBuf> {
    let mut command = bound(cargo::program());
    command.current_dir(house.root()).args(["build", "--locked", "--quiet", "--package", PLUGIN]);
    command.arg("--message-format=json-render-diagnostics");
    let mut made = None;
    let good = lines(command, cargo::SILENCE, Errors::Shown, |line| {
        let Some(Ok(message)) = line.map(serde_json::from_str::<Value>) else { return };
        if message["target"]["name"] == PLUGIN.replace('-', "_") {
            made = message["filenames"][0].as_str().map(PathBuf::from).or(made.take());
        }
    })?;
    made.filter(|_| good).ok_or_else(|| {
        Failure::new(Exit::Build, "cargo could not build the plugin", "mend what cargo says above")
    })
}

fn read(text: &str) -> Option<Found> {
    let mut lines = text.lines();
    let words: Vec<&str> = lines.next()?.split(' ').collect();
    let ["longest", longest, "stretches", stretches] = words.as_slice() else { return None };
    let mut found =
        Found { longest: longest.parse().ok()?, stretches: stretches.parse().ok()?, long: vec![] };
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let ["long", pc, longest, "times", times] = words.as_slice() else { return None };
        found.long.push(Long {
            pc: u64::from_str_radix(pc.strip_prefix("0x")?, 16).ok()?,
            longest: longest.parse().ok()?,
            times: times.parse().ok()?,
        });
    }
    found.long.sort_by_key(|long| std::cmp::Reverse(long.longest));
    Some(found)
}

fn show(found: &Found, kernel: &Path, output: Output) {
    if found.long.is_empty() {
        return;
    }
    let file = fs::read(kernel).unwrap_or_default();
    let mut rows = vec![["longest", "times", "most of it in"].map(Cell::from).to_vec()];
    for long in &found.long {
        let name = function(&file, long.pc).unwrap_or_else(|| format!("{:#x}", long.pc));
        rows.push([long.longest.to_string(), long.times.to_string(), name].map(Cell::from).to_vec());
    }
    output.table(&rows);
}

/// The function of an ELF file that an address is in.
fn function(file: &[u8], pc: u64) -> Option<String> {
    let elf = object::File::parse(file).ok()?;
    let inside =
        |symbol: &object::Symbol<'_, '_>| (symbol.address()..symbol.address() + symbol.size()).contains(&pc);
    let symbol = elf.symbols().find(inside)?;
    Some(symbol.name().ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_plugin_wrote_is_read_whole_or_not_at_all() {
        let found = read("longest 70 stretches 9\nlong 0x10 60 times 1\nlong 0x20 70 times 2\n").unwrap();
        assert_eq!((found.longest, found.stretches), (70, 9));
        assert_eq!(found.long[0], Long { pc: 0x20, longest: 70, times: 2 });
        assert_eq!(read("longest 70"), None);
        assert_eq!(read("longest 70 stretches 9\nlong 0x10 60 times"), None);
        assert_eq!(read(""), None);
    }
}
