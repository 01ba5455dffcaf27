//! Sealed prefixes against somebody who can write the medium: every way to change a set, before it is opened and while it is served.

use std::collections::BTreeSet;

use nexus_state::engine::{Op, PAGE, Shape, Store, Tree};
use nexus_state::rules::{
    Access, Change, EXTRA, Error, KEY, MAX_AT_ONCE, MAX_SEALED, Path, SALT, SEALED_EXTRA, State, Unlock,
    sealed_prefixes,
};
use powercut::Disk;

const RULES: &str = "1::rws 1:keystore:rw 1:trust:rw 1:boot:rw 1#90000000/90000000 2:app:rw 5:keystore:rw 5:trust:rw 5:boot:rw 5#400000/900000 5=keystore 5=trust";
const KEEPER: u32 = 5;
const SECRET: &[u8] = b"a secret that stands on no medium";

/// Bytes before a nonce.
const HEAD: usize = 13;

type Key = [u8; KEY];

fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

/// The engine's key of a value.
fn key(path: &str) -> Vec<u8> {
    format!("v{path}").bytes().map(|byte| if byte == b'/' { 1 } else { byte }).collect()
}

const HEADER: &[u8] = b"hkeystore";

fn opener(prefix: &str, least: u64, salt: u8) -> Unlock {
    let key = Key::from([7; KEY]).into();
    Unlock { prefix: prefix.into(), key, salt: [salt; SALT], least, used: 0 }
}

fn served(store: Store<Disk>) -> State<Disk> {
    State::new(store, Access::read(RULES).expect("rules"), 1).expect("served")
}

fn fresh(pages: u32) -> State<Disk> {
    let shape = Shape { pages, log_pages: 16 };
    let disk = Disk::new(pages as usize * PAGE);
    served(Store::format(disk, shape, [3; 16], 32).expect("formatted"))
}

fn unlocked(pages: u32) -> State<Disk> {
    let mut state = fresh(pages);
    for prefix in ["keystore", "trust"] {
        assert_eq!(state.unlock(KEEPER, &opener(prefix, 0, 1)), Ok(0));
    }
    state
}

fn remount(state: State<Disk>) -> Store<Disk> {
    Store::mount(state.into_store().into_medium(), 32).map_err(|(_, error)| error).expect("mounted").0
}

fn get(state: &mut State<Disk>, text: &str) -> Result<Vec<u8>, Error> {
    state.get(KEEPER, &path(text), 0, usize::MAX).map(|(bytes, _)| bytes)
}

#[test]
fn a_prefix_is_busy_until_its_key_is_pushed_by_the_one_who_may() {
    let mut state = fresh(300);
    let at = path("keystore/a");
    assert_eq!(state.put(KEEPER, &at, SECRET), Err(Error::Busy));
    assert_eq!(state.get(KEEPER, &at, 0, 9), Err(Error::Busy));
    assert_eq!(state.stat(KEEPER, &at), Err(Error::Busy));
    assert_eq!(state.delete(KEEPER, &at), Err(Error::Busy));
    assert_eq!(state.rename(KEEPER, &at, &path("keystore/b")), Err(Error::Busy));
    assert_eq!(state.anchor(KEEPER, "keystore"), Err(Error::Busy));
    assert_eq!(state.get(2, &at, 0, 9), Err(Error::PermissionDenied), "who may not is told that and no more");
    state.put(KEEPER, &path("boot/a"), b"plain").expect("what is not sealed");
    assert_eq!(state.unlock(1, &opener("keystore", 0, 1)), Err(Error::PermissionDenied));
    assert_eq!(state.anchor(1, "keystore"), Err(Error::PermissionDenied));
    assert_eq!(state.unlock(KEEPER, &opener("boot", 0, 1)), Err(Error::NotFound));
    assert_eq!(state.unlock(KEEPER, &opener("keystore/a", 0, 1)), Err(Error::NotFound));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", 0, 1)), Ok(0));
    state.put(KEEPER, &at, SECRET).expect("put");
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(SECRET));
    assert_eq!(state.put(KEEPER, &path("trust/a"), b""), Err(Error::Busy), "each has a key of its own");
    // What somebody who reads everything sees in a list is what was opened, or nothing.
    assert_eq!(state.list(1, "trust", None, 9), Ok((vec![], None)));
    let (entries, _) = state.list(1, "", None, 9).expect("listed");
    assert!(entries.iter().any(|entry| entry.stat.sealed && entry.stat.length == SECRET.len()));
    state.sync(None).expect("safe");
    let mut state = served(remount(state));
    assert_eq!(state.list(1, "", None, 9), Err(Error::Busy));
    assert_eq!(state.list(2, "", None, 9), Ok((vec![], None)), "who may not see it does not wait for it");
}

