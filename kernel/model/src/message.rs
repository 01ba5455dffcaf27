//! A message on its way: checked as its sender names it, held while it waits, taken when it goes.
//!
//! What must never happen: a check after the first change. Either all of a message goes, or none of it.

use crate::answer::{Raw, RawAnswer, RawMessage};
use crate::channel::Item;
use crate::fault::Fault;
use crate::handles::{Capability, Mint};
use crate::model::Model;
use crate::object::{ChannelId, EndId, ObjectId};
use crate::op::{Buffers, HandleName, Outgoing, Payload, ProcessName, Sizes, ThreadName};
use crate::outcome::{Refusal, Sender};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};
use nexus_abi::{Error, Rights};

/// A message's own number, for the ledger of messages that nobody has received yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct MessageId(pub u64);

/// A message whose handles have left the sender.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub id: MessageId,
    pub payload: Payload,
    pub handles: Vec<Capability>,
    pub sender: Sender,
}

/// A message that waits with its sender, whose table still has the handles.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub id: MessageId,
    pub payload: Payload,
    pub mints: Vec<Mint>,
    pub sender: Sender,
}

/// Whether sizes are within what a tag can ask for.
pub(crate) fn check_sizes(sizes: Sizes) -> Result<(), Error> {
    let fits = sizes.bytes <= MAX_MESSAGE_BYTES && sizes.handles <= MAX_MESSAGE_HANDLES;
    if fits { Ok(()) } else { Err(Error::Invalid) }
}

/// Whether a message fits the room that its receiver declared. The registers have room for theirs always.
pub(crate) fn fits(payload: Payload, handles: usize, room: Sizes) -> bool {
    (!payload.needs_buffer() || payload.bytes <= room.bytes) && handles <= room.handles
}

impl Model {
    /// Every message whose handles are in no table.
    pub(crate) fn queued_messages(&self) -> impl Iterator<Item = &Message> {
        let items = self.channels.values().flat_map(|c| c.ends.iter()).flat_map(|end| end.fifo.iter());
        items.filter_map(|item| match item {
            Item::Message(message) => Some(message),
            Item::Call(_) => None,
        })
    }

    /// Checks 2 to 4 of `send`: tag, buffers, handles. Changes nothing.
    pub(crate) fn draft(
        &self,
        actor: ProcessName,
        channel: ChannelId,
        message: &Outgoing,
        room: Sizes,
        buffers: Buffers,
    ) -> Result<Draft, Error> {
        check_sizes(Sizes { bytes: message.payload.bytes, handles: message.handles.len() })?;
        check_sizes(room)?;
        if message.payload.needs_buffer() && !buffers.bytes.readable() {
            return Err(Error::BadAddress);
        }
        if !message.handles.is_empty() && !buffers.handles.readable() {
            return Err(Error::BadAddress);
        }
        let mut mints = Vec::new();
        for name in &message.handles {
            let capability = self.movable(actor, *name, |mint| mints.contains(&mint), Some(channel))?;
            mints.push(capability.mint);
        }
        let sender = Sender { service: self.process(actor).service, process: actor };
        Ok(Draft { id: MessageId(self.next.message), payload: message.payload, mints, sender })
    }

    /// Check 4 of `send` for one handle, in this order: open, TRANSFER, not named twice, no end of the very
    /// channel, and an endpoint with nothing open or loaded.
    pub(crate) fn movable(
        &self,
        actor: ProcessName,
        name: HandleName,
        named: impl Fn(Mint) -> bool,
        channel: Option<ChannelId>,
    ) -> Result<Capability, Error> {
        let capability = self.open_slot(actor, name)?.capability.clone();
        if !capability.rights.contains(Rights::TRANSFER) {
            return Err(Error::AccessDenied);
        }
        if named(capability.mint) {
            return Err(Error::Invalid);
        }
        if let ObjectId::End(end) = capability.object {
            if Some(end.channel) == channel {
                return Err(Error::Invalid);
            }
            let loaded = self.carries_handles(end) && !self.broken(Fault::LoadedEndMoves);
            if !self.end(end).open_calls.is_empty() || loaded {
                return Err(Error::Busy);
            }
        }
        Ok(capability)
    }

    /// Whether something in the end's FIFO brings handles.
    pub(crate) fn carries_handles(&self, end: EndId) -> bool {
        self.end(end).fifo.iter().any(|item| match item {
            Item::Message(message) => !message.handles.is_empty(),
            Item::Call(caller) => self.draft_of(*caller).is_some_and(|draft| !draft.mints.is_empty()),
        })
    }

