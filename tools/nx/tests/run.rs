//! `nx run` against a QEMU that does what the test says: each way a machine can end has its own exit code and
//! message, and none leaves a process behind.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use support::{Scratch, await_death, exit, lives, words};

const READY: &str = "echo 'neuron: 1 hart'; echo 'logd: ready'; echo '[    0.012] samgrd: ready'";
const UNTIL: &[&str] = &["--headless", "--until", "ready", "--timeout", "60"];

#[test]
fn ready_means_every_declared_process() {
    let scratch = Scratch::new(&format!("{READY}; sleep 1000"));
    let output = scratch.run(&[UNTIL, &["--json"]].concat());
    assert_eq!(exit(&output), 0, "{}", words(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["result"], "ready");
    assert_eq!(value["services"][1]["name"], "samgrd");
    let log = std::fs::read_to_string(scratch.path("build/run/console.log")).unwrap();
    assert!(log.contains("samgrd: ready"));
}

#[test]
fn a_missing_process_is_named_after_the_time_out() {
    let scratch = Scratch::new("echo 'logd: ready'; echo 'probe: samgrd: ready'; sleep 1000");
    let output = scratch.run(&["--headless", "--until", "ready", "--timeout", "4"]);
    assert_eq!(exit(&output), 5, "{}", words(&output));
    assert!(words(&output).contains("missing: samgrd"));
    assert!(words(&output).contains("| probe: samgrd: ready"));
    assert!(words(&output).contains("repeat: "));
}

#[test]
fn a_kernel_panic_is_told_apart() {
    let scratch =
        Scratch::new("echo 'logd: ready'; echo 'neuron: panic: no frames'; echo 'scause 5'; sleep 1000");
    let output = scratch.run(UNTIL);
    assert_eq!(exit(&output), 6, "{}", words(&output));
    assert!(words(&output).contains("the kernel panicked: neuron: panic: no frames"));
    assert!(words(&output).contains("| scause 5"), "the report behind the panic is shown");
}

#[test]
fn a_crash_of_qemu_is_told_apart() {
    let scratch = Scratch::new("echo 'logd: ready'; kill -SEGV $$");
    let output = scratch.run(UNTIL);
    assert_eq!(exit(&output), 7, "{}", words(&output));
    assert!(words(&output).contains("QEMU crashed (signal 11, SIGSEGV)"));
}

#[test]
fn a_qemu_that_cannot_start_says_why() {
    let scratch = Scratch::new("echo 'unknown option' >&2; exit 1");
    let output = scratch.run(UNTIL);
    assert_eq!(exit(&output), 7, "{}", words(&output));
    assert!(words(&output).contains("unknown option"));
}

#[test]
fn a_machine_that_ends_early_tells_its_code() {
    for code in [0, 3] {
        let scratch = Scratch::new(&format!("echo 'logd: ready'; exit {code}"));
        let output = scratch.run(UNTIL);
        assert_eq!(exit(&output), 8, "{}", words(&output));
        assert!(words(&output).contains(&format!("the machine ended (exit code {code}) before ready")));
    }
}

#[test]
fn without_until_a_good_end_is_good() {
    let scratch = Scratch::new("echo 'logd: ready'; exit 0");
    assert_eq!(exit(&scratch.run(&["--headless"])), 0);
    let scratch = Scratch::new("exit 2");
    assert_eq!(exit(&scratch.run(&["--headless"])), 8);
}

#[test]
fn nothing_is_left_behind_when_the_time_is_up() {
    let scratch = Scratch::new("sleep 1000 & echo $$ > \"$PIDS\"; echo $! >> \"$PIDS\"; wait");
    let output = scratch.run(&["--headless", "--until", "ready", "--timeout", "4"]);
    assert_eq!(exit(&output), 5);
    scratch.pids(2).into_iter().for_each(await_death);
}

#[test]
fn a_signal_ends_the_machine_too() {
    for (signal, why) in
        [("TERM", "told to end (TERM)"), ("INT", "interrupted"), ("HUP", "the terminal is gone (HUP)")]
    {
        let scratch = Scratch::new("sleep 1000 & echo $$ > \"$PIDS\"; echo $! >> \"$PIDS\"; wait");
        let image = scratch.path("image");
        let mut nx = scratch.nx(&["run", "--headless", "--image", image.to_str().unwrap()]);
        let child = nx.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pids = scratch.pids(2);
        assert!(pids.iter().all(|pid| lives(*pid)));
        Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(exit(&output), 130, "{signal}: {}", words(&output));
        assert!(words(&output).contains(&format!("nx: {why}; the machine is ended")), "{}", words(&output));
        pids.into_iter().for_each(await_death);
    }
}

#[test]
fn even_a_killed_nx_takes_qemu_along() {
    let scratch = Scratch::new("echo $$ > \"$PIDS\"; exec sleep 1000");
    let image = scratch.path("image");
    let mut nx = scratch.nx(&["run", "--headless", "--image", image.to_str().unwrap()]);
    let mut child = nx.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pids = scratch.pids(1);
    child.kill().unwrap();
    child.wait().unwrap();
    pids.into_iter().for_each(await_death);
}

#[test]
fn a_kill_from_outside_is_no_crash() {
    let scratch = Scratch::new("echo 'logd: ready'; kill -KILL $$");
    let output = scratch.run(UNTIL);
    assert_eq!(exit(&output), 7, "{}", words(&output));
    assert!(words(&output).contains("QEMU was ended from outside (signal 9, SIGKILL)"));
}

/// Whether the machine goes on talking or not: who is silent would not notice by writing.
#[test]
fn an_output_that_nobody_reads_ends_the_machine() {
    for then in ["while sleep 0.02; do echo line; done", "exec sleep 1000"] {
        let scratch = Scratch::new(&format!("echo line; echo $$ > \"$PIDS\"; {then}"));
        let image = scratch.path("image");
        let mut nx = scratch.nx(&["run", "--headless", "--image", image.to_str().unwrap()]);
        let mut child = nx.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pids = scratch.pids(1);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "line\n");
        let output = child.wait_with_output().unwrap();
        assert_eq!(exit(&output), 130, "{}", words(&output));
        assert!(words(&output).contains("nobody reads the output any more"), "{}", words(&output));
        pids.into_iter().for_each(await_death);
    }
}

