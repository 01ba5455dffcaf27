//! What was lost of a store that was damaged, and stays told: rows beside the values name the ranges of keys that a repair could not save.
//!
//! What must never happen: something that was lost is answered as if it had never been there.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::charge::{self, EXTRA};
use super::path::is_value;
use super::row::Row;
use super::{Error, Path};
use crate::engine::{
    self, Damage, Lost, MAX_LOST, Medium, Op, Overlay, Repair, Repaired, Store, Tree, Whose,
};

/// What the keys of such rows begin with; then comes the first key of the range.
const LOSSES: u8 = b'l';

/// What stands before the first key behind the range; alone, it goes on to the end.
const BELOW: u8 = 1;
const END: u8 = 0;

/// Most pages that a repair keeps in memory on a device.
pub const REPAIR_PAGES: usize = 128;

/// The ranges that were lost of each database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Losses([Vec<Range>; 2]);

/// The first of the engine's keys that may be gone, and the first behind them; without that it goes on to the end.
type Range = (Vec<u8>, Option<Vec<u8>>);

impl Losses {
    /// What the store says.
    pub fn load<M: Medium>(store: &mut Store<M>) -> Result<Losses, Error> {
        let mut losses = Losses::default();
        for tree in Tree::ALL {
            let mut from = [LOSSES].to_vec();
            while let Some((key, value)) = store.next(tree, &from)? {
                let Some(low) = key.strip_prefix(&[LOSSES]) else { break };
                let bytes = store.read(&value, 0, value.len())?;
                let high = match bytes.split_first() {
                    Some((&BELOW, high)) => Some(high.to_vec()),
                    Some((&END, [])) => None,
                    _ => return Err(Error::Integrity),
                };
                losses.0[tree as usize].push((low.to_vec(), high));
                from = key;
                from.push(0);
            }
        }
        Ok(losses)
    }

    /// How many ranges there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether the engine's key may have had a value that was lost.
    pub fn covers(&self, tree: Tree, key: &[u8]) -> bool {
        self.0[tree as usize]
            .iter()
            .any(|(low, high)| key >= &low[..] && high.as_deref().is_none_or(|high| key < high))
    }

    /// Whether something under a prefix may have been lost, or the row that proves it.
    pub fn touch(&self, tree: Tree, first: &[u8], behind: &[u8]) -> bool {
        self.0[tree as usize]
            .iter()
            .any(|(low, high)| &low[..] < behind && high.as_deref().is_none_or(|high| high > first))
    }

    /// What there is no value of: an error of its own, where there may have been one.
    pub fn absent(&self, path: &Path) -> Error {
        if self.covers(path.tree(), &path.key()) { Error::Integrity } else { Error::NotFound }
    }

    /// The changes that forget all of it.
    pub fn forget(&self) -> Vec<Op> {
        let each = |tree: Tree| self.0[tree as usize].iter().map(move |(low, _)| Op::delete(tree, &key(low)));
        Tree::ALL.into_iter().flat_map(each).collect()
    }
}

/// The key of the row of a range.
fn key(low: &[u8]) -> Vec<u8> {
    core::iter::once(LOSSES).chain(low.iter().copied()).collect()
}

/// What is there of the tree has its charges, and what is not its rows.
fn rows<M: Medium>(store: &mut Store<M>, tree: Tree, lost: &[Lost]) -> Result<Vec<Op>, engine::Error> {
    let (mut used, mut ops, mut ranges): (BTreeMap<u32, u64>, Vec<Op>, Vec<Lost>) = Default::default();
    let mut from = Vec::new();
    while let Some((key, value)) = store.next(tree, &from)? {
        if is_value(&key) {
            let row = Row::read(store, value).map_err(|_| Damage::Content)?;
            *used.entry(row.head.owner).or_default() += (key.len() - 1 + row.len()) as u64 + EXTRA;
        } else if key.first() == Some(&LOSSES) {
            // Of an earlier repair. It is read anew, and joined where there are too many.
            let high = store.read(&value, 0, value.len())?;
            let high = high.strip_prefix(&[BELOW]).map(<[u8]>::to_vec);
            ranges.push(Lost { low: key[1..].to_vec(), high, damage: Damage::Content });
            ops.push(Op::delete(tree, &key));
        } else if charge::service(&key).is_some() {
            ops.push(Op::delete(tree, &key));
        }
        from = key;
        from.push(0);
    }
    ranges.extend(lost.iter().cloned());
    for (service, used) in used {
        ops.push(Op::put(tree, &charge::key(service), used.to_le_bytes().to_vec()));
    }
    for range in joined(ranges) {
        let value = match &range.high {
            Some(high) => [&[BELOW][..], high].concat(),
            None => [END].to_vec(),
        };
        ops.push(Op::put(tree, &key(&range.low), value));
    }
    Ok(ops)
}

