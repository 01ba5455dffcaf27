//! A model of what harts remember of page tables: each translation that a hart has used stays in its buffer, under its address
//! space identifier, until a fence drops it. Real harts forget on their own, and emulators at every switch: both hide a fence that
//! is missing.
//!
//! It ends the test when a frame is freed that some hart could still reach, when an identifier is given to an address space while
//! some hart remembers another one under it, and when a translation is used in place of one that has followed it.

use crate::memory::{Frame, Memory};
use crate::paging::{self, Table};
use crate::platform::HartMask;
use nexus_abi::bounds::{MAX_HARTS, PAGE_SIZE};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: u64 = PAGE_SIZE as u64;

/// What stands for one page: the physical page and leaf bits.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Entry {
    physical: u64,
    bits: u64,
    target: Option<Frame>,
}

/// What one hart remembers: pages by identifier and number, the tables on the way to them by identifier (which a fence of pages does
/// not drop: RISC-V Privileged Architecture, SFENCE.VMA with an address orders leaf entries alone), and the root that it has loaded.
#[derive(Default)]
struct Buffer {
    entries: BTreeMap<(u64, u64), Entry>,
    tables: BTreeSet<(u64, Frame)>,
    root: Option<Frame>,
}

thread_local! {
    /// The buffers of the machine whose harts run on this thread; none: nobody looks.
    static BUFFERS: RefCell<Option<Vec<Buffer>>> = const { RefCell::new(None) };
}

/// While this is there translations are remembered.
pub struct Watch;

impl Watch {
    /// Begins with empty buffers.
    pub fn begin() -> Watch {
        let buffers = (0..MAX_HARTS).map(|_| Buffer::default()).collect();
        BUFFERS.with_borrow_mut(|all| *all = Some(buffers));
        Watch
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        BUFFERS.with_borrow_mut(|all| *all = None);
    }
}

fn with<T>(act: impl FnOnce(&mut [Buffer]) -> T) -> Option<T> {
    BUFFERS.with_borrow_mut(|all| all.as_deref_mut().map(act))
}

/// Root and identifier of a `satp` value of the simulated machine.
fn parts(memory: &Memory, satp: u64) -> (Option<Frame>, u64) {
    (memory.frame_at((satp & ((1 << 44) - 1)) << 12), satp >> 44)
}

/// A hart has loaded an address space; `satp` 0: the kernel's.
pub fn loaded(memory: &Memory, hart: usize, satp: u64) {
    with(|harts| harts[hart].root = parts(memory, satp).0);
}

/// The page tables below `root` on the way to an address.
fn tables(memory: &Memory, root: Frame, address: u64) -> [Option<Frame>; 2] {
    let next = |table: Frame, level: u32| {
        let entry = memory.page::<Table>(table)[(address >> (12 + 9 * level) & 511) as usize].get();
        (entry & 1 != 0).then(|| memory.frame_at(entry >> 10 << 12)).flatten()
    };
    let middle = next(root, 2);
    [middle, middle.and_then(|middle| next(middle, 1))]
}

/// What a hart finds behind an address of the address space `satp`, as physical address and leaf bits; it remembers the page.
pub fn translate(memory: &Memory, hart: usize, satp: u64, address: u64) -> Option<(u64, u64)> {
    let (root, asid) = parts(memory, satp);
    let now = paging::translate(memory, root?, address);
    let Some(found) = with(|harts| {
        let name = (asid, address / PAGE);
        let buffer = &mut harts[hart];
        if let Some(entry) = buffer.entries.get(&name) {
            if let Some((physical, bits)) = now {
                let same = (physical / PAGE * PAGE, bits) == (entry.physical, entry.bits);
                assert!(same, "hart {hart} uses what address {address:#x} of space {asid} was before");
            }
            return Some((entry.physical + address % PAGE, entry.bits));
        }
        let (physical, bits) = now?;
        let physical = physical / PAGE * PAGE;
        let walked = tables(memory, root?, address).into_iter().flatten();
        buffer.tables.extend(walked.map(|table| (asid, table)));
        buffer.entries.insert(name, Entry { physical, bits, target: memory.frame_at(physical) });
        now
    }) else {
        return now;
    };
    found
}

