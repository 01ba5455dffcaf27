//! Channels: two ends, each with one FIFO of queued messages and waiting calls.

use crate::ghost::{Event, Ghost};
use crate::message::{Buffers, Draft, Message, Room, Staged};
use crate::object::{Body, Capability, EndId, Id, NOBODY, peer};
use crate::port::Binding;
use crate::process::Doing;
use crate::{Answer, Deadline, Fault, Model, Refused, Slot, Slots};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::bounds::{
    MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, MAX_QUEUE_DEPTH, MAX_QUEUE_PAGES, PAGE_SIZE,
};
use nexus_abi::{Error, Identity, Kind, Rights, Signals};

/// What an end can receive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Bounds {
    /// Messages that can queue.
    pub depth: usize,
    /// Largest message in bytes.
    pub bytes: usize,
    /// Largest message in handles.
    pub handles: usize,
}

impl Bounds {
    /// Pages of the queue.
    pub fn pages(&self) -> usize {
        (self.depth * (32 + self.bytes.next_multiple_of(8) + 16 * self.handles)).div_ceil(PAGE_SIZE)
    }

    fn is_valid(&self) -> bool {
        self.depth <= MAX_QUEUE_DEPTH
            && self.bytes <= MAX_MESSAGE_BYTES
            && self.handles <= MAX_MESSAGE_HANDLES
            && self.pages() <= MAX_QUEUE_PAGES
    }
}

/// One end: what it receives, and who waits for it to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct End {
    /// Until it is closed.
    pub open: bool,
    /// Its handle is on its way: it accepts no handles, and nothing is received at it.
    pub flight: bool,
    /// What it can receive.
    pub bounds: Bounds,
    /// Queued messages and waiting calls, in the order in which their senders committed.
    pub fifo: Vec<Item>,
    /// Threads whose message waits for room, first come first served.
    pub senders: Vec<Id>,
    /// A send found the queue full and did not wait: WRITABLE is owed to the other end.
    pub owes_writable: bool,
    /// Where its signals go.
    pub binding: Binding,
}

/// What stands in a FIFO.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    /// A message of `send`.
    Queued(Message),
    /// The waiting call of this thread, which keeps it.
    Call(Id),
}

impl End {
    fn new(bounds: Bounds) -> End {
        let binding = Binding::default();
        let (fifo, senders) = (vec![], vec![]);
        End { open: true, flight: false, bounds, fifo, senders, owes_writable: false, binding }
    }

    /// Capabilities in its queue.
    pub(crate) fn inside(&self) -> impl Iterator<Item = &Capability> {
        self.fifo.iter().flat_map(|item| match item {
            Item::Queued(message) => message.cargo.as_slice(),
            Item::Call(_) => &[],
        })
    }

    /// Messages queued; calls do not count.
    pub fn queued(&self) -> usize {
        self.fifo.iter().filter(|item| matches!(item, Item::Queued(_))).count()
    }
}

impl Model {
    /// The end.
    pub fn end(&self, (channel, end): EndId) -> &End {
        &self.channel(channel)[end]
    }

    fn end_mut(&mut self, (channel, end): EndId) -> &mut End {
        &mut self.channel_mut(channel)[end]
    }

    /// The call that a thread waits to have received.
    fn calling(&self, thread: Id) -> &Staged {
        match &self.thread(thread).doing {
            Doing::Calling { staged, .. } => staged,
            other => panic!("thread {thread} is not calling but {other:?}"),
        }
    }

    /// Threads whose call is open at this end.
    pub fn open_calls(&self, end: EndId) -> impl Iterator<Item = (Id, u32)> {
        self.threads().filter_map(move |(id, thread)| match thread.doing {
            Doing::Open { at, token, .. } if at == end => Some((id, token)),
            _ => None,
        })
    }

    /// Handles queued or waiting in the FIFO of an end.
    pub fn handles_inside(&self, end: EndId) -> usize {
        let count = |item: &Item| match item {
            Item::Queued(message) => message.cargo.len(),
            Item::Call(thread) => self.calling(*thread).message.cargo.len(),
        };
        self.end(end).fifo.iter().map(count).sum()
    }

