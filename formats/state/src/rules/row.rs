//! A value as the engine has it: who is charged for it and which version it is, then its bytes.

use alloc::vec::Vec;

use super::Error;
use crate::engine::{Medium, Store, Value};

/// Bytes before those of the value: kind, owner, version.
pub const HEAD: usize = 13;

const PLAIN: u8 = 0;

/// What is before the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub owner: u32,
    pub version: u64,
}

impl Head {
    pub fn encode(self) -> Vec<u8> {
        let mut out = [PLAIN].to_vec();
        out.extend_from_slice(&self.owner.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out
    }
}

/// A row that was found.
#[derive(Clone, Debug)]
pub struct Row {
    pub head: Head,
    pub value: Value,
}

impl Row {
    pub fn read<M: Medium>(store: &mut Store<M>, value: Value) -> Result<Row, Error> {
        let bytes: [u8; HEAD] = store.read(&value, 0, HEAD)?.try_into().map_err(|_| Error::Integrity)?;
        let [kind, a, b, c, d, version @ ..] = bytes;
        if kind != PLAIN {
            return Err(Error::Integrity);
        }
        let head = Head { owner: u32::from_le_bytes([a, b, c, d]), version: u64::from_le_bytes(version) };
        Ok(Row { head, value })
    }

    /// Bytes of the value itself.
    pub fn len(&self) -> usize {
        self.value.len() - HEAD
    }
}

/// The version of a value that is put now: the commit that it can be part of at the earliest, and the number of its upload, if it is one.
pub fn version<M: Medium>(store: &Store<M>, upload: u8) -> u64 {
    ((store.generation() + 1) << 8) | u64::from(upload)
}
