//! Handle tables: where capabilities are kept, looked up, moved and closed.
//!
//! What must never happen: a capability in two places or in none, or with a right that the one it came from
//! had not. Each capability is minted once, with a number of its own, and a ledger knows which are open; the
//! checker compares the ledger with every place there is.

use crate::fault::Fault;
use crate::answer::{Raw, RawAnswer};
use crate::model::Model;
use crate::object::ObjectId;
use crate::op::{HandleName, ProcessName};
use nexus_abi::{Error, Kind, Rights};
use std::collections::{BTreeMap, VecDeque};

/// A capability's own number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Mint(pub u64);

/// An object and what may be done with it. Moved, never copied: a second one is a second mint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Capability {
    pub mint: Mint,
    pub object: ObjectId,
    pub rights: Rights,
}

/// A taken entry of a table.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// Told at the end of the step in which the handle came.
    pub name: Option<HandleName>,
    /// A send or a call of this process that waits has it: it answers no look-up.
    pub reserved: bool,
    pub capability: Capability,
}

/// A process's handles. Free entries are used again oldest first; at the end they are closed in their order.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    slots: Vec<Option<Slot>>,
    free: VecDeque<usize>,
    pub names: u32,
}

impl Table {
    pub fn new(capacity: usize) -> Table {
        Table { slots: vec![None; capacity], free: (0..capacity).collect(), names: 0 }
    }

    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    pub fn by_mint(&mut self, mint: Mint) -> Option<&mut Slot> {
        self.slots.iter_mut().flatten().find(|slot| slot.capability.mint == mint)
    }

    fn by_name(&self, name: HandleName) -> Option<&Slot> {
        self.iter().find(|slot| slot.name == Some(name))
    }

    fn insert(&mut self, capability: Capability) -> bool {
        let Some(index) = self.free.pop_front() else { return false };
        self.slots[index] = Some(Slot { name: None, reserved: false, capability });
        true
    }

    /// Takes the handle of the lowest entry.
    pub fn take_first(&mut self) -> Option<Capability> {
        let mint = self.iter().next()?.capability.mint;
        self.take(mint)
    }

    pub fn take(&mut self, mint: Mint) -> Option<Capability> {
        let index = self.slots.iter().position(|s| s.as_ref().is_some_and(|s| s.capability.mint == mint))?;
        self.free.push_back(index);
        self.slots[index].take().map(|slot| slot.capability)
    }
}

/// Which capabilities are open, and the most that each may allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    next: u64,
    pub open: BTreeMap<Mint, Rights>,
}

impl Model {
    /// A capability that there was not before.
    pub(crate) fn mint(&mut self, object: ObjectId, rights: Rights) -> Capability {
        let mint = Mint(self.ledger.next);
        self.ledger.next += 1;
        self.ledger.open.insert(mint, rights);
        Capability { mint, object, rights }
    }

    /// Every capability, with the process whose table it is in, if any.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = (Option<ProcessName>, &Capability)> {
        let tables = self
            .processes
            .iter()
            .flat_map(|(id, process)| process.table.iter().map(|slot| (Some(*id), &slot.capability)));
        let queues = self.queued_messages().flat_map(|message| message.handles.iter()).map(|c| (None, c));
        tables.chain(queues)
    }

    /// The slot of an open handle: its object is, and no waiting send or call has it.
    pub(crate) fn open_slot(&self, process: ProcessName, name: HandleName) -> Result<&Slot, Error> {
        let slot = self.process(process).table.by_name(name).filter(|slot| !slot.reserved);
        slot.filter(|slot| self.exists(slot.capability.object)).ok_or(Error::BadHandle)
    }

    /// An open handle of a kind, with rights: in this order `BadHandle`, `WrongType`, `AccessDenied`.
    pub(crate) fn lookup(
        &self,
        process: ProcessName,
        name: HandleName,
        kind: Kind,
        rights: Rights,
    ) -> Result<Capability, Error> {
        let capability = &self.open_slot(process, name)?.capability;
        if capability.object.kind() != kind {
            return Err(Error::WrongType);
        }
        if !capability.rights.contains(rights) {
            return Err(Error::AccessDenied);
        }
        Ok(capability.clone())
    }

    /// Whether the table can take so many more.
    pub(crate) fn has_room(&self, process: ProcessName, handles: usize) -> bool {
        let table = &self.process(process).table;
        table.capacity() - table.len() >= handles
    }

    /// Puts a capability into a table that was seen to have room.
    pub(crate) fn install(&mut self, process: ProcessName, mut capability: Capability) -> Mint {
        if self.broken(Fault::TransferAddsRights) {
            capability.rights = capability.object.kind().all_rights();
        }
        let mint = capability.mint;
        let fits = self.process_mut(process).table.insert(capability);
        debug_assert!(fits, "room was checked before");
        mint
    }

    /// Takes a capability out of its process's table.
    pub(crate) fn withdraw_handle(&mut self, process: ProcessName, mint: Mint) -> Option<Capability> {
        if self.broken(Fault::SendCopiesHandles) {
            let copy = self.process_mut(process).table.by_mint(mint).map(|slot| slot.capability.clone());
            return copy;
        }
        self.process_mut(process).table.take(mint)
    }

    /// Closes a capability that was taken out of its place.
    pub(crate) fn close(&mut self, capability: Capability) {
        self.ledger.open.remove(&capability.mint);
        self.release(capability.object);
    }

    /// New handles with every right of their kind; room was checked before.
    pub(crate) fn created(&mut self, process: ProcessName, objects: &[ObjectId]) -> Raw {
        let mut mints = Vec::new();
        for object in objects {
            let born = self.next.order();
            self.born.insert(*object, born);
            let capability = self.mint(*object, object.kind().all_rights());
            mints.push(self.install(process, capability));
        }
        Raw::Handles(mints)
    }

    /// Closes whatever the handle is for; a handle whose object is gone closes too.
    pub(crate) fn handle_close(&mut self, actor: ProcessName, handle: HandleName) -> RawAnswer {
        let slot = self.process(actor).table.by_name(handle).filter(|slot| !slot.reserved);
        let mint = slot.ok_or(Error::BadHandle)?.capability.mint;
        if let Some(capability) = self.process_mut(actor).table.take(mint) {
            self.close(capability);
        }
        Ok(Raw::Done)
    }

    /// Errors in the order `BadHandle`, `WrongType` (endpoint), `AccessDenied` (no DUPLICATE), `Invalid` (bits
    /// that are no rights), `AccessDenied` (a right the first has not), `NoSpace`.
    pub(crate) fn handle_dup(&mut self, actor: ProcessName, handle: HandleName, rights: Rights) -> RawAnswer {
        let first = self.open_slot(actor, handle)?.capability.clone();
        if first.object.kind() == Kind::Channel {
            return Err(Error::WrongType.into());
        }
        if !first.rights.contains(Rights::DUPLICATE) {
            return Err(Error::AccessDenied.into());
        }
        if !Rights::all().contains(rights) {
            return Err(Error::Invalid.into());
        }
        if !first.rights.contains(rights) && !self.broken(Fault::DupAddsRights) {
            return Err(Error::AccessDenied.into());
        }
        if !self.has_room(actor, 1) {
            return Err(Error::NoSpace.into());
        }
        let mut second = self.mint(first.object, rights & first.rights);
        second.rights = rights;
        Ok(Raw::Handles(vec![self.install(actor, second)]))
    }
}