    /// `channel_create`.
    pub(crate) fn channel_create(&mut self, process: Id, quota: Slot, ends: [Bounds; 2]) -> Refused<Answer> {
        let quota = self.charged(process, quota)?;
        if !ends.iter().all(Bounds::is_valid) {
            return Err(Error::Invalid);
        }
        let pages = 1 + ends.iter().map(Bounds::pages).sum::<usize>() as u64;
        let id = self.create(quota, pages, Body::Channel(ends.map(End::new)))?;
        let slots = match self.process_mut(process).table.reserve_all(2) {
            Ok(slots) => slots,
            Err(error) => {
                self.forget(id);
                return Err(error);
            }
        };
        for (end, slot) in slots.iter().enumerate() {
            let capability = self.mint(id, end, Kind::Channel, Kind::Channel.all_rights());
            self.process_mut(process).table.fill(*slot, capability);
        }
        Ok(Answer::Handles(slots))
    }

    /// `channel_send` and `channel_call`. `None`: the thread waits.
    pub(crate) fn send(
        &mut self,
        thread: Id,
        slot: Slot,
        draft: &Draft,
        room: Option<Room>,
        at: Buffers,
        deadline: Deadline,
    ) -> Refused<Option<Answer>> {
        let process = self.thread(thread).process;
        let capability = self.look_up_as(process, slot, Kind::Channel, Rights::SEND)?;
        let to = peer((capability.object, capability.end));
        if !draft.is_valid() || !room.unwrap_or_default().is_valid() {
            return Err(Error::Invalid);
        }
        let staged = self.stage(process, draft, at, to.0)?;
        if let Err(error) = self.may_join(to, &staged.message, deadline, room.is_some()) {
            self.give_back(process, staged);
            return Err(error);
        }
        let left = deadline.left();
        let answer = match room {
            Some(room) => {
                self.thread_mut(thread).doing = Doing::Calling { to, staged, room, left };
                self.end_mut(to).fifo.push(Item::Call(thread));
                None
            }
            None if self.has_room(to) => {
                self.enqueue(process, to, staged);
                Some(Answer::Done)
            }
            None => {
                self.thread_mut(thread).doing = Doing::Sending { to, staged, left };
                self.end_mut(to).senders.push(thread);
                None
            }
        };
        self.notify(to);
        Ok(answer)
    }

    /// `channel_call`, received at once. False unless nothing is before it and somebody waits, with room for it, at the port that
    /// the other end is bound to.
    pub(crate) fn call_straight(
        &mut self,
        thread: Id,
        slot: Slot,
        draft: &Draft,
        room: Room,
        deadline: Deadline,
    ) -> bool {
        let process = self.thread(thread).process;
        let Ok(capability) = self.look_up_as(process, slot, Kind::Channel, Rights::SEND) else {
            return false;
        };
        let to = peer((capability.object, capability.end));
        if !draft.is_valid() || !room.is_valid() || !self.end(to).fifo.is_empty() {
            return false;
        }
        let (port, key) = (self.end(to).binding.port, self.end(to).binding.key);
        if port == NOBODY
            || self.end(to).flight
            || self.end(to).binding.wanted & Signals::READABLE.bits() == 0
        {
            return false;
        }
        let Ok(staged) = self.stage(process, draft, room.at, to.0) else { return false };
        let Some(server) = self.port_mut(port).waiters.pop() else { return false };
        let Doing::Waiting { room: declared, .. } = self.thread(server).doing else { return false };
        if self.may_join(to, &staged.message, deadline, true).is_err() {
            return false;
        }
        self.thread_mut(thread).doing = Doing::Calling { to, staged, room, left: deadline.left() };
        self.end_mut(to).fifo.push(Item::Call(thread));
        let received = self.receive(self.thread(server).process, to, declared, key);
        let was_received = received.is_ok();
        received.into_iter().for_each(|answer| self.answer(server, answer));
        was_received
    }

    /// Whether a message may join the FIFO, or wait to.
    fn may_join(&mut self, to: EndId, message: &Message, deadline: Deadline, is_call: bool) -> Refused<()> {
        let accepts_in_flight =
            self.breaks(Fault::EndInFlightAcceptsHandles) || self.breaks(Fault::QueuesHoldEachOther);
        let end = self.end(to);
        if !end.open {
            return Err(Error::PeerClosed);
        }
        if message.bytes > end.bounds.bytes || message.cargo.len() > end.bounds.handles {
            return Err(Error::TooLarge);
        }
        if end.flight && !message.cargo.is_empty() && !accepts_in_flight {
            return Err(Error::Busy);
        }
        if deadline.is_past() && (is_call || !self.has_room(to)) {
            self.end_mut(to).owes_writable |= !is_call;
            return Err(Error::WouldBlock);
        }
        Ok(())
    }

