//! rustfmt and clippy, on the host's crates and on the device's.

use std::time::Instant;

use super::{Bench, Report};
use crate::build::{SILENCE, cargo_program, device_programs};
use crate::doctor::TARGET;
use crate::exit::Outcome;
use crate::house::House;
use crate::process::{Errors, bound, lines};
use crate::timings;

const SUITE: &str = "lint";
const MAX_SHOWN: usize = 60;

/// Names of the checks.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(["rustfmt", "clippy-host", "clippy-device"].map(String::from).to_vec())
}

/// Runs each check that is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
    let mut device = words(&format!("clippy --quiet --locked --release --target {TARGET}"));
    for (package, binary) in device_programs(bench.house)? {
        device.extend([String::from("--package"), package, String::from("--bin"), binary]);
    }
    device.extend(words("-- -D warnings"));
    let checks = [
        ("rustfmt", words("fmt --all --check")),
        ("clippy-host", words("clippy --quiet --locked --workspace --all-targets -- -D warnings")),
        ("clippy-device", device),
    ];
    for (name, arguments) in checks {
        if !bench.wants(SUITE, name) {
            continue;
        }
        let begun = Instant::now();
        let mut shown = Vec::new();
        let mut command = bound(cargo_program());
        command.current_dir(bench.house.root()).args(&arguments);
        let output = bench.output;
        let passed = lines(command, SILENCE, Errors::Joined, |line| match line {
            Some(line) if shown.len() < MAX_SHOWN => shown.push(line.to_string()),
            Some(_) => {}
            None => output.status("lint", &format!("{name}: {}", timings::span(begun.elapsed()))),
        })?;
        let detail = if passed { String::new() } else { shown.join("\n") };
        let repeat = format!("cargo {}", arguments.join(" "));
        bench.report(Report {
            suite: SUITE,
            name: name.into(),
            passed,
            detail,
            repeat,
            took: Some(begun.elapsed()),
        });
    }
    Ok(())
}
