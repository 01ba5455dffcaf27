//! Sv39 page tables (RISC-V Privileged Architecture, "Sv39: Page-Based 39-bit Virtual-Memory System").
//!
//! Tables are frames charged to the process they serve; a table's header counts its entries in use, so an empty
//! one can be given back. What must never happen: a user page both writable and executable, or a frame
//! freed while a translation to it may live in some hart's TLB. Callers hold the process lock.

use crate::memory::{Frame, Memory};
use crate::sync::Cell64;
use nexus_abi::Rights;
use nexus_abi::bounds::{PAGE_SIZE, USER_END};

/// A page table.
pub type Table = [Cell64; 512];

const VALID: u64 = 1;
const READ: u64 = 2;
const WRITE: u64 = 4;
const EXECUTE: u64 = 8;
const USER: u64 = 16;
const ACCESSED_DIRTY: u64 = 64 | 128;
/// Entries of the root that belong to the kernel, the same in every address space.
const KERNEL_ENTRIES: core::ops::Range<usize> = 256..512;

/// The leaf bits for a user page with this access; W and X never come together.
fn leaf_bits(access: Rights) -> u64 {
    let mut bits = VALID | READ | USER | ACCESSED_DIRTY;
    if access.contains(Rights::WRITE) {
        bits |= WRITE;
    } else if access.contains(Rights::EXECUTE) {
        bits |= EXECUTE;
    }
    bits
}

fn index(address: u64, level: u32) -> usize {
    (address >> (12 + 9 * level) & 511) as usize
}

fn entry_to(memory: &Memory, frame: Frame) -> u64 {
    memory.address(frame) >> 12 << 10 | VALID
}

#[inline(always)]
fn target(memory: &Memory, entry: u64) -> Option<Frame> {
    (entry & VALID != 0).then(|| memory.frame_of_page(entry >> 10))?
}

/// Fills a fresh root with the kernel's half.
pub fn init_root(memory: &Memory, root: Frame, kernel_root: &Table) {
    let table = memory.page::<Table>(root);
    for i in KERNEL_ENTRIES {
        table[i].set(kernel_root[i].get());
    }
}

/// How many tables are missing to map `pages` pages from `start`.
pub fn tables_missing(memory: &Memory, root: Frame, start: u64, pages: u64) -> u32 {
    // First and last of the leaf tables, numbered through the address space.
    let (first, last) = (start >> 21, (start + pages * PAGE_SIZE as u64 - 1) >> 21);
    let mut missing = 0;
    let mut at = first;
    while at <= last {
        let end = (at | 511).min(last);
        missing += match target(memory, memory.page::<Table>(root)[index(at << 21, 2)].get()) {
            None => 1 + (end - at + 1) as u32,
            Some(middle) => {
                let entries = &memory.page::<Table>(middle)[index(at << 21, 1)..=index(end << 21, 1)];
                entries.iter().map(|entry| u32::from(entry.get() & VALID == 0)).sum()
            }
        };
        at = end + 1;
    }
    missing
}

/// The table that `entry` of `table` leads to, made if missing (the frame was charged by the caller) and then counted.
fn descend(memory: &Memory, table: Frame, at: usize, made: &mut u32) -> Option<Frame> {
    let cell = &memory.page::<Table>(table)[at];
    if let Some(next) = target(memory, cell.get()) {
        return Some(next);
    }
    let next = memory.allocate()?;
    cell.set(entry_to(memory, next));
    memory.header(table).refs.add(1);
    *made += 1;
    Some(next)
}

/// The table that has the leaves of all `pages` pages from `start`, if it is one and there.
#[inline(always)]
pub fn leaf_for(memory: &Memory, root: Frame, start: u64, pages: u64) -> Option<Frame> {
    if index(start, 0) as u64 + pages > 512 {
        return None;
    }
    let middle = target(memory, memory.page::<Table>(root)[index(start, 2)].get())?;
    target(memory, memory.page::<Table>(middle)[index(start, 1)].get())
}

