//! The store that is mounted: what is committed is in memory and in the log until a checkpoint brings it into the trees.
//!
//! What must never happen: something is called safe before its flush was answered, or anything is written after a write or a
//! flush has failed.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;

use super::codec::Writer;
use super::error::Error;
use super::frame;
use super::layout::Shape;
use super::lookup;
use super::medium::{Fault, Medium};
use super::pages::Pages;
use super::superblock::{Snapshot, Superblock};
use super::value::{MAX_VALUE, Value};
use super::{MAX_KEY, PAGE};

/// Longest value that is committed as bytes: 64 KiB, and room for what stands before them. A longer one is staged first.
pub const MAX_LOGGED: usize = (64 << 10) + 64;

/// One of the two trees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tree {
    /// The one that snapshots take back.
    Main = 0,
    /// The one that they never touch.
    Kept = 1,
}

impl Tree {
    /// Both.
    pub const ALL: [Tree; 2] = [Tree::Main, Tree::Kept];

    pub(crate) fn from_number(number: u8) -> Option<Tree> {
        Tree::ALL.into_iter().find(|tree| *tree as u8 == number)
    }
}

/// What becomes of one key.
#[derive(Clone, Debug)]
pub struct Op {
    /// In which tree.
    pub tree: Tree,
    /// The key: 1 to `MAX_KEY` bytes.
    pub key: Vec<u8>,
    /// Its value from then on; nothing: it is gone.
    pub value: Option<Value>,
}

impl Op {
    /// The key has these bytes, at most `MAX_LOGGED`, as its value.
    pub fn put(tree: Tree, key: &[u8], bytes: Vec<u8>) -> Op {
        Op { tree, key: key.to_vec(), value: Some(Value::Inline(bytes)) }
    }

    /// The key is gone.
    pub fn delete(tree: Tree, key: &[u8]) -> Op {
        Op { tree, key: key.to_vec(), value: None }
    }

    /// The key has a value that was staged.
    pub fn staged(tree: Tree, key: &[u8], value: Value) -> Op {
        Op { tree, key: key.to_vec(), value: Some(value) }
    }
}

/// What the store did since it was mounted, and how full it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Flushes.
    pub flushes: u64,
    /// Bytes written.
    pub written: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Pages for trees and values, and how many of them are free now.
    pub pages: u32,
    /// See `pages`.
    pub free: u32,
    /// Keys in the trees, as of the last checkpoint.
    pub keys: u64,
}

/// Pages that only what makes room may take: enough to delete one key and change its charge, on stores of 100 pages or more.
pub fn reserve(shape: Shape) -> u32 {
    let data = shape.pages - shape.first_data();
    (data / 16).clamp(24, 256).min(data / 4)
}

/// A mounted store.
pub struct Store<M> {
    pub(super) pages: Pages<M>,
    pub(super) superblock: Superblock,
    /// What is not in the trees yet.
    pub(super) memory: [BTreeMap<Vec<u8>, Option<Value>>; 2],
    /// Values on pages of their own that a later commit replaced before they came into a tree.
    pub(super) replaced: Vec<Value>,
    /// Bytes in `memory`, and pages that a checkpoint may need for it.
    pub(super) bytes: usize,
    pub(super) need: u32,
    /// Changes since the last frame.
    pub(super) pending: Writer,
    /// Whether `pending` names pages that were written since the last flush.
    pub(super) unflushed: bool,
    pub(super) generation: u64,
    pub(super) safe: u64,
    pub(super) log_at: u64,
    pub(super) broken: Option<Error>,
    /// Whether a checkpoint met damage since it was mounted.
    pub(super) stuck: bool,
    pub(super) figures: Figures,
}

impl<M: Medium> Store<M> {
    /// Which store it is.
    pub fn id(&self) -> [u8; 16] {
        self.superblock.store
    }

    /// Counts commits; those to `safe()` survive a power cut.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// See `generation`.
    pub fn safe(&self) -> u64 {
        self.safe
    }

    /// What it did, and how full it is.
    pub fn figures(&self) -> Figures {
        let shape = self.superblock.shape;
        Figures {
            pages: shape.pages - shape.first_data(),
            free: self.pages.space.free(),
            keys: self.superblock.roots.iter().fold(0, |sum, root| root.keys.saturating_add(sum)),
            written: self.figures.written + self.pages.written * PAGE as u64,
            ..self.figures
        }
    }

    /// Pages that the trees have, as of the last checkpoint.
    pub fn used(&self, tree: Tree) -> u32 {
        self.pages.space.maps[tree as usize].count()
    }

