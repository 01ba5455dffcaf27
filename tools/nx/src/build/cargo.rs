//! Cargo, called so that the result depends on the source alone: flags given whole, paths of the host mapped away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;

use crate::doctor::TARGET;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::Output;
use crate::process::{Errors, bound, lines};

/// Longest silence of the compiler.
pub const SILENCE: Duration = Duration::from_secs(600);

/// The cargo to call.
pub fn program() -> String {
    env::var("CARGO").unwrap_or_else(|_| String::from("cargo"))
}

/// Builds the binaries of these names for the device, in one go; answers where each is, in the same order.
pub fn build(house: &House, names: &[String], output: Output) -> Outcome<Vec<PathBuf>> {
    let packages = packages(house)?;
    let mut command = bound(program());
    command.current_dir(house.root()).args(["build", "--release", "--target", TARGET, "--locked"]);
    command.arg("--message-format=json-render-diagnostics");
    if output.json {
        command.arg("--quiet");
    }
    for name in names {
        command.args(["--package", &package_of(&packages, name)?, "--bin", name]);
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(house)?.join("\x1f"));
    command.env_remove("RUSTFLAGS").env("CARGO_INCREMENTAL", "0");
    let executables = executables(command)?;
    let path = |name: &String| {
        executables.get(name).cloned().ok_or_else(|| {
            Failure::new(
                Exit::Build,
                format!("cargo did not tell where `{name}` is"),
                "cargo clean, then build again",
            )
        })
    };
    names.iter().map(path).collect()
}

/// Flags of the compiler for everything on the device.
fn flags(house: &House) -> Outcome<Vec<String>> {
    let map = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![map(house.root(), "/nexus")];
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    if let Some(home) = home.and_then(|home| fs::canonicalize(home).ok()) {
        flags.push(map(&home.join("registry/src"), "/crates"));
    }
    // Every segment on pages of its own, in the file too: a program is mapped straight from the boot image.
    flags.extend(
        ["-Clink-arg=-zmax-page-size=4096", "-Clink-arg=-zseparate-loadable-segments"].map(String::from),
    );
    Ok(flags)
}

/// The package that has the binary `name`.
pub fn package_of(packages: &BTreeMap<String, String>, name: &str) -> Outcome<String> {
    packages.get(name).cloned().ok_or_else(|| {
        let mend = "name a binary of the workspace in `program`, or write it";
        Failure::new(Exit::Build, format!("no crate of the workspace has a binary `{name}`"), mend)
    })
}

/// Every binary of the workspace with its package.
pub fn packages(house: &House) -> Outcome<BTreeMap<String, String>> {
    let mut command = Command::new(program());
    command.current_dir(house.root()).args(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let done = command
        .output()
        .map_err(|e| Failure::new(Exit::Missing, format!("cannot run cargo: {e}"), "nx doctor"))?;
    if !done.status.success() {
        return Err(Failure::new(
            Exit::Build,
            String::from_utf8_lossy(&done.stderr).trim(),
            "cargo metadata must work",
        ));
    }
    let metadata: Value = serde_json::from_slice(&done.stdout)
        .map_err(|e| Failure::new(Exit::Build, format!("cargo metadata: {e}"), ""))?;
    let mut binaries = BTreeMap::new();
    for package in array(&metadata["packages"]) {
        for target in array(&package["targets"]) {
            let is_binary = array(&target["kind"]).iter().any(|kind| kind == "bin");
            if let (true, Some(name), Some(of)) =
                (is_binary, target["name"].as_str(), package["name"].as_str())
            {
                binaries.insert(name.to_string(), of.to_string());
            }
        }
    }
    Ok(binaries)
}

/// Runs cargo, its progress and diagnostics going to the terminal; answers the executables it made.
fn executables(command: Command) -> Outcome<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let good = lines(command, SILENCE, Errors::Shown, |line| {
        let Some(Ok(message)) = line.map(serde_json::from_str::<Value>) else { return };
        if let (Some(path), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str())
        {
            found.insert(name.to_string(), PathBuf::from(path));
        }
    })?;
    if good {
        return Ok(found);
    }
    Err(Failure::new(
        Exit::Build,
        "cargo could not build the system",
        "mend what cargo says above, then the same again",
    ))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
