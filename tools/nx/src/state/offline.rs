//! A disk image as a place, with the same engine and rules as on the device. A machine must not run on the disk meanwhile. Only what changes
//! something opens it for writing.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path as File, PathBuf};

use nexus_state::engine::{self, Medium, Overlay, Store};
use nexus_state::rules::{
    self, Access, Entry, Error, MAX_AT_ONCE, MAX_LIST, Path, Salvaged, Stat, State, sealed_prefixes, told,
};

use super::carry::hex;
use super::image::{CACHE, Image, Partition, refused};
use super::place::{Charge, Health, Known, Looked, Place, Put};
use crate::exit::{Exit, Failure, Outcome};

/// Who the host is: no service has this number.
const HOST: u32 = 0;

/// The disk image.
pub struct Offline {
    disk: PathBuf,
    /// The state, opened to be looked at.
    open: Option<State<Partition>>,
    /// What is sound of a damaged one, in place of it.
    sound: Option<State<Overlay<Partition>>>,
}

/// What came of something, or a failure that says so.
fn done<T>(outcome: Result<T, Error>, what: &str) -> Outcome<T> {
    outcome.map_err(|error| {
        let hint = "docs/state-errors.md has a row for each error";
        Failure::new(Exit::Failed, format!("{what}: {error:?}"), hint)
    })
}

impl Offline {
    /// The disk image of this name; it is opened when something is done.
    pub fn new(disk: &File) -> Offline {
        Offline { disk: disk.to_path_buf(), open: None, sound: None }
    }

    /// The state, where the host may do everything, and so may these owners of values.
    fn state(&self, change: bool, owners: &BTreeSet<u32>) -> Outcome<State<Partition>> {
        let mut rules = String::new();
        for owner in owners.iter().chain([&HOST]) {
            rules += &format!(" {owner}::rw {owner}:boot:rw {owner}:keystore:rw");
        }
        for owner in owners.iter().filter(|owner| **owner != HOST).chain([&HOST]) {
            rules += &format!(" {owner}#{0}/{0}", u64::MAX);
        }
        let mut store = Image::open(&self.disk, change)?.into_store();
        if change {
            // Nobody here has the key of a sealed prefix, and what is put there without it would be taken for forged.
            for prefix in done(sealed_prefixes(&mut store), "the sealed prefixes")? {
                rules += &format!(" {HOST}:{0}:rw {HOST}={0}", prefix.as_str());
            }
        }
        let access = Access::read(&rules).unwrap_or_default();
        done(State::new(store, access, 0), "the charges")
    }

    fn look(&mut self) -> Outcome<&mut State<Partition>> {
        let state = match self.open.take() {
            Some(state) => state,
            None => self.state(false, &BTreeSet::new())?,
        };
        Ok(self.open.insert(state))
    }
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

fn list<M: Medium>(state: &mut State<M>, prefix: &str) -> Outcome<Vec<Known>> {
    let known = |Entry { path, stat: Stat { length, owner, version, sealed } }| Known {
        path,
        bytes: length as u64,
        owner,
        version,
        sealed,
    };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (entries, next) = done(state.list(HOST, prefix, after.as_ref(), MAX_LIST), prefix)?;
        all.extend(entries.into_iter().map(known));
        match next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}

/// A store that cannot be mounted: why, and what a repair would come to.
fn unmounted(disk: &File, partition: Partition, error: engine::Error) -> Outcome<Looked> {
    let engine::Error::Integrity(damage) = error else { return Err(refused(disk, error)) };
    let Salvaged { store, repaired } =
        rules::salvage(partition, CACHE, usize::MAX).map_err(|(_, error)| refused(disk, error))?;
    let figures = store.figures();
    Ok(Looked {
        keys: figures.keys,
        pages: figures.pages - figures.free,
        mended: told(&repaired),
        damage: vec![format!("{damage:?}")],
        ..Looked::default()
    })
}

impl Place for Offline {
    fn command(&self) -> String {
        String::from("nx state --disk FILE")
    }

    fn list(&mut self, prefix: &str) -> Outcome<Vec<Known>> {
        match &mut self.sound {
            Some(state) => list(state, prefix),
            None => list(self.look()?, prefix),
        }
    }