#[test]
fn nothing_of_a_sealed_value_is_on_the_medium() {
    let mut state = unlocked(300);
    let secret: Vec<u8> = SECRET.repeat(20);
    state.put(KEEPER, &path("keystore/a"), &secret).expect("put");
    state.put(KEEPER, &path("boot/a"), b"in the clear, for comparison").expect("put");
    state.sync(None).expect("safe");
    state.store_mut().checkpoint().expect("checkpoint");
    let bytes = &state.store().medium().bytes;
    let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(!has(SECRET) && has(b"in the clear, for comparison") && !has(&[7; KEY]));
    assert_eq!(state.used(KEEPER), (10 + secret.len() + 6 + 28) as u64 + 2 * EXTRA, "charged as any value");
}

/// A set with a history: `a`, `b` and `c`, where `a` had another value, and `gone` was taken away again.
struct Told {
    state: State<Disk>,
    /// Rows and header as they were before the newest changes.
    old: Vec<(Vec<u8>, Vec<u8>)>,
    before: u64,
    now: u64,
}

fn told() -> Told {
    let mut state = unlocked(300);
    for (at, bytes) in [("a", &b"older"[..]), ("b", b"the second"), ("c", b"third"), ("gone", b"away")] {
        state.put(KEEPER, &path(&format!("keystore/{at}")), bytes).expect("put");
    }
    let before = state.anchor(KEEPER, "keystore").expect("safe");
    let keys = ["keystore/a", "keystore/b", "keystore/c", "keystore/gone"].map(key);
    let old = keys.iter().cloned().chain([HEADER.to_vec()]);
    let old = old.map(|key| (key.clone(), raw(state.store_mut(), &key))).collect();
    state.delete(KEEPER, &path("keystore/gone")).expect("deleted");
    state.put(KEEPER, &path("keystore/a"), b"newer").expect("put");
    let now = state.anchor(KEEPER, "keystore").expect("safe");
    assert!(before < now);
    Told { state, old, before, now }
}

fn raw(store: &mut Store<Disk>, key: &[u8]) -> Vec<u8> {
    store.get(Tree::Kept, key).expect("read").expect("there")
}

fn set(store: &mut Store<Disk>, key: &[u8], bytes: Option<Vec<u8>>) {
    let op = match bytes {
        Some(bytes) => Op::put(Tree::Kept, key, bytes),
        None => Op::delete(Tree::Kept, key),
    };
    store.commit(vec![op], true).expect("committed");
}

type Tamper = fn(&mut Store<Disk>, &[(Vec<u8>, Vec<u8>)]);

fn change(store: &mut Store<Disk>, key: &[u8], at: usize) {
    let mut bytes = raw(store, key);
    bytes[at] ^= 1;
    set(store, key, Some(bytes));
}

fn put_back(store: &mut Store<Disk>, old: &[(Vec<u8>, Vec<u8>)], nth: usize) {
    set(store, &old[nth].0, Some(old[nth].1.clone()));
}

