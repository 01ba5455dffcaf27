//! What is left of a tree that has damage: the same tree without it. Pages that are sound stay where they are; those on the way to what is gone are
//! written anew.
//!
//! What must never happen: something sound is left out, or something is left out and not named.

use alloc::vec::Vec;

use super::check::{Below, Place};
use super::lookup::Root;
use super::merge::above;
use super::node::{Item, Node, encode};
use super::pages::{Pages, Ptr};
use super::space::Bits;
use super::value::Value;
use super::{Damage, Error, Medium};

/// Most ranges of keys that are named for one tree; more are joined, so that what is named is never less than what is gone.
pub const MAX_LOST: usize = 32;

/// Keys of which it is not known any more whether they had values, and which: from `low` on, below `high`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The first that it can be.
    pub low: Vec<u8>,
    /// The first behind them; nothing: all that follow.
    pub high: Option<Vec<u8>>,
    /// Why.
    pub damage: Damage,
}

impl Lost {
    /// A single key.
    pub(super) fn one(key: &[u8], damage: Damage) -> Lost {
        Lost { low: key.to_vec(), high: Some([key, &[0]].concat()), damage }
    }

    /// Whether it may be a key that is gone.
    pub fn covers(&self, key: &[u8]) -> bool {
        key >= &self.low[..] && self.high.as_deref().is_none_or(|high| key < high)
    }
}

/// Names a range. The ranges of a walk rise; one that comes where there is no room is joined with the last.
pub fn lose(all: &mut Vec<Lost>, lost: Lost) {
    let is_full = all.len() == MAX_LOST;
    match all.last_mut() {
        Some(last) if is_full || last.high.as_ref() == Some(&lost.low) => {
            last.low = last.low.clone().min(lost.low);
            last.high = last.high.take().zip(lost.high).map(|(one, other)| one.max(other));
        }
        _ => all.push(lost),
    }
}

/// What is left of a page.
enum Left {
    All,
    Less(Ptr),
    Nothing,
}

/// A walk over one tree.
pub struct Prune<'a, M> {
    pages: &'a mut Pages<M>,
    /// Pages that the tree has then.
    kept: Bits,
    keys: u64,
    lost: &'a mut Vec<Lost>,
}

/// The tree without what is damaged, and its pages. Nothing that is busy is overwritten.
pub fn prune<M: Medium>(
    pages: &mut Pages<M>,
    root: Root,
    lost: &mut Vec<Lost>,
) -> Result<(Root, Bits), Error> {
    let kept = Bits::none(pages.shape);
    let mut prune = Prune { pages, kept, keys: 0, lost };
    let Some((ptr, level)) = root.top else { return Ok((root, prune.kept)) };
    let top = match prune.page(ptr, level, &[], None)? {
        Left::All => Some((ptr, level)),
        Left::Less(ptr) => Some((ptr, level)),
        Left::Nothing => None,
    };
    Ok((Root { top, keys: prune.keys }, prune.kept))
}

