//! What a batch will change, worked out before anything is: each change sees those before it, and one that cannot be refuses all.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::charge::{self, Charges, EXTRA};
use super::path::first_under;
use super::repair::Losses;
use super::row::{HEAD, Row, version};
use super::seals::Seals;
use super::{Access, Allow, Error, Path};
use crate::engine::{MAX_LOGGED, Medium, Op, Store, Tree};

/// Most changes of a batch.
pub const MAX_CHANGES: usize = 64;

/// Longest value that is put at once; a longer one is an upload.
pub const MAX_AT_ONCE: usize = 64 << 10;

const _: () = assert!(MAX_AT_ONCE + HEAD <= MAX_LOGGED);

/// A change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The path has this value from then on: at most `MAX_AT_ONCE` bytes.
    Put(Path, Vec<u8>),
    /// The path has no value.
    Delete(Path),
    /// The value of the first path is that of the second, whatever that was, and the first has none.
    Rename(Path, Path),
}

/// A batch on its way.
pub struct Plan<'a, M> {
    store: &'a mut Store<M>,
    access: &'a Access,
    seals: &'a mut Seals,
    losses: &'a Losses,
    service: u32,
    tree: Option<Tree>,
    /// What becomes of each key: its row, or nothing.
    rows: BTreeMap<Vec<u8>, Option<Row>>,
    /// What is charged more and less, by owner.
    deltas: BTreeMap<u32, i64>,
    /// Paths that differ afterwards.
    touched: BTreeSet<Path>,
}

fn charge_of(path: &Path, length: usize) -> i64 {
    path.as_str().len() as i64 + length as i64 + EXTRA as i64
}

