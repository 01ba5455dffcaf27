//! A value as the engine has it: who is charged for it and which version it is, then its bytes, or for a sealed one its nonce and
//! what its bytes were closed to.

use alloc::vec::Vec;

use super::Error;
use super::cipher::{NONCE, SEALED_EXTRA};
use crate::engine::{Medium, Store, Value};

/// Bytes before those of the value: kind, owner, version.
pub const HEAD: usize = 13;

const PLAIN: u8 = 0;
const SEALED: u8 = 1;

/// What is before the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub sealed: bool,
    pub owner: u32,
    pub version: u64,
}

impl Head {
    pub fn encode(self) -> [u8; HEAD] {
        let mut out = [if self.sealed { SEALED } else { PLAIN }; HEAD];
        out[1..5].copy_from_slice(&self.owner.to_le_bytes());
        out[5..].copy_from_slice(&self.version.to_le_bytes());
        out
    }
}

/// What names a sealed value among all that ever were: the set of its prefix is made of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub nonce: [u8; NONCE],
    pub head: [u8; HEAD],
}

/// A row that was found.
#[derive(Clone, Debug)]
pub struct Row {
    pub head: Head,
    /// Of a sealed value.
    pub mark: Option<Mark>,
    pub value: Value,
}

impl Row {
    /// A value that is not sealed.
    pub fn plain(owner: u32, version: u64, bytes: &[u8]) -> Row {
        let head = Head { sealed: false, owner, version };
        Row { head, mark: None, value: Value::Inline([&head.encode()[..], bytes].concat()) }
    }

    pub fn read<M: Medium>(store: &mut Store<M>, value: Value) -> Result<Row, Error> {
        let start = store.read(&value, 0, HEAD + NONCE)?;
        let (bytes, nonce) = start.split_first_chunk::<HEAD>().ok_or(Error::Integrity)?;
        let [kind, a, b, c, d, version @ ..] = *bytes;
        let mark = match kind {
            PLAIN => None,
            SEALED if value.len() >= HEAD + SEALED_EXTRA => {
                let nonce = nonce.try_into().map_err(|_| Error::Integrity)?;
                Some(Mark { nonce, head: *bytes })
            }
            _ => return Err(Error::Integrity),
        };
        let (owner, version) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(version));
        Ok(Row { head: Head { sealed: mark.is_some(), owner, version }, mark, value })
    }

    /// Bytes of the value itself.
    pub fn len(&self) -> usize {
        self.value.len() - HEAD - if self.head.sealed { SEALED_EXTRA } else { 0 }
    }

    /// The bytes of a sealed value as they are stored.
    pub fn closed<M: Medium>(&self, store: &mut Store<M>) -> Result<Vec<u8>, Error> {
        Ok(store.read(&self.value, HEAD + NONCE, self.value.len())?)
    }
}

/// The version of a value that is put now: the commit that it can be part of at the earliest, and the number of its upload, if it is one.
pub fn version<M: Medium>(store: &Store<M>, upload: u8) -> u64 {
    ((store.generation() + 1) << 8) | u64::from(upload)
}
