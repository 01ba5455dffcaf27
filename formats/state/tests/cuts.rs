//! Power cuts at every write, and at every write of the recovery from one. Everything that was called safe must be there,
//! each commit whole or absent, and nothing else.
//!
//! `NEXUS_TEST_FULL=1` takes every image instead of a share of them.

use std::collections::BTreeMap;

use nexus_state::engine::{Error as EngineError, Op, PAGE, Shape, Store, Tree};
use nexus_state::rules::{Access, EXTRA, Error, KEY, MAX_LIST, Path, SALT, State, Unlock};
use powercut::{CACHE, Cuts, Disk, History, Random, fresh, images, mount, work};

fn full() -> bool {
    std::env::var_os("NEXUS_TEST_FULL").is_some()
}

/// A store whose history is written down from the beginning.
fn recorded(lies: bool, seed: u64, steps: usize) -> (Vec<u8>, Store<Disk>, History) {
    let before = fresh(140, 4).into_medium();
    let start = before.bytes.clone();
    let disk = Disk { lies, ..before.recorded() };
    let (mut store, _) = Store::mount(disk, CACHE).map_err(|(_, error)| error).expect("mounted");
    let mut history = History::default();
    work(&mut store, &mut history, seed, steps);
    (start, store, history)
}

/// Mounts an image and has it judged; then it must go on working.
fn judged(history: &History, image: &[u8], events: usize) -> Result<(), String> {
    let (mut store, _) = mount(image).map_err(|error| format!("after {events} events: {error:?}"))?;
    history.judge(&mut store, events).map_or(Ok(()), Err)?;
    let generation = store.generation();
    store.commit(vec![Op::put(Tree::Kept, b"after", vec![1])], true).map_err(|error| format!("{error:?}"))?;
    store.sync().map_err(|error| format!("{error:?}"))?;
    let (mut store, mounted) = mount(&store.into_medium().bytes).map_err(|error| format!("{error:?}"))?;
    let whole = store.get(Tree::Kept, b"after") == Ok(Some(vec![1])) && mounted.notices.is_empty();
    if whole && mounted.generation == generation + 1 {
        Ok(())
    } else {
        Err(format!("not usable: {mounted:?}"))
    }
}

#[test]
fn a_power_cut_at_any_write_loses_nothing_that_was_safe() {
    let (mut made, mut cut_again) = (0, 0);
    let (seeds, steps) = if full() { (6, 150) } else { (2, 100) };
    for seed in 1..=seeds {
        let (start, mut store, history) = recorded(false, seed, steps);
        let events = store.medium().events.clone().expect("recorded");
        let stride = if full() { 1 } else { 16 };
        let cuts = Cuts { subsets: 8, seed, stride };
        assert!(store.check().expect("checked").damage.is_empty());
        made += images(&start, &events, cuts, |image, after| {
            if let Err(what) = judged(&history, image, after) {
                panic!("seed {seed}: {what}");
            }
        });
        // The recovery writes too, and may be cut as well.
        let stride = if full() { 7 } else { 200 };
        images(&start, &events, Cuts { stride, ..cuts }, |image, after| {
            let disk = Disk::of(image.to_vec()).recorded();
            let (store, _) = Store::mount(disk, CACHE).map_err(|(_, error)| error).expect("mounted");
            let recovery = store.medium().events.clone().expect("recorded");
            let stride = if full() { 1 } else { 4 };
            cut_again += images(image, &recovery, Cuts { subsets: 4, seed, stride }, |image, _| {
                if let Err(what) = judged(&history, image, after) {
                    panic!("seed {seed}, cut again: {what}");
                }
            });
        });
    }
    println!("{made} distinct images, {cut_again} of a recovery");
    let (least, least_again) = if full() { (10_000, 500) } else { (2_000, 100) };
    assert!(made > least && cut_again > least_again, "too few");
}

#[test]
fn a_medium_that_does_not_flush_is_caught() {
    let (start, store, history) = recorded(true, 1, 70);
    let events = store.medium().events.clone().expect("recorded");
    let mut bad = 0;
    images(&start, &events, Cuts { subsets: 200, seed: 1, stride: 1 }, |image, after| {
        bad += usize::from(after == events.len() && judged(&history, image, after).is_err());
    });
    assert!(bad > 100, "only {bad} of the images of a lying medium were refused");
}

