//! `nx prove` with a machine that says what the test wants: a gate is closed by all of its lines and by nothing less.

mod support;

use serde_json::Value;
use support::{Scratch, exit, words};

/// What `nx prove` answers for gate 1 of a machine that says these lines.
fn prove(lines: &[String], end: &str) -> (i32, Value) {
    let said: String = lines.iter().map(|line| format!("echo '{line}'; ")).collect();
    let scratch = Scratch::with_tree(&format!("{said}{end}"));
    let output = scratch.nx(&["prove", "--gate", "1", "--json"]).output().unwrap();
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", words(&output)));
    (exit(&output), value[0].clone())
}

const GOOD: &str = "echo 'TEST a ok'; echo 'TESTS 1 passed, 0 failed'; exit 0";

/// Every line that gate 1 asks for: what a machine lacks that says nothing.
fn proofs() -> Vec<String> {
    let (code, row) = prove(&[], GOOD);
    assert_eq!((code, row["state"].as_str()), (1, Some("failed")));
    let missing = row["missing"].as_array().unwrap().iter();
    missing.map(|line| line.as_str().unwrap().to_string()).collect()
}

#[test]
fn all_lines_close_a_gate_and_all_but_one_do_not() {
    let proofs = proofs();
    assert_eq!(proofs.len(), 14);
    let (code, row) = prove(&proofs, GOOD);
    assert_eq!((code, row["state"].as_str()), (0, Some("closed")), "{row}");
    for left_out in 0..proofs.len() {
        let mut lines = proofs.clone();
        let line = lines.remove(left_out);
        let (code, row) = prove(&lines, GOOD);
        assert_eq!((code, row["state"].as_str()), (1, Some("failed")), "without {line}");
        assert_eq!(row["missing"], serde_json::json!([line]));
    }
}

#[test]
fn lines_of_a_machine_that_failed_close_nothing() {
    let proofs = proofs();
    for end in [
        "echo 'TEST a FAILED: x'; echo 'TESTS 0 passed, 1 failed'; exit 1",
        "echo 'TEST a ok'; echo 'TESTS 1 passed, 0 failed'; exit 3",
        "echo 'TEST a ok'; exit 0",
        "echo 'TEST a ok'; echo 'neuron: panic on hart 0: x'; exit 127",
        "kill -KILL $$",
    ] {
        let (code, row) = prove(&proofs, end);
        assert_eq!((code, row["state"].as_str()), (1, Some("failed")), "{end}: {row}");
    }
}

#[test]
fn a_line_that_a_program_only_quotes_is_no_proof() {
    let quoted: Vec<String> = proofs().iter().map(|line| format!("he said {line}")).collect();
    let (code, row) = prove(&quoted, GOOD);
    assert_eq!((code, row["state"].as_str()), (1, Some("failed")));
    assert_eq!(row["missing"].as_array().unwrap().len(), quoted.len());
}
