//! What scripts rely on besides `run`: help, usage errors, doctor, completions, man pages, the registry's
//! refusals, and the same bytes for the same input.

mod support;

use std::process::Command;

use support::{Scratch, await_death, exit, program, program_file, words};

#[test]
fn help_teaches_examples_and_exit_codes() {
    let scratch = Scratch::new("");
    let help = scratch.nx(&["--help"]).output().unwrap();
    assert_eq!(exit(&help), 0);
    for part in ["nx run --headless --until ready", "nx help exit-codes", "docs/nx.md"] {
        assert!(words(&help).contains(part), "{part}");
    }
    for command in ["build", "run", "test", "prove", "bench", "state", "doctor", "completions", "man", "help"]
    {
        assert!(words(&help).contains(command));
        let long = scratch.nx(&[command, "--help"]).output().unwrap();
        assert_eq!(exit(&long), 0);
        assert!(words(&long).contains("Examples:"), "{command}");
        let own = scratch.nx(&[command, "-h"]).output().unwrap();
        let asked = scratch.nx(&["help", command]).output().unwrap();
        assert_eq!(words(&asked), words(&own), "{command}");
    }
    let codes = scratch.nx(&["help", "exit-codes"]).output().unwrap();
    assert!(words(&codes).contains("130  interrupted"));
    let wrong = scratch.nx(&["help", "brewing"]).output().unwrap();
    assert_eq!(exit(&wrong), 2);
    assert!(words(&wrong).contains("next: nx help"));
}

#[test]
fn what_is_not_understood_is_exit_code_2() {
    let scratch = Scratch::new("");
    for wrong in [&["brew"][..], &["run", "--smp", "0"], &["prove", "--gate", "7"], &[]] {
        assert_eq!(exit(&scratch.nx(wrong).output().unwrap()), 2, "{wrong:?}");
    }
}