/// Whether nothing is mapped at `pages` pages from `start`, whose leaves are all in one table.
#[inline(always)]
pub fn is_clear(memory: &Memory, leaf: Frame, start: u64, pages: u32) -> bool {
    let table = memory.page::<Table>(leaf);
    table.iter().skip(index(start, 0)).take(pages as usize).all(|entry| entry.get() & VALID == 0)
}

/// The frame behind a user address, if the program may write there and the bank has it.
#[inline]
pub fn writable_frame(memory: &Memory, root: Frame, address: u64) -> Option<Frame> {
    let leaf = leaf_for(memory, root, address, 1)?;
    let entry = memory.page::<Table>(leaf)[index(address, 0)].get();
    let needed = VALID | USER | WRITE;
    (entry & needed == needed).then(|| memory.frame_at(entry >> 10 << 12))?
}

/// Maps one page by the table that has its leaf.
#[inline(always)]
pub fn set_leaf(memory: &Memory, leaf: Frame, address: u64, physical: u64, access: Rights) {
    debug_assert!(address < USER_END);
    memory.page::<Table>(leaf)[index(address, 0)].set(physical >> 12 << 10 | leaf_bits(access));
    memory.header(leaf).refs.add(1);
}

/// Maps one page; answers how many tables it made for that.
pub fn map(memory: &Memory, root: Frame, address: u64, physical: u64, access: Rights) -> u32 {
    debug_assert!(address < USER_END);
    let mut made = 0;
    let leaf = descend(memory, root, index(address, 2), &mut made)
        .and_then(|middle| descend(memory, middle, index(address, 1), &mut made));
    // There is one: its frame was promised.
    if let Some(leaf) = leaf {
        set_leaf(memory, leaf, address, physical, access);
    }
    made
}

/// Unmaps `pages` pages and chains the tables that became empty through their headers' `next`, before those of `chain`, which it counts.
/// The caller fences, then frees the chain.
pub fn unmap(memory: &Memory, root: Frame, start: u64, pages: u64, chain: &mut (Frame, u32)) {
    for page in 0..pages {
        let address = start + page * PAGE_SIZE as u64;
        let mut path = [(root, index(address, 2)); 3];
        let mut depth = 0;
        while depth < 2 {
            let (table, at) = path[depth];
            let Some(next) = target(memory, memory.page::<Table>(table)[at].get()) else {
                break;
            };
            depth += 1;
            path[depth] = (next, index(address, 2 - depth as u32));
        }
        let (leaf, at) = path[2];
        if depth < 2 || memory.page::<Table>(leaf)[at].get() & VALID == 0 {
            continue;
        }
        // Clear the leaf, then every table above that holds nothing any more; the root stays.
        for level in (0..=2).rev() {
            let (table, at) = path[level];
            memory.page::<Table>(table)[at].set(0);
            memory.header(table).refs.sub(1);
            if level == 0 || memory.header(table).refs.get() != 0 {
                break;
            }
            memory.header(table).next.set(chain.0.0);
            *chain = (table, chain.1 + 1);
        }
    }
}

/// The physical address and leaf bits behind a user address, if it is mapped.
pub fn translate(memory: &Memory, root: Frame, address: u64) -> Option<(u64, u64)> {
    if address >= USER_END {
        return None;
    }
    let middle = target(memory, memory.page::<Table>(root)[index(address, 2)].get())?;
    let leaf = target(memory, memory.page::<Table>(middle)[index(address, 1)].get())?;
    let entry = memory.page::<Table>(leaf)[index(address, 0)].get();
    (entry & VALID != 0).then_some((entry >> 10 << 12 | address & (PAGE_SIZE as u64 - 1), entry & 0xff))
}

/// Whether a fault with this `scause` on this address would not happen again: the translation allows the
/// access, and the hart had cached that it was absent.
pub fn is_spurious(memory: &Memory, root: Frame, address: u64, scause: u64) -> bool {
    let need = match scause {
        12 => EXECUTE,
        13 => READ,
        15 => WRITE,
        _ => return false,
    };
    translate(memory, root, address).is_some_and(|(_, bits)| bits & need != 0)
}
