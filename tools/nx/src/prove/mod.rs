//! `nx prove`: a row a gate. A gate is closed only by lines that were seen in this very run, printed by test programs
//! on a machine that then ended with success, and by the suites that it names; what is not built yet is plainly open.

mod gates;

use serde_json::{Value, json};

use crate::build;
use crate::cli::{ProveArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
use crate::test::{self, Device, Evidence, exact, said, watched, watched_net, watched_state};
use crate::timings;
pub use gates::is_proof;
use gates::{GATES, Gate};

/// How a gate stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Closed,
    Open,
    Failed,
}

/// A gate with how it stands and why.
struct Row {
    gate: u8,
    name: &'static str,
    state: State,
    evidence: String,
    missing: Vec<String>,
    repeat: String,
}

/// Does what `nx prove` says.
pub fn run(house: &House, args: &ProveArgs, output: Output) -> Outcome {
    let wanted: Vec<&Gate> =
        GATES.iter().filter(|gate| args.gate.is_none_or(|only| only == gate.number)).collect();
    let has_image = house.additions(Variant::Test).is_some_and(|path| path.is_file());
    let device = if has_image && wanted.iter().any(|gate| !gate.proofs.is_empty()) {
        let options = exact(house, output)?;
        let about = timings::about(house, "device image");
        output
            .step("prove", &format!("booting the test image, one hart, instructions counted exactly{about}"));
        Some(watched(house, output, &options, false)?)
    } else {
        None
    };
    let has_network = house.additions(Variant::Net).is_some_and(|path| path.is_file());
    let network = if has_network && wanted.iter().any(|gate| !gate.over_network.is_empty()) {
        output.step("prove", "booting the net image, and talking to it from this host");
        Some(watched_net(house, output)?)
    } else {
        None
    };
    let has_state = house.additions(Variant::State).is_some_and(|path| path.is_file());
    let state = if has_state && wanted.iter().any(|gate| !gate.over_reboots.is_empty()) {
        output.step(
            "prove",
            "booting the state image, on a disk that goes through several machines and other hands",
        );
        Some(watched_state(house, output)?)
    } else {
        None
    };
    let seen = Seen { device: device.as_ref(), network: network.as_ref(), state: state.as_ref() };
    let mut rows = Vec::new();
    for gate in &wanted {
        let others = others(house, gate, output)?;
        rows.push(judge(gate, seen, &others));
    }
    show(&rows, output);
    let failed: Vec<String> =
        rows.iter().filter(|row| row.state == State::Failed).map(|row| row.gate.to_string()).collect();
    if !failed.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            format!("failed: gate {}", failed.join(", ")),
            "nx test device",
        ));
    }
    match (args.gate, rows.first()) {
        (Some(gate), Some(row)) if row.state == State::Open => Err(Failure::new(
            Exit::Failed,
            format!("gate {gate} is open: {}", row.evidence),
            "nx prove shows how each gate stands",
        )),
        _ => Ok(()),
    }
}

/// What a gate asks for beside its lines.
#[derive(Default)]
struct Others {
    /// What is not there: processes, and suites.
    lacking: Vec<String>,
    /// Tests that passed.
    passed: usize,
    /// Those that did not.
    failed: Vec<String>,
}

/// Runs the suites of a gate, if everything that it needs is there at all.
fn others(house: &House, gate: &Gate, output: Output) -> Outcome<Others> {
    let mut others = Others::default();
    if !gate.needs.is_empty() {
        let known = build::processes(house, Variant::Production)?;
        let lacking = gate.needs.iter().filter(|name| !known.iter().any(|known| known == *name));
        others.lacking.extend(lacking.map(|name| format!("{name} is not in system.toml")));
    }
    let lacking = gate.suites.iter().filter(|suite| !test::has_suite(house, suite));
    others.lacking.extend(lacking.map(|suite| format!("there is no `nx test {suite}`")));
    for suite in gate.suites.iter().filter(|_| others.lacking.is_empty()) {
        output.step("prove", &format!("nx test {suite}"));
        let Evidence { passed, failed } = test::evidence(house, suite, output)?;
        others.passed += passed;
        others.failed.extend(failed);
    }
    Ok(others)
}

/// The machines that were booted.
#[derive(Clone, Copy)]
struct Seen<'a> {
    device: Option<&'a Device>,
    network: Option<&'a Device>,
    state: Option<&'a Device>,
}

