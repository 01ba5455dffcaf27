//! `nx prove`: a row a gate. A gate is closed only by lines that were seen in this very run, printed by test programs
//! on a machine that then ended with success, and by the suites that it names; what is not built yet is plainly open.

mod gates;

use serde_json::{Value, json};

use crate::build;
use crate::cli::{ProveArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
use crate::test::{self, Device, Evidence, exact, said, watched, watched_net};
use crate::timings;
use gates::{GATES, Gate, is_proof};

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
    let mut rows = Vec::new();
    for gate in &wanted {
        let others = others(house, gate, output)?;
        rows.push(judge(gate, device.as_ref(), network.as_ref(), &others));
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

fn judge(gate: &Gate, device: Option<&Device>, network: Option<&Device>, others: &Others) -> Row {
    let network = network.filter(|_| !gate.over_network.is_empty());
    let row = |state, evidence: String| Row {
        gate: gate.number,
        name: gate.name,
        state,
        evidence,
        missing: Vec::new(),
        repeat: device.map_or(String::new(), |device| device.command.clone()),
    };
    if gate.proofs.is_empty() {
        return Row { repeat: String::new(), ..row(State::Open, gate.lacks.into()) };
    }
    let Some(device) = device else {
        return row(State::Open, "there is no test image yet (tests/system.test.toml)".into());
    };
    let seen = |run: &Device, proof: &str| run.console.iter().any(|line| is_proof(said(line), proof));
    let here = gate.proofs.iter().filter(|proof| !seen(device, proof));
    let there = gate.over_network.iter().filter(|proof| !network.is_some_and(|run| seen(run, proof)));
    let missing: Vec<String> = here.chain(there).map(ToString::to_string).collect();
    let all = gate.proofs.len() + gate.over_network.len();
    let failed_tests = device.tests.iter().filter(|(_, why)| why.is_some()).count();
    match device.complaint.as_ref().or(network.and_then(|run| run.complaint.as_ref())) {
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
            let tests = device.tests.len();
            let passed = match others.passed {
                0 => String::new(),
                passed => format!(", {passed} tests of {}", gate.suites.join(" and ")),
            };
            let evidence = format!(
                "{all} proof lines seen, {tests} device tests passed{passed}, the machine ended with success"
            );
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
        let gate = &GATES[1];
        let (device, network) = (said_all(gate.proofs), said_all(gate.over_network));
        let state = |others: Others| judge(gate, Some(&device), Some(&network), &others).state;
        let passed = || Others { passed: 9, ..Others::default() };
        assert_eq!(state(passed()), State::Closed);
        assert_eq!(
            state(Others { lacking: vec!["a is not in system.toml".into()], ..passed() }),
            State::Open
        );
        assert_eq!(state(Others { failed: vec!["a::b".into()], ..passed() }), State::Failed);
        assert_eq!(
            judge(gate, Some(&device), None, &passed()).state,
            State::Failed,
            "nothing came over the network"
        );
        for left_out in 0..gate.proofs.len() {
            let lines: Vec<&str> =
                gate.proofs.iter().copied().filter(|line| *line != gate.proofs[left_out]).collect();
            assert_eq!(judge(gate, Some(&said_all(&lines)), Some(&network), &passed()).state, State::Failed);
        }
    }
}
