//! A process: an address space, a handle table, an identity, and an account of processor time.
//!
//! Guarded by its header's lock, except the handle table (its own lock, so that it can be reached while a channel is
//! locked) and cells marked otherwise. What must never happen: a process that is dying gains a thread or a mapping.

use crate::binding::Binding;
use crate::handles::Entry;
use crate::link::Link;
use crate::memory::PageType;
use crate::sync::{Cell32, Cell64, Lock};
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HANDLES, MAX_MAPPINGS};

/// Where a process is in its life.
pub mod life {
    /// Can have threads and mappings.
    pub const ALIVE: u32 = 0;
    /// Told to end; its threads are being collected.
    pub const DYING: u32 = 1;
    /// Gave everything back; its record can be read.
    pub const ENDED: u32 = 2;
}

/// One mapping of a vmo in an address space. `pages` 0 marks a free record.
#[derive(Default)]
#[repr(C)]
pub struct Mapping {
    /// First address.
    pub start: Cell64,
    /// The vmo or window, as a raw `ObjectRef`; 0 once it was revoked; see `mapping.rs` for the moment between.
    pub vmo: Cell64,
    /// Length in pages.
    pub pages: Cell32,
    /// First page of the vmo.
    pub offset: Cell32,
    /// Access, as rights bits.
    pub access: Cell32,
    /// Neighbours in the vmo's list of mappings, guarded by the vmo's lock: process frame × 64 + record, plus 1.
    pub next: Cell32,
    /// See `next`.
    pub prev: Cell32,
    /// 1 while it is being made step by step: until then it cannot be unmapped.
    pub growing: Cell32,
}

/// A process.
#[repr(C)]
pub struct Process {
    /// One of [`life`].
    pub life: Cell32,
    /// Root page table frame.
    pub root: Cell32,
    /// Value of the `satp` register for this address space.
    pub satp: Cell64,
    /// Address space identifier; 0: none of its own, flushed at each switch.
    pub asid: Cell32,
    /// Capacity of the handle table.
    pub handle_capacity: Cell32,
    /// Frames of the handle table.
    pub handle_pages: [Cell32; MAX_HANDLES / HANDLES_PER_PAGE],
    /// Guards the rest of the handle table.
    pub handle_lock: Lock,
    /// First free index (0: none).
    pub handle_free: Cell32,
    /// The last free entry, while there is one.
    pub handle_tail: Link<Entry>,
    /// Entries in use.
    pub handle_count: Cell32,
    /// Who it is, as a raw `Identity`; never changes.
    pub identity: Cell64,
    /// Highest priority its threads can have.
    pub max_priority: Cell32,
    /// First of its threads, linked by `family_next`.
    pub threads: Cell32,
    /// Threads that have not ended.
    pub live_threads: Cell32,
    /// Mappings in use.
    pub mapping_count: Cell32,
    /// All records from this one on are free.
    pub mapping_top: Cell32,
    /// A record that may be free.
    pub mapping_free: Cell32,
    /// Records of ranges that are taken although their translations are gone: while there is none, page tables alone tell what is
    /// taken.
    pub hollow: Cell32,
    /// Ranges that are being mapped or unmapped step by step: until none is, the process is not taken apart to the end.
    pub in_steps: Cell32,
    /// 1 while whoever kills it still takes its threads off whatever they do, step by step.
    pub collecting: Cell32,
    unused: Cell32,
    /// Next process in a hart's list of processes to take apart, or in the list of dying ones.
    pub reap_next: Cell32,
    /// How far taking apart has come (next handle index).
    pub reap_at: Cell32,
    /// Priority at which it is taken apart: the highest of its threads'.
    pub reap_priority: Cell32,
    /// Thousandths of a hart it holds.
    pub cpu: Cell32,
    /// Ticks used in this budget period.
    pub budget_used: Cell64,
    /// When this budget period began.
    pub budget_start: Cell64,
    /// Ticks used in its whole life.
    pub cpu_total: Cell64,
    /// While `now` is before this, its budget is used up. Read without the lock.
    pub exhausted_until: Cell64,
    /// Where ENDING and TERMINATED go.
    pub binding: Binding,
    /// Its exit record, as words, once it is dying.
    pub record: [Cell64; 37],
    /// Its mappings.
    pub mappings: [Mapping; MAX_MAPPINGS],
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Process {}

impl Process {
    /// The records that may be in use.
    pub fn records(&self) -> &[Mapping] {
        &self.mappings[..(self.mapping_top.get() as usize).min(MAX_MAPPINGS)]
    }

    /// Whether there is such a record and it is free.
    #[inline(always)]
    pub fn is_free(&self, record: u32) -> bool {
        self.mappings.get(record as usize).is_some_and(|m| m.pages.get() == 0)
    }

    /// A record, whose translations are gone, is free again, and so is its range.
    pub fn free_mapping(&self, record: usize) {
        self.mappings[record].pages.set(0);
        self.mappings[record].growing.set(0);
        self.mapping_free.set(record as u32);
        self.hollow.sub(1);
        self.mapping_count.sub(1);
        let used = self.records().iter().rposition(|m| m.pages.get() != 0).map_or(0, |last| last + 1);
        self.mapping_top.set(used as u32);
    }
}
