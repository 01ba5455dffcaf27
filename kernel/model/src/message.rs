//! Messages: what is in one, and how its handles leave a process and arrive in another.
//!
//! Every check comes before the first change: a transfer is all or nothing.

use crate::ghost::{Event, Ghost};
use crate::object::{Body, Capability, Id};
use crate::{Fault, Model, Refused, Slot};
use alloc::vec::Vec;
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, REGISTER_BYTES};
use nexus_abi::{Error, Identity, Kind, Rights};

/// A message that the kernel has taken over.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Message {
    /// Its length in bytes.
    pub bytes: usize,
    /// Its first byte; each further one is one more. It stands for the contents.
    pub fill: u8,
    /// Its handles.
    pub cargo: Vec<Capability>,
    /// Who sent it.
    pub from: Identity,
    /// Which message it is; higher is later.
    pub stamp: Ghost<u64>,
}

/// A message of a thread that waits: its handles have entries reserved in the sender's table, for the case that they
/// come back.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Staged {
    /// The message.
    pub message: Message,
    /// The reserved entries.
    pub slots: Vec<Slot>,
}

/// A message as its sender describes it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Draft {
    /// Its length in bytes.
    pub bytes: usize,
    /// Its first byte.
    pub fill: u8,
    /// Its handles.
    pub handles: Slots,
}

/// A list of handles.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Slots(pub Vec<Slot>);

/// A list of handles.
pub fn slots(list: &[Slot]) -> Slots {
    Slots(list.to_vec())
}

impl core::fmt::Debug for Slots {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "slots(&{:?})", self.0)
    }
}

/// Where a thread's two buffers are, by page of its address space: reachable if something is mapped there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Buffers {
    /// The byte buffer.
    pub bytes: u8,
    /// The handle buffer.
    pub handles: u8,
}

/// Room for a message that comes in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Room {
    /// Bytes; 48 always fit.
    pub bytes: usize,
    /// Handles.
    pub handles: usize,
    /// Where they go.
    pub at: Buffers,
}

impl Room {
    /// Whether the message's sizes fit.
    pub fn fits(&self, message: &Message) -> bool {
        (message.bytes <= REGISTER_BYTES || message.bytes <= self.bytes)
            && message.cargo.len() <= self.handles
    }

    /// Whether the tag can say so.
    pub fn is_valid(&self) -> bool {
        self.bytes <= MAX_MESSAGE_BYTES && self.handles <= MAX_MESSAGE_HANDLES
    }
}

impl Draft {
    /// Whether the tag can say so.
    pub fn is_valid(&self) -> bool {
        self.bytes <= MAX_MESSAGE_BYTES && self.handles.0.len() <= MAX_MESSAGE_HANDLES
    }
}

impl Model {
    /// Whether a process can read the page, or write it.
    pub(crate) fn reaches(&self, process: Id, page: u8, write: bool) -> bool {
        self.process(process)
            .mappings
            .get(&page)
            .is_some_and(|(vmo, writable)| self.exists(*vmo) && (*writable || !write))
    }

    /// Takes a message over from a thread's process: the bytes are read, then the list of handles, then each handle is
    /// moored. `channel` is the one that it is to go through.
    pub(crate) fn stage(&mut self, process: Id, draft: &Draft, at: Buffers, channel: Id) -> Refused<Staged> {
        if draft.bytes > REGISTER_BYTES && !self.reaches(process, at.bytes, false) {
            return Err(Error::BadAddress);
        }
        let slots = draft.handles.0.clone();
        if !slots.is_empty() && !self.reaches(process, at.handles, false) {
            return Err(Error::BadAddress);
        }
        let mut cargo = Vec::new();
        for (n, slot) in slots.iter().enumerate() {
            let moored = match slots[..n].contains(slot) {
                true => Err(Error::Invalid),
                false => self.moor(process, *slot, channel),
            };
            match moored {
                Ok(capability) => cargo.push(capability),
                Err(error) => {
                    self.take_back(process, cargo, &slots[..n]);
                    return Err(error);
                }
            }
        }
        let stamp = self.number();
        self.events.0.push(Event::Sent(stamp));
        let from = self.process(process).identity;
        let message = Message { bytes: draft.bytes, fill: draft.fill, cargo, from, stamp: Ghost(stamp) };
        Ok(Staged { message, slots })
    }

