//! Looking at every page that a store has: what is damaged, and which pages are in use.

use alloc::vec::Vec;

use super::layout::MAPS;
use super::lookup::{Root, node};
use super::pages::{Pages, Ptr};
use super::space::Bits;
use super::superblock::Superblock;
use super::value::Value;
use super::{Damage, Error, Medium, Store};

/// What a check came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Pages that trees, values and snapshots have.
    pub pages: u32,
    /// Keys in both trees.
    pub keys: u64,
    /// What is damaged, at most `MAX_DAMAGE` of it.
    pub damage: Vec<Damage>,
    /// Pages that the maps call used and nobody has, and the other way round.
    pub lost: u32,
    /// See `lost`.
    pub unmapped: u32,
}

/// Most damage that a check lists.
pub const MAX_DAMAGE: usize = 64;

/// A walk over one tree.
struct Walk<'a, M> {
    pages: &'a mut Pages<M>,
    seen: Bits,
    keys: u64,
    damage: &'a mut Vec<Damage>,
}

impl<M: Medium> Walk<'_, M> {
    fn visit(&mut self, page: u32) -> Result<(), Error> {
        if self.seen.has(page) || !self.pages.space.is_data(page) {
            return Err(Damage::Content.into());
        }
        self.seen.set(page);
        Ok(())
    }

    /// Notes damage and goes on; anything else ends the walk.
    fn note(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        match outcome {
            Err(Error::Integrity(damage)) => {
                if self.damage.len() < MAX_DAMAGE {
                    self.damage.push(damage);
                }
                Ok(())
            }
            other => other,
        }
    }

    /// A page and all under it; its keys are at least `low` and less than `high`.
    fn page(&mut self, ptr: Ptr, level: u8, low: &[u8], high: Option<&[u8]>) -> Result<(), Error> {
        self.visit(ptr.page)?;
        let node = node(self.pages, ptr, level)?;
        let mut last: Option<&[u8]> = None;
        for index in 0..node.count() {
            let (key, body) = node.entry(index)?;
            // What is above the leaves may begin with a key that is already gone, but never with one that lies elsewhere.
            let rises = last.is_none_or(|last| last < key) && (key >= low || level > 0 && index == 0);
            if !rises || high.is_some_and(|high| key >= high) {
                return Err(Damage::Content.into());
            }
            last = Some(key);
            let outcome = if level > 0 {
                let high = if index + 1 < node.count() { Some(node.entry(index + 1)?.0) } else { high };
                let low = if index == 0 { low } else { key };
                self.page(node.child(index)?, level - 1, low, high)
            } else {
                self.keys += 1;
                self.value(body)
            };
            self.note(outcome)?;
        }
        Ok(())
    }

    fn value(&mut self, body: &[u8]) -> Result<(), Error> {
        let value = Value::decode(body)?;
        for page in value.all_pages(self.pages)? {
            self.visit(page)?;
        }
        // Reading checks every page; a part at a time, so that little is in memory.
        for from in (0..value.len()).step_by(super::PAGE) {
            value.read(self.pages, from, super::PAGE)?;
        }
        Ok(())
    }
}

fn walk<M: Medium>(pages: &mut Pages<M>, root: Root, damage: &mut Vec<Damage>) -> Result<(Bits, u64), Error> {
    let seen = Bits::none(pages.shape);
    let mut walk = Walk { pages, seen, keys: 0, damage };
    if let Some((ptr, level)) = root.top {
        let outcome = walk.page(ptr, level, &[], None);
        walk.note(outcome)?;
    }
    Ok((walk.seen, walk.keys))
}

/// The root of each map's tree.
fn roots(superblock: &Superblock) -> [Root; MAPS] {
    core::array::from_fn(|index| match index {
        0 | 1 => superblock.roots[index],
        _ => superblock.snapshots[index - 2].as_ref().map_or(Root::default(), |snapshot| snapshot.root),
    })
}

/// The maps, counted anew. Damage on the way is the answer: what lies behind it is not known.
pub fn reachable<M: Medium>(pages: &mut Pages<M>, superblock: &Superblock) -> Result<[Bits; MAPS], Error> {
    let mut maps = [const { Bits(Vec::new()) }; MAPS];
    for (map, root) in maps.iter_mut().zip(roots(superblock)) {
        let mut damage = Vec::new();
        *map = walk(pages, root, &mut damage)?.0;
        if let Some(damage) = damage.first() {
            return Err((*damage).into());
        }
    }
    Ok(maps)
}

impl<M: Medium> Store<M> {
    /// Looks at every page, after a checkpoint if there is anything to write. It takes as long as the store is full.
    pub fn check(&mut self) -> Result<Checked, Error> {
        if !self.is_read_only() && self.need > 0 {
            self.checkpoint()?;
        }
        let mut checked = Checked::default();
        let mut all = Bits::none(self.pages.shape);
        for (index, root) in roots(&self.superblock).into_iter().enumerate() {
            let (seen, keys) = walk(&mut self.pages, root, &mut checked.damage)?;
            let map = &self.pages.space.maps[index];
            let both = seen.0.iter().zip(&map.0);
            for (seen, map) in both {
                checked.lost += (map & !seen).count_ones();
                checked.unmapped += (seen & !map).count_ones();
            }
            if index < 2 {
                checked.keys += keys;
                if keys != root.keys && checked.damage.is_empty() {
                    checked.damage.push(Damage::Content);
                }
            }
            all.add(&seen);
        }
        checked.pages = all.count();
        Ok(checked)
    }
}
