//! The rules against a model of paths, owners and charges; each error by what brings it about.

use std::collections::BTreeMap;

use nexus_state::engine::{MAX_SNAPSHOTS, PAGE, Shape, Store};
use nexus_state::rules::{
    Access, Change, EXTRA, Error, Event, KEY, MAX_AT_ONCE, MAX_BYTES, MAX_CHANGES, MAX_EVENTS, MAX_LIST,
    MAX_UPLOADS, MAX_WATCHES, MAX_WATCHES_EACH, Path, Receipt, SALT, State, Unlock,
};
use powercut::{Disk, Random};

const RULES: &str = "1::rws 1:boot:rw 1:keystore:rw 1#9000000/9000000 2:app:rw 2#4000/6000 3:app/three:rw 3#300/600 4:app:r 5:keystore:rw 5#4000/6000";

fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

/// The same with so little room that random changes come to its end.
const TIGHT: &str = "1::rws 1:boot:rw 1:keystore:rw 1#9000000/9000000 2:app:rw 2#400/900 3:app/three:rw 3#300/600 4:app:r 5:keystore:rw 5#300/500";

fn fresh(pages: u32) -> State<Disk> {
    with(pages, RULES)
}

fn with(pages: u32, rules: &str) -> State<Disk> {
    let shape = Shape { pages, log_pages: 8 };
    let store = Store::format(Disk::new(pages as usize * PAGE), shape, [3; 16], 32).expect("formatted");
    State::new(store, Access::read(rules).expect("rules"), 1).expect("served")
}

/// The same with `keystore` sealed.
const SEALED: &str = "5=keystore";

/// What its keeper pushes in this run.
fn unlock(state: &mut State<Disk>, run: u64) {
    let unlock = Unlock {
        prefix: "keystore".into(),
        key: [7; KEY].into(),
        salt: [run as u8; SALT],
        least: 0,
        used: 0,
    };
    state.unlock(5, &unlock).expect("unlocked");
}

fn again(state: State<Disk>, run: u64) -> State<Disk> {
    let access = state.access().clone();
    let (store, _) =
        Store::mount(state.into_store().into_medium(), 32).map_err(|(_, error)| error).expect("mounted");
    State::new(store, access, run).expect("served")
}

type Model = BTreeMap<Path, (u32, Vec<u8>)>;

fn charged(model: &Model, service: u32) -> u64 {
    let ours = model.iter().filter(|(_, (owner, _))| *owner == service);
    ours.map(|(path, (_, bytes))| (path.as_str().len() + bytes.len()) as u64 + EXTRA).sum()
}