impl<'a, M: Medium> Plan<'a, M> {
    pub fn new(
        store: &'a mut Store<M>,
        access: &'a Access,
        seals: &'a mut Seals,
        losses: &'a Losses,
        service: u32,
    ) -> Plan<'a, M> {
        Plan {
            store,
            access,
            seals,
            losses,
            service,
            tree: None,
            rows: BTreeMap::new(),
            deltas: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Adds a change.
    pub fn add(&mut self, change: &Change) -> Result<(), Error> {
        match change {
            Change::Put(path, bytes) => {
                if bytes.len() > MAX_AT_ONCE {
                    return Err(Error::TooLarge);
                }
                self.may(Allow::Write, path)?;
                let row = self.seals.wrap(&path.key(), self.service, version(self.store, 0), bytes)?;
                self.put(path, row)
            }
            Change::Delete(path) => self.delete(path),
            Change::Rename(from, to) => {
                self.may(Allow::Read, from)?;
                self.belongs(from)?;
                self.belongs(to)?;
                let row = self
                    .row(from)?
                    .ok_or_else(|| self.missing(from).err().unwrap_or(self.losses.absent(from)))?;
                self.may(Allow::Write, from)?;
                self.may(Allow::Write, to)?;
                if from == to {
                    return Ok(());
                }
                let row = self.moved(from, to, row)?;
                self.delete(from)?;
                // It stays its owner's, who is charged for the new path from now on.
                self.put(to, row)
            }
        }
    }

    fn may(&self, what: Allow, path: &Path) -> Result<(), Error> {
        if self.access.permits(self.service, what, path) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// All changes are of one database.
    fn belongs(&mut self, path: &Path) -> Result<(), Error> {
        let tree = *self.tree.get_or_insert(path.tree());
        if tree == path.tree() { Ok(()) } else { Err(Error::CrossDevice) }
    }

    fn row(&mut self, path: &Path) -> Result<Option<Row>, Error> {
        if let Some(row) = self.rows.get(&path.key()) {
            return Ok(row.clone());
        }
        let found = match self.store.find(path.tree(), &path.key())? {
            Some(value) => Some(Row::read(self.store, value)?),
            None => None,
        };
        self.seals.row(&path.key(), found)
    }

    /// The row as it is stored at another path. A sealed one is closed anew: it is bound to its path. None crosses the border of a sealed prefix.
    fn moved(&mut self, from: &Path, to: &Path, row: Row) -> Result<Row, Error> {
        let (old, new) = (from.key(), to.key());
        if self.seals.of(&old) != self.seals.of(&new) {
            return Err(Error::CrossDevice);
        }
        if !row.head.sealed {
            return Ok(row);
        }
        let bytes = self.seals.unwrap(self.store, &old, &row)?;
        self.seals.wrap(&new, row.head.owner, row.head.version, &bytes)
    }

    /// Why there is no value: nothing there, something under it, or a value above it.
    fn missing(&mut self, path: &Path) -> Result<(), Error> {
        if self.any_under(path)? {
            return Err(Error::IsDir);
        }
        for above in path.above() {
            if self.row(&above)?.is_some() {
                return Err(Error::NotDir);
            }
        }
        Ok(())
    }

    fn any_under(&mut self, path: &Path) -> Result<bool, Error> {
        let first = first_under(path.as_str());
        let ours = |key: &[u8]| key.starts_with(&first);
        let planned = self.rows.range(first.clone()..).take_while(|(key, _)| ours(key));
        if planned.into_iter().any(|(_, row)| row.is_some()) {
            return Ok(true);
        }
        let mut from = first.clone();
        while let Some((key, _)) = self.store.next(path.tree(), &from)? {
            if !ours(&key) {
                return Ok(false);
            }
            if self.rows.get(&key).is_none_or(Option::is_some) {
                return Ok(true);
            }
            from = key;
            from.push(0);
        }
        Ok(false)
    }

    /// The path has this row from then on.
    pub fn put(&mut self, path: &Path, row: Row) -> Result<(), Error> {
        self.may(Allow::Write, path)?;
        self.belongs(path)?;
        match self.row(path)? {
            Some(old) => self.charge(old.head.owner, -charge_of(path, old.len())),
            None => self.missing(path)?,
        }
        self.charge(row.head.owner, charge_of(path, row.len()));
        self.rows.insert(path.key(), Some(row));
        self.touched.insert(path.clone());
        Ok(())
    }

    fn delete(&mut self, path: &Path) -> Result<(), Error> {
        self.may(Allow::Write, path)?;
        self.belongs(path)?;
        let Some(old) = self.row(path)? else {
            self.missing(path)?;
            return Err(self.losses.absent(path));
        };
        self.charge(old.head.owner, -charge_of(path, old.len()));
        self.rows.insert(path.key(), None);
        self.touched.insert(path.clone());
        Ok(())
    }

    fn charge(&mut self, owner: u32, bytes: i64) {
        *self.deltas.entry(owner).or_default() += bytes;
    }

    /// Whether every owner may have what it would have then. Having less is always allowed.
    pub fn afford(&self, charges: &Charges) -> Result<(), Error> {
        for (owner, delta) in &self.deltas {
            let total = charges.total(self.store, *owner).saturating_add_signed(*delta);
            if *delta > 0 && total > self.access.limit(*owner).hard {
                return Err(Error::QuotaExceeded);
            }
        }
        Ok(())
    }

    /// Does it: the changes and the charges in one commit. Answers the generation and what differs now.
    pub fn commit(self, charges: &mut Charges) -> Result<(u64, Vec<Path>, Vec<u32>), Error> {
        let Some(tree) = self.tree else { return Ok((self.store.generation(), Vec::new(), Vec::new())) };
        let mut next = charges.clone();
        let (turned, mut ops) = self.seals.turn(&self.rows)?;
        for (key, row) in self.rows {
            ops.push(Op { tree, key, value: row.map(|row| row.value) });
        }
        let grows = self.deltas.values().any(|delta| *delta > 0);
        for (owner, delta) in self.deltas.iter().filter(|(_, delta)| **delta != 0) {
            let used = next.of(tree, *owner).checked_add_signed(*delta).ok_or(Error::Integrity)?;
            next.set(tree, *owner, used);
            ops.push(match used {
                0 => Op::delete(tree, &charge::key(*owner)),
                _ => Op::put(tree, &charge::key(*owner), used.to_le_bytes().to_vec()),
            });
        }
        let generation = self.store.commit(ops, !grows)?;
        self.seals.turned(turned);
        *charges = next;
        Ok((generation, self.touched.into_iter().collect(), self.deltas.into_keys().collect()))
    }
}
