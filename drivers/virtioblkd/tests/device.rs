//! The whole of the block driver's logic against a fake disk: as it should be, at each bound, and hostile.

mod support;

use fake_virtio::models::Block;
use fake_virtio::{Kind as Lie, Mischief, Random, World};
use nexus_driver::Fault;
use nexus_rt::api::block::{Error, MAX_BUFFER, MAX_TRANSFERS};
use support::*;
use virtioblkd::disk::{DEPTH, Kind};
use virtioblkd::search::Found;
use virtioblkd::service::{MAX_CALLS, MAX_FAULTS, MAX_OPEN, Range, WHOLE};

fn block<A>(world: &World, look: impl FnOnce(&mut Block) -> A) -> A {
    world.model(look)
}

fn on_disk(data: &[u8], sector: u64, count: usize, byte: u8) -> bool {
    data[sector as usize * SECTOR..][..count * SECTOR].iter().all(|b| *b == byte)
}

#[test]
fn what_is_written_is_read_and_a_flush_makes_it_durable() {
    let world = world(1, Mischief::none());
    let mut subject = ready(&world);
    let client = client(&world, &mut subject, 1, STATE, 2);
    client.fill(0, 3, 0x11);
    client.fill(8 * SECTOR, 3, 0x99);
    assert_eq!(call(&world, &mut subject, 1, Kind::Write, &[transfer(5, 3, 0)], false), Ok(()));
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[transfer(5, 3, 8 * SECTOR)], false), Ok(()));
    assert!(client.holds(8 * SECTOR, 3, 0x11), "other sectors were read");
    let place = STATE.first + 5;
    assert!(block(&world, |disk| on_disk(&disk.data, place, 3, 0x11) && on_disk(&disk.durable, place, 3, 0)));
    assert!(
        block(&world, |disk| on_disk(&disk.data, place - 1, 1, 0) && on_disk(&disk.data, place + 3, 1, 0))
    );
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[], true), Ok(()));
    assert!(block(&world, |disk| on_disk(&disk.durable, place, 3, 0x11)), "a flush did nothing");
    // A write and a flush in one request.
    client.fill(0, 8, 0x22);
    let many: Vec<_> = (0..8).map(|index| transfer(40 + index, 1, index as usize * SECTOR)).collect();
    assert_eq!(call(&world, &mut subject, 1, Kind::Write, &many, true), Ok(()));
    assert!(block(&world, |disk| on_disk(&disk.durable, STATE.first + 40, 8, 0x22)));
    assert_eq!((subject.deadline(), subject.take_fault()), (None, None));
    world.check("well-behaved");
    world.kill();
}

#[test]
fn a_transfer_stays_inside_the_partition_and_the_memory() {
    let world = world(2, Mischief::none());
    let mut subject = ready(&world);
    let _client = client(&world, &mut subject, 1, STATE, 2);
    let requests = block(&world, |disk| disk.requests);
    let memory = 2 * 4096;
    let bad = [
        (0, 0, 0),
        (STATE.sectors, 1, 0),
        (STATE.sectors - 1, 2, 0),
        (u64::MAX, 1, 0),
        (u64::MAX - 5, 8, 0),
        (u64::MAX - STATE.first + 1, 1, 0),
        (0, u32::MAX, 0),
        (0, 17, 0),
        (0, 1, 1),
        (0, 1, 256),
        (0, 1, memory),
        (0, 2, memory - SECTOR),
        (0, 1, u32::MAX as usize - 511),
    ];
    for kind in [Kind::Read, Kind::Write] {
        for (sector, count, offset) in bad {
            let refused = subject.transfer(1, kind, &[transfer(sector, count, offset)], false, 7, 0);
            assert_eq!(refused, Err(Error::Invalid), "{kind:?} {count} at {sector}, memory from {offset}");
        }
        // One bad transfer and none is begun.
        let mixed = [transfer(0, 1, 0), transfer(STATE.sectors, 1, 0)];
        assert_eq!(subject.transfer(1, kind, &mixed, true, 7, 0), Err(Error::Invalid));
        assert_eq!(subject.transfer(1, kind, &[], false, 7, 0), Err(Error::Invalid));
    }
    assert_eq!(subject.transfer(9, Kind::Read, &[transfer(0, 1, 0)], false, 7, 0), Err(Error::Invalid));
    settle(&world, &mut subject, 0);
    assert_eq!(block(&world, |disk| disk.requests), requests, "something was begun");
    // At the bounds.
    for (sector, count, offset) in [(STATE.sectors - 1, 1, memory - SECTOR), (STATE.sectors - 16, 16, 0)] {
        assert_eq!(
            call(&world, &mut subject, 1, Kind::Write, &[transfer(sector, count, offset)], false),
            Ok(())
        );
    }
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[transfer(0, 1, 0); MAX_TRANSFERS], true), Ok(()));
    let more = [transfer(0, 1, 0); MAX_TRANSFERS + 1];
    assert_eq!(subject.transfer(1, Kind::Read, &more, true, 7, 0), Err(Error::Invalid));
    // The other partition's first sector was never touched.
    assert!(block(&world, |disk| on_disk(&disk.data, OTHER.first, 1, 0)));
    world.check("bounds");
    world.kill();
}

