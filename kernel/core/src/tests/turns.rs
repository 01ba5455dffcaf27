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

#[test]
fn deadlines_that_pass_together_are_seen_to_in_steps() {
    const TIMERS: usize = 40;
    let world = World::new(false, 1, 1);
    let (kernel, hart) = (world.kernel, world.hart());
    world.put_on(0);
    hart.slice_end.set(nexus_abi::NEVER);
    let mut timers = vec![];
    for _ in 0..TIMERS {
        let frame = kernel.create(world.quota, Kind::Timer, 1).expect("timer");
        kernel.born(frame);
        kernel.arm(hart, frame, 100);
        timers.push(frame);
    }
    let left = || {
        let pending = |frame: &&crate::memory::Frame| {
            kernel.memory.page::<crate::objects::Timer>(**frame).binding.pending.get() == 0
        };
        timers.iter().filter(pending).count()
    };
    kernel.platform.clock.store(100, Ordering::Relaxed);
    let mut interrupts = 0;
    while left() != 0 {
        let before = left();
        kernel.timer(hart);
        interrupts += 1;
        assert!(before - left() <= 4, "{} at once", before - left());
        kernel.program_timer(hart);
        assert!(left() == 0 || kernel.platform.timers.of(0) <= 100, "the rest is not due");
    }
    assert!(interrupts > 1);
}

#[test]
fn threads_that_wait_for_budget_are_looked_at_in_steps_and_none_is_forgotten() {
    const THREADS: usize = 100;
    let world = World::new(false, 2, THREADS);
    let (kernel, hart) = (world.kernel, world.hart());
    let (soon, late) = (100, 200);
    world.process(1).exhausted_until.set(soon);
    world.process(2).exhausted_until.set(late);
    // Those of both processes in turn.
    for n in 0..2 * THREADS {
        let frame = world.threads[n / 2 + n % 2 * THREADS].frame;
        assert!(kernel.detach_ready(frame));
        kernel.wake(hart, frame);
    }
    let waiting = |process: usize| {
        let of = |frame: crate::memory::Frame| kernel.thread(frame).owner() == world.processes[process];
        let at_0 = |frame: crate::memory::Frame| kernel.thread(frame).doing().1 >> 8 == 0;
        world.threads.iter().filter(|t| of(t.frame) && at_0(t.frame)).count()
    };
    assert_eq!((waiting(1), waiting(2), hart.refill_at.get()), (THREADS, THREADS, soon));
    let first_late = world.threads[THREADS].frame;
    for (now, left) in [(soon, [0, THREADS]), (late, [0, 0])] {
        kernel.platform.clock.store(now, Ordering::Relaxed);
        let mut interrupts = 0;
        while hart.refill_at.get() <= now {
            let before = waiting(1) + waiting(2);
            kernel.timer(hart);
            interrupts += 1;
            assert!(before - waiting(1) - waiting(2) <= 32);
            assert!(interrupts < 10, "it never ends");
        }
        assert!(interrupts > 1, "at {now} all at once");
        assert_eq!([waiting(1), waiting(2)], left, "at {now}");
        if now == soon {
            assert_eq!(hart.refill_at.get(), late);
            assert_eq!(hart.queues[0].head(), first_late, "their order has changed");
        }
    }
    assert_eq!(hart.refill_at.get(), nexus_abi::NEVER);
}