/// What is done to the set, and what opening it says then.
const TAMPERS: [(&str, Tamper, Error); 14] = [
    ("a nonce is changed", |store, old| change(store, &old[0].0, HEAD), Error::Integrity),
    ("an owner is changed", |store, old| change(store, &old[0].0, 1), Error::Integrity),
    ("a version is changed", |store, old| change(store, &old[0].0, 5), Error::Integrity),
    (
        "two are swapped",
        |store, old| {
            let (a, b) = (raw(store, &old[0].0), raw(store, &old[1].0));
            set(store, &old[0].0, Some(b));
            set(store, &old[1].0, Some(a));
        },
        Error::Integrity,
    ),
    (
        "one is copied",
        |store, old| {
            let a = raw(store, &old[0].0);
            set(store, &key("keystore/x"), Some(a));
        },
        Error::Integrity,
    ),
    (
        "one is in the clear",
        |store, old| set(store, &old[0].0, Some([&[0; HEAD][..], b"mine"].concat())),
        Error::Integrity,
    ),
    (
        "one is too short",
        |store, old| set(store, &old[0].0, Some([&[1; HEAD][..], &[0; 39]].concat())),
        Error::Integrity,
    ),
    ("one is put back as it was", |store, old| put_back(store, old, 0), Error::Rollback),
    ("one is taken away", |store, old| set(store, &old[2].0, None), Error::Rollback),
    ("one that was taken away is put back", |store, old| put_back(store, old, 3), Error::Rollback),
    ("the header is put back", |store, old| put_back(store, old, 4), Error::Rollback),
    ("the header is taken away", |store, _| set(store, HEADER, None), Error::Rollback),
    (
        "everything is taken away",
        |store, old| {
            old.iter().for_each(|(key, _)| set(store, key, None));
        },
        Error::Rollback,
    ),
    (
        "everything is as it was",
        |store, old| {
            (0..old.len()).for_each(|nth| put_back(store, old, nth));
        },
        Error::Rollback,
    ),
];

#[test]
fn whatever_is_done_to_a_set_is_told_when_it_is_opened() {
    for (what, tamper, error) in TAMPERS {
        let Told { mut state, old, now, .. } = told();
        tamper(state.store_mut(), &old);
        state.store_mut().sync().expect("safe");
        let mut state = served(remount(state));
        assert_eq!(state.unlock(KEEPER, &opener("keystore", now, 2)), Err(error), "{what}");
        for at in ["keystore/a", "keystore/b", "keystore/none"] {
            assert_eq!(get(&mut state, at), Err(error), "{what}");
            assert_eq!(state.put(KEEPER, &path(at), b"x"), Err(error), "{what}");
            assert_eq!(state.delete(KEEPER, &path(at)), Err(error), "{what}");
        }
        assert_eq!(state.anchor(KEEPER, "keystore"), Err(error), "{what}");
        assert_eq!(state.unlock(KEEPER, &opener("trust", 0, 2)), Ok(1), "{what}: the others are well");
    }
    // Nothing was done.
    let Told { state, now, .. } = told();
    let mut state = served(remount(state));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", now, 2)), Ok(now));
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(&b"newer"[..]));
    assert_eq!(get(&mut state, "keystore/gone"), Err(Error::NotFound));
}

#[test]
fn an_older_set_passes_with_an_older_number_and_never_with_the_newest() {
    let Told { mut state, old, before, now } = told();
    (0..old.len()).for_each(|nth| put_back(state.store_mut(), &old, nth));
    state.store_mut().sync().expect("safe");
    let mut state = served(remount(state));
    for least in before + 1..=now {
        assert_eq!(state.unlock(KEEPER, &opener("keystore", least, 2)), Err(Error::Rollback));
    }
    assert_eq!(
        state.unlock(KEEPER, &opener("keystore", before, 2)),
        Ok(before),
        "nobody knew of a newer one"
    );
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(&b"older"[..]));
    // It is open, and its keeper learns of a newer one.
    assert_eq!(state.unlock(KEEPER, &opener("keystore", now + 1, 3)), Err(Error::Rollback));
    assert_eq!(get(&mut state, "keystore/a"), Err(Error::Rollback));
}

#[test]
fn a_copy_from_before_is_older_as_soon_as_its_successor_is_open() {
    let Told { state, now, .. } = told();
    let copy = remount(state).into_medium();
    let mut state = served(Store::mount(copy.clone(), 32).map_err(|(_, error)| error).expect("mounted").0);
    assert_eq!(state.unlock(KEEPER, &opener("keystore", now, 2)), Ok(now));
    let next = state.anchor(KEEPER, "keystore").expect("safe");
    assert!(next > now, "although nothing was changed");
    let mut state = served(remount(state));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", next, 3)), Ok(next));
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(&b"newer"[..]));
    let mut state = served(Store::mount(copy, 32).map_err(|(_, error)| error).expect("mounted").0);
    assert_eq!(state.unlock(KEEPER, &opener("keystore", next, 4)), Err(Error::Rollback));
}

