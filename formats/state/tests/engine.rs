//! The engine against a model, over random histories; its bounds; media that fail.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use nexus_state::engine::{
    Check, Damage, Error, Fault, MAX_KEY, MAX_LOGGED, MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, MAX_VALUE, Medium,
    Op, PAGE, Shape, Stage, Store, Tree,
};
use powercut::{Disk, Random};

const ID: [u8; 16] = [7; 16];

type Contents = [BTreeMap<Vec<u8>, Vec<u8>>; 2];

fn shape(pages: u32, log_pages: u32) -> Shape {
    Shape { pages, log_pages }
}

fn fresh(shape: Shape) -> Store<Disk> {
    Store::format(Disk::new(shape.pages as usize * PAGE), shape, ID, 32).expect("formatted")
}

fn again(store: Store<Disk>) -> Store<Disk> {
    let (store, mounted) =
        Store::mount(store.into_medium(), 32).map_err(|(_, error)| error).expect("mounted");
    assert_eq!(mounted.notices, []);
    store
}

fn contents(store: &mut Store<Disk>) -> Contents {
    Tree::ALL.map(|tree| {
        let (mut all, mut from) = (BTreeMap::new(), Vec::new());
        while let Some((key, value)) = store.next(tree, &from).expect("next") {
            assert_eq!(store.find(tree, &key).expect("found").as_ref(), Some(&value));
            let bytes = store.read(&value, 0, value.len()).expect("read");
            from.clone_from(&key);
            from.push(0);
            assert!(all.insert(key, bytes).is_none());
        }
        all
    })
}

fn sound(store: &mut Store<Disk>) {
    let checked = store.check().expect("checked");
    assert_eq!((checked.damage.as_slice(), checked.lost, checked.unmapped), (&[][..], 0, 0));
}

/// A key out of few, so that they are met again, of very different lengths.
fn key(random: &mut Random, keys: u64) -> Vec<u8> {
    let number = random.below(keys);
    let length = if number.is_multiple_of(17) { MAX_KEY } else { 8 + number as usize % 40 };
    let mut key = format!("{:08x}", number.wrapping_mul(0x9e37_79b9) as u32).into_bytes();
    key.resize(length, b'k');
    key
}

fn value(random: &mut Random) -> Vec<u8> {
    let length = match random.below(20) {
        0 => 0,
        1 => 700,
        2 => 701,
        3 => random.below(9000),
        _ => random.below(500),
    };
    random.bytes(length as usize)
}

/// A random history on a store, compared with a map after each step that could make a difference.
fn history(seed: u64, shape: Shape, keys: u64, steps: usize) {
    let mut random = Random(seed);
    let mut store = fresh(shape);
    let mut model = Contents::default();
    let mut named: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>> = BTreeMap::new();
    for step in 0..steps {
        let tree = Tree::ALL[random.below(2) as usize];
        match random.below(40) {
            0 => {
                store.sync().expect("sync");
                store = again(store);
                assert!(contents(&mut store) == model, "seed {seed}, step {step}");
            }
            1 => store.checkpoint().expect("checkpoint"),
            2 => store.sync().expect("sync"),
            3 => {
                let name = vec![b'a' + random.below(6) as u8];
                let fits = named.len() < MAX_SNAPSHOTS && !named.contains_key(&name);
                match store.take_snapshot(&name, 5) {
                    Ok(()) => {
                        assert!(fits);
                        named.insert(name, model[0].clone());
                    }
                    Err(Error::NoSpace) => assert!(fits),
                    Err(error) => assert!(!fits && error == Error::Snapshot, "{error:?}"),
                }
            }
            4 => {
                let name = vec![b'a' + random.below(6) as u8];
                assert_eq!(store.drop_snapshot(&name).is_ok(), named.remove(&name).is_some());
            }
            5 => {
                let name = vec![b'a' + random.below(6) as u8];
                let op = Op::put(Tree::Main, b"restored", vec![step as u8]);
                match store.restore_snapshot(&name, vec![op]) {
                    Ok(()) => {
                        model[0] = named[&name].clone();
                        model[0].insert(b"restored".to_vec(), vec![step as u8]);
                    }
                    Err(Error::NoSpace) => {}
                    Err(error) => assert!(error == Error::Snapshot && !named.contains_key(&name)),
                }
            }
            6 => {
                let (key, length) = (key(&mut random, keys), random.below(120_000) as usize);
                let bytes = random.bytes(length);
                let mut stage = Stage::default();
                let staged = bytes.chunks(5000).try_for_each(|part| store.stage(&mut stage, part));
                if staged.is_err() || random.below(4) == 0 {
                    store.give_up(stage);
                    continue;
                }
                let Ok(value) = store.staged(stage) else { continue };
                match store.commit(vec![Op::staged(tree, &key, value.clone())], false) {
                    Ok(_) => {
                        model[tree as usize].insert(key, bytes);
                    }
                    Err(error) => {
                        assert_eq!(error, Error::NoSpace);
                        store.abandon(&value).expect("abandoned");
                    }
                }
            }
            _ => {
                let mut ops = Vec::new();
                let mut next = model.clone();
                for _ in 0..1 + random.below(12) {
                    let (tree, key) = (Tree::ALL[random.below(2) as usize], key(&mut random, keys));
                    if random.below(3) == 0 {
                        next[tree as usize].remove(&key);
                        ops.push(Op::delete(tree, &key));
                    } else {
                        let bytes = value(&mut random);
                        next[tree as usize].insert(key.clone(), bytes.clone());
                        ops.push(Op::put(tree, &key, bytes));
                    }
                }
                match store.commit(ops, false) {
                    Ok(_) => model = next,
                    Err(error) => assert_eq!(error, Error::NoSpace, "seed {seed}, step {step}"),
                }
            }
        }
    }
    assert!(contents(&mut store) == model, "seed {seed}");
    sound(&mut store);
    let mut store = again(store);
    assert!(contents(&mut store) == model, "seed {seed}");
    // Everything comes back.
    for name in named.keys() {
        store.drop_snapshot(name).expect("dropped");
    }
    for tree in Tree::ALL {
        for key in model[tree as usize].keys() {
            store.commit(vec![Op::delete(tree, key)], true).expect("deleting always works");
        }
    }
    store.checkpoint().expect("checkpoint");
    let figures = store.figures();
    assert_eq!((figures.free, figures.keys), (figures.pages, 0), "seed {seed}");
}

