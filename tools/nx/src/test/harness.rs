//! A program of Rust's test harness, or cargo that runs some: its lines become reports, one a test.

use std::process::Command;
use std::time::Instant;

use super::{Bench, Report};
use crate::build::SILENCE;
use crate::exit::Outcome;
use crate::process::{Errors, lines};

/// Most lines of a failed test's output that are shown.
const MAX_SHOWN: usize = 60;

/// Runs it and reports each test as `prefix::name`. What a passed test printed last, if the harness shows it, is what it
/// measured. `repeat` answers the command that runs a test of that name again.
pub fn run(
    bench: &mut Bench,
    suite: &'static str,
    prefix: &str,
    command: Command,
    repeat: &dyn Fn(&str) -> String,
) -> Outcome {
    let begun = Instant::now();
    let mut results = Vec::new();
    let mut whole = Vec::new();
    let good = lines(command, SILENCE, Errors::Joined, |line| {
        let Some(line) = line else { return };
        if let Some((name, passed)) = result(line) {
            results.push((name.to_string(), passed));
        }
        whole.push(line.to_string());
    })?;
    let all_passed = results.iter().all(|(_, passed)| *passed);
    for (name, passed) in results {
        let printed = output_of(&whole, &name);
        let detail = if passed { printed.lines().last().unwrap_or_default().to_string() } else { printed };
        let (repeat, name) = (repeat(&name), format!("{prefix}::{name}"));
        bench.report(Report { suite, name, passed, detail, repeat, took: None });
    }
    if !good && all_passed {
        let shown = whole.iter().rev().take(MAX_SHOWN).rev().cloned().collect::<Vec<_>>().join("\n");
        let detail = format!("the test program ended badly:\n{shown}");
        let (repeat, name) = (repeat(""), format!("{prefix}::ends"));
        bench.report(Report { suite, name, passed: false, detail, repeat, took: Some(begun.elapsed()) });
    }
    Ok(())
}

/// Names of the tests that `command`, told to list them tersely, prints.
pub fn list(mut command: Command) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    command.args(["--list", "--format=terse"]);
    lines(command, SILENCE, Errors::Joined, |line| {
        names.extend(line.and_then(|line| line.strip_suffix(": test")).map(String::from));
    })?;
    Ok(names)
}

/// `test NAME ... ok` or `… FAILED`; ignored ones are no result.
fn result(line: &str) -> Option<(&str, bool)> {
    let (name, word) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.trim_end_matches(" - should panic");
    match word.trim() {
        "ok" => Some((name, true)),
        word if word.starts_with("FAILED") => Some((name, false)),
        _ => None,
    }
}

/// What a test printed, as the harness shows it.
fn output_of(whole: &[String], name: &str) -> String {
    let head = format!("---- {name} stdout ----");
    let block = whole.iter().skip_while(|line| **line != head).skip(1);
    let block =
        block.take_while(|line| !line.starts_with("---- ") && *line != "failures:" && *line != "successes:");
    block.take(MAX_SHOWN).cloned().collect::<Vec<_>>().join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_as_the_harness_prints_them() {
        assert_eq!(result("test a::b ... ok"), Some(("a::b", true)));
        assert_eq!(result("test a::b ... FAILED"), Some(("a::b", false)));
        assert_eq!(result("test c - should panic ... ok"), Some(("c", true)));
        assert_eq!(result("test slow ... ignored"), None);
        assert_eq!(result("testing ... ok"), None);
    }

    #[test]
    fn what_a_test_printed_is_found_whether_it_passed_or_not() {
        let whole =
            ["successes:", "", "---- a stdout ----", "7 runs", "", "successes:", "    a"].map(String::from);
        assert_eq!(output_of(&whole, "a"), "7 runs");
        assert_eq!(output_of(&whole, "b"), "");
    }
}
