//! Repair: what a damaged store still has, as a store again. It is made over the medium, in memory; nothing is written before the whole of it was looked at.
//!
//! What must never happen: something that can be had is lost, what is lost is not named, or a repair that is cut off leaves less than it found.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem::{replace, take};

use super::check::{Walk, Walked, roots};
use super::checkpoint::body;
use super::layout::MAPS;
use super::lookup::Root;
use super::merge::{Edit, merge};
use super::mount::newest;
use super::overlay::Overlay;
use super::prune::{Lost, lose, prune, sound};
use super::space::{Bits, Space};
use super::{Damage, Error, Fault, Medium, Notice, Op, Store, Tree, Value};

/// Which tree something was lost of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// One of the two.
    Tree(Tree),
    /// The first, as the snapshot of this name has it.
    Snapshot(Vec<u8>),
}

/// What a repair came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repaired {
    /// What a mount would have mended as well.
    pub notices: Vec<Notice>,
    /// What is gone, of each tree in rising order.
    pub lost: Vec<(Whose, Lost)>,
    /// How many keys of the two trees, and values that only the log had, that were. One that the log has a newer value of is counted, though it is not missed.
    pub keys: u64,
    /// The store fell back: damage that says how far it had come, and how far it is now.
    pub back: Option<Damage>,
}

impl Repaired {
    /// Whether there is nothing to be said.
    pub fn is_nothing(&self) -> bool {
        *self == Repaired::default()
    }
}

/// What whoever keeps rows in a tree makes of it when it lost something.
pub type Rows<M> = fn(&mut Store<Overlay<M>>, Tree, &[Lost]) -> Result<Vec<Op>, Error>;

/// A store that was put together again, over its medium.
pub struct Repair<M> {
    store: Store<Overlay<M>>,
    /// What it came to.
    pub repaired: Repaired,
}

impl<M: Medium> Repair<M> {
    /// Puts together what there is, with at most so many pages in memory that differ from the medium's. `back` lets it fall back to an older commit, where
    /// there is proof of a newer one that cannot be had; without it that is the error.
    pub fn begin(
        medium: M,
        cache: usize,
        most: usize,
        back: bool,
        rows: Rows<M>,
    ) -> Result<Repair<M>, (M, Error)> {
        let (mut overlay, mut repaired) = (Overlay::new(medium, most), Repaired::default());
        let superblock = match newest(&mut overlay, &mut repaired.notices) {
            Ok((superblock, None)) => superblock,
            Ok((superblock, Some(damage))) if back => {
                repaired.back = Some(damage);
                superblock
            }
            Ok((_, Some(damage))) => return Err((overlay.into_under(), damage.into())),
            Err(error) => return Err((overlay.into_under(), error)),
        };
        let space = Space::empty(superblock.shape);
        let mut repair = Repair { store: Store::new(overlay, superblock, space, cache), repaired };
        match repair.put_together(back, rows) {
            Ok(()) => Ok(repair),
            Err(error) => Err((repair.store.into_medium().into_under(), error)),
        }
    }

    fn put_together(&mut self, back: bool, rows: Rows<M>) -> Result<(), Error> {
        let store = &mut self.store;
        let before = store.superblock.roots.map(|root| root.keys);
        let maps = store.maps_on_medium(&mut self.repaired.notices)?;
        let mut lost: [Vec<Lost>; MAPS] = Default::default();
        match store.replay(&mut self.repaired.notices, Some(&mut lost)) {
            Err(Error::Integrity(damage @ Damage::Log { .. })) if back => self.repaired.back = Some(damage),
            other => other?,
        }
        self.repaired.keys = lost.iter().map(|lost| lost.len() as u64).sum();
        // Whatever was reached once is left alone until the new store is safe.
        let mut busy = Bits::none(store.pages.shape);
        maps.iter().flatten().for_each(|map| busy.add(map));
        let mut walked = Vec::new();
        for root in roots(&store.superblock) {
            let walk = Walk::whole(&mut store.pages, root)?;
            busy.add(&walk.seen);
            walked.push(walk);
        }
        store.pages.space.occupy(&busy);
        self.in_memory(&mut lost)?;
        let is_sound = walked.iter().all(|walk| walk.is_sound);
        for (index, (walk, lost)) in walked.into_iter().zip(&mut lost).enumerate() {
            self.cut(index, walk, lost)?;
        }
        self.repaired.notices.extend(self.store.migrate()?);
        for (index, lost) in lost.into_iter().enumerate().filter(|(_, lost)| !lost.is_empty()) {
            self.name(index, lost, rows)?;
        }
        if is_sound && maps.is_some_and(|maps| maps != self.store.pages.space.maps) {
            self.repaired.notices.push(Notice::Maps);
        }
        let after = self.store.superblock.roots.map(|root| root.keys);
        self.repaired.keys +=
            before.iter().zip(after).map(|(before, after)| before.saturating_sub(after)).sum::<u64>();
        Ok(())
    }

