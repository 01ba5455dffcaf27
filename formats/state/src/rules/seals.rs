//! The sealed prefixes: which they are, which values each of them must have, and how the next change is proven.
//!
//! What must never happen: something is told of a sealed value that is not the one that was put last, or a change of one is
//! committed without the header that proves it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;

use super::cipher::{Cipher, KEY, NONCE, SALT, Set};
use super::header;
use super::row::{HEAD, Head, Mark, Row};
use super::{Access, Error, MAX_AT_ONCE, Path};
use crate::engine::{MAX_LOGGED, Medium, Op, Store, Tree, Value};
use zeroize::Zeroizing;

/// Most values under one sealed prefix: all of them are known in memory.
pub const MAX_SEALED: usize = 1024;

const _: () = assert!(MAX_AT_ONCE + HEAD + super::cipher::SEALED_EXTRA <= MAX_LOGGED);

/// A prefix that is served.
pub(super) struct Open {
    pub cipher: Cipher,
    pub key: Zeroizing<[u8; KEY]>,
    pub salt: [u8; SALT],
    /// The newest number of a nonce of this run, whatever became of it.
    pub used: u64,
    /// The newest sequence that is known outside of the store.
    pub least: u64,
    pub set: Set,
    /// The values that there are, by the engine's keys.
    pub marks: BTreeMap<Vec<u8>, Mark>,
}

/// One of the prefixes.
pub(super) struct Seal {
    pub keeper: u32,
    pub prefix: Path,
    /// What is served, or what is answered in place of it: `Busy` while nobody has pushed the key, or why what is stored is refused.
    pub life: Result<Box<Open>, Error>,
}

/// All of them.
pub(super) struct Seals {
    pub all: Vec<Seal>,
}

/// What a batch makes of one set, until it is committed.
pub(super) struct Turned {
    seal: usize,
    set: Set,
    marks: Vec<(Vec<u8>, Option<Mark>)>,
}

impl Seal {
    pub fn open(&self) -> Result<&Open, Error> {
        self.life.as_deref().map_err(|error| *error)
    }

    pub fn open_mut(&mut self) -> Result<&mut Open, Error> {
        self.life.as_deref_mut().map_err(|error| *error)
    }
}

impl Open {
    fn nonce(&mut self) -> [u8; NONCE] {
        self.used += 1;
        let mut nonce = [0; NONCE];
        nonce[..SALT].copy_from_slice(&self.salt);
        nonce[SALT..].copy_from_slice(&self.used.to_le_bytes());
        nonce
    }

    pub fn element(&self, key: &[u8], mark: &Mark) -> [u8; 32] {
        self.cipher.element(&mark.nonce, &mark.head, key)
    }
}

impl Seals {
    pub fn new(access: &Access) -> Seals {
        let locked = |(keeper, prefix): (u32, Path)| Seal { keeper, prefix, life: Err(Error::Busy) };
        Seals { all: access.seals().map(locked).collect() }
    }

    /// The place of the sealed prefix that a key lies under.
    pub fn of(&self, key: &[u8]) -> Option<usize> {
        self.all.iter().position(|seal| seal.prefix.covers(key))
    }

    /// What was found under a key, if that is what must be there.
    pub fn row(&self, key: &[u8], found: Option<Row>) -> Result<Option<Row>, Error> {
        let Some(place) = self.of(key) else {
            // Sealed, and nobody here has its key.
            return if found.as_ref().is_some_and(|row| row.head.sealed) {
                Err(Error::Busy)
            } else {
                Ok(found)
            };
        };
        let expected = self.all[place].open()?.marks.get(key).copied();
        let is_it =
            expected == found.as_ref().and_then(|row| row.mark) && expected.is_some() == found.is_some();
        if is_it { Ok(found) } else { Err(Error::Integrity) }
    }

