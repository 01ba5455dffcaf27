//! `nx state`: `/state` on a disk image, with the same engine and rules as on the device. A machine must not run on the disk meanwhile.

mod carry;
pub mod image;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path as File;

use nexus_state::rules::{Access, EXTRA, Entry, Error, MAX_AT_ONCE, MAX_LIST, Path, State, sealed_prefixes};
use serde_json::json;

use crate::cli::{StateArgs, StateCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Cell, Output, Paint};
use image::{Image, Partition};

/// Who the host is: no service has this number.
const HOST: u32 = 0;

/// Does what the command line says.
pub fn run(args: &StateArgs, output: Output) -> Outcome {
    let disk = &args.disk;
    match &args.command {
        StateCommand::Ls { prefix } => list(disk, prefix.as_deref().unwrap_or(""), output),
        StateCommand::Get { path, to } => get(disk, path, to.as_deref(), output),
        StateCommand::Put { path, from } => put(disk, path, from.as_deref(), output),
        StateCommand::Rm { path } => {
            let mut state = open(disk, true, &[])?;
            done(state.delete(HOST, &named(path)?), path)?;
            done(state.sync(None), path)?;
            answer(output, &format!("removed {path}"), &json!({ "path": path }));
            Ok(())
        }
        StateCommand::Stat => stat(disk, output),
        StateCommand::Quota => quota(disk, output),
        StateCommand::Fsck { repair } => check(disk, *repair, output),
        StateCommand::Export { file } => {
            let (values, left) = carry::export(&mut open(disk, false, &[])?, file)?;
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
            let values = carry::import(disk, file)?;
            let text = format!("{values} values from {}", file.display());
            answer(output, &text, &json!({ "values": values, "file": file.display().to_string() }));
            Ok(())
        }
        StateCommand::Reset { yes } => reset(disk, *yes, output),
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

/// What came of something, or a failure that says so.
fn done<T>(outcome: Result<T, Error>, what: &str) -> Outcome<T> {
    outcome.map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("{what}: {error:?}"),
            "docs/state-errors.md has a row for each error",
        )
    })
}

/// The state on a disk image, where the host may do everything, and so may these owners of values.
fn open(disk: &File, change: bool, owners: &[u32]) -> Outcome<State<Partition>> {
    let mut rules = format!("{HOST}::rws {HOST}#{0}/{0}", u64::MAX);
    for owner in owners.iter().filter(|owner| **owner != HOST) {
        rules += &format!(" {owner}::rw {owner}#{0}/{0}", u64::MAX);
    }
    let mut store = Image::open(disk, change)?.into_store();
    if change {
        // Nobody here has the key of a sealed prefix, and what is put there without it would be taken for forged.
        for prefix in done(sealed_prefixes(&mut store), "the sealed prefixes")? {
            rules += &format!(" {HOST}={}", prefix.as_str());
        }
    }
    let access = Access::read(&rules).unwrap_or_default();
    done(State::new(store, access, 0), "the charges")
}

/// Every value under a prefix.
fn entries(state: &mut State<Partition>, prefix: &str) -> Outcome<Vec<Entry>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (mut entries, next) = done(state.list(HOST, prefix, after.as_ref(), MAX_LIST), prefix)?;
        all.append(&mut entries);
        match next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

fn list(disk: &File, prefix: &str, output: Output) -> Outcome {
    let prefix = prefix.strip_prefix("/state").unwrap_or(prefix).trim_matches('/');
    let all = entries(&mut open(disk, false, &[])?, prefix)?;
    let row = |entry: &Entry| -> Vec<Cell> {
        let stat = entry.stat;
        vec![
            entry.path.as_str().into(),
            stat.length.to_string().into(),
            format!("service {}", stat.owner).into(),
        ]
    };
    output.table(&all.iter().map(row).collect::<Vec<_>>());
    let value = |entry: &Entry| {
        let (path, stat) = (entry.path.as_str(), entry.stat);
        json!({ "path": path, "bytes": stat.length, "owner": stat.owner, "version": stat.version })
    };
    output.value(&json!(all.iter().map(value).collect::<Vec<_>>()));
    Ok(())
}

