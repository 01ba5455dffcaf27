//! Which images a power cut may leave.

use std::collections::BTreeSet;

use nexus_state::engine::SECTOR;
use xxhash_rust::xxh3::xxh3_64;

use super::{Event, Random};

/// How thoroughly.
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    /// Other subsets of the unflushed sectors, for each interval between two flushes.
    pub subsets: u64,
    /// For those.
    pub seed: u64,
    /// Of the images, each how many-th is taken.
    pub stride: usize,
}

/// Calls `judge` with every distinct image and how many events came before the cut; answers how many there were.
///
/// Every prefix of the log; for each interval between two flushes every single write dropped, every single one kept, and every
/// write torn behind each of its sectors; and other subsets of sectors from a seed.
pub fn images(before: &[u8], events: &[Event], cuts: Cuts, mut judge: impl FnMut(&[u8], usize)) -> usize {
    let mut random = Random(cuts.seed);
    let (mut seen, mut made) = (BTreeSet::new(), 0);
    let mut give = |image: &[u8], after: usize| {
        if seen.insert(xxh3_64(image)) {
            made += 1;
            if made % cuts.stride.max(1) == 0 {
                judge(image, after);
            }
        }
    };
    let mut safe = before.to_vec();
    let mut start = 0;
    give(&safe, 0);
    while start < events.len() {
        let length = events[start..].iter().position(|event| *event == Event::Flush);
        let end = length.map_or(events.len(), |length| start + length);
        let writes = &events[start..end];
        let mut prefix = safe.clone();
        for (index, event) in writes.iter().enumerate() {
            let Event::Write(at, data) = event else { continue };
            let at = *at as usize;
            for sector in (0..data.len()).step_by(SECTOR) {
                let part = sector..sector + SECTOR;
                prefix[at + sector..][..SECTOR].copy_from_slice(&data[part]);
                give(&prefix, start + index + 1);
            }
        }
        if writes.len() > 1 {
            for one in 0..writes.len() {
                give(&with(&safe, writes, |index, _| index != one), end);
                give(&with(&safe, writes, |index, _| index == one), end);
            }
        }
        for _ in 0..cuts.subsets {
            let (salt, share) = (random.number(), 1 + random.below(7));
            let keep = |index: usize, sector: usize| {
                Random(salt ^ ((index as u64) << 32) ^ sector as u64).below(8) < share
            };
            give(&with(&safe, writes, keep), end);
        }
        safe = prefix;
        start = end + 1;
    }
    made
}

fn with(before: &[u8], writes: &[Event], keep: impl Fn(usize, usize) -> bool) -> Vec<u8> {
    let mut image = before.to_vec();
    for (index, event) in writes.iter().enumerate() {
        let Event::Write(at, data) = event else { continue };
        for (sector, bytes) in data.chunks(SECTOR).enumerate() {
            if keep(index, sector) {
                image[*at as usize + sector * SECTOR..][..bytes.len()].copy_from_slice(bytes);
            }
        }
    }
    image
}
