//! Frames of the log: what was committed between two flushes. Each lies there twice, one copy after the other, so that
//! whatever happens to one of them, a commit that was safe is neither lost nor taken for one that never was.

use alloc::vec::Vec;

use super::codec::{Reader, Writer};
use super::store::{Op, Tree};
use super::superblock::MAX_COUNT;
use super::value::Value;
use super::{Damage, MAX_KEY, SECTOR, checksum};

const MAGIC: u32 = 0x6672_786e;

/// Bytes before the changes.
pub const HEAD: usize = 56;

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// What stands before the changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub epoch: u64,
    /// The generation before it, and with it.
    pub before: u64,
    pub after: u64,
    /// Bytes of all, not counting the padding.
    pub length: usize,
}

impl Head {
    /// Bytes that a copy takes.
    pub fn room(&self) -> usize {
        self.length.next_multiple_of(SECTOR)
    }
}

/// One copy of a frame: whole sectors.
pub fn encode(store: &[u8; 16], epoch: u64, before: u64, after: u64, changes: &[u8]) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity((HEAD + changes.len()).next_multiple_of(SECTOR)));
    out.u64(0);
    out.u32(MAGIC);
    out.u32((HEAD + changes.len()) as u32);
    out.bytes(store);
    out.u64(epoch);
    out.u64(before);
    out.u64(after);
    out.bytes(changes);
    let room = out.0.len().next_multiple_of(SECTOR);
    out.0.resize(room, 0);
    let sum = checksum(&out.0[8..]);
    out.0[..8].copy_from_slice(&sum.to_le_bytes());
    out.0
}

/// The frame that begins with these bytes: its head and its changes. Nothing, if it is no whole frame of this store and epoch.
pub fn decode<'a>(bytes: &'a [u8], store: &[u8; 16], epoch: u64) -> Option<(Head, &'a [u8])> {
    let head = head(bytes, store, epoch)?;
    let copy = bytes.get(..head.room())?;
    let (sum, rest) = copy.split_first_chunk::<8>()?;
    (checksum(rest) == u64::from_le_bytes(*sum)).then(|| (head, &copy[HEAD..head.length]))
}

/// What these bytes say as the head of a frame, whether or not the rest is there.
pub fn head(bytes: &[u8], store: &[u8; 16], epoch: u64) -> Option<Head> {
    let mut from = Reader(bytes.get(8..HEAD)?);
    if from.u32().ok()? != MAGIC {
        return None;
    }
    let length = from.u32().ok()? as usize;
    let same = from.array::<16>().ok()? == *store && from.u64().ok()? == epoch;
    let head = Head { epoch, before: from.u64().ok()?, after: from.u64().ok()?, length };
    (same && length >= HEAD && head.after > head.before && head.after <= MAX_COUNT).then_some(head)
}

/// Adds a change to those of a frame.
pub fn push(op: &Op, out: &mut Writer) {
    out.u8(if op.value.is_some() { PUT } else { DELETE });
    out.u8(op.tree as u8);
    out.u16(op.key.len() as u16);
    out.bytes(&op.key);
    if let Some(value) = &op.value {
        let at = out.0.len();
        out.u32(0);
        value.encode(out);
        let length = (out.0.len() - at - 4) as u32;
        out.0[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// A change that a frame holds: which tree, which key, and its value or nothing.
pub type Logged = (Tree, Vec<u8>, Option<Value>);

/// The changes of a frame.
pub fn changes(bytes: &[u8]) -> Result<Vec<Logged>, Damage> {
    let mut from = Reader(bytes);
    let mut changes = Vec::new();
    while !from.is_empty() {
        let kind = from.u8()?;
        let tree = Tree::from_number(from.u8()?).ok_or(Damage::Content)?;
        let length = usize::from(from.u16()?);
        if length == 0 || length > MAX_KEY {
            return Err(Damage::Content);
        }
        let key = from.bytes(length)?.to_vec();
        let value = match kind {
            PUT => {
                let length = from.u32()? as usize;
                Some(Value::decode(from.bytes(length)?)?)
            }
            DELETE => None,
            _ => return Err(Damage::Content),
        };
        changes.push((tree, key, value));
    }
    Ok(changes)
}
