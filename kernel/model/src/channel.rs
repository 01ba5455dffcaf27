//! Channels: two ends, each with one FIFO of queued messages and waiting calls, and the senders that wait for room.
//!
//! What must never happen: a queue deeper than it was paid for, a newcomer before a sender that waits, or a thread
//! that waits for an end that is closed.
//!
//! Rules that docs/ipc.md leaves to the reader:
//! - an end taken into a send or a call that waits counts as in flight: it accepts no message with handles;
//! - its port is told nothing of it meanwhile; its binding ends when it has left the table, and goes on when the
//!   send or the call fails;
//! - sends that wait *from* an end that closes end with `PeerClosed`, as calls do;
//! - WRITABLE is owed to an end from which a send was refused with `WouldBlock`, until it is raised; a raised edge is
//!   kept until it is told, also when the end is bound later; unbinding or moving the end forgets it;
//! - destroying a channel (revocation) wakes what waits on it with `PeerClosed` and tells no port.

use crate::answer::{Raw, RawAnswer};
use crate::fault::Fault;
use crate::message::{check_sizes, Message};
use crate::model::Model;
use crate::object::{ChannelId, EndId, ObjectId};
use crate::op::{Buffers, EndBounds, HandleName, Outgoing, ProcessName, QuotaName, Sizes, ThreadName, TokenName};
use crate::quota::{channel_pages, queue_pages, Costs};
use crate::thread::{State, Wait};
use nexus_abi::bounds::{MAX_QUEUE_DEPTH, MAX_QUEUE_PAGES};
use nexus_abi::{Error, Kind, Rights, Ticks};
use std::collections::VecDeque;

/// What stands in a FIFO.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A message of `send`.
    Message(Message),
    /// A thread whose call has not been received.
    Call(ThreadName),
}

/// A call that was received and not answered.
#[derive(Clone, Debug)]
pub(crate) struct OpenCall {
    pub caller: ThreadName,
    /// Told at the end of the step in which it was received.
    pub token: Option<TokenName>,
}

/// One end.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub bounds: EndBounds,
    pub open: bool,
    pub fifo: VecDeque<Item>,
    /// Threads whose send to this end waits for room, in the order of their coming.
    pub senders: VecDeque<ThreadName>,
    pub open_calls: Vec<OpenCall>,
    /// A send from this end was refused for want of room since WRITABLE was last raised.
    pub found_full: bool,
    /// WRITABLE was raised and not told.
    pub writable: bool,
}

impl End {
    fn new(bounds: EndBounds) -> End {
        End {
            bounds,
            open: true,
            fifo: VecDeque::new(),
            senders: VecDeque::new(),
            open_calls: Vec::new(),
            found_full: false,
            writable: false,
        }
    }

    /// Messages that take room: a waiting call takes none.
    pub fn queued(&self) -> usize {
        self.fifo.iter().filter(|item| matches!(item, Item::Message(_))).count()
    }
}

/// A channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub quota: QuotaName,
    pub ends: [End; 2],
}

impl Model {
    pub(crate) fn end(&self, id: EndId) -> &End {
        &self.channels[&id.channel].ends[id.side]
    }

    pub(crate) fn end_mut(&mut self, id: EndId) -> &mut End {
        &mut self.channels.get_mut(&id.channel).expect("an end is asked of a channel that is").ends[id.side]
    }

    pub(crate) fn endpoint(&self, actor: ProcessName, name: HandleName, right: Rights) -> Result<EndId, Error> {
        match self.lookup(actor, name, Kind::Channel, right)?.object {
            ObjectId::End(end) => Ok(end),
            _ => Err(Error::WrongType),
        }
    }

    pub(crate) fn channel_create(&mut self, actor: ProcessName, quota: HandleName, ends: [EndBounds; 2]) -> RawAnswer {
        let quota = self.chargeable(actor, quota)?;
        for end in &ends {
            check_sizes(end.largest)?;
            if end.depth > MAX_QUEUE_DEPTH || queue_pages(end) > MAX_QUEUE_PAGES as u64 {
                return Err(Error::Invalid.into());
            }
        }
        let costs = Costs { quota, pages: channel_pages(&ends), cpu: 0 };
        self.charge(costs)?;
        if !self.has_room(actor, 2) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let channel = ChannelId(self.next.object());
        self.channels.insert(channel, Channel { quota, ends: ends.map(End::new) });
        Ok(self.created(actor, &[0, 1].map(|side| ObjectId::End(EndId { channel, side }))))
    }

    /// Checks 1 to 7 of `send`, which `call` makes too.
    pub(crate) fn check_send(
        &self,
        actor: ProcessName,
        endpoint: HandleName,
        message: &Outgoing,
        room: Sizes,
        buffers: Buffers,
    ) -> Result<(EndId, crate::message::Draft), Error> {
        let from = self.endpoint(actor, endpoint, Rights::SEND)?;
        let draft = self.draft(actor, from.channel, message, room, buffers)?;
        let to = from.peer();
        if !self.end(to).open {
            return Err(Error::PeerClosed);
        }
        let largest = self.end(to).bounds.largest;
        if draft.payload.bytes > largest.bytes || draft.mints.len() > largest.handles {
            return Err(Error::TooLarge);
        }
        if !draft.mints.is_empty() && self.in_flight(to) && !self.broken(Fault::FlyingEndLoads) {
            return Err(Error::Busy);
        }
        Ok((to, draft))
    }

