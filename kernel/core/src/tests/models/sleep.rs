//! A hart that goes to sleep while another one makes a thread ready.

use super::explore;
use crate::context::reg;
use crate::sched::Next;
use crate::sync::{Cell32, Ordering};
use crate::tests::world::World;
use crate::thread::state;
use nexus_abi::{Handle, Kind, NEVER, Sysno, Tag};

/// Of one priority, so that the one does not make the other give way.
const WAITER: usize = 0;
const SIGNALLER: usize = 2;

struct Sleep {
    world: World,
    port: Handle,
    /// 1 once hart 1 has decided to wait for an interrupt.
    asleep: Cell32,
}

/// The waiter waits at a port, the signaller runs on hart 0, hart 1 has nothing.
fn build() -> Sleep {
    let world = World::on_harts(2, false, 1, 3);
    let port = world.give(1, Kind::Port);
    let wait =
        [(reg::A0, port.0 as u64), (reg::A0 + 1, Tag::new(0, 0).0), (reg::T[3], NEVER), (reg::T[4], 0)];
    world.put_on(WAITER);
    world.ask(Sysno::reply_and_wait, &wait);
    world.put_on(SIGNALLER);
    // The third thread is not there to be found.
    assert!(world.kernel.detach_ready(world.threads[1].frame));
    Sleep { world, port, asleep: Cell32::new(0) }
}

fn make_ready(model: &Sleep) {
    model.world.ask(Sysno::port_signal, &[(reg::A0, model.port.0 as u64), (reg::A0 + 1, 1 << 16)]);
}

fn find_work_or_sleep(model: &Sleep) {
    let next = model.world.kernel.dispatch(model.world.kernel.hart(1));
    model.asleep.set((next == Next::Idle) as u32);
}

/// The thread that is ready runs on hart 1, or hart 1 has been called.
fn no_wake_up_is_lost(model: &Sleep) {
    let kernel = model.world.kernel;
    let t = kernel.thread(model.world.threads[WAITER].frame);
    let called = kernel.platform.called[1].load(Ordering::Relaxed) != 0;
    match model.asleep.get() {
        0 => assert_eq!(t.doing(), (state::RUNNING, 1)),
        _ => assert!(called, "hart 1 sleeps, and nobody calls it to the thread that is {:?}", t.doing()),
    }
}

#[test]
fn a_hart_that_goes_to_sleep_is_called_to_the_thread_that_becomes_ready() {
    explore(5, build, &[make_ready, find_work_or_sleep], no_wake_up_is_lost);
}