#[test]
fn a_store_is_made_or_not_whatever_happens_meanwhile() {
    // Over zeros, over a store that was there, and over what is none.
    let old = {
        let (_, store, _) = recorded(false, 3, 10);
        store.into_medium().bytes
    };
    for (before, is_empty) in
        [(vec![0; old.len()], true), (old.clone(), false), (vec![0xa5; old.len()], false)]
    {
        let disk = Disk::of(before.clone()).recorded();
        let store = Store::format(disk, Shape { pages: 140, log_pages: 4 }, [1; 16], CACHE).expect("made");
        let events = store.medium().events.clone().expect("recorded");
        let last = events.len();
        let made = images(&before, &events, Cuts { subsets: 20, seed: 1, stride: 1 }, |image, after| {
            match mount(image) {
                Ok((store, mounted)) if store.id() == [1; 16] => assert_eq!(mounted.generation, 0),
                // The old one is there until its last superblock is gone.
                Ok(_) => assert!(!is_empty && after <= 4),
                Err(EngineError::Unformatted) => assert!(after < last),
                Err(EngineError::Integrity(_)) => assert!(!is_empty && after <= 4),
                Err(error) => panic!("after {after} events: {error:?}"),
            }
        });
        assert!(made > 5, "{made}");
    }
}

const RULES: &str = "1::rws 1:keystore:r 1#900000/900000 2:app:rw 2#3000/6000 3:keystore:rw 3#2000/2000";

