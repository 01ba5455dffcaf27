//! A process's handle table: index and generation to object, kind and rights.
//!
//! Writers hold the table's lock. Readers take none: an entry is two words, and a reader that finds the first
//! unchanged after reading the second has seen one entry, not halves of two. For that, `meta` says before a fence that the
//! handle is over, and `object` changes only after it (`tests/models/handles.rs`). What must never happen: a capability in
//! two places at once, or an index given out while its old handle value still answers.

use crate::memory::{Frame, Memory, PageType};
use crate::process::Process;
use crate::sync::{Cell64, Ordering, fence};
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HANDLES, MAX_HOLDINGS};
use nexus_abi::{Error, Handle, Kind, Rights};

/// What names a handle: one of a list, or a register of a system call. A handle has 32 bits: a register with more in it names none,
/// whatever its lower half is, and so a look-up compares all of it.
pub trait Name: Copy {
    /// All that was given.
    fn word(self) -> u64;
}

impl Name for Handle {
    #[inline(always)]
    fn word(self) -> u64 {
        self.0 as u64
    }
}

impl Name for u64 {
    #[inline(always)]
    fn word(self) -> u64 {
        self
    }
}

/// Names no entry of any table, and is not the value that stands for no handle at all.
const NOWHERE: Handle = Handle(u32::MAX);
const _: () = assert!(MAX_HANDLES <= 0xffff);

/// The handle that a register names, where it is to be taken out of the table.
#[inline(always)]
pub fn named(register: u64) -> Handle {
    if register >> 32 == 0 { Handle(register as u32) } else { NOWHERE }
}

/// An object by frame and generation: stays harmless after the object is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectRef {
    /// Where the object is.
    pub frame: Frame,
    /// Which of the objects that have been there.
    pub generation: u32,
}

impl ObjectRef {
    /// As one word.
    pub fn to_raw(self) -> u64 {
        self.frame.0 as u64 | (self.generation as u64) << 32
    }

    /// From one word that [`Self::to_raw`] made.
    pub fn from_raw(raw: u64) -> ObjectRef {
        ObjectRef { frame: Frame(raw as u32), generation: (raw >> 32) as u32 }
    }
}

/// A capability: an object and what may be done with it. Not a resource by itself: moving one is the
/// business of whoever takes it out of one place and puts it into another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    /// The object.
    pub object: ObjectRef,
    /// Its kind.
    pub kind: Kind,
    /// Which end, for a channel.
    pub end: u8,
    /// What the holder may do.
    pub rights: Rights,
}

impl Capability {
    /// The word that stands beside the object in an entry, without the generation.
    pub fn meta(self) -> u64 {
        self.rights.bits() as u64 | (self.end as u64) << 32 | (self.kind as u64) << 40
    }

    /// Back from two words.
    pub fn from_words(meta: u64, object: u64) -> Option<Capability> {
        Some(Capability {
            object: ObjectRef::from_raw(object),
            kind: Kind::from_raw((meta >> 40) as u8)?,
            end: (meta >> 32 & 1) as u8,
            rights: Rights::from_bits_retain(meta as u32),
        })
    }
}

