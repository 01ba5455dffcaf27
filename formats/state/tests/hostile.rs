//! Media that somebody made up, with right checksums: whatever they say, nothing panics, nothing hangs, and nothing is written over.

use nexus_state::engine::{Op, PAGE, SECTOR, Stage, Store, Tree};
use powercut::{CACHE, Disk, Random, fresh};
use xxhash_rust::xxh3::xxh3_64;

/// Where things are in a superblock: the first root's page number and checksum.
const ROOT: usize = 61;

/// Where the log begins, with 60 pages and 2 a half.
const LOG: usize = 6 * PAGE;

fn put(bytes: &mut [u8], at: usize, value: u64, width: usize) {
    bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}

/// The newest pair of superblocks, signed again.
fn sign(image: &mut [u8], pair: usize) {
    for copy in 0..2 {
        let page = &mut image[(pair * 2 + copy) * PAGE..][..PAGE];
        let sum = xxh3_64(&page[..PAGE - 8]);
        put(page, PAGE - 8, sum, 8);
    }
}

/// A number that is likely to hurt.
fn number(random: &mut Random) -> u64 {
    let near = [0, 1, 4, 60, 255, 4095, 4096, u64::from(u16::MAX), 1 << 31, u64::from(u32::MAX), u64::MAX];
    near[random.below(near.len() as u64) as usize].wrapping_add(random.below(3)).wrapping_sub(1)
}

/// Uses whatever was mounted in every way.
fn use_it(image: Vec<u8>) -> bool {
    let Ok((mut store, _)) = Store::mount(Disk::of(image), CACHE) else { return false };
    let (mut from, mut seen) = (Vec::new(), 0);
    for tree in Tree::ALL {
        while let Ok(Some((key, value))) = store.next(tree, &from) {
            store.read(&value, 0, usize::MAX).ok();
            assert!(key >= from, "backwards");
            from = key;
            from.push(0);
            seen += 1;
            assert!(seen < 5000, "no end");
        }
    }
    store.check().ok();
    let mut stage = Stage::default();
    store.stage(&mut stage, &[1; 9000]).ok();
    store.give_up(stage);
    for number in 0..40u8 {
        store.commit(vec![Op::put(Tree::Main, &[b'k', number], vec![number; 200])], false).ok();
        store.sync().ok();
    }
    store.take_snapshot(b"s", 1).ok();
    store.restore_snapshot(b"s", vec![]).ok();
    store.commit(vec![Op::delete(Tree::Main, b"k")], true).ok();
    store.checkpoint().ok();
    true
}

#[test]
fn no_signed_nonsense_breaks_it() {
    let mut store = fresh(60, 2);
    for number in 0..8u8 {
        store
            .commit(vec![Op::put(Tree::Main, &[b'k', number], vec![number; 300])], false)
            .expect("committed");
    }
    store.commit(vec![Op::put(Tree::Main, b"long", vec![1; 9000])], false).expect("committed");
    store.checkpoint().expect("checkpoint");
    store.commit(vec![Op::put(Tree::Main, b"k", vec![2; 300])], false).expect("committed");
    store.sync().expect("safe");
    let whole = store.into_medium().bytes;
    let root = u32::from_le_bytes(whole[ROOT..ROOT + 4].try_into().expect("four bytes")) as usize * PAGE;
    assert_eq!(whole[root..root + PAGE].len(), PAGE);
    let log =
        (LOG..whole.len()).step_by(SECTOR).find(|at| whole[at + 8..at + 12] == 0x6672_786eu32.to_le_bytes());
    let log = log.expect("a frame");
    let (mut random, mut mounted) = (Random(3), 0);
    for round in 0..6000 {
        let mut image = whole.clone();
        for _ in 0..1 + random.below(2) {
            let (value, width) = (number(&mut random), [1, 2, 4, 8][random.below(4) as usize]);
            match round % 3 {
                0 => {
                    let at = 8 + random.below(120) as usize;
                    (0..2).for_each(|copy| put(&mut image, copy * PAGE + at, value, width));
                }
                1 => {
                    let at = if random.below(2) == 0 { random.below(64) } else { random.below(4080) };
                    put(&mut image, root + at as usize, value, width);
                }
                _ => {
                    let at = 12 + random.below(480) as usize;
                    (0..2).for_each(|copy| put(&mut image, log + copy * SECTOR + at, value, width));
                }
            }
        }
        let sum = xxh3_64(&image[root..root + PAGE]);
        for copy in 0..2 {
            put(&mut image, copy * PAGE + ROOT + 4, sum, 8);
            let frame = log + copy * SECTOR;
            let sum = xxh3_64(&image[frame + 8..frame + SECTOR]);
            put(&mut image, frame, sum, 8);
        }
        sign(&mut image, 0);
        mounted += usize::from(use_it(image));
    }
    assert!(mounted > 3000, "only {mounted} were mounted at all");
}
