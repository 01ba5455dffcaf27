//! Looking at every page that a store has, a piece at a time: what is damaged, and which pages are in use.
//!
//! What must never happen: a piece takes longer the more the store holds, or what is in memory hides what is on the medium.

use alloc::vec::Vec;

use super::layout::MAPS;
use super::lookup::Root;
use super::node::Node;
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

/// A page of a tree that a walk is in: which of its entries is next, and that its keys are at least `low` and less than `high`.
pub struct Place {
    pub node: Node,
    pub level: u8,
    pub index: usize,
    low: Vec<u8>,
    high: Option<Vec<u8>>,
}

/// What an entry leads to.
pub enum Below {
    Page { ptr: Ptr, low: Vec<u8>, high: Option<Vec<u8>> },
    Value(Value),
}

impl Place {
    /// At its first entry.
    pub fn new(node: Node, level: u8, low: Vec<u8>, high: Option<Vec<u8>>) -> Place {
        Place { node, level, index: 0, low, high }
    }

    /// Whether it has no more entries.
    pub fn is_done(&self) -> bool {
        self.index == self.node.count()
    }

    /// The keys that the entry is for: those from the first of them on, below the other.
    pub fn range(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let key = self.node.entry(self.index)?.0;
        if self.level == 0 {
            return Ok((key.to_vec(), Some([key, &[0]].concat())));
        }
        let low = if self.index == 0 { self.low.clone() } else { key.to_vec() };
        let is_last = self.index + 1 == self.node.count();
        let high =
            if is_last { self.high.clone() } else { Some(self.node.entry(self.index + 1)?.0.to_vec()) };
        Ok((low, high))
    }

    /// The first key that is not known to lie before the entry.
    pub fn behind(&self) -> Result<Vec<u8>, Error> {
        let Some(before) = self.index.checked_sub(1) else { return Ok(self.low.clone()) };
        let key = self.node.entry(before)?.0;
        Ok(if self.level == 0 { [key, &[0]].concat() } else { key.to_vec() })
    }

    /// What the entry leads to, if its key lies where it must.
    pub fn entry(&self) -> Result<Result<Below, Error>, Error> {
        let (node, index) = (&self.node, self.index);
        let (key, body) = node.entry(index)?;
        let last = if index > 0 { Some(node.entry(index - 1)?.0) } else { None };
        // What is above the leaves may begin with a key that is already gone, but never with one that lies elsewhere.
        let rises =
            last.is_none_or(|last| last < key) && (key >= &self.low[..] || self.level > 0 && index == 0);
        if !rises || self.high.as_deref().is_some_and(|high| key >= high) {
            return Err(Damage::Content.into());
        }
        if self.level == 0 {
            return Ok(Value::decode(body).map(Below::Value).map_err(Error::from));
        }
        let (low, high) = self.range()?;
        Ok(node.child(index).map(|ptr| Below::Page { ptr, low, high }))
    }
}

/// What a walk to the end came to.
pub struct Walked {
    /// Pages that the tree has, or had.
    pub seen: Bits,
    /// Keys that were met.
    pub keys: u64,
    /// Whether all of it is as it should be.
    pub is_sound: bool,
}

/// A walk over one tree, the lowest pages first.
pub struct Walk {
    seen: Bits,
    keys: u64,
    /// From the top to where it is.
    way: Vec<Place>,
    /// Pages of the value that it is at, the next one last.
    value: Vec<Ptr>,
}

impl Walk {
    /// At the top of a tree.
    fn begin<M: Medium>(pages: &mut Pages<M>, root: Root) -> (Walk, Result<(), Error>) {
        let mut walk = Walk { seen: Bits::none(pages.shape), keys: 0, way: Vec::new(), value: Vec::new() };
        let begun = root.top.map_or(Ok(()), |(ptr, level)| walk.enter(pages, ptr, level, Vec::new(), None));
        (walk, begun)
    }

    fn is_done(&self) -> bool {
        self.way.is_empty() && self.value.is_empty()
    }

    fn visit<M>(&mut self, pages: &Pages<M>, page: u32) -> Result<(), Error> {
        if self.seen.has(page) || !pages.space.is_data(page) {
            return Err(Damage::Content.into());
        }
        self.seen.set(page);
        Ok(())
    }

    fn enter<M: Medium>(
        &mut self,
        pages: &mut Pages<M>,
        ptr: Ptr,
        level: u8,
        low: Vec<u8>,
        high: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        self.visit(pages, ptr.page)?;
        let node = Node::new(pages.read(ptr)?, level)?;
        self.way.push(Place::new(node, level, low, high));
        Ok(())
    }

    /// Goes on by one entry, or one page of a value. After an error the next step is the one behind what is damaged.
    fn step<M: Medium>(&mut self, pages: &mut Pages<M>) -> Result<(), Error> {
        if let Some(ptr) = self.value.pop() {
            return pages.read(ptr).map(drop);
        }
        let Some(mut place) = self.way.pop() else { return Ok(()) };
        if place.is_done() {
            return Ok(());
        }
        // A page whose keys are not as they must be is left.
        let (below, level) = (place.entry()?, place.level);
        place.index += 1;
        self.way.push(place);
        if level == 0 {
            self.keys += 1;
        }
        match below? {
            Below::Page { ptr, low, high } => self.enter(pages, ptr, level - 1, low, high),
            Below::Value(value) => {
                let (data, names) = value.spread(pages)?;
                let all = names.into_iter().chain(data.iter().map(|ptr| ptr.page));
                all.into_iter().try_for_each(|page| self.visit(pages, page))?;
                self.value = data;
                self.value.reverse();
                Ok(())
            }
        }
    }
}