    /// Whether the end is on its way: in a message, or taken into a send or a call that waits.
    pub(crate) fn in_flight(&self, end: EndId) -> bool {
        let held = |slot: &crate::handles::Slot| !slot.reserved && slot.capability.object == ObjectId::End(end);
        !self.processes.values().any(|process| process.table.iter().any(held))
    }

    /// The message is accepted: it is in the ledger until it is received, dropped or taken back.
    pub(crate) fn accept(&mut self, draft: &Draft) {
        self.next.message += 1;
        self.unreceived.insert(draft.id);
    }

    /// Marks the handles of a message that waits, or gives them back. The port of an endpoint among them is told
    /// nothing meanwhile.
    pub(crate) fn set_reserved(&mut self, draft: &Draft, reserved: bool) {
        for mint in &draft.mints {
            let Some(slot) = self.process_mut(draft.sender.process).table.by_mint(*mint) else { continue };
            slot.reserved = reserved;
            let object = slot.capability.object;
            if self.exists(object) {
                if reserved { self.suspend(object) } else { self.refresh(object) }
            }
        }
    }

    /// The handles leave the sender's table.
    pub(crate) fn depart(&mut self, draft: Draft) -> Message {
        let process = draft.sender.process;
        let handles: Vec<Capability> =
            draft.mints.iter().filter_map(|mint| self.withdraw_handle(process, *mint)).collect();
        for capability in &handles {
            self.forget_signals(capability.object);
        }
        Message { id: draft.id, payload: draft.payload, handles, sender: draft.sender }
    }

    /// A message that nobody will receive: its handles are closed.
    pub(crate) fn drop_message(&mut self, message: Message) {
        self.unreceived.remove(&message.id);
        if self.broken(Fault::DropForgetsHandles) {
            return;
        }
        for capability in message.handles {
            self.close(capability);
        }
    }

    /// Whether `receiver` can take a message of these sizes: room (`BufferTooSmall`), table (`NoSpace`),
    /// buffers (`BadAddress`), in this order.
    pub(crate) fn can_take(
        &self,
        receiver: ThreadName,
        payload: Payload,
        handles: usize,
        room: Sizes,
        buffers: Buffers,
    ) -> Result<(), Refusal> {
        let sizes = Sizes { bytes: payload.bytes, handles };
        if !fits(payload, handles, room) {
            return Err(Refusal { error: Error::BufferTooSmall, key: 0, sizes });
        }
        if !self.has_room(self.thread(receiver).process, handles) {
            return Err(Error::NoSpace.into());
        }
        let bytes = payload.needs_buffer() && !buffers.bytes.writable();
        if bytes || handles > 0 && !buffers.handles.writable() {
            return Err(Error::BadAddress.into());
        }
        Ok(())
    }

    /// Takes the head of the end's FIFO for `receiver`, if it can; else the head stays.
    pub(crate) fn receive(
        &mut self,
        end: EndId,
        receiver: ThreadName,
        room: Sizes,
        buffers: Buffers,
    ) -> RawAnswer {
        let (payload, handles) = match self.end(end).fifo.front() {
            None if self.end(end.peer()).open => return Err(Error::WouldBlock.into()),
            None => return Err(Error::PeerClosed.into()),
            Some(Item::Message(message)) => (message.payload, message.handles.len()),
            Some(Item::Call(caller)) => {
                let sizes = self.draft_of(*caller).map(|draft| (draft.payload, draft.mints.len()));
                sizes.expect("a call in a FIFO has its message")
            }
        };
        self.can_take(receiver, payload, handles, room, buffers)?;
        let (message, call) = match self.end_mut(end).fifo.pop_front() {
            Some(Item::Message(message)) => (message, None),
            Some(Item::Call(caller)) => {
                let message = self.open_call(end, caller);
                (message, Some((caller, self.room_of(caller))))
            }
            None => return Err(Error::WouldBlock.into()),
        };
        self.unreceived.remove(&message.id);
        let process = self.thread(receiver).process;
        let mints = message.handles.into_iter().map(|c| self.install(process, c)).collect();
        self.refresh(ObjectId::End(end));
        self.queue_has_room(end);
        Ok(Raw::Message(RawMessage { key: 0, payload, handles: mints, sender: Some(message.sender), call }))
    }
}
