//! What the key of a sealed prefix does: it closes and opens values, and proves which ones there are.
//!
//! What must never happen: one nonce closes two values, or anything here says which part of what it refuses was wrong.

use alloc::vec::Vec;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of the key of a prefix.
pub const KEY: usize = 32;

/// Bytes that tell one run from every other: the first part of its nonces.
pub const SALT: usize = 16;

/// Bytes of a nonce: the salt of the run, and a number that only rises in it.
pub const NONCE: usize = SALT + 8;

/// Bytes that a closed value has more than the value: its nonce, and behind it the tag.
pub const SEALED_EXTRA: usize = NONCE + 16;

/// Bytes of a proof.
pub const PROOF: usize = 32;

/// What the two keys that are made of the prefix's are for.
const VALUES: &[u8] = b"nexus state sealed values";
const SET: &[u8] = b"nexus state sealed set";

/// What a proof is of.
const ELEMENT: u8 = 1;
const SET_OF: u8 = 2;
const HEADER: u8 = 3;

type Bytes = [u8; PROOF];

/// The two keys of a prefix in one store.
pub struct Cipher {
    values: XChaCha20Poly1305,
    set: Zeroizing<Bytes>,
    store: [u8; 16],
}

/// What the header of a set proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Set {
    /// The newest change.
    pub sequence: u64,
    /// How many values there are.
    pub count: u32,
    /// The elements of all of them, combined. It never leaves memory: with it on the medium, enough replacements of it could be
    /// combined into one that changes nothing.
    pub sum: Bytes,
}

impl Set {
    /// An element comes, or goes: it is the same.
    pub fn turn(&mut self, element: &Bytes) {
        self.sum.iter_mut().zip(element).for_each(|(sum, byte)| *sum ^= byte);
    }
}

fn keyed(key: &Bytes) -> Hmac<Sha256> {
    // A key that is shorter than a block of the hash is filled up with zeros (RFC 2104).
    let mut block = Zeroizing::new([0; 64]);
    block[..PROOF].copy_from_slice(key);
    Hmac::new((&*block).into())
}

fn derived(key: &Bytes, label: &[u8]) -> Zeroizing<Bytes> {
    Zeroizing::new(keyed(key).chain_update(label).finalize().into_bytes().into())
}

impl Cipher {
    /// Of the prefix's key, for the store of this name.
    pub fn new(key: &[u8; KEY], store: [u8; 16]) -> Cipher {
        let values = XChaCha20Poly1305::new((&*derived(key, VALUES)).into());
        Cipher { values, set: derived(key, SET), store }
    }

    /// What a value is bound to besides its nonce: the store, what stands before it, and its key.
    fn bound(&self, head: &[u8], key: &[u8]) -> Vec<u8> {
        [&self.store[..], head, key].concat()
    }

    /// A value, closed.
    pub fn close(&self, nonce: &[u8; NONCE], head: &[u8], key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let aad = self.bound(head, key);
        self.values.encrypt(&XNonce::from(*nonce), Payload { msg: bytes, aad: &aad }).ok()
    }

    /// A value, opened; nothing unless it is what was closed under this nonce for this key.
    pub fn open(&self, nonce: &[u8; NONCE], head: &[u8], key: &[u8], closed: &[u8]) -> Option<Vec<u8>> {
        let aad = self.bound(head, key);
        self.values.decrypt(&XNonce::from(*nonce), Payload { msg: closed, aad: &aad }).ok()
    }

    /// What stands for one value in the set: nobody without the key can tell it from random.
    pub fn element(&self, nonce: &[u8; NONCE], head: &[u8], key: &[u8]) -> Bytes {
        let mac = keyed(&self.set).chain_update([ELEMENT]).chain_update(nonce).chain_update(head);
        mac.chain_update(key).finalize().into_bytes().into()
    }

    fn of(&self, what: u8, prefix: &[u8]) -> Hmac<Sha256> {
        // The prefix has a length of its own, so that it cannot go on in what follows.
        let mac = keyed(&self.set).chain_update([what]).chain_update(self.store);
        mac.chain_update((prefix.len() as u32).to_le_bytes()).chain_update(prefix)
    }

