//! The port against a fake console: as it should be, hostile, with nobody who reads, and with the process dead after each step.

use diagd::port::{BUFFER, Port};
use fake_virtio::models::Console;
use fake_virtio::{FakeMemory, FakeRegisters, Kind, Mischief, World};

const PAGES: usize = 4;

type Subject = Port<FakeRegisters, FakeMemory>;

fn world(seed: u64, mischief: Mischief) -> World {
    World::new(Console::default(), PAGES, seed, mischief)
}

fn start(world: &World) -> Option<Subject> {
    let mut port = Port::new(world.registers(), &mut world.pool()).ok()?;
    port.bring_up().ok()?;
    Some(port)
}

/// Lets both go on until nothing more happens by itself; answers the bytes that came. A fault brings the port up anew.
fn settle(world: &World, port: &mut Subject) -> Vec<u8> {
    let (mut came, mut bytes) = (Vec::new(), [0; BUFFER]);
    for _ in 0..100 {
        if !world.work() {
            break;
        }
        let mut fault = port.interrupt().err();
        while fault.is_none() {
            match port.receive(&mut bytes) {
                Ok(Some(length)) => came.extend(&bytes[..length]),
                Ok(None) => break,
                Err(why) => fault = Some(why),
            }
        }
        if fault.is_some() && port.bring_up().is_err() {
            break;
        }
    }
    came
}

fn console<A>(world: &World, change: impl FnOnce(&mut Console) -> A) -> A {
    world.model(change)
}

#[test]
fn bytes_go_both_ways_in_their_order() {
    let world = world(1, Mischief::none());
    let mut port = start(&world).unwrap();
    for length in [1, BUFFER - 1, BUFFER, BUFFER + 1, 4 * BUFFER] {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        console(&world, |console| console.typed.extend(&bytes));
        let (mut sent, mut came) = (0, Vec::new());
        while sent < length {
            sent += port.send(&bytes[sent..]).unwrap();
            came.extend(settle(&world, &mut port));
        }
        assert!(came == bytes, "{length} bytes came otherwise");
        assert!(console(&world, |console| std::mem::take(&mut console.sent)) == bytes);
    }
    assert_eq!(port.send(&[]), Ok(0));
    world.check("well-behaved");
    world.kill();
}

#[test]
fn a_console_that_nobody_reads_takes_what_there_is_room_for() {
    let world = world(2, Mischief::none());
    let mut port = start(&world).unwrap();
    console(&world, |console| console.paused = true);
    let room = BUFFER;
    assert_eq!(port.send(&vec![1; room + 1]), Ok(room));
    assert_eq!(port.send(&[2]), Ok(0), "one past the bound");
    // What comes is taken meanwhile.
    console(&world, |console| console.typed.extend([3; 10]));
    assert_eq!(settle(&world, &mut port), [3; 10]);
    console(&world, |console| console.paused = false);
    settle(&world, &mut port);
    assert_eq!(port.send(&[2]), Ok(1));
    settle(&world, &mut port);
    assert_eq!(console(&world, |console| console.sent.len()), room + 1);
    world.check("not read");
    world.kill();
}

#[test]
fn whatever_the_device_does_the_port_keeps_to_its_memory_and_works_again() {
    for seed in 0..300 {
        let world = world(seed, Mischief::of(&Kind::ALL, 20));
        if let Some(mut port) = start(&world) {
            for round in 0..20u8 {
                console(&world, |console| console.typed.extend([round; 300]));
                // A fault here is one of the next interrupt's too.
                let _ = port.send(&[round; 1500]);
                settle(&world, &mut port);
            }
            world.behave();
            if port.bring_up().is_ok() {
                console(&world, |console| console.typed.clear());
                console(&world, |console| console.typed.extend([9; 50]));
                let came = settle(&world, &mut port);
                assert!(came.ends_with(&[9; 50]), "seed {seed}: {came:?}");
            }
            world.kill();
        }
        world.check(&format!("seed {seed}"));
    }
}

#[test]
fn it_may_die_after_any_step_and_the_next_one_works() {
    let whole = |world: &World| {
        let mut port = start(world)?;
        console(world, |console| console.typed.extend([5; 40]));
        let sent = port.send(&[6; 40]);
        let came = settle(world, &mut port);
        world.kill();
        sent.is_ok().then_some(came)
    };
    let first = world(3, Mischief::none());
    assert_eq!(whole(&first), Some(vec![5; 40]));
    let steps = first.steps();
    assert!(steps > 50);
    for at in 0..steps {
        let world = world(3, Mischief::none());
        world.die_at(at);
        whole(&world);
        world.revive();
        console(&world, |console| *console = Console::default());
        assert_eq!(whole(&world), Some(vec![5; 40]), "after a death at step {at}");
        world.check(&format!("death at step {at}"));
    }
}
