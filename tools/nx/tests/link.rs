//! What a terminal is told by a running system, and when there is none.

mod support;

use support::system::system;
use support::{Scratch, exit, words};

#[test]
fn without_a_system_it_is_told_in_plain_words() {
    let scratch = Scratch::new("exit 0");
    // A door that nobody is behind.
    std::fs::create_dir_all(scratch.path("build/run")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(scratch.path("build/run/link")).unwrap());
    for command in [&["ps"][..], &["log"], &["log", "-f"], &["top"], &["kill", "rngd"], &["net", "status"]] {
        let output = scratch.nx(command).output().unwrap();
        assert_eq!(exit(&output), 10, "{command:?}: {}", words(&output));
        assert!(words(&output).contains("no system runs here"), "{}", words(&output));
        assert!(words(&output).contains("next: start one: ./nx run"), "{}", words(&output));
        let json = scratch.nx(&[command, &["--json"]].concat()).output().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
        assert_eq!((&value["error"], &value["exit"]), (&"no-system".into(), &10.into()), "{command:?}");
    }
}

#[test]
fn people_get_tables() {
    let scratch = Scratch::new("exit 0");
    system(&scratch, "run");
    let said = |command: &[&str]| {
        let output = scratch.nx(command).output().unwrap();
        assert_eq!(exit(&output), 0, "{command:?}: {}", words(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let ps = said(&["ps"]);
    assert_eq!(ps.lines().count(), 3, "{ps}");
    assert!(ps.contains("rngd        2   ready"), "{ps}");
    assert_eq!(
        said(&["log"]),
        "     0.007  kernel: something happened\n     0.007  rngd: audit: something happened\n"
    );
    let caps = said(&["caps"]);
    assert_eq!(caps.lines().count(), 4, "{caps}");
    assert!(caps.contains("nexus-init  channel  7       rngd"), "{caps}");
    assert_eq!(said(&["caps", "rngd"]).lines().count(), 2);
    said(&["caps", "graph", "caps.svg"]);
    let drawn = std::fs::read_to_string(scratch.path("caps.svg")).unwrap();
    assert_eq!((drawn.matches("<circle").count(), drawn.matches("<path").count()), (2, 1));
    let unknown = scratch.nx(&["caps", "tea"]).output().unwrap();
    assert_eq!(exit(&unknown), 1, "{}", words(&unknown));
    assert_eq!(said(&["log", "-n", "1"]).lines().count(), 1);
    assert!(said(&["net", "status"]).contains("10.0.2.15/24"));
    assert!(said(&["top", "--count", "2"]).contains("0.0"));
    let refused = scratch.nx(&["kill", "logd"]).output().unwrap();
    assert_eq!(exit(&refused), 1);
    assert!(words(&refused).contains("kill logd: this image does not allow that"), "{}", words(&refused));
}

#[test]
fn with_several_systems_one_has_to_be_named() {
    let scratch = Scratch::new("exit 0");
    system(&scratch, "run");
    system(&scratch, "run-2");
    let output = scratch.nx(&["ps"]).output().unwrap();
    assert_eq!(exit(&output), 2);
    assert!(words(&output).contains("several systems run here: run, run-2"), "{}", words(&output));
    assert_eq!(exit(&scratch.nx(&["ps", "--system", "run-2"]).output().unwrap()), 0);
    let unknown = scratch.nx(&["ps", "--system", "run-3"]).output().unwrap();
    assert_eq!(exit(&unknown), 10);
    assert!(words(&unknown).contains("no system `run-3` runs"), "{}", words(&unknown));
}
