//! Damaged stores that are put together again: everything that can be had is there, everything else is named, and a cut leaves what was there or the whole
//! repair.

use std::collections::BTreeMap;

use nexus_state::engine::{
    Damage, Error as EngineError, Op, PAGE, Repair, Repaired, Stage, Store, Tree, Whose,
};
use nexus_state::rules::{
    Access, Change, EXTRA, Error, KEY, MAX_LIST, Path, REPAIR_PAGES, SALT, Salvaged, State, Unlock, repair,
    salvage, told,
};
use powercut::{CACHE, Cuts, Disk, Random, fresh, images, mount};

type Contents = BTreeMap<(Tree, Vec<u8>), Vec<u8>>;

/// Two trees of some levels, long values, a snapshot with values that are not in the tree any more, and a log with values on pages of their own.
fn store() -> Store<Disk> {
    let mut store = fresh(400, 6);
    let mut random = Random(5);
    let put = |store: &mut Store<Disk>, tree, key: String, bytes: Vec<u8>| {
        store.commit(vec![Op::put(tree, key.as_bytes(), bytes)], false).expect("committed");
    };
    for number in 0..160 {
        let (tree, length) = (Tree::ALL[number % 2], 20 + number * 5);
        put(&mut store, tree, format!("key/{:03}/{}", number, "x".repeat(60)), random.bytes(length));
    }
    long(&mut store, b"long", 90_000);
    store.take_snapshot(b"point", 1).expect("a snapshot");
    for number in 0..40 {
        put(&mut store, Tree::Main, format!("key/{:03}/{}", number * 4, "x".repeat(60)), random.bytes(30));
    }
    store.checkpoint().expect("checkpoint");
    put(&mut store, Tree::Kept, "logged".into(), random.bytes(100));
    long(&mut store, b"staged", 20_000);
    store.sync().expect("safe");
    store
}

fn long(store: &mut Store<Disk>, key: &[u8], length: usize) {
    let mut stage = Stage::default();
    store.stage(&mut stage, &vec![key[0]; length]).expect("staged");
    let value = store.staged(stage).expect("a value");
    store.commit(vec![Op::staged(Tree::Main, key, value)], false).expect("committed");
}

/// Each key by itself, as far as it can be read.
fn contents(store: &mut Store<Disk>, keys: &Contents) -> Contents {
    let read = |((tree, key), _): (&(Tree, Vec<u8>), _)| match store.get(*tree, key) {
        Ok(found) => Some(((*tree, key.clone()), found.unwrap_or_else(|| panic!("{key:?} is not there")))),
        Err(EngineError::Integrity(_)) => None,
        Err(error) => panic!("{error:?}"),
    };
    keys.iter().filter_map(read).collect()
}

fn everything(store: &mut Store<Disk>) -> Contents {
    let mut all = Contents::new();
    for tree in Tree::ALL {
        let mut from = Vec::new();
        while let Some((key, value)) = store.next(tree, &from).expect("next") {
            from = [&key[..], &[0]].concat();
            all.insert((tree, key), store.read(&value, 0, value.len()).expect("read"));
        }
    }
    all
}

/// Without rows that say what was lost.
fn mended(bytes: Vec<u8>, most: usize, back: bool) -> (Disk, Result<Repaired, EngineError>) {
    match Repair::begin(Disk::of(bytes).recorded(), CACHE, most, back, |_, _, _| Ok(Vec::new())) {
        Ok(repair) if repair.repaired.is_nothing() => {
            (repair.into_store().into_medium().into_under(), Ok(Repaired::default()))
        }
        Ok(repair) => repair.finish(CACHE),
        Err((disk, error)) => (disk, Err(error)),
    }
}

fn is_named(repaired: &Repaired, tree: Tree, key: &[u8]) -> bool {
    repaired.lost.iter().any(|(whose, lost)| *whose == Whose::Tree(tree) && lost.covers(key))
}

