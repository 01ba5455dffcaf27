//! The driver dies after each of its steps, while a client writes and flushes; another driver takes over. What was answered is
//! there, what was not is there or not, sector by sector, and nothing else has changed.

mod support;

use fake_virtio::models::Block;
use fake_virtio::{Kind as Lie, Mischief, World};
use support::*;
use virtioblkd::disk::Kind;

/// What the client knows of a sector: the byte that it surely holds, or those that it may.
type Known = Vec<u8>;

/// Writes two rounds over eight sectors, each round in a batch with a flush. Answers what each sector may hold, and whether the
/// first round is known to be durable.
fn life(world: &World) -> (Known, bool) {
    let mut may = vec![0u8];
    let mut flushed = false;
    let Some(mut subject) = start(world) else { return (may, flushed) };
    settle(world, &mut subject, 0);
    if subject.partition("state").is_none() {
        world.kill();
        return (may, flushed);
    }
    subject.open(1, 7, STATE);
    if share(world, &mut subject, 1, 1).is_ok() {
        let memory = subject.memory(1).expect("it is shared");
        for round in [0x11, 0x22] {
            let client = Client { memory: memory.clone(), key: 1 };
            if !client.try_fill(8, round) {
                break;
            }
            let batch: Vec<_> = (0..8).map(|index| transfer(index, 1, index as usize * SECTOR)).collect();
            may.push(round);
            if subject.transfer(client.key, Kind::Write, &batch, true, 1, 0).is_err() {
                break;
            }
            settle(world, &mut subject, 0);
            match subject.take_finished().next() {
                Some((_, Ok(()))) => {
                    may = vec![round];
                    flushed = true;
                }
                _ => break,
            }
        }
    }
    world.kill();
    (may, flushed)
}

#[test]
fn the_driver_may_die_at_every_step() {
    let mut deaths = 0;
    for lies in [vec![], vec![Lie::LateWrite, Lie::SpuriousInterrupt, Lie::LostInterrupt]] {
        for steps in 0.. {
            let world = world(steps, Mischief::of(&lies, 60));
            world.die_at(steps);
            let (may, flushed) = life(&world);
            let died = world.steps() >= steps;
            world.behave();
            world.revive();
            let held = |sectors: &[u8]| {
                let first = STATE.first as usize * SECTOR;
                (0..8).all(|index| {
                    let sector = &sectors[first + index * SECTOR..][..SECTOR];
                    may.iter().any(|byte| sector.iter().all(|b| b == byte))
                })
            };
            let (data, durable) = world.model(|disk: &mut Block| (disk.data.clone(), disk.durable.clone()));
            assert!(held(&data), "step {steps}: a sector holds none of {may:x?}");
            assert!(!flushed || held(&durable), "step {steps}: what was flushed is not durable");
            // The next driver finds everything free and reads what is there.
            let mut subject = ready(&world);
            let client = client(&world, &mut subject, 1, STATE, PAGES - 20);
            assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[transfer(0, 8, 0)], false), Ok(()));
            let mut bytes = vec![0; 8 * SECTOR];
            nexus_driver::Memory::read(&*client.memory, 0, &mut bytes).unwrap();
            assert!(bytes == data[STATE.first as usize * SECTOR..][..8 * SECTOR]);
            world.check(&format!("death at step {steps}"));
            world.kill();
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths > 500, "{deaths} deaths");
}