    /// Takes a capability out of a table for a journey; its entry stays reserved. An end moves only without open calls and
    /// without handles in its FIFO.
    pub(crate) fn moor(&mut self, process: Id, slot: Slot, channel: Id) -> Refused<Capability> {
        let capability = self.look_up(process, slot)?;
        if !capability.rights.contains(Rights::TRANSFER) {
            return Err(Error::AccessDenied);
        }
        let (object, at) = (capability.object, capability.end);
        if capability.kind == Kind::Channel {
            if object == channel {
                return Err(Error::Invalid);
            }
            let moves = self.breaks(Fault::LoadedEndMoves) || self.breaks(Fault::QueuesHoldEachOther);
            let loaded = self.handles_inside((object, at)) != 0 && !moves;
            if loaded || self.open_calls((object, at)).next().is_some() {
                return Err(Error::Busy);
            }
            self.channel_mut(object)[at].flight = true;
            self.leave_port((object, at));
        }
        let original = self.process_mut(process).table.withdraw(slot)?;
        if self.breaks(Fault::SenderKeepsHandles) {
            self.process_mut(process).table.fill(slot, original.clone());
        }
        Ok(original)
    }

    /// A message that failed: its handles are back where they were, under the same names.
    pub(crate) fn give_back(&mut self, process: Id, staged: Staged) {
        self.events.0.push(Event::Ended(staged.message.stamp.0));
        self.take_back(process, staged.message.cargo, &staged.slots);
    }

    fn take_back(&mut self, process: Id, cargo: Vec<Capability>, slots: &[Slot]) {
        for (capability, slot) in cargo.into_iter().zip(slots) {
            if capability.kind == Kind::Channel && self.exists(capability.object) {
                let end = (capability.object, capability.end);
                self.channel_mut(end.0)[end.1].flight = false;
                self.notify(end);
            }
            self.process_mut(process).table.fill(*slot, capability);
        }
    }

    /// The handles of a message have left for good: their entries in the sender's table are free again.
    pub(crate) fn depart(&mut self, process: Id, slots: &[Slot]) {
        for slot in slots {
            if !self.breaks(Fault::SenderKeepsHandles) {
                self.process_mut(process).table.release(*slot);
            }
        }
    }

    /// A capability arrives. A moved end is bound to nothing and forgets what it had to tell.
    pub(crate) fn land(&mut self, process: Id, slot: Slot, capability: Capability) {
        if capability.kind == Kind::Channel && self.exists(capability.object) {
            let end = &mut self.channel_mut(capability.object)[capability.end];
            end.flight = false;
            end.binding = Default::default();
        }
        self.process_mut(process).table.fill(slot, capability);
    }

    /// What a message needs to arrive in a process: room in its table, then buffers that can be written.
    pub(crate) fn prepare(
        &mut self,
        process: Id,
        bytes: usize,
        handles: usize,
        at: Buffers,
    ) -> Refused<Vec<Slot>> {
        let slots = self.process_mut(process).table.reserve_all(handles)?;
        if (bytes > REGISTER_BYTES && !self.reaches(process, at.bytes, true))
            || (handles > 0 && !self.reaches(process, at.handles, true))
        {
            slots.iter().for_each(|slot| self.process_mut(process).table.release(*slot));
            return Err(Error::BadAddress);
        }
        Ok(slots)
    }

    /// Whether the object is a channel that still is.
    pub(crate) fn is_channel(&self, id: Id) -> bool {
        self.objects.get(&id).is_some_and(|object| matches!(object.body, Body::Channel(_)))
    }
}