#[test]
fn whatever_is_done_to_a_set_that_is_served_is_told_by_what_it_was_done_to() {
    for (what, tamper, _) in TAMPERS {
        let Told { mut state, old, .. } = told();
        tamper(state.store_mut(), &old);
        let newest = [("a", &b"newer"[..]), ("b", b"the second"), ("c", b"third")];
        let mut told = 0;
        for (at, bytes) in newest {
            match get(&mut state, &format!("keystore/{at}")) {
                Ok(found) => assert_eq!(found, bytes, "{what}"),
                Err(error) => {
                    assert_eq!(error, Error::Integrity, "{what}");
                    told += 1;
                }
            }
        }
        for gone in ["keystore/gone", "keystore/x"] {
            let is_there = state.store_mut().get(Tree::Kept, &key(gone)).expect("read").is_some();
            let error = if is_there { Error::Integrity } else { Error::NotFound };
            assert_eq!(get(&mut state, gone), Err(error), "{what}");
            told += usize::from(is_there);
        }
        // The header is not read while the set is served: memory has what it says.
        let of_header = what.starts_with("the header");
        let (listed, all) = (state.list(KEEPER, "keystore", None, 9), state.list(1, "", None, 9));
        assert_eq!((listed.is_ok(), all.is_ok()), (of_header, of_header), "{what}");
        assert_eq!(told == 0, of_header, "{what}");
    }
}

#[test]
fn a_value_that_is_changed_is_refused_and_spares_the_others() {
    let Told { mut state, old, now, .. } = told();
    let length = raw(state.store_mut(), &old[0].0).len();
    assert_eq!(length, HEAD + SEALED_EXTRA + 5);
    for at in HEAD + 24..length {
        change(state.store_mut(), &old[0].0, at);
        state.store_mut().sync().expect("safe");
        state = served(remount(state));
        assert!(state.unlock(KEEPER, &opener("keystore", now, 2)).is_ok());
        assert_eq!(get(&mut state, "keystore/a"), Err(Error::Integrity), "byte {at}");
        assert_eq!(state.stat(KEEPER, &path("keystore/a")), Err(Error::Integrity));
        assert_eq!(get(&mut state, "keystore/b").as_deref(), Ok(&b"the second"[..]));
        change(state.store_mut(), &old[0].0, at);
    }
    // It can be put anew.
    change(state.store_mut(), &old[0].0, length - 1);
    state.put(KEEPER, &path("keystore/a"), b"again").expect("put");
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(&b"again"[..]));
}

#[test]
fn no_bit_of_a_header_can_be_changed() {
    let Told { mut state, now, .. } = told();
    let header = raw(state.store_mut(), HEADER);
    for bit in 0..header.len() * 8 {
        let mut changed = header.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        set(state.store_mut(), HEADER, Some(changed));
        let mut other = served(state.into_store());
        assert_eq!(other.unlock(KEEPER, &opener("keystore", now, 2)), Err(Error::Integrity), "bit {bit}");
        state = other;
    }
    for length in 0..header.len() {
        set(state.store_mut(), HEADER, Some(header[..length].to_vec()));
        let mut other = served(state.into_store());
        assert_eq!(other.unlock(KEEPER, &opener("keystore", 0, 2)), Err(Error::Integrity), "{length} bytes");
        state = other;
    }
}

#[test]
fn another_key_and_another_store_open_nothing() {
    let Told { mut state, now, .. } = told();
    let other = Unlock { key: Key::from([8; KEY]).into(), ..opener("keystore", now, 2) };
    assert_eq!(state.unlock(KEEPER, &other), Err(Error::Integrity));
    assert_eq!(get(&mut state, "keystore/b").as_deref(), Ok(&b"the second"[..]), "it stays open");
    let rows: Vec<_> =
        ["keystore/a", "keystore/b", "keystore/c"].map(key).into_iter().chain([HEADER.to_vec()]).collect();
    let rows: Vec<_> = rows.into_iter().map(|key| (key.clone(), raw(state.store_mut(), &key))).collect();
    let mut state = served(state.into_store());
    assert_eq!(state.unlock(KEEPER, &other), Err(Error::Integrity));
    let shape = Shape { pages: 300, log_pages: 16 };
    let mut store = Store::format(Disk::new(300 * PAGE), shape, [4; 16], 32).expect("formatted");
    rows.into_iter().for_each(|(key, bytes)| set(&mut store, &key, Some(bytes)));
    let mut state = served(store);
    assert_eq!(state.unlock(KEEPER, &opener("keystore", 0, 2)), Err(Error::Integrity));
}

