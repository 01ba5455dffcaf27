//! Memory of a pool is taken while another hart destroys the pool with its quota, and makes something else of the pool's frame.

use super::explore;
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::sync::{Cell32, Cell64};
use crate::tests::world::World;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Handle, Kind, Sysno};

/// The process that takes, and its thread.
const TAKER: usize = 1;
const TAKERS: usize = 0;

const PAGE: u64 = PAGE_SIZE as u64;

struct Taking {
    world: World,
    handle: Handle,
    pool: ObjectRef,
    quota: ObjectRef,
    /// Whether the pool's frame is somebody else's.
    taken: Cell32,
}

/// A pool of two pages, which is all that its quota has besides room for a vmo.
fn build() -> Taking {
    let world = World::on_harts(2, false, 1, 1);
    let (kernel, process) = (world.kernel, world.processes[TAKER]);
    let object = |handle: Handle| {
        world.process(TAKER).lookup(&kernel.memory, handle.0 as u64).expect("just made").object
    };
    let all = kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("room");
    let small = kernel.quota_create(process, all, 5, 0).expect("quota");
    let resource = world.give(TAKER, Kind::Resource);
    let args = [resource.0 as u64, small.0 as u64, 2 * PAGE];
    let handle = kernel.pool_create(process, args).expect("pool");
    let (pool, quota) = (object(handle), object(small));
    world.put_on(TAKERS);
    Taking { world, handle, pool, quota, taken: Cell32::new(0) }
}

fn take(model: &Taking) {
    model.world.ask(Sysno::pool_take, &[(reg::A0, model.handle.0 as u64), (reg::A0 + 1, PAGE)]);
}

/// The first step, which takes the pool unless a vmo of it is there or being made.
fn destroy(model: &Taking) {
    let kernel = model.world.kernel;
    let mut at = model.quota;
    let done = kernel.quota_destroy_step(model.quota, &mut at);
    if done == Ok(false) && kernel.reference(model.pool.frame) != model.pool {
        while kernel.memory.allocate().expect("the pool's frame is free") != model.pool.frame {}
        model.taken.set(1);
    }
}

#[test]
fn what_was_marked_of_a_pool_that_is_gone_is_not_marked_back_in_the_next_owners_frame() {
    explore(2, build, &[take, destroy], |model| {
        let page = model.world.kernel.memory.page::<[Cell64; PAGE_SIZE / 8]>(model.pool.frame);
        let untouched = page.iter().all(|word| word.get() == 0);
        assert!(model.taken.get() == 0 || untouched, "marked in a frame that is somebody else's");
        let told = model.world.answer(TAKERS);
        assert!(matches!(told, Some(Ok(_) | Err(Error::BadHandle | Error::QuotaExceeded))), "{told:?}");
    });
}
