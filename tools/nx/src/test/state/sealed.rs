//! What somebody can do to a disk who has it in hand: the next machine must tell. And who stands behind what is sealed, killed at every stage.

use std::fs;
use std::path::Path;

use nexus_state::engine::{self, Op, Tree};
use nexus_state::rules::{self, Access, State};

use super::{LIMIT, Run, Told, judge, proofs, sound};
use crate::exit::{Failure, Outcome};
use crate::machine::vault::{self, Vault, beside};
use crate::state::image::Image;

/// What is done to disk or vault between two machines, as the word that is left of it, and what the next machine must say.
const DENIALS: [(&str, &str); 5] = [
    ("deaths", "SELFTEST: trust order deaths ok"),
    ("tampered", "SELFTEST: statefs tamper deny ok"),
    ("taken back", "SELFTEST: statefs rollback deny ok"),
    ("another vault", "SELFTEST: statefs another vault deny ok"),
    ("no vault", "SELFTEST: statefs no vault ok"),
];

/// The header of the sealed prefix, as the engine's key, and the counter in the vault that its sequence is written down in.
const HEADER: &[u8] = b"htrust";
const COUNTER: usize = 1;

/// The client on the machine, and where word is left for it.
const SERVICE: u32 = 65_630;
const WORD: &str = "app/test/word";

/// The sealed value that is forged, as the engine's key; and what must not be on the disk in the clear.
const FORGED: &[u8] = b"vtrust\x01test\x01changes";
const SECRET: &[u8] = b"what nobody reads off a disk";

/// Two machines that are well; then what was done to copies of their disk and vault.
pub fn run(run: &mut Run<'_>) -> Outcome<Told> {
    let disk = run.file("sealed.img")?;
    let [old, copy] = ["old.img", "copy.img"].map(|name| disk.with_file_name(name));
    for is_first in [true, false] {
        let mut options = run.options(&disk)?;
        options.fresh = is_first;
        let device = run.boot(&options, "a disk goes through machines", LIMIT)?;
        let judged = judge(&device, &proofs(is_first)).and_then(|()| sound(&disk));
        if let Err(what) = judged.and_then(|()| written_down(&disk)) {
            return Ok(Err(what));
        }
        if is_first {
            take(&disk, &old)?;
        }
    }
    let bytes = fs::read(&disk).map_err(|error| Failure::host(disk.display(), &error))?;
    if bytes.windows(SECRET.len()).any(|window| window == SECRET) {
        return Ok(Err("a sealed value is on the disk in the clear".into()));
    }
    for (word, proof) in DENIALS {
        take(if word == "taken back" { &old } else { &disk }, &copy)?;
        if let Err(what) = leave(&copy, word) {
            return Ok(Err(format!("{word}: {what}")));
        }
        let mut options = run.options(&copy)?;
        match word {
            "no vault" => options.vault = Vault::None,
            "another vault" => vault::make(&beside(&copy))?,
            _ => take(&beside(&disk), &beside(&copy))?,
        }
        let device = run.boot(&options, "a disk was changed between two machines", LIMIT)?;
        if let Err(what) = judge(&device, &[proof]).and_then(|()| sound(&copy)) {
            return Ok(Err(format!("{word}: {what}")));
        }
    }
    Ok(Ok(format!("2 machines, and {} with something else", DENIALS.len())))
}

/// Whether the vault beside a disk knows the newest sequence of the sealed prefix, though nobody asked for it on that machine: what was changed there cannot be
/// taken back.
fn written_down(disk: &Path) -> Result<(), String> {
    let mut store = Image::open(disk, false).map_err(|failure| failure.what)?.into_store();
    let header = store.get(Tree::Kept, HEADER).map_err(|error| format!("{error:?}"))?.unwrap_or_default();
    let stored = header.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let known = vault::counter(&beside(disk), COUNTER).map_err(|failure| failure.what)?;
    // An opening that the end of the machine cut off is one sequence; a change would be two.
    if stored.is_some_and(|stored| (known..=known + 1).contains(&stored)) {
        Ok(())
    } else {
        Err(format!("the vault knows sequence {known} of {stored:?} that is stored"))
    }
}

/// A copy of a file.
fn take(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to).map(drop).map_err(|error| Failure::host(to.display(), &error))
}

/// Does to the disk what the word says, with checksums as they should be, and leaves the word there.
fn leave(disk: &Path, word: &str) -> Result<(), String> {
    let told = |error: engine::Error| format!("{error:?}");
    let mut store = Image::open(disk, true).map_err(|failure| failure.what)?.into_store();
    if word == "tampered" {
        let mut row = store.get(Tree::Kept, FORGED).map_err(told)?.ok_or("there is nothing to forge")?;
        *row.last_mut().ok_or("an empty value")? ^= 1;
        store.commit(vec![Op::put(Tree::Kept, FORGED, row)], false).map_err(told)?;
    }
    let access =
        Access::read(&format!("{SERVICE}:app/test:rw {SERVICE}#9000000/9000000")).unwrap_or_default();
    let told = |error: rules::Error| format!("{error:?}");
    let mut state = State::new(store, access, 1).map_err(told)?;
    let path = rules::Path::new(WORD).map_err(told)?;
    state.put(SERVICE, &path, word.as_bytes()).map_err(told)?;
    state.sync(None).map_err(told)
}