/// Repairs an image of which these pages are damaged; what came of it.
fn judged(image: &[u8], truth: &Contents, pages: &[usize]) -> Repaired {
    let mut bytes = image.to_vec();
    pages.iter().for_each(|page| bytes[page * PAGE + page % PAGE] ^= 0x10);
    // What can be had of it before: each key that can be read by itself, if it can be mounted at all.
    let before = mount(&bytes).map(|(mut store, _)| contents(&mut store, truth));
    let (disk, repaired) = mended(bytes.clone(), usize::MAX, false);
    let repaired = repaired.unwrap_or_else(|error| panic!("{pages:?}: {error:?}"));
    let (mut store, mounted) = mount(&disk.bytes).expect("mounted");
    let whole = repaired.is_nothing() && disk.bytes == bytes;
    assert!(whole || mounted.notices.is_empty(), "{pages:?}: {mounted:?}");
    let checked = store.check().expect("checked");
    assert_eq!((checked.damage, checked.lost, checked.unmapped), (vec![], 0, 0), "{pages:?}: {repaired:?}");
    let after = everything(&mut store);
    for (key, value) in truth {
        match after.get(key) {
            Some(found) => assert_eq!(found, value, "{pages:?}"),
            None => assert!(is_named(&repaired, key.0, &key.1), "{pages:?}: {key:?} is gone without a word"),
        }
        let could_be_had = before.as_ref().is_ok_and(|before| before.contains_key(key));
        assert!(!could_be_had || after.contains_key(key), "{pages:?}: {key:?} could be had");
    }
    assert!(after.keys().all(|key| truth.contains_key(key)), "{pages:?}: something was invented");
    let gone = truth.len() - after.len();
    assert_eq!(gone as u64, repaired.keys, "{pages:?}");
    // It goes on, and the snapshot is one still.
    store.commit(vec![Op::put(Tree::Main, b"after", vec![1; 900])], false).expect("committed");
    store.checkpoint().expect("a checkpoint");
    store.restore_snapshot(b"point", vec![]).expect("taken back");
    everything(&mut store);
    repaired
}

#[test]
fn whatever_page_is_damaged_everything_else_is_there_and_what_is_gone_is_named() {
    let mut store = store();
    let image = store.medium().bytes.clone();
    let truth = everything(&mut store);
    let used = store.figures().pages - store.figures().free;
    let (mut some, mut snapshots) = (0, 0);
    // Behind superblocks, maps and the log.
    for page in 18..image.len() / PAGE {
        let repaired = judged(&image, &truth, &[page]);
        some += usize::from(!repaired.is_nothing());
        snapshots += usize::from(repaired.lost.iter().any(|(whose, _)| matches!(whose, Whose::Snapshot(_))));
    }
    assert!(some as u32 > used * 9 / 10, "{some} of {used}");
    assert!(snapshots > 10, "{snapshots}");
    // Several at a time, with and without the maps.
    let mut random = Random(3);
    for round in 0..150 {
        let mut pages: Vec<usize> = (0..2 + round % 6)
            .map(|_| 18 + random.below(image.len() as u64 / PAGE as u64 - 18) as usize)
            .collect();
        pages.extend((round % 3 == 0).then_some(4).into_iter().chain((round % 3 == 0).then_some(5)));
        judged(&image, &truth, &pages);
    }
}

#[test]
fn a_store_that_is_sound_is_left_as_it_is() {
    let image = store().into_medium().bytes;
    let (disk, repaired) = mended(image.clone(), usize::MAX, true);
    assert_eq!((repaired, disk.bytes == image), (Ok(Repaired::default()), true));
    assert_eq!(disk.events, Some(vec![]));
}

/// A page whose loss takes the most with it.
fn worst(image: &[u8]) -> (usize, Vec<u8>, Repaired) {
    let page = (18..image.len() / PAGE).max_by_key(|page| {
        let mut bytes = image.to_vec();
        bytes[page * PAGE] ^= 1;
        mended(bytes, usize::MAX, false)
            .1
            .map_or(0, |repaired| if repaired.keys < 60 { repaired.keys } else { 0 })
    });
    let page = page.expect("a page");
    let mut bytes = image.to_vec();
    bytes[page * PAGE] ^= 1;
    let repaired = mended(bytes.clone(), usize::MAX, false).1.expect("mended");
    (page, bytes, repaired)
}

#[test]
fn a_repair_that_is_cut_off_left_what_it_found_or_is_whole() {
    let image = store().into_medium().bytes;
    let (_, bytes, repaired) = worst(&image);
    assert!(repaired.keys > 1, "{repaired:?}");
    let (disk, _) = mended(bytes.clone(), usize::MAX, false);
    let whole = everything(&mut mount(&disk.bytes).expect("mounted").0);
    let events = disk.events.expect("written down");
    let (mut old, mut new) = (0, 0);
    let made = images(&bytes, &events, Cuts { subsets: 40, seed: 2, stride: 1 }, |cut, _| {
        let (again, outcome) = mended(cut.to_vec(), usize::MAX, false);
        let outcome = outcome.expect("mended after a cut");
        if outcome.lost.is_empty() {
            new += 1
        } else {
            old += 1
        }
        assert!(outcome.lost.is_empty() || (outcome.keys, &outcome.lost) == (repaired.keys, &repaired.lost));
        let (mut store, _) = mount(&again.bytes).expect("mounted");
        assert!(everything(&mut store) == whole);
    });
    assert!(made > 20 && old > 10 && new > 1, "{made}: {old} {new}");
}

