//! Disks that have a store with values already, made with the same engine and rules as on the device.

use std::path::Path;

use nexus_state::engine::{Medium, PAGE, Shape, Store};
use nexus_state::rules::{Access, Change, MAX_CHANGES, Path as Key, State};

use crate::exit::{Exit, Failure, Outcome};
use crate::machine::{disk, vault};
use crate::state::image::Partition;

/// The client of `/state` in images of tests: who owns the values.
pub const OWNER: u32 = 65_630;

/// Pages kept in memory meanwhile.
const CACHE: usize = 1 << 14;

/// Whoever reads and writes everything, as [`OWNER`].
pub fn everything() -> Option<Access> {
    Access::read(&format!("{OWNER}::rws {OWNER}#{0}/{0}", u64::MAX / 4))
}

/// Makes a disk of so many bytes with these values, all of them in the trees and nothing in the log.
pub fn make(path: &Path, bytes: u64, values: impl Iterator<Item = (String, Vec<u8>)>) -> Outcome {
    let failed = |what: String| Failure::new(Exit::Host, format!("{}: {what}", path.display()), "");
    disk::make(path, bytes, false)?;
    // A vault that was beside it belongs to the disk that it was before; the next machine makes a new one.
    let _ = std::fs::remove_file(vault::beside(path));
    let mut partition = Partition::open(path, true)?;
    let shape = partition.size().map_err(Into::into).and_then(Shape::for_size);
    let store = shape.and_then(|shape| Store::format(partition, shape, *b"a disk of tests\0", CACHE));
    let store = store.map_err(|error| failed(format!("{error:?}")))?;
    let rules = everything().ok_or_else(|| failed(String::from("no rules")))?;
    let mut state = State::new(store, rules, 1).map_err(|error| failed(format!("{error:?}")))?;
    let changes: Result<Vec<Change>, _> =
        values.map(|(path, value)| Key::new(&path).map(|path| Change::Put(path, value))).collect();
    changes
        .and_then(|changes| {
            changes.chunks(MAX_CHANGES).try_for_each(|part| state.batch(OWNER, part).map(drop))?;
            Ok(state.store_mut().checkpoint()?)
        })
        .map_err(|error| failed(format!("{error:?}")))
}

/// Turns a bit of the newest page of a tree that has this key of the engine's.
pub fn spoil_leaf(disk: &Path, key: &[u8]) -> Outcome {
    let failed = |error: &std::io::Error| Failure::host(disk.display(), error);
    let mut bytes = std::fs::read(disk).map_err(|error| failed(&error))?;
    let has = |page: &[u8]| page[0] == 0 && page.windows(key.len()).any(|part| part == key);
    // The partition begins at a page, and what is newest lies behind what is older.
    let page = bytes.chunks(PAGE).rposition(has).unwrap_or(0);
    bytes[page * PAGE + 16] ^= 1;
    std::fs::write(disk, bytes).map_err(|error| failed(&error))
}
