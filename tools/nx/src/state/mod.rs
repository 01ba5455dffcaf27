//! `nx state`: `/state` of the running system, or on a disk image.

mod carry;
pub mod image;
mod live;
mod names;
mod offline;
pub mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path as File;

use nexus_state::rules::{EXTRA, Path};
use serde_json::json;

use crate::cli::{StateArgs, StateCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
pub use carry::hex;
use names::Names;
use place::{Known, Place, Put};

/// Does what the command line says.
pub fn run(args: &StateArgs, output: Output) -> Outcome {
    command(&mut *place(args.disk.as_deref(), args.system.as_deref())?, &args.command, output)
}

/// A disk image, or the system that runs here; with several, the one of this name.
pub fn place(disk: Option<&File>, system: Option<&str>) -> Outcome<Box<dyn Place>> {
    Ok(match disk {
        Some(disk) => Box::new(offline::Offline::new(disk)),
        None => Box::new(live::Live::connect(&House::find()?, system)?),
    })
}

fn command(place: &mut dyn Place, command: &StateCommand, output: Output) -> Outcome {
    match command {
        StateCommand::Ls { prefix } => list(place, prefix.as_deref().unwrap_or(""), output),
        StateCommand::Get { path, to } => get(place, path, to.as_deref(), output),
        StateCommand::Put { path, from } => put(place, path, from.as_deref(), output),
        StateCommand::Rm { path } => {
            place.remove(&named(path)?)?;
            answer(output, &format!("removed {path}"), &json!({ "path": path }));
            Ok(())
        }
        StateCommand::Stat => stat(place, output),
        StateCommand::Quota => quota(place, output),
        StateCommand::Fsck { forget: true, .. } => {
            let lost = place.health()?.lost;
            place.forget()?;
            answer(output, &format!("{lost} ranges of keys are forgotten"), &json!({ "forgotten": lost }));
            Ok(())
        }
        StateCommand::Fsck { repair, .. } => check(place, *repair, output),
        StateCommand::Salvage { file } => salvage(place, file, output),
        StateCommand::Export { file } => {
            let (values, left) = carry::export(place, file)?;
            let text = format!(
                "{values} values to {}; {left} that are sealed or under keystore stay where they are",
                file.display()
            );
            answer(
                output,
                &text,
                &json!({ "values": values, "left": left, "file": file.display().to_string() }),
            );
            Ok(())
        }
        StateCommand::Import { file } => {
            let (values, left) = carry::import(place, file)?;
            let text = format!(
                "{values} values from {}; {left} that only their keepers may write are left out",
                file.display()
            );
            answer(
                output,
                &text,
                &json!({ "values": values, "left": left, "file": file.display().to_string() }),
            );
            Ok(())
        }
        StateCommand::Reset { yes } => reset(place, *yes, output),
    }
}

fn answer(output: Output, text: &str, value: &serde_json::Value) {
    output.line(text);
    output.value(value);
}

fn named(path: &str) -> Outcome<Path> {
    let bare = path.strip_prefix("/state/").unwrap_or(path);
    Path::new(bare).map_err(|_| {
        Failure::new(
            Exit::Usage,
            format!("`{path}` is no path"),
            "components separated by `/`, as in app/name/key",
        )
    })
}

fn list(place: &mut dyn Place, prefix: &str, output: Output) -> Outcome {
    let prefix = prefix.strip_prefix("/state").unwrap_or(prefix).trim_matches('/');
    if !prefix.is_empty() {
        named(prefix)?;
    }
    let all = place.list(prefix)?;
    let names = Names::known();
    let row = |known: &Known| -> Vec<Cell> {
        vec![known.path.as_str().into(), known.bytes.to_string().into(), names.of(known.owner).into()]
    };
    output.table(&all.iter().map(row).collect::<Vec<_>>());
    let value = |known: &Known| {
        let path = known.path.as_str();
        let service = names.of(known.owner);
        json!({ "path": path, "bytes": known.bytes, "owner": known.owner, "version": known.version, "service": service })
    };
    output.value(&json!(all.iter().map(value).collect::<Vec<_>>()));
    Ok(())
}

fn get(place: &mut dyn Place, path: &str, to: Option<&File>, output: Output) -> Outcome {
    let bytes = place.get(&named(path)?)?;
    match to {
        Some(file) => fs::write(file, &bytes).map_err(|error| Failure::host(file.display(), &error))?,
        None if !output.json => {
            // Bytes as they are: a reader that went away is its own affair.
            let _ = std::io::stdout().lock().write_all(&bytes);
        }
        None => {}
    }
    output.value(&json!({ "path": path, "bytes": bytes.len(), "hex": carry::hex(&bytes) }));
    Ok(())
}

fn put(place: &mut dyn Place, path: &str, from: Option<&File>, output: Output) -> Outcome {
    let named = named(path)?;
    let bytes = match from {
        Some(file) => fs::read(file).map_err(|error| Failure::host(file.display(), &error))?,
        None => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::host("standard input", &error))?;
            bytes
        }
    };
    let length = bytes.len();
    place.put(&[Put { path: named, owner: None, bytes }])?;
    answer(output, &format!("{length} bytes at {path}"), &json!({ "path": path, "bytes": length }));
    Ok(())
}

