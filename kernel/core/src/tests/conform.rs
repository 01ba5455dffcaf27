//! The kernel against its model: both make the same steps, and everything that can be observed is compared after each.
//!
//! The model (`kernel/model`) is the rules of `docs/ipc.md`; `docs/model.md` says what is compared and how to repeat a failure.
//! What must never happen here: a difference that is forgiven because the kernel has always done it so.

use super::corners::CORNERS;
use super::twin::Twin;
use neuron_model::{
    Explored, Model, Random, Script, Start, Step, Summary, Taste, end_all, explore, random_step, shrink,
    small,
};
use nexus_abi::{Error, Sysno};
use std::collections::BTreeSet;

/// How many random histories are run, by default and when everything is asked for.
const HISTORIES: u64 = 400;
const ALL_HISTORIES: u64 = 6000;
/// Set by `./nx test --full`.
const FULL: &str = "NEXUS_TEST_FULL";
/// Runs the history of this one seed.
const SEED: &str = "NEXUS_MODEL_SEED";

const STEPS: usize = 300;

/// What a history has shown.
#[derive(Default)]
struct Done {
    /// Calls that went the fast path.
    fast: usize,
    /// What was answered to what.
    seen: BTreeSet<(Sysno, Option<Error>)>,
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os(FULL).is_some() => 0..ALL_HISTORIES,
        None => 0..HISTORIES,
    }
}

/// A world to begin in.
type World = fn(Start) -> Script;

fn populated(start: Start) -> Script {
    let mut script = Script::new(Model::new(start));
    script.populate();
    script
}

/// Makes the steps of a history that can be made, in model and kernel; the first difference, and all steps.
fn run(
    world: World,
    fast: bool,
    next: &mut dyn FnMut(&Model) -> Option<Step>,
) -> (Vec<Step>, Result<Done, String>) {
    let mut twin = Twin::new(fast);
    let mut done = vec![];
    for step in world(twin.start()).steps {
        if let Err(what) = twin.step(&step) {
            return (done, Err(format!("making the world: {step:?}: {what}")));
        }
    }
    while let Some(step) = next(&twin.model) {
        let result = twin.step(&step);
        done.push(step);
        if let Err(what) = result {
            return (done, Err(what));
        }
    }
    for step in end_all(&twin.model) {
        if let Err(what) = twin.step(&step) {
            return (done, Err(format!("ending everything: {what}")));
        }
    }
    let end = twin.model.check_nothing_left();
    (done, end.map(|()| Done { fast: twin.world.taken, seen: std::mem::take(&mut twin.seen) }))
}

fn replay(world: World, fast: bool, steps: &[Step]) -> Result<Done, String> {
    let mut steps = steps.iter().cloned();
    run(world, fast, &mut |_| steps.next()).1
}

/// The random history of a seed.
fn history(seed: u64, fast: bool) -> Done {
    let mut random = Random::new(seed);
    let taste = Taste::of(seed);
    let mut left = STEPS;
    let (history, result) = run(populated, fast, &mut |model| {
        left = left.checked_sub(1)?;
        random_step(model, &mut random, taste)
    });
    result.unwrap_or_else(|what| {
        let length = history.len();
        let short = shrink(history, |steps| replay(populated, fast, steps).is_err());
        let steps: String = short.iter().map(|step| format!("    {step:?},\n")).collect();
        let again = replay(populated, fast, &short).err().unwrap_or_default();
        panic!("seed {seed}, fast {fast}, step {length}: {what}\nshortest, after populate():\n{steps}{again}")
    })
}

/// What no history can see, because nothing that a program can do leads there.
const UNSEEN: [(Sysno, Error); 3] = [
    // An endpoint cannot be duplicated, so it has every right.
    (Sysno::channel_recv, Error::AccessDenied),
    // The model's address space is smaller than the number of mappings.
    (Sysno::vm_map, Error::NoSpace),
    // The model's threads begin at a good place.
    (Sysno::thread_start, Error::Invalid),
];

#[test]
fn the_kernel_does_what_the_model_says() {
    let mut seen = BTreeSet::new();
    for seed in seeds() {
        seen.extend(history(seed, false).seen);
    }
    for corner in CORNERS {
        let mut script = populated(Twin::new(false).start());
        let setup = script.steps.len();
        corner(&mut script);
        let steps = script.steps.split_off(setup);
        for fast in [false, true] {
            seen.extend(
                replay(populated, fast, &steps).unwrap_or_else(|what| panic!("{what}\n{steps:#?}")).seen,
            );
        }
    }
    if std::env::var_os(SEED).is_some() {
        return;
    }
    // Histories that never come to a rule do not compare it.
    let called: BTreeSet<Sysno> = seen.iter().map(|(number, _)| *number).collect();
    for row in Sysno::TABLE.iter().filter(|row| called.contains(&row.number)) {
        for error in row.errors.iter().filter(|error| !UNSEEN.contains(&(row.number, **error))) {
            assert!(
                seen.contains(&(row.number, Some(*error))),
                "no history saw {} answer {error:?}",
                row.name
            );
        }
        assert!(seen.contains(&(row.number, None)), "no history saw {} succeed", row.name);
    }
}

#[test]
fn the_kernel_with_its_fast_path_does_what_the_model_says() {
    let taken: usize = seeds().map(|seed| history(seed, true).fast).sum();
    assert!(std::env::var_os(SEED).is_some() || taken > 1000, "only {taken} calls took the fast path");
}

/// Every step that can be made from every state of a small world, `depth` steps deep.
fn every_history(world: World, alphabet: fn(&Model) -> Vec<Step>, depth: usize) -> Explored {
    let start = world(Twin::new(false).start()).model;
    let check = |model: &Model, before: &Summary, history: &[Step]| {
        for fast in [false, true] {
            replay(world, fast, history)?;
        }
        model.check(before)
    };
    explore(start, alphabet, depth, check).unwrap_or_else(|(history, what)| panic!("{what}\n{history:#?}"))
}

#[test]
fn every_short_history_of_small_worlds() {
    let more = std::env::var_os(FULL).is_some() as usize;
    let transfers = every_history(|start| small::pair(start, 1), small::transfers, 2 + more);
    let waits = every_history(small::served, small::ports, 3 + more);
    println!("{transfers:?} {waits:?}");
}
