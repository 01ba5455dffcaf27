//! Whose turn it is on one hart.

use super::world::World;
use crate::sched::Next;
use crate::sync::Ordering;
use nexus_abi::{Kind, Sysno};

/// Makes threads of these priorities, of which the first runs; the others belong to nobody.
fn ranked(world: &World, priorities: &[u32]) {
    for (n, priority) in priorities.iter().enumerate() {
        let frame = world.threads[n].frame;
        assert!(world.kernel.detach_ready(frame));
        world.kernel.thread(frame).priority.set(*priority);
    }
    world.kernel.wake(world.hart(), world.threads[0].frame);
    assert_eq!(world.kernel.dispatch(world.hart()), Next::Run);
    assert_eq!(world.hart().running(), world.threads[0].frame);
}

#[test]
fn of_two_that_become_ready_in_one_call_the_better_runs_first() {
    for order in [[1, 2], [2, 1]] {
        let world = World::new(false, 1, 3);
        ranked(&world, &[5, 8, 11]);
        for n in order {
            world.kernel.wake(world.hart(), world.threads[n].frame);
        }
        let _ = world.kernel.switch_at_once(world.hart()) || world.kernel.dispatch(world.hart()) == Next::Run;
        assert_eq!(world.hart().running(), world.threads[2].frame, "order {order:?}");
        assert_eq!(world.hart().best.get(), 8 + 1, "the other one waits");
    }
}

#[test]
fn a_dead_process_is_taken_apart_although_its_hart_never_has_nothing_to_do() {
    // The one that goes on for ever is of the dead one's priority, or below.
    for priority in [10, 9] {
        let world = World::new(false, 2, 1);
        let victim = world.processes[1];
        let killer =
            world.kernel.publish(world.processes[2], victim, Kind::Process.all_rights()).expect("room");
        world.put_on(1);
        world.kernel.thread(world.threads[1].frame).priority.set(priority);
        world.ask(Sysno::process_kill, &[(crate::context::reg::A0, killer.0 as u64)]);
        for _ in 0..3 {
            assert_eq!(world.kernel.dispatch(world.hart()), Next::Run);
            assert_eq!(world.hart().running(), world.threads[1].frame);
            world.kernel.platform.clock.fetch_add(world.kernel.slice, Ordering::Relaxed);
            world.kernel.timer(world.hart());
        }
        assert_eq!(world.process(1).life.get(), crate::process::life::ENDED, "priority {priority}");
    }
}