    fn of_set(&self, prefix: &[u8], set: &Set) -> Hmac<Sha256> {
        let numbers = [&set.sequence.to_le_bytes()[..], &set.count.to_le_bytes()].concat();
        self.of(SET_OF, prefix).chain_update(numbers).chain_update(set.sum)
    }

    /// Proves that this set was there.
    pub fn prove(&self, prefix: &[u8], set: &Set) -> Bytes {
        self.of_set(prefix, set).finalize().into_bytes().into()
    }

    /// Whether that was proven.
    pub fn proves(&self, prefix: &[u8], set: &Set, proof: &Bytes) -> bool {
        self.of_set(prefix, set).verify(proof.into()).is_ok()
    }

    /// Vouches for what a header says.
    pub fn seal(&self, prefix: &[u8], said: &[u8]) -> Bytes {
        self.of(HEADER, prefix).chain_update(said).finalize().into_bytes().into()
    }

    /// Whether a header said that.
    pub fn vouches(&self, prefix: &[u8], said: &[u8], seal: &[u8]) -> bool {
        self.of(HEADER, prefix).chain_update(said).verify_slice(seal).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_where_it_was_closed() {
        let cipher = Cipher::new(&[1; KEY], [2; 16]);
        let nonce = [3; NONCE];
        let closed = cipher.close(&nonce, b"head", b"key", b"value").unwrap();
        assert_eq!(closed.len() + NONCE, 5 + SEALED_EXTRA);
        assert_eq!(cipher.open(&nonce, b"head", b"key", &closed).as_deref(), Some(&b"value"[..]));
        for bit in 0..closed.len() * 8 {
            let mut other = closed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.open(&nonce, b"head", b"key", &other), None, "bit {bit}");
        }
        for length in 0..closed.len() {
            assert_eq!(cipher.open(&nonce, b"head", b"key", &closed[..length]), None, "{length} bytes");
        }
        assert_eq!(cipher.open(&[4; NONCE], b"head", b"key", &closed), None);
        assert_eq!(cipher.open(&nonce, b"hea!", b"key", &closed), None);
        assert_eq!(cipher.open(&nonce, b"head", b"kez", &closed), None);
        assert_eq!(Cipher::new(&[1; KEY], [5; 16]).open(&nonce, b"head", b"key", &closed), None);
        assert_eq!(Cipher::new(&[9; KEY], [2; 16]).open(&nonce, b"head", b"key", &closed), None);
    }

    #[test]
    fn a_proof_is_of_one_set_and_no_other() {
        let cipher = Cipher::new(&[1; KEY], [2; 16]);
        let set = Set { sequence: 7, count: 2, sum: [8; PROOF] };
        let proof = cipher.prove(b"keys", &set);
        assert!(cipher.proves(b"keys", &set, &proof));
        let mut other = proof;
        other[31] ^= 1;
        assert!(!cipher.proves(b"keys", &set, &other));
        assert!(!cipher.proves(b"keyz", &set, &proof));
        assert!(!cipher.proves(b"keys", &Set { sequence: 8, ..set }, &proof));
        assert!(!cipher.proves(b"keys", &Set { count: 1, ..set }, &proof));
        assert!(!cipher.proves(b"keys", &Set { sum: [9; PROOF], ..set }, &proof));
        assert!(!Cipher::new(&[1; KEY], [3; 16]).proves(b"keys", &set, &proof));
        assert!(!Cipher::new(&[2; KEY], [2; 16]).proves(b"keys", &set, &proof));
        let seal = cipher.seal(b"keys", b"said");
        assert!(cipher.vouches(b"keys", b"said", &seal) && !cipher.vouches(b"keys", b"sad", &seal));
        assert!(!cipher.vouches(b"key", b"ssaid", &seal) && !cipher.vouches(b"keys", b"said", &seal[..31]));
        assert_ne!(cipher.element(&[1; NONCE], b"", b"a"), cipher.element(&[1; NONCE], b"", b"b"));
        assert_ne!(cipher.element(&[1; NONCE], b"", b"a"), cipher.element(&[2; NONCE], b"", b"a"));
    }
}