    /// Whether a newcomer may queue: nobody overtakes those who wait.
    fn has_room(&self, to: EndId) -> bool {
        let end = self.end(to);
        end.queued() < end.bounds.depth && end.senders.is_empty()
    }

    fn enqueue(&mut self, sender: Id, to: EndId, mut staged: Staged) {
        // The order of the FIFO is that in which senders commit, and one that waited for room commits now.
        staged.message.stamp = self.restamp(staged.message.stamp);
        self.end_mut(to).fifo.push(Item::Queued(staged.message));
        self.depart(sender, &staged.slots);
    }

    fn restamp(&mut self, old: Ghost<u64>) -> Ghost<u64> {
        let stamp = self.number();
        self.events.0.extend([Event::Ended(old.0), Event::Sent(stamp)]);
        Ghost(stamp)
    }

    /// `channel_recv`: the head of the FIFO, whole or not at all.
    pub(crate) fn channel_recv(&mut self, process: Id, slot: Slot, room: Room) -> Result<Answer, Answer> {
        let refused = |error| Answer::refused(error);
        let capability = self.look_up_as(process, slot, Kind::Channel, Rights::RECEIVE).map_err(refused)?;
        let end = (capability.object, capability.end);
        match room.is_valid() {
            true => self.receive(process, end, room, 0),
            false => Err(refused(Error::Invalid)),
        }
    }

    /// What an end with an empty FIFO answers.
    fn nothing_at(&self, end: EndId) -> Error {
        if self.end(peer(end)).open { Error::WouldBlock } else { Error::PeerClosed }
    }

    /// Delivers the head of the FIFO to a process, under `key`.
    pub(crate) fn receive(
        &mut self,
        process: Id,
        end: EndId,
        room: Room,
        key: u64,
    ) -> Result<Answer, Answer> {
        let refuse = |error, sizes| Answer::Refused { error, sizes, key };
        let last = self.end(end).fifo.len().saturating_sub(1);
        let head = if self.breaks(Fault::LastComeFirstServed) { last } else { 0 };
        let message = match self.end(end).fifo.get(head) {
            None => return Err(refuse(self.nothing_at(end), None)),
            Some(Item::Queued(message)) => message,
            Some(Item::Call(thread)) => &self.calling(*thread).message,
        };
        let sizes = (message.bytes, message.cargo.len());
        if !room.fits(message) {
            return Err(refuse(Error::BufferTooSmall, Some(sizes)));
        }
        let slots = self.prepare(process, sizes.0, sizes.1, room.at).map_err(|error| refuse(error, None))?;

        // Nothing can fail from here on.
        let item = self.end_mut(end).fifo.remove(head);
        let (message, call) = match item {
            Item::Queued(message) => {
                self.events.0.push(Event::Ended(message.stamp.0));
                (message, None)
            }
            Item::Call(caller) => {
                let (message, token, room) = self.open_call(caller, end);
                (message, Some((token, room)))
            }
        };
        self.events.0.push(Event::Received(end, message.stamp.0));
        for (slot, capability) in slots.iter().zip(message.cargo) {
            self.land(process, *slot, capability);
        }
        if call.is_none() {
            self.refill(end);
        }
        let (bytes, fill, from) = (message.bytes, message.fill, message.from);
        Ok(Answer::Message { bytes, fill, handles: Slots(slots), from, key, call })
    }

    /// The waiting call becomes open. Answers what it brings, and what answers it.
    fn open_call(&mut self, caller: Id, at: EndId) -> (Message, u32, Room) {
        let token = self.free_token();
        let doing = core::mem::replace(&mut self.thread_mut(caller).doing, Doing::New);
        let Doing::Calling { staged, room, left, .. } = doing else { panic!("thread {caller} is {doing:?}") };
        let stamp = staged.message.stamp;
        self.thread_mut(caller).doing = Doing::Open { at, token, room, left, stamp };
        self.depart(self.thread(caller).process, &staged.slots);
        (staged.message, token, room)
    }

