//! A fixed row of changes to `/state`, and what there is after each. The device does them, one commit each, and makes each safe before
//! the next; the host, which has nothing but the disk, knows from this what may be there.
//!
//! It must be the same on both sides, whatever the machine: it depends on the seed and on nothing else.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod load;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Most bytes that the service may store.
pub const HARD: usize = 300_000;

/// Values that there are at most, besides the long one.
const KEYS: u64 = 40;

/// A value that is made as it is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// Its bytes.
    pub length: usize,
    seed: u64,
}

impl Value {
    /// The byte at this place.
    pub fn byte(self, at: usize) -> u8 {
        mixed(self.seed.wrapping_add(at as u64 / 8)).to_le_bytes()[at % 8]
    }

    /// All of them.
    pub fn bytes(self) -> Vec<u8> {
        (0..self.length).map(|at| self.byte(at)).collect()
    }
}

/// A change, which is one commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A value is put.
    Put(String, Value),
    /// One is put that is too long for one message.
    Upload(String, Value),
    /// One is taken away.
    Delete(String),
    /// One is moved, perhaps over another.
    Rename(String, String),
    /// Several at once: a value, or none.
    Batch(Vec<(String, Option<Value>)>),
    /// More than the quota allows: nothing changes.
    Over(String, usize),
    /// The only snapshot is made.
    Snapshot,
    /// Everything that it is for is as it was then.
    Restore,
    /// It is dropped.
    Forget,
}

/// What there is.
pub type Contents = BTreeMap<String, Value>;

/// The row.
pub struct Work {
    random: u64,
    /// What there is now.
    pub now: Contents,
    snapshot: Option<Contents>,
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Work {
    /// The row of this seed, from its beginning.
    pub fn new(seed: u64) -> Work {
        Work { random: seed << 32, now: Contents::new(), snapshot: None }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random += 1;
        mixed(self.random) % bound
    }

    fn value(&mut self, least: u64, most: u64) -> Value {
        let length = (least + self.below(most - least)) as usize;
        Value { length, seed: self.below(1 << 40) << 20 }
    }

    fn path(&mut self) -> String {
        // One in four is of the database that no snapshot takes back.
        let place = if self.below(4) == 0 { "boot" } else { "app" };
        format!("{place}/{}/{:02}", self.below(3), self.below(KEYS))
    }

    /// A path that has a value.
    fn known(&mut self) -> Option<String> {
        let count = self.now.len() as u64;
        let nth = if count == 0 { 0 } else { self.below(count) };
        self.now.keys().nth(nth as usize).cloned()
    }

    /// The next change; `now` is what there is after it.
    pub fn advance(&mut self) -> Action {
        let action = self.choose();
        match &action {
            Action::Put(path, value) | Action::Upload(path, value) => {
                self.now.insert(path.clone(), *value);
            }
            Action::Delete(path) => {
                self.now.remove(path);
            }
            Action::Rename(from, to) => {
                if let Some(value) = self.now.remove(from) {
                    self.now.insert(to.clone(), value);
                }
            }
            Action::Batch(changes) => {
                for (path, value) in changes {
                    match value {
                        Some(value) => self.now.insert(path.clone(), *value),
                        None => self.now.remove(path),
                    };
                }
            }
            Action::Over(..) => {}
            Action::Snapshot => self.snapshot = Some(self.now.clone()),
            Action::Restore => {
                self.now.retain(|path, _| path.starts_with("boot"));
                let kept = self.snapshot.iter().flatten().filter(|(path, _)| !path.starts_with("boot"));
                self.now.extend(kept.map(|(path, value)| (path.clone(), *value)));
            }
            Action::Forget => self.snapshot = None,
        }
        action
    }

    fn choose(&mut self) -> Action {
        let kind = self.below(32);
        match (kind, self.known()) {
            (0, _) => match self.snapshot {
                None => Action::Snapshot,
                Some(_) => Action::Restore,
            },
            (1, _) if self.snapshot.is_some() => Action::Forget,
            (2, _) => Action::Over(self.path(), HARD),
            (3, _) => Action::Upload(String::from("app/long"), self.value(4_000, 70_000)),
            (17, _) => Action::Put(String::from("app/large"), self.value(3_073, 65_537)),
            (4..=7, Some(path)) => Action::Delete(path),
            (8..=10, Some(from)) => {
                let place = from.split('/').next().unwrap_or_default();
                let to = format!("{place}/{}/{:02}", self.below(3), self.below(KEYS));
                if from == to { Action::Delete(from) } else { Action::Rename(from, to) }
            }
            (11..=15, Some(known)) => {
                let place = String::from(known.split('/').next().unwrap_or_default());
                let mut changes = Vec::new();
                changes.push((known, None));
                // Some are more than one message holds.
                let most = if kind == 15 { 24 } else { 5 };
                for _ in 0..1 + self.below(most) {
                    let path = format!("{place}/{}/{:02}", self.below(3), self.below(KEYS));
                    changes.push((path, Some(self.value(0, 400))));
                }
                Action::Batch(changes)
            }
            _ => {
                let path = self.path();
                let most = if kind == 16 { 3_000 } else { 600 };
                Action::Put(path, self.value(0, most))
            }
        }
    }
}
