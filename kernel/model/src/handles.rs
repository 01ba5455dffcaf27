//! Handle tables: a process's names for its capabilities.
//!
//! A name here is an index alone: that a name which was closed stays dead when its index is used again is what the
//! generations of the kernel's handles are for, and the comparison with the kernel tries them.

use crate::ghost::{Event, Ghost};
use crate::object::{Capability, Id};
use crate::{Answer, Fault, Model, Refused, Slot};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Error, Kind, Rights};

/// A table.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    /// Entries that are taken: open, or (`None`) reserved for what is on its way in or out.
    entries: BTreeMap<Slot, Option<Capability>>,
    /// Free ones; they are used again oldest first.
    free: VecDeque<Slot>,
}

impl Table {
    /// A table of `entries` entries; 0 is never a name.
    pub fn new(entries: Slot) -> Table {
        Table { entries: BTreeMap::new(), free: (1..entries).collect() }
    }

    /// What is open, by name.
    pub fn open(&self) -> impl Iterator<Item = (Slot, &Capability)> {
        self.entries.iter().filter_map(|(slot, entry)| Some((*slot, entry.as_ref()?)))
    }

    /// Entries that are taken.
    pub fn taken(&self) -> usize {
        self.entries.len()
    }

    /// Free entries, the next one to be used first.
    pub fn free(&self) -> impl Iterator<Item = Slot> {
        self.free.iter().copied()
    }

    pub(crate) fn reserve(&mut self) -> Refused<Slot> {
        let slot = self.free.pop_front().ok_or(Error::NoSpace)?;
        self.entries.insert(slot, None);
        Ok(slot)
    }

    /// Entries for `count` handles on their way in, all or none.
    pub(crate) fn reserve_all(&mut self, count: usize) -> Refused<Vec<Slot>> {
        if self.free.len() < count {
            return Err(Error::NoSpace);
        }
        (0..count).map(|_| self.reserve()).collect()
    }

    pub(crate) fn fill(&mut self, slot: Slot, capability: Capability) {
        self.entries.insert(slot, Some(capability));
    }

    /// Gives a reserved entry back.
    pub(crate) fn release(&mut self, slot: Slot) {
        self.entries.remove(&slot);
        self.free.push_back(slot);
    }

    /// Takes the capability out of an open entry, which stays reserved.
    pub(crate) fn withdraw(&mut self, slot: Slot) -> Refused<Capability> {
        self.entries.get_mut(&slot).and_then(Option::take).ok_or(Error::BadHandle)
    }

    /// Takes everything out, for the end of the process.
    pub(crate) fn empty(&mut self) -> Option<Capability> {
        while let Some((slot, entry)) = self.entries.pop_first() {
            self.free.push_back(slot);
            if entry.is_some() {
                return entry;
            }
        }
        None
    }
}

impl Model {
    /// The capability behind a handle: `BadHandle` if it is not open, or its object is gone.
    pub fn look_up(&self, process: Id, slot: Slot) -> Refused<&Capability> {
        let entry = self.process(process).table.entries.get(&slot);
        let capability = entry.and_then(Option::as_ref).ok_or(Error::BadHandle)?;
        self.find(capability.object)?;
        Ok(capability)
    }

    /// The same, of a given kind and with all of `rights`.
    pub fn look_up_as(&self, process: Id, slot: Slot, kind: Kind, rights: Rights) -> Refused<&Capability> {
        let capability = self.look_up(process, slot)?;
        if capability.kind != kind {
            return Err(Error::WrongType);
        }
        if !capability.rights.contains(rights) {
            return Err(Error::AccessDenied);
        }
        Ok(capability)
    }

    /// `handle_close`: also of a handle whose object is gone.
    pub(crate) fn handle_close(&mut self, process: Id, slot: Slot) -> Refused<Answer> {
        let table = &mut self.process_mut(process).table;
        let capability = table.withdraw(slot)?;
        table.release(slot);
        self.close(vec![capability]);
        Ok(Answer::Done)
    }

    /// `handle_dup`: rights can be dropped, never added.
    pub(crate) fn handle_dup(&mut self, process: Id, slot: Slot, rights: u32) -> Refused<Answer> {
        let capability = self.look_up(process, slot)?.clone();
        let rights = Rights::from_bits(rights).ok_or(Error::Invalid)?;
        if capability.kind == Kind::Channel {
            return Err(Error::WrongType);
        }
        if !capability.rights.contains(Rights::DUPLICATE)
            || !(capability.rights.contains(rights) || self.breaks(Fault::DuplicateGainsRights))
        {
            return Err(Error::AccessDenied);
        }
        let place = self.process_mut(process).table.reserve()?;
        let serial = self.number();
        self.events.0.push(Event::Made { serial, of: Some(capability.serial.0) });
        let copy = Capability { rights, serial: Ghost(serial), ..capability };
        self.process_mut(process).table.fill(place, copy);
        Ok(Answer::Handles(vec![place]))
    }
}
