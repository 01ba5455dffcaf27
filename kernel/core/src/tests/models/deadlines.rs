//! Deadlines that fire on one hart while another hart waits again, ends the thread, or sets the timer anew.

use super::explore;
use crate::context::reg;
use crate::objects::Timer;
use crate::process::life;
use crate::sync::{Cell32, Ordering};
use crate::tests::world::World;
use crate::thread::state;
use nexus_abi::{Error, Handle, Kind, Signals, Sysno, Tag};

/// The thread whose deadline it is, the one that ends its first wait, and one of another process.
const WAITER: usize = 0;
const SIGNALLER: usize = 2;
const KILLER: usize = 3;

struct Deadline {
    world: World,
    port: Handle,
    /// 1 once the second wait has begun.
    second: Cell32,
}

/// When the first wait is over, when both harts look, and when the second wait is over.
const FIRST: u64 = 10;
const MEANWHILE: u64 = 20;
const SECOND: u64 = 30;

impl Deadline {
    fn wait_until(&self, deadline: u64) {
        let port = self.port.0 as u64;
        let registers =
            [(reg::A0, port), (reg::A0 + 1, Tag::new(0, 0).0), (reg::T[3], deadline), (reg::T[4], 0)];
        self.world.ask(Sysno::reply_and_wait, &registers);
    }

    fn signal(&self) {
        self.world.ask(Sysno::port_signal, &[(reg::A0, self.port.0 as u64), (reg::A0 + 1, 1 << 16)]);
    }

    fn clock(&self, now: u64) {
        self.world.kernel.platform.clock.store(now, Ordering::Relaxed);
    }

    /// The waiter waits, with its node in hart 0's heap; the signaller runs on hart 1.
    fn build() -> Deadline {
        let world = World::on_harts(2, false, 2, 3);
        let port = world.give(1, Kind::Port);
        let model = Deadline { world, port, second: Cell32::new(0) };
        model.world.put_on(WAITER);
        model.wait_until(FIRST);
        model.world.go_to(1);
        model.world.put_on(SIGNALLER);
        model.world.go_to(0);
        model.clock(MEANWHILE);
        model
    }
}

fn the_timer_fires(model: &Deadline) {
    model.world.kernel.timer(model.world.kernel.hart(0));
}

fn the_waiter_waits_again(model: &Deadline) {
    let (world, hart) = (&model.world, model.world.kernel.hart(1));
    model.signal();
    world.ask(Sysno::thread_yield, &[]);
    world.kernel.dispatch(hart);
    if hart.running() == world.threads[WAITER].frame {
        model.second.set(1);
        model.wait_until(SECOND);
    }
}

/// What holds of the waiter in the end: it waits until its time has come, and no longer.
fn neither_lost_nor_early(model: &Deadline) {
    let world = &model.world;
    let t = world.kernel.thread(world.threads[WAITER].frame);
    if model.second.get() == 0 {
        return;
    }
    let early =
        t.doing().0 != state::PORT && Error::from_raw(t.context.get(reg::A0)) == Some(Error::TimedOut);
    assert!(!early, "the second wait ended before its time");
    model.clock(SECOND);
    for hart in [0, 1] {
        world.go_to(hart);
        world.kernel.timer(world.kernel.hart(hart));
    }
    world.go_to(0);
    assert_ne!(t.doing().0, state::PORT, "the deadline of the second wait was lost");
}

#[test]
fn a_wait_that_begins_while_the_last_ones_node_fires_keeps_its_deadline() {
    let harts: &[fn(&Deadline)] = &[the_timer_fires, the_waiter_waits_again];
    explore(3, Deadline::build, harts, neither_lost_nor_early);
}

#[test]
fn a_node_that_stands_for_an_earlier_wait_is_put_right_when_it_fires() {
    /// The waiter's first wait was ended by a signal; it runs on hart 0 and its node is still there.
    fn build() -> Deadline {
        let model = Deadline::build();
        model.world.go_to(1);
        model.signal();
        model.world.go_to(0);
        model.world.settle();
        model.world.put_on(WAITER);
        model.world.go_to(1);
        model.world.put_on(SIGNALLER);
        model.world.go_to(0);
        model
    }
    fn wait_and_fire(model: &Deadline) {
        model.second.set(1);
        model.wait_until(SECOND);
        model.world.kernel.timer(model.world.kernel.hart(0));
    }
    explore(0, build, &[wait_and_fire], neither_lost_nor_early);
    explore(3, build, &[wait_and_fire, the_waiter_waits_again], neither_lost_nor_early);
}

#[test]
fn a_thread_whose_deadline_fires_while_it_is_killed_is_freed_once() {
    struct Killed {
        deadline: Deadline,
        process: Handle,
        free: u32,
    }
    fn build() -> Killed {
        let deadline = Deadline::build();
        let world = &deadline.world;
        let victim = world.processes[1];
        let process =
            world.kernel.publish(world.processes[2], victim, Kind::Process.all_rights()).expect("handle");
        world.go_to(1);
        world.put_on(KILLER);
        world.go_to(0);
        let free = world.kernel.memory.free_frames();
        Killed { deadline, process, free }
    }
    fn fire(model: &Killed) {
        the_timer_fires(&model.deadline);
    }
    fn kill(model: &Killed) {
        let world = &model.deadline.world;
        world.ask(Sysno::process_kill, &[(reg::A0, model.process.0 as u64)]);
        world.kernel.clear_graves(world.kernel.hart(1));
    }
    explore(3, build, &[fire, kill], |model| {
        let world = &model.deadline.world;
        world.settle_all();
        assert!((0..3).all(|n| !world.is_alive(n)), "a thread outlived its process");
        assert!(world.is_alive(KILLER));
        assert_eq!(world.process(1).life.get(), life::ENDED);
        // Three threads with their buffers, root and tables of the address space, handle table, port, mapped vmo.
        let given_back = world.kernel.memory.free_frames() - model.free;
        assert_eq!(given_back, 3 * 2 + 3 + 1 + 1 + 2, "frames given back");
    });
}

#[test]
fn a_timer_that_is_set_anew_while_it_fires_has_not_expired() {
    struct Timing {
        deadline: Deadline,
        timer: Handle,
    }
    fn build() -> Timing {
        let deadline = Deadline::build();
        let world = &deadline.world;
        let timer = world.give(1, Kind::Timer);
        world.put_on(1);
        world.ask(Sysno::timer_set, &[(reg::A0, timer.0 as u64), (reg::A0 + 1, FIRST)]);
        Timing { deadline, timer }
    }
    fn fire(model: &Timing) {
        the_timer_fires(&model.deadline);
    }
    fn set(model: &Timing) {
        model.deadline.world.ask(Sysno::timer_set, &[(reg::A0, model.timer.0 as u64), (reg::A0 + 1, SECOND)]);
    }
    explore(3, build, &[fire, set], |model| {
        let world = &model.deadline.world;
        let object = world.process(1).lookup(&world.kernel.memory, model.timer).expect("timer").object;
        let timer = world.kernel.memory.page::<Timer>(object.frame);
        assert_eq!(timer.binding.pending.get(), 0, "it expired after it was set anew");
        assert_eq!((timer.node.hart.get(), timer.node.at.get(), timer.node.firing.get()), (2, SECOND, 0));
        model.deadline.clock(SECOND);
        world.go_to(1);
        world.kernel.timer(world.kernel.hart(1));
        world.go_to(0);
        assert_eq!(timer.binding.pending.get(), Signals::EXPIRED.bits());
    });
}