impl Walk {
    /// All of a tree, whatever is damaged in it.
    pub fn whole<M: Medium>(pages: &mut Pages<M>, root: Root) -> Result<Walked, Error> {
        let (mut walk, begun) = Walk::begin(pages, root);
        let mut damage = Vec::new();
        note(&mut damage, begun)?;
        while !walk.is_done() {
            let stepped = walk.step(pages);
            note(&mut damage, stepped)?;
        }
        Ok(Walked { seen: walk.seen, keys: walk.keys, is_sound: damage.is_empty() })
    }
}

/// Notes damage and goes on; anything else is the end.
fn note(damage: &mut Vec<Damage>, outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::Integrity(found)) => {
            if damage.len() < MAX_DAMAGE {
                damage.push(found);
            }
            Ok(())
        }
        other => other,
    }
}

/// The root of each map's tree.
pub fn roots(superblock: &Superblock) -> [Root; MAPS] {
    core::array::from_fn(|index| match index {
        0 | 1 => superblock.roots[index],
        _ => superblock.snapshots[index - 2].as_ref().map_or(Root::default(), |snapshot| snapshot.root),
    })
}

/// The maps, counted anew. Damage on the way is the answer: what lies behind it is not known.
pub fn reachable<M: Medium>(pages: &mut Pages<M>, superblock: &Superblock) -> Result<[Bits; MAPS], Error> {
    let mut maps = [const { Bits(Vec::new()) }; MAPS];
    for (map, root) in maps.iter_mut().zip(roots(superblock)) {
        let (mut walk, begun) = Walk::begin(pages, root);
        begun?;
        while !walk.is_done() {
            walk.step(pages)?;
        }
        *map = walk.seen;
    }
    Ok(maps)
}

/// A check on its way. It is of the store as it was when it was begun: when something is committed meanwhile, it begins anew.
pub struct Check {
    epoch: u64,
    generation: u64,
    /// Which of the maps' trees it is in.
    map: usize,
    walk: Walk,
    all: Bits,
    checked: Checked,
}

impl Check {
    /// Begins one, after a checkpoint if there is anything to write.
    pub fn begin<M: Medium>(store: &mut Store<M>) -> Result<Check, Error> {
        if !store.is_read_only() && store.need > 0 {
            store.checkpoint()?;
        }
        let mut checked = Checked::default();
        let (walk, begun) = Walk::begin(&mut store.pages, roots(&store.superblock)[0]);
        note(&mut checked.damage, begun)?;
        let all = Bits::none(store.pages.shape);
        let (epoch, generation) = (store.superblock.epoch, store.generation);
        Ok(Check { epoch, generation, map: 0, walk, all, checked })
    }

    /// Looks at so many more entries and pages of values; answers what it came to, when that were all.
    pub fn step<M: Medium>(&mut self, store: &mut Store<M>, most: usize) -> Result<Option<Checked>, Error> {
        if (self.epoch, self.generation) != (store.superblock.epoch, store.generation) {
            *self = Check::begin(store)?;
        }
        for _ in 0..most {
            if !self.walk.is_done() {
                let stepped = self.walk.step(&mut store.pages);
                note(&mut self.checked.damage, stepped)?;
            } else if !self.next_tree(store)? {
                return Ok(Some(core::mem::take(&mut self.checked)));
            }
        }
        Ok(None)
    }

    /// A tree was looked at: it is compared with its map. Whether there is another one.
    fn next_tree<M: Medium>(&mut self, store: &mut Store<M>) -> Result<bool, Error> {
        let (roots, checked) = (roots(&store.superblock), &mut self.checked);
        let Some(map) = store.pages.space.maps.get(self.map) else { return Ok(false) };
        let seen = &self.walk.seen;
        for (seen, map) in seen.0.iter().zip(&map.0) {
            checked.lost += (map & !seen).count_ones();
            checked.unmapped += (seen & !map).count_ones();
        }
        if self.map < 2 {
            checked.keys += self.walk.keys;
            if self.walk.keys != roots[self.map].keys && checked.damage.is_empty() {
                checked.damage.push(Damage::Content);
            }
        }
        self.all.add(seen);
        checked.pages = self.all.count();
        self.map += 1;
        let Some(root) = roots.get(self.map) else { return Ok(false) };
        let (walk, begun) = Walk::begin(&mut store.pages, *root);
        self.walk = walk;
        note(&mut checked.damage, begun).map(|()| true)
    }
}

impl<M: Medium> Store<M> {
    /// Looks at every page at once. It takes as long as the store is full.
    pub fn check(&mut self) -> Result<Checked, Error> {
        let mut check = Check::begin(self)?;
        loop {
            if let Some(checked) = check.step(self, usize::MAX)? {
                return Ok(checked);
            }
        }
    }
}