#[test]
fn failures_are_json_for_programs() {
    let scratch = Scratch::new("");
    let output = scratch.nx(&["build", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 4, "{}", words(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(value["error"], "build");
    assert_eq!(value["exit"], 4);
    assert!(value["what"].as_str().unwrap().contains("there is no [system] table"));
}

/// What the doctor says of each thing, with only `programs` in the search path.
fn doctor(qemu: &str, programs: &[(&str, &str)]) -> (i32, serde_json::Value, String) {
    let scratch = Scratch::new(qemu);
    let folder = scratch.path("bin");
    std::fs::create_dir(&folder).unwrap();
    for (name, script) in programs {
        program_file(&folder.join(name), &format!("#!/bin/sh\n{script}\n"));
    }
    std::fs::write(scratch.path("rust-toolchain.toml"), "[toolchain]\nchannel = \"1.95.0\"\n").unwrap();
    let output = scratch.nx(&["doctor", "--json"]).env("PATH", &folder).output().unwrap();
    let value = serde_json::from_slice(&output.stdout).unwrap();
    (exit(&output), value, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn check<'a>(value: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    value.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

/// A QEMU that has everything; `$FW` is where its firmware is.
const QEMU: &str = "FW=$(dirname \"$0\")/image; case $1 in --version) echo 'QEMU emulator version 7.2.0';; \
    -machine) echo 'virt  RISC-V VirtIO board';; -L) echo \"$FW\";; esac";

#[test]
fn on_a_bare_host_the_doctor_names_everything_with_its_mending_command() {
    let (code, value, error) = doctor("exit 1", &[]);
    assert_eq!(code, 3);
    for (name, mend) in [
        (
            "toolchain",
            "rustup toolchain install 1.95.0 --profile minimal -c rustfmt,clippy -t riscv64gc-unknown-none-elf",
        ),
        ("target", "rustup target add --toolchain 1.95.0 riscv64gc-unknown-none-elf"),
        ("linker", "apt-get install -y --no-install-recommends gcc libc6-dev"),
        ("qemu", "apt-get install -y --no-install-recommends qemu-system-misc"),
        ("machine", "apt-get install -y --no-install-recommends qemu-system-misc"),
        ("firmware", "apt-get install -y --no-install-recommends qemu-system-misc"),
        ("setpriv", "apt-get install -y --no-install-recommends util-linux"),
    ] {
        let check = check(&value, name);
        assert_eq!(check["ok"], false, "{name}");
        assert!(check["mend"].as_str().unwrap().contains(mend), "{check}");
        assert!(error.contains(mend), "the failure has the command that mends {name}");
    }
    for name in ["disk", "target/", "build/"] {
        assert_eq!(check(&value, name)["ok"], true, "{name}");
    }
}

#[test]
fn the_doctor_finds_what_is_too_old_or_of_another_kind() {
    let old = "case $1 in --version) echo 'QEMU emulator version 7.1.9';; -machine) echo 'spike  x';; esac";
    let programs = [("cargo", "echo 'cargo 1.80.0 (x)'"), ("rustc", "echo /nowhere"), ("cc", "echo cc 12")];
    let (code, value, _) = doctor(old, &programs);
    assert_eq!(code, 3);
    for (name, found) in [
        ("toolchain", "cargo 1.80.0 (x), but the tree is built with 1.95.0"),
        ("target", "riscv64gc-unknown-none-elf is not installed"),
        ("qemu", "QEMU emulator version 7.1.9 is older than 7.2"),
        ("machine", "this QEMU has no machine `virt`"),
        ("firmware", "QEMU finds no opensbi-riscv64-generic-fw_dynamic.bin"),
    ] {
        assert_eq!(check(&value, name)["found"], found, "{name}");
    }
    assert_eq!(check(&value, "linker")["ok"], true);
}

#[test]
fn a_host_that_has_everything_is_well() {
    let scratch = Scratch::new(QEMU);
    std::fs::write(scratch.path("image/opensbi-riscv64-generic-fw_dynamic.bin"), "").unwrap();
    let output = scratch.nx(&["doctor"]).output().unwrap();
    assert_eq!(exit(&output), 0, "{}", words(&output));
    assert!(words(&output).contains("go on with: nx run"));
}

#[test]
fn a_tool_that_never_answers_is_ended_and_named() {
    // It leaves a child that holds its output open, as a tool that starts a server does.
    let scratch = Scratch::new(
        "case $1 in --version) sleep 1000 & echo $$ $! | tr ' ' '\\n' > \"$PIDS\"; sleep 1000;; esac",
    );
    let output = scratch.nx(&["doctor", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 3, "{}", words(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = check(&value, "qemu")["found"].as_str().unwrap();
    assert!(found.ends_with("did not answer within 10 s and was ended"), "{found}");
    assert_eq!(check(&value, "setpriv")["ok"], true, "the rest is looked at all the same");
    scratch.pids(2).into_iter().for_each(await_death);
}

#[test]
fn a_folder_that_cannot_be_written_is_found() {
    let scratch = Scratch::new(QEMU);
    std::fs::write(scratch.path("target"), "a file in the way").unwrap();
    let output = scratch.nx(&["doctor", "--json"]).output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(check(&value, "target/")["ok"], false);
    assert!(check(&value, "target/")["mend"].as_str().unwrap().contains("chown"));
}

#[test]
fn completions_and_man_pages_come_from_the_definition() {
    let scratch = Scratch::new("");
    for shell in ["bash", "zsh", "fish"] {
        let output = scratch.nx(&["completions", shell]).output().unwrap();
        assert_eq!(exit(&output), 0);
        assert!(words(&output).contains("headless"));
    }
    let script =
        "eval \"$1\"; COMP_WORDS=(nx run --hea); COMP_CWORD=2; _nx nx --hea run; echo \"${COMPREPLY[@]}\"";
    let completions = words(&scratch.nx(&["completions", "bash"]).output().unwrap());
    let tried = Command::new("bash").args(["-c", script, "bash", &completions]).output().unwrap();
    assert_eq!(words(&tried), "--headless\n");
    for name in ["man", "manual"] {
        assert_eq!(exit(&scratch.nx(&[name, name]).output().unwrap()), 0);
        let page = std::fs::read_to_string(scratch.path(name).join("nx-run.1")).unwrap();
        assert!(page.contains(".TH nx-run 1") && page.contains("\\-\\-headless"), "{page}");
    }
}

#[test]
fn a_bench_or_test_image_that_does_not_exist_is_no_pass() {
    let scratch = Scratch::new("");
    let output = scratch.nx(&["prove", "--gate", "1", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 1, "{}", words(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value[0]["state"], "open");
    assert_eq!(exit(&scratch.nx(&["build", "test"]).output().unwrap()), 4);
}

#[test]
fn the_same_programs_give_the_same_image() {
    let programs = [("nexus-init", program()), ("logd", program())];
    let once = nx::build::image(&programs, b"table").unwrap();
    assert_eq!(once, nx::build::image(&programs, b"table").unwrap());
    assert!(nx::build::image(&[("nexus-init", vec![0; 64])], b"table").is_err());
}