#[test]
fn random_histories_are_those_of_a_map() {
    for seed in 0..12 {
        history(seed, shape(600, 4), 60, 400);
        history(seed, shape(3000, 32), 3000, 600);
    }
}

#[test]
fn a_store_that_is_nearly_full_says_so_and_loses_nothing() {
    for seed in 100..112 {
        history(seed, shape(90, 4), 400, 500);
    }
}

#[test]
fn bounds() {
    let mut store = fresh(shape(600, 4));
    let long = vec![b'k'; MAX_KEY];
    store.commit(vec![Op::put(Tree::Main, &long, vec![1; MAX_LOGGED])], false).expect("at the bound");
    assert_eq!(store.get(Tree::Main, &long), Ok(Some(vec![1; MAX_LOGGED])));
    let too_long = vec![b'k'; MAX_KEY + 1];
    for op in [
        Op::put(Tree::Main, &too_long, vec![]),
        Op::put(Tree::Main, b"", vec![]),
        Op::put(Tree::Main, b"k", vec![1; MAX_LOGGED + 1]),
    ] {
        let generation = store.generation();
        assert_eq!(
            store.commit(vec![Op::put(Tree::Main, b"other", vec![]), op], false),
            Err(Error::TooLarge)
        );
        assert_eq!((store.generation(), store.get(Tree::Main, b"other")), (generation, Ok(None)));
    }
    assert_eq!(store.take_snapshot(&[b'n'; MAX_SNAPSHOT_NAME + 1], 0), Err(Error::Snapshot));
    assert_eq!(store.take_snapshot(&[], 0), Err(Error::Snapshot));
    for number in 0..MAX_SNAPSHOTS {
        store.take_snapshot(&[number as u8 + 1; MAX_SNAPSHOT_NAME], 0).expect("at the bound");
    }
    assert_eq!(store.take_snapshot(b"one more", 0), Err(Error::Snapshot));
    let least = Shape { pages: 4 + 2 + 2 + 16, log_pages: 1 };
    fresh(least);
    let refused = |shape: Shape, size: usize| {
        assert_eq!(Store::format(Disk::new(size), shape, ID, 4).map(drop), Err(Error::Size), "{shape:?}");
    };
    refused(Shape { pages: least.pages - 1, ..least }, 1 << 20);
    refused(Shape { log_pages: 0, ..least }, 1 << 20);
    refused(Shape { pages: 1000, log_pages: Shape::MAX_LOG_PAGES + 1 }, 1 << 23);
    refused(least, least.pages as usize * PAGE - 512);
    assert_eq!(Shape::for_size(64 << 20), Ok(Shape { pages: 16384, log_pages: 128 }));
    assert_eq!(Shape::for_size(64 << 10), Err(Error::Size));
}