/// The same keys as fewer ranges: those that meet are one, and where there are more than [`MAX_LOST`] the last ones are, with what lies between them.
fn joined(mut ranges: Vec<Lost>) -> Vec<Lost> {
    ranges.sort_by(|one, other| one.low.cmp(&other.low));
    let mut joined: Vec<Lost> = Vec::new();
    for range in ranges {
        let is_full = joined.len() == MAX_LOST;
        match joined.last_mut() {
            Some(last) if is_full || last.high.as_deref().is_none_or(|high| high >= &range.low[..]) => {
                last.high = last.high.take().zip(range.high).map(|(one, other)| one.max(other));
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Puts a damaged store together again, with at most so many pages in memory; a store that is sound is left as it is. `back` lets it fall back to an
/// older commit where a newer one cannot be had.
pub fn repair<M: Medium>(
    medium: M,
    cache: usize,
    most: usize,
    back: bool,
) -> (M, Result<Repaired, engine::Error>) {
    match Repair::begin(medium, cache, most, back, rows) {
        Ok(repair) if repair.repaired.is_nothing() => {
            (repair.into_store().into_medium().into_under(), Ok(Repaired::default()))
        }
        Ok(repair) => repair.finish(cache),
        Err((medium, error)) => (medium, Err(error)),
    }
}

/// A damaged store as it would be after a repair, to be read; nothing is written.
pub fn salvage<M: Medium>(medium: M, cache: usize, most: usize) -> Result<Salvaged<M>, (M, engine::Error)> {
    let mut repair = Repair::begin(medium, cache, most, true, rows)?;
    let repaired = core::mem::take(&mut repair.repaired);
    Ok(Salvaged { store: repair.into_store(), repaired })
}

/// What a damaged store still has.
pub struct Salvaged<M> {
    /// It, over its medium.
    pub store: Store<Overlay<M>>,
    /// What is not there any more.
    pub repaired: Repaired,
}

/// What a repair came to, a line each, for people.
pub fn told(repaired: &Repaired) -> Vec<String> {
    let mut lines: Vec<String> = repaired.notices.iter().map(|notice| format!("{notice:?}")).collect();
    if let Some(Damage::Superblock { reached, left } | Damage::Log { reached, left }) = repaired.back {
        lines.push(format!("fell back from generation {reached} to {left}"));
    }
    if repaired.keys > 0 {
        lines.push(format!("{} keys are lost", repaired.keys));
    }
    for (whose, lost) in &repaired.lost {
        let what = range(&lost.low, lost.high.as_deref());
        let damage = lost.damage;
        lines.push(match whose {
            Whose::Tree(_) => format!("lost: {what} ({damage:?})"),
            Whose::Snapshot(name) => {
                format!("lost in the snapshot `{}`: {what} ({damage:?})", String::from_utf8_lossy(name))
            }
        });
    }
    lines
}

/// A range of the engine's keys as paths.
fn range(low: &[u8], high: Option<&[u8]>) -> String {
    let path = |key: &[u8]| Path::from_key(key).map(|path| format!("`{}`", path.as_str()));
    match (path(low), high) {
        (Ok(path), Some(high)) if high.strip_prefix(low) == Some(&[0]) => path,
        (low, high) => {
            let low = low.unwrap_or_else(|_| String::from("the first"));
            let high = high.and_then(|high| path(high).ok());
            format!(
                "what was from {low} on, {}",
                high.map_or(String::from("to the end"), |high| format!("before {high}"))
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: u8, high: Option<u8>) -> Lost {
        Lost { low: [low].to_vec(), high: high.map(|high| [high].to_vec()), damage: Damage::Content }
    }

    #[test]
    fn ranges_that_meet_are_one_and_more_than_there_is_room_for_are_the_last() {
        let apart: Vec<Lost> = (0..MAX_LOST as u8).rev().map(|n| range(4 * n, Some(4 * n + 1))).collect();
        let most = joined(apart.clone());
        assert!(most.len() == MAX_LOST && most.iter().eq(apart.iter().rev()), "as many as there is room for");
        let more = joined([&apart[..], &[range(200, Some(201))]].concat());
        assert_eq!(more[..MAX_LOST - 1], most[..MAX_LOST - 1], "one more changes nothing but the last");
        assert_eq!(more[MAX_LOST - 1..], [range(124, Some(201))]);
        assert_eq!(
            joined([range(3, Some(9)), range(1, Some(3)), range(4, Some(5))].to_vec()),
            [range(1, Some(9))]
        );
        assert_eq!(joined([range(1, None), range(7, Some(8))].to_vec()), [range(1, None)]);
    }
}
