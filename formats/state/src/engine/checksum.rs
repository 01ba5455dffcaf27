//! The checksum of pages, frames, maps and superblocks: XXH3, 64 bits.
//!
//! The crate reads words wherever they lie. A processor that may not read them at odd addresses puts each together from
//! bytes, five times the work, and looking at pages is most of what the store does. Everything that it has a checksum of is whole
//! words at even addresses, so there the long form of the hash is done here, over words. What must never happen: it differs from XXH3.

use zerocopy::FromBytes;

/// Words of a stripe, and stripes until the sums are scrambled.
const LANES: usize = 8;
const STRIPES: usize = 16;

/// Bytes up to which the hash has other, short forms.
const SHORT: usize = 240;

/// The hash's constants (xxHash specification, XXH3).
const PRIME32: [u64; 3] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d];
const PRIME64: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];
const LAST_PRIME: u64 = 0x1656_6791_9e37_79f9;

/// The hash's secret.
const SECRET: [u8; 192] = [
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde,
    0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79,
    0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08, 0x46,
    0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb,
    0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2,
    0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c,
    0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59,
    0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3,
    0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3,
    0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
    0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb,
    0xca, 0xbb, 0x4b, 0x40, 0x7e,
];

/// The words of the secret from each even place on, those of the last stripe, and those that the sums are merged with.
const WORDS: [u64; 24] = words(0);
const LAST: [u64; LANES] = words(121);
const MERGE: [u64; LANES] = words(11);

const fn words<const N: usize>(from: usize) -> [u64; N] {
    let mut all = [0; N];
    let mut index = 0;
    while index < 8 * N {
        all[index / 8] |= (SECRET[from + index] as u64) << (8 * (index % 8));
        index += 1;
    }
    all
}

/// The checksum of bytes, wherever one is kept.
pub fn checksum(bytes: &[u8]) -> u64 {
    if cfg!(target_arch = "riscv64")
        && let Some(sum) = long(bytes)
    {
        return sum;
    }
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The same over words; nothing, if the bytes are none, or so few that the hash has another form for them.
fn long(bytes: &[u8]) -> Option<u64> {
    let words = <[u64]>::ref_from_bytes(bytes).ok().filter(|_| bytes.len() > SHORT)?;
    let mut sums =
        [PRIME32[2], PRIME64[0], PRIME64[1], PRIME64[2], PRIME64[3], PRIME32[1], PRIME64[4], PRIME32[0]];
    // The last stripe is one of its own, and may overlap the one before.
    let before = &words[..(words.len() - 1) / LANES * LANES];
    for block in before.chunks(LANES * STRIPES) {
        for (stripe, secret) in block.as_chunks::<LANES>().0.iter().zip(WORDS.windows(LANES)) {
            add(&mut sums, stripe, secret);
        }
        if block.len() == LANES * STRIPES {
            for (sum, secret) in sums.iter_mut().zip(&WORDS[STRIPES..]) {
                *sum = (*sum ^ (*sum >> 47) ^ secret).wrapping_mul(PRIME32[0]);
            }
        }
    }
    add(&mut sums, words.last_chunk::<LANES>()?, &LAST);
    let mut all = (bytes.len() as u64).wrapping_mul(PRIME64[0]);
    for (pair, secret) in sums.as_chunks::<2>().0.iter().zip(MERGE.as_chunks::<2>().0) {
        let product = u128::from(pair[0] ^ secret[0]) * u128::from(pair[1] ^ secret[1]);
        all = all.wrapping_add(product as u64 ^ (product >> 64) as u64);
    }
    all = (all ^ (all >> 37)).wrapping_mul(LAST_PRIME);
    Some(all ^ (all >> 32))
}

#[inline]
fn add(sums: &mut [u64; LANES], stripe: &[u64; LANES], secret: &[u64]) {
    for (lane, (word, secret)) in stripe.iter().zip(secret).enumerate() {
        let word = u64::from_le(*word);
        let key = word ^ secret;
        sums[lane ^ 1] = sums[lane ^ 1].wrapping_add(word);
        sums[lane] = sums[lane].wrapping_add((key & 0xffff_ffff).wrapping_mul(key >> 32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_words_it_is_xxh3() {
        let words: Vec<u64> =
            (0..3000u64).map(|n| n.wrapping_mul(PRIME64[3]).rotate_left(n as u32)).collect();
        let bytes = zerocopy::IntoBytes::as_bytes(words.as_slice());
        for length in (0..bytes.len()).step_by(8) {
            for from in [0, 8, 1000].into_iter().filter(|from| from + length <= bytes.len()) {
                let part = &bytes[from..from + length];
                let known = (length > SHORT).then(|| xxhash_rust::xxh3::xxh3_64(part));
                assert_eq!(long(part), known, "{length} bytes from {from}");
            }
        }
        assert_eq!((long(&bytes[1..4097]), long(&bytes[..4095])), (None, None), "no whole words");
    }
}
