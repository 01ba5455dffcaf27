//! A store that is damaged, in a machine that runs: what a person at the host is told of it with the commands of `nx state`, and what becomes of it.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nexus_state::engine::PAGE;
use nexus_state::rules::{Path as Key, State};
use serde_json::{Value, json};

use super::filled;
use super::link::{Images, System, Verdict};
use super::machine::session::expect;
use crate::machine::options::DISK_BYTES;
use crate::state::image::{Image, Partition};

/// Values, some to a page of the tree, and the one whose page is damaged.
const MANY: usize = 400;
const BYTES: usize = 300;
const HIT: usize = 200;

/// Pages at the beginning of the partition that say where everything is.
const SUPERBLOCKS: usize = 4;

fn path(number: usize) -> String {
    format!("app/many/{number:03}")
}

fn value(number: usize) -> Vec<u8> {
    vec![number as u8; BYTES]
}

fn hex(number: usize) -> String {
    format!("{:02x}", number as u8).repeat(BYTES)
}

/// A disk that has all of them.
fn full(disk: &Path) -> Verdict {
    let values = (0..MANY).map(|number| (path(number), value(number)));
    filled::make(disk, DISK_BYTES, values).map_err(|failure| failure.what)
}

/// The paths of an export, of those that are ours.
fn exported(file: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut paths = Vec::new();
    for line in text.lines() {
        let one: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let path = one["path"].as_str().unwrap_or_default();
        let Some(number) = path.strip_prefix("app/many/").and_then(|number| number.parse().ok()) else {
            continue;
        };
        expect(one["hex"] == hex(number), || format!("{path} has another value"))?;
        paths.push(path.to_string());
    }
    Ok(paths)
}

/// What the log of the system says.
fn logged(system: &System, what: &str) -> Verdict {
    let records = system.value(&["log"])?;
    let has = |record: &Value| record["text"].as_str().is_some_and(|text| text.contains(what));
    expect(records.as_array().is_some_and(|all| all.iter().any(has)), || {
        format!("`{what}` is not in the log")
    })
}

/// One page of the tree is damaged: its keys answer `Integrity` and all others their values; it is repaired when somebody says so, what is lost is named, and
/// absent once somebody says that this is known.
pub fn in_part(images: &Images) -> Verdict {
    let (disk, file) = (images.file("damaged.img")?, images.file("damaged.json")?);
    full(&disk)?;
    let key: Vec<u8> = [b"v", path(HIT).replace('/', "\x01").as_bytes()].concat();
    filled::spoil_leaf(&disk, &key).map_err(|failure| failure.what)?;
    let (disk, out) = (disk.display().to_string(), file.display().to_string());
    let (_session, system) = System::with(images, &images.dev, &["--disk", &disk])?;
    let state = |words: &[&str]| system.value(&[&["state"], words].concat());
    let refused = |words: &[&str], why: &str| system.refused(&[&["state"], words].concat(), why);
    let got = |number: usize| Ok::<_, String>(state(&["get", &path(number)])?["hex"] == hex(number));

    let before = state(&["stat"])?;
    expect(before["fault"] == "" && before["lost"] == 0, || before.to_string())?;
    expect(got(0)? && got(MANY - 1)?, || "a value of another page is another".into())?;
    refused(&["get", &path(HIT)], "Integrity")?;
    refused(&["fsck"], "the store is damaged: 1 of its parts")?;
    refused(&["salvage", &out], "nx state fsck --repair")?;
    refused(&["get", &path(HIT)], "Integrity")?;

    let repaired = state(&["fsck", "--repair"])?;
    let is_whole = repaired["damage"] == json!([]) && repaired["lost"] == 0 && repaired["unmapped"] == 0;
    expect(is_whole && repaired["mended"].as_array().is_some_and(|all| !all.is_empty()), || {
        repaired.to_string()
    })?;
    logged(&system, "keys are lost")?;
    logged(&system, "repaired: lost: what was from `app/many/")?;
    let after = state(&["stat"])?;
    expect(after["store"] == before["store"] && after["lost"] == 1, || after.to_string())?;
    // What is lost is never answered as if it had not been there; everything else is there.
    refused(&["get", &path(HIT)], "Integrity")?;
    let listed = state(&["ls", "app/many"])?;
    let there: Vec<String> = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["path"].as_str().map(String::from))
        .collect();
    expect((MANY - 40..MANY).contains(&there.len()), || format!("{} values are left", there.len()))?;
    for number in 0..MANY {
        let is_there = there.contains(&path(number));
        if !is_there {
            refused(&["get", &path(number)], "Integrity")?;
        }
    }
    state(&["salvage", &out])?;
    expect(exported(&file)? == there, || "what was saved is not what is listed".into())?;

    state(&["put", &path(HIT), "--from", &out])?;
    expect(!got(HIT)?, || "a value that was put is not there".into())?;
    state(&["rm", &path(HIT)])?;
    refused(&["get", &path(HIT)], "Integrity")?;
    let forgotten = state(&["fsck", "--forget"])?;
    expect(forgotten["forgotten"] == 1, || forgotten.to_string())?;
    refused(&["get", &path(HIT)], "NotFound")?;
    let end = state(&["stat"])?;
    expect(end["lost"] == 0 && end["fault"] == "", || end.to_string())
}

