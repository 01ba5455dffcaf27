//! Power cuts at every write, and at every write of the recovery from one. Everything that was called safe must be there,
//! each commit whole or absent, and nothing else.
//!
//! `NEXUS_TEST_FULL=1` takes every image instead of a share of them.

use nexus_state::engine::{Op, Store, Tree};
use powercut::{CACHE, Cuts, Disk, History, fresh, images, mount, work};

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
