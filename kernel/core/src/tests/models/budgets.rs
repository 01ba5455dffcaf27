//! A hart that gives threads back the priority that they lost with their budget, while another hart ends some of them.

use super::explore;
use crate::context::reg;
use crate::sync::Ordering;
use crate::tests::world::World;
use crate::thread::state;
use nexus_abi::{Handle, Kind, Sysno};

/// Threads of the process that ends.
const VICTIMS: [usize; 2] = [0, 1];
const KILLER: usize = 2;
/// Of the killer's process.
const BYSTANDER: usize = 3;

/// When the victims and the bystander have a budget again.
const REFILLED: u64 = 10;

struct Budget {
    world: World,
    victims: Handle,
}

/// The victims and the bystander are ready on hart 0, at priority 0 for want of budget; the killer runs on hart 1.
fn build() -> Budget {
    let world = World::on_harts(2, false, 2, 2);
    let kernel = world.kernel;
    let victims =
        kernel.publish(world.processes[2], world.processes[1], Kind::Process.all_rights()).expect("a handle");
    world.go_to(1);
    world.put_on(KILLER);
    world.go_to(0);
    (1..3).for_each(|n| world.process(n).exhausted_until.set(REFILLED));
    for n in VICTIMS.into_iter().chain([BYSTANDER]) {
        let thread = world.threads[n].frame;
        assert!(kernel.detach_ready(thread));
        kernel.wake(kernel.hart(0), thread);
        assert_eq!(kernel.thread(thread).doing(), (state::READY, 0));
    }
    kernel.platform.clock.store(REFILLED, Ordering::Relaxed);
    Budget { world, victims }
}

fn refill(model: &Budget) {
    model.world.kernel.timer(model.world.kernel.hart(0));
}

fn kill(model: &Budget) {
    model.world.ask(Sysno::process_kill, &[(reg::A0, model.victims.0 as u64)]);
    model.world.kernel.clear_graves(model.world.kernel.hart(1));
}

fn nobody_is_lost_or_found_dead(model: &Budget) {
    let (world, kernel) = (&model.world, model.world.kernel);
    assert!(VICTIMS.into_iter().all(|n| !world.is_alive(n)), "a thread outlived its process");
    let hart = kernel.hart(0);
    let queued: Vec<u32> = (0..32).filter(|n| !hart.queues[*n as usize].is_empty()).collect();
    let priority = kernel.thread(world.threads[BYSTANDER].frame).priority.get();
    assert_eq!(queued, [priority], "priorities of the threads in queues");
    assert_eq!(hart.ready.get(), 1 << priority);
    assert_eq!(hart.queues[priority as usize].head(), world.threads[BYSTANDER].frame);
}

#[test]
fn a_thread_that_gets_its_budget_back_while_it_is_killed_is_in_no_queue_after() {
    explore(4, build, &[refill, kill], nobody_is_lost_or_found_dead);
}
