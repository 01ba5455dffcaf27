//! A fast-key-erasure random-number generator (D. J. Bernstein, "Fast-key-erasure random-number generators", 2017).
//!
//! One block of ChaCha20 output replaces the key and is handed out from there; what was handed out is erased. A seed replaces the key
//! alone, and the next block is made when it is asked for. So whoever
//! reads this process's memory later learns nothing of what was given before. What must never happen: output before the first seed,
//! or the same output twice.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroize;

/// Bytes of the key, and of what one seed adds at least.
pub const KEY: usize = 32;

/// Bytes that one run of the cipher makes: the next key and what is handed out.
pub const BLOCK: usize = 768;

/// Output after which more entropy is wanted, in bytes. The generator needs none to stay safe; this bounds how much an
/// attacker who once saw the key can foretell.
pub const RESEED_AFTER: u64 = 64 << 10;

/// The generator.
pub struct Generator {
    /// The next key, then what has not been handed out yet. What was is 0.
    block: [u8; BLOCK],
    /// How much of the block was handed out, the key included.
    used: usize,
    seeded: bool,
    since_seed: u64,
}

impl Default for Generator {
    fn default() -> Generator {
        Generator { block: [0; BLOCK], used: BLOCK, seeded: false, since_seed: 0 }
    }
}

impl Generator {
    /// Mixes entropy in. What was secret stays secret, whatever is mixed in; once `KEY` bytes of true entropy were, it is.
    /// Fewer than [`KEY`] bytes count for nothing towards being seeded: they are refused.
    #[must_use = "too little entropy is refused"]
    pub fn seed(&mut self, entropy: &[u8]) -> bool {
        if entropy.len() < KEY {
            return false;
        }
        for piece in entropy.chunks(KEY) {
            for (key, byte) in self.block.iter_mut().zip(piece) {
                *key ^= byte;
            }
            self.run(KEY);
        }
        self.seeded = true;
        self.since_seed = 0;
        true
    }

    /// The key makes the beginning of the next block, as far as that: the next key, and what can be handed out, which is nothing unless
    /// it is the whole block.
    fn run(&mut self, bytes: usize) {
        let mut key = [0; KEY];
        let (current, rest) = self.block.split_at_mut(KEY);
        key.copy_from_slice(current);
        current.fill(0);
        rest.fill(0);
        // Each key is used once, so the nonce may be fixed.
        ChaCha20::new(&key.into(), &[0; 12].into()).apply_keystream(&mut self.block[..bytes]);
        key.zeroize();
        self.used = if bytes == BLOCK { KEY } else { BLOCK };
    }

    /// Fills `out`. `false`, and nothing is written, before the first seed.
    #[must_use = "before the first seed there is no output"]
    pub fn fill(&mut self, out: &mut [u8]) -> bool {
        if !self.seeded {
            return false;
        }
        let mut out = &mut *out;
        while !out.is_empty() {
            if self.used == BLOCK {
                self.run(BLOCK);
            }
            let ready = &mut self.block[self.used..];
            let count = ready.len().min(out.len());
            let (now, later) = out.split_at_mut(count);
            now.copy_from_slice(&ready[..count]);
            ready[..count].zeroize();
            self.used += count;
            self.since_seed = self.since_seed.saturating_add(count as u64);
            out = later;
        }
        true
    }

    /// Whether it can give output.
    pub fn is_seeded(&self) -> bool {
        self.seeded
    }

    /// Whether more entropy is wanted.
    pub fn wants_seed(&self) -> bool {
        !self.seeded || self.since_seed >= RESEED_AFTER
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeded(byte: u8) -> Generator {
        let mut generator = Generator::default();
        assert!(generator.seed(&[byte; KEY]));
        generator
    }

    /// ChaCha20 (RFC 8439) under this key, nonce 0, from block 0: computed here by the cipher alone.
    fn stream<const N: usize>(key: [u8; KEY]) -> [u8; N] {
        let mut stream = [0; N];
        ChaCha20::new(&key.into(), &[0; 12].into()).apply_keystream(&mut stream);
        stream
    }

    #[test]
    fn nothing_comes_before_the_first_seed() {
        let mut generator = Generator::default();
        let mut out = [7; 8];
        assert!(!generator.fill(&mut out));
        assert!(!generator.seed(&[1; KEY - 1]));
        assert!(!generator.fill(&mut out) && generator.wants_seed());
        assert_eq!(out, [7; 8]);
        assert!(generator.seed(&[1; KEY]) && generator.fill(&mut out));
    }

    #[test]
    fn output_is_the_stream_without_the_key_and_then_that_of_the_next_key() {
        let first: [u8; BLOCK] = stream(stream([9; KEY]));
        let second: [u8; BLOCK] = stream(first[..KEY].try_into().unwrap());
        let mut generator = seeded(9);
        let mut out = [0; 2 * (BLOCK - KEY)];
        let (a, b) = out.split_at_mut(100);
        assert!(generator.fill(a) && generator.fill(b));
        assert_eq!(out[..BLOCK - KEY], first[KEY..]);
        assert_eq!(out[BLOCK - KEY..], second[KEY..]);
    }

    #[test]
    fn what_was_given_is_erased() {
        let mut generator = seeded(3);
        let mut out = [0; 200];
        assert!(generator.fill(&mut out));
        assert!(generator.block[KEY..KEY + 200].iter().all(|byte| *byte == 0));
        assert!(!generator.block[..].windows(32).any(|bytes| bytes == &out[..32]));
    }

    #[test]
    fn more_entropy_changes_everything_after_it_and_none_is_lost() {
        let mut out = [[0; 64]; 4];
        for (index, extra) in [[0u8; KEY], [1; KEY], [2; KEY]].iter().enumerate() {
            let mut generator = seeded(5);
            assert!(generator.seed(extra) && generator.fill(&mut out[index]));
        }
        // A longer seed is not that of its first part.
        assert!(seeded(5).fill(&mut out[3]));
        for a in 0..4 {
            for b in 0..a {
                assert_ne!(out[a], out[b]);
            }
        }
    }

    #[test]
    fn a_seed_is_wanted_at_the_bound_and_not_before() {
        let mut generator = seeded(1);
        let mut out = [0; 1024];
        for _ in 0..RESEED_AFTER / 1024 - 1 {
            assert!(generator.fill(&mut out));
        }
        assert!(generator.fill(&mut out[..1023]) && !generator.wants_seed());
        assert!(generator.fill(&mut out[..1]) && generator.wants_seed());
        assert!(generator.fill(&mut out) && generator.seed(&[0; KEY]) && !generator.wants_seed());
    }
}
