//! `/state` as a service sees it.

use alloc::string::String;
use alloc::vec::Vec;

use super::charge::Charges;
use super::path::{first_under, is_value, tree_of};
use super::plan::Plan;
use super::repair::Losses;
use super::row::{HEAD, Row};
use super::seals::Seals;
use super::watch::Watches;
use super::{Access, Allow, Change, Error, Event, Limit, MAX_CHANGES, Path, Warning};
use crate::engine::{Medium, Store, Tree, Value};

/// Most entries of one answer of `list`, and most keys that are looked at for it.
pub const MAX_LIST: usize = 64;

/// What a change is acknowledged with. `sync` of it returns when it survives a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which run of the server gave it.
    pub run: u64,
    /// The commit that it is part of.
    pub generation: u64,
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Its bytes.
    pub length: usize,
    /// Who is charged for it.
    pub owner: u32,
    /// Another one means another value.
    pub version: u64,
    /// Whether it lies under a sealed prefix.
    pub sealed: bool,
}

/// A value in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its path.
    pub path: Path,
    /// What is known of it.
    pub stat: Stat,
}

/// The state.
pub struct State<M> {
    pub(super) store: Store<M>,
    pub(super) access: Access,
    pub(super) charges: Charges,
    pub(super) seals: Seals,
    pub(super) losses: Losses,
    pub(super) watches: Watches,
    /// Uploads on their way: whose, and how many bytes.
    pub(super) uploads: Vec<(u32, usize)>,
    pub(super) serial: u8,
    /// Services that were warned, and are over their soft limit still.
    warned: Vec<u32>,
    warnings: Vec<Warning>,
    run: u64,
}

impl<M: Medium> State<M> {
    /// Serves a store by these rules. `run` is never the same twice: receipts bear it. What is under a sealed prefix answers `Busy` until it is
    /// unlocked.
    pub fn new(store: Store<M>, access: Access, run: u64) -> Result<State<M>, Error> {
        State::serve(store, access, run).map_err(|(_, error)| error)
    }

    /// The same, and the medium again when it cannot be served.
    pub fn serve(mut store: Store<M>, access: Access, run: u64) -> Result<State<M>, (M, Error)> {
        let read = Charges::load(&mut store).and_then(|charges| Ok((charges, Losses::load(&mut store)?)));
        let (charges, losses) = match read {
            Ok(read) => read,
            Err(error) => return Err((store.into_medium(), error)),
        };
        let seals = Seals::new(&access);
        let (watches, warned, warnings) = (Watches::default(), Vec::new(), Vec::new());
        let uploads = Vec::new();
        Ok(State {
            store,
            access,
            charges,
            seals,
            losses,
            watches,
            uploads,
            serial: 0,
            warned,
            warnings,
            run,
        })
    }

    /// The store itself, to look at.
    pub fn store(&self) -> &Store<M> {
        &self.store
    }

    /// The store itself, to check.
    pub fn store_mut(&mut self) -> &mut Store<M> {
        &mut self.store
    }

    /// The store, when the state is not served any more.
    pub fn into_store(self) -> Store<M> {
        self.store
    }

    /// The store, and the watches for the state that takes its place.
    pub fn into_parts(self) -> (Store<M>, Watches) {
        (self.store, self.watches)
    }

