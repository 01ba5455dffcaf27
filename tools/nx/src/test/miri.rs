//! The kernel's portable part under Miri: every access is held against Rust's rules, with harts as threads that may read old
//! values. The quick lane runs the models of several harts once; `--full` also the tests of one hart that end in reasonable
//! time, the models under more seeds, and the formats.

use std::process::Command;

use super::{Bench, harness};
use crate::doctor;
use crate::exit::Outcome;
use crate::house::House;
use crate::process::bound;

const SUITE: &str = "miri";

/// The kernel's package.
const KERNEL: &str = "neuron-core";

/// What a package is asked for: flags of Miri, what cargo builds, and which tests.
struct Lane {
    package: &'static str,
    seeds: &'static str,
    tests: &'static [&'static str],
}

/// In the quick lane.
const QUICK: &[Lane] = &[Lane { package: KERNEL, seeds: "-Zmiri-seed=1", tests: &["models::"] }];

/// With `--full` as well.
const FULL: &[Lane] = &[
    Lane { package: KERNEL, seeds: "-Zmiri-many-seeds=2..10", tests: &["models::"] },
    Lane { package: KERNEL, seeds: "", tests: &["channels::", "vmos::", "hostile::"] },
    Lane { package: "nexus-wire", seeds: "", tests: &[] },
    Lane { package: "nexus-bootimg", seeds: "", tests: &[] },
];

fn lanes(full: bool) -> impl Iterator<Item = &'static Lane> {
    QUICK.iter().chain(if full { FULL } else { &[] })
}

/// Worlds of the kernel's tests are never given back, and addresses are numbers in page tables.
fn flags(lane: &Lane) -> String {
    format!("-Zmiri-permissive-provenance -Zmiri-disable-isolation -Zmiri-ignore-leaks {}", lane.seeds)
}

fn command(house: &House, lane: &Lane) -> Command {
    let mut command = bound("rustup");
    command.current_dir(house.root()).args(["run", "nightly", "cargo", "miri", "test", "--locked"]);
    command.args(["--target-dir", "target/miri", "--quiet", "--lib", "--package", lane.package, "--"]);
    command.args(lane.tests).env("MIRIFLAGS", flags(lane)).env("RUST_BACKTRACE", "0");
    command.env_remove("CARGO").env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// Names of the tests; none where there is no Miri.
pub fn list(house: &House, full: bool) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    if doctor::miri(house.root()).is_ok() {
        for lane in lanes(full).filter(|lane| !lane.seeds.contains("many")) {
            let tests = harness::list(command(house, lane))?;
            names.extend(tests.into_iter().map(|name| format!("{}::{name}", lane.package)));
        }
    }
    Ok(names)
}

/// Runs what the lane says.
pub fn run(bench: &mut Bench) -> Outcome {
    if doctor::miri(bench.house.root()).is_err() {
        bench.skip(SUITE, &format!("needs `{}`", doctor::MIRI_MEND));
        return Ok(());
    }
    for lane in lanes(bench.full) {
        let mut command = command(bench.house, lane);
        command.arg("--format=pretty");
        let repeat = |name: &str| {
            let flags = flags(lane);
            format!(
                "MIRIFLAGS='{flags}' cargo +nightly miri test --target-dir target/miri -p {} --lib {name}",
                lane.package
            )
        };
        harness::run(bench, SUITE, lane.package, command, &repeat)?;
    }
    Ok(())
}
