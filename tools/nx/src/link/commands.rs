//! `nx log`, `nx kill` and `nx net status`.

use std::thread;
use std::time::Duration;

use nexus_api::diag::{Error, LogReply, MAX_NAME};
use nexus_records::Entry;
use nexus_wire::{CallError, Text};
use serde_json::{Value, json};

use super::look::{Process, hz, processes};
use super::{System, connect, told};
use crate::cli::{KillArgs, LinkArgs, LogArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;
use crate::kept;
use crate::output::{Output, Paint};

/// How often a log that does not answer is asked again, and how long after.
const MAX_RESTARTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A record of the log, with the name of who sent it.
struct Record {
    sequence: u64,
    ms: u64,
    service: u32,
    generation: u32,
    name: String,
    level: &'static str,
    purpose: &'static str,
    text: String,
}

fn level(number: u8) -> &'static str {
    match number {
        1 => "error",
        2 => "warning",
        3 => "info",
        4 => "debug",
        _ => "trace",
    }
}

fn purpose(number: u8) -> &'static str {
    match number {
        1 => "audit",
        2 => "ready",
        _ => "text",
    }
}

impl Record {
    /// One that was kept.
    fn kept((entry, hz): (Entry, u64)) -> Record {
        Record {
            sequence: entry.sequence,
            ms: (u128::from(entry.time) * 1000 / u128::from(hz)) as u64,
            service: entry.service,
            generation: entry.generation,
            name: entry.name,
            level: level(entry.level),
            purpose: purpose(entry.purpose),
            text: entry.text,
        }
    }

    fn of(reply: &LogReply<'_>, processes: &[Process], hz: u64) -> Record {
        let known = processes.iter().find(|process| process.id == reply.service);
        let name = match (known, reply.service) {
            (Some(process), _) => process.name.clone(),
            (None, 0) => String::from("kernel"),
            (None, other) => format!("service {other}"),
        };
        Record {
            sequence: reply.sequence,
            ms: (u128::from(reply.time) * 1000 / u128::from(hz)) as u64,
            service: reply.service,
            generation: reply.generation,
            name,
            level: level(reply.level),
            purpose: purpose(reply.purpose),
            text: reply.text.get().to_string(),
        }
    }

    fn value(&self) -> Value {
        json!({
            "sequence": self.sequence, "ms": self.ms, "service": self.service, "generation": self.generation,
            "name": self.name, "level": self.level, "purpose": self.purpose, "text": self.text,
        })
    }

    /// As the console shows it, with its time.
    fn parts(&self) -> Vec<(String, Paint)> {
        let time = (format!("{:>6}.{:03}  ", self.ms / 1000, self.ms % 1000), Paint::Dim);
        let said = match (self.purpose, self.level) {
            ("ready", _) => {
                return vec![time, (format!("{}: ", self.text), Paint::Plain), ("ready".into(), Paint::Good)];
            }
            ("audit", _) => format!("audit: {}", self.text),
            (_, "error") => format!("error: {}", self.text),
            (_, "warning") => format!("warning: {}", self.text),
            _ => self.text.clone(),
        };
        let paint = if matches!(self.level, "error" | "warning") { Paint::Bad } else { Paint::Plain };
        vec![time, (format!("{}: ", self.name), Paint::Plain), (said, paint)]
    }
}

/// What comes next in the log.
enum Next {
    Record(Record),
    /// Nothing yet.
    Nothing,
    /// The log was started again, and counts from 0.
    Restarted,
}

/// The next record from a number on.
fn next(system: &mut System, from: u64, wait: bool, names: &[Process], hz: u64) -> Outcome<Next> {
    match system.log(from, wait) {
        Ok(reply) => Ok(Next::Record(Record::of(&reply, names, hz))),
        Err(CallError::Service(Error::NotFound)) => Ok(Next::Nothing),
        // Nothing was said for a while.
        Err(CallError::TimedOut) if wait && !interrupt::seen() => Ok(Next::Nothing),
        Err(CallError::Service(Error::NotReady)) if wait => Ok(Next::Restarted),
        Err(error) => Err(told(error, "the log")),
    }
}

