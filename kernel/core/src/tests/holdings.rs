//! What a process holds, as whoever may observe it sees it.

use super::world::World;
use crate::handles::Capability;
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HOLDINGS};
use nexus_abi::{Handle, Kind};
use std::vec::Vec;

/// Everything that process `n` holds, a part at a time, and in how many parts.
fn all(world: &World, n: usize) -> (Vec<Capability>, usize) {
    let kernel = world.kernel;
    let table = kernel.table(world.processes[n]);
    let (mut found, mut from, mut parts) = (Vec::new(), 0, 0);
    loop {
        let (next, held) = table.holdings(&kernel.memory, from);
        assert!(next == 0 || u64::from(next) > from, "it goes round for ever");
        found.extend(held.into_iter().flatten());
        parts += 1;
        from = next.into();
        if from == 0 {
            return (found, parts);
        }
    }
}

#[test]
fn every_handle_is_told_once_at_the_bound_and_one_past_it() {
    let world = World::new(false, 2, 1);
    let (before, _) = all(&world, 1);
    let mut given: Vec<Handle> = Vec::new();
    for _ in 0..=MAX_HOLDINGS {
        given.push(world.give(1, Kind::Resource));
        let (now, parts) = all(&world, 1);
        assert_eq!(now.len(), before.len() + given.len());
        assert!(parts > 1 || now.len() <= MAX_HOLDINGS);
        let resources = now.iter().filter(|held| held.kind == Kind::Resource).count();
        let had = before.iter().filter(|held| held.kind == Kind::Resource).count();
        assert_eq!(resources, had + given.len());
    }
    // One that is closed is told no more, and nothing of it is left.
    let (kernel, closed) = (world.kernel, given[0]);
    let table = kernel.table(world.processes[1]);
    kernel.drop_capability(table.remove(&kernel.memory, closed).expect("open"));
    assert_eq!(all(&world, 1).0.len(), before.len() + given.len() - 1);
}

#[test]
fn past_the_table_there_is_nothing() {
    let world = World::new(false, 2, 1);
    let table = world.kernel.table(world.processes[0]);
    let capacity = u64::from(table.handle_capacity.get());
    for from in [capacity, capacity + 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
        let (next, held) = table.holdings(&world.kernel.memory, from);
        assert_eq!((next, held.iter().flatten().count()), (0, 0), "{from}");
    }
    let (next, _) = table.holdings(&world.kernel.memory, 0);
    assert!(u64::from(next) <= HANDLES_PER_PAGE as u64, "it looked at more than its bound");
}