#[test]
fn a_repair_that_has_no_room_or_whose_medium_fails_changes_nothing_that_counts() {
    let image = store().into_medium().bytes;
    let (_, bytes, repaired) = worst(&image);
    let mut needed = 0;
    while let (disk, Err(_)) = mended(bytes.clone(), needed, false) {
        assert!(disk.bytes == bytes, "with {needed} pages");
        needed += 1;
    }
    assert!((4..40).contains(&needed), "{needed} pages");
    for good in 0..needed {
        let disk = Disk { good: Some(good), ..Disk::of(bytes.clone()) };
        let begun = Repair::begin(disk, CACHE, usize::MAX, false, |_, _, _| Ok(Vec::new()));
        let (disk, outcome) = begun.unwrap_or_else(|(_, error)| panic!("{error:?}")).finish(CACHE);
        assert!(outcome.is_err());
        let (_, again) = mended(disk.bytes, usize::MAX, false);
        assert_eq!(again.expect("mended").keys, repaired.keys, "{good} writes");
    }
}

#[test]
fn it_falls_back_to_an_older_commit_only_when_it_is_let_and_says_from_where() {
    let mut store = fresh(120, 4);
    let put = |store: &mut Store<Disk>, number: u8| {
        store.commit(vec![Op::put(Tree::Main, &[number], vec![number; 40])], false).expect("committed");
        store.sync().expect("safe");
    };
    (1..4).for_each(|number| put(&mut store, number));
    store.checkpoint().expect("a checkpoint");
    (4..8).for_each(|number| put(&mut store, number));
    let image = store.into_medium().bytes;
    // The third of four frames, both copies; and both copies of the newest superblock.
    let log = (0..image.len() / 512).filter(|sector| {
        image[sector * 512 + 8..][..4] == 0x6672_786eu32.to_le_bytes() && image[sector * 512 + 32] == 2
    });
    let frames: Vec<usize> = log.collect();
    assert_eq!(frames.len(), 8);
    let mut hole = image.clone();
    frames[4..6].iter().for_each(|sector| hole[sector * 512 + 100] ^= 1);
    let mut headless = image.clone();
    [0, 1].iter().for_each(|page| headless[page * PAGE + 30] ^= 1);
    for (bytes, damage, there) in [
        (hole, Damage::Log { reached: 7, left: 5 }, 5),
        (headless, Damage::Superblock { reached: 7, left: 0 }, 3),
    ] {
        let (disk, refused) = mended(bytes.clone(), usize::MAX, false);
        let Err(EngineError::Integrity(found)) = refused else { panic!("{refused:?}") };
        assert!(disk.bytes == bytes);
        let (disk, repaired) = mended(bytes.clone(), usize::MAX, true);
        let repaired = repaired.expect("fell back");
        assert_eq!(repaired.back, Some(found));
        match (found, damage) {
            (Damage::Log { .. }, Damage::Log { .. }) => assert_eq!(found, damage),
            (Damage::Superblock { reached, .. }, Damage::Superblock { .. }) => assert_eq!(reached, 7),
            _ => panic!("{found:?}"),
        }
        let (mut store, mounted) = mount(&disk.bytes).expect("mounted");
        assert!(mounted.notices.is_empty() && mounted.generation > 7, "{mounted:?}");
        assert_eq!(everything(&mut store).len(), there, "{damage:?}");
        // What was logged for the store that is gone is never taken for what follows.
        (9..12).for_each(|number| put(&mut store, number));
        let (mut store, _) = mount(&store.into_medium().bytes).expect("mounted");
        assert_eq!(everything(&mut store).len(), there + 3);
    }
}

const RULES: &str = "1::rws ::m #900000/900000 2:app:rw #90000/90000 3:keystore:rw #90000/90000 =keystore";

fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

fn served(disk: Disk) -> State<Disk> {
    let (store, _) = Store::mount(disk, CACHE).map_err(|(_, error)| error).expect("mounted");
    State::new(store, Access::read(RULES).expect("rules"), 1).expect("served")
}