/// Does what `nx log` says.
pub fn log(house: &House, args: &LogArgs, output: Output) -> Outcome {
    if args.boot.is_some() || args.disk.is_some() {
        let kept = kept::log(args.disk.as_deref(), args.link.system.as_deref(), args.boot.unwrap_or(0))?;
        let all: Vec<Record> = kept.into_iter().map(Record::kept).collect();
        let shown = &all[args.last.map_or(0, |last| all.len().saturating_sub(last as usize))..];
        shown.iter().for_each(|record| output.parts(&record.parts()));
        output.value(&shown.iter().map(Record::value).collect::<Vec<Value>>().into());
        return Ok(());
    }
    let mut system = connect(house, args.link.system.as_deref())?;
    let (hz, names) = (hz(&mut system)?, processes(&mut system)?);
    let mut from = 0;
    let mut all = Vec::new();
    while let Next::Record(record) = next(&mut system, from, false, &names, hz)? {
        from = record.sequence + 1;
        all.push(record);
    }
    let skip = args.last.map_or(0, |last| all.len().saturating_sub(last as usize));
    let shown = &all[skip..];
    shown.iter().for_each(|record| output.parts(&record.parts()));
    if !args.follow {
        output.value(&shown.iter().map(Record::value).collect::<Vec<Value>>().into());
        return Ok(());
    }
    // Programs that follow read one value a line.
    shown.iter().for_each(|record| output.value(&record.value()));
    let mut restarts = 0;
    loop {
        if interrupt::seen() {
            return Err(interrupt::failure("the system goes on"));
        }
        match next(&mut system, from, true, &names, hz)? {
            Next::Record(record) => {
                (from, restarts) = (record.sequence + 1, 0);
                output.parts(&record.parts());
                output.value(&record.value());
            }
            Next::Nothing => {}
            Next::Restarted if restarts == MAX_RESTARTS => {
                return Err(told(CallError::Service(Error::NotReady), "the log"));
            }
            Next::Restarted => {
                (from, restarts) = (0, restarts + 1);
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Does what `nx kill` says.
pub fn kill(house: &House, args: &KillArgs, output: Output) -> Outcome {
    let name: Text<'_, MAX_NAME> = Text::new(&args.process).map_err(|_| {
        let what = format!("`{}` is no name of a process", args.process);
        Failure::new(Exit::Usage, what, "nx ps shows the names")
    })?;
    let mut system = connect(house, args.link.system.as_deref())?;
    system.kill(name).map_err(|error| told(error, &format!("kill {}", args.process)))?;
    output.step("killed", &format!("{}; it is started again by its rule", args.process));
    output.value(&json!({ "name": args.process, "killed": true }));
    Ok(())
}

fn dotted(address: [u8; 4]) -> String {
    address.map(|part| part.to_string()).join(".")
}

/// Does what `nx net status` says.
pub fn network(house: &House, args: &LinkArgs, output: Output) -> Outcome {
    let mut system = connect(house, args.system.as_deref())?;
    let status = system.network().map_err(|error| told(error, "the network"))?;
    let address = status.configured.then(|| format!("{}/{}", dotted(status.address), status.prefix));
    let router = (status.router != [0; 4]).then(|| dotted(status.router));
    let row = |name: &str, value: &str| vec![name.into(), value.into()];
    output.table(&[
        row("address", address.as_deref().unwrap_or("none yet")),
        row("router", router.as_deref().unwrap_or("none")),
        row("sockets", &status.sockets.to_string()),
        row("dropped", &status.dropped.to_string()),
    ]);
    output.value(&json!({
        "configured": status.configured, "address": dotted(status.address), "prefix": status.prefix,
        "router": dotted(status.router), "sockets": status.sockets, "dropped": status.dropped,
    }));
    Ok(())
}