#[test]
fn values_are_moved_within_a_prefix_and_never_over_its_border() {
    let mut state = unlocked(300);
    state.put(KEEPER, &path("keystore/a"), b"moved").expect("put");
    state.rename(KEEPER, &path("keystore/a"), &path("keystore/b")).expect("moved");
    assert_eq!(get(&mut state, "keystore/b").as_deref(), Ok(&b"moved"[..]));
    for (from, to) in [("keystore/b", "boot/b"), ("boot/p", "keystore/p"), ("keystore/b", "trust/b")] {
        state.put(KEEPER, &path("boot/p"), b"plain").expect("put");
        assert_eq!(state.rename(KEEPER, &path(from), &path(to)), Err(Error::CrossDevice), "{from} {to}");
    }
    // A batch may change both, and is one commit.
    let both = [
        Change::Put(path("keystore/c"), vec![1]),
        Change::Put(path("trust/c"), vec![2]),
        Change::Put(path("boot/c"), vec![3]),
        Change::Rename(path("keystore/c"), path("keystore/d")),
        Change::Delete(path("keystore/b")),
    ];
    state.batch(KEEPER, &both).expect("done");
    state.sync(None).expect("safe");
    let mut state = served(remount(state));
    for prefix in ["keystore", "trust"] {
        assert!(state.unlock(KEEPER, &opener(prefix, 1, 2)).is_ok());
    }
    assert_eq!(get(&mut state, "keystore/d"), Ok(vec![1]));
    assert_eq!(get(&mut state, "trust/c"), Ok(vec![2]));
    assert_eq!(get(&mut state, "keystore/b"), Err(Error::NotFound));
}

#[test]
fn as_many_values_as_there_may_be_and_as_long() {
    let mut state = unlocked(3000);
    let most = vec![1; MAX_AT_ONCE];
    state.put(KEEPER, &path("keystore/long"), &most).expect("the longest");
    assert_eq!(get(&mut state, "keystore/long").as_ref(), Ok(&most));
    assert_eq!(state.get(KEEPER, &path("keystore/long"), MAX_AT_ONCE - 1, 5).expect("got").0, [1]);
    assert_eq!(state.get(KEEPER, &path("keystore/long"), usize::MAX, 5).expect("got").0, []);
    assert_eq!(state.put(KEEPER, &path("keystore/long"), &vec![1; MAX_AT_ONCE + 1]), Err(Error::TooLarge));
    assert_eq!(state.upload(KEEPER, &path("keystore/up"), 1).err(), Some(Error::TooLarge));
    for number in 1..MAX_SEALED {
        state.put(KEEPER, &path(&format!("keystore/{number}")), b"").expect("put");
    }
    assert_eq!(state.put(KEEPER, &path("keystore/more"), b""), Err(Error::QuotaExceeded));
    state.put(KEEPER, &path("keystore/1"), b"another").expect("in place of one");
    state.rename(KEEPER, &path("keystore/1"), &path("keystore/more")).expect("moved");
    let now = state.anchor(KEEPER, "keystore").expect("safe");
    let mut state = served(remount(state));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", now, 2)), Ok(now));
    assert_eq!(get(&mut state, "keystore/more").as_deref(), Ok(&b"another"[..]));
}

