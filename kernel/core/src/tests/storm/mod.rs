//! Random histories over several harts: processes of several threads make every kind of system call, are killed and revoked and
//! made anew, while at any access to shared memory another hart may go on. The same seed gives the same history.
//!
//! What is looked for: a thread that is ready while a hart sleeps that nobody calls, a waiter that nothing wakes, a deadline that is
//! not armed, a message lost, doubled or changed, a reference or a page too many or too few, a translation used after
//! its time. `NEXUS_STORM_SEED` repeats one history.

mod audit;
mod machine;
mod program;
mod root;

use self::machine::Place;
use self::program::{Program, Sent};
use super::harts::interleave;
use super::host::{Fault, Host};
use super::tlb::Watch;
use super::world::World;
use crate::memory::Frame;
use nexus_abi::bounds::MAX_HARTS;
use nexus_abi::{Error, Handle, Kind, Rights, Sysno};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A history: the machine, and what its programs remember of what they did.
pub struct Storm {
    world: World,
    notes: Mutex<Notes>,
    over: AtomicBool,
    /// Steps that programs have made, and how many they make before everything is ended.
    steps: AtomicU64,
    length: u64,
    /// Programs mostly call and serve each other.
    calm: bool,
    /// Free frames before anything was made.
    frames: u32,
}

/// What is kept beside the machine.
pub struct Notes {
    places: [Place; MAX_HARTS],
    /// The program of each thread, by its raw reference.
    programs: BTreeMap<u64, Program>,
    /// Every message by its number.
    sent: BTreeMap<u64, Sent>,
    /// What was answered to what.
    seen: BTreeMap<(Sysno, Option<Error>), u64>,
    /// Calls that took the fast path; times that all harts slept.
    fast: u64,
    quiet: u64,
    received: u64,
    answered: u64,
}

/// Handles of the first process.
const ROOT_HANDLES: u32 = 60;
/// Room for the end of a history: steps after which it must have come.
const MOST_STEPS: u64 = 200_000;

impl Storm {
    /// A machine with so many harts and bits of identifiers, and one process whose only thread makes the others.
    fn new(harts: usize, asid_bits: u32, fault: Fault, length: u64, calm: bool) -> Storm {
        let mut world = World::of_machine(Host::with_fault(fault), asid_bits, harts, true);
        let kernel = world.kernel;
        let frames = kernel.memory.free_frames();
        let quota = world.quota;
        kernel.make_process(Frame::NONE, quota, 1, ROOT_HANDLES, 20, 100).expect("process");
        let process = Frame(kernel.memory.page::<crate::objects::Quota>(quota.frame).objects.get());
        let home = kernel.reference(process);
        let vmo = kernel.make_vmo(quota, 4096).expect("vmo");
        let mine = kernel.publish(process, vmo, Kind::Vmo.all_rights()).expect("room");
        let range = [0, 4096, super::world::PAGE_AT];
        kernel.map(home, kernel.reference(vmo), range, Rights::READ | Rights::WRITE).expect("map");
        let mut gifts = vec![];
        kernel.memory.header(quota.frame).refs.add(1);
        for (frame, kind) in [
            (quota.frame, Kind::Quota),
            (kernel.create(quota, Kind::Identity, 1).expect("identity"), Kind::Identity),
            (kernel.create(quota, Kind::Resource, 1).expect("resource"), Kind::Resource),
        ] {
            if kind == Kind::Identity {
                kernel.memory.page::<crate::objects::Identity>(frame).service.set(1);
            }
            if kind == Kind::Quota {
                let capability = crate::handles::Capability {
                    object: quota,
                    kind,
                    end: 0,
                    rights: kind.all_rights() - Rights::MANAGE,
                };
                gifts.push(kernel.table(process).insert(&kernel.memory, capability).expect("room"));
            } else {
                gifts.push(kernel.publish(process, frame, kind.all_rights()).expect("room"));
            }
        }
        let thread = kernel.make_thread(home, quota, 15).expect("thread");
        kernel.join(home, thread).expect("join");
        kernel.begin(kernel.hart(0), thread, [0x4000, 0x8000, 0], Handle::NONE);
        world.processes.push(process);
        let root = root::Root::new(gifts[0], gifts[1], gifts[2], mine);
        let notes = Notes {
            places: [Place::Kernel; MAX_HARTS],
            programs: [(kernel.reference(thread).to_raw(), Program::root(root))].into(),
            sent: BTreeMap::new(),
            seen: BTreeMap::new(),
            fast: 0,
            quiet: 0,
            received: 0,
            answered: 0,
        };
        let (over, steps) = (AtomicBool::new(false), AtomicU64::new(0));
        Storm { world, notes: Mutex::new(notes), over, steps, length, calm, frames }
    }