/// What the store has, as its owner of everything sees it.
fn contents(state: &mut State<Disk>) -> Model {
    let (mut all, mut after) = (Model::new(), None);
    loop {
        let (entries, next) = state.list(1, "", after.as_ref(), MAX_LIST).expect("listed");
        for entry in entries {
            let (bytes, stat) = state.get(1, &entry.path, 0, usize::MAX).expect("got");
            assert_eq!(stat, entry.stat);
            assert!(all.insert(entry.path, (stat.owner, bytes)).is_none());
        }
        match next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// Applies a change to the model, or says why it cannot be; `access` is asked as the rules ask it.
fn apply(
    model: &mut Model,
    access: &Access,
    sealed: bool,
    service: u32,
    change: &Change,
) -> Result<(), Error> {
    use nexus_state::rules::Allow;
    let may = |what, path: &Path| {
        if access.permits(service, what, path) { Ok(()) } else { Err(Error::PermissionDenied) }
    };
    let missing = |model: &Model, path: &Path| {
        if model.keys().any(|other| other != path && other.is_under(path.as_str())) {
            return Err(Error::IsDir);
        }
        let above = model.keys().any(|other| other != path && path.is_under(other.as_str()));
        if above { Err(Error::NotDir) } else { Ok(()) }
    };
    let place = |model: &mut Model, path: &Path, row: (u32, Vec<u8>)| {
        may(Allow::Write, path)?;
        if !model.contains_key(path) {
            missing(model, path)?;
        }
        model.insert(path.clone(), row);
        Ok(())
    };
    match change {
        Change::Put(path, bytes) => place(model, path, (service, bytes.clone())),
        Change::Delete(path) => {
            may(Allow::Write, path)?;
            if model.remove(path).is_none() {
                missing(model, path)?;
                return Err(Error::NotFound);
            }
            Ok(())
        }
        Change::Rename(from, to) => {
            may(Allow::Read, from)?;
            if from.tree() != to.tree() {
                return Err(Error::CrossDevice);
            }
            let Some(row) = model.get(from).cloned() else {
                missing(model, from)?;
                return Err(Error::NotFound);
            };
            may(Allow::Write, from)?;
            may(Allow::Write, to)?;
            if sealed && from.is_under("keystore") != to.is_under("keystore") {
                return Err(Error::CrossDevice);
            }
            if from != to {
                model.remove(from);
                place(model, to, row)?;
            }
            Ok(())
        }
    }
}

#[test]
fn random_batches_are_those_of_the_model() {
    let names = ["a", "b", "a/b", "a/b/c", "three", "three/x", "three/y", "z"];
    let mut refused = BTreeMap::new();
    for seed in 0..20 {
        let mut random = Random(seed);
        // Every other time one prefix is sealed, which nobody notices.
        let sealed = seed % 2 == 1;
        let mut state = with(600, &if sealed { format!("{TIGHT} {SEALED}") } else { TIGHT.into() });
        if sealed {
            unlock(&mut state, 1);
        }
        let mut model = Model::new();
        let mut snapshot: Option<Model> = None;
        for step in 0..400u64 {
            let pick = |random: &mut Random| {
                let name = names[random.below(names.len() as u64) as usize];
                path(&format!("{}/{name}", ["app", "keystore", "boot"][random.below(7) as usize / 3]))
            };
            match random.below(60) {
                0 => {
                    state.sync(None).expect("safe");
                    state = again(state, step + 2);
                    if sealed {
                        unlock(&mut state, step + 2);
                    }
                }
                1 if snapshot.is_none() => {
                    state.snapshot(1, "s").expect("kept");
                    snapshot = Some(model.clone());
                }
                2 => {
                    if let Some(snapshot) = &snapshot {
                        state.restore(1, "s").expect("restored");
                        model.retain(|path, _| path.tree() != path_tree());
                        let main = snapshot.iter().filter(|(path, _)| path.tree() == path_tree());
                        model.extend(main.map(|(path, row)| (path.clone(), row.clone())));
                    }
                }
                _ => {}
            }
            let service = 1 + random.below(5) as u32;
            let changes: Vec<_> = (0..1 + random.below(4) * random.below(2))
                .map(|_| match random.below(4) {
                    0 => Change::Delete(pick(&mut random)),
                    1 => Change::Rename(pick(&mut random), pick(&mut random)),
                    _ => {
                        let length = random.below(400) as usize;
                        Change::Put(pick(&mut random), random.bytes(length))
                    }
                })
                .collect();
            let mut next = model.clone();
            let expected = (|| {
                let mut tree = None;
                for change in &changes {
                    let (Change::Put(first, _) | Change::Delete(first) | Change::Rename(first, _)) = change;
                    let mut trial = next.clone();
                    let outcome = apply(&mut trial, state.access(), sealed, service, change);
                    let denied = outcome == Err(Error::PermissionDenied);
                    if !denied && *tree.get_or_insert(first.tree()) != first.tree() {
                        return Err(Error::CrossDevice);
                    }
                    outcome?;
                    next = trial;
                }
                for owner in 1..=5 {
                    let held = state.used(owner) - charged(&model, owner);
                    let (before, after) = (charged(&model, owner), charged(&next, owner));
                    if after > before && after + held > state.access().limit(owner).hard {
                        return Err(Error::QuotaExceeded);
                    }
                }
                Ok(())
            })();
            let outcome = state.batch(service, &changes);
            assert_eq!(outcome.map(drop), expected, "seed {seed}, step {step}: {service} {changes:?}");
            match expected {
                Ok(()) => model = next,
                Err(error) => *refused.entry(error).or_insert(0) += 1,
            }
        }
        assert!(contents(&mut state) == model, "seed {seed}");
        let held = state.used(1) - charged(&model, 1);
        assert_eq!(held, state.store().snapshots().map(|s| u64::from(s.pages) * PAGE as u64).sum::<u64>());
        (2..=5).for_each(|service| assert_eq!(state.used(service), charged(&model, service), "seed {seed}"));
    }
    let all = [
        Error::NotFound,
        Error::QuotaExceeded,
        Error::PermissionDenied,
        Error::IsDir,
        Error::NotDir,
        Error::CrossDevice,
    ];
    assert!(all.iter().all(|error| refused.get(error) > Some(&10)), "{refused:?}");
}

fn path_tree() -> nexus_state::engine::Tree {
    nexus_state::engine::Tree::Main
}

#[test]
fn quotas_are_exact_to_the_byte_and_after_a_restart() {
    let mut state = fresh(300);
    let key = path("app/three/k");
    let most = 600 - EXTRA as usize - key.as_str().len();
    assert_eq!(state.put(3, &key, &vec![0; most + 1]), Err(Error::QuotaExceeded));
    state.put(3, &key, &vec![0; most]).expect("at the bound");
    assert_eq!(state.used(3), 600);
    let warnings = state.warnings();
    assert_eq!((warnings.len(), warnings[0].service, warnings[0].used, warnings[0].soft), (1, 3, 600, 300));
    state.put(3, &key, &vec![1; most]).expect("the same again");
    assert_eq!(state.warnings(), [], "one warning an episode");
    state.sync(None).expect("safe");
    let mut state = again(state, 2);
    assert_eq!(state.used(3), 600);
    assert_eq!(state.put(3, &path("app/three/l"), &[]), Err(Error::QuotaExceeded));
    state.put(3, &key, &[0; 10]).expect("less");
    state.put(3, &key, &vec![1; most]).expect("more again");
    assert_eq!(state.warnings().len(), 1);
    // Another service puts it: it is charged then.
    state.put(2, &key, &[5; 100]).expect("put");
    assert_eq!((state.used(3), state.used(2)), (0, 100 + 11 + EXTRA));
    state.delete(3, &key).expect("whose it is does not matter, but who may");
    assert_eq!((state.used(3), state.used(2)), (0, 0));
}

#[test]
fn a_receipt_of_an_earlier_run_is_no_promise() {
    let mut state = fresh(300);
    let receipt = state.put(2, &path("app/a"), b"1").expect("put");
    assert_eq!((receipt.run, receipt.generation), (1, 1));
    let mut state = again(state, 2);
    assert_eq!(state.get(2, &path("app/a"), 0, 9), Err(Error::NotFound), "it was not safe");
    assert_eq!(state.sync(Some(receipt)), Err(Error::ServerDied));
    let receipt = state.put(2, &path("app/a"), b"2").expect("put");
    assert_eq!(receipt, Receipt { run: 2, generation: 1 });
    state.sync(Some(receipt)).expect("safe");
    let mut state = again(state, 3);
    assert_eq!(state.get(2, &path("app/a"), 0, 9).expect("there").0, b"2");
}

#[test]
fn lists_are_ordered_bounded_resumable_and_hide_what_may_not_be_read() {
    let mut state = fresh(300);
    for number in 0..100 {
        state.put(1, &path(&format!("app/{number:03}")), &[1; 30]).expect("put");
        state.put(1, &path(&format!("other/{number:03}")), &[]).expect("put");
    }
    state.put(1, &path("app/three/x"), b"x").expect("put");
    state.put(1, &path("boot/x"), b"x").expect("put");
    let (first, next) = state.list(2, "", None, 40).expect("listed");
    assert_eq!((first.len(), first[0].path.as_str(), first[39].path.as_str()), (40, "app/000", "app/039"));
    let next = next.expect("more");
    let (second, next) = state.list(2, "app", Some(&next), 1000).expect("listed");
    assert_eq!((second.len(), second[0].path.as_str(), next), (61, "app/040", None));
    assert_eq!(second[60].stat.length, 1);
    // Services see what they may read, and may have to go on although nothing was for them.
    let (mut seen, mut after, mut turns) = (Vec::new(), None, 0);
    loop {
        let (entries, next) = state.list(3, "", after.as_ref(), MAX_LIST).expect("listed");
        seen.extend(entries.into_iter().map(|entry| entry.path));
        turns += 1;
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!((seen, turns), (vec![path("app/three/x")], 4));
    assert_eq!(state.list(2, "app//x", None, 1), Err(Error::Invalid));
    assert_eq!(state.list(2, "nothing", None, 9), Ok((vec![], None)));
}

#[test]
fn values_that_come_in_pieces() {
    let mut state = fresh(9000);
    let (key, length) = (path("app/long"), MAX_BYTES);
    assert_eq!(state.upload(1, &key, length + 1).err(), Some(Error::TooLarge));
    assert_eq!(state.upload(4, &key, 1).err(), Some(Error::PermissionDenied));
    assert_eq!(state.put(1, &key, &vec![0; MAX_AT_ONCE + 1]), Err(Error::TooLarge));
    state.put(1, &key, &vec![7; MAX_AT_ONCE]).expect("the longest at once");
    let mut upload = state.upload(1, &key, 100_000).expect("begun");
    state.upload_more(&mut upload, &[1; 60_000]).expect("some");
    assert_eq!(state.stat(1, &key).expect("still").length, MAX_AT_ONCE);
    assert_eq!(state.upload_more(&mut upload, &[1; 40_001]), Err(Error::Invalid));
    assert_eq!(state.publish(upload), Err(Error::Invalid), "not all has come");
    let mut uploads: Vec<_> =
        (0..MAX_UPLOADS).map(|_| state.upload(1, &key, 70_000).expect("begun")).collect();
    assert_eq!(state.upload(1, &key, 1).err(), Some(Error::QuotaExceeded));
    for (number, upload) in uploads.iter_mut().enumerate() {
        state.upload_more(upload, &[number as u8; 70_000]).expect("all of it");
    }
    let mut versions = vec![state.stat(1, &key).expect("there").version];
    for (number, upload) in uploads.into_iter().enumerate() {
        state.publish(upload).expect("published");
        let (bytes, stat) = state.get(1, &key, 69_999, 100).expect("got");
        assert_eq!((bytes, stat.length), (vec![number as u8], 70_000));
        assert!(!versions.contains(&stat.version));
        versions.push(stat.version);
    }
    // Over its quota a service has nothing, and the pages are free again.
    state.store_mut().checkpoint().expect("checkpoint");
    let free = state.store().figures().free;
    let mut upload = state.upload(2, &path("app/over"), 6000).expect("begun");
    state.upload_more(&mut upload, &[1; 6000]).expect("all of it");
    assert_eq!(state.publish(upload), Err(Error::QuotaExceeded));
    assert_eq!(state.store().figures().free, free);
}

#[test]
fn watches_are_bounded_and_say_so() {
    let mut state = fresh(300);
    let watch = state.watch(4, "app").expect("watched");
    assert_eq!(state.watch(4, "other"), Err(Error::PermissionDenied));
    assert_eq!(state.event(3, watch), Err(Error::NotFound), "another's");
    let everything = state.watch(3, "").expect("watched");
    state.put(1, &path("app/a"), b"1").expect("put");
    state.put(1, &path("app/a"), b"2").expect("put");
    state.put(1, &path("apple"), b"2").expect("put");
    assert_eq!((state.rung(), state.rung()), (vec![watch], vec![]), "once, whatever came after");
    assert_eq!(state.event(4, watch), Ok(Some(Event::Changed(path("app/a")))));
    assert_eq!(state.event(4, watch), Ok(None));
    state.put(1, &path("app/a"), b"3").expect("put");
    assert_eq!(state.rung(), [watch], "again, for all of it was fetched");
    assert_eq!(state.event(4, watch), Ok(Some(Event::Changed(path("app/a")))));
    assert_eq!(state.event(3, everything), Ok(None), "nothing that it may read");
    for number in 0..MAX_EVENTS {
        state.put(1, &path(&format!("app/{number}")), b"").expect("put");
    }
    for number in 0..MAX_EVENTS {
        assert_eq!(state.event(4, watch), Ok(Some(Event::Changed(path(&format!("app/{number}"))))));
    }
    for number in 0..=MAX_EVENTS {
        state.delete(1, &path(&format!("app/{number}"))).ok();
        state.put(1, &path(&format!("app/x{number}")), b"").expect("put");
    }
    assert_eq!(state.event(4, watch), Ok(Some(Event::Resync)));
    assert_eq!(state.event(4, watch), Ok(None));
    state.unwatch(4, watch).expect("ended");
    assert_eq!(state.event(4, watch), Err(Error::NotFound));
    for _ in 0..MAX_WATCHES_EACH {
        state.watch(4, "app").expect("watched");
    }
    assert_eq!(state.watch(4, "app"), Err(Error::QuotaExceeded));
    let others = MAX_WATCHES - MAX_WATCHES_EACH - 1;
    for number in 0..others {
        state.watch(100 + number as u32, "").expect("watched");
    }
    assert_eq!(state.watch(2, ""), Err(Error::QuotaExceeded));
}

#[test]
fn snapshots_take_back_values_and_charges_and_spare_the_other_database() {
    let mut state = fresh(2000);
    state.put(2, &path("app/a"), &[1; 100]).expect("put");
    state.put(5, &path("keystore/a"), &[1; 100]).expect("put");
    assert_eq!(state.snapshot(2, "s"), Err(Error::PermissionDenied));
    assert_eq!(state.snapshot(1, ""), Err(Error::Invalid));
    state.snapshot(1, "s").expect("kept");
    assert_eq!(state.snapshot(1, "s"), Err(Error::Exists));
    assert_eq!(state.used(1), PAGE as u64);
    let watch = state.watch(4, "app").expect("watched");
    state.put(2, &path("app/a"), &[2; 500]).expect("put");
    state.put(3, &path("app/three/b"), &[2; 50]).expect("put");
    state.put(5, &path("keystore/a"), &[2; 500]).expect("put");
    assert_eq!(state.restore(1, "other"), Err(Error::NotFound));
    state.restore(1, "s").expect("restored");
    assert_eq!(state.event(4, watch), Ok(Some(Event::Resync)));
    let mut state = again(state, 2);
    assert_eq!(state.get(2, &path("app/a"), 0, 999).expect("got").0, [1; 100]);
    assert_eq!(state.get(5, &path("keystore/a"), 0, 999).expect("got").0, [2; 500]);
    assert_eq!((state.used(2), state.used(3)), (100 + 5 + EXTRA, 0));
    for number in 1..MAX_SNAPSHOTS {
        state.snapshot(1, &format!("{number}")).expect("at the bound");
    }
    assert_eq!(state.snapshot(1, "more"), Err(Error::QuotaExceeded));
    state.drop_snapshot(1, "s").expect("dropped");
    assert_eq!(state.drop_snapshot(1, "s"), Err(Error::NotFound));
}

#[test]
fn the_pages_of_a_snapshot_are_charged_to_who_made_it_to_the_byte_and_across_a_restart() {
    let served = |hard: u64| {
        let mut state = with(2000, &format!("1::rws 1#{hard}/{hard} 2:app:rw 2#90000/90000"));
        for n in 0..5 {
            state.put(2, &path(&format!("app/{n}")), &[n; 3000]).expect("put");
        }
        state
    };
    let mut state = served(u64::MAX / 2);
    state.snapshot(1, "s").expect("kept");
    // Five values with a page each, and the page of the tree.
    let pages = state.used(1);
    assert_eq!(pages, 6 * PAGE as u64);
    let mut state = served(pages - 1);
    assert_eq!(state.snapshot(1, "s"), Err(Error::QuotaExceeded));
    assert_eq!((state.used(1), state.snapshots().len()), (0, 0));
    let mut state = served(pages);
    state.snapshot(1, "s").expect("at the bound");
    assert_eq!(state.put(1, &path("app/more"), b""), Err(Error::QuotaExceeded));
    let mut state = again(state, 2);
    assert_eq!(state.used(1), pages);
    assert_eq!(state.put(1, &path("app/more"), b""), Err(Error::QuotaExceeded));
    state.drop_snapshot(1, "s").expect("dropped");
    assert_eq!(state.used(1), 0);
    state.put(1, &path("app/more"), b"").expect("put");
    state.sync(None).expect("safe");
    let mut state = again(state, 3);
    assert_eq!(state.used(1), 8 + EXTRA);
    state.delete(1, &path("app/more")).expect("deleted");
}

#[test]
fn batches_are_of_one_change_to_their_bound() {
    let mut state = fresh(300);
    let puts = |count: usize| -> Vec<_> {
        (0..count).map(|number| Change::Put(path(&format!("app/{number}")), vec![])).collect()
    };
    assert_eq!(state.batch(2, &[]), Err(Error::Invalid));
    assert_eq!(state.batch(1, &puts(MAX_CHANGES + 1)), Err(Error::Invalid));
    assert_eq!(state.list(1, "", None, 9), Ok((vec![], None)));
    state.batch(1, &puts(MAX_CHANGES)).expect("at the bound");
    let both = [Change::Put(path("app/x"), vec![]), Change::Put(path("boot/x"), vec![])];
    assert_eq!(state.batch(1, &both), Err(Error::CrossDevice));
    let each = [Change::Put(path("app/y"), vec![]), Change::Delete(path("app/none"))];
    assert_eq!(state.batch(1, &each), Err(Error::NotFound));
    assert_eq!(state.stat(1, &path("app/y")), Err(Error::NotFound));
    assert_eq!(state.stat(1, &path("app/1/x")), Err(Error::NotDir));
    assert_eq!(state.stat(1, &path("app")), Err(Error::IsDir));
}

#[test]
fn the_numbers_of_errors_are_stable() {
    let numbers = Error::ALL.map(|error| (error.number(), format!("{error:?}")));
    let known = "1 NotFound, 2 Exists, 3 Invalid, 4 PermissionDenied, 5 QuotaExceeded, 9 ReadOnly, 10 Io, 11 Busy, \
                 14 IsDir, 15 NotDir, 16 NoSpace, 17 CrossDevice, 18 Integrity, 19 Rollback, 20 TooLarge, 21 ServerDied";
    let said: Vec<_> = numbers.iter().map(|(number, name)| format!("{number} {name}")).collect();
    assert_eq!(said.join(", "), known);
}
