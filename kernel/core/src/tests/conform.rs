//! The kernel against its model: both make the same steps, and everything that can be observed is compared after each.
//!
//! The model (`kernel/model`) is the rules of `docs/ipc.md`; `docs/model.md` says what is compared and how to repeat a failure.
//! What must never happen here: a difference that is forgiven because the kernel has always done it so.

use super::twin::Twin;
use neuron_model::{Model, Random, Step, Taste, populate, random_step, shrink};

/// How many random histories are run, by default and when everything is asked for.
const HISTORIES: u64 = 150;
const ALL_HISTORIES: u64 = 6000;
/// Set by `./nx test --full`.
const FULL: &str = "NEXUS_TEST_FULL";
/// Runs the history of this one seed.
const SEED: &str = "NEXUS_MODEL_SEED";

const STEPS: usize = 300;

fn seeds() -> std::ops::Range<u64> {
    match std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os(FULL).is_some() => 0..ALL_HISTORIES,
        None => 0..HISTORIES,
    }
}

/// Makes the steps of a history that can be made, in model and kernel; the first difference, and all steps.
fn run(fast: bool, next: &mut dyn FnMut(&Model) -> Option<Step>) -> (Vec<Step>, Result<usize, String>) {
    let mut twin = Twin::new(fast);
    let mut done = vec![];
    let mut setup = Model::new(twin.start());
    for step in populate(&mut setup) {
        if let Err(what) = twin.step(&step) {
            return (done, Err(format!("populating: {step:?}: {what}")));
        }
    }
    while let Some(step) = next(&twin.model) {
        let result = twin.step(&step);
        done.push(step);
        if let Err(what) = result {
            return (done, Err(what));
        }
    }
    (done, Ok(twin.world.taken))
}

fn replay(fast: bool, steps: &[Step]) -> Result<usize, String> {
    let mut steps = steps.iter().cloned();
    run(fast, &mut |_| steps.next()).1
}

/// The random history of a seed; calls that went the fast path.
fn history(seed: u64, fast: bool) -> usize {
    let mut random = Random::new(seed);
    let taste = Taste::of(seed);
    let mut left = STEPS;
    let (history, result) = run(fast, &mut |model| {
        left = left.checked_sub(1)?;
        random_step(model, &mut random, taste)
    });
    result.unwrap_or_else(|what| {
        let length = history.len();
        let short = shrink(history, |steps| replay(fast, steps).is_err());
        let steps: String = short.iter().map(|step| format!("    {step:?},\n")).collect();
        let again = replay(fast, &short).err().unwrap_or_default();
        panic!("seed {seed}, fast {fast}, step {length}: {what}\nshortest, after populate():\n{steps}{again}")
    })
}

#[test]
fn the_kernel_does_what_the_model_says() {
    seeds().for_each(|seed| {
        history(seed, false);
    });
}

#[test]
fn the_kernel_with_its_fast_path_does_what_the_model_says() {
    let taken: usize = seeds().map(|seed| history(seed, true)).sum();
    println!("{taken} calls took the fast path");
}
