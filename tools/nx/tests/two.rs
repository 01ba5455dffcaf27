//! Two commands at once: one builds at a time, the other says whom it waits for; machines run side by side, each with
//! a console of its own; an interruption while waiting or building leaves nothing behind.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use support::{Scratch, await_death, await_that, exit, words};

/// A build that has reached cargo, which goes on when `hold` is removed.
fn held_build(scratch: &Scratch) -> Child {
    std::fs::write(scratch.path("hold"), "").unwrap();
    let child = scratch.nx(&["build"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    await_that("cargo is called", || (builds(scratch).len() == 1).then_some(()));
    child
}

/// Process ids of the cargos that were told to build.
fn builds(scratch: &Scratch) -> Vec<u32> {
    let text = std::fs::read_to_string(scratch.path("builds")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// A second build, once it has said that it waits.
fn waiting_build(scratch: &Scratch, first: &Child) -> Child {
    let mut child = scratch.nx(&["build"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    let wanted = format!("wait  another nx builds here (process {}); it goes first", first.id());
    assert!(line.contains(&wanted), "{line}");
    child
}

fn interrupt(child: Child) -> Output {
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn one_builds_at_a_time() {
    let scratch = Scratch::with_tree("");
    let first = held_build(&scratch);
    let second = waiting_build(&scratch, &first);
    assert_eq!(builds(&scratch).len(), 1);
    std::fs::remove_file(scratch.path("hold")).unwrap();
    for child in [first, second] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(exit(&output), 0, "{}", words(&output));
    }
    assert_eq!(builds(&scratch).len(), 2);
}

#[test]
fn an_interruption_ends_who_waits_and_who_builds() {
    let scratch = Scratch::with_tree("");
    let first = held_build(&scratch);
    let second = waiting_build(&scratch, &first);
    let output = interrupt(second);
    assert_eq!(exit(&output), 130);
    assert!(words(&output).contains("interrupted; nothing was built"), "{}", words(&output));
    let output = interrupt(first);
    assert_eq!(exit(&output), 130, "{}", words(&output));
    builds(&scratch).into_iter().for_each(await_death);
}

#[test]
fn machines_run_side_by_side() {
    let scratch =
        Scratch::new("echo $$ > \"$PIDS\"; echo 'logd: ready'; echo 'samgrd: ready'; exec sleep 1000");
    let image = scratch.path("image");
    let mut first = scratch.nx(&["run", "--headless", "--image", image.to_str().unwrap()]);
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    scratch.pids(1);
    let second = scratch.run(&["--headless", "--until", "ready"]);
    assert_eq!(exit(&second), 0, "{}", words(&second));
    assert!(words(&second).contains("kept in build/run-2/console.log"), "{}", words(&second));
    assert!(words(&interrupt(first)).contains("kept in build/run/console.log"));
    let third = scratch.run(&["--headless", "--until", "ready"]);
    assert!(words(&third).contains("kept in build/run/console.log"), "{}", words(&third));
}