#[test]
fn without_memory_nothing_is_moved_and_memory_is_shared_once() {
    let world = world(3, Mischief::none());
    let mut subject = ready(&world);
    subject.open(1, 7, STATE);
    assert_eq!(subject.transfer(1, Kind::Read, &[transfer(0, 1, 0)], false, 7, 0), Err(Error::Invalid));
    assert_eq!(subject.may_share(1, 0), Err(Error::Invalid));
    assert_eq!(subject.may_share(1, MAX_BUFFER + 1), Err(Error::Invalid));
    assert_eq!((subject.may_share(1, MAX_BUFFER), subject.may_share(1, 1)), (Ok(()), Ok(())));
    assert_eq!(subject.may_share(2, 1), Err(Error::Invalid), "a session that does not exist");
    client(&world, &mut subject, 1, STATE, 1);
    assert_eq!(subject.may_share(1, 1), Err(Error::Exists));
    world.kill();
}

#[test]
fn a_disk_that_can_only_be_read_is_only_read() {
    let world = world(4, Mischief::none());
    block(&world, |disk| (disk.read_only, disk.flushes) = (true, false));
    let mut subject = ready(&world);
    assert!(subject.disk().is_read_only());
    let _client = client(&world, &mut subject, 1, STATE, 1);
    let write = subject.transfer(1, Kind::Write, &[transfer(0, 1, 0)], false, 7, 0);
    assert_eq!(write, Err(Error::ReadOnly));
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[transfer(0, 1, 0)], false), Ok(()));
    let requests = block(&world, |disk| disk.requests);
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[], true), Ok(()), "there is nothing to flush");
    assert_eq!(
        block(&world, |disk| disk.requests),
        requests,
        "a flush that the device does not know was sent"
    );
    world.check("read-only");
    world.kill();
}

#[test]
fn an_error_of_the_medium_is_the_error_of_that_call_alone() {
    let world = world(5, Mischief::none());
    let mut subject = ready(&world);
    let client = client(&world, &mut subject, 1, STATE, 4);
    client.fill(0, 16, 0x33);
    block(&world, |disk| disk.bad = vec![STATE.first + 7]);
    let batch: Vec<_> = (0..16).map(|index| transfer(index, 1, index as usize * SECTOR)).collect();
    let durable = block(&world, |disk| disk.durable.clone());
    assert_eq!(call(&world, &mut subject, 1, Kind::Write, &batch, true), Err(Error::Io));
    assert!(block(&world, |disk| disk.durable == durable), "a failed batch was flushed");
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &batch[..7], false), Ok(()));
    assert_eq!(subject.take_fault(), None, "an error that the device tells is no fault");
    world.check("bad sector");
    world.kill();
}

#[test]
fn what_was_not_read_is_no_success() {
    for lie in [Lie::TooShort, Lie::Unwritten] {
        let (mut good, mut bad) = (0, 0);
        for seed in 0..40 {
            let world = world(seed, Mischief::none());
            let mut subject = ready(&world);
            let client = client(&world, &mut subject, 1, STATE, 1);
            client.fill(0, 8, 0x44);
            let all = [transfer(0, 8, 0)];
            assert_eq!(call(&world, &mut subject, 1, Kind::Write, &all, true), Ok(()));
            client.fill(0, 8, 0x55);
            world.misbehave(Mischief::of(&[lie], 160));
            match call(&world, &mut subject, 1, Kind::Read, &all, false) {
                Ok(()) => {
                    assert!(client.holds(0, 8, 0x44), "{lie:?}, seed {seed}: other bytes, and no error");
                    good += 1;
                }
                Err(error) => {
                    assert_eq!((error, subject.take_fault()), (Error::Io, Some(Fault::Malformed)));
                    bad += 1;
                }
            }
            world.check("not read");
            world.kill();
        }
        assert!(good > 0 && bad > 0, "{lie:?}: {good} and {bad}");
    }
}