fn get(disk: &File, path: &str, to: Option<&File>, output: Output) -> Outcome {
    let mut state = open(disk, false, &[])?;
    let found = state.get(HOST, &named(path)?, 0, usize::MAX);
    if found == Err(Error::Busy) {
        let what = format!("{path} is sealed");
        return Err(Failure::new(Exit::Failed, what, "its key never leaves the machine that put it there"));
    }
    let (bytes, _) = done(found, path)?;
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

fn put(disk: &File, path: &str, from: Option<&File>, output: Output) -> Outcome {
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
    let path_of = named(path)?;
    // Who is charged for it stays charged for it.
    let owner = open(disk, false, &[])?.stat(HOST, &path_of).map_or(HOST, |stat| stat.owner);
    let mut state = open(disk, true, &[owner])?;
    store(&mut state, owner, &path_of, &bytes)?;
    done(state.sync(None), path)?;
    answer(
        output,
        &format!("{} bytes at {path}", bytes.len()),
        &json!({ "path": path, "bytes": bytes.len() }),
    );
    Ok(())
}

/// Gives a path a value, however long, on behalf of its owner.
fn store(state: &mut State<Partition>, owner: u32, path: &Path, bytes: &[u8]) -> Outcome {
    if bytes.len() <= MAX_AT_ONCE {
        return done(state.put(owner, path, bytes), path.as_str()).map(drop);
    }
    let mut upload = done(state.upload(owner, path, bytes.len()), path.as_str())?;
    done(state.upload_more(&mut upload, bytes), path.as_str())?;
    done(state.publish(upload), path.as_str()).map(drop)
}

fn stat(disk: &File, output: Output) -> Outcome {
    let state = open(disk, false, &[])?;
    let (store, figures) = (state.store(), state.store().figures());
    let snapshots = state.snapshots();
    let id = carry::hex(&store.id());
    let rows: [(&str, String); 5] = [
        ("store", id.clone()),
        ("generation", store.generation().to_string()),
        ("keys", figures.keys.to_string()),
        ("pages", format!("{} of {} are free", figures.free, figures.pages)),
        ("snapshots", if snapshots.is_empty() { "none".into() } else { snapshots.join(", ") }),
    ];
    output.table(&rows.map(|(name, value)| vec![Cell(name.into(), Paint::Dim), value.into()]));
    output.value(&json!({
        "store": id,
        "generation": store.generation(),
        "keys": figures.keys,
        "pages": figures.pages,
        "free": figures.free,
        "snapshots": snapshots,
    }));
    Ok(())
}

fn quota(disk: &File, output: Output) -> Outcome {
    let mut state = open(disk, false, &[])?;
    let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for entry in entries(&mut state, "")? {
        let sum = sums.entry(entry.stat.owner).or_default();
        sum.0 += 1;
        sum.1 += (entry.path.as_str().len() + entry.stat.length) as u64 + EXTRA;
    }
    let rows = sums.iter().map(|(owner, (values, stored))| (*owner, *values, *stored, state.used(*owner)));
    let rows: Vec<_> = rows.collect();
    let row = |(owner, values, stored, used): &(u32, u64, u64, u64)| -> Vec<Cell> {
        let (owner, used) = (format!("service {owner}"), format!("{used} charged"));
        vec![owner.into(), format!("{values} values").into(), format!("{stored} bytes").into(), used.into()]
    };
    output.table(&rows.iter().map(row).collect::<Vec<_>>());
    let value = |(owner, values, stored, used): &(u32, u64, u64, u64)| json!({ "owner": owner, "values": values, "bytes": stored, "charged": used });
    output.value(&json!(rows.iter().map(value).collect::<Vec<_>>()));
    Ok(())
}

fn check(disk: &File, repair: bool, output: Output) -> Outcome {
    let mut image = Image::open(disk, repair)?;
    let checked = image.check()?;
    let damage: Vec<String> = checked.damage.iter().map(|damage| format!("{damage:?}")).collect();
    for notice in &image.notices {
        output.line(&format!("{}: {notice}", if repair { "mended" } else { "can be mended" }));
    }
    damage.iter().for_each(|damage| output.line(&format!("damaged: {damage}")));
    output.line(&format!("{} keys on {} pages", checked.keys, checked.pages));
    output.value(&json!({
        "keys": checked.keys,
        "pages": checked.pages,
        "lost": checked.lost,
        "unmapped": checked.unmapped,
        "mended": image.notices,
        "damage": damage,
    }));
    if damage.is_empty() && checked.lost == 0 && checked.unmapped == 0 {
        return Ok(());
    }
    let what = format!("the store is damaged: {} of its parts, {} pages lost", damage.len(), checked.lost);
    Err(Failure::new(Exit::Failed, what, "save what can be read: nx state --disk FILE export OTHER"))
}

fn reset(disk: &File, yes: bool, output: Output) -> Outcome {
    if !yes {
        let what = format!("everything on {} would be gone", disk.display());
        return Err(Failure::new(Exit::Usage, what, "say so: nx state --disk FILE reset --yes"));
    }
    let mut id = [0; 16];
    let random = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut id));
    random.map_err(|error| Failure::host("/dev/urandom", &error))?;
    Image::reset(disk, id)?;
    answer(output, "an empty store", &json!({ "store": carry::hex(&id) }));
    Ok(())
}