/// Every service's charge is the sum of what it stores.
fn charges_are_exact(store: Store<Disk>) -> Result<(), String> {
    let access = Access::read(RULES).expect("rules");
    let mut state = State::new(store, access, 2).map_err(|error| format!("{error:?}"))?;
    let (mut sums, mut after) = ([0; 4], None);
    loop {
        let (entries, next) =
            state.list(1, "", after.as_ref(), MAX_LIST).map_err(|error| format!("{error:?}"))?;
        for entry in &entries {
            sums[entry.stat.owner as usize] += (entry.path.as_str().len() + entry.stat.length) as u64 + EXTRA;
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    sums[1] += state.store().snapshots().map(|snapshot| u64::from(snapshot.pages) * PAGE as u64).sum::<u64>();
    let used = [0, state.used(1), state.used(2), state.used(3)];
    if used == sums { Ok(()) } else { Err(format!("charged {used:?} for {sums:?}")) }
}

#[test]
fn charges_are_exact_after_a_power_cut_at_any_write() {
    let before = fresh(260, 4).into_medium();
    let start = before.bytes.clone();
    let (store, _) = Store::mount(before.recorded(), CACHE).map_err(|(_, error)| error).expect("mounted");
    let mut state = State::new(store, Access::read(RULES).expect("rules"), 1).expect("served");
    let (mut random, mut history, mut denied) = (Random(5), History::default(), 0);
    history.mark(state.store_mut());
    for _ in 0..if full() { 300 } else { 120 } {
        let service = 2 + random.below(2) as u32;
        let place = ["app", "keystore"][service as usize - 2];
        let path = |random: &mut Random| Path::new(&format!("{place}/{}", random.below(20))).expect("a path");
        let outcome = match random.below(12) {
            0 => state.snapshot(1, "s"),
            1 => state.restore(1, "s"),
            2 => state.drop_snapshot(1, "s"),
            3 => {
                let (path, length) = (path(&mut random), random.below(3000) as usize);
                state.upload(service, &path, length).and_then(|mut upload| {
                    state.upload_more(&mut upload, &random.bytes(length)).expect("staged");
                    state.publish(upload)
                })
            }
            4 | 5 => state.delete(service, &path(&mut random)),
            6 => state.rename(service, &path(&mut random), &path(&mut random)),
            _ => {
                let length = random.below(900) as usize;
                state.put(service, &path(&mut random), &random.bytes(length))
            }
        };
        denied += usize::from(outcome == Err(Error::QuotaExceeded));
        history.mark(state.store_mut());
        state.sync(None).expect("safe");
        history.mark(state.store_mut());
    }
    assert!(denied > 3, "the quota was met");
    let events = state.store().medium().events.clone().expect("recorded");
    let stride = if full() { 1 } else { 8 };
    let made = images(&start, &events, Cuts { subsets: 6, seed: 5, stride }, |image, after| {
        if let Err(what) = judged(&history, image, after) {
            panic!("{what}");
        }
        let (store, _) = mount(image).expect("mounted");
        if let Err(what) = charges_are_exact(store) {
            panic!("after {after} events: {what}");
        }
    });
    assert!(made > 400, "{made}");
}

const SEALED: &str = "3:keystore:rw 3#90000/90000 3=keystore";

fn sealed(store: Store<Disk>) -> State<Disk> {
    State::new(store, Access::read(SEALED).expect("rules"), 1).expect("served")
}

fn opener(least: u64, salt: u8) -> Unlock {
    Unlock { prefix: "keystore".into(), key: [7; KEY].into(), salt: [salt; SALT], least, used: 0 }
}

/// Everything under the sealed prefix.
fn opened(state: &mut State<Disk>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let (mut all, mut after) = (BTreeMap::new(), None);
    loop {
        let (entries, next) = state.list(3, "keystore", after.as_ref(), MAX_LIST)?;
        for entry in entries {
            let (bytes, _) = state.get(3, &entry.path, 0, usize::MAX)?;
            all.insert(entry.path.as_str().into(), bytes);
        }
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

#[test]
fn a_power_cut_at_any_write_is_no_rollback_and_no_forgery() {
    let before = fresh(140, 4).into_medium();
    let start = before.bytes.clone();
    let (store, _) = Store::mount(before.recorded(), CACHE).map_err(|(_, error)| error).expect("mounted");
    let mut state = sealed(store);
    state.unlock(3, &opener(0, 1)).expect("unlocked");
    // What there is at each generation, and what the keeper knew after how many events.
    let mut contents = vec![BTreeMap::new(); 2];
    let mut known = vec![(0, 0)];
    let mut random = Random(11);
    for _ in 0..if full() { 300 } else { 120 } {
        let path =
            |random: &mut Random| Path::new(&format!("keystore/{}", random.below(24))).expect("a path");
        let outcome = match random.below(8) {
            0 | 1 => state.delete(3, &path(&mut random)),
            2 => state.rename(3, &path(&mut random), &path(&mut random)),
            _ => {
                let length = random.below(900) as usize;
                state.put(3, &path(&mut random), &random.bytes(length))
            }
        };
        if outcome.is_ok() && state.store().generation() as usize == contents.len() {
            let now = opened(&mut state).expect("read");
            contents.push(now);
        }
        if random.below(3) > 0 {
            state.sync(None).expect("safe");
        }
        if random.below(2) == 0 {
            let sequence = state.anchor(3, "keystore").expect("safe");
            known.push((state.store().medium().events.as_ref().map_or(0, Vec::len), sequence));
        }
    }
    let events = state.store().medium().events.clone().expect("recorded");
    let mut older = 0;
    let stride = if full() { 1 } else { 3 };
    let made = images(&start, &events, Cuts { subsets: 6, seed: 5, stride }, |image, after| {
        let (store, mounted) = mount(image).expect("mounted");
        let least = known.iter().rfind(|(events, _)| *events <= after).map_or(0, |(_, sequence)| *sequence);
        let mut state = sealed(store);
        let opened_at = state.unlock(3, &opener(least, 2)).expect("neither forged nor taken back");
        assert!(opened_at >= least);
        assert!(
            opened(&mut state).as_ref() == Ok(&contents[mounted.generation as usize]),
            "after {after} events"
        );
        // The image is older than what the keeper comes to know later.
        let newest = known.last().map_or(0, |(_, sequence)| *sequence);
        if opened_at < newest {
            let (store, _) = mount(image).expect("mounted");
            assert_eq!(sealed(store).unlock(3, &opener(newest, 2)), Err(Error::Rollback));
            older += 1;
        }
    });
    assert!(made > 400 && older > 300, "{made} images, {older} older than the newest");
}
