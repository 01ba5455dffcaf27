//! The keeper over a shelf in memory: boots, bounds, and a shelf that fails at each step.

use std::collections::BTreeMap;

use nexus_records::{Crash, Entry, MAX_BYTES, Segment, paths};
use recordd::keeper::{BOOTS, CRASHES, Keeper, SEGMENTS, Shelf, WAITING};

#[derive(Default)]
struct Memory {
    values: BTreeMap<String, Vec<u8>>,
    /// Operations that still succeed; all, if nothing is said.
    good: Option<usize>,
}

impl Memory {
    fn act(&mut self) -> Result<(), ()> {
        match &mut self.good {
            Some(0) => Err(()),
            Some(good) => {
                *good -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn log(&self, boot: u32) -> Vec<String> {
        let of = |path: &&String| paths::read_log(path).is_some_and(|(of, _)| of == boot);
        let parts =
            self.values.keys().filter(of).map(|path| Segment::decode(&self.values[path]).expect("a part"));
        parts.flat_map(|part| part.entries).map(|entry| entry.text).collect()
    }

    fn boots(&self) -> Vec<u32> {
        let mut boots: Vec<u32> =
            self.values.keys().filter_map(|path| paths::read_log(path)).map(|(boot, _)| boot).collect();
        boots.dedup();
        boots
    }

    fn crashes(&self) -> Vec<(u32, u32)> {
        self.values.keys().filter_map(|path| paths::read_crash(path)).collect()
    }
}

impl Shelf for Memory {
    type Error = ();

    fn list(&mut self, prefix: &str) -> Result<Vec<String>, ()> {
        self.act()?;
        Ok(self.values.keys().filter(|path| path.starts_with(prefix)).cloned().collect())
    }

    fn get(&mut self, path: &str) -> Result<Option<Vec<u8>>, ()> {
        self.act()?;
        Ok(self.values.get(path).cloned())
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), ()> {
        self.act()?;
        self.values.insert(path.into(), bytes.into());
        Ok(())
    }

    fn delete(&mut self, path: &str) -> Result<(), ()> {
        self.act()?;
        self.values.remove(path);
        Ok(())
    }
}

fn entry(sequence: u64) -> Entry {
    Entry { sequence, text: format!("record {sequence}"), name: "someone".into(), ..Entry::default() }
}

fn crash(pc: u64) -> Crash {
    Crash {
        time: 1,
        hz: 1,
        unix: 0,
        code: 13,
        pc,
        address: 0,
        registers: [0; 31],
        image: [0; 16],
        service: 1,
        generation: 1,
        name: "someone".into(),
        program: "someone".into(),
    }
}

fn texts(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|sequence| format!("record {sequence}")).collect()
}

#[test]
fn each_boot_has_a_log_of_its_own_and_the_oldest_go() {
    let mut shelf = Memory::default();
    for boot in 1..=BOOTS + 3 {
        let mut keeper = Keeper::new(true, 10);
        assert!(!keeper.waits());
        assert_eq!(keeper.last(&mut shelf), Ok(None), "what another boot wrote is not this one's");
        keeper.log(entry(u64::from(boot)));
        assert!(keeper.waits());
        keeper.save(&mut shelf).expect("kept");
        assert!(!keeper.waits());
        assert_eq!(shelf.log(boot), texts(u64::from(boot)..u64::from(boot) + 1));
        keeper.log(entry(100));
        keeper.save(&mut shelf).expect("kept");
        assert_eq!(shelf.log(boot).len(), 2);
    }
    let newest = BOOTS + 3;
    assert_eq!(shelf.boots(), (newest - BOOTS..=newest).collect::<Vec<_>>());
}

#[test]
fn a_keeper_that_is_started_again_goes_on_with_the_same_boot() {
    let mut shelf = Memory::default();
    let mut keeper = Keeper::new(true, 10);
    (0..300).for_each(|sequence| keeper.log(entry(sequence)));
    keeper.save(&mut shelf).expect("kept");
    let mut again = Keeper::new(false, 10);
    assert_eq!(again.last(&mut shelf).map(|last| last.map(|last| last.sequence)), Ok(Some(299)));
    again.log(entry(300));
    again.crash(4, crash(4));
    again.save(&mut shelf).expect("kept");
    assert_eq!((shelf.log(1), shelf.boots(), shelf.crashes()), (texts(0..301), vec![1], vec![(1, 4)]));
}

#[test]
fn the_end_of_a_long_log_is_kept_and_no_more() {
    let mut shelf = Memory::default();
    let mut keeper = Keeper::new(true, 10);
    for sequence in 0..20_000 {
        keeper.log(entry(sequence));
        if sequence % 77 == 0 {
            keeper.save(&mut shelf).expect("kept");
            assert!(shelf.values.len() <= SEGMENTS as usize);
        }
    }
    keeper.save(&mut shelf).expect("kept");
    let log = shelf.log(1);
    assert_eq!(log, texts(20_000 - log.len() as u64..20_000));
    assert!(log.len() > 500, "{}", log.len());
    assert!(shelf.values.values().all(|part| part.len() <= MAX_BYTES));
    // Without a shelf for a long time the oldest of what waits goes, and no boot has more than its bound.
    let mut patient = Keeper::new(true, 10);
    (0..20_000).for_each(|sequence| patient.log(entry(sequence)));
    patient.save(&mut shelf).expect("kept");
    let log = shelf.log(2);
    assert_eq!(log, texts(20_000 - log.len() as u64..20_000));
    assert!(shelf.values.len() <= 2 * SEGMENTS as usize);
}

#[test]
fn the_newest_crashes_are_kept() {
    let mut shelf = Memory::default();
    for boot in 1..=4 {
        let mut keeper = Keeper::new(true, 10);
        for number in 0..10 {
            keeper.crash(number, crash(number.into()));
        }
        keeper.save(&mut shelf).expect("kept");
        keeper.crash(0, crash(0));
        keeper.save(&mut shelf).expect("again, which changes nothing");
        assert_eq!(shelf.crashes().last(), Some(&(boot, 9)));
    }
    let all: Vec<(u32, u32)> = (1..=4).flat_map(|boot| (0..10).map(move |number| (boot, number))).collect();
    assert_eq!(shelf.crashes(), all[all.len() - CRASHES..]);
    let bytes = &shelf.values[&paths::crash(4, 3)];
    assert_eq!(Crash::decode(bytes), Some(crash(3)));
    let mut flooded = Keeper::new(true, 10);
    (0..1000).for_each(|number| flooded.crash(number, crash(0)));
    flooded.save(&mut shelf).expect("kept");
    let kept = shelf.crashes().iter().filter(|(boot, _)| *boot == 5).count();
    assert_eq!(kept, WAITING);
}

#[test]
fn a_shelf_that_fails_anywhere_loses_nothing() {
    let mut before = Memory::default();
    for _ in 0..BOOTS + 1 {
        let mut keeper = Keeper::new(true, 10);
        keeper.log(entry(0));
        keeper.save(&mut before).expect("kept");
    }
    for good in 0..40 {
        let mut shelf = Memory { values: before.values.clone(), good: Some(good) };
        let mut keeper = Keeper::new(true, 10);
        (0..200).for_each(|sequence| keeper.log(entry(sequence)));
        keeper.crash(0, crash(7));
        let mut failures = 0;
        while keeper.save(&mut shelf).is_err() {
            failures += 1;
            shelf.good = Some(good + failures);
        }
        let boot = BOOTS + 2;
        assert_eq!((shelf.log(boot), shelf.crashes()), (texts(0..200), vec![(boot, 0)]), "{good}");
        assert_eq!(shelf.boots().len(), BOOTS as usize + 1);
    }
}