/// `meta`: rights (0-31), end (32), kind (40-47; 0 free, [`RESERVED`]), generation (48-63).
/// `object`: the object; in a free entry, the next free index plus 1.
#[derive(Default)]
#[repr(C)]
pub struct Entry {
    pub(crate) meta: Cell64,
    pub(crate) object: Cell64,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Entry {}

impl Entry {
    /// Both words; `None` if the entry was changing.
    #[inline(always)]
    fn read(&self) -> Option<(u64, u64)> {
        let meta = self.meta.atomic().load(Ordering::Acquire);
        let object = self.object.get();
        // Whoever sees an object of the next handle also sees that this one is over.
        fence(Ordering::Acquire);
        (self.meta.get() == meta).then_some((meta, object))
    }
}

/// One page of a table.
pub type EntryPage = [Entry; HANDLES_PER_PAGE];
// SAFETY: an array of pairs of atomic cells, one page long.
unsafe impl PageType for EntryPage {}

/// Kind number of an entry that is taken but answers no look-up: its capability is in flight or on its way in.
const RESERVED: u64 = 0xff;
const KIND: u64 = 0xff << 40;

impl Process {
    #[inline(always)]
    pub(crate) fn entry<'m>(&self, memory: &'m Memory, index: u32) -> Option<&'m Entry> {
        if index >= self.handle_capacity.get() {
            return None;
        }
        // No capacity is larger; that the compiler does not know.
        let page = index as usize / HANDLES_PER_PAGE % self.handle_pages.len();
        let page = Frame(self.handle_pages[page].get());
        Some(&memory.page::<EntryPage>(page)[index as usize % HANDLES_PER_PAGE])
    }

    /// Chains the fresh entries of one page of a new table before those of the pages after it, which are chained already. Index 0 is
    /// never given out, so no handle is ever 0.
    pub fn chain_handles(&self, memory: &Memory, page: u32) {
        let capacity = self.handle_capacity.get();
        let start = page * HANDLES_PER_PAGE as u32;
        for index in (start.max(1)..capacity.min(start + HANDLES_PER_PAGE as u32)).rev() {
            if let Some(entry) = self.entry(memory, index) {
                entry.meta.set(1 << 48);
                entry.object.set(self.handle_free.get() as u64);
                self.handle_free.set(index);
                if index == capacity - 1 {
                    self.handle_tail.set(entry);
                }
            }
        }
    }

    /// The capability behind a handle. `BadHandle` if it is not open or its object is gone.
    #[inline(always)]
    pub fn lookup(&self, memory: &Memory, handle: impl Name) -> Result<Capability, Error> {
        let entry = self.entry(memory, handle.word() as u32 & 0xffff).ok_or(Error::BadHandle)?;
        let (meta, object) = entry.read().ok_or(Error::BadHandle)?;
        if meta >> 48 != handle.word() >> 16 {
            return Err(Error::BadHandle);
        }
        let capability = Capability::from_words(meta, object).ok_or(Error::BadHandle)?;
        if memory.header(capability.object.frame).latch.generation() != capability.object.generation {
            return Err(Error::BadHandle);
        }
        Ok(capability)
    }

    /// The same, of a given kind and with all of `rights`.
    #[inline(always)]
    pub fn lookup_as(
        &self,
        memory: &Memory,
        handle: impl Name,
        kind: Kind,
        rights: Rights,
    ) -> Result<Capability, Error> {
        let handle = handle.word();
        match self.hit(memory, handle, kind, rights) {
            Some(capability) => Ok(capability),
            None => self.look_closely(memory, handle, kind, rights),
        }
    }

    /// The same, or nothing: the common case, in one comparison.
    #[inline(always)]
    fn hit(&self, memory: &Memory, handle: u64, kind: Kind, rights: Rights) -> Option<Capability> {
        let (meta, object) = self.entry(memory, handle as u32 & 0xffff)?.read()?;
        let held = Rights::from_bits_retain(meta as u32);
        // Both fields at once; what is above the handle's own bits stays above what `meta` can have.
        if meta >> 40 != (handle >> 16) << 8 | kind as u64 || !held.contains(rights) {
            return None;
        }
        let object = ObjectRef::from_raw(object);
        let end = (meta >> 32 & 1) as u8;
        (memory.header(object.frame).latch.generation() == object.generation).then_some(Capability {
            object,
            kind,
            end,
            rights: held,
        })
    }

    /// Why a handle is not what is wanted.
    #[cold]
    fn look_closely(
        &self,
        memory: &Memory,
        handle: u64,
        kind: Kind,
        rights: Rights,
    ) -> Result<Capability, Error> {
        let capability = self.lookup(memory, handle)?;
        if capability.kind != kind {
            return Err(Error::WrongType);
        }
        if !capability.rights.contains(rights) {
            return Err(Error::AccessDenied);
        }
        Ok(capability)
    }

    /// Takes a free entry without filling it.
    pub fn reserve(&self, memory: &Memory) -> Result<Handle, Error> {
        let mut handle = [Handle::NONE];
        self.reserve_all(memory, &mut handle)?;
        Ok(handle[0])
    }

    /// Takes as many free entries as `handles` has room for, all or none: two that need what one could have do not take half each.
    /// Free entries are reused oldest first, so that a stale handle value stays stale as long as possible.
    pub fn reserve_all(&self, memory: &Memory, handles: &mut [Handle]) -> Result<(), Error> {
        let _held = self.handle_lock.hold();
        let mut next = self.handle_free.get();
        for handle in &mut *handles {
            let entry = self.entry(memory, next).filter(|_| next != 0).ok_or(Error::NoSpace)?;
            *handle = Handle(next | ((entry.meta.get() >> 48) as u32) << 16);
            next = entry.object.get() as u32;
        }
        for handle in &*handles {
            if let Some(entry) = self.entry(memory, handle.0 & 0xffff) {
                entry.meta.set(((handle.0 >> 16) as u64) << 48 | RESERVED << 40);
            }
        }
        self.handle_free.set(next);
        self.handle_count.add(handles.len() as u32);
        Ok(())
    }

    /// Fills a reserved entry: the handle answers from now on.
    pub fn fill(&self, memory: &Memory, handle: Handle, capability: Capability) {
        let _held = self.handle_lock.hold();
        if let Some(entry) = self.entry(memory, handle.0 & 0xffff) {
            entry.object.set(capability.object.to_raw());
            let meta = capability.meta() | ((handle.0 >> 16) as u64) << 48;
            entry.meta.atomic().store(meta, Ordering::Release);
        }
    }

    /// Takes and fills an entry.
    pub fn insert(&self, memory: &Memory, capability: Capability) -> Result<Handle, Error> {
        let handle = self.reserve(memory)?;
        self.fill(memory, handle, capability);
        Ok(handle)
    }

    /// Takes the capability out of an entry, which stays reserved for [`Self::fill`] or [`Self::release`].
    pub fn withdraw(&self, memory: &Memory, handle: Handle) -> Result<Capability, Error> {
        let _held = self.handle_lock.hold();
        let entry = self.entry(memory, handle.0 & 0xffff).ok_or(Error::BadHandle)?;
        let meta = entry.meta.get();
        if meta >> 48 != (handle.0 >> 16) as u64 {
            return Err(Error::BadHandle);
        }
        let capability = Capability::from_words(meta, entry.object.get()).ok_or(Error::BadHandle)?;
        entry.meta.atomic().store(meta & !(KIND | 0x1_ffff_ffff) | RESERVED << 40, Ordering::Release);
        Ok(capability)
    }

    /// Gives a reserved entry back to the free list; its handle value never answers again (until the 16-bit
    /// generation has gone round).
    pub fn release(&self, memory: &Memory, handle: Handle) {
        let _held = self.handle_lock.hold();
        if let Some(entry) = self.entry(memory, handle.0 & 0xffff) {
            self.free(entry, handle);
        }
    }

    /// Puts the entry of a handle behind the last free one. The table's lock is held.
    #[inline(always)]
    pub(crate) fn free(&self, entry: &Entry, handle: Handle) {
        let index = handle.0 & 0xffff;
        // Past the last comes 1 again: the carry out of 16 bits is added below, and falls off above.
        let next = (handle.0 >> 16) as u64 + 1;
        entry.meta.set((next + (next >> 16)) << 48);
        // The object words below, this entry's and the tail's, are of free entries: their handles are over before.
        fence(Ordering::Release);
        entry.object.set(0);
        match self.handle_free.get() {
            0 => self.handle_free.set(index),
            _ => self.handle_tail.get().object.set(index as u64),
        }
        self.handle_tail.set(entry);
        self.handle_count.sub(1);
    }

    /// Takes the capability out of an entry and frees it.
    pub fn remove(&self, memory: &Memory, handle: Handle) -> Result<Capability, Error> {
        let capability = self.withdraw(memory, handle)?;
        self.release(memory, handle);
        Ok(capability)
    }

    /// For the end of the process: takes whatever the entry at `index` holds.
    pub fn take_at(&self, memory: &Memory, index: u32) -> Option<Capability> {
        let _held = self.handle_lock.hold();
        let entry = self.entry(memory, index)?;
        let capability = Capability::from_words(entry.meta.get(), entry.object.get());
        entry.meta.set(0);
        capability
    }

    /// Some of the capabilities in the table, from entry `from` on, and from where to look for more (0: there are none). It looks at a bound
    /// of entries. The caller holds the process, so that its table stays.
    pub fn holdings(&self, memory: &Memory, from: u64) -> (u32, [Option<Capability>; MAX_HOLDINGS]) {
        let capacity = self.handle_capacity.get();
        let mut at = u32::try_from(from).map_or(capacity, |from| from.min(capacity));
        let last = capacity.min(at.saturating_add(HANDLES_PER_PAGE as u32));
        let (mut held, mut count) = ([None; MAX_HOLDINGS], 0);
        while at < last && count < MAX_HOLDINGS {
            held[count] = self.look_at(memory, at);
            count += usize::from(held[count].is_some());
            at += 1;
        }
        (if at < capacity { at } else { 0 }, held)
    }

    /// The capability in the entry at `index`, if it holds one whose object is there.
    fn look_at(&self, memory: &Memory, index: u32) -> Option<Capability> {
        let (meta, object) = self.entry(memory, index)?.read()?;
        let capability = Capability::from_words(meta, object)?;
        let alive = memory.header(capability.object.frame).latch.generation() == capability.object.generation;
        alive.then_some(capability)
    }

    /// The two words of an entry, for host tests to compare.
    #[cfg(test)]
    pub fn peek(&self, memory: &Memory, index: u32) -> Option<(u64, u64)> {
        self.entry(memory, index).map(|entry| (entry.meta.get(), entry.object.get()))
    }
}
