//! Random histories: whatever the threads do, every rule holds after every step, and in the end nothing is left.

use neuron_model::{shrink, Generator, History, Model, Op, Start, Violation};

/// Histories in one run of this test; each is repeated from its seed alone.
const HISTORIES: u64 = if cfg!(debug_assertions) { 1_500 } else { 6_000 };
const STEPS: usize = 300;

fn violation(start: Start, history: &History) -> Option<Violation> {
    let mut model = Model::new(start);
    for (actor, op) in history {
        model.step(*actor, op);
        if let Err(violation) = model.check() {
            return Some(violation);
        }
    }
    None
}

fn starts(seed: u64) -> Start {
    match seed % 4 {
        0 => Start { pages: 60, cpu: 40, handles: 12 },
        1 => Start { pages: 200, cpu: 100, handles: 24 },
        _ => Start::default(),
    }
}

/// Makes up a history, checking after each step; on failure shows a short one that fails too.
fn run(seed: u64) -> Model {
    let start = starts(seed);
    let (mut model, mut generator) = (Model::new(start), Generator::new(seed));
    let mut history = History::new();
    for _ in 0..STEPS {
        let (actor, op) = generator.next(&model);
        history.push((actor, op.clone()));
        model.step(actor, &op);
        if model.check().is_err() {
            let short = shrink(history, |candidate| violation(start, candidate).is_some());
            let steps: Vec<String> = short.iter().map(|(actor, op)| format!("{actor:?} {op:?}")).collect();
            panic!("seed {seed}: {:?}\n{}", violation(start, &short), steps.join("\n"));
        }
    }
    model
}

#[test]
fn rules_hold_after_every_step() {
    for seed in 0..HISTORIES {
        run(seed);
    }
}

/// Whatever state a history led to: when the first quota is destroyed and process 0 ends, every page is back.
#[test]
fn nothing_is_left_at_the_end() {
    for seed in 0..HISTORIES / 4 {
        let mut model = run(seed);
        model.revoke_everything();
        model.check().unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        let seen = model.observe();
        assert!(seen.quotas.is_empty() && seen.processes.is_empty() && seen.threads.is_empty(), "seed {seed}: {seen:?}");
        assert_eq!(model.charged(), (0, 0), "seed {seed}");
    }
}

/// The generator reaches what it is for: every operation, each often answered with success and often refused.
#[test]
fn histories_reach_every_operation_both_ways() {
    use std::collections::BTreeMap;
    let mut seen: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for seed in 0..200 {
        let (mut model, mut generator) = (Model::new(starts(seed)), Generator::new(seed));
        for _ in 0..STEPS {
            let (actor, op) = generator.next(&model);
            let outcome = model.step(actor, &op);
            let name = format!("{op:?}").split([' ', '{']).next().unwrap_or_default().to_string();
            let count = seen.entry(name).or_default();
            match outcome.actor {
                neuron_model::Progress::Done(Err(_)) => count.1 += 1,
                _ => count.0 += 1,
            }
            if matches!(op, Op::ThreadExit { .. } | Op::Advance { .. }) {
                count.1 += 1;
            }
        }
    }
    assert_eq!(seen.len(), 26, "{seen:?}");
    for (name, (worked, refused)) in &seen {
        assert!(*worked >= 10 && *refused >= 10, "{name}: {worked} worked, {refused} refused");
    }
}
