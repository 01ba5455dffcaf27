//! What is promised must exist: memory, processor share, priorities and handle tables of all processes
//! together fit the smallest machine.

use std::format;
use std::string::ToString;

use nexus_abi::bounds::{
    CPU_PERMILLE_TOTAL, FIRST_CPU_PERMILLE, FIRST_HANDLES, FIRST_PRIORITY, MAX_HANDLES, MAX_PRIORITY,
};

use super::Refusals;
use super::source::ProcessModel;
use crate::device::{pages, share_cost};
use crate::process::{Restart, Start};
use crate::{MAX_EDGES, MAX_PROCESSES, MAX_SERVICES};

pub(super) fn check(refusals: &mut Refusals) {
    for process in &refusals.model.processes {
        ranges(refusals, process);
    }
    first(refusals);
    counts(refusals);
    let memory = u64::from(refusals.model.memory_pages.value);
    // Each device has a quota of its own, for as long as the machine runs.
    let model = refusals.model;
    let devices: u64 = model.devices.iter().map(|d| pages(d.pool_pages.value, d.pool_vmos.value) + 1).sum();
    // And so has each share of one.
    let shares = model.processes.iter().filter_map(|p| p.disk_pages.as_ref());
    let devices = devices + shares.map(|pages| share_cost(pages.value) + 1).sum::<u64>();
    if devices > memory
        && let Some(last) = refusals.model.devices.last()
    {
        let what = format!("the devices need {devices} pages, and [system] memory_pages is {memory}");
        refusals.add(last.place, what, "lower the pool_pages of one of them, or disk_pages".to_string());
        return;
    }
    let memory = memory - devices;
    // A quota that is split off costs its pages and one for itself.
    sum(
        refusals,
        "pages",
        if devices == 0 { "[system] memory_pages" } else { "what the devices leave of memory_pages" },
        memory,
        |p| (u64::from(p.pages.value) + 1, p.pages.place),
    );
    sum(refusals, "cpu permille", "what the kernel can promise", CPU_PERMILLE_TOTAL, |p| {
        (p.cpu.value.into(), p.cpu.place)
    });
}

fn ranges(refusals: &mut Refusals, process: &ProcessModel) {
    let mut range = |place, field: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            refusals.add(place, format!("{field} {value} is out of range"), format!("use {least} to {most}"));
        }
    };
    range(process.priority.place, "priority", process.priority.value.into(), 1, MAX_PRIORITY);
    range(process.handles.place, "handles", process.handles.value.into(), 1, MAX_HANDLES as u64);
    range(process.pages.place, "pages", process.pages.value.into(), 1, u32::MAX.into());
    range(process.cpu.place, "cpu", process.cpu.value.into(), 1, CPU_PERMILLE_TOTAL);
}

fn first(refusals: &mut Refusals) {
    let Some(first) = refusals.model.processes.first() else { return };
    if first.start.value != Start::Boot {
        let mend = "the kernel starts it; leave `start` out".to_string();
        refusals.add(first.start.place, "the first process is started at boot".to_string(), mend);
    }
    if first.restart.value != Restart::Never {
        let mend = "nobody supervises it; leave `restart` out".to_string();
        refusals.add(first.restart.place, "the first process cannot be restarted".to_string(), mend);
    }
    // The kernel makes it before anybody reads the registry: what stands here is counted on, so it must be what there is.
    for (place, field, value, given) in [
        (first.priority.place, "priority", u64::from(first.priority.value), FIRST_PRIORITY),
        (first.cpu.place, "cpu", first.cpu.value.into(), FIRST_CPU_PERMILLE),
        (first.handles.place, "handles", first.handles.value.into(), FIRST_HANDLES),
    ] {
        if value != given {
            let what = format!("the kernel gives the first process {field} {given}, not {value}");
            refusals.add(place, what, format!("use {given}"));
        }
    }
}

fn counts(refusals: &mut Refusals) {
    let model = refusals.model;
    let Some(last) = model.processes.last() else { return };
    let services = model.processes.iter().map(|p| p.provides.len()).sum();
    let edges = model.processes.iter().map(|p| p.uses.len() + p.sends.len()).sum();
    let counted = [
        ("processes", model.processes.len(), MAX_PROCESSES),
        ("services", services, MAX_SERVICES),
        ("edges", edges, MAX_EDGES),
    ];
    for (what, count, most) in counted {
        if count > most {
            refusals.add(last.place, format!("there are {count} {what}"), format!("{most} is the most"));
        }
    }
}

/// Adds up what runs at boot and, of those started on demand, the largest one. The refusal stands at the
/// first process that no longer fits.
fn sum(
    refusals: &mut Refusals,
    what: &str,
    bound_name: &str,
    bound: u64,
    of: impl Fn(&ProcessModel) -> (u64, super::source::Place),
) {
    let processes = &refusals.model.processes;
    let mut total = 0;
    let mut over = None;
    for process in processes.iter().filter(|p| p.start.value == Start::Boot) {
        let (amount, place) = of(process);
        total += amount;
        if total > bound && over.is_none() {
            over = Some((process, place));
        }
    }
    let largest = processes.iter().filter(|p| p.start.value == Start::Demand).max_by_key(|p| of(p).0);
    if let Some(process) = largest {
        total += of(process).0;
        if total > bound && over.is_none() {
            over = Some((process, of(process).1));
        }
    }
    if let Some((process, place)) = over {
        let name = &process.name.value;
        let text = format!("with `{name}` the processes need {total} {what}, and {bound_name} is {bound}");
        refusals.add(place, text, "lower the share of one of them".to_string());
    }
}