    /// Values that are not in a tree yet, and whose pages are gone.
    fn in_memory(&mut self, lost: &mut [Vec<Lost>; MAPS]) -> Result<(), Error> {
        let store = &mut self.store;
        for tree in Tree::ALL {
            let values: Vec<_> = store.memory[tree as usize]
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
                .filter(|(_, value)| matches!(value, Value::Pages { .. }))
                .collect();
            for (key, value) in values {
                match sound(&mut store.pages, &value, &Bits::none(store.superblock.shape)) {
                    Ok(_) => {}
                    Err(Error::Integrity(damage)) => {
                        store.memory[tree as usize].insert(key.clone(), None);
                        self.repaired.keys += 1;
                        lose(&mut lost[tree as usize], Lost::one(&key, damage));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// One of the trees, without what is damaged in it.
    fn cut(&mut self, index: usize, walk: Walked, lost: &mut Vec<Lost>) -> Result<(), Error> {
        let store = &mut self.store;
        let root = roots(&store.superblock)[index];
        let (root, map) = if walk.is_sound {
            (Root { keys: walk.keys, ..root }, walk.seen)
        } else {
            prune(&mut store.pages, root, lost)?
        };
        let pages = map.count();
        store.pages.space.maps[index] = map;
        match index.checked_sub(Tree::ALL.len()) {
            None => store.superblock.roots[index] = root,
            Some(place) => {
                if let Some(snapshot) = &mut store.superblock.snapshots[place] {
                    (snapshot.root, snapshot.pages) = (root, pages);
                }
            }
        }
        Ok(())
    }

    /// The rows that say what a tree lost.
    fn name(&mut self, index: usize, lost: Vec<Lost>, rows: Rows<M>) -> Result<(), Error> {
        let store = &mut self.store;
        let Some(place) = index.checked_sub(Tree::ALL.len()) else {
            let tree = Tree::ALL[index];
            for op in rows(store, tree, &lost)? {
                store.remember(op.tree, op.key, op.value);
            }
            self.repaired.lost.extend(lost.into_iter().map(|lost| (Whose::Tree(tree), lost)));
            return Ok(());
        };
        let Some(snapshot) = store.superblock.snapshots[place].clone() else { return Ok(()) };
        // For as long as its rows are made it stands where the first tree does.
        let memory = take(&mut store.memory[0]);
        let first = replace(&mut store.superblock.roots[0], snapshot.root);
        store.pages.space.maps.swap(0, index);
        let ops: BTreeMap<_, _> =
            rows(store, Tree::Main, &lost)?.into_iter().map(|op| (op.key, op.value)).collect();
        let edits: Vec<Edit<'_>> =
            ops.iter().map(|(key, value)| (&key[..], value.as_ref().map(body))).collect();
        let root = merge(&mut store.pages, Tree::Main, snapshot.root, &edits)?;
        store.pages.space.maps.swap(0, index);
        store.superblock.roots[0] = first;
        store.memory[0] = memory;
        let pages = store.pages.space.maps[index].count();
        if let Some(snapshot) = &mut store.superblock.snapshots[place] {
            (snapshot.root, snapshot.pages) = (root, pages);
        }
        let whose = Whose::Snapshot(snapshot.name);
        self.repaired.lost.extend(lost.into_iter().map(|lost| (whose.clone(), lost)));
        Ok(())
    }

    /// The store, to be read and nothing else.
    pub fn into_store(mut self) -> Store<Overlay<M>> {
        self.store.broken = Some(Error::Medium(Fault::ReadOnly));
        self.store
    }

    /// Brings it onto the medium, after all of it was written in memory, looked at and mounted.
    pub fn finish(self, cache: usize) -> (M, Result<Repaired, Error>) {
        let Repair { mut store, repaired } = self;
        let written = write(&mut store, &repaired);
        let overlay = store.into_medium();
        if let Err(error) = written {
            return (overlay.into_under(), Err(error));
        }
        match Store::mount(overlay, cache) {
            Ok((store, mounted)) if mounted.notices.is_empty() => {
                let (medium, done) = store.into_medium().take_over();
                (medium, done.map(|()| repaired).map_err(Error::from))
            }
            Ok((store, _)) => (store.into_medium().into_under(), Err(Damage::Content.into())),
            Err((overlay, error)) => (overlay.into_under(), Err(error)),
        }
    }
}

/// Writes it in memory, with one superblock, and looks at all of it.
fn write<M: Medium>(store: &mut Store<M>, repaired: &Repaired) -> Result<(), Error> {
    match repaired.back {
        // What was logged since the superblock that is gone must not be taken for what follows the new one.
        Some(Damage::Superblock { reached, .. }) => {
            store.superblock.epoch += 2;
            store.generation = store.generation.max(reached);
        }
        Some(Damage::Log { reached, .. }) => store.generation = store.generation.max(reached),
        _ => {}
    }
    store.generation += 1;
    store.checkpoint()?;
    let checked = store.check()?;
    if checked.damage.is_empty() && checked.lost == 0 && checked.unmapped == 0 {
        Ok(())
    } else {
        Err(Damage::Content.into())
    }
}