#[test]
fn the_longest_value_and_one_byte_more() {
    let mut store = fresh(shape(5000, 32));
    let bytes = Random(1).bytes(MAX_VALUE);
    let mut stage = Stage::default();
    bytes.chunks(1 << 20).for_each(|part| store.stage(&mut stage, part).expect("staged"));
    assert_eq!(store.stage(&mut stage, &[0]), Err(Error::TooLarge));
    let value = store.staged(stage).expect("complete");
    store.commit(vec![Op::staged(Tree::Kept, b"long", value)], false).expect("committed");
    store.sync().expect("safe");
    let mut store = again(store);
    assert!(store.get(Tree::Kept, b"long") == Ok(Some(bytes.clone())));
    store.checkpoint().expect("checkpoint");
    sound(&mut store);
    let mut store = again(store);
    let value = store.find(Tree::Kept, b"long").expect("found").expect("there");
    assert!(store.read(&value, 5_000_001, 9999).expect("read") == bytes[5_000_001..5_010_000]);
    assert_eq!(store.read(&value, MAX_VALUE - 1, 5).expect("read").len(), 1);
    assert_eq!(store.read(&value, MAX_VALUE + 1, 5).expect("read").len(), 0);
}

#[test]
fn a_long_value_that_is_moved_keeps_its_pages() {
    let mut store = fresh(shape(400, 4));
    let bytes = Random(7).bytes(300_000);
    let mut stage = Stage::default();
    store.stage(&mut stage, &bytes).expect("staged");
    let value = store.staged(stage).expect("complete");
    store.commit(vec![Op::staged(Tree::Main, b"a", value)], false).expect("committed");
    for (from, to) in [(b"a", b"b"), (b"b", b"c"), (b"c", b"a")] {
        for through_log in [true, false] {
            store.checkpoint().expect("checkpoint");
            let value = store.find(Tree::Main, from).expect("found").expect("there");
            let back = [Op::delete(Tree::Main, from), Op::staged(Tree::Main, to, value.clone())];
            store.commit(back.to_vec(), false).expect("moved");
            if through_log {
                store.sync().expect("safe");
                store = again(store);
                let back = [Op::delete(Tree::Main, to), Op::staged(Tree::Main, from, value)];
                store.commit(back.to_vec(), false).expect("moved back");
            }
            sound(&mut store);
        }
        assert!(store.get(Tree::Main, to) == Ok(Some(bytes.clone())));
    }
    store.commit(vec![Op::delete(Tree::Main, b"a")], true).expect("deleted");
    store.checkpoint().expect("checkpoint");
    assert_eq!(store.figures().free, store.figures().pages);
}

#[test]
fn what_was_staged_and_never_committed_is_free_after_mounting() {
    let mut store = fresh(shape(200, 4));
    let free = store.figures().free;
    let mut stage = Stage::default();
    store.stage(&mut stage, &[5; 200_000]).expect("staged");
    store.commit(vec![Op::put(Tree::Main, b"a", vec![1])], false).expect("committed");
    store.checkpoint().expect("checkpoint");
    assert!(store.figures().free < free - 40);
    let store = again(store);
    assert_eq!(store.figures().free, free - 1);
}

#[test]
fn after_a_failed_write_or_flush_nothing_is_written_until_it_is_mounted_again() {
    for good in 0..30 {
        let mut store = fresh(shape(200, 4));
        store.commit(vec![Op::put(Tree::Main, b"before", vec![1; 2000])], false).expect("committed");
        store.sync().expect("safe");
        let mut disk = store.into_medium();
        disk.good = Some(good + 1);
        let Ok((mut store, _)) = Store::mount(disk, 8) else { panic!("mounting only flushes") };
        let mut promised = 0;
        let error = loop {
            let number = store.generation() as u8;
            let done = store.commit(vec![Op::put(Tree::Main, &[number], vec![number; 900])], false);
            match done.and_then(|_| store.sync()) {
                Ok(()) => promised = store.safe(),
                Err(error) => break error,
            }
        };
        assert_eq!(error, Error::Medium(Fault::Io));
        let events = store.medium().bytes.clone();
        assert_eq!(store.commit(vec![Op::delete(Tree::Main, b"before")], true), Err(Error::Failed));
        assert_eq!(store.sync(), Err(Error::Failed));
        assert_eq!(store.checkpoint(), Err(Error::Failed));
        let mut disk = store.into_medium();
        assert!(disk.bytes == events);
        disk.good = None;
        let (mut store, _) = Store::mount(disk, 8).map_err(|(_, error)| error).expect("mounted");
        assert!(store.generation() >= promised, "{good}");
        assert_eq!(store.get(Tree::Main, b"before"), Ok(Some(vec![1; 2000])));
        (2..promised).for_each(|number| {
            assert_eq!(
                store.get(Tree::Main, &[number as u8 - 1]).map(|value| value.is_some()),
                Ok(true),
                "{number}"
            );
        });
        sound(&mut store);
    }
}