#[test]
fn firmware_is_folded_unless_it_is_all_there_is() {
    let firmware = "echo; echo 'OpenSBI v1.1'; echo 'Platform Name : x'";
    let scratch = Scratch::new(&format!("{firmware}; echo 'neuron: 1 hart'; {READY}; sleep 1000"));
    let said = words(&scratch.run(UNTIL));
    assert!(said.contains("OpenSBI v1.1 (2 lines, in the console's file)"), "{said}");
    assert!(!said.contains("Platform Name"), "{said}");
    let scratch = Scratch::new(&format!("{firmware}; sleep 1000"));
    let said = words(&scratch.run(&["--headless", "--until", "ready", "--timeout", "4"]));
    assert!(said.contains("| Platform Name : x"), "{said}");
}

fn at_the_prompt(script: &str, typed: &str) -> std::process::Output {
    let scratch = Scratch::new(script);
    let image = scratch.path("image");
    let mut nx = scratch.nx(&["run", "--image", image.to_str().unwrap()]);
    let mut child = nx.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    // A machine that has ended meanwhile is what some tests are about.
    let _ = keyboard.write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    output
}

#[test]
fn the_prompt_takes_commands_until_quit() {
    let output = at_the_prompt(&format!("{READY}; sleep 1000"), "help\nbrew\ncompletions bash\nrun\nquit\n");
    let said = words(&output);
    assert_eq!(exit(&output), 0, "{said}");
    for part in [
        "nx> ",
        "As on the command line",
        "unrecognized subcommand",
        "complete -F _nx",
        "a machine is running here",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn a_panic_at_the_prompt_ends_it() {
    let output = at_the_prompt(&format!("{READY}; echo 'neuron: panic: late'; sleep 1000"), "");
    assert_eq!(exit(&output), 6, "{}", words(&output));
}

#[test]
fn what_cannot_run_is_told_before_it_is_tried() {
    let scratch = Scratch::new("");
    assert_eq!(exit(&scratch.run(&["--smp", "9"])), 2);
    assert_eq!(exit(&scratch.run(&["--fresh"])), 2);
    assert_eq!(exit(&scratch.run(&["--icount", "--smp", "2"])), 2);
    std::fs::remove_file(scratch.path("qemu")).unwrap();
    let output = scratch.run(UNTIL);
    assert_eq!(exit(&output), 3, "{}", words(&output));
    assert!(words(&output).contains("apt-get install"));
    std::fs::remove_file(scratch.path("image/boot.img")).unwrap();
    assert_eq!(exit(&scratch.run(UNTIL)), 4);
}

#[test]
fn one_more_device_is_plugged_in() {
    let scratch = Scratch::new("echo \"$@\"; exit 0");
    let output = scratch.run(&["--headless", "--device", "virtio-gpu-device", "--device", "x,y=1"]);
    assert!(words(&output).contains("-device virtio-gpu-device -device x,y=1"), "{}", words(&output));
}

#[test]
fn a_disk_is_made_kept_and_emptied() {
    let scratch = Scratch::new("echo \"$@\"; exit 0");
    let disk = scratch.path("disk.img");
    let disk_word = disk.to_str().unwrap();
    let output = scratch.run(&["--headless", "--disk", disk_word]);
    assert!(words(&output).contains("virtio-blk-device,drive=disk0"), "{}", words(&output));
    assert_eq!(std::fs::metadata(&disk).unwrap().len(), 64 << 20);
    std::fs::write(&disk, "kept").unwrap();
    scratch.run(&["--headless", "--disk", disk_word]);
    assert_eq!(std::fs::read(&disk).unwrap(), b"kept");
    scratch.run(&["--headless", "--disk", disk_word, "--fresh"]);
    assert_eq!(std::fs::metadata(&disk).unwrap().len(), 64 << 20);
}