    /// The snapshots that there are.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.superblock.snapshots.iter().flatten()
    }

    /// The medium, when the store is not needed any more. What was not synced is lost.
    pub fn into_medium(self) -> M {
        self.pages.medium
    }

    /// The medium, to look at.
    pub fn medium(&self) -> &M {
        &self.pages.medium
    }

    pub(super) fn usable(&self) -> Result<(), Error> {
        self.broken.map_or(Ok(()), Err)
    }

    /// Nothing may be written after this: what the medium has is not known any more.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        if matches!(error, Error::Medium(_)) {
            self.broken = Some(Error::Failed);
        }
        error
    }

    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.figures.flushes += 1;
        self.pages.medium.flush().map_err(|fault| self.fail(fault.into()))
    }

    pub(super) fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Error> {
        self.figures.written += data.len() as u64;
        self.pages.medium.write(at, data).map_err(|fault| self.fail(fault.into()))
    }

    /// The value of a key.
    pub fn find(&mut self, tree: Tree, key: &[u8]) -> Result<Option<Value>, Error> {
        match self.memory[tree as usize].get(key) {
            Some(value) => Ok(value.clone()),
            None => lookup::get(&mut self.pages, self.superblock.roots[tree as usize], key),
        }
    }

    /// Bytes of a value that was found, from `from` on, at most `count`. The value is the one that was found for as long as nothing is committed.
    pub fn read(&mut self, value: &Value, from: usize, count: usize) -> Result<Vec<u8>, Error> {
        value.read(&mut self.pages, from, count)
    }

    /// All bytes of the value of a key.
    pub fn get(&mut self, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(value) = self.find(tree, key)? else { return Ok(None) };
        self.read(&value, 0, value.len()).map(Some)
    }

    /// The first key that is not less than `from`, with its value.
    pub fn next(&mut self, tree: Tree, from: &[u8]) -> Result<Option<(Vec<u8>, Value)>, Error> {
        let mut from = from.to_vec();
        loop {
            let below = lookup::next(&mut self.pages, self.superblock.roots[tree as usize], &from)?;
            let range = (Bound::Included(from.as_slice()), Bound::Unbounded);
            let Some((key, value)) = self.memory[tree as usize].range::<[u8], _>(range).next() else {
                return Ok(below);
            };
            if let Some((lower, _)) = &below
                && lower < key
            {
                return Ok(below);
            }
            if let Some(value) = value {
                return Ok(Some((key.clone(), value.clone())));
            }
            from.clone_from(key);
            from.push(0);
        }
    }

    /// Does all of it or nothing, and answers the generation that it is part of. It survives a power cut when `sync` has
    /// answered. `releasing` may use the last free pages: for what makes room.
    pub fn commit(&mut self, ops: Vec<Op>, releasing: bool) -> Result<u64, Error> {
        self.usable()?;
        for op in &ops {
            let most = if matches!(op.value, Some(Value::Inline(_))) { MAX_LOGGED } else { MAX_VALUE };
            let fits = op.value.as_ref().is_none_or(|value| value.len() <= most);
            if op.key.is_empty() || op.key.len() > MAX_KEY || !fits {
                return Err(Error::TooLarge);
            }
        }
        if ops.is_empty() {
            return Ok(self.generation);
        }
        self.make_room(&ops, releasing)?;
        for op in ops {
            frame::push(&op, &mut self.pending);
            self.unflushed |= matches!(op.value, Some(Value::Pages { .. }));
            self.remember(op.tree, op.key, op.value);
        }
        self.generation += 1;
        if self.bytes as u64 > self.superblock.shape.log_bytes() / 2 {
            // It is done, whether or not there was room to make it safe; `sync` says so then.
            match self.sync() {
                Err(error) if self.broken.is_some() => return Err(error),
                _ => {}
            }
        }
        Ok(self.generation)
    }

    /// Pages that a checkpoint may take for a change: new ones on the way to it, a split on each level, its value.
    fn cost(&self, tree: Tree, value: Option<&Value>) -> u32 {
        let levels = self.superblock.roots[tree as usize].top.map_or(1, |(_, level)| u32::from(level) + 1);
        let pages = match value {
            Some(Value::Inline(bytes)) => Value::cost(bytes.len()),
            _ => 0,
        };
        2 * levels + 1 + pages
    }

    pub(super) fn reserve(&self) -> u32 {
        reserve(self.superblock.shape)
    }

    fn make_room(&mut self, ops: &[Op], releasing: bool) -> Result<(), Error> {
        let need: u32 = ops.iter().map(|op| self.cost(op.tree, op.value.as_ref())).sum();
        let reserve = if releasing { 0 } else { self.reserve() };
        if self.need + need + reserve > self.pages.space.free() {
            if self.need > 0 || !self.replaced.is_empty() {
                self.checkpoint()?;
            }
            if need + reserve > self.pages.space.free() {
                return Err(Error::NoSpace);
            }
        }
        Ok(())
    }

    /// A change is the newest of its key from now on.
    pub(super) fn remember(&mut self, tree: Tree, key: Vec<u8>, value: Option<Value>) {
        self.need += self.cost(tree, value.as_ref());
        self.bytes += key.len() + value.as_ref().map_or(0, Value::len).min(MAX_LOGGED) + 64;
        if let Some(Some(old @ Value::Pages { .. })) = self.memory[tree as usize].insert(key, value) {
            self.replaced.push(old);
        }
    }

    /// Returns when everything committed before survives a power cut.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.usable()?;
        if self.safe == self.generation {
            return Ok(());
        }
        let superblock = &self.superblock;
        let (epoch, log) = (superblock.epoch, superblock.shape.log(superblock.epoch));
        let room = (frame::HEAD + self.pending.0.len()).next_multiple_of(super::SECTOR) as u64;
        if self.log_at + 2 * room > superblock.shape.log_bytes() {
            return self.checkpoint();
        }
        let mut copies = frame::encode(&superblock.store, epoch, self.safe, self.generation, &self.pending.0);
        copies.extend_from_within(..);
        if self.unflushed {
            self.flush()?;
        }
        self.write(log + self.log_at, &copies)?;
        self.flush()?;
        self.log_at += copies.len() as u64;
        self.logged();
        Ok(())
    }

    /// Everything committed is safe.
    pub(super) fn logged(&mut self) {
        self.pending.0.clear();
        self.unflushed = false;
        self.safe = self.generation;
    }

    /// Whether a write or a flush failed, so that it has to be mounted again.
    pub fn is_failed(&self) -> bool {
        self.broken == Some(Error::Failed)
    }

    /// Whether damage keeps what was committed out of the trees: when the log is full nothing can be stored any more, until it is repaired.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Whether a page was met that is not what was written.
    pub fn is_damaged(&self) -> bool {
        self.pages.damaged
    }

    /// Whether the medium can only be read.
    pub fn is_read_only(&self) -> bool {
        self.broken == Some(Error::Medium(Fault::ReadOnly))
    }
}
