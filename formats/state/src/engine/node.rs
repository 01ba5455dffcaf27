//! A page of a tree: keys in rising order, each with a body. In a leaf the body is a value, above it what names a page.

use alloc::vec::Vec;

use super::cache::Bytes;
use super::codec::Reader;
use super::pages::Ptr;
use super::{Damage, Error, MAX_KEY, PAGE};

/// Bytes before the offsets of the entries: level, nothing, count, nothing.
const HEAD: usize = 8;

/// Bytes that an entry takes besides its key and body: its offset and both lengths.
const ENTRY: usize = 6;

/// Room for entries in a page.
pub const ROOM: usize = PAGE - HEAD;

/// Most bytes that an entry may take, so that a page has at least four.
pub const MAX_ITEM: usize = ROOM / 4;

/// Levels above the leaves: with four entries a page, more than any store has pages for.
pub const MAX_LEVEL: u8 = 12;

/// An entry on its way into a page: it stays where it was read, unless it was made anew.
#[derive(Clone)]
pub struct Item {
    source: Source,
    /// Where the lengths of its key and body begin, and bytes from there on.
    at: usize,
    length: usize,
    key: usize,
}

#[derive(Clone)]
enum Source {
    Page(Bytes),
    Made(Vec<u8>),
}

/// Bytes of both lengths.
const LENGTHS: usize = 4;

impl Item {
    /// A new one: a key of at most `MAX_KEY` bytes, and a body that fits a page with it.
    pub fn new(key: &[u8], body: &[u8]) -> Item {
        let mut entry = Vec::with_capacity(LENGTHS + key.len() + body.len());
        entry.extend_from_slice(&(key.len() as u16).to_le_bytes());
        entry.extend_from_slice(&(body.len() as u16).to_le_bytes());
        entry.extend_from_slice(key);
        entry.extend_from_slice(body);
        Item { at: 0, length: entry.len(), key: key.len(), source: Source::Made(entry) }
    }

    /// Bytes that it takes in a page.
    pub fn size(&self) -> usize {
        ENTRY - LENGTHS + self.length
    }

    /// It as it lies in a page.
    fn entry(&self) -> &[u8] {
        let bytes = match &self.source {
            Source::Page(page) => &page[..],
            Source::Made(entry) => entry,
        };
        &bytes[self.at..self.at + self.length]
    }

    /// Its key.
    pub fn key(&self) -> &[u8] {
        &self.entry()[LENGTHS..LENGTHS + self.key]
    }

    /// Its body.
    pub fn body(&self) -> &[u8] {
        &self.entry()[LENGTHS + self.key..]
    }
}

/// A page of a tree, as it was read.
pub struct Node {
    bytes: Bytes,
    count: usize,
}

impl Node {
    /// The page, if it is one of this level.
    pub fn new(bytes: Bytes, level: u8) -> Result<Node, Error> {
        let mut head = Reader(&bytes[..]);
        let (its_level, _, count) = (head.u8()?, head.u8()?, usize::from(head.u16()?));
        if its_level != level || count == 0 || HEAD + ENTRY * count > PAGE {
            return Err(Damage::Content.into());
        }
        Ok(Node { bytes, count })
    }

    pub fn count(&self) -> usize {
        self.count
    }

    fn offset(&self, index: usize) -> Result<usize, Damage> {
        let mut offset = Reader(self.bytes.get(HEAD + 2 * index..).ok_or(Damage::Content)?);
        offset.u16().map(usize::from)
    }

    /// Key and body of an entry.
    pub fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), Error> {
        let mut entry = Reader(self.bytes.get(self.offset(index)?..).ok_or(Damage::Content)?);
        let (key, body) = (usize::from(entry.u16()?), usize::from(entry.u16()?));
        if key > MAX_KEY {
            return Err(Damage::Content.into());
        }
        Ok((entry.bytes(key)?, entry.bytes(body)?))
    }

    /// The first entry whose key is not less, and whether it is equal. The count if there is none.
    pub fn find(&self, key: &[u8]) -> Result<(usize, bool), Error> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.entry(middle)?.0.cmp(key) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Equal => return Ok((middle, true)),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok((low, false))
    }

    /// Above the leaves: the entry under which the key lies. What is before the first lies under the first.
    pub fn under(&self, key: &[u8]) -> Result<usize, Error> {
        let (index, equal) = self.find(key)?;
        Ok(if equal { index } else { index.saturating_sub(1) })
    }

    /// Above the leaves: what an entry names.
    pub fn child(&self, index: usize) -> Result<Ptr, Error> {
        let mut body = Reader(self.entry(index)?.1);
        let ptr = Ptr::read(&mut body)?;
        if body.is_empty() { Ok(ptr) } else { Err(Damage::Content.into()) }
    }

    /// An entry, without a copy of it.
    pub fn item(&self, index: usize) -> Result<Item, Error> {
        let (key, body) = self.entry(index)?;
        let (key, length) = (key.len(), LENGTHS + key.len() + body.len());
        Ok(Item { source: Source::Page(self.bytes.clone()), at: self.offset(index)?, length, key })
    }
}

/// The bytes of a page with these entries, which must fit.
pub fn encode(level: u8, items: &[Item]) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE);
    page.extend_from_slice(&[level, 0]);
    page.extend_from_slice(&(items.len() as u16).to_le_bytes());
    page.resize(HEAD, 0);
    let mut at = HEAD + 2 * items.len();
    for item in items {
        page.extend_from_slice(&(at as u16).to_le_bytes());
        at += item.size() - 2;
    }
    for item in items {
        page.extend_from_slice(item.entry());
    }
    page
}
