//! Mappings and revocation.

use super::world::World;
use crate::paging;
use nexus_abi::{Error, Handle, Kind, Rights, Sysno};

const READ: u64 = Rights::READ.bits() as u64;

fn map(world: &mut World, own: Handle, vmo: Handle) -> u64 {
    let registers = [(10, own.0 as u64), (11, vmo.0 as u64), (12, 0), (13, 8192), (14, 0), (15, READ)];
    world.call(0, Sysno::vm_map, &registers);
    match world.answer(0) {
        Some(Ok(at)) => at,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_range_of_a_revoked_vmo_stays_taken_until_it_is_unmapped() {
    let mut world = World::new(false, 1, 1);
    let process = world.processes[1];
    let own = world.kernel.publish(process, process, Kind::Process.all_rights()).expect("handle");
    let quota = world.kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("handle");
    let create = |world: &mut World, quota: Handle| {
        world.call(0, Sysno::vmo_create, &[(10, quota.0 as u64), (11, 8192)]);
        Handle(world.answer(0).and_then(Result::ok).expect("vmo") as u32)
    };
    world.call(0, Sysno::quota_create, &[(10, quota.0 as u64), (11, 40), (12, 0)]);
    let small = Handle(world.answer(0).and_then(Result::ok).expect("quota") as u32);
    let revoked = create(&mut world, small);
    let at = map(&mut world, own, revoked);
    let root = crate::memory::Frame(world.process(1).root.get());
    assert!(paging::translate(&world.kernel.memory, root, at).is_some());

    world.call(0, Sysno::quota_destroy, &[(10, small.0 as u64)]);
    assert_eq!(world.answer(0), Some(Ok(0)));
    assert!(paging::translate(&world.kernel.memory, root, at).is_none(), "a revoked page is still mapped");

    let kept = create(&mut world, quota);
    let elsewhere = map(&mut world, own, kept);
    assert_ne!(elsewhere, at, "the range was given out again");
    // Nor to who asks for it, although the page table that is there for the new one tells of nothing.
    for address in [at, at + 4096] {
        let there = [(10, own.0 as u64), (11, kept.0 as u64), (12, 0), (13, 4096), (14, address), (15, READ)];
        world.call(0, Sysno::vm_map, &there);
        assert_eq!(world.answer(0), Some(Err(Error::Exists)));
    }

    // The program lets go of the old mapping, once; the new one is untouched, and the range is free again.
    let unmap = [(10, own.0 as u64), (11, at)];
    world.call(0, Sysno::vm_unmap, &unmap);
    assert_eq!(world.answer(0), Some(Ok(0)));
    world.call(0, Sysno::vm_unmap, &unmap);
    assert_eq!(world.answer(0), Some(Err(Error::NotFound)));
    assert!(paging::translate(&world.kernel.memory, root, elsewhere).is_some());
    let third = create(&mut world, quota);
    assert_eq!(map(&mut world, own, third), at);
}