#[test]
fn no_nonce_is_used_twice_whatever_becomes_of_the_change() {
    let mut nonces = BTreeSet::new();
    let mut note = |state: &mut State<Disk>, at: &str| {
        let row = raw(state.store_mut(), &key(at));
        assert!(nonces.insert(row[HEAD..HEAD + 24].to_vec()), "twice");
    };
    let mut state = unlocked(300);
    for number in 0..5 {
        state.put(KEEPER, &path("keystore/a"), &[number]).expect("put");
        note(&mut state, "keystore/a");
        // Refused, after it was closed.
        let refused = [Change::Put(path("keystore/b"), vec![number]), Change::Delete(path("keystore/none"))];
        assert_eq!(state.batch(KEEPER, &refused), Err(Error::NotFound));
        assert_eq!(state.put(KEEPER, &path("keystore/a/b"), b""), Err(Error::NotDir));
    }
    state.sync(None).expect("safe");
    // Not safe: a medium that failed may have it all the same, and what is opened again goes on behind it.
    state.put(KEEPER, &path("keystore/lost"), b"x").expect("put");
    note(&mut state, "keystore/lost");
    let held = state.held();
    assert_eq!(held.len(), 2);
    let mut state = served(remount(state));
    held.iter().for_each(|(keeper, unlock)| assert!(state.unlock(*keeper, unlock).is_ok()));
    assert_eq!(get(&mut state, "keystore/lost"), Err(Error::NotFound));
    for at in ["keystore/lost", "keystore/x"] {
        state.put(KEEPER, &path(at), b"y").expect("put");
        note(&mut state, at);
    }
    // Another run has another salt, and its keeper knows what was safe.
    let now = state.anchor(KEEPER, "keystore").expect("safe");
    let mut state = served(remount(state));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", now, 9)), Ok(now));
    state.put(KEEPER, &path("keystore/x"), b"z").expect("put");
    note(&mut state, "keystore/x");
    assert!(state.anchor(KEEPER, "keystore").expect("safe") > now);
}

#[test]
fn a_store_that_is_emptied_goes_on_and_the_one_before_is_a_rollback() {
    let Told { state, now, .. } = told();
    let held = state.held();
    let old = remount(state).into_medium();
    let shape = Shape { pages: 300, log_pages: 16 };
    let made = Store::format(Disk::new(300 * PAGE), shape, [8; 16], 32).expect("formatted");
    let mut state = served(made);
    for (keeper, unlock) in &held {
        assert_eq!(state.go_on(1, unlock), Err(Error::PermissionDenied));
        assert!(state.go_on(*keeper, unlock).expect("it goes on") >= unlock.least);
    }
    assert_eq!(get(&mut state, "keystore/a"), Err(Error::NotFound));
    state.put(KEEPER, &path("keystore/a"), b"of the new one").expect("put");
    let next = state.anchor(KEEPER, "keystore").expect("safe");
    assert!(next > now);
    let mut state = served(remount(state));
    assert_eq!(state.unlock(KEEPER, &opener("keystore", next, 5)), Ok(next));
    assert_eq!(get(&mut state, "keystore/a").as_deref(), Ok(&b"of the new one"[..]));
    let mut back = served(Store::mount(old, 32).map_err(|(_, error)| error).expect("mounted").0);
    assert_eq!(back.unlock(KEEPER, &opener("keystore", next, 6)), Err(Error::Rollback));
    // It is for an empty store alone.
    let mut full = served(remount(state));
    let (keeper, unlock) = held.iter().find(|(_, unlock)| unlock.prefix == "keystore").expect("held");
    assert_eq!(full.go_on(*keeper, unlock), Err(Error::Integrity));
}

#[test]
fn who_has_no_key_sees_that_a_value_is_sealed_and_cannot_touch_it() {
    let Told { state, .. } = told();
    let mut store = remount(state);
    assert_eq!(sealed_prefixes(&mut store), Ok(vec![path("keystore"), path("trust")]));
    let rules = "1::rws 1:keystore:rw 1#90000000/90000000";
    let mut state = State::new(store, Access::read(rules).expect("rules"), 1).expect("served");
    let (entries, _) = state.list(1, "keystore", None, 9).expect("listed");
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry.stat.sealed && entry.stat.owner == KEEPER));
    assert_eq!(state.get(1, &path("keystore/a"), 0, 9), Err(Error::Busy));
    assert_eq!(state.put(1, &path("keystore/a"), b""), Err(Error::Busy));
    assert_eq!(state.delete(1, &path("keystore/a")), Err(Error::Busy));
    let store = state.into_store();
    let mut state =
        State::new(store, Access::read(&format!("{rules} 0=keystore")).expect("rules"), 1).expect("served");
    assert_eq!(state.put(1, &path("keystore/new"), b""), Err(Error::Busy));
}
