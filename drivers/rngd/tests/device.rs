//! The whole of `rngd`'s logic against a fake device: as it should be, hostile, and with the driver dead after each step.

use fake_virtio::models::Entropy;
use fake_virtio::{FakeMemory, FakeRegisters, Kind, Mischief, World};
use nexus_driver::Fault;
use rngd::generator::{KEY, RESEED_AFTER};
use rngd::service::{MAX_FAULTS, Service};
use rngd::source::{ASK, Source};

const PATIENCE: u64 = 100;
const PAGES: usize = 4;

type Subject = Service<FakeRegisters, FakeMemory>;

fn start(world: &World, now: u64) -> Option<Subject> {
    Some(Service::new(Source::new(world.registers(), &mut world.pool()).ok()?, PATIENCE, now))
}

/// Lets device and driver go on until nothing more happens by itself.
fn settle(world: &World, subject: &mut Subject, now: u64) {
    for _ in 0..20 {
        if !world.work() {
            break;
        }
        subject.interrupt(now);
    }
}

fn world(model: Entropy, seed: u64, mischief: Mischief) -> World {
    World::new(model, PAGES, seed, mischief)
}

#[test]
fn entropy_becomes_random_bytes() {
    let world = world(Entropy::default(), 1, Mischief::none());
    let mut subject = start(&world, 0).unwrap();
    let mut out = [0; 32];
    assert!(!subject.fill(&mut out, 0), "output before any entropy");
    settle(&world, &mut subject, 0);
    assert!(subject.fill(&mut out, 0));
    assert_eq!(world.model(|model: &mut Entropy| model.given.len()), ASK);
    assert_eq!(subject.deadline(), None, "nothing is waited for");

    // A reseed is asked for at the bound, once, and bytes can be had meanwhile.
    for _ in 0..RESEED_AFTER / 32 {
        assert!(subject.fill(&mut out, 0));
    }
    assert!(subject.fill(&mut out, 0) && subject.deadline().is_some());
    settle(&world, &mut subject, 0);
    assert_eq!(world.model(|model: &mut Entropy| model.given.len()), 2 * ASK);
    assert_eq!(subject.take_fault(), None);
    world.check("well-behaved");
}

#[test]
fn a_device_that_gives_little_is_asked_until_it_suffices() {
    let world = world(Entropy { most: KEY - 1, ..Entropy::default() }, 2, Mischief::none());
    let mut subject = start(&world, 0).unwrap();
    assert!(world.work());
    subject.interrupt(0);
    assert!(!subject.is_seeded(), "one byte less than a key is no seed");
    settle(&world, &mut subject, 0);
    assert!(subject.is_seeded());
    world.check("little at a time");
}

#[test]
fn an_answer_without_a_byte_is_a_fault() {
    let world = world(Entropy { dry: true, ..Entropy::default() }, 2, Mischief::none());
    let mut subject = start(&world, 0).unwrap();
    settle(&world, &mut subject, 0);
    assert_eq!(subject.take_fault(), Some(Fault::Malformed));
    world.model(|model: &mut Entropy| model.dry = false);
    let now = subject.deadline().unwrap();
    subject.tick(now);
    settle(&world, &mut subject, now);
    assert!(subject.is_seeded());
    world.check("dry");
    world.kill();
}

#[test]
fn a_silent_device_is_reset_a_few_times_and_then_left_alone() {
    let world = world(Entropy::default(), 3, Mischief::of(&[Kind::LostCompletion], 255));
    let mut subject = start(&world, 0).unwrap();
    for round in 0..=u64::from(MAX_FAULTS) {
        assert!(!subject.gave_up(), "after {round} faults");
        world.work();
        let now = subject.deadline().expect("an answer is waited for");
        subject.tick(now - 1);
        assert_eq!(subject.take_fault(), None, "a tick too early does nothing");
        subject.tick(now);
        assert_eq!(subject.take_fault(), Some(Fault::Late));
    }
    assert!(subject.gave_up() && subject.deadline().is_none());
    assert!(!subject.fill(&mut [0; 1], 0));
    world.check("silent");
}