    /// The rules.
    pub fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn may(&self, service: u32, what: Allow, path: &Path) -> Result<(), Error> {
        if self.access.permits(service, what, path) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    pub(super) fn receipt(&self, generation: u64) -> Receipt {
        Receipt { run: self.run, generation }
    }

    fn row(&mut self, service: u32, path: &Path) -> Result<Row, Error> {
        self.may(service, Allow::Read, path)?;
        let found = match self.store.find(path.tree(), &path.key())? {
            Some(value) => Some(Row::read(&mut self.store, value)?),
            None => None,
        };
        if let Some(row) = self.seals.row(&path.key(), found)? {
            return Ok(row);
        }
        let first = first_under(path.as_str());
        if self.store.next(path.tree(), &first)?.is_some_and(|(key, _)| key.starts_with(&first)) {
            return Err(Error::IsDir);
        }
        for above in path.above() {
            if self.store.find(above.tree(), &above.key())?.is_some() {
                return Err(Error::NotDir);
            }
        }
        Err(self.losses.absent(path))
    }

    /// How many ranges of keys were lost of the store, and are answered `Integrity` where nothing is.
    pub fn lost(&self) -> usize {
        self.losses.count()
    }

    /// Forgets what was lost: what is not there has never been there, from now on.
    pub fn forget_lost(&mut self) -> Result<Receipt, Error> {
        let generation = self.store.commit(self.losses.forget(), true)?;
        self.losses = Losses::default();
        Ok(self.receipt(generation))
    }

    /// What is known of a value. Nothing is said of a sealed one before it was opened.
    pub fn stat(&mut self, service: u32, path: &Path) -> Result<Stat, Error> {
        let row = self.row(service, path)?;
        if row.head.sealed {
            self.seals.unwrap(&mut self.store, &path.key(), &row)?;
        }
        Ok(stat(&row))
    }

    /// Bytes of a value from `from` on, at most `count`, and what is known of it.
    pub fn get(
        &mut self,
        service: u32,
        path: &Path,
        from: usize,
        count: usize,
    ) -> Result<(Vec<u8>, Stat), Error> {
        let row = self.row(service, path)?;
        let bytes = if row.head.sealed {
            let all = self.seals.unwrap(&mut self.store, &path.key(), &row)?;
            let from = from.min(all.len());
            all[from..from.saturating_add(count).min(all.len())].to_vec()
        } else {
            self.store.read(&row.value, from.saturating_add(HEAD), count)?
        };
        Ok((bytes, stat(&row)))
    }

    /// Gives a path a value, in place of the one that it has.
    pub fn put(&mut self, service: u32, path: &Path, bytes: &[u8]) -> Result<Receipt, Error> {
        self.batch(service, &[Change::Put(path.clone(), bytes.to_vec())])
    }

    /// Takes the value of a path away.
    pub fn delete(&mut self, service: u32, path: &Path) -> Result<Receipt, Error> {
        self.batch(service, &[Change::Delete(path.clone())])
    }

    /// Moves a value, in place of the one that is there.
    pub fn rename(&mut self, service: u32, from: &Path, to: &Path) -> Result<Receipt, Error> {
        self.batch(service, &[Change::Rename(from.clone(), to.clone())])
    }

    /// All of it, one after the other, or nothing.
    pub fn batch(&mut self, service: u32, changes: &[Change]) -> Result<Receipt, Error> {
        if !(1..=MAX_CHANGES).contains(&changes.len()) {
            return Err(Error::Invalid);
        }
        let mut plan = Plan::new(&mut self.store, &self.access, &mut self.seals, &self.losses, service);
        changes.iter().try_for_each(|change| plan.add(change))?;
        plan.afford(&self.charges)?;
        let done = plan.commit(&mut self.charges)?;
        Ok(self.done(done))
    }

    /// A plan was committed: who wants to know is told, and who is over its soft limit is noted.
    pub(super) fn done(&mut self, (generation, touched, owners): (u64, Vec<Path>, Vec<u32>)) -> Receipt {
        for path in &touched {
            let access = &self.access;
            self.watches.changed(path, |service| access.permits(service, Allow::Read, path));
        }
        owners.into_iter().for_each(|owner| self.consider(owner));
        self.receipt(generation)
    }

    pub(super) fn consider(&mut self, service: u32) {
        let (used, soft) = (self.used(service), self.access.limit(service).soft);
        if used <= soft {
            self.warned.retain(|warned| *warned != service);
        } else if !self.warned.contains(&service) {
            self.warned.push(service);
            self.warnings.push(Warning { service, used, soft });
        }
    }

    /// Services that went over their soft limits since this was last asked.
    pub fn warnings(&mut self) -> Vec<Warning> {
        core::mem::take(&mut self.warnings)
    }

    /// The first service from this number on that stores something or may, with what it is charged for and its limit.
    pub fn charge_from(&self, from: u32) -> Option<(u32, u64, Limit)> {
        let charged = self.charges.next(from);
        let limited = self.access.next_limit(from).map(|(service, _)| service);
        let service = charged.into_iter().chain(limited).min()?;
        Some((service, self.used(service), self.access.limit(service)))
    }

    /// Bytes that a service is charged for.
    pub fn used(&self, service: u32) -> u64 {
        self.charges.total(&self.store, service)
    }

    /// Values under `prefix` (which may be empty) in order, beginning behind `after`, as far as the service may read them: at most `most`
    /// of them, and where to go on, unless that was all.
    pub fn list(
        &mut self,
        service: u32,
        prefix: &str,
        after: Option<&Path>,
        most: usize,
    ) -> Result<(Vec<Entry>, Option<Path>), Error> {
        if !prefix.is_empty() {
            Path::new(prefix)?;
        }
        // Without a prefix both databases are listed, one after the other.
        let trees = match (prefix.is_empty(), after) {
            (false, _) => [tree_of(prefix)].to_vec(),
            (true, Some(after)) if after.tree() == Tree::Kept => [after.tree()].to_vec(),
            (true, _) => Tree::ALL.to_vec(),
        };
        let (mut entries, mut last, mut looked) = (Vec::new(), None, 0);
        for tree in trees {
            let first = first_under(prefix);
            let mut from = match after.filter(|after| after.tree() == tree) {
                Some(after) => [after.key(), [0].to_vec()].concat().max(first.clone()),
                None => first.clone(),
            };
            loop {
                let found = self.store.next(tree, &from)?;
                let found = found.filter(|(key, _)| is_value(key) && key.starts_with(&first));
                if tree == Tree::Kept {
                    self.none_missing(service, &from, &first, found.as_ref().map(|(key, _)| key.as_slice()))?;
                }
                let Some((key, value)) = found else { break };
                if entries.len() == most.min(MAX_LIST) || looked == MAX_LIST {
                    return Ok((entries, last));
                }
                let path = Path::from_key(&key)?;
                if self.access.permits(service, Allow::Read, &path) {
                    let stat = self.known(&key, value)?;
                    entries.push(Entry { path: path.clone(), stat });
                }
                last = Some(path);
                looked += 1;
                from = key;
                from.push(0);
            }
        }
        Ok((entries, None))
    }

    /// What a list says of a value. Of a sealed one of this state only after it was opened; of one that nobody here has the key of what can be seen.
    fn known(&mut self, key: &[u8], value: Value) -> Result<Stat, Error> {
        let row = Row::read(&mut self.store, value)?;
        if self.seals.of(key).is_some() {
            let row = self.seals.row(key, Some(row))?.ok_or(Error::Integrity)?;
            self.seals.unwrap(&mut self.store, key, &row)?;
            return Ok(stat(&row));
        }
        Ok(stat(&row))
    }

    /// No sealed value that the service may read is missing between `from` and what was found, or the end of what begins with `first`.
    fn none_missing(
        &self,
        service: u32,
        from: &[u8],
        first: &[u8],
        found: Option<&[u8]>,
    ) -> Result<(), Error> {
        let Some(expected) = self.seals.next(from).filter(|key| key.starts_with(first)) else {
            return Ok(());
        };
        let is_missing = found.is_none_or(|found| expected < found);
        let path = Path::from_key(expected)?;
        if is_missing && self.access.permits(service, Allow::Read, &path) {
            return Err(Error::Integrity);
        }
        Ok(())
    }

    /// Returns when everything that was acknowledged survives a power cut.
    pub fn sync(&mut self, receipt: Option<Receipt>) -> Result<(), Error> {
        if receipt.is_some_and(|receipt| receipt.run != self.run) {
            return Err(Error::ServerDied);
        }
        Ok(self.store.sync()?)
    }

    /// Begins to watch what is under a prefix.
    pub fn watch(&mut self, service: u32, prefix: &str) -> Result<u64, Error> {
        if !prefix.is_empty() {
            self.may(service, Allow::Read, &Path::new(prefix)?)?;
        }
        self.watches.add(service, prefix)
    }

    /// The next event of a watch, if there is one.
    pub fn event(&mut self, service: u32, watch: u64) -> Result<Option<Event>, Error> {
        self.watches.take(service, watch)
    }

    /// Watches that have something where they had nothing, since this was last asked.
    pub fn rung(&mut self) -> Vec<u64> {
        self.watches.rung()
    }

    /// Goes on with the watches of the state that this one takes the place of. Each is told that everything may have changed.
    pub fn take_over(&mut self, watches: Watches) {
        self.watches = watches;
        self.watches.resync();
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, service: u32, watch: u64) -> Result<(), Error> {
        self.watches.remove(service, watch)
    }

    /// The names of the snapshots that there are.
    pub fn snapshots(&self) -> Vec<String> {
        self.store.snapshots().map(|one| String::from_utf8_lossy(&one.name).into_owned()).collect()
    }
}

fn stat(row: &Row) -> Stat {
    Stat { length: row.len(), owner: row.head.owner, version: row.head.version, sealed: row.head.sealed }
}
