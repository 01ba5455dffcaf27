//! Random histories of the model alone: every property holds after every step, and each broken rule is noticed.

use neuron_model::*;
use nexus_abi::{Kind, Rights};

const HISTORIES: u64 = 300;
const STEPS: usize = 200;

/// Runs steps in a fresh world. The first property that does not hold, and after how many steps.
fn run(
    fault: Option<Fault>,
    next: &mut dyn FnMut(&Model) -> Option<Step>,
) -> (Vec<Step>, Result<(), String>) {
    let start = Start { pages: 400, cpu: 900, handles: HANDLES, fault };
    let mut script = Script::new(Model::new(start));
    script.populate();
    let (mut model, mut done) = (script.model, vec![]);
    let mut before = match model.summary() {
        Ok(summary) => summary,
        Err(what) => return (done, Err(what)),
    };
    while let Some(step) = next(&model) {
        model.step(&step);
        done.push(step);
        match model.check(&before) {
            Ok(now) => before = now,
            Err(what) => return (done, Err(what)),
        }
    }
    for step in end_all(&model) {
        model.step(&step);
        match model.check(&before) {
            Ok(now) => before = now,
            Err(what) => return (done, Err(format!("{what}, ending everything"))),
        }
    }
    let nothing_left = model.check_nothing_left();
    (done, nothing_left)
}

fn replay(fault: Option<Fault>, steps: &[Step]) -> Result<(), String> {
    let mut steps = steps.iter().cloned();
    run(fault, &mut |_| steps.next()).1
}

fn random(fault: Option<Fault>, seed: u64) -> (Vec<Step>, Result<(), String>) {
    let mut random = Random::new(seed);
    let taste = Taste::of(seed);
    let mut left = STEPS;
    run(fault, &mut |model| {
        left = left.checked_sub(1)?;
        random_step(model, &mut random, taste)
    })
}

#[test]
fn every_property_holds_after_every_step() {
    let mut steps = 0;
    for seed in 0..HISTORIES {
        let (history, result) = random(None, seed);
        steps += history.len();
        if let Err(what) = result {
            let short = shrink(history, |steps| replay(None, steps).is_err());
            panic!("seed {seed}: {what}\n{short:#?}\n{:?}", replay(None, &short));
        }
    }
    println!("{HISTORIES} histories, {steps} steps");
}

#[test]
fn every_broken_rule_is_noticed() {
    // What chance finds too seldom has a history of its own below.
    for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::SealOverlooksFlight) {
        let found = (0..HISTORIES).find_map(|seed| {
            let (history, result) = random(Some(fault), seed);
            result.err().map(|what| (seed, history, what))
        });
        let Some((seed, history, what)) = found else { panic!("{fault:?} was not noticed") };
        println!("{fault:?}: seed {seed}, step {}: {what}", history.len());
    }
}

/// The handle that the first thread's last system call made.
fn made(model: &Model) -> Slot {
    match &model.thread(BOOT_THREAD).doing {
        Doing::Running(Ghost(Answer::Handles(made))) => made[0],
        other => panic!("{other:?}"),
    }
}

/// The first process sends the writable handle of a vmo away, keeps one that can seal, and seals while nobody has
/// received the other.
#[test]
fn sealing_sees_a_writable_handle_on_its_way() {
    let seal = |fault| {
        let (mut n, mut vmo, mut copy) = (0, 0, 0);
        run(fault, &mut |model| {
            n += 1;
            Some(Step::Do(
                BOOT_THREAD,
                match n {
                    1 => Op::VmoCreate { quota: 2, bytes: 4096 },
                    2 => {
                        vmo = made(model);
                        Op::Dup { handle: vmo, rights: (Rights::SEAL | Rights::READ).bits() }
                    }
                    3 => {
                        copy = made(model);
                        let mut table = model.process(BOOT_PROCESS).table.open();
                        let (end, _) = table.find(|(_, c)| c.kind == Kind::Channel)?;
                        let draft = Draft { handles: slots(&[vmo]), ..Draft::default() };
                        Op::Send { end, draft, at: Buffers::default(), deadline: Deadline::Now }
                    }
                    4 => Op::Seal { vmo: copy },
                    _ => return None,
                },
            ))
        })
        .1
    };
    assert_eq!(seal(None), Ok(()));
    assert!(seal(Some(Fault::SealOverlooksFlight)).is_err());
}