#[test]
fn other_media_are_told_for_what_they_are() {
    let error = |bytes: Vec<u8>| Store::mount(Disk::of(bytes), 8).map(drop).map_err(|(_, error)| error);
    assert_eq!(error(vec![0; 1 << 20]), Err(Error::Unformatted));
    assert_eq!(error(vec![0; 4096]), Err(Error::Size));
    let mut store = fresh(shape(200, 4));
    store.commit(vec![Op::put(Tree::Main, b"a", vec![1])], false).expect("committed");
    store.sync().expect("safe");
    let whole = store.into_medium().bytes;
    assert_eq!(error(whole[..whole.len() - 512].to_vec()), Err(Error::Size), "shorter than it was");
    let mut larger = whole.clone();
    larger.resize(whole.len() + 4096, 1);
    assert_eq!(error(larger), Ok(()));
    let mut other = whole.clone();
    other[..4 * PAGE].fill(0);
    assert_eq!(error(other), Err(Error::Unformatted));
    // A disk with something else on it is not taken for an empty one.
    assert!(matches!(error(vec![0xa5; 1 << 20]), Err(Error::Integrity(Damage::Superblock { .. }))));
    let mut damaged = whole.clone();
    (0..4).for_each(|slot| damaged[slot * PAGE + 100] ^= 1);
    assert!(matches!(error(damaged), Err(Error::Integrity(Damage::Superblock { .. }))));
    // One that can only be read is read.
    let disk = Disk { read_only: true, ..Disk::of(whole) };
    let (mut store, _) = Store::mount(disk, 8).map_err(|(_, error)| error).expect("mounted");
    assert_eq!(store.get(Tree::Main, b"a"), Ok(Some(vec![1])));
    let put = store.commit(vec![Op::put(Tree::Main, b"a", vec![2])], false);
    assert_eq!((put, store.is_read_only()), (Err(Error::Medium(Fault::ReadOnly)), true));
}

#[test]
fn an_older_superblock_does_not_pass_for_the_newest() {
    let mut store = fresh(shape(200, 4));
    for number in 0..5u8 {
        store.commit(vec![Op::put(Tree::Main, b"a", vec![number])], false).expect("committed");
        store.checkpoint().expect("checkpoint");
    }
    store.commit(vec![Op::put(Tree::Main, b"a", vec![9])], false).expect("committed");
    store.sync().expect("safe");
    let mut bytes = store.into_medium().bytes;
    // Both copies of the newest, of epoch 6.
    bytes[100] ^= 1;
    bytes[PAGE + 100] ^= 1;
    let (_, error) = Store::mount(Disk::of(bytes), 8).map(drop).expect_err("refused");
    assert_eq!(error, Error::Integrity(Damage::Superblock { reached: 6, left: 4 }));
}

#[test]
fn a_hole_in_the_log_is_damage_and_not_its_end() {
    let mut store = fresh(shape(200, 4));
    for number in 0..5u8 {
        store.commit(vec![Op::put(Tree::Main, b"a", vec![number; 100])], false).expect("committed");
        store.sync().expect("safe");
    }
    let mut bytes = store.into_medium().bytes;
    let log = bytes.windows(4).position(|word| word == 0x6672_786eu32.to_le_bytes()).expect("a frame") - 8;
    for copy in [4, 5] {
        bytes[log + copy * 512 + 60] ^= 1;
    }
    let (_, error) = Store::mount(Disk::of(bytes), 8).map(drop).expect_err("refused");
    assert_eq!(error, Error::Integrity(Damage::Log { reached: 4, left: 2 }));
}

/// A medium that others reach as well.
#[derive(Clone)]
struct Shared(Rc<RefCell<Disk>>);

impl Medium for Shared {
    fn size(&mut self) -> Result<u64, Fault> {
        self.0.borrow_mut().size()
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        self.0.borrow_mut().read(at, out)
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.0.borrow_mut().write(at, data)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.0.borrow_mut().flush()
    }
}

