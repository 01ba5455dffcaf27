//! Values as a tree has them: in the leaf itself, or as names of pages; of long ones the names fill pages of their own.

use alloc::vec;
use alloc::vec::Vec;

use super::codec::{Reader, Writer};
use super::pages::{Pages, Ptr};
use super::{Damage, Error, Medium, PAGE, Tree};

/// Longest value, in bytes: 16 MiB, and room for what stands before them.
pub const MAX_VALUE: usize = (16 << 20) + 64;

/// Longest value that stands in a leaf.
pub const MAX_INLINE: usize = 700;

/// Most pages that a leaf names.
const DIRECT: usize = 16;

/// Names in a page of names.
const NAMES: usize = PAGE / Ptr::BYTES;

const INLINE: u8 = 0;
const PAGES: u8 = 1;

/// A value, by its bytes or by the pages that have them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Its bytes: in memory and in the log at most `MAX_LOGGED`, in a leaf at most `MAX_INLINE`.
    Inline(Vec<u8>),
    /// Pages that were written for it.
    Pages {
        /// Its bytes.
        length: u32,
        /// What names its pages, or pages of such names.
        names: Vec<Ptr>,
    },
}

fn data_pages(length: usize) -> usize {
    length.div_ceil(PAGE)
}

/// How many names a leaf has for a value of so many bytes, and whether they name pages of names.
fn names(length: usize) -> (usize, bool) {
    let pages = data_pages(length);
    if pages <= DIRECT { (pages, false) } else { (pages.div_ceil(NAMES), true) }
}

impl Value {
    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Value::Inline(bytes) => bytes.len(),
            Value::Pages { length, .. } => *length as usize,
        }
    }

    /// As it stands in a leaf and in the log.
    pub(super) fn encode(&self, out: &mut Writer) {
        match self {
            Value::Inline(bytes) => {
                out.u8(INLINE);
                out.bytes(bytes);
            }
            Value::Pages { length, names } => {
                out.u8(PAGES);
                out.u32(*length);
                names.iter().for_each(|name| name.write(out));
            }
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Value, Damage> {
        let mut from = Reader(bytes);
        match from.u8()? {
            INLINE => Ok(Value::Inline(from.0.to_vec())),
            PAGES => {
                let length = from.u32()?;
                if !(1..=MAX_VALUE).contains(&(length as usize)) {
                    return Err(Damage::Content);
                }
                let count = names(length as usize).0;
                let names = (0..count).map(|_| Ptr::read(&mut from)).collect::<Result<_, _>>()?;
                if from.is_empty() { Ok(Value::Pages { length, names }) } else { Err(Damage::Content) }
            }
            _ => Err(Damage::Content),
        }
    }

    /// The names of the pages with its bytes, and the pages of names.
    pub(super) fn spread<M: Medium>(&self, pages: &mut Pages<M>) -> Result<(Vec<Ptr>, Vec<u32>), Error> {
        let Value::Pages { length, names: top } = self else { return Ok((Vec::new(), Vec::new())) };
        if !names(*length as usize).1 {
            return Ok((top.clone(), Vec::new()));
        }
        let mut data = Vec::with_capacity(data_pages(*length as usize));
        for name in top {
            let bytes = pages.load(*name, false)?;
            let mut from = Reader(&bytes[..]);
            for _ in 0..NAMES.min(data_pages(*length as usize) - data.len()) {
                data.push(Ptr::read(&mut from)?);
            }
        }
        Ok((data, top.iter().map(|name| name.page).collect()))
    }

    /// Every page that belongs to it.
    pub(super) fn all_pages<M: Medium>(&self, pages: &mut Pages<M>) -> Result<Vec<u32>, Error> {
        let (data, mut all) = self.spread(pages)?;
        all.extend(data.iter().map(|name| name.page));
        Ok(all)
    }

    /// Bytes from `from` on, as many as there are, at most `count`.
    pub(super) fn read<M: Medium>(
        &self,
        pages: &mut Pages<M>,
        from: usize,
        count: usize,
    ) -> Result<Vec<u8>, Error> {
        let end = from.saturating_add(count).min(self.len());
        let from = from.min(end);
        if let Value::Inline(bytes) = self {
            return Ok(bytes[from..end].to_vec());
        }
        let (data, _) = self.spread(pages)?;
        let mut out = Vec::with_capacity(end - from);
        let mut at = from;
        while at < end {
            let page = pages.load(data[at / PAGE], false)?;
            let stop = end.min((at / PAGE + 1) * PAGE);
            out.extend_from_slice(&page[at % PAGE..at % PAGE + (stop - at)]);
            at = stop;
        }
        Ok(out)
    }

    /// Writes bytes that are too long for a leaf into pages of a tree.
    pub(super) fn write<M: Medium>(pages: &mut Pages<M>, tree: Tree, bytes: &[u8]) -> Result<Value, Error> {
        if bytes.len() <= MAX_INLINE {
            return Ok(Value::Inline(bytes.to_vec()));
        }
        let data =
            bytes.chunks(PAGE).map(|part| pages.add(tree, part, false)).collect::<Result<Vec<_>, _>>()?;
        Value::close(bytes.len(), data, |names| pages.add(tree, names, false))
    }

    /// The value whose bytes are in these pages; pages of names are written with `add` where they are needed.
    pub(super) fn close(
        length: usize,
        data: Vec<Ptr>,
        mut add: impl FnMut(&[u8]) -> Result<Ptr, Error>,
    ) -> Result<Value, Error> {
        if !names(length).1 {
            return Ok(Value::Pages { length: length as u32, names: data });
        }
        let mut names = vec![];
        for part in data.chunks(NAMES) {
            let mut page = Writer::default();
            part.iter().for_each(|name| name.write(&mut page));
            names.push(add(&page.0)?);
        }
        Ok(Value::Pages { length: length as u32, names })
    }

    /// Pages that a checkpoint takes to write it.
    pub(super) fn cost(length: usize) -> u32 {
        if length <= MAX_INLINE {
            return 0;
        }
        let (count, indirect) = names(length);
        (data_pages(length) + if indirect { count } else { 0 }) as u32
    }
}
