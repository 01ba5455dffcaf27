//! The kernel's lock-free protocols under Loom: its tests built once more, with `--cfg loom`, in a folder of their own.
//! The quick lane takes the bounds that stand in the models, `--full` lets the processor be taken away once more.

use std::process::Command;

use super::{Bench, harness};
use crate::build::cargo_program;
use crate::exit::Outcome;
use crate::house::House;
use crate::process::bound;

const SUITE: &str = "loom";

/// Whose tests they are.
const PACKAGE: &str = "neuron-core";

fn command(house: &House) -> Command {
    let mut command = bound(cargo_program());
    command.current_dir(house.root()).args([
        "test",
        "--profile",
        "loom",
        "--target-dir",
        "target/loom",
        "--locked",
    ]);
    command.args(["--quiet", "--package", PACKAGE, "--lib", "models::", "--"]);
    command.env("RUSTFLAGS", "--cfg loom").env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUST_BACKTRACE", "0");
    command
}

/// Names of the models.
pub fn list(house: &House, _full: bool) -> Outcome<Vec<String>> {
    let names = harness::list(command(house))?;
    Ok(names.into_iter().map(|name| format!("{PACKAGE}::{name}")).collect())
}

/// Explores every model.
pub fn run(bench: &mut Bench) -> Outcome {
    let mut command = command(bench.house);
    command.args(["--format=pretty", "--show-output"]);
    let more = if bench.full { "1" } else { "0" };
    command.env("NX_LOOM_MORE", more);
    let repeat = |name: &str| {
        let flags = format!("NX_LOOM_MORE={more} RUSTFLAGS='--cfg loom'");
        format!("{flags} cargo test --profile loom --target-dir target/loom -p {PACKAGE} --lib {name}")
    };
    harness::run(bench, SUITE, PACKAGE, command, &repeat)
}