#[test]
fn a_check_in_pieces_comes_to_the_same_and_sees_the_medium_itself() {
    let disk = Shared(Rc::new(RefCell::new(Disk::new(400 * PAGE))));
    let mut store = Store::format(disk.clone(), shape(400, 4), ID, 400).expect("formatted");
    for number in 0..300u32 {
        let value = vec![number as u8; 20 + number as usize * 3];
        store.commit(vec![Op::put(Tree::Main, &number.to_be_bytes(), value)], false).expect("committed");
    }
    let mut stage = Stage::default();
    store.stage(&mut stage, &[9; 100_000]).expect("staged");
    let value = store.staged(stage).expect("a value");
    store.commit(vec![Op::staged(Tree::Kept, b"long", value)], false).expect("committed");
    store.take_snapshot(b"s", 1).expect("a snapshot");
    let pieces = |store: &mut Store<Shared>, most: usize| {
        let (mut check, mut count) = (Check::begin(store).expect("begun"), 1);
        loop {
            match check.step(store, most).expect("a piece") {
                Some(checked) => break (checked, count),
                None => count += 1,
            }
        }
    };
    let (whole, _) = pieces(&mut store, usize::MAX);
    assert_eq!((whole.keys, whole.lost, whole.unmapped, whole.damage.len()), (301, 0, 0, 0));
    let (in_pieces, count) = pieces(&mut store, 10);
    assert_eq!(in_pieces, whole);
    // An entry or a page of a value is one step, so the pieces are about as many as those.
    assert!((60..100).contains(&count), "{count} pieces");
    // Something is committed in the middle: it is of what is there at the end.
    let mut check = Check::begin(&mut store).expect("begun");
    assert_eq!(check.step(&mut store, 50), Ok(None));
    store.commit(vec![Op::put(Tree::Kept, b"new", vec![1; 30])], false).expect("committed");
    let checked = loop {
        if let Some(checked) = check.step(&mut store, 50).expect("a piece") {
            break checked;
        }
    };
    assert_eq!((checked.keys, checked.lost, checked.unmapped), (302, 0, 0));
    // Every page is in memory; those on the medium are looked at all the same.
    let pages = disk.0.borrow().bytes.len() / PAGE;
    let mut found = 0;
    // Behind superblocks, maps and both halves of the log.
    for page in 14..pages {
        disk.0.borrow_mut().bytes[page * PAGE + 9] ^= 1;
        let (checked, _) = pieces(&mut store, 64);
        found += usize::from(!checked.damage.is_empty());
        disk.0.borrow_mut().bytes[page * PAGE + 9] ^= 1;
    }
    let used = pieces(&mut store, 64).0.pages as usize;
    assert_eq!(found, used, "each page that something has");
}

/// A medium that counts the bytes that are read.
struct Counted(Disk, Rc<RefCell<u64>>);

impl Medium for Counted {
    fn size(&mut self) -> Result<u64, Fault> {
        self.0.size()
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        *self.1.borrow_mut() += out.len() as u64;
        self.0.read(at, out)
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.0.write(at, data)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.0.flush()
    }
}

#[test]
fn mounting_reads_what_its_page_says_whatever_is_stored() {
    let shape = shape(4000, 20);
    // A long value that only the log has: the pages that name its pages are read as well, and no other page of it.
    let names = |pages: usize| if pages > 16 { pages.div_ceil(341) as u64 } else { 0 };
    for (keys, long) in [(0, 0), (10, 0), (1000, 0), (20_000, 0), (10, 16), (10, 17), (10, 341), (10, 342)] {
        let mut store = fresh(shape);
        for first in (0..keys).step_by(50) {
            let ops =
                (first..first + 50).map(|n| Op::put(Tree::Main, format!("{n:06}").as_bytes(), vec![1; 100]));
            store.commit(ops.collect(), false).expect("committed");
        }
        store.checkpoint().expect("a checkpoint");
        store.checkpoint().expect("another");
        store.commit(vec![Op::put(Tree::Main, b"logged", vec![2; 3000])], false).expect("committed");
        if long > 0 {
            let mut stage = Stage::default();
            store.stage(&mut stage, &vec![3; long * PAGE]).expect("staged");
            let value = store.staged(stage).expect("staged");
            let op = Op { tree: Tree::Main, key: b"long".to_vec(), value: Some(value) };
            store.commit(vec![op], false).expect("committed");
        }
        store.sync().expect("safe");
        let read = Rc::new(RefCell::new(0));
        let medium = Counted(store.into_medium(), read.clone());
        let (_, mounted) = Store::mount(medium, 32).map_err(|(_, error)| error).expect("mounted");
        assert_eq!(mounted.notices, []);
        let fixed = 4 * PAGE as u64 + shape.maps_bytes() as u64 + shape.log_bytes();
        assert_eq!(*read.borrow(), fixed + names(long) * PAGE as u64, "{keys} keys, {long} pages");
    }
}
