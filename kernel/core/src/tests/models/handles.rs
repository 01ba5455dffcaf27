//! Looking a handle up, which takes no lock, against everything that writers do to its entry.

use super::explore;
use crate::handles::{Capability, ObjectRef};
use crate::memory::{Frame, Memory};
use crate::process::Process;
use nexus_abi::{Error, Handle, Kind, Rights};

/// A process whose table has one entry to give out, and two objects that differ in everything.
struct Table {
    memory: Memory,
    process: Frame,
    old: Capability,
    new: Capability,
}

/// The first handle to the only entry, and the next.
const FIRST: Handle = Handle(1 | 1 << 16);
const SECOND: Handle = Handle(1 | 2 << 16);

impl Table {
    fn process(&self) -> &Process {
        self.memory.page(self.process)
    }

    fn build() -> Table {
        let memory = Memory::for_test(32).expect("memory");
        let frame = || memory.allocate().expect("frame");
        let (process, page, port, channel) = (frame(), frame(), frame(), frame());
        (0..3).for_each(|_| memory.header(port).latch.raise_generation());
        (0..9).for_each(|_| memory.header(channel).latch.raise_generation());
        let object = |frame: Frame| ObjectRef { frame, generation: memory.header(frame).latch.generation() };
        let old = Capability { object: object(port), kind: Kind::Port, end: 0, rights: Rights::WAIT };
        let new = Capability { object: object(channel), kind: Kind::Channel, end: 1, rights: Rights::SEND };
        let p = memory.page::<Process>(process);
        p.handle_pages[0].set(page.0);
        p.handle_capacity.set(2);
        p.chain_handles(&memory, 0);
        assert_eq!(p.insert(&memory, old), Ok(FIRST));
        Table { memory, process, old, new }
    }

    /// What a look answers is the one capability that the handle ever stood for, or that there is none.
    fn look(&self, handle: Handle, capability: Capability) {
        let found = self.process().lookup(&self.memory, handle);
        assert!(found == Ok(capability) || found == Err(Error::BadHandle), "{handle:?} is {found:?}");
    }
}

fn look_for_the_old(table: &Table) {
    table.look(FIRST, table.old);
}

fn look_for_the_new(table: &Table) {
    table.look(SECOND, table.new);
}

#[test]
fn an_entry_that_is_freed_and_filled_again_is_never_seen_in_halves() {
    fn replace(table: &Table) {
        assert_eq!(table.process().remove(&table.memory, FIRST), Ok(table.old));
        assert_eq!(table.process().insert(&table.memory, table.new), Ok(SECOND));
    }
    for harts in [&[replace, look_for_the_old], &[replace as fn(&Table), look_for_the_new]] {
        explore(3, Table::build, harts, |table| {
            assert_eq!(table.process().lookup(&table.memory, FIRST), Err(Error::BadHandle));
            assert_eq!(table.process().lookup(&table.memory, SECOND), Ok(table.new));
        });
    }
}

#[test]
fn a_capability_that_is_taken_for_a_journey_comes_back_whole_or_not_at_all() {
    fn journey(table: &Table) {
        let capability = table.process().withdraw(&table.memory, FIRST).expect("it is there");
        assert_eq!(capability, table.old);
        table.process().fill(&table.memory, FIRST, capability);
    }
    fn close(table: &Table) {
        if let Ok(capability) = table.process().withdraw(&table.memory, FIRST) {
            assert_eq!(capability, table.old);
            table.process().release(&table.memory, FIRST);
        }
    }
    explore(3, Table::build, &[journey, look_for_the_old], |table| {
        assert_eq!(table.process().lookup(&table.memory, FIRST), Ok(table.old));
    });
    explore(2, Table::build, &[close, close, look_for_the_old], |table| {
        assert_eq!(table.process().lookup(&table.memory, FIRST), Err(Error::BadHandle));
        assert_eq!(table.process().handle_count.get(), 0);
    });
}

/// What the fast path does to an entry (`cargo.rs`): it is free and taken again in one step each.
#[test]
fn an_entry_that_a_handle_passes_through_at_once_is_never_seen_in_halves() {
    fn pass(table: &Table) {
        let (process, memory) = (table.process(), &table.memory);
        let _held = process.handle_lock.hold();
        let entry = process.entry(memory, 1).expect("in the table");
        process.free(entry, FIRST);
        let (entry, name) = process.vacant(memory).expect("free");
        assert_eq!(name, SECOND);
        process.take_in(entry, name, table.new.meta(), table.new.object.to_raw());
    }
    for harts in [&[pass, look_for_the_old], &[pass as fn(&Table), look_for_the_new]] {
        explore(3, Table::build, harts, |table| {
            assert_eq!(table.process().lookup(&table.memory, FIRST), Err(Error::BadHandle));
            assert_eq!(table.process().lookup(&table.memory, SECOND), Ok(table.new));
            assert_eq!(table.process().handle_count.get(), 1);
        });
    }
}