fn opener(least: u64) -> Unlock {
    Unlock { prefix: "keystore".into(), key: [7; KEY].into(), salt: [least as u8; SALT], least, used: 0 }
}

/// What each service is charged for, and what it should be.
fn charges(state: &mut State<Disk>) -> ([u64; 2], [u64; 2]) {
    let (mut sums, mut after) = ([0; 2], None);
    loop {
        let (entries, next) = state.list(1, "", after.as_ref(), MAX_LIST).expect("listed");
        for entry in entries.iter().filter(|entry| entry.stat.owner < 3) {
            let charge = (entry.path.as_str().len() + entry.stat.length) as u64 + EXTRA;
            sums[entry.stat.owner as usize - 1] += charge;
        }
        after = next;
        if after.is_none() {
            let held = state.store().snapshots().map(|snapshot| u64::from(snapshot.pages) * PAGE as u64);
            sums[0] += held.sum::<u64>();
            return ([state.used(1), state.used(2)], sums);
        }
    }
}

/// Values of two services, a snapshot of them, and a sealed prefix; and how far that has come.
fn served_image() -> (Vec<u8>, u64) {
    let mut state = served(fresh(400, 6).into_medium());
    state.unlock(3, &opener(0)).expect("open");
    for number in 0..120 {
        let service = 1 + number % 2;
        let text = format!("app/{number:03}/{}", "x".repeat(50));
        state.put(service, &path(&text), &vec![number as u8; 100 + number as usize * 7]).expect("put");
    }
    state.snapshot(1, "point").expect("kept");
    for number in 0..30 {
        state.put(3, &path(&format!("keystore/{number:02}")), &[number; 300]).expect("put");
        state.put(1, &path(&format!("boots/{number}")), &[number; 200]).expect("put");
    }
    let sequence = state.anchor(3, "keystore").expect("safe");
    let mut store = state.into_store();
    store.checkpoint().expect("a checkpoint");
    (store.into_medium().bytes, sequence)
}

#[test]
fn what_was_lost_is_never_answered_as_if_it_had_not_been_there() {
    let (image, sequence) = served_image();
    let names: Vec<Path> = {
        let mut state = served(Disk::of(image.clone()));
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (entries, next) = state.list(1, "", after.as_ref(), MAX_LIST).expect("listed");
            all.extend(entries.into_iter().map(|entry| entry.path));
            after = next;
            if after.is_none() {
                break all;
            }
        }
    };
    let (mut lost_some, mut sealed, mut charged) = (0, 0, 0);
    for page in 18..image.len() / PAGE {
        let mut bytes = image.clone();
        bytes[page * PAGE + 11] ^= 4;
        let (disk, repaired) = repair(Disk::of(bytes.clone()), CACHE, REPAIR_PAGES, false);
        let repaired = repaired.unwrap_or_else(|error| panic!("page {page}: {error:?}"));
        let mut state = served(disk);
        let gone: Vec<&Path> = names
            .iter()
            .filter(|path| match state.get(1, path, 0, usize::MAX) {
                Ok(_) => false,
                Err(Error::Integrity) => true,
                Err(error) => panic!("page {page}: {}: {error:?}", path.as_str()),
            })
            .collect();
        let (used, sums) = charges(&mut state);
        assert_eq!(used, sums, "page {page}: {:?}", told(&repaired));
        charged += usize::from(!gone.is_empty());
        // A sealed prefix is whole, or refused as a whole, and never taken for an empty one or one that was brought back.
        match state.unlock(3, &opener(sequence)) {
            Ok(_) => assert!(state.get(3, &path("keystore/07"), 0, 1).is_ok()),
            Err(Error::Integrity) => sealed += 1,
            Err(error) => panic!("page {page}: {error:?}"),
        }
        let (disk, _) = repair(Disk::of(bytes), CACHE, REPAIR_PAGES, false);
        let fresh_keeper = served(disk).unlock(3, &opener(0));
        assert!(fresh_keeper != Ok(0), "page {page}: a new set in place of one that is lost");
        let Some(first) = gone.first() else { continue };
        lost_some += 1;
        assert!(state.lost() > 0 && !told(&repaired).is_empty());
        assert_eq!(state.delete(1, first), Err(Error::Integrity));
        let other = path("boots/moved");
        assert_eq!(state.rename(1, first, &other), Err(Error::Integrity));
        // It can be put again, and the others stay told, also by the next server.
        state.put(1, first, b"again").expect("put again");
        state.sync(None).expect("safe");
        let mut state = served(state.into_store().into_medium());
        assert_eq!(state.get(1, first, 0, 9).map(|(bytes, _)| bytes).as_deref(), Ok(&b"again"[..]));
        for path in &gone[1..] {
            assert_eq!(state.get(1, path, 0, 1), Err(Error::Integrity), "{}", path.as_str());
        }
        // A batch that needs what is lost is refused as a whole.
        let batch = [Change::Put(path("boots/new"), vec![1]), Change::Delete(path("boots/none"))];
        assert!(state.batch(1, &batch).is_err() && state.get(1, &path("boots/new"), 0, 1).is_err());
        // Taken back to the snapshot, the charges are those of what it has.
        state.restore(1, "point").expect("taken back");
        let (used, sums) = charges(&mut state);
        assert_eq!(used, sums, "page {page}, the snapshot");
        // Until a person says that it is known.
        state.forget_lost().expect("forgotten");
        state.sync(None).expect("safe");
        assert_eq!(state.lost(), 0);
        let mut state = served(state.into_store().into_medium());
        assert_eq!((state.lost(), state.get(1, &path("boots/none"), 0, 1)), (0, Err(Error::NotFound)));
    }
    assert!(lost_some > 20 && sealed > 2 && charged > 20, "{lost_some} {sealed} {charged}");
}

