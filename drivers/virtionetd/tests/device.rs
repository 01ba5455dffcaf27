//! The whole of the network driver's logic against a fake card: as it should be, hostile, and with the driver dead after each step.

use fake_virtio::models::{Net, net};
use fake_virtio::{FakeMemory, FakeRegisters, Kind as Lie, Mischief, Random, World};
use nexus_driver::Fault;
use virtionetd::card::{BUFFERS, Card, LONGEST, SHORTEST};
use virtionetd::service::{MAX_FAULTS, Service};

const PATIENCE: u64 = 100;
const PAGES: usize = 2 * 33;

type Subject = Service<FakeRegisters, FakeMemory>;

fn world(seed: u64, mischief: Mischief) -> World {
    World::new(Net::default(), PAGES, seed, mischief)
}

fn start(world: &World) -> Option<Subject> {
    Service::begin(Card::new(world.registers(), &mut world.pool()).ok()?, PATIENCE, 0).ok()
}

/// Lets card and driver go on until nothing more happens by itself; answers the frames that came.
fn settle(world: &World, subject: &mut Subject, now: u64) -> Vec<Vec<u8>> {
    let mut came = Vec::new();
    for _ in 0..100 {
        if !world.work() {
            break;
        }
        subject.interrupt(now, |frame| came.push(frame.to_vec()));
    }
    came
}

fn frame(length: usize, byte: u8) -> Vec<u8> {
    vec![byte; length]
}

fn card<A>(world: &World, look: impl FnOnce(&mut Net) -> A) -> A {
    world.model(look)
}

#[test]
fn frames_go_out_and_come_in() {
    let world = world(1, Mischief::none());
    let mut subject = start(&world).unwrap();
    assert_eq!((subject.address(), subject.has_link()), (net::ADDRESS, true));
    for length in [SHORTEST, 60, LONGEST] {
        subject.transmit(&frame(length, 7), 0);
        card(&world, |card| card.wire.push_back(frame(length, 9)));
        assert_eq!(settle(&world, &mut subject, 0), vec![frame(length, 9)]);
        assert_eq!(card(&world, |card| card.sent.pop()), Some(frame(length, 7)));
    }
    for length in [0, SHORTEST - 1, LONGEST + 1] {
        subject.transmit(&frame(length, 7), 0);
    }
    assert_eq!((subject.counters().sent, subject.counters().sent_dropped), (3, 3));
    // Many more than there are buffers, each way.
    for round in 0..5 * u64::from(BUFFERS) {
        subject.transmit(&frame(100, round as u8), 0);
        card(&world, |card| card.wire.push_back(frame(100, round as u8)));
        let came = settle(&world, &mut subject, 0);
        assert_eq!(came, vec![frame(100, round as u8)]);
    }
    card(&world, |card| card.link = false);
    assert!(!subject.has_link());
    assert_eq!(
        (subject.deadline(), subject.take_fault(), card(&world, |card| card.malformed)),
        (None, None, 0)
    );
    world.check("well-behaved");
    world.kill();
}

#[test]
fn a_full_card_drops_and_goes_on() {
    let world = world(2, Mischief::none());
    let mut subject = start(&world).unwrap();
    card(&world, |card| card.paused = true);
    for _ in 0..BUFFERS {
        subject.transmit(&frame(60, 1), 0);
        world.work();
    }
    assert_eq!(subject.counters().sent_dropped, 0);
    subject.transmit(&frame(60, 1), 0);
    assert_eq!((subject.counters().sent, subject.counters().sent_dropped), (u64::from(BUFFERS), 1));
    card(&world, |card| card.paused = false);
    settle(&world, &mut subject, 0);
    subject.transmit(&frame(60, 2), 0);
    settle(&world, &mut subject, 0);
    assert_eq!(card(&world, |card| card.sent.len()), usize::from(BUFFERS) + 1);
    world.check("full");
    world.kill();
}

