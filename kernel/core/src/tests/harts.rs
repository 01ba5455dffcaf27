//! Several harts on one thread of the host: each is a coroutine, and a seed says before which accesses to shared memory
//! another one goes on. The same seed gives the same interleaving, everywhere.

use super::atomics::Change;
use core::sync::atomic::Ordering;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

thread_local! {
    /// The hart whose code runs.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
    /// A hart gives way before one in so many accesses; 0: nobody steers.
    static CHANCE: Cell<u64> = const { Cell::new(0) };
    static RANDOM: Cell<u64> = const { Cell::new(1) };
    /// Where accesses are noted, if they are.
    static TOUCHED: RefCell<Option<Touched>> = const { RefCell::new(None) };
}

/// The hart whose code runs, while harts are interleaved.
pub fn current() -> Option<usize> {
    CURRENT.get()
}

/// xorshift64*: the same numbers for the same seed, everywhere.
pub fn random(state: u64) -> (u64, u64) {
    let mut x = state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    (x, x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33)
}

fn draw() -> u64 {
    let (state, value) = random(RANDOM.get());
    RANDOM.set(state);
    value
}

/// Lets another hart go on. Called from deep in the kernel's code, which knows nothing of coroutines.
#[expect(deprecated, reason = "its successor must be handed down to whoever gives way")]
fn give_way() {
    generator::yield_with(());
}

/// A number below `bound`, for what happens in a history: the same seed draws the same.
pub fn below(bound: u64) -> u64 {
    draw() % bound
}

/// Does something that no other hart sees half done.
pub fn alone<T>(act: impl FnOnce() -> T) -> T {
    /// Sets it again also when the act panics.
    struct Back(u64);
    impl Drop for Back {
        fn drop(&mut self) {
            CHANCE.set(self.0);
        }
    }
    let _back = Back(CHANCE.replace(0));
    act()
}

/// The same, and what it touches is not noted.
pub fn unseen<T>(act: impl FnOnce() -> T) -> T {
    let touched = TOUCHED.take();
    let result = alone(act);
    TOUCHED.set(touched);
    result
}

/// Lets another hart go on, because this one has nothing to do.
pub fn rest() {
    if CURRENT.get().is_some() {
        give_way();
    }
}

/// What was touched, by address.
#[derive(Default)]
pub struct Touched {
    /// What was read.
    pub read: BTreeSet<usize>,
    /// What was written, locks included.
    pub written: BTreeSet<usize>,
    /// What was changed in one step, as a lock is taken, and how often.
    pub changed: BTreeMap<usize, usize>,
}

/// Notes in `touched` what `work` touches of what harts share.
pub fn touching<T>(touched: &mut Touched, work: impl FnOnce() -> T) -> T {
    let outer = TOUCHED.replace(Some(std::mem::take(touched)));
    let result = work();
    *touched = TOUCHED.replace(outer).unwrap_or_default();
    result
}

fn note(with: impl FnOnce(&mut Touched)) {
    TOUCHED.with_borrow_mut(|touched| touched.as_mut().map(with));
}

/// Where an access goes: nothing is kept beside the memory itself.
pub struct Place(usize);

impl Place {
    pub fn load(&self, _: Ordering) -> Option<u64> {
        note(|touched| _ = touched.read.insert(self.0));
        None
    }

    pub fn store(&self, _: u64, _: Ordering) -> Option<()> {
        note(|touched| _ = touched.written.insert(self.0));
        None
    }

    pub fn change(&self, _: Change, _: Ordering) -> Option<u64> {
        note(|touched| {
            touched.written.insert(self.0);
            *touched.changed.entry(self.0).or_default() += 1;
        });
        None
    }
}

/// An access is about to happen.
#[inline]
pub fn place(at: usize, _: impl FnOnce() -> u64) -> Place {
    let chance = CHANCE.get();
    if chance != 0 && draw().is_multiple_of(chance) {
        give_way();
    }
    Place(at)
}

/// A hart waits for another one.
pub fn pause() {
    match CHANCE.get() {
        0 => std::thread::yield_now(),
        _ => give_way(),
    }
}

pub fn fence(order: Ordering) {
    core::sync::atomic::fence(order);
}

/// Names the seed if the test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("interleaving of seed {}", self.0);
        }
        CHANCE.set(0);
        CURRENT.set(None);
    }
}

/// Words of stack of a hart's coroutine.
const STACK: usize = 0x1_0000;

/// Turns after which every history has ended.
const MOST_TURNS: u64 = 20_000_000;

/// Runs what each hart does, hart by hart from 0 on, interleaved as `seed` says, until all have returned.
pub fn interleave(seed: u64, work: Vec<Box<dyn FnOnce() + Send + '_>>) {
    let _seed = Seed(seed);
    RANDOM.set(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    super::order::forget_held();
    // Some histories change harts at nearly every access, some let a hart go far.
    let chance = [2, 5, 15, 40, 120][draw() as usize % 5];
    let mut harts: Vec<_> = work.into_iter().map(|work| generator::Gn::<()>::new_opt(STACK, work)).collect();
    let mut turns = 0;
    while harts.iter().any(|hart| !hart.is_done()) {
        turns += 1;
        assert!(turns < MOST_TURNS, "the harts go on for ever");
        let next = draw() as usize % harts.len();
        if !harts[next].is_done() {
            CURRENT.set(Some(next));
            CHANCE.set(chance);
            harts[next].resume();
            CHANCE.set(0);
        }
    }
}

/// Interleavings of each model.
const SEEDS: u64 = 200;

/// Runs a model in [`SEEDS`] interleavings: `build` makes it, each of `work` is what a hart does (0, 1, …), `check` looks at
/// the end, when every hart is done. The bound is Loom's.
pub fn explore<M: Sync>(_bound: usize, build: fn() -> M, work: &[fn(&M)], check: fn(&M)) {
    for seed in 0..SEEDS {
        let model = build();
        let harts = work.iter().map(|work| Box::new(|| work(&model)) as Box<dyn FnOnce() + Send>);
        interleave(seed, harts.collect());
        check(&model);
    }
}

#[test]
fn harts_are_interleaved_and_a_lock_keeps_them_apart() {
    use crate::sync::{Cell32, Lock};
    let mut clashes = 0;
    for seed in 0..100 {
        let (lock, guarded, open) = (Lock::new(), Cell32::new(0), Cell32::new(0));
        let work = || {
            for _ in 0..10 {
                let _held = lock.hold();
                guarded.add(1);
            }
            (0..10).for_each(|_| open.add(1));
        };
        interleave(seed, vec![Box::new(work), Box::new(work), Box::new(work)]);
        assert_eq!(guarded.get(), 30, "seed {seed}");
        clashes += (open.get() != 30) as u32;
    }
    assert!(clashes > 20, "without a lock, only {clashes} of 100 interleavings lost something");
}