#[test]
fn a_second_repair_knows_of_the_first() {
    let (image, _) = served_image();
    let mut bytes = image.clone();
    let mut random = Random(8);
    let mut unknown = 0;
    let names: Vec<Path> =
        (0..120).map(|number| path(&format!("app/{number:03}/{}", "x".repeat(50)))).collect();
    for _ in 0..40 {
        let page = 18 + random.below(bytes.len() as u64 / PAGE as u64 - 18) as usize;
        bytes[page * PAGE + 11] ^= 4;
        let (disk, repaired) = repair(Disk::of(bytes.clone()), CACHE, usize::MAX, false);
        repaired.unwrap_or_else(|error| panic!("page {page}: {error:?}"));
        bytes.clone_from(&disk.bytes);
        let mut state = served(disk);
        let (used, sums) = charges(&mut state);
        assert_eq!(used, sums);
        for name in &names {
            match state.get(1, name, 0, 1) {
                Ok(_) | Err(Error::Integrity) => {}
                Err(_) => unknown += 1,
            }
        }
    }
    assert_eq!(unknown, 0, "answered as if it had never been there");
}

#[test]
fn what_is_sound_can_be_taken_out_of_a_store_that_cannot_be_mounted() {
    let (image, _) = served_image();
    // Both copies of a frame in the middle of its log, and a page of its first tree.
    let mut state = served(Disk::of(image));
    for number in 0..4 {
        state.put(1, &path(&format!("boots/late{number}")), &[number; 50]).expect("put");
        state.sync(None).expect("safe");
    }
    let mut bytes = state.into_store().into_medium().bytes;
    let frames: Vec<usize> = (0..bytes.len() / 512)
        .filter(|sector| bytes[sector * 512 + 8..][..4] == 0x6672_786eu32.to_le_bytes())
        .collect();
    let newest = frames.iter().max_by_key(|sector| bytes[*sector * 512 + 48]).copied().expect("a frame");
    let last_but_one = *frames.iter().rfind(|sector| **sector < newest - 1).expect("a frame");
    [last_but_one, last_but_one - 1].iter().for_each(|sector| bytes[sector * 512 + 70] ^= 1);
    assert!(matches!(mount(&bytes), Err(EngineError::Integrity(Damage::Log { .. }))));
    let before = bytes.clone();
    let Salvaged { store, repaired } =
        salvage(Disk::of(bytes), CACHE, REPAIR_PAGES).map_err(|(_, error)| error).expect("had");
    assert!(matches!(repaired.back, Some(Damage::Log { .. })), "{repaired:?}");
    assert!(told(&repaired).iter().any(|line| line.starts_with("fell back from generation")), "{repaired:?}");
    let mut state = State::new(store, Access::read(RULES).expect("rules"), 1).expect("served");
    assert_eq!(state.get(1, &path("boots/late0"), 0, 99).map(|(bytes, _)| bytes), Ok(vec![0; 50]));
    assert_eq!(state.put(1, &path("boots/late0"), b"x").and_then(|_| state.sync(None)), Err(Error::ReadOnly));
    assert!(state.into_store().into_medium().into_under().bytes == before, "nothing is written");
}
