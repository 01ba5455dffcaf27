//! Opening a sealed prefix: its keeper pushes the key, and everything under the prefix is compared with what the header proves.
//!
//! What must never happen: something that is not the newest set that the keeper knows of is served.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::cipher::{Cipher, KEY, SALT, Set};
use super::header::{self, Header};
use super::row::Row;
use super::seals::{MAX_SEALED, Open, Seal};
use super::{Error, Path, State};
use crate::engine::{Medium, Store, Tree};

/// What opens a prefix.
#[derive(Clone)]
pub struct Unlock {
    /// The prefix.
    pub prefix: String,
    /// Its key: the same as long as the prefix lasts.
    pub key: Zeroizing<[u8; KEY]>,
    /// Never the same twice: nonces begin with it.
    pub salt: [u8; SALT],
    /// The newest sequence that the keeper knows of: what is stored is that or newer.
    pub least: u64,
    /// The newest number that was used with this salt; 0, unless it was used before.
    pub used: u64,
}

/// The prefixes that have a header in this store, whatever the rules say: for whoever has no rules, and must not touch them.
pub fn sealed_prefixes<M: Medium>(store: &mut Store<M>) -> Result<Vec<Path>, Error> {
    let (mut all, mut from) = (Vec::new(), header::first());
    while let Some((key, _)) = store.next(Tree::Kept, &from)? {
        let Some(prefix) = header::prefix(&key) else { break };
        all.push(prefix?);
        from = key;
        from.push(0);
    }
    Ok(all)
}

impl<M: Medium> State<M> {
    fn seal(&mut self, service: u32, prefix: &str) -> Result<&mut Seal, Error> {
        let seal = self.seals.all.iter_mut().find(|seal| seal.prefix.as_str() == prefix);
        let seal = seal.ok_or(Error::NotFound)?;
        if seal.keeper == service { Ok(seal) } else { Err(Error::PermissionDenied) }
    }

    /// Opens a prefix, or says why what is stored there is refused; that is answered to everybody from then on. Answers the newest sequence
    /// that was stored, and commits the next one: a copy of the medium from before is older than what `anchor` answers then, also when nothing is changed. A
    /// prefix that is open stays so, if the key is the same and nothing newer is known.
    pub fn unlock(&mut self, service: u32, unlock: &Unlock) -> Result<u64, Error> {
        let store = self.store.id();
        let seal = self.seal(service, &unlock.prefix)?;
        let prefix = seal.prefix.clone();
        if let Ok(open) = seal.open_mut() {
            if open.key != unlock.key {
                return Err(Error::Integrity);
            }
            if unlock.least <= open.set.sequence {
                open.least = open.least.max(unlock.least);
                return Ok(open.set.sequence);
            }
        }
        let cipher = Cipher::new(&unlock.key, store);
        let looked = look(&mut self.store, &cipher, &prefix, unlock.least);
        match self.with_nothing_lost(&prefix, looked) {
            Ok((set, marks)) => self.open(service, unlock, cipher, set, marks),
            Err(error) => {
                if matches!(error, Error::Integrity | Error::Rollback) {
                    self.seal(service, &unlock.prefix)?.life = Err(error);
                }
                Err(error)
            }
        }
    }

    /// A prefix of which something may have been lost is no set that could be compared: where it is not what its header proves it was damaged, and not taken
    /// back; and without a header it is not a new one.
    fn with_nothing_lost(
        &self,
        prefix: &Path,
        looked: Result<(Set, Marks), Error>,
    ) -> Result<(Set, Marks), Error> {
        let key = prefix.key();
        let header = self.losses.covers(Tree::Kept, &header::key(&key));
        let behind = [&key[..], &[2]].concat();
        match looked {
            Err(Error::Rollback) if header || self.losses.touch(Tree::Kept, &key, &behind) => {
                Err(Error::Integrity)
            }
            Ok((set, _)) if header && set.sequence == 0 => Err(Error::Integrity),
            other => other,
        }
    }

