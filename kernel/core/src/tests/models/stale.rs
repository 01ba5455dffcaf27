//! References to what was in a frame before: whoever has one, and a lock, must not wait for the lock of what is in the frame now. Its holder may
//! be waiting for the other one.

use super::explore;
use crate::context::reg;
use crate::tests::world::World;
use crate::thread::state;
use nexus_abi::{Handle, Kind, NEVER, NOW, Signals, Sysno, Tag};

/// The process that was bound to the port, the one that filled its queue, the one that kills, and the one that comes into the port's frame.
const RECEIVER: usize = 1;
const FIRST: usize = 2;
const KILLERS: usize = 3;
const VICTIMS: usize = 4;
/// One thread of each.
const THREADS: [usize; 5] = [usize::MAX, 0, 1, 2, 3];

struct Stale {
    world: World,
    end: Handle,
    victims: Handle,
}

/// An end whose node stands in the list of a port that is gone, and a thread that waits for room in the end's queue: of the process that came
/// into the port's frame.
fn build() -> Stale {
    let mut world = World::on_harts(2, false, 3, 1);
    let kernel = world.kernel;
    let port = world.give(RECEIVER, Kind::Port);
    let (near, end) = world.connect(FIRST, RECEIVER, [1, 8, 0]);
    let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
    world.put_on(THREADS[RECEIVER]);
    let bind = [port.0 as u64, end.0 as u64, 7, signals];
    world.ask(Sysno::port_bind, &(reg::A0..).zip(bind).collect::<Vec<_>>());
    let send = |world: &World, thread: usize, handle: Handle, deadline: u64| {
        world.put_on(thread);
        let message = [(reg::A0, handle.0 as u64), (reg::A0 + 1, Tag::new(8, 0).0), (reg::T[3], deadline)];
        world.ask(Sysno::channel_send, &message);
    };
    send(&world, THREADS[FIRST], near, NOW);
    // The port goes, and its frame is the next that is given out.
    let known = world.process(RECEIVER).lookup(&kernel.memory, port.0 as u64).expect("the port");
    world.put_on(THREADS[RECEIVER]);
    world.ask(Sysno::handle_close, &[(reg::A0, port.0 as u64)]);
    world.take_off();
    let parent = world.processes[0];
    world.add_process(parent, 1);
    assert_eq!(world.processes[VICTIMS], known.object.frame, "the frame is another's");
    let near = world.process(FIRST).remove(&kernel.memory, near).expect("the near end");
    let place = world.process(VICTIMS).reserve(&kernel.memory).expect("room");
    kernel.land(world.processes[VICTIMS], place, near);
    send(&world, THREADS[VICTIMS], place, NEVER);
    let waits = kernel.thread(world.threads[THREADS[VICTIMS]].frame);
    assert_eq!(waits.doing().0, state::SENDING);
    let victims =
        kernel.publish(world.processes[KILLERS], world.processes[VICTIMS], Kind::Process.all_rights());
    world.put_on(THREADS[RECEIVER]);
    world.go_to(1);
    world.put_on(THREADS[KILLERS]);
    world.go_to(0);
    Stale { end, victims: victims.expect("room"), world }
}

/// Holds the channel, and takes its node off the list of the port that it believes in.
fn close(model: &Stale) {
    model.world.ask(Sysno::handle_close, &[(reg::A0, model.end.0 as u64)]);
}

/// Holds the process, and takes its thread off the channel.
fn kill(model: &Stale) {
    model.world.ask(Sysno::process_kill, &[(reg::A0, model.victims.0 as u64)]);
    model.world.kernel.clear_graves(model.world.hart());
}

#[test]
fn nobody_waits_for_what_is_in_the_frame_of_what_it_means() {
    explore(2, build, &[close, kill], |model| {
        model.world.settle_all();
        assert!(!model.world.is_alive(THREADS[VICTIMS]));
        assert_eq!(model.world.kernel.dying.get(), 0);
        let latch = &model.world.kernel.memory.header(model.world.processes[VICTIMS]).latch;
        assert!(latch.try_hold().is_some(), "the frame is still locked");
    });
}
