//! System calls of several threads at the same time, each on a hart of its own, against the model: wherever the harts overtake
//! each other, what comes of it is what the model says of these calls in some order.
//!
//! A history is as in `conform.rs`, but now and then some threads call at once (`calls.rs`); some are written down (`corners.rs`). All their calls begin before any
//! ends, so every order of them is one that could have been (Herlihy and Wing, "Linearizability", 1990); the model is asked about
//! each until one agrees in everything that is compared (`search.rs`), and goes on from there. What must never happen here: an
//! allowance that programs could tell from all that `docs/model.md` names.

mod calls;
mod corners;
mod search;

use self::calls::{Call, draw};
use self::search::{Left, Move, Search};
use super::harts::{interleave, rest};
use super::twin::{TICK, Twin, trap};
use super::world::World;
use crate::handles::ObjectRef;
use crate::thread::{resume, state};
use neuron_model::{Model, Random, Script, Step, Taste, end_all, random_step};
use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Harts, and so calls at once at most.
const HARTS: usize = 3;
/// Times that a call may wait for another hart.
const MOST_TURNS: u32 = 1000;
/// Times in a history that several call at once.
const EPISODES: usize = 60;
const HISTORIES: u64 = 120;
const ALL_HISTORIES: u64 = 4000;
const FULL: &str = "NEXUS_TEST_FULL";
/// Runs the history of this one seed.
const SEED: &str = "NEXUS_TOGETHER_SEED";

/// What histories have shown.
#[derive(Default)]
struct Shown {
    /// Times that several called at once.
    episodes: usize,
    /// Times that the order of the harts was none that could have been.
    reordered: usize,
}

/// What a hart does that has been called, whose timer may be due, or whose thread is to end.
fn look_around(world: &World) {
    world.answer_call();
    world.kernel.timer(world.hart());
    world.end_dead();
    world.take_apart();
    if !world.hart().running().exists() {
        world.kernel.leave_space(world.hart());
    }
}

/// What a hart does whose own call is over, until none is left.
fn wait_for(left: &AtomicUsize, world: &World) {
    while left.load(Ordering::Relaxed) != 0 {
        look_around(world);
        rest();
    }
}

impl Twin {
    /// Some threads that can run call at once, each on its own hart, overtaking each other as `seed` says; if `tick` is set, one
    /// passes meanwhile. The moves of the model that come to the same; an error tells why none do.
    fn together(&mut self, calls: &[Call], tick: bool, seed: u64) -> Result<Vec<Move>, String> {
        let mut numbers = vec![];
        for (hart, (thread, op)) in calls.iter().enumerate() {
            let (number, registers) = self.prepare(*thread, op);
            self.world.go_to(hart);
            self.set_out(*thread, number, &registers);
            numbers.push(number);
        }
        self.world.go_to(0);
        let (world, left, wrong) = (&self.world, AtomicUsize::new(calls.len()), Mutex::new(None));
        let (left, wrong) = (&left, &wrong);
        let mut work: Vec<Box<dyn FnOnce() + Send>> = vec![];
        for number in numbers {
            work.push(Box::new(move || {
                for turn in 1.. {
                    match trap(world, number) {
                        Ok(_) => break,
                        Err(what) if turn == MOST_TURNS => {
                            wrong.lock().expect("nobody panicked").get_or_insert(what);
                            break;
                        }
                        // It waits for another hart.
                        Err(_) => rest(),
                    }
                }
                world.end_dead();
                left.fetch_sub(1, Ordering::Relaxed);
                wait_for(left, world);
            }));
        }
        if tick {
            // The last hart has the time.
            work.resize_with(HARTS - 1, || Box::new(|| ()));
            work.push(Box::new(move || {
                world.kernel.platform.clock.fetch_add(TICK, Ordering::Relaxed);
                wait_for(left, world);
            }));
        }
        interleave(seed, work);
        if let Some(what) = wrong.lock().expect("nobody panicked").take() {
            return Err(what);
        }
        self.come_to_rest();
        let before = self.model.clone();
        let mut path = vec![];
        let mut search = Search { twin: self, calls, before: before.clone(), refuted: vec![] };
        if !search.explain(&before, &Left { calls: calls.to_vec(), tick }, &mut path) {
            return Err(search.refuted.join("\n"));
        }
        self.model = before;
        for made in &path {
            match made {
                Move::Step(step) => _ = self.step_model(step)?,
                other => _ = other.make(&mut self.model),
            }
        }
        for (thread, _) in calls {
            if self.model.can_run(*thread) {
                self.note_seen(*thread);
            }
        }
        Ok(path)
    }