    /// Opens a prefix that was open in the store that this one was made in place of. It is empty, and its sequence goes on, so that the store that is gone
    /// is a rollback. For a store that was made just now, and none other.
    pub fn go_on(&mut self, service: u32, unlock: &Unlock) -> Result<u64, Error> {
        let cipher = Cipher::new(&unlock.key, self.store.id());
        let prefix = self.seal(service, &unlock.prefix)?.prefix.clone();
        // Nothing is there, or it is not that store.
        let (set, marks) = look(&mut self.store, &cipher, &prefix, 0)?;
        if set.sequence != 0 || !marks.is_empty() {
            return Err(Error::Integrity);
        }
        let set = Set { sequence: unlock.used.max(unlock.least), ..set };
        self.open(service, unlock, cipher, set, marks)
    }

    /// What is stored is this set: it is served, and the next sequence committed.
    fn open(
        &mut self,
        service: u32,
        unlock: &Unlock,
        cipher: Cipher,
        set: Set,
        marks: Marks,
    ) -> Result<u64, Error> {
        let (key, salt, least) = (unlock.key.clone(), unlock.salt, unlock.least);
        let used = unlock.used.max(set.sequence);
        let seal = self.seal(service, &unlock.prefix)?;
        seal.life = Ok(Box::new(Open { cipher, key, salt, used, least, set, marks }));
        let prefix = seal.prefix.clone();
        let next = self.seals.next_of(&prefix);
        match next.map(|(turned, op)| (turned, self.store.commit([op].into(), true))) {
            Some((turned, Ok(_))) => self.seals.turned([turned].into()),
            // Without room for it the prefix is served all the same; a medium that fails is told by what comes next.
            Some((_, Err(_))) | None => {}
        }
        Ok(set.sequence)
    }

    /// The newest sequence of a prefix, after everything up to it was made to survive a power cut: what its keeper may write down as the least
    /// that there must be.
    pub fn anchor(&mut self, service: u32, prefix: &str) -> Result<u64, Error> {
        self.seal(service, prefix)?;
        self.store.sync()?;
        let open = self.seal(service, prefix)?.open_mut()?;
        open.least = open.set.sequence;
        Ok(open.least)
    }

    /// Who pushed what opened the prefixes that are open, to open them again after the store was mounted anew.
    pub fn held(&self) -> Vec<(u32, Unlock)> {
        let held = |seal: &Seal| {
            let open = seal.open().ok()?;
            let (key, salt, least, used) = (open.key.clone(), open.salt, open.least, open.used);
            Some((seal.keeper, Unlock { prefix: seal.prefix.as_str().into(), key, salt, least, used }))
        };
        self.seals.all.iter().filter_map(held).collect()
    }
}

type Marks = BTreeMap<Vec<u8>, super::row::Mark>;

/// Compares what is stored with what the header proves.
fn look<M: Medium>(
    store: &mut Store<M>,
    cipher: &Cipher,
    prefix: &Path,
    least: u64,
) -> Result<(Set, Marks), Error> {
    let key = prefix.key();
    let header = match store.get(Tree::Kept, &header::key(&key))? {
        Some(bytes) => Some(Header::read(cipher, &key, &bytes)?),
        None => None,
    };
    let sequence = header.as_ref().map_or(0, |header| header.sequence);
    if sequence < least {
        return Err(Error::Rollback);
    }
    let mut set = Set { sequence, ..Set::default() };
    let (mut marks, mut from) = (Marks::new(), key.clone());
    while let Some((at, value)) = store.next(Tree::Kept, &from)? {
        if !prefix.covers(&at) {
            break;
        }
        if marks.len() == MAX_SEALED {
            return Err(Error::Integrity);
        }
        let mark = Row::read(store, value)?.mark.ok_or(Error::Integrity)?;
        set.turn(&cipher.element(&mark.nonce, &mark.head, &at));
        set.count += 1;
        from = at.clone();
        from.push(0);
        marks.insert(at, mark);
    }
    let is_it = match &header {
        Some(header) => header.is_of(cipher, &key, &set),
        None => marks.is_empty(),
    };
    if is_it {
        return Ok((set, marks));
    }
    // Values that were all put once are not what was put last; any other is not even that.
    if header.is_some() && all_open(store, cipher, &marks)? {
        return Err(Error::Rollback);
    }
    Err(Error::Integrity)
}

fn all_open<M: Medium>(store: &mut Store<M>, cipher: &Cipher, marks: &Marks) -> Result<bool, Error> {
    for (key, mark) in marks {
        let value = store.find(Tree::Kept, key)?.ok_or(Error::Integrity)?;
        let closed = Row::read(store, value)?.closed(store)?;
        if cipher.open(&mark.nonce, &mark.head, key, &closed).is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