    /// The queue of an end has room again: whoever waits for it moves up, and the other side is told if it asked.
    fn refill(&mut self, end: EndId) {
        while self.end(end).queued() < self.end(end).bounds.depth
            && !self.end(end).senders.is_empty()
            && !self.breaks(Fault::RoomForgetsSenders)
        {
            let sender = self.end_mut(end).senders.remove(0);
            let doing = core::mem::replace(&mut self.thread_mut(sender).doing, Doing::New);
            let Doing::Sending { staged, .. } = doing else { panic!("thread {sender} is {doing:?}") };
            self.enqueue(self.thread(sender).process, end, staged);
            self.answer(sender, Answer::Done);
        }
        if self.end(end).queued() < self.end(end).bounds.depth && self.end(end).owes_writable {
            self.end_mut(end).owes_writable = false;
            self.raise(peer(end), Signals::WRITABLE);
        }
    }

    /// `channel_recv` with the discard flag: the head is dropped, a call is answered with an empty message.
    pub(crate) fn discard(&mut self, process: Id, slot: Slot) -> Refused<Answer> {
        let capability = self.look_up_as(process, slot, Kind::Channel, Rights::RECEIVE)?;
        let end = (capability.object, capability.end);
        if self.end(end).fifo.is_empty() {
            return Err(self.nothing_at(end));
        }
        let cargo = match self.end_mut(end).fifo.remove(0) {
            Item::Queued(message) => {
                self.events.0.push(Event::Ended(message.stamp.0));
                self.refill(end);
                message.cargo
            }
            Item::Call(caller) => {
                let (message, ..) = self.open_call(caller, end);
                self.events.0.push(Event::Ended(message.stamp.0));
                self.answer(caller, Answer::empty(Identity::default()));
                message.cargo
            }
        };
        self.close(cargo);
        Ok(Answer::Done)
    }

    /// Closes an end: whoever waits on the channel learns of it, and what is queued at the end is dropped. The other end
    /// can still receive what was queued there.
    pub(crate) fn close_end(&mut self, end: EndId) {
        if !self.is_channel(end.0) || !self.end(end).open {
            return;
        }
        self.end_mut(end).open = false;
        self.unbind(end);
        for at in [(end.0, 0), (end.0, 1)] {
            let calls = self.end(at).fifo.iter().filter_map(|item| match item {
                Item::Call(thread) => Some(*thread),
                Item::Queued(_) => None,
            });
            let mut waiting: Vec<Id> = calls.collect();
            waiting.extend(self.open_calls(at).map(|(thread, _)| thread));
            if !self.breaks(Fault::CloseForgetsSenders) {
                waiting.extend(&self.end(at).senders);
            }
            waiting.into_iter().for_each(|thread| self.fail(thread, Error::PeerClosed));
        }
        while !self.end(end).fifo.is_empty() {
            if let Item::Queued(message) = self.end_mut(end).fifo.remove(0) {
                self.events.0.push(Event::Ended(message.stamp.0));
                if !self.breaks(Fault::DroppedHandlesAreLost) {
                    self.close(message.cargo);
                }
            }
        }
        self.notify(peer(end));
        if !self.end(peer(end)).open {
            self.forget(end.0);
        }
    }

    /// Takes a blocked thread off whatever it waits on.
    pub(crate) fn leave_lists(&mut self, thread: Id) {
        match self.thread(thread).doing {
            Doing::Sending { to, .. } => self.end_mut(to).senders.retain(|other| *other != thread),
            Doing::Calling { to, .. } => self.end_mut(to).fifo.retain(|item| *item != Item::Call(thread)),
            Doing::Waiting { port, .. } => self.port_mut(port).waiters.retain(|other| *other != thread),
            _ => {}
        }
    }

    /// Ends the wait of a thread with an error: what it wanted to send is its own again.
    pub(crate) fn fail(&mut self, thread: Id, error: Error) {
        self.leave_lists(thread);
        let process = self.thread(thread).process;
        match core::mem::replace(&mut self.thread_mut(thread).doing, Doing::New) {
            Doing::Sending { staged, .. } | Doing::Calling { staged, .. } => {
                if error == Error::TimedOut && self.breaks(Fault::TimeoutLosesHandles) {
                    self.events.0.push(Event::Ended(staged.message.stamp.0));
                } else {
                    self.give_back(process, staged);
                }
            }
            Doing::Open { stamp, .. } => self.events.0.push(Event::Ended(stamp.0)),
            _ => {}
        }
        self.answer(thread, Answer::refused(error));
    }
}