/// A disk whose newest commits are proven by the log and cannot be had: values in the trees, one more before the last checkpoint, one behind it.
fn fallen(disk: &Path) -> Verdict {
    let told = |error: nexus_state::rules::Error| format!("{error:?}");
    full(disk)?;
    let whole = |disk: &Path| -> Result<Vec<u8>, String> {
        let (first, _) = Partition::open(disk, false).map_err(|failure| failure.what)?.place();
        let mut bytes = vec![0; SUPERBLOCKS * PAGE];
        let file = fs::File::open(disk).map_err(|error| error.to_string())?;
        file.read_exact_at(&mut bytes, first).map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    let old = whole(disk)?;
    let store = Image::open(disk, true).map_err(|failure| failure.what)?.into_store();
    let mut state = State::new(store, filled::everything().ok_or("no rules")?, 1).map_err(told)?;
    for (number, checkpoint) in [(MANY, true), (MANY + 1, false)] {
        let key = Key::new(&path(number)).map_err(told)?;
        state.put(filled::OWNER, &key, &value(number)).map_err(told)?;
        state.sync(None).map_err(told)?;
        if checkpoint {
            state.store_mut().checkpoint().map_err(|error| format!("{error:?}"))?;
        }
    }
    drop(state);
    // What the last checkpoint wrote there, both copies of it.
    let new = whole(disk)?;
    let (first, _) = Partition::open(disk, true).map_err(|failure| failure.what)?.place();
    let file = fs::File::options().write(true).open(disk).map_err(|error| error.to_string())?;
    let mut count = 0;
    for page in 0..SUPERBLOCKS {
        let at = page * PAGE;
        if old[at..at + PAGE] != new[at..at + PAGE] {
            file.write_all_at(&[!new[at + 200]], first + at as u64 + 200)
                .map_err(|error| error.to_string())?;
            count += 1;
        }
    }
    expect(count == 2, || format!("a checkpoint wrote {count} superblocks"))
}

/// The store has to fall back to be used: until somebody says so data operations answer `Integrity`, what is sound can be saved, and nothing is changed.
pub fn as_a_whole(images: &Images) -> Verdict {
    let (disk, file) = (images.file("fallen.img")?, images.file("fallen.json")?);
    fallen(&disk)?;
    let (disk, out) = (disk.display().to_string(), file.display().to_string());
    let (_session, system) = System::with(images, &images.dev, &["--disk", &disk])?;
    let state = |words: &[&str]| system.value(&[&["state"], words].concat());
    let refused = |words: &[&str], why: &str| system.refused(&[&["state"], words].concat(), why);
    let before = state(&["stat"])?;
    expect(before["fault"] == "Integrity", || before.to_string())?;
    for words in [
        &["get", "app/many/000"][..],
        &["put", "app/many/000", "--from", "system.toml"],
        &["rm", "app/many/000"],
        &["ls"],
        &["quota"],
        &["fsck", "--forget"],
    ] {
        refused(words, "Integrity")?;
    }
    refused(&["fsck"], "the store is damaged")?;
    // Everything but what only the log behind the lost checkpoint has. Twice: nothing is changed by it.
    let due: Vec<String> = (0..=MANY).map(path).collect();
    for _ in 0..2 {
        let saved = state(&["salvage", &out])?;
        let lost = saved["lost"].to_string();
        expect(lost.contains("fell back from generation"), || saved.to_string())?;
        expect(exported(&file)? == due, || "what was saved is not what is sound".into())?;
    }
    expect(state(&["stat"])? == before, || "it is another than before".into())?;

    let repaired = state(&["fsck", "--repair"])?;
    expect(repaired["damage"] == json!([]) && repaired["lost"] == 0, || repaired.to_string())?;
    logged(&system, "repaired: fell back from generation")?;
    let after = state(&["stat"])?;
    expect(after["fault"] == "", || after.to_string())?;
    expect(state(&["get", &path(MANY)])?["hex"] == hex(MANY), || "what was safe before is another".into())?;
    refused(&["get", &path(MANY + 1)], "NotFound")?;
    state(&["put", &path(MANY + 1), "--from", &out])?;
    state(&["fsck"]).map(drop)
}