    fn note<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        act(&mut self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Whether it is time to end everything.
    fn is_ending(&self) -> bool {
        self.steps.load(Ordering::Relaxed) >= self.length
    }

    fn count_step(&self) {
        let steps = self.steps.fetch_add(1, Ordering::Relaxed);
        assert!(steps < self.length + MOST_STEPS, "the history does not end");
    }

    /// Whether every process has ended.
    fn is_empty(&self) -> bool {
        let quota = self.world.kernel.memory.page::<crate::objects::Quota>(self.world.quota.frame);
        quota.used.get() == 0
    }

    /// Nothing is left: what was taken has come back.
    fn end(&self) {
        let free = self.world.kernel.memory.free_frames();
        assert_eq!(free, self.frames, "frames were lost");
        self.over.store(true, Ordering::Relaxed);
    }
}

/// What histories have shown.
#[derive(Default)]
struct Shown {
    seen: BTreeMap<(Sysno, Option<Error>), u64>,
    fast: u64,
    quiet: u64,
    received: u64,
    answered: u64,
}

/// One history. Panics with what it found.
fn history(seed: u64, harts: usize, fault: Fault, length: u64) -> Shown {
    let watch = Watch::begin();
    // On some machines identifiers are few, and processes share one.
    let asid_bits = if seed.is_multiple_of(3) { 2 } else { 16 };
    let storm = Storm::new(harts, asid_bits, fault, length, seed % 4 >= 2);
    let work = (0..harts).map(|id| {
        let storm = &storm;
        Box::new(move || storm.run(id)) as Box<dyn FnOnce() + Send>
    });
    interleave(seed, work.collect());
    drop(watch);
    storm.note(|notes| Shown {
        seen: std::mem::take(&mut notes.seen),
        fast: notes.fast,
        quiet: notes.quiet,
        received: notes.received,
        answered: notes.answered,
    })
}

/// Runs the history of this one seed.
const SEED: &str = "NEXUS_STORM_SEED";
/// What no history does: a program that gives up never comes back to say so, and nobody has the console.
const UNDONE: [Sysno; 4] =
    [Sysno::thread_exit, Sysno::console_write, Sysno::machine_reset, Sysno::identity_create];
const HISTORIES: u64 = 60;
const ALL_HISTORIES: u64 = 3000;
/// Steps of programs in a history.
const LENGTH: u64 = 3000;

fn seeds() -> std::ops::Range<u64> {
    match std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os("NEXUS_TEST_FULL").is_some() => 0..ALL_HISTORIES,
        None => 0..HISTORIES,
    }
}

#[test]
fn histories_on_several_harts_lose_nothing_and_nobody_sleeps_while_there_is_work() {
    let mut all = Shown::default();
    for seed in seeds() {
        let shown = history(seed, 2 + seed as usize % 3, Fault::None, LENGTH);
        shown.seen.into_iter().for_each(|(what, times)| *all.seen.entry(what).or_default() += times);
        all.fast += shown.fast;
        all.quiet += shown.quiet;
        all.received += shown.received;
        all.answered += shown.answered;
    }
    if std::env::var_os(SEED).is_some() {
        return;
    }
    // Histories in which nothing happens find nothing.
    let shown = (all.fast, all.received, all.answered, all.quiet);
    assert!(all.fast > 100 && all.received > 1500 && all.answered > 1000 && all.quiet > 1000, "{shown:?}");
    let done: BTreeSet<Sysno> = all.seen.keys().filter(|(_, e)| e.is_none()).map(|(n, _)| *n).collect();
    let missing: Vec<_> = Sysno::TABLE.iter().map(|row| row.number).filter(|n| !done.contains(n)).collect();
    assert!(missing.iter().all(|number| UNDONE.contains(number)), "no history did {missing:?}");
}
/// The first of some histories that finds something says this.
fn caught(fault: Fault, harts: usize) -> String {
    for seed in 0..40 {
        if let Err(thrown) = std::panic::catch_unwind(|| history(seed, harts, fault, LENGTH)) {
            let text = thrown.downcast_ref::<String>().cloned();
            let text = text.or_else(|| thrown.downcast_ref::<&str>().map(|text| text.to_string()));
            return text.unwrap_or_default();
        }
    }
    String::new()
}

#[test]
fn a_fence_that_is_missing_late_or_only_local_is_noticed() {
    for (fault, harts) in [
        (Fault::FenceLeftOut(0), 2),
        (Fault::FenceLeftOut(1), 3),
        (Fault::FenceLate, 2),
        (Fault::FenceLate, 1),
    ] {
        let text = caught(fault, harts);
        assert!(text.contains("reaches freed") || text.contains("was before"), "{fault:?}: {text:?}");
    }
}

#[test]
fn a_hart_that_is_not_called_and_a_timer_that_is_not_set_are_noticed() {
    let text = caught(Fault::NobodyCalled, 2);
    assert!(text.contains("sleeps while a thread is ready") || text.contains("does not end"), "{text:?}");
    let text = caught(Fault::TimerKept, 2);
    assert!(text.contains("oversleeps") || text.contains("sleeps for ever"), "{text:?}");
}