    pub(crate) fn channel_send(
        &mut self,
        actor: ThreadName,
        endpoint: HandleName,
        message: &Outgoing,
        buffers: Buffers,
        deadline: Ticks,
    ) -> RawAnswer {
        let process = self.thread(actor).process;
        let (to, draft) = self.check_send(process, endpoint, message, Sizes::default(), buffers)?;
        let end = self.end(to);
        if end.queued() < end.bounds.depth && end.senders.is_empty() {
            self.accept(&draft);
            let message = self.depart(draft);
            self.end_mut(to).fifo.push_back(Item::Message(message));
            self.refresh(ObjectId::End(to));
            return Ok(Raw::Done);
        }
        if deadline <= self.now {
            self.end_mut(to.peer()).found_full = true;
            return Err(Error::WouldBlock.into());
        }
        self.accept(&draft);
        self.set_reserved(&draft, true);
        self.end_mut(to).senders.push_back(actor);
        self.block(actor, Wait::Send { to, draft }, deadline);
        Ok(Raw::Waits)
    }

    /// A message left the queue of `to`: senders that wait come first, then WRITABLE is due.
    pub(crate) fn queue_has_room(&mut self, to: EndId) {
        while self.end(to).queued() < self.end(to).bounds.depth && !self.broken(Fault::RoomForgetsSender) {
            let Some(sender) = self.end_mut(to).senders.pop_front() else { break };
            let State::Blocked(Wait::Send { draft, .. }, _) = self.thread(sender).state.clone() else { continue };
            let message = self.depart(draft);
            self.end_mut(to).fifo.push_back(Item::Message(message));
            self.wake(sender, Ok(Raw::Done));
            self.refresh(ObjectId::End(to));
        }
        let from = to.peer();
        let room = self.end(to).queued() < self.end(to).bounds.depth;
        if room && self.end(from).open && self.end(from).found_full {
            self.end_mut(from).found_full = false;
            self.end_mut(from).writable = true;
            self.refresh(ObjectId::End(from));
        }
    }

    pub(crate) fn channel_recv(
        &mut self,
        actor: ThreadName,
        endpoint: HandleName,
        room: Sizes,
        buffers: Buffers,
        discard: bool,
    ) -> RawAnswer {
        let process = self.thread(actor).process;
        let end = self.endpoint(process, endpoint, Rights::RECEIVE)?;
        check_sizes(room)?;
        if !discard {
            return self.receive(end, actor, room, buffers);
        }
        match self.end_mut(end).fifo.pop_front() {
            None if self.end(end.peer()).open => return Err(Error::WouldBlock.into()),
            None => return Err(Error::PeerClosed.into()),
            Some(Item::Message(message)) => {
                self.refresh(ObjectId::End(end));
                self.drop_message(message);
                self.queue_has_room(end);
            }
            Some(Item::Call(caller)) => {
                self.refresh(ObjectId::End(end));
                let message = self.open_call(end, caller);
                self.drop_message(message);
                self.answer_empty(end, caller);
            }
        }
        Ok(Raw::Done)
    }

    /// The last handle of the end has gone. Everything that waits for it is told, and so is the other end.
    pub(crate) fn close_end(&mut self, id: EndId) {
        self.end_mut(id).open = false;
        self.unbind(ObjectId::End(id));
        // Nothing of the FIFO is received any more; what was sent *from* here stays for the other end, but
        // calls and waiting sends made from here end.
        let mut waiting: Vec<ThreadName> = Vec::new();
        for end in [self.end(id), self.end(id.peer())] {
            if !self.broken(Fault::CloseForgetsCallers) {
                waiting.extend(end.fifo.iter().filter_map(|item| match item {
                    Item::Call(caller) => Some(*caller),
                    Item::Message(_) => None,
                }));
                waiting.extend(end.open_calls.iter().map(|call| call.caller));
            }
            if !self.broken(Fault::CloseForgetsSenders) {
                waiting.extend(end.senders.iter());
            }
        }
        for thread in waiting {
            self.interrupt(thread, Error::PeerClosed.into());
        }
        while let Some(item) = self.end_mut(id).fifo.pop_front() {
            if let Item::Message(message) = item {
                self.drop_message(message);
            }
        }
        self.refresh(ObjectId::End(id.peer()));
        if !self.end(id.peer()).open {
            self.remove_channel(id.channel);
        }
    }

    /// Revocation: both ends at once, and no port is told.
    pub(crate) fn destroy_channel(&mut self, channel: ChannelId) {
        let ends = [0, 1].map(|side| EndId { channel, side });
        ends.iter().for_each(|end| self.unbind(ObjectId::End(*end)));
        for end in ends {
            if self.channels.contains_key(&channel) && self.end(end).open {
                self.close_end(end);
            }
        }
    }

    fn remove_channel(&mut self, channel: ChannelId) {
        let costs = self.costs(ObjectId::End(EndId { channel, side: 0 }));
        self.channels.remove(&channel);
        if !self.broken(Fault::ChargeStays) {
            self.give_back(costs);
        }
    }
}