fn judge(gate: &Gate, seen: Seen<'_>, others: &Others) -> Row {
    // Each kind of line with the machine that must say it, as far as the gate asks for any.
    let asked =
        [(gate.proofs, seen.device), (gate.over_network, seen.network), (gate.over_reboots, seen.state)];
    let asked: Vec<_> = asked.into_iter().filter(|(lines, _)| !lines.is_empty()).collect();
    let first = asked.iter().find_map(|(_, device)| *device);
    let row = |state, evidence: String| Row {
        gate: gate.number,
        name: gate.name,
        state,
        evidence,
        missing: Vec::new(),
        repeat: first.map_or(String::new(), |device| device.command.clone()),
    };
    if asked.is_empty() {
        return Row { repeat: String::new(), ..row(State::Open, gate.lacks.into()) };
    }
    if first.is_none() {
        return row(State::Open, "there is no image that could say its lines yet".into());
    }
    let says = |run: &Device, proof: &str| run.console.iter().any(|line| is_proof(said(line), proof));
    let missing: Vec<String> = asked
        .iter()
        .flat_map(|(lines, run)| lines.iter().filter(move |proof| !run.is_some_and(|run| says(run, proof))))
        .map(ToString::to_string)
        .collect();
    let all = gate.lines().count();
    let tests = || asked.iter().filter_map(|(_, run)| *run).flat_map(|run| &run.tests);
    let failed_tests = tests().filter(|(_, why)| why.is_some()).count();
    match asked.iter().find_map(|(_, run)| run.and_then(|run| run.complaint.as_ref())) {
        _ if !missing.is_empty() => {
            let evidence =
                format!("{} of {all} proof lines are missing: {}", missing.len(), missing.join("; "));
            Row { missing, ..row(State::Failed, evidence) }
        }
        Some(complaint) => row(State::Failed, complaint.lines().next().unwrap_or_default().to_string()),
        None if failed_tests > 0 => row(State::Failed, format!("{failed_tests} device tests failed")),
        None if !others.failed.is_empty() => {
            row(State::Failed, format!("failed: {}", others.failed.join(", ")))
        }
        None if !others.lacking.is_empty() => {
            row(State::Open, format!("{all} proof lines seen; {}", others.lacking.join("; ")))
        }
        None if !gate.lacks.is_empty() => row(State::Open, format!("{all} proof lines seen; {}", gate.lacks)),
        None => {
            let mut evidence = format!("{all} proof lines seen");
            for (passed, whose) in
                [(tests().count(), "the device"), (others.passed, &gate.suites.join(" and "))]
            {
                if passed > 0 {
                    evidence += &format!(", {passed} tests of {whose} passed");
                }
            }
            evidence += ", each machine ended with success";
            row(State::Closed, evidence)
        }
    }
}

fn show(rows: &[Row], output: Output) {
    let word = |state| match state {
        State::Closed => Cell(String::from("closed"), Paint::Good),
        State::Open => Cell(String::from("open"), Paint::Dim),
        State::Failed => Cell(String::from("failed"), Paint::Bad),
    };
    let cells = |row: &Row| {
        vec![row.gate.to_string().into(), row.name.into(), word(row.state), row.evidence.clone().into()]
    };
    output.table(&rows.iter().map(cells).collect::<Vec<_>>());
    let plain = |state| match state {
        State::Closed => "closed",
        State::Open => "open",
        State::Failed => "failed",
    };
    let values: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "gate": row.gate, "name": row.name, "state": plain(row.state), "evidence": row.evidence,
                "missing": row.missing, "repeat": row.repeat,
            })
        })
        .collect();
    output.value(&json!(values));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that said every line, with this for each number.
    fn said_all(lines: &[&str]) -> Device {
        let mut device = Device::default();
        lines.iter().for_each(|line| device.note(&line.replace("<n>", "7")));
        device
    }

    #[test]
    fn lines_alone_do_not_close_a_gate_that_asks_for_more() {
        for gate in [&GATES[1], &GATES[2]] {
            let machines = [gate.proofs, gate.over_network, gate.over_reboots].map(said_all);
            let seen = || Seen {
                device: Some(&machines[0]),
                network: Some(&machines[1]),
                state: Some(&machines[2]),
            };
            let state = |others: Others| judge(gate, seen(), &others).state;
            let passed = || Others { passed: 9, ..Others::default() };
            let whole = if gate.lacks.is_empty() { State::Closed } else { State::Open };
            assert_eq!(state(passed()), whole);
            assert_eq!(
                state(Others { lacking: vec!["a is not in system.toml".into()], ..passed() }),
                State::Open
            );
            assert_eq!(state(Others { failed: vec!["a::b".into()], ..passed() }), State::Failed);
            for left_out in gate.lines() {
                let without = |lines: &[&str]| {
                    said_all(&lines.iter().copied().filter(|line| *line != left_out).collect::<Vec<_>>())
                };
                let machines = [gate.proofs, gate.over_network, gate.over_reboots].map(without);
                let seen = Seen {
                    device: Some(&machines[0]),
                    network: Some(&machines[1]),
                    state: Some(&machines[2]),
                };
                assert_eq!(judge(gate, seen, &passed()).state, State::Failed, "{left_out}");
            }
        }
        let gate = &GATES[1];
        let device = said_all(gate.proofs);
        let seen = Seen { device: Some(&device), network: None, state: None };
        assert_eq!(
            judge(gate, seen, &Others::default()).state,
            State::Failed,
            "nothing came over the network"
        );
    }
}
