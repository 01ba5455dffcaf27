//! What is made of secrets: the keys of prefixes out of the root secret, and what the device's key does. None of it leaves as it is.

use alloc::vec::Vec;

use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a secret, and of what is made of one.
pub const SECRET: usize = 32;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// What secrets are made for. Each begins what is hashed, and ends with a zero, so that none goes on in another.
const PREFIX: &[u8] = b"nexus prefix of state\0";
const DERIVE: &[u8] = b"nexus key for a service\0";
const SIGN: &[u8] = b"nexus signature of a device\0";

type Secret = Zeroizing<[u8; SECRET]>;

fn hash(key: &[u8; SECRET], parts: &[&[u8]]) -> Secret {
    // A key that is shorter than a block of the hash is filled up with zeros (RFC 2104).
    let mut block = Zeroizing::new([0; 64]);
    block[..SECRET].copy_from_slice(key);
    let mac = parts.iter().fold(Hmac::<Sha256>::new((&*block).into()), |mac, part| mac.chain_update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The key of a sealed prefix.
pub fn of_prefix(root: &[u8; SECRET], prefix: &str) -> Secret {
    hash(root, &[PREFIX, prefix.as_bytes()])
}

/// The key of this device.
pub struct Device {
    key: SigningKey,
    seed: Secret,
}

impl Device {
    /// Made of 32 random bytes.
    pub fn new(seed: Secret) -> Device {
        Device { key: SigningKey::from_bytes(&seed), seed }
    }

    /// What anybody may know of it: an Ed25519 key (RFC 8032).
    pub fn identity(&self) -> [u8; SECRET] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs a message for a service, under a label. See [`signed`].
    pub fn sign(&self, service: u32, label: &str, message: &[u8]) -> [u8; SIGNATURE] {
        self.key.sign(&signed(service, label, message)).to_bytes()
    }

    /// A key for a service, under a label: always the same, and no other service can have it.
    pub fn derive(&self, service: u32, label: &str) -> Secret {
        hash(&self.seed, &[DERIVE, &service.to_le_bytes(), label.as_bytes()])
    }
}

/// What is signed: nobody can have something signed in the name of another service, or under another label.
pub fn signed(service: u32, label: &str, message: &[u8]) -> Vec<u8> {
    let length = (label.len() as u32).to_le_bytes();
    [SIGN, &service.to_le_bytes(), &length, label.as_bytes(), message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};

    fn device(seed: u8) -> Device {
        Device::new([seed; SECRET].into())
    }

    #[test]
    fn a_signature_is_of_one_service_label_and_message() {
        let device = device(1);
        let key = VerifyingKey::from_bytes(&device.identity()).unwrap();
        let signature = Signature::from_bytes(&device.sign(7, "ab", b"c"));
        let good =
            |service, label, message: &[u8]| key.verify(&signed(service, label, message), &signature).is_ok();
        assert!(good(7, "ab", b"c"));
        assert!(!good(8, "ab", b"c") && !good(7, "a", b"bc") && !good(7, "abc", b"") && !good(7, "ab", b"d"));
        let other = VerifyingKey::from_bytes(&super::tests::device(2).identity()).unwrap();
        assert!(other.verify(&signed(7, "ab", b"c"), &signature).is_err());
    }

    #[test]
    fn every_key_is_another() {
        let (root, device) = ([3; SECRET], device(3));
        let keys = [
            *of_prefix(&root, "keystore"),
            *of_prefix(&root, "trust"),
            *of_prefix(&[4; SECRET], "trust"),
            *device.derive(7, "a"),
            *device.derive(8, "a"),
            *device.derive(7, "b"),
            *device.derive(7, ""),
            root,
            device.identity(),
        ];
        for (n, key) in keys.iter().enumerate() {
            assert!(!keys[..n].contains(key), "{n}");
        }
        assert_eq!(*device.derive(7, "a"), *super::tests::device(3).derive(7, "a"));
    }
}