#[test]
fn the_device_is_kept_busy_and_clients_wait_in_turn() {
    let world = world(6, Mischief::none());
    let mut subject = ready(&world);
    let clients: Vec<_> = (1..=4).map(|key| client(&world, &mut subject, key, OTHER, 4)).collect();
    block(&world, |disk| (disk.paused, disk.requests) = (true, 0));
    let batch: Vec<_> = (0..32).map(|index| transfer(index, 1, index as usize * SECTOR)).collect();
    for client in &clients {
        for call in 0..MAX_CALLS as u32 {
            assert_eq!(subject.transfer(client.key, Kind::Write, &batch, false, call, 0), Ok(()));
        }
        let one_more = subject.transfer(client.key, Kind::Write, &batch, false, 99, 0);
        assert_eq!(one_more, Err(Error::NotReady));
    }
    // A full queue is no fault, and nothing is lost.
    assert!(!world.work() && subject.take_fault().is_none());
    assert_eq!(world.waiting(0), DEPTH, "the device has not as much as it can have");
    block(&world, |disk| disk.paused = false);
    settle(&world, &mut subject, 0);
    let finished = subject.take_finished().collect::<Vec<_>>();
    assert_eq!(finished.len(), 4 * MAX_CALLS);
    assert!(finished.iter().all(|(_, result)| result.is_ok()));
    assert_eq!(block(&world, |disk| disk.requests), 4 * 32 * MAX_CALLS as u64);
    world.check("busy");
    world.kill();
}

#[test]
fn a_short_queue_of_the_device_is_enough() {
    for (queue, comes_up) in [(2, false), (4, true), (5, true)] {
        let world = world(7, Mischief::none());
        block(&world, |disk| disk.queue = queue);
        let Some(mut subject) = start(&world) else {
            assert!(!comes_up, "a queue of {queue}");
            continue;
        };
        assert!(comes_up, "a queue of {queue}");
        settle(&world, &mut subject, 0);
        let _client = client(&world, &mut subject, 1, STATE, 4);
        assert_eq!(call(&world, &mut subject, 1, Kind::Read, &[transfer(0, 1, 0); 20], true), Ok(()));
        world.check("short queue");
        world.kill();
    }
}

#[test]
fn who_leaves_takes_nothing_that_the_device_may_still_write() {
    let world = world(8, Mischief::none());
    let mut subject = ready(&world);
    let held = world.held();
    drop(client(&world, &mut subject, 1, STATE, 4));
    let stays = client(&world, &mut subject, 2, OTHER, 1);
    block(&world, |disk| disk.paused = true);
    let batch: Vec<_> = (0..32).map(|index| transfer(index, 1, index as usize * SECTOR)).collect();
    for _ in 0..MAX_CALLS {
        assert_eq!(subject.transfer(1, Kind::Read, &batch, true, 1, 0), Ok(()));
    }
    assert_eq!(subject.transfer(2, Kind::Read, &batch[..1], false, 2, 0), Ok(()));
    assert!(!world.work());
    subject.close(1);
    assert_eq!(world.held(), held + 5, "memory that the device has was given back");
    assert_eq!(subject.range(1), None);
    block(&world, |disk| disk.paused = false);
    settle(&world, &mut subject, 0);
    assert_eq!(
        subject.take_finished().collect::<Vec<_>>(),
        vec![(2, Ok(()))],
        "the one who left is answered, or the other is not"
    );
    assert_eq!(world.held(), held + 1, "memory of a session that is gone was kept");
    drop(stays);
    world.check("leaving");
    world.kill();
}

#[test]
fn names_that_are_no_partition() {
    let world = world(9, Mischief::none());
    let subject = ready(&world);
    assert_eq!(subject.partition(WHOLE), Some(Range { first: 0, sectors: SECTORS as u64 }));
    for name in ["", "stat", "state ", "STATE"] {
        assert_eq!(subject.partition(name), None);
    }
    world.kill();
    // No table: only the whole disk.
    let world = World::new(Block::new(100), PAGES, 1, Mischief::none());
    let mut subject = start(&world).unwrap();
    settle(&world, &mut subject, 0);
    assert!(matches!(subject.found(), Some(Found::None(_))) && subject.partition("state").is_none());
    world.kill();
}

#[test]
fn sessions_of_one_service_take_none_from_another() {
    let world = world(12, Mischief::none());
    let mut subject = ready(&world);
    for key in 0..MAX_OPEN as u64 {
        assert!(subject.has_room(7));
        subject.open(key, 7, STATE);
        assert_eq!(subject.opener(key), Some(7));
    }
    assert!(!subject.has_room(7), "one too many");
    assert!(subject.has_room(8), "another has none left");
    subject.close(0);
    assert!(subject.has_room(7) && subject.opener(0).is_none());
    world.kill();
}

