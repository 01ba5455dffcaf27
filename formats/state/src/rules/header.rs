//! The header of a sealed prefix, as it is stored beside its values: what the newest change was, how many values there are, and two proofs,
//! of which set it is and that the header says so.

use alloc::vec::Vec;

use super::cipher::{Cipher, PROOF, Set};
use super::path::VALUES;
use super::{Error, Path};

/// What the keys of headers begin with.
const HEADERS: u8 = b'h';

/// Version of a header.
const VERSION: u8 = 1;

/// Bytes of one.
const LENGTH: usize = 1 + 8 + 4 + 2 * PROOF;

/// A header that the key of the prefix vouches for.
pub struct Header {
    pub sequence: u64,
    count: u32,
    set: [u8; PROOF],
}

/// The engine's key of the header of a prefix, which is given as the engine's key of its path.
pub fn key(prefix: &[u8]) -> Vec<u8> {
    core::iter::once(HEADERS).chain(prefix.iter().skip(1).copied()).collect()
}

/// The prefix that this is the key of the header of, if it is one's.
pub fn prefix(key: &[u8]) -> Option<Result<Path, Error>> {
    let rest = key.strip_prefix(&[HEADERS])?;
    Some(Path::from_key(&[&[VALUES][..], rest].concat()))
}

/// The first key that a header can have.
pub fn first() -> Vec<u8> {
    [HEADERS].to_vec()
}

fn body(sequence: u64, count: u32, set: &[u8; PROOF]) -> Vec<u8> {
    [&[VERSION][..], &sequence.to_le_bytes(), &count.to_le_bytes(), set].concat()
}

pub fn encode(cipher: &Cipher, prefix: &[u8], set: &Set) -> Vec<u8> {
    let mut out = body(set.sequence, set.count, &cipher.prove(prefix, set));
    let seal = cipher.seal(prefix, &out);
    out.extend_from_slice(&seal);
    out
}

impl Header {
    /// Reads one; nothing that its key does not vouch for is a header.
    pub fn read(cipher: &Cipher, prefix: &[u8], bytes: &[u8]) -> Result<Header, Error> {
        let bytes: &[u8; LENGTH] = bytes.try_into().map_err(|_| Error::Integrity)?;
        let (said, seal) = bytes.split_at(LENGTH - PROOF);
        let [version, rest @ ..] = said else { return Err(Error::Integrity) };
        let (sequence, rest) = rest.split_first_chunk().ok_or(Error::Integrity)?;
        let (count, set) = rest.split_first_chunk().ok_or(Error::Integrity)?;
        if *version != VERSION || !cipher.vouches(prefix, said, seal) {
            return Err(Error::Integrity);
        }
        let set = set.try_into().map_err(|_| Error::Integrity)?;
        Ok(Header { sequence: u64::from_le_bytes(*sequence), count: u32::from_le_bytes(*count), set })
    }

    /// Whether it is of this set.
    pub fn is_of(&self, cipher: &Cipher, prefix: &[u8], set: &Set) -> bool {
        self.sequence == set.sequence && self.count == set.count && cipher.proves(prefix, set, &self.set)
    }
}
