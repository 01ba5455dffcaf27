//! A store of each older version, as the code of that version left it, is brought to this one: everything is there, and a cut leaves one of the two.

use nexus_state::engine::{
    Error as EngineError, Fault, Medium, Notice, OLDEST, Op, PAGE, Store, Tree, VERSION,
};
use nexus_state::rules::{Access, EXTRA, Error, KEY, MAX_LIST, Path, SALT, State, Unlock, repair};
use powercut::{CACHE, Cuts, Disk, fresh, images};
use xxhash_rust::xxh3::xxh3_64;

/// Made by version 1: twelve values, a snapshot, changes after it, a sealed value, one on a page of its own, and three changes that are in its log alone.
/// Each line is a place and bytes; everything else is 0.
const VERSION_1: &str = include_str!("fixtures/version-1.txt");
const PAGES: usize = 60;

/// The newest sequence of its sealed prefix.
const SEQUENCE: u64 = 3;

const RULES: &str = "1::rws #900000/900000 3:keystore:rw #90000/90000 =keystore";

fn fixture() -> Vec<u8> {
    let mut image = vec![0; PAGES * PAGE];
    for line in VERSION_1.lines() {
        let (at, hex) = line.split_once(' ').expect("a place and bytes");
        let at: usize = at.parse().expect("a place");
        for (byte, digits) in image[at..].iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).expect("digits");
            *byte = u8::from_str_radix(digits, 16).expect("a byte");
        }
    }
    image
}

fn mount(disk: Disk) -> (Store<Disk>, Vec<Notice>) {
    let mounted = Store::mount(disk, CACHE).map_err(|(_, error)| error);
    mounted.map(|(store, mounted)| (store, mounted.notices)).expect("mounted")
}

fn served(store: Store<Disk>) -> State<Disk> {
    State::new(store, Access::read(RULES).expect("rules"), 1).expect("served")
}

fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

/// Everything that was in the store is there, each by its value.
fn everything_is_there(store: Store<Disk>) {
    let mut state = served(store);
    let mut get = |text: &str| state.get(1, &path(text), 0, usize::MAX).map(|(bytes, _)| bytes);
    for number in 1..12u8 {
        let value = match number {
            3 => b"newer than the snapshot".to_vec(),
            _ => vec![number; 10 + number as usize * 5],
        };
        assert_eq!(get(&format!("app/{number:02}")), Ok(value), "{number}");
    }
    assert_eq!(get("app/00"), Err(Error::NotFound), "deleted in the log");
    assert_eq!(get("app/logged"), Ok(b"in the log alone".to_vec()));
    assert_eq!(get("app/long"), Ok(vec![9; 3000]));
    let (entries, _) = state.list(1, "app", None, MAX_LIST).expect("listed");
    let charge =
        |entry: &nexus_state::rules::Entry| (entry.path.as_str().len() + entry.stat.length) as u64 + EXTRA;
    let held: u64 = state.store().snapshots().map(|snapshot| u64::from(snapshot.pages) * PAGE as u64).sum();
    assert_eq!(state.used(1), entries.iter().map(charge).sum::<u64>() + held);
    let unlock =
        Unlock { prefix: "keystore".into(), key: [7; KEY].into(), salt: [2; SALT], least: SEQUENCE, used: 0 };
    assert_eq!(state.unlock(3, &unlock), Ok(SEQUENCE));
    let secret = state.get(3, &path("keystore/secret"), 0, 99).map(|(bytes, _)| bytes);
    assert_eq!(secret.as_deref(), Ok(&b"sealed in version 1"[..]));
    let checked = state.store_mut().check().expect("checked");
    assert_eq!((checked.damage, checked.lost, checked.unmapped), (vec![], 0, 0));
    state.restore(1, "point").expect("taken back");
    assert_eq!(state.get(1, &path("app/03"), 0, 99).map(|(bytes, _)| bytes), Ok(vec![3; 25]));
    assert_eq!(state.get(1, &path("app/00"), 0, 99).map(|(bytes, _)| bytes), Ok(vec![0; 10]));
}

/// The version that a superblock of an image says.
fn version(image: &[u8], page: usize) -> u32 {
    u32::from_le_bytes(image[page * PAGE + 8..][..4].try_into().expect("four bytes"))
}