    fn get(&mut self, path: &Path) -> Outcome<Vec<u8>> {
        let found = match &mut self.sound {
            Some(state) => state.get(HOST, path, 0, usize::MAX),
            None => self.look()?.get(HOST, path, 0, usize::MAX),
        };
        if found == Err(Error::Busy) {
            let what = format!("{} is sealed", path.as_str());
            let hint = "its key never leaves the machine that put it there";
            return Err(Failure::new(Exit::Failed, what, hint));
        }
        done(found, path.as_str()).map(|(bytes, _)| bytes)
    }

    fn put(&mut self, values: &[Put]) -> Outcome<usize> {
        // Who is charged for a value stays charged for it.
        let mut owned = Vec::new();
        for value in values {
            let before =
                || Ok::<_, Failure>(self.look()?.stat(HOST, &value.path).map_or(HOST, |stat| stat.owner));
            let owner = value.owner.map_or_else(before, Ok)?;
            owned.push((owner, value));
        }
        self.open = None;
        let mut state = self.state(true, &owned.iter().map(|(owner, _)| *owner).collect())?;
        for (owner, value) in owned {
            store(&mut state, owner, &value.path, &value.bytes)?;
        }
        done(state.sync(None), "the last of them")?;
        Ok(values.len())
    }

    fn remove(&mut self, path: &Path) -> Outcome {
        self.open = None;
        let mut state = self.state(true, &BTreeSet::new())?;
        done(state.delete(HOST, path), path.as_str())?;
        done(state.sync(None), path.as_str())
    }

    fn health(&mut self) -> Outcome<Health> {
        let state = self.look()?;
        let (store, figures) = (state.store(), state.store().figures());
        Ok(Health {
            store: hex(&store.id()),
            generation: store.generation(),
            keys: figures.keys,
            pages: figures.pages,
            free: figures.free,
            fault: None,
            snapshots: state.snapshots(),
            lost: state.lost() as u32,
        })
    }

    fn charges(&mut self) -> Outcome<Vec<Charge>> {
        let state = self.look()?;
        let (mut all, mut from) = (Vec::new(), Some(0));
        while let Some((owner, charged, _)) = from.and_then(|from| state.charge_from(from)) {
            // The host itself may store, and does not.
            if charged > 0 {
                all.push(Charge { owner, charged, limit: None });
            }
            from = owner.checked_add(1);
        }
        Ok(all)
    }

    fn check(&mut self, repair: bool) -> Outcome<Looked> {
        self.open = None;
        let mut mended = Vec::new();
        if repair {
            let (_, repaired) = rules::repair(Partition::open(&self.disk, true)?, CACHE, usize::MAX, true);
            mended = told(&repaired.map_err(|error| refused(&self.disk, error))?);
        }
        let (store, notices) = match Store::mount(Partition::open(&self.disk, repair)?, CACHE) {
            Ok(mounted) => mounted,
            Err((partition, error)) => return unmounted(&self.disk, partition, error),
        };
        let mut store = store;
        let checked = store.check().map_err(|error| refused(&self.disk, error))?;
        mended.extend(notices.notices.iter().map(|notice| format!("{notice:?}")));
        Ok(Looked {
            keys: checked.keys,
            pages: checked.pages,
            lost: checked.lost,
            unmapped: checked.unmapped,
            mended,
            damage: checked.damage.iter().map(|damage| format!("{damage:?}")).collect(),
        })
    }

    fn forget(&mut self) -> Outcome {
        self.open = None;
        let mut state = self.state(true, &BTreeSet::new())?;
        done(state.forget_lost(), "what was lost")?;
        done(state.sync(None), "what was lost")
    }

    fn salvage(&mut self) -> Outcome<Vec<String>> {
        self.open = None;
        let partition = Partition::open(&self.disk, false)?;
        let salvaged = rules::salvage(partition, CACHE, usize::MAX);
        let Salvaged { store, repaired } = salvaged.map_err(|(_, error)| refused(&self.disk, error))?;
        let access = Access::read(&format!("{HOST}::r {HOST}:boot:r {HOST}:keystore:r")).unwrap_or_default();
        self.sound = Some(done(State::new(store, access, 0), "the charges")?);
        Ok(told(&repaired))
    }

    fn reset(&mut self) -> Outcome<String> {
        self.open = None;
        let mut id = [0; 16];
        let random = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut id));
        random.map_err(|error| Failure::host("/dev/urandom", &error))?;
        Image::reset(&self.disk, id)?;
        Ok(hex(&id))
    }
}
