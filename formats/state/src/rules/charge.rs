//! Who is charged for how much. The charges are rows beside the values, changed in the same commit, so they are exact after
//! every restart, and taken back together with the values.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Error;
use crate::engine::{Medium, PAGE, Store, Tree};

/// Bytes that a key is charged besides itself and its value.
pub const EXTRA: u64 = 64;

/// What the keys of charges begin with.
const CHARGES: u8 = b'q';

/// How much a service may store: `soft` is warned about, `hard` is the most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// Bytes from which on there is a warning, once until it has less again.
    pub soft: u64,
    /// Most bytes.
    pub hard: u64,
}

/// A service went over its soft limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Warning {
    /// It.
    pub service: u32,
    /// Bytes that it stores.
    pub used: u64,
    /// Its soft limit.
    pub soft: u64,
}

/// The charges of both databases.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Charges {
    used: BTreeMap<(Tree, u32), u64>,
}

/// The key of a service's charge.
pub fn key(service: u32) -> Vec<u8> {
    core::iter::once(CHARGES).chain(service.to_be_bytes()).collect()
}

/// The service that this is the key of the charge of, if it is one's.
pub fn service(key: &[u8]) -> Option<u32> {
    key.strip_prefix(&[CHARGES])?.try_into().ok().map(u32::from_be_bytes)
}

impl Charges {
    /// What the store says.
    pub fn load<M: Medium>(store: &mut Store<M>) -> Result<Charges, Error> {
        let mut charges = Charges::default();
        for tree in Tree::ALL {
            let mut from = [CHARGES].to_vec();
            while let Some((key, value)) = store.next(tree, &from)? {
                let Some(service) = key.strip_prefix(&[CHARGES]) else { break };
                let service = service.try_into().map_err(|_| Error::Integrity)?;
                let bytes = store.read(&value, 0, 8)?.try_into().map_err(|_| Error::Integrity)?;
                charges.used.insert((tree, u32::from_be_bytes(service)), u64::from_le_bytes(bytes));
                from = key;
                from.push(0);
            }
        }
        Ok(charges)
    }

    /// Bytes in one database.
    pub fn of(&self, tree: Tree, service: u32) -> u64 {
        self.used.get(&(tree, service)).copied().unwrap_or(0)
    }

    /// The first service from this number on that is charged for something.
    pub fn next(&self, from: u32) -> Option<u32> {
        self.used.keys().map(|(_, service)| *service).filter(|service| *service >= from).min()
    }

    /// Sets what the service has in one database.
    pub fn set(&mut self, tree: Tree, service: u32, bytes: u64) {
        if bytes == 0 {
            self.used.remove(&(tree, service));
        } else {
            self.used.insert((tree, service), bytes);
        }
    }

    /// Bytes in both databases, and pages that its snapshots may come to hold.
    pub fn total<M: Medium>(&self, store: &Store<M>, service: u32) -> u64 {
        let held = store.snapshots().filter(|snapshot| snapshot.owner == u64::from(service));
        let held: u64 = held.map(|snapshot| u64::from(snapshot.pages) * PAGE as u64).sum();
        held + self.of(Tree::Main, service) + self.of(Tree::Kept, service)
    }
}