#[test]
fn a_device_that_is_late_is_reset_and_the_others_go_on() {
    let world = world(10, Mischief::none());
    let mut subject = ready(&world);
    let _client = client(&world, &mut subject, 1, STATE, 4);
    block(&world, |disk| disk.paused = true);
    let batch: Vec<_> = (0..32).map(|index| transfer(index, 1, index as usize * SECTOR)).collect();
    for call in 0..2 {
        assert_eq!(subject.transfer(1, Kind::Read, &batch, false, call, 0), Ok(()));
    }
    world.work();
    assert_eq!(subject.deadline(), Some(PATIENCE));
    subject.tick(PATIENCE - 1);
    assert_eq!((subject.take_fault(), subject.take_finished().collect::<Vec<_>>()), (None, vec![]));
    block(&world, |disk| disk.paused = false);
    subject.tick(PATIENCE);
    assert_eq!(subject.take_fault(), Some(Fault::Late));
    settle(&world, &mut subject, PATIENCE);
    // Part of the second call was with the device too.
    assert_eq!(subject.take_finished().collect::<Vec<_>>(), vec![(0, Err(Error::Io)), (1, Err(Error::Io))]);
    assert_eq!(call(&world, &mut subject, 1, Kind::Read, &batch, true), Ok(()));
    assert!(!subject.gave_up());
    // A success between them: it is never given up. Without: after so many.
    block(&world, |disk| disk.paused = true);
    for fault in 0..=MAX_FAULTS {
        assert!(!subject.gave_up(), "after {fault} faults");
        assert_eq!(subject.transfer(1, Kind::Read, &batch, false, 3, 0), Ok(()));
        subject.tick(PATIENCE);
        assert_eq!(subject.take_finished().collect::<Vec<_>>(), vec![(3, Err(Error::Io))]);
    }
    assert!(subject.gave_up() && subject.deadline().is_none());
    assert_eq!(subject.transfer(1, Kind::Read, &batch, false, 3, 0), Err(Error::Io));
    world.check("late");
    world.kill();
}

#[test]
fn a_disk_that_changed_its_size_is_another() {
    let world = world(11, Mischief::none());
    let mut subject = ready(&world);
    let _client = client(&world, &mut subject, 1, STATE, 1);
    block(&world, |disk| disk.paused = true);
    assert_eq!(subject.transfer(1, Kind::Read, &[transfer(0, 1, 0)], false, 7, 0), Ok(()));
    block(&world, |disk| disk.data.truncate(200 * SECTOR));
    subject.tick(PATIENCE);
    assert_eq!(subject.take_fault(), Some(Fault::Malformed));
    assert_eq!(subject.take_finished().collect::<Vec<_>>(), vec![(7, Err(Error::Io))]);
    assert!(subject.gave_up(), "another disk was taken for the first");
    world.check("resized");
    world.kill();
}

/// Clients that ask for anything, while the device does anything.
fn life(world: &World, seed: u64) {
    let Some(mut subject) = start(world) else { return world.kill() };
    let mut random = Random::new(seed);
    let (mut asked, mut answered, mut now) = (0u32, 0usize, 0);
    settle(world, &mut subject, now);
    for key in 1..=3 {
        subject.open(key, 7, STATE);
        let _ = share(world, &mut subject, key, 2);
    }
    for _ in 0..60 {
        let key = 1 + random.below(3);
        let kind = if random.chance(128) { Kind::Read } else { Kind::Write };
        let transfers: Vec<_> = (0..random.below(6))
            .map(|_| {
                transfer(
                    random.below(STATE.sectors + 2),
                    random.below(5) as u32,
                    SECTOR * random.below(17) as usize,
                )
            })
            .collect();
        if subject.transfer(key, kind, &transfers, random.chance(60), asked, now).is_ok() {
            asked += 1;
        }
        if random.chance(150) {
            settle(world, &mut subject, now);
        }
        answered += subject.take_finished().len();
        now += random.below(PATIENCE);
        subject.tick(now);
    }
    // Everybody is answered once, in time, whatever the device does.
    for _ in 0..200 {
        settle(world, &mut subject, now);
        now = subject.deadline().unwrap_or(now);
        subject.tick(now);
    }
    answered += subject.take_finished().len();
    assert_eq!(answered, asked as usize, "seed {seed}: calls were lost or answered twice");
    assert_eq!(subject.deadline(), None, "seed {seed}");
    for key in 1..=3 {
        subject.close(key);
    }
    world.kill();
}

#[test]
fn no_lie_of_the_device_breaks_the_driver() {
    let mut did = [0u64; Lie::ALL.len()];
    for seed in 0..400 {
        let kinds = match Lie::ALL.get(seed as usize % (Lie::ALL.len() + 6)) {
            Some(kind) => vec![*kind],
            None => Lie::ALL.to_vec(),
        };
        let chance = [3, 20, 255][seed as usize % 3];
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
fn an_honest_device_does_all_of_it() {
    for seed in 0..40 {
        let world = world(seed, Mischief::none());
        life(&world, seed);
        world.check(&format!("seed {seed}"));
    }
}
