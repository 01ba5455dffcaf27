//! The device lane against a QEMU that prints what the test says: good runs pass, and every contradiction is a
//! failure.

mod support;

use std::time::Duration;

use nx::machine::options::Options;
use nx::machine::watch::Watcher;
use nx::test::{Device, boot_device};
use support::{Scratch, exit, words};

fn device(script: &str) -> Device {
    let scratch = Scratch::new(script);
    let mut options = Options::new(&scratch.path("image"), 1);
    options.qemu = scratch.path("qemu").to_string_lossy().into_owned();
    boot_device(&options, Duration::from_secs(60), Watcher::default()).unwrap()
}

#[test]
fn a_good_run_has_nothing_to_complain_about() {
    let device = device("echo 'TEST a ok'; echo 'probe: TEST b ok'; echo 'TESTS 2 passed, 0 failed'; exit 0");
    assert_eq!(device.complaint, None);
    assert_eq!(device.tests.len(), 2);
}

#[test]
fn a_failed_test_is_known_with_its_reason() {
    let device = device("echo 'TEST a FAILED: got 3'; echo 'TESTS 0 passed, 1 failed'; exit 1");
    assert_eq!(device.tests, [("a".to_string(), Some("got 3".to_string()))]);
    assert_eq!(device.complaint, None);
}

#[test]
fn contradictions_are_failures() {
    for (script, part) in [
        ("exit 0", "no test reported anything"),
        ("echo 'TEST a ok'; exit 0", "the sum"),
        ("echo 'TEST a ok'; echo 'TESTS 2 passed, 0 failed'; exit 0", "the image says 2 and 0"),
        ("echo 'TEST a ok'; echo 'TESTS 1 passed, 0 failed'; exit 1", "the machine ended with 1"),
        ("echo 'TEST a FAILED: x'; echo 'TESTS 0 passed, 1 failed'; exit 0", "the machine ended with 0"),
        ("echo 'TEST a ok'; echo 'neuron: panic: x'; exit 127", "the kernel panicked"),
        ("echo 'TEST a ok'; kill -SEGV $$", "QEMU crashed"),
    ] {
        let complaint = device(script).complaint.unwrap_or_default();
        assert!(complaint.contains(part), "{script}: {complaint}");
    }
}

#[test]
fn the_repeat_line_of_a_failed_test_can_be_pasted() {
    let script = "echo 'TEST a ok'; echo 'TEST b FAILED: why'; echo 'TESTS 1 passed, 1 failed'; exit 1";
    let scratch = Scratch::with_tree(script);
    let output = scratch.nx(&["test", "device"]).output().unwrap();
    let said = words(&output);
    assert_eq!(exit(&output), 1, "{said}");
    assert!(said.contains("FAIL device::b") && said.contains("why"), "{said}");
    let line = said.lines().find_map(|line| line.trim().strip_prefix("repeat: ")).expect("a repeat line");
    assert!(line.contains("build/test/boot.img") && line.contains("-icount"), "{line}");
    let again = std::process::Command::new("sh").args(["-c", line]).output().unwrap();
    assert_eq!(exit(&again), 1);
    assert!(words(&again).contains("TEST b FAILED: why"), "{}", words(&again));
}