    /// No hart has anything left to do, and no thread is on one.
    fn come_to_rest(&self) {
        for _ in 0..HARTS {
            for hart in (0..self.world.harts).rev() {
                self.world.go_to(hart);
                look_around(&self.world);
                self.world.hart().resched.set(0);
                self.world.take_off();
                self.world.kernel.leave_space(self.world.hart());
            }
        }
        // Who was handed an event goes on with that, whatever happens meanwhile.
        for (id, object) in &self.links {
            if self.resumes(*object) == Some(resume::EVENT) {
                self.put_on(*id);
                self.world.kernel.resume(self.world.hart(), object.frame);
            }
        }
        self.world.take_off();
    }

    /// Where a thread that is ready goes on.
    fn resumes(&self, object: ObjectRef) -> Option<u32> {
        let kernel = self.world.kernel;
        if !self.world.threads.contains(&object) || kernel.reference(object.frame) != object {
            return None;
        }
        let t = kernel.thread(object.frame);
        (t.doing().0 == state::READY).then(|| t.resume.get())
    }
}

/// A world in which `steps` were done.
fn world_after(steps: &[Step], fast: bool) -> Twin {
    let mut twin = Twin::on_harts(HARTS, fast);
    for step in steps {
        twin.step(step).unwrap_or_else(|what| panic!("{step:?}: {what}"));
    }
    twin
}

fn populated() -> Script {
    let mut script = Script::new(Model::new(Twin::new(false).start()));
    script.populate();
    script
}

/// The history of a seed.
fn history(seed: u64, fast: bool) -> Shown {
    let mut twin = world_after(&populated().steps, fast);
    let (mut random, taste) = (Random::new(seed), Taste::of(seed));
    let mut shown = Shown::default();
    let done = RefCell::new(vec![]);
    let fail = |what: &str| -> ! {
        let done = done.borrow();
        let last = &done[done.len().saturating_sub(12)..];
        panic!("{SEED}={seed}, fast {fast}: {what}\nlast:\n{}", last.join("\n"))
    };
    for episode in 0..EPISODES {
        for _ in 0..random.below(5) {
            let Some(step) = random_step(&twin.model, &mut random, taste) else { break };
            done.borrow_mut().push(format!("    {step:?}"));
            twin.step(&step).unwrap_or_else(|what| fail(&what));
        }
        // Time passes in some, on the hart that one call less leaves.
        let tick = random.below(4) == 0;
        let calls = draw(&twin.model, &mut random, taste, tick);
        if calls.len() + (tick as usize) < 2 {
            continue;
        }
        done.borrow_mut().push(format!("    at once: {calls:?}, tick {tick}"));
        let path = twin.together(&calls, tick, seed * EPISODES as u64 + episode as u64);
        let path =
            path.unwrap_or_else(|what| fail(&format!("no order of these calls comes to this:\n{what}")));
        shown.episodes += 1;
        let first = path.iter().find_map(|made| match made {
            Move::Step(Step::Do(thread, _) | Step::Straight(thread, _)) => Some(*thread),
            _ => None,
        });
        shown.reordered += (first != calls.first().map(|(thread, _)| *thread)) as usize;
    }
    for step in end_all(&twin.model) {
        twin.step(&step).unwrap_or_else(|what| fail(&what));
    }
    twin.model.check_nothing_left().unwrap_or_else(|what| fail(&what));
    shown
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os(FULL).is_some() => 0..ALL_HISTORIES,
        None => 0..HISTORIES,
    }
}

#[test]
fn calls_made_at_once_come_to_what_the_model_says_of_some_order() {
    let mut all = Shown::default();
    for seed in seeds() {
        for fast in [false, true] {
            let shown = history(seed, fast);
            all.episodes += shown.episodes;
            all.reordered += shown.reordered;
        }
    }
    println!("{} times at once, {} in another order than their harts'", all.episodes, all.reordered);
    if std::env::var_os(SEED).is_some() {
        return;
    }
    assert!(all.episodes > 1000 && all.reordered > 100);
}
