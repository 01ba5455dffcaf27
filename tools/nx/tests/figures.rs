//! The committed figures through the door: `nx test bench` fails at a step back and at nothing else, and `nx bench --record`
//! writes what was measured into the file and into what is made of it.

mod support;

use std::fs;

use support::{Scratch, exit, words};

/// A bench image that counts what stands in the file `value`.
const QEMU: &str = "cat \"$(dirname \"$0\")/value\"; exit 0";

/// A tree whose only row, `ipc.x`, comes to `value`; `more` are other lines of the image.
fn measured(scratch: &Scratch, value: u32, more: &str, rows: u32) {
    let text = format!("BENCH ipc.x instructions {value} {value} {value} 5\n{more}BENCH-END {rows}\n");
    fs::write(scratch.path("value"), text).unwrap();
}

fn test_bench(scratch: &Scratch) -> (i32, String) {
    let output = scratch.nx(&["test", "bench"]).output().unwrap();
    (exit(&output), words(&output))
}

#[test]
fn a_step_back_of_over_two_percent_fails_until_it_is_recorded() {
    // Committed are 100, and at most 120.
    let scratch = Scratch::with_tree(QEMU);
    for (value, code) in [(50, 0), (100, 0), (102, 0), (103, 1)] {
        measured(&scratch, value, "", 1);
        let (found, said) = test_bench(&scratch);
        assert_eq!(found, code, "{value}: {said}");
    }
    let (_, said) = test_bench(&scratch);
    assert!(
        said.contains("FAIL bench::ipc.x") && said.contains("103, 3.0 % more than the 100 committed"),
        "{said}"
    );

    let output = scratch.nx(&["bench", "ipc", "--record"]).output().unwrap();
    assert_eq!(exit(&output), 0, "{}", words(&output));
    assert!(words(&output).contains("+3.0 %"), "it is shown beside what was committed: {}", words(&output));
    let read = |name: &str| fs::read_to_string(scratch.path(name)).unwrap();
    assert!(read("docs/figures.json").contains("\"ours\":[103,103,103]"));
    assert!(read("docs/performance.md").contains("| `ipc.x` | 103 | ≤ 120 | 200 |"));
    assert!(read("docs/images/figures.svg").contains(">103</text>"));
    assert_eq!(test_bench(&scratch).0, 0);
}

#[test]
fn a_limit_that_was_kept_and_a_row_that_nobody_committed_fail() {
    let scratch = Scratch::with_tree(QEMU);
    measured(&scratch, 119, "", 1);
    assert_eq!(exit(&scratch.nx(&["bench", "ipc", "--record"]).output().unwrap()), 0);
    measured(&scratch, 121, "", 1);
    let (code, said) = test_bench(&scratch);
    assert!(code == 1 && said.contains("121 is over what it must come to"), "{said}");

    measured(&scratch, 119, "BENCH ipc.y instructions 1 1 1 5\n", 2);
    let (code, said) = test_bench(&scratch);
    assert!(code == 1 && said.contains("`ipc.y` was measured and is not committed"), "{said}");

    fs::write(scratch.path("value"), "BENCH ipc.y instructions 1 1 1 5\nBENCH-END 1\n").unwrap();
    let (code, said) = test_bench(&scratch);
    assert!(code == 1 && said.contains("`ipc.x` is committed and was not measured"), "{said}");
}

#[test]
fn what_is_not_measured_whole_is_not_recorded() {
    let scratch = Scratch::with_tree(QEMU);
    let before = fs::read_to_string(scratch.path("docs/figures.json")).unwrap();
    // The image says that there were two.
    measured(&scratch, 1, "", 2);
    assert_eq!(exit(&scratch.nx(&["bench", "ipc", "--record"]).output().unwrap()), 1);
    assert_eq!(exit(&scratch.nx(&["bench", "--quick", "--record"]).output().unwrap()), 2);
    assert_eq!(fs::read_to_string(scratch.path("docs/figures.json")).unwrap(), before);
}
