//! Checkpoints: what is in memory comes into the trees, on new pages, and a new superblock names them. Snapshots are made,
//! taken back to and dropped by a checkpoint that does so besides.

use alloc::vec::Vec;
use core::mem::take;

use super::codec::Writer;
use super::error::Error;
use super::layout::Shape;
use super::medium::Medium;
use super::merge::{Edit, merge};
use super::store::{Op, Store, Tree};
use super::superblock::{MAX_SNAPSHOT_NAME, Snapshot, Superblock};
use super::value::Value;
use super::{Damage, checksum};

/// What a checkpoint does with a snapshot.
enum Turn {
    Nothing,
    Take { place: usize, name: Vec<u8>, owner: u64 },
    Back { place: usize },
    Drop { place: usize },
}

/// The maps as they lie on the medium.
pub fn encode_maps(space: &super::space::Space, shape: Shape) -> Vec<u8> {
    let mut out = Writer::default();
    space.maps.iter().flat_map(|map| &map.0).for_each(|word| out.u64(*word));
    out.0.resize(shape.maps_bytes(), 0);
    out.0
}

impl<M: Medium> Store<M> {
    /// Brings everything committed into the trees. It survives a power cut, and the log is empty.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        self.turn(Turn::Nothing)
    }

    /// Keeps the first tree as it is now under a name of 1 to `MAX_SNAPSHOT_NAME` bytes. Everything committed is safe then.
    pub fn take_snapshot(&mut self, name: &[u8], owner: u64) -> Result<(), Error> {
        let free = self.superblock.snapshots.iter().position(Option::is_none);
        let (Some(place), Err(_), 1..=MAX_SNAPSHOT_NAME) = (free, self.snapshot(name), name.len()) else {
            return Err(Error::Snapshot);
        };
        self.turn(Turn::Take { place, name: name.to_vec(), owner })
    }

    /// Takes the first tree back to a snapshot, which stays, and does `ops` in the same step.
    pub fn restore_snapshot(&mut self, name: &[u8], ops: Vec<Op>) -> Result<(), Error> {
        self.usable()?;
        let place = self.snapshot(name)?;
        let memory = take(&mut self.memory[Tree::Main as usize]);
        let kept = self.memory[Tree::Kept as usize].clone();
        // Pages that were staged for what is forgotten now: nobody has them after it.
        self.replaced.extend(memory.values().flatten().cloned());
        for op in ops {
            self.remember(op.tree, op.key, op.value);
        }
        let done = self.turn(Turn::Back { place });
        if done.is_err() {
            self.memory = [memory, kept];
        }
        done
    }

    /// Drops a snapshot; what it alone had is free.
    pub fn drop_snapshot(&mut self, name: &[u8]) -> Result<(), Error> {
        let place = self.snapshot(name)?;
        self.turn(Turn::Drop { place })
    }

    fn snapshot(&self, name: &[u8]) -> Result<usize, Error> {
        let named = |snapshot: &Option<Snapshot>| snapshot.as_ref().is_some_and(|known| known.name == name);
        self.superblock.snapshots.iter().position(named).ok_or(Error::Snapshot)
    }

    fn unstage(&mut self, value: &Value) -> Result<(), Error> {
        for page in value.all_pages(&mut self.pages)? {
            self.pages.space.staged.clear(page);
        }
        Ok(())
    }

    fn turn(&mut self, turn: Turn) -> Result<(), Error> {
        self.usable()?;
        let (space, generation) = (self.pages.space.clone(), self.generation);
        if !matches!(turn, Turn::Nothing) {
            self.generation += 1;
        }
        let written = self.write_trees(turn).and_then(|superblock| {
            self.write_superblock(&superblock)?;
            Ok(superblock)
        });
        match written {
            Ok(superblock) => {
                self.superblock = superblock;
                self.memory = Default::default();
                for value in take(&mut self.replaced) {
                    self.unstage(&value)?;
                }
                self.pages.space.settle();
                (self.bytes, self.need, self.log_at) = (0, 0, 0);
                self.figures.checkpoints += 1;
                self.logged();
                Ok(())
            }
            Err(error) => {
                (self.pages.space, self.generation) = (space, generation);
                self.stuck |= matches!(error, Error::Integrity(_));
                Err(self.fail(error))
            }
        }
    }

    /// Writes every new page, and says what the superblock will be.
    fn write_trees(&mut self, turn: Turn) -> Result<Superblock, Error> {
        let mut next = self.superblock.clone();
        next.epoch += 1;
        next.generation = self.generation;
        if let Turn::Back { place } = turn {
            next.roots[0] = next.snapshots[place].as_ref().ok_or(Error::Snapshot)?.root;
            self.pages.space.maps[0] = self.pages.space.maps[2 + place].clone();
        }
        for tree in Tree::ALL {
            let mut edits: Vec<Edit<'_>> = Vec::new();
            for (key, value) in &self.memory[tree as usize] {
                let stored = match value {
                    None => None,
                    Some(Value::Inline(bytes)) => Some(Value::write(&mut self.pages, tree, bytes)?),
                    Some(value) => Some(value.clone()),
                };
                edits.push((key, stored.map(|value| body(&value))));
            }
            if !edits.is_empty() {
                let root = &mut next.roots[tree as usize];
                *root = merge(&mut self.pages, tree, *root, &edits)?;
            }
            // After the merge: a value that was moved is given up where it was, and is the tree's all the same.
            for value in self.memory[tree as usize].values().flatten() {
                for page in value.all_pages(&mut self.pages)? {
                    self.pages.space.adopt(tree, page);
                }
            }
        }
        let maps = &mut self.pages.space.maps;
        match turn {
            Turn::Take { place, name, owner } => {
                maps[2 + place] = maps[0].clone();
                let (pages, root) = (maps[0].count(), next.roots[0]);
                let generation = self.generation;
                next.snapshots[place] = Some(Snapshot { name, owner, pages, generation, root });
            }
            Turn::Drop { place } => {
                maps[2 + place] = super::space::Bits::none(next.shape);
                next.snapshots[place] = None;
            }
            Turn::Nothing | Turn::Back { .. } => {}
        }
        let maps = encode_maps(&self.pages.space, next.shape);
        next.maps = checksum(&maps);
        self.write(next.shape.maps(next.epoch), &maps)?;
        Ok(next)
    }

    /// Everything that the superblock names is safe before it is written, and it is safe before anything is done with what it gave up.
    pub(super) fn write_superblock(&mut self, superblock: &Superblock) -> Result<(), Error> {
        self.flush()?;
        let page = superblock.encode();
        for copy in 0..2 {
            self.write(Shape::superblock(superblock.epoch, copy), &page)?;
        }
        self.flush()
    }
}

pub fn body(value: &Value) -> Vec<u8> {
    let mut out = Writer::default();
    value.encode(&mut out);
    out.0
}

/// What a checksum that is right does not excuse: a map with pages that no tree may have.
pub fn decode_maps(bytes: &[u8], shape: Shape) -> Result<[super::space::Bits; super::layout::MAPS], Damage> {
    let words = shape.map_bytes() / 8;
    let mut all = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut maps = core::array::from_fn(|_| super::space::Bits::none(shape));
    for map in &mut maps {
        map.0 = all.by_ref().take(words).collect();
        if map.0.len() != words || (0..shape.first_data()).any(|page| map.has(page)) {
            return Err(Damage::Map);
        }
        if (shape.pages..words as u32 * 64).any(|page| map.has(page)) {
            return Err(Damage::Map);
        }
    }
    Ok(maps)
}