fn stat(place: &mut dyn Place, output: Output) -> Outcome {
    let health = place.health()?;
    let snapshots = &health.snapshots;
    let rows: [(&str, String); 7] = [
        ("store", health.store.clone()),
        ("state", health.fault.as_ref().map_or("well".into(), |fault| format!("out of order: {fault}"))),
        ("generation", health.generation.to_string()),
        ("keys", health.keys.to_string()),
        ("pages", format!("{} of {} are free", health.free, health.pages)),
        ("lost", if health.lost == 0 { "nothing".into() } else { format!("{} ranges of keys", health.lost) }),
        ("snapshots", if snapshots.is_empty() { "none".into() } else { snapshots.join(", ") }),
    ];
    output.table(&rows.map(|(name, value)| vec![Cell(name.into(), Paint::Dim), value.into()]));
    output.value(&json!({
        "store": health.store,
        "generation": health.generation,
        "keys": health.keys,
        "pages": health.pages,
        "free": health.free,
        "snapshots": snapshots,
        "lost": health.lost,
        "fault": health.fault.as_deref().unwrap_or_default(),
    }));
    Ok(())
}

fn quota(place: &mut dyn Place, output: Output) -> Outcome {
    let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for known in place.list("")? {
        let sum = sums.entry(known.owner).or_default();
        sum.0 += 1;
        sum.1 += known.path.as_str().len() as u64 + known.bytes + EXTRA;
    }
    let charges = place.charges()?;
    let names = Names::known();
    let rows: Vec<_> =
        charges.iter().map(|charge| (charge, sums.get(&charge.owner).copied().unwrap_or_default())).collect();
    let of = |limit: Option<(u64, u64)>| limit.map_or(String::new(), |(_, hard)| format!("of {hard}"));
    let heads =
        ["SERVICE", "VALUES", "BYTES", "CHARGED", ""].map(|head| Cell(head.into(), Paint::Dim)).to_vec();
    let row = |(charge, (values, stored)): &(&place::Charge, (u64, u64))| -> Vec<Cell> {
        vec![
            names.of(charge.owner).into(),
            values.to_string().into(),
            stored.to_string().into(),
            charge.charged.to_string().into(),
            of(charge.limit).into(),
        ]
    };
    output.table(&[heads].into_iter().chain(rows.iter().map(row)).collect::<Vec<_>>());
    let value = |(charge, (values, stored)): &(&place::Charge, (u64, u64))| {
        let (soft, hard) = charge.limit.unzip();
        json!({
            "owner": charge.owner, "values": values, "bytes": stored, "charged": charge.charged,
            "soft": soft, "hard": hard, "service": names.of(charge.owner),
        })
    };
    output.value(&json!(rows.iter().map(value).collect::<Vec<_>>()));
    Ok(())
}

fn check(place: &mut dyn Place, repair: bool, output: Output) -> Outcome {
    let looked = place.check(repair)?;
    for notice in &looked.mended {
        output.line(&format!("{}: {notice}", if repair { "mended" } else { "can be mended" }));
    }
    looked.damage.iter().for_each(|damage| output.line(&format!("damaged: {damage}")));
    output.line(&format!("{} keys on {} pages", looked.keys, looked.pages));
    output.value(&json!({
        "keys": looked.keys,
        "pages": looked.pages,
        "lost": looked.lost,
        "unmapped": looked.unmapped,
        "mended": looked.mended,
        "damage": looked.damage,
    }));
    if looked.damage.is_empty() && looked.lost == 0 && looked.unmapped == 0 {
        return Ok(());
    }
    let (parts, lost) = (looked.damage.len(), looked.lost);
    let what = format!("the store is damaged: {parts} of its parts, {lost} pages lost");
    Err(Failure::new(
        Exit::Failed,
        what,
        format!("save what can be read: {0} salvage OTHER; then: {0} fsck --repair", place.command()),
    ))
}

fn salvage(place: &mut dyn Place, file: &File, output: Output) -> Outcome {
    let lost = place.salvage()?;
    let (values, left) = carry::export(place, file)?;
    let text = format!(
        "{values} values to {}; {left} that are sealed or under keystore stay where they are",
        file.display()
    );
    lost.iter().for_each(|line| output.line(line));
    let file = file.display().to_string();
    answer(output, &text, &json!({ "values": values, "left": left, "file": file, "lost": lost }));
    Ok(())
}

fn reset(place: &mut dyn Place, yes: bool, output: Output) -> Outcome {
    if !yes {
        let what = "everything in /state would be gone";
        return Err(Failure::new(Exit::Usage, what, format!("say so: {} reset --yes", place.command())));
    }
    let id = place.reset()?;
    answer(output, "an empty store", &json!({ "store": id }));
    Ok(())
}
