//! Host tests: cargo builds the test programs of the workspace, and each is run and read test by test. Nothing
//! but cargo is needed.

use std::path::PathBuf;

use serde_json::Value;

use super::{Bench, harness};
use crate::build::{SILENCE, cargo_program};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::process::{Errors, bound, lines};

const SUITE: &str = "host";

/// Set for the test programs with `--full`: those with histories or seeds run all they have.
const FULL: &str = "NEXUS_TEST_FULL";

/// One test program.
struct Program {
    /// `crate` for the tests inside a crate, `crate/file` for those in its `tests/`.
    name: String,
    package: String,
    path: PathBuf,
    folder: PathBuf,
}

/// Builds and runs every host test that is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    for program in build(bench.house)? {
        run_program(bench, &program)?;
    }
    doc_tests(bench)
}

/// Names of the host tests.
pub fn list(house: &House, _full: bool) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for program in build(house)? {
        let mut command = bound(&program.path);
        command.current_dir(&program.folder);
        let tests = harness::list(command)?;
        names.extend(tests.into_iter().map(|name| format!("{}::{name}", program.name)));
    }
    Ok(names)
}

fn build(house: &House) -> Outcome<Vec<Program>> {
    let mut command = bound(cargo_program());
    command.current_dir(house.root()).args(["test", "--workspace", "--no-run", "--locked"]);
    command.arg("--message-format=json-render-diagnostics");
    let mut programs = Vec::new();
    let good = lines(command, SILENCE, Errors::Shown, |line| {
        if let Some(Ok(message)) = line.map(serde_json::from_str::<Value>) {
            programs.extend(program(&message));
        }
    })?;
    if !good {
        let what = "the host tests do not compile";
        return Err(Failure::new(Exit::Build, what, "mend what cargo says above, then the same again"));
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

fn program(message: &Value) -> Option<Program> {
    if message["profile"]["test"] != true {
        return None;
    }
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    let folder = manifest.parent()?.to_path_buf();
    let package = package_name(message["package_id"].as_str()?)?;
    let target = message["target"]["name"].as_str()?;
    let is = |wanted: &str| {
        message["target"]["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == wanted))
    };
    let name = if is("test") {
        format!("{package}/{target}")
    } else if is("bin") {
        format!("{package}/bin/{target}")
    } else {
        package.clone()
    };
    Some(Program { name, package, path: PathBuf::from(message["executable"].as_str()?), folder })
}

/// The name in a package id: behind `#` (`path+file:///…/abi#nexus-abi@0.1.0`), or the last folder.
fn package_name(id: &str) -> Option<String> {
    let (path, version) = id.rsplit_once('#')?;
    let name = version.split_once('@').map(|(name, _)| name).or_else(|| path.rsplit('/').next())?;
    Some(name.to_string())
}

fn run_program(bench: &mut Bench, program: &Program) -> Outcome {
    let mut command = bound(&program.path);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    if bench.full {
        command.env(FULL, "1");
    }
    if let Some(part) = bench.part().filter(|part| !program.name.contains(part) && !SUITE.contains(part)) {
        command.arg(part);
    }
    let repeat = |name: &str| format!("cargo test -p {} {name}", program.package);
    harness::run(bench, SUITE, &program.name, command, &repeat)
}

fn doc_tests(bench: &mut Bench) -> Outcome {
    let mut command = bound(cargo_program());
    command.current_dir(bench.house.root()).args(["test", "--workspace", "--doc", "--locked", "--quiet"]);
    command.args(["--no-fail-fast", "--", "--format=pretty"]);
    if let Some(part) = bench.part().filter(|part| !SUITE.contains(part)) {
        command.arg(part);
    }
    harness::run(bench, SUITE, "doc", command, &|_| String::from("cargo test --workspace --doc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_known_by_its_id() {
        assert_eq!(package_name("path+file:///x/abi#nexus-abi@0.1.0").as_deref(), Some("nexus-abi"));
        assert_eq!(package_name("path+file:///x/logd#0.1.0").as_deref(), Some("logd"));
    }
}
