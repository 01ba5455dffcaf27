//! `nx caps`: what each process of a running system holds, and who can reach whom by it.

use std::collections::BTreeMap;
use std::fs;

use nexus_abi::{Kind, Rights};
use nexus_api::diag::{Error, Holding};
use nexus_wire::CallError;
use serde_json::{Value, json};

use super::graph;
use super::look::{Process, processes};
use super::{System, connect, told};
use crate::cli::{CapsArgs, CapsWhat};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};

/// Most answers about one process: as many as its handle table can have entries.
const MAX_ANSWERS: usize = nexus_abi::bounds::MAX_HANDLES;

/// A process with all that it holds.
pub struct Holder {
    /// Its name.
    pub name: String,
    /// Its handles.
    pub holdings: Vec<Holding>,
}

/// Who has the other end of a channel.
pub type Peers = BTreeMap<(u64, u16), String>;

/// What every process that runs holds, in the order of the registry.
fn holders(system: &mut System) -> Outcome<Vec<Holder>> {
    let all = processes(system)?;
    let mut holders = Vec::new();
    for (index, process) in all.iter().enumerate().filter(|(_, process)| process.runs()) {
        holders.push(holder(system, index as u16, process)?);
    }
    Ok(holders)
}

fn holder(system: &mut System, index: u16, process: &Process) -> Outcome<Holder> {
    let (mut holdings, mut from) = (Vec::new(), 0);
    for _ in 0..MAX_ANSWERS {
        let reply = match system.holdings(index, from) {
            Ok(reply) => reply,
            // It ended meanwhile.
            Err(CallError::Service(Error::NotFound)) => break,
            Err(error) => return Err(told(error, &format!("what {} holds", process.name))),
        };
        holdings.extend(reply.holdings.iter().take(reply.count as usize).copied());
        from = reply.next;
        if from == 0 {
            break;
        }
    }
    Ok(Holder { name: process.name.clone(), holdings })
}

/// The holder of each end of each channel.
pub fn peers(holders: &[Holder]) -> Peers {
    let ends = |holder: &Holder| {
        let channels = holder.holdings.iter().filter(|held| kind(held) == Some(Kind::Channel));
        channels.map(|held| ((held.object, held.end), holder.name.clone())).collect::<Vec<_>>()
    };
    holders.iter().flat_map(ends).collect()
}

/// What kind of object a handle is for.
pub fn kind(held: &Holding) -> Option<Kind> {
    u8::try_from(held.kind).ok().and_then(Kind::from_raw)
}

fn rights(held: &Holding) -> Vec<String> {
    Rights::from_bits_truncate(held.rights).iter_names().map(|(name, _)| name.to_lowercase()).collect()
}

/// Who else has to do with an object: the other end of a channel, or other holders.
fn others(holder: &Holder, held: &Holding, holders: &[Holder], peers: &Peers) -> Vec<String> {
    if kind(held) == Some(Kind::Channel) {
        return peers.get(&(held.object, 1 - held.end.min(1))).cloned().into_iter().collect();
    }
    let has = |other: &&Holder| {
        other.name != holder.name && other.holdings.iter().any(|theirs| theirs.object == held.object)
    };
    holders.iter().filter(has).map(|other| other.name.clone()).collect()
}

/// Does what `nx caps` says.
pub fn caps(house: &House, args: &CapsArgs, output: Output) -> Outcome {
    if let Some(CapsWhat::Graph { file, link }) = &args.what {
        let mut system = connect(house, link.system.as_deref())?;
        let holders = holders(&mut system)?;
        let drawn = graph::Graph::of(&holders);
        fs::write(file, drawn.svg()).map_err(|error| Failure::host(file.display(), &error))?;
        output.step("drawn", &file.display().to_string());
        output.value(&drawn.value(&file.display().to_string()));
        return Ok(());
    }
    let mut system = connect(house, args.link.system.as_deref())?;
    let holders = holders(&mut system)?;
    let peers = peers(&holders);
    let wanted: Vec<&Holder> = holders
        .iter()
        .filter(|holder| args.process.as_ref().is_none_or(|name| *name == holder.name))
        .collect();
    if wanted.is_empty() {
        let what = format!(
            "{}: there is no such process, or it does not run",
            args.process.as_deref().unwrap_or("")
        );
        return Err(Failure::new(Exit::Failed, what, "nx ps shows what there is"));
    }
    let heads = ["PROCESS", "KIND", "OBJECT", "WITH", "RIGHTS"];
    let mut rows = vec![heads.map(|head| Cell(head.into(), Paint::Dim)).to_vec()];
    let mut values = Vec::new();
    for holder in &wanted {
        for held in &holder.holdings {
            let kind = kind(held).map_or("unknown", Kind::name);
            let (with, rights) = (others(holder, held, &holders, &peers), rights(held));
            let object = format!("{:x}", held.object);
            values.push(json!({
                "process": holder.name, "kind": kind, "object": object, "end": held.end,
                "with": with, "rights": rights,
            }));
            rows.push(vec![
                holder.name.clone().into(),
                kind.into(),
                Cell(object, Paint::Dim),
                with.join(" ").into(),
                rights.join(" ").into(),
            ]);
        }
    }
    output.table(&rows);
    output.value(&Value::from(values));
    Ok(())
}