#[test]
fn a_lost_interrupt_costs_time_only() {
    let world = world(Entropy::default(), 4, Mischief::of(&[Kind::LostInterrupt], 255));
    let mut subject = start(&world, 0).unwrap();
    assert!(!world.work());
    world.behave();
    subject.tick(PATIENCE);
    settle(&world, &mut subject, PATIENCE);
    assert!(subject.is_seeded() && !subject.gave_up());
    world.check("lost interrupt");
}

#[test]
fn a_reset_between_the_seeds_leaves_a_seeded_generator() {
    let world = world(Entropy::default(), 5, Mischief::none());
    let mut subject = start(&world, 0).unwrap();
    settle(&world, &mut subject, 0);
    let mut out = [0; 1024];
    for _ in 0..=RESEED_AFTER / 1024 {
        assert!(subject.fill(&mut out, 0));
    }
    // Nobody answers any more.
    while let Some(now) = subject.deadline() {
        subject.tick(now);
    }
    assert!(subject.gave_up() && subject.fill(&mut out, 0));
    world.check("device gone");
}

/// Some life of a driver with a device: whatever the device does, it ends.
/// (`appetite`: bytes taken each time; 2048 and more reach the bound that wants another seed.)
fn life(world: &World, mut now: u64, appetite: usize) {
    let Some(mut subject) = start(world, now) else { return };
    let mut out = vec![0; appetite];
    for _ in 0..40 {
        settle(world, &mut subject, now);
        let _ = subject.fill(&mut out, now);
        now += PATIENCE / 2;
        subject.tick(now);
    }
    world.kill();
}

#[test]
fn no_lie_of_the_device_breaks_the_driver() {
    let mut did = [0u64; Kind::ALL.len()];
    for seed in 0..300 {
        // Each kind alone, often and always; then everything together.
        let kinds = match Kind::ALL.get(seed as usize % (Kind::ALL.len() + 4)) {
            Some(kind) => vec![*kind],
            None => Kind::ALL.to_vec(),
        };
        let chance = [20, 100, 255][seed as usize % 3];
        let world = world(Entropy::default(), seed, Mischief::of(&kinds, chance));
        life(&world, 0, if seed % 5 == 0 { 2048 } else { 32 });
        world.check(&format!("seed {seed}, {kinds:?}, {chance} in 256"));
        did.iter_mut().zip(world.mischief().done).for_each(|(sum, done)| *sum += done);
    }
    for (kind, times) in Kind::ALL.into_iter().zip(did) {
        // An entropy device has no configuration to lie about.
        let possible = ![Kind::ConfigChanges, Kind::ConfigLies].contains(&kind);
        assert_eq!(times > 0, possible, "{kind:?} happened {times} times");
    }
}

#[test]
fn after_any_mischief_an_honest_device_works_again() {
    for seed in 0..200 {
        let world = world(Entropy::default(), seed, Mischief::of(&Kind::ALL, 30));
        let Some(mut subject) = start(&world, 0) else { continue };
        settle(&world, &mut subject, 0);
        world.behave();
        let mut now = 0;
        for _ in 0..4 {
            settle(&world, &mut subject, now);
            now = subject.deadline().unwrap_or(now);
            subject.tick(now);
        }
        settle(&world, &mut subject, now);
        assert!(subject.is_seeded(), "seed {seed}: {:?}", subject.take_fault());
        world.check(&format!("seed {seed}"));
    }
}

#[test]
fn the_driver_may_die_at_every_step() {
    let mut deaths = 0;
    for hostile in [false, true] {
        for steps in 0.. {
            let mischief = if hostile {
                Mischief::of(&[Kind::LateWrite, Kind::SpuriousInterrupt], 128)
            } else {
                Mischief::none()
            };
            let world = world(Entropy::default(), steps, mischief);
            world.die_at(steps);
            let mut died = true;
            if let Some(mut subject) = start(&world, 0) {
                settle(&world, &mut subject, 0);
                died = world.dead();
                // What it held is dropped with it, which does nothing any more.
                world.kill();
            }
            world.revive();
            let mut second = start(&world, 0).expect("all of the dead driver's memory is free");
            settle(&world, &mut second, 0);
            assert!(second.is_seeded(), "after death at step {steps}");
            world.check(&format!("death at step {steps}"));
            world.kill();
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths > 100, "{deaths} deaths");
}
