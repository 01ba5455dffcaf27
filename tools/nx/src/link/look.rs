//! `nx ps` and `nx top`: the processes of a running system, and who uses it.

use std::thread;
use std::time::{Duration, Instant};

use nexus_api::diag::{Error, State};
use nexus_wire::CallError;
use serde_json::{Value, json};

use super::{System, connect, told};
use crate::cli::{LinkArgs, TopArgs};
use crate::exit::Outcome;
use crate::house::House;
use crate::interrupt;
use crate::output::{Cell, Output, Paint};

/// How often a wait looks for a signal.
const GLANCE: Duration = Duration::from_millis(20);

/// One process, as it was when it was asked about.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its canonical name.
    pub name: String,
    /// Its service id.
    pub id: u32,
    state: State,
    generation: u32,
    starts: u32,
    pages: u64,
    pages_most: u64,
    handles: u32,
    cpu_ticks: u64,
}

impl Process {
    /// Whether there is an instance of it.
    pub fn runs(&self) -> bool {
        self.generation != 0
    }
}

/// Every process of the registry, in its order.
pub fn processes(system: &mut System) -> Outcome<Vec<Process>> {
    let mut all = Vec::new();
    for index in 0..=u16::MAX {
        match system.process(index) {
            Ok(reply) => all.push(Process {
                name: reply.name.get().to_string(),
                id: reply.service,
                state: reply.state,
                generation: reply.generation,
                starts: reply.starts,
                pages: reply.pages,
                pages_most: reply.pages_most,
                handles: reply.handles,
                cpu_ticks: reply.cpu_ticks,
            }),
            Err(CallError::Service(Error::NotFound)) => break,
            Err(error) => return Err(told(error, "processes")),
        }
    }
    Ok(all)
}

/// Ticks a second.
pub fn hz(system: &mut System) -> Outcome<u64> {
    Ok(system.machine().map_err(|error| told(error, "the machine"))?.hz.max(1))
}

const fn word(state: State) -> (&'static str, Paint) {
    match state {
        State::Idle => ("idle", Paint::Dim),
        State::Starting => ("starting", Paint::Step),
        State::Ready => ("ready", Paint::Good),
        State::Pausing => ("pausing", Paint::Bad),
        State::Ended => ("ended", Paint::Dim),
        State::Absent => ("absent", Paint::Dim),
    }
}

fn ms(ticks: u64, hz: u64) -> u64 {
    (u128::from(ticks) * 1000 / u128::from(hz)) as u64
}

/// Does what `nx ps` says.
pub fn ps(house: &House, args: &LinkArgs, output: Output) -> Outcome {
    let mut system = connect(house, args.system.as_deref())?;
    let hz = hz(&mut system)?;
    let all = processes(&mut system)?;
    let heads = ["NAME", "ID", "STATE", "GENERATION", "STARTS", "PAGES", "OF", "HANDLES", "CPU MS"];
    let mut rows = vec![heads.map(|head| Cell(head.into(), Paint::Dim)).to_vec()];
    rows.extend(all.iter().map(|process| {
        let (word, paint) = word(process.state);
        vec![
            process.name.clone().into(),
            process.id.to_string().into(),
            Cell(word.into(), paint),
            process.generation.to_string().into(),
            process.starts.to_string().into(),
            process.pages.to_string().into(),
            process.pages_most.to_string().into(),
            process.handles.to_string().into(),
            ms(process.cpu_ticks, hz).to_string().into(),
        ]
    }));
    output.table(&rows);
    let value = |process: &Process| {
        json!({
            "name": process.name, "id": process.id, "state": word(process.state).0,
            "generation": process.generation, "starts": process.starts, "pages": process.pages,
            "pages_most": process.pages_most, "handles": process.handles, "cpu_ms": ms(process.cpu_ticks, hz),
        })
    };
    output.value(&all.iter().map(value).collect::<Vec<Value>>().into());
    Ok(())
}

/// Thousandths of a hart that a process used between two looks, `span` ticks apart. A process that was started between them used what it has.
fn share(before: Option<&Process>, now: &Process, span: u64) -> u64 {
    let same = before.filter(|before| before.generation == now.generation && before.name == now.name);
    let used = now.cpu_ticks.saturating_sub(same.map_or(0, |before| before.cpu_ticks));
    (u128::from(used) * 1000 / u128::from(span.max(1))) as u64
}

/// Does what `nx top` says.
pub fn top(house: &House, args: &TopArgs, output: Output) -> Outcome {
    let mut system = connect(house, args.link.system.as_deref())?;
    let hz = hz(&mut system)?;
    // A program, or a pipe, gets one answer unless it asks for more.
    let rounds = args.count.unwrap_or(if output.watched { u32::MAX } else { 1 });
    let at = |system: &mut System| {
        let machine = system.machine().map_err(|error| told(error, "the machine"))?;
        Ok::<_, crate::exit::Failure>((machine.now, processes(system)?))
    };
    let mut before = at(&mut system)?;
    for _ in 0..rounds {
        let until = Instant::now() + Duration::from_secs(args.interval.into());
        while Instant::now() < until {
            if interrupt::seen() {
                return Err(interrupt::failure("the system goes on"));
            }
            thread::sleep(GLANCE);
        }
        let now = at(&mut system)?;
        show(&before, &now, hz, output);
        before = now;
    }
    Ok(())
}

fn show(before: &(u64, Vec<Process>), now: &(u64, Vec<Process>), hz: u64, output: Output) {
    let span = now.0.saturating_sub(before.0);
    let mut all: Vec<(u64, &Process)> = now
        .1
        .iter()
        .enumerate()
        .map(|(n, process)| (share(before.1.get(n), process, span), process))
        .collect();
    // Equal ones stay in the order of the registry.
    all.sort_by_key(|(share, _)| std::cmp::Reverse(*share));
    if output.watched {
        output.prompt("\x1b[H\x1b[2J");
    }
    let heads = ["NAME", "STATE", "CPU %", "CPU MS", "PAGES", "HANDLES"];
    let mut rows = vec![heads.map(|head| Cell(head.into(), Paint::Dim)).to_vec()];
    rows.extend(all.iter().map(|(share, process)| {
        let (word, paint) = word(process.state);
        vec![
            process.name.clone().into(),
            Cell(word.into(), paint),
            format!("{}.{}", share / 10, share % 10).into(),
            ms(process.cpu_ticks, hz).to_string().into(),
            process.pages.to_string().into(),
            process.handles.to_string().into(),
        ]
    }));
    output.table(&rows);
    let value = |(share, process): &(u64, &Process)| {
        json!({
            "name": process.name, "state": word(process.state).0, "cpu_permille": share,
            "cpu_ms": ms(process.cpu_ticks, hz), "pages": process.pages, "handles": process.handles,
        })
    };
    let processes: Vec<Value> = all.iter().map(value).collect();
    output.value(&json!({ "interval_ms": ms(span, hz), "processes": processes }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, generation: u32, cpu_ticks: u64) -> Process {
        let (name, state) = (name.to_string(), State::Ready);
        Process { name, id: 1, state, generation, starts: 1, pages: 1, pages_most: 2, handles: 3, cpu_ticks }
    }

    #[test]
    fn a_share_is_what_was_used_meanwhile() {
        let now = process("a", 7, 150);
        assert_eq!(share(Some(&process("a", 7, 100)), &now, 1000), 50);
        assert_eq!(share(Some(&process("a", 6, 140)), &now, 1000), 150, "another instance");
        assert_eq!(share(None, &now, 1000), 150);
        assert_eq!(share(Some(&process("a", 7, 200)), &now, 0), 0, "no time, and nothing used");
    }
}