#[test]
fn a_frame_that_is_none_is_a_fault() {
    for length in [0, SHORTEST - 1] {
        let world = world(3, Mischief::none());
        let mut subject = start(&world).unwrap();
        card(&world, |card| card.wire.push_back(frame(length, 1)));
        assert!(settle(&world, &mut subject, 0).is_empty());
        assert_eq!((subject.take_fault(), subject.counters().resets), (Some(Fault::Malformed), 1));
        world.work();
        assert_eq!(world.waiting(0), usize::from(BUFFERS), "the card has not every buffer after the reset");
        card(&world, |card| card.wire.push_back(frame(60, 1)));
        assert_eq!(settle(&world, &mut subject, 0).len(), 1, "the card works again");
        world.check("short");
        world.kill();
    }
}

#[test]
fn a_card_that_does_not_send_is_reset_and_given_up() {
    let world = world(4, Mischief::none());
    let mut subject = start(&world).unwrap();
    card(&world, |card| card.paused = true);
    for fault in 0..=MAX_FAULTS {
        assert!(!subject.gave_up(), "after {fault} faults");
        subject.transmit(&frame(60, 1), 0);
        assert_eq!(subject.deadline(), Some(PATIENCE));
        subject.tick(PATIENCE - 1);
        assert_eq!(subject.take_fault(), None);
        subject.tick(PATIENCE);
        assert_eq!(subject.take_fault(), Some(Fault::Late));
    }
    subject.transmit(&frame(60, 1), 0);
    assert!(subject.gave_up() && subject.deadline().is_none() && !subject.has_link());
    world.check("late");
    world.kill();
}

fn life(world: &World, seed: u64) -> bool {
    let Some(mut subject) = start(world) else {
        world.kill();
        return false;
    };
    let (mut random, mut now, mut came) = (Random::new(seed), 0, 0);
    for _ in 0..60 {
        for _ in 0..random.below(8) {
            subject.transmit(&frame(random.below(1600) as usize, 1), now);
        }
        let frames = random.below(6);
        card(world, |card| {
            (0..frames).for_each(|_| card.wire.push_back(frame(14 + random.below(1500) as usize, 2)));
        });
        let frames = settle(world, &mut subject, now);
        assert!(frames.iter().all(|frame| (SHORTEST..=LONGEST).contains(&frame.len())));
        came += frames.len();
        now += random.below(PATIENCE);
        subject.tick(now);
    }
    world.kill();
    came > 0
}

#[test]
fn no_lie_of_the_card_breaks_the_driver() {
    let mut did = [0u64; Lie::ALL.len()];
    for seed in 0..250 {
        let kinds = match Lie::ALL.get(seed as usize % (Lie::ALL.len() + 6)) {
            Some(kind) => vec![*kind],
            None => Lie::ALL.to_vec(),
        };
        let chance = [2, 20, 255][seed as usize % 3];
        let world = world(seed, Mischief::of(&kinds, chance));
        life(&world, seed);
        world.check(&format!("seed {seed}, {kinds:?}, {chance} in 256"));
        did.iter_mut().zip(world.mischief().done).for_each(|(sum, done)| *sum += done);
    }
    for (kind, times) in Lie::ALL.into_iter().zip(did) {
        assert!(times > 0, "{kind:?} never happened");
    }
}

#[test]
fn an_honest_card_does_all_of_it() {
    let world = world(1, Mischief::none());
    assert!(life(&world, 1));
    world.check("honest");
}

#[test]
fn the_driver_may_die_at_every_step() {
    let mut deaths = 0;
    for steps in 0.. {
        let world = world(steps, Mischief::of(&[Lie::LateWrite, Lie::SpuriousInterrupt], 60));
        world.die_at(steps);
        let mut died = true;
        if let Some(mut subject) = start(&world) {
            for _ in 0..3 {
                subject.transmit(&frame(60, 1), 0);
                card(&world, |card| card.wire.push_back(frame(80, 2)));
                settle(&world, &mut subject, 0);
            }
            died = world.dead();
            world.kill();
        }
        world.behave();
        world.revive();
        card(&world, |card| (card.wire.clear(), card.sent.clear()));
        let mut second = start(&world).expect("all of the dead driver's memory is free");
        second.transmit(&frame(60, 3), 0);
        card(&world, |card| card.wire.push_back(frame(80, 4)));
        assert_eq!(settle(&world, &mut second, 0), vec![frame(80, 4)], "after death at step {steps}");
        assert_eq!(card(&world, |card| card.sent.clone()), vec![frame(60, 3)]);
        world.check(&format!("death at step {steps}"));
        world.kill();
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 500, "{deaths} deaths");
}