/// Has every superblock say another version.
fn called(mut image: Vec<u8>, version: u32) -> Vec<u8> {
    for page in (0..4).filter(|page| image[page * PAGE..][..8] == *b"NXSTATE\0").collect::<Vec<_>>() {
        let page = &mut image[page * PAGE..][..PAGE];
        page[8..12].copy_from_slice(&version.to_le_bytes());
        let sum = xxh3_64(&page[..PAGE - 8]);
        page[PAGE - 8..].copy_from_slice(&sum.to_le_bytes());
    }
    image
}

#[test]
fn a_store_of_an_older_version_is_brought_to_this_one() {
    let image = fixture();
    assert!((0..4).all(|page| version(&image, page) == OLDEST));
    let (store, notices) = mount(Disk::of(image));
    assert_eq!(notices, [Notice::Migrated { from: 1 }]);
    let image = store.into_medium().bytes;
    assert!((0..4).any(|page| version(&image, page) == VERSION));
    let (store, notices) = mount(Disk::of(image));
    assert_eq!(notices, [], "once");
    everything_is_there(store);
}

#[test]
fn a_cut_while_it_is_brought_leaves_the_old_store_or_the_new_one() {
    let image = fixture();
    let (store, _) = mount(Disk::of(image.clone()).recorded());
    let events = store.into_medium().events.expect("written down");
    let (mut old, mut new) = (0, 0);
    let made = images(&image, &events, Cuts { subsets: 60, seed: 4, stride: 1 }, |cut, _| {
        let (store, notices) = mount(Disk::of(cut.to_vec()));
        if notices.contains(&Notice::Migrated { from: 1 }) {
            old += 1
        } else {
            new += 1
        }
        everything_is_there(store);
    });
    assert!(made > 20 && old > 5 && new > 1, "{made}: {old} {new}");
    // A medium that fails in the middle leaves it as well.
    for good in 0..events.len() {
        let disk = Disk { good: Some(good), ..Disk::of(image.clone()) };
        let Err((disk, EngineError::Medium(Fault::Io))) = Store::mount(disk, CACHE) else { panic!("{good}") };
        everything_is_there(mount(Disk::of(disk.bytes)).0);
    }
}

#[test]
fn a_medium_that_can_only_be_read_is_read_as_it_is() {
    let image = fixture();
    let disk = Disk { read_only: true, ..Disk::of(image.clone()) };
    let (mut store, _) = mount(disk);
    assert!(store.is_read_only());
    assert_eq!(store.get(Tree::Main, b"vapp\x01logged").map(|found| found.is_some()), Ok(true));
    assert!(store.into_medium().bytes == image);
}

#[test]
fn a_damaged_store_of_an_older_version_is_repaired_and_brought_to_this_one() {
    let mut image = fixture();
    let value = image.windows(400).rposition(|part| part == [9; 400]).expect("the long value");
    image[value] ^= 1;
    let (disk, repaired) = repair(Disk::of(image), CACHE, usize::MAX, false);
    let repaired = repaired.expect("repaired");
    assert!(repaired.notices.contains(&Notice::Migrated { from: 1 }) && repaired.keys == 1, "{repaired:?}");
    let (store, notices) = mount(disk);
    assert_eq!(notices, []);
    let mut state = served(store);
    assert_eq!(state.get(1, &path("app/long"), 0, 1), Err(Error::Integrity));
    assert_eq!(state.get(1, &path("app/logged"), 0, 2).map(|(bytes, _)| bytes), Ok(b"in".to_vec()));
}

#[test]
fn a_version_that_nobody_knows_is_refused_and_left_as_it_is() {
    for unknown in [0, VERSION + 1, u32::MAX] {
        let image = called(fixture(), unknown);
        let disk = Disk::of(image.clone()).recorded();
        let Err((disk, error)) = Store::mount(disk, CACHE) else { panic!("version {unknown} was mounted") };
        assert_eq!(error, EngineError::Version(unknown));
        let (mut disk, repaired) = repair(disk, CACHE, usize::MAX, true);
        assert_eq!(repaired, Err(EngineError::Version(unknown)));
        assert!(disk.bytes == image && disk.events == Some(vec![]) && disk.size() == Ok(image.len() as u64));
    }
}

#[test]
fn a_store_that_says_an_older_version_than_it_is_of_is_no_such_store() {
    let mut store = fresh(60, 2);
    store.commit(vec![Op::put(Tree::Main, b"la", vec![0])], false).expect("committed");
    store.checkpoint().expect("a checkpoint");
    let image = called(store.into_medium().bytes, 1);
    let refused = Store::mount(Disk::of(image), CACHE).map(drop).map_err(|(_, error)| error);
    assert!(matches!(refused, Err(EngineError::Integrity(_))), "{refused:?}");
}
