//! What scripts rely on besides `run`: help, usage errors, doctor, completions, man pages, the registry's
//! refusals, and the same bytes for the same input.

mod support;

use support::{Scratch, exists, exit, program, words};

#[test]
fn help_teaches_examples_and_exit_codes() {
    let scratch = Scratch::new("");
    let help = scratch.nx(&["--help"]).output().unwrap();
    assert_eq!(exit(&help), 0);
    for part in ["nx run --headless --until ready", "Exit codes:", "130  interrupted", "NX_QEMU"] {
        assert!(words(&help).contains(part), "{part}");
    }
    for command in ["build", "run", "test", "prove", "bench", "doctor"] {
        assert!(words(&help).contains(command));
        assert_eq!(exit(&scratch.nx(&[command, "--help"]).output().unwrap()), 0);
    }
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

#[test]
fn the_doctor_names_what_is_missing_and_the_mending_command() {
    let scratch = Scratch::new("echo 'QEMU emulator version 6.0.0'");
    let output = scratch.nx(&["doctor", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 3, "{}", words(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let qemu = value.as_array().unwrap().iter().find(|check| check["name"] == "qemu").unwrap();
    assert_eq!(qemu["ok"], false);
    assert!(qemu["found"].as_str().unwrap().contains("older than 7.2"));
    assert!(qemu["mend"].as_str().unwrap().contains("apt-get install"));
}

#[test]
fn completions_and_man_pages_come_from_the_definition() {
    let scratch = Scratch::new("");
    for shell in ["bash", "zsh", "fish"] {
        let output = scratch.nx(&["completions", shell]).output().unwrap();
        assert_eq!(exit(&output), 0);
        assert!(words(&output).contains("headless"));
    }
    assert_eq!(exit(&scratch.nx(&["man", "pages"]).output().unwrap()), 0);
    assert!(exists(&scratch.path("pages/nx-run.1")));
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