/// Drops what a fence drops on one hart.
pub fn fence(hart: usize, asid: u16, start: u64, pages: u64) {
    let range = match pages {
        0 => 0..u64::MAX,
        _ => start / PAGE..start / PAGE + pages,
    };
    with(|harts| {
        harts[hart].entries.retain(|(space, page), _| *space != asid as u64 || !range.contains(page));
        if pages == 0 {
            harts[hart].tables.retain(|(space, _)| *space != asid as u64);
        }
    });
}

/// Drops the same on every hart of a set.
pub fn fence_all(harts: HartMask, asid: u16, start: u64, pages: u64) {
    (0..MAX_HARTS).filter(|n| harts & 1 << n != 0).for_each(|hart| fence(hart, asid, start, pages));
}

/// Frames are given back.
pub fn freed(first: Frame, pages: u32) {
    let inside = |frame: &Option<Frame>| frame.is_some_and(|f| f.0 >= first.0 && f.0 < first.0 + pages);
    with(|harts| {
        for (hart, buffer) in harts.iter().enumerate() {
            assert!(!inside(&buffer.root), "hart {hart} has an address space loaded whose root is freed");
            for ((asid, page), entry) in &buffer.entries {
                let at = page * PAGE;
                assert!(
                    !inside(&entry.target),
                    "hart {hart} reaches freed {first:?} by {at:#x} of space {asid}"
                );
            }
            let table = buffer.tables.iter().find(|(_, table)| inside(&Some(*table)));
            assert!(table.is_none(), "hart {hart} reaches freed {first:?}, a table of space {table:?}");
        }
    });
}

/// An identifier is given to a fresh address space.
pub fn given(asid: u32) {
    with(|harts| {
        for (hart, buffer) in harts.iter().enumerate() {
            let known = asid != 0
                && (buffer.entries.keys().any(|(space, _)| *space == asid as u64)
                    || buffer.tables.iter().any(|(space, _)| *space == asid as u64));
            assert!(!known, "space {asid} is given out while hart {hart} remembers another one under it");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{PAGE_AT, World};

    /// A world whose process 1 has been used on hart 1.
    fn used() -> (Watch, World, u32, Frame) {
        let watch = Watch::begin();
        let world = World::on_harts(2, false, 1, 1);
        let (memory, process) = (&world.kernel.memory, world.process(1));
        assert!(translate(memory, 1, process.satp.get(), PAGE_AT).is_some());
        let (asid, page) = (process.asid.get(), world.pages[1]);
        (watch, world, asid, page)
    }

    #[test]
    #[should_panic(expected = "is given out while hart 1 remembers another one")]
    fn an_identifier_that_comes_back_before_it_is_fenced_is_noticed() {
        let (_watch, _world, asid, _) = used();
        given(asid);
    }

    #[test]
    #[should_panic(expected = "hart 1 reaches freed")]
    fn a_frame_that_is_freed_before_it_is_fenced_is_noticed() {
        let (_watch, world, _, page) = used();
        world.kernel.memory.free(page);
    }

    #[test]
    #[should_panic(expected = "a table of space")]
    fn a_table_that_is_freed_after_a_fence_of_its_pages_alone_is_noticed() {
        let (_watch, world, asid, _) = used();
        fence_all(0b11, asid as u16, PAGE_AT, 1);
        let root = Frame(world.process(1).root.get());
        let [middle, _] = tables(&world.kernel.memory, root, PAGE_AT);
        world.kernel.memory.free(middle.expect("a table"));
    }

    #[test]
    #[should_panic(expected = "address space loaded whose root is freed")]
    fn a_root_that_is_freed_while_it_is_loaded_is_noticed() {
        let (_watch, world, ..) = used();
        let process = world.process(1);
        loaded(&world.kernel.memory, 1, process.satp.get());
        world.kernel.memory.free(Frame(process.root.get()));
    }

    #[test]
    fn what_was_fenced_on_every_hart_may_come_back() {
        let (_watch, world, asid, page) = used();
        fence_all(0b11, asid as u16, 0, 0);
        freed(page, 1);
        given(asid);
        drop(world);
    }
}