impl<M: Medium> Prune<'_, M> {
    fn lose(&mut self, low: &[u8], high: Option<&[u8]>, damage: Damage) {
        lose(self.lost, Lost { low: low.to_vec(), high: high.map(<[u8]>::to_vec), damage });
    }

    /// A page of a tree, and that nothing else has it.
    fn load(&mut self, ptr: Ptr, level: u8) -> Result<Node, Error> {
        if self.kept.has(ptr.page) {
            return Err(Damage::Content.into());
        }
        Node::new(self.pages.read(ptr)?, level)
    }

    /// A page and all under it.
    fn page(&mut self, ptr: Ptr, level: u8, low: &[u8], high: Option<&[u8]>) -> Result<Left, Error> {
        let node = match self.load(ptr, level) {
            Err(Error::Integrity(damage)) => {
                self.lose(low, high, damage);
                return Ok(Left::Nothing);
            }
            other => other?,
        };
        self.kept.set(ptr.page);
        let (mut items, mut is_whole) = (Vec::new(), true);
        let mut place = Place::new(node, level, low.to_vec(), high.map(<[u8]>::to_vec));
        while !place.is_done() {
            match self.entry(&place) {
                Ok(Some(item)) => {
                    is_whole &= item.1;
                    items.push(item.0);
                }
                Ok(None) => is_whole = false,
                Err(Error::Integrity(damage)) => {
                    // Its keys are not as they must be, from here on.
                    let from = place.behind()?;
                    self.lose(&from, high, damage);
                    is_whole = false;
                    break;
                }
                Err(error) => return Err(error),
            }
            place.index += 1;
        }
        if is_whole {
            return Ok(Left::All);
        }
        self.kept.clear(ptr.page);
        if items.is_empty() {
            return Ok(Left::Nothing);
        }
        // They are some of those that had room in one page before.
        let page = self.pages.space.take()?;
        self.kept.set(page);
        Ok(Left::Less(self.pages.write(page, &encode(level, &items), true)?))
    }

    /// What is left of an entry, and whether that is all of it. An error is of the page that it is in.
    fn entry(&mut self, place: &Place) -> Result<Option<(Item, bool)>, Error> {
        let below = match place.entry()? {
            Ok(below) => below,
            Err(error) => return self.gone(place, error),
        };
        match below {
            Below::Page { ptr, low, high } => {
                match self.page(ptr, place.level - 1, &low, high.as_deref())? {
                    Left::All => Ok(Some((place.node.item(place.index)?, true))),
                    Left::Less(ptr) => Ok(Some((above(place.node.entry(place.index)?.0, ptr), false))),
                    Left::Nothing => Ok(None),
                }
            }
            Below::Value(value) => match self.value(&value) {
                Ok(()) => {
                    self.keys += 1;
                    Ok(Some((place.node.item(place.index)?, true)))
                }
                Err(error) => self.gone(place, error),
            },
        }
    }

    /// An entry whose own page is sound, and what it leads to is not.
    fn gone(&mut self, place: &Place, error: Error) -> Result<Option<(Item, bool)>, Error> {
        let Error::Integrity(damage) = error else { return Err(error) };
        let (low, high) = place.range()?;
        self.lose(&low, high.as_deref(), damage);
        Ok(None)
    }

    fn value(&mut self, value: &Value) -> Result<(), Error> {
        for page in sound(self.pages, value, &self.kept)? {
            self.kept.set(page);
        }
        Ok(())
    }
}

/// The pages of a value, each of which was read, and nothing else has any of them.
pub fn sound<M: Medium>(pages: &mut Pages<M>, value: &Value, taken: &Bits) -> Result<Vec<u32>, Error> {
    let (data, names) = value.spread(pages)?;
    let all: Vec<u32> = names.into_iter().chain(data.iter().map(|ptr| ptr.page)).collect();
    if all.iter().any(|page| taken.has(*page)) {
        return Err(Damage::Content.into());
    }
    for ptr in data {
        pages.read(ptr)?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_more_than_there_is_room_for_is_joined_with_the_last() {
        let one = |n: usize| Lost {
            low: [4 * n as u8].to_vec(),
            high: Some([4 * n as u8 + 1].to_vec()),
            damage: Damage::Content,
        };
        let mut all = Vec::new();
        (0..MAX_LOST).for_each(|n| lose(&mut all, one(n)));
        assert!(all.iter().cloned().eq((0..MAX_LOST).map(one)));
        lose(&mut all, one(MAX_LOST + 5));
        let (last, before) = (&all[MAX_LOST - 1], &all[MAX_LOST - 2]);
        assert_eq!(
            (all.len(), &last.low, &last.high),
            (MAX_LOST, &one(MAX_LOST - 1).low, &one(MAX_LOST + 5).high)
        );
        assert_eq!(*before, one(MAX_LOST - 2));
        lose(&mut all, Lost { high: None, ..one(MAX_LOST + 7) });
        assert_eq!(all[MAX_LOST - 1].high, None, "to the end");
    }
}