    /// The first key from `from` on that a value must lie under.
    pub fn next(&self, from: &[u8]) -> Option<&[u8]> {
        let range = (Bound::Included(from), Bound::Unbounded);
        let firsts = self
            .all
            .iter()
            .filter_map(|seal| seal.open().ok())
            .filter_map(|open| open.marks.range::<[u8], _>(range).next());
        firsts.map(|(key, _)| key.as_slice()).min()
    }

    /// A value as it is stored under this key: closed, if the key lies under a sealed prefix.
    pub fn wrap(&mut self, key: &[u8], owner: u32, version: u64, bytes: &[u8]) -> Result<Row, Error> {
        let Some(place) = self.of(key) else { return Ok(Row::plain(owner, version, bytes)) };
        let open = self.all[place].open_mut()?;
        let head = Head { sealed: true, owner, version };
        let mark = Mark { nonce: open.nonce(), head: head.encode() };
        let closed = open.cipher.close(&mark.nonce, &mark.head, key, bytes).ok_or(Error::TooLarge)?;
        let value = Value::Inline([&mark.head[..], &mark.nonce, &closed].concat());
        Ok(Row { head, mark: Some(mark), value })
    }

    /// All bytes of a sealed value that was found under this key.
    pub fn unwrap<M: Medium>(&self, store: &mut Store<M>, key: &[u8], row: &Row) -> Result<Vec<u8>, Error> {
        let (Some(place), Some(mark)) = (self.of(key), row.mark) else { return Err(Error::Busy) };
        let closed = row.closed(store)?;
        self.all[place].open()?.cipher.open(&mark.nonce, &mark.head, key, &closed).ok_or(Error::Integrity)
    }

    /// What these rows make of the sets that they belong to, and the headers that prove it.
    pub fn turn(&mut self, rows: &BTreeMap<Vec<u8>, Option<Row>>) -> Result<(Vec<Turned>, Vec<Op>), Error> {
        let (mut turned, mut ops) = (Vec::new(), Vec::new());
        for place in 0..self.all.len() {
            let ours: Vec<_> = rows.iter().filter(|(key, _)| self.of(key) == Some(place)).collect();
            if ours.is_empty() {
                continue;
            }
            let prefix = self.all[place].prefix.key();
            let open = self.all[place].open_mut()?;
            // One for the change itself, so that it rises when values are only taken away.
            open.used += 1;
            let mut set = Set { sequence: open.used, ..open.set };
            let mut marks = Vec::new();
            for (key, row) in ours {
                let (old, new) = (open.marks.get(key), row.as_ref().and_then(|row| row.mark));
                if let Some(old) = old {
                    set.turn(&open.element(key, old));
                    set.count -= 1;
                }
                if let Some(new) = &new {
                    set.turn(&open.element(key, new));
                    set.count += 1;
                }
                marks.push((key.clone(), new));
            }
            if set.count as usize > MAX_SEALED {
                return Err(Error::QuotaExceeded);
            }
            ops.push(Op::put(Tree::Kept, &header::key(&prefix), header::encode(&open.cipher, &prefix, &set)));
            turned.push(Turned { seal: place, set, marks });
        }
        Ok((turned, ops))
    }

    /// The next sequence of a prefix that is served, with the same values.
    pub fn next_of(&mut self, prefix: &Path) -> Option<(Turned, Op)> {
        let seal = self.all.iter().position(|seal| seal.prefix == *prefix)?;
        let open = self.all[seal].open_mut().ok()?;
        open.used += 1;
        let set = Set { sequence: open.used, ..open.set };
        let prefix = prefix.key();
        let op = Op::put(Tree::Kept, &header::key(&prefix), header::encode(&open.cipher, &prefix, &set));
        Some((Turned { seal, set, marks: Vec::new() }, op))
    }

    /// That was committed.
    pub fn turned(&mut self, all: Vec<Turned>) {
        for turned in all {
            let Ok(open) = self.all[turned.seal].open_mut() else { continue };
            open.set = turned.set;
            for (key, mark) in turned.marks {
                match mark {
                    Some(mark) => open.marks.insert(key, mark),
                    None => open.marks.remove(&key),
                };
            }
        }
    }
}
