//! Every single bit of a small image, wrong: the right value, `Integrity`, or a reported repair. Never a silent miss, a wrong or an
//! older value.
//!
//! `NEXUS_TEST_FULL=1` tries all bits instead of one of each seventh byte.

use std::collections::BTreeMap;

use nexus_state::engine::{Error, Op, Store, Tree};
use powercut::{CACHE, Disk, History, fresh, mount, work};

type Contents = BTreeMap<(Tree, Vec<u8>), Vec<u8>>;

fn contents(store: &mut Store<Disk>) -> Result<Contents, Error> {
    let mut all = BTreeMap::new();
    for tree in Tree::ALL {
        let mut from = Vec::new();
        while let Some((key, value)) = store.next(tree, &from)? {
            from.clone_from(&key);
            from.push(0);
            all.insert((tree, key), store.read(&value, 0, value.len())?);
        }
    }
    Ok(all)
}

/// How often it came to what.
#[derive(Default, Debug)]
struct Tally {
    right: usize,
    mended: usize,
    refused: usize,
    unreadable: usize,
}

/// Tries an image with each bit wrong.
fn flip(image: &[u8], bits: impl Fn(usize) -> std::ops::Range<usize>) -> Tally {
    let (mut store, mounted) = mount(image).expect("mounted");
    let notices = mounted.notices.len();
    let (truth, snapshots) = (contents(&mut store).expect("read"), store.snapshots().count());
    let generation = store.generation();
    let mut tally = Tally::default();
    let mut disk = Disk::of(image.to_vec());
    for bit in (0..image.len()).flat_map(|byte| bits(byte).map(move |bit| byte * 8 + bit)) {
        disk.bytes.copy_from_slice(image);
        disk.bytes[bit / 8] ^= 1 << (bit % 8);
        disk = match Store::mount(disk, CACHE) {
            Err((disk, Error::Integrity(_))) => {
                tally.refused += 1;
                disk
            }
            Err((_, error)) => panic!("bit {bit}: {error:?}"),
            Ok((mut store, mounted)) => {
                // Each key by itself, so that one that cannot be read does not hide another.
                let mut unreadable = false;
                for ((tree, key), value) in &truth {
                    match store.get(*tree, key) {
                        Ok(found) => assert_eq!(found.as_ref(), Some(value), "bit {bit}: {mounted:?}"),
                        Err(Error::Integrity(_)) => unreadable = true,
                        Err(error) => panic!("bit {bit}: {error:?}"),
                    }
                }
                match contents(&mut store) {
                    Ok(found) => assert!(found == truth, "bit {bit}"),
                    Err(error) => assert!(unreadable && matches!(error, Error::Integrity(_)), "bit {bit}"),
                }
                assert_eq!(
                    (store.generation(), store.snapshots().count()),
                    (generation, snapshots),
                    "bit {bit}"
                );
                tally.unreadable += usize::from(unreadable);
                tally.mended += usize::from(mounted.notices.len() > notices);
                tally.right += 1;
                store.into_medium()
            }
        };
    }
    tally
}

/// A store with both trees, a snapshot, long values, and something in its log.
fn store(seed: u64) -> Store<Disk> {
    let mut store = fresh(48, 2);
    work(&mut store, &mut History::default(), seed, 25);
    store.checkpoint().expect("checkpoint");
    for number in 0..6u8 {
        store.commit(vec![Op::put(Tree::Main, &[b'k', number], vec![number; 150])], true).expect("committed");
        store.sync().expect("safe");
    }
    store
}

#[test]
fn no_single_bit_makes_a_silent_difference() {
    let all = std::env::var_os("NEXUS_TEST_FULL").is_some();
    let bits = |byte: usize| match byte % 7 {
        _ if all => 0..8,
        0 => byte % 8..byte % 8 + 1,
        _ => 0..0,
    };
    // What a clean end leaves, right after a checkpoint and with commits in the log.
    let mut clean = store(1);
    let logged = clean.medium().bytes.clone();
    clean.checkpoint().expect("checkpoint");
    // What a cut leaves: a frame of which one copy is there, and a checkpoint whose superblock was not written.
    let mut crashed = store(2);
    let before = crashed.medium().bytes.clone();
    crashed.commit(vec![Op::put(Tree::Main, b"new", vec![1; 700])], true).expect("committed");
    crashed.sync().expect("safe");
    let mut torn = crashed.medium().bytes.clone();
    let changed: Vec<_> =
        (0..torn.len() / 512).filter(|s| torn[s * 512..][..512] != before[s * 512..][..512]).collect();
    let half = &changed[..changed.len() / 2];
    half.iter().for_each(|s| torn[s * 512..][..512].copy_from_slice(&before[s * 512..][..512]));
    let whole = crashed.medium().bytes.clone();
    crashed.checkpoint().expect("checkpoint");
    let mut unnamed = crashed.into_medium().bytes;
    unnamed[..4 * 4096].copy_from_slice(&whole[..4 * 4096]);
    for (name, image) in
        [("logged", logged), ("clean", clean.into_medium().bytes), ("torn", torn), ("unnamed", unnamed)]
    {
        let tally = flip(&image, bits);
        println!("{name}: {tally:?}");
        assert!(tally.unreadable > 1000, "pages of trees are checked");
        assert!(name == "clean" || tally.mended > 100 || name == "torn", "frames are mended");
    }
}
