//! `nx prove`: a row a gate. A gate is closed only by lines that were seen in this very run, printed by test programs
//! on a machine that then ended with success; what is not built yet is plainly open.

mod gates;

use serde_json::{Value, json};

use crate::cli::{ProveArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
use crate::test::{Device, exact, said, watched, watched_net};
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
    let rows: Vec<Row> = wanted.iter().map(|gate| judge(gate, device.as_ref(), network.as_ref())).collect();
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

fn judge(gate: &Gate, device: Option<&Device>, network: Option<&Device>) -> Row {
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
        None if !gate.lacks.is_empty() => row(State::Open, format!("{all} proof lines seen; {}", gate.lacks)),
        None => {
            let tests = device.tests.len();
            let evidence = format!(
                "{all} proof lines seen, {tests} device tests passed, the machine ended with success"
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
