//! `nx prove`: a row a gate. A gate is closed only by lines that were seen in this very run, printed by test programs
//! on a machine that then ended with success; what is not built yet is plainly open.

use serde_json::{Value, json};

use crate::cli::{ProveArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
use crate::test::{Device, exact, said, watched};

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

/// Name and proof lines of each gate; no lines yet means that it is open.
const GATES: [(u8, &str, &[&str]); 6] = [
    (
        1,
        "IPC and capability transfer",
        &[
            "SELFTEST: ipc v1 channel create ok",
            "SELFTEST: ipc v1 sendrecv ok bytes=0",
            "SELFTEST: ipc v1 sendrecv ok bytes=1",
            "SELFTEST: ipc v1 sendrecv ok bytes=48",
            "SELFTEST: ipc v1 sendrecv ok bytes=49",
            "SELFTEST: ipc v1 sendrecv ok bytes=4095",
            "SELFTEST: ipc v1 sendrecv ok bytes=4096",
            "SELFTEST: ipc v1 capxfer ok n=1",
            "SELFTEST: ipc v1 capxfer ok n=8",
            "SELFTEST: ipc v1 backpressure ok",
            "vmo: producer sent handle",
            "vmo: consumer mapped ok",
            "vmo: sha256 ok",
            "SELFTEST: vmo share ok",
        ],
    ),
    (2, "Safe device access from userspace", &[]),
    (3, "Durable /state", &[]),
    (4, "One packaging contract", &[]),
    (5, "One authority per job, one name each", &[]),
    (6, "One command", &[]),
];

/// Does what `nx prove` says.
pub fn run(house: &House, args: &ProveArgs, output: Output) -> Outcome {
    let wanted = GATES.iter().filter(|(gate, _, _)| args.gate.is_none_or(|only| only == *gate));
    let wanted: Vec<_> = wanted.collect();
    let has_image = house.additions(Variant::Test).is_some_and(|path| path.is_file());
    let device = if has_image && wanted.iter().any(|(_, _, proofs)| !proofs.is_empty()) {
        let options = exact(house, output)?;
        output.step("prove", "booting the test image, one hart, instructions counted exactly");
        Some(watched(house, output, &options, false)?)
    } else {
        None
    };
    let rows: Vec<Row> =
        wanted.iter().map(|(gate, name, proofs)| judge(*gate, name, proofs, device.as_ref())).collect();
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
            format!("gate {gate} is open"),
            "its proofs come with later issues",
        )),
        _ => Ok(()),
    }
}

fn judge(gate: u8, name: &'static str, proofs: &[&str], device: Option<&Device>) -> Row {
    let open = |evidence: &str| Row {
        gate,
        name,
        state: State::Open,
        evidence: evidence.into(),
        missing: Vec::new(),
        repeat: String::new(),
    };
    if proofs.is_empty() {
        return open("its proofs do not exist yet");
    }
    let Some(device) = device else { return open("there is no test image yet (tests/system.test.toml)") };
    let seen = |proof: &str| device.console.iter().any(|line| said(line) == proof);
    let missing: Vec<String> = proofs.iter().filter(|proof| !seen(proof)).map(ToString::to_string).collect();
    let failed_tests = device.tests.iter().filter(|(_, why)| why.is_some()).count();
    let (state, evidence) = match &device.complaint {
        _ if !missing.is_empty() => (
            State::Failed,
            format!("{} of {} proof lines are missing: {}", missing.len(), proofs.len(), missing.join("; ")),
        ),
        Some(complaint) => (State::Failed, complaint.lines().next().unwrap_or_default().to_string()),
        None if failed_tests > 0 => (State::Failed, format!("{failed_tests} device tests failed")),
        None => (
            State::Closed,
            format!(
                "{} proof lines seen, {} device tests passed, the machine ended with success",
                proofs.len(),
                device.tests.len()
            ),
        ),
    };
    Row { gate, name, state, evidence, missing, repeat: device.command.clone() }
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
