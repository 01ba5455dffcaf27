//! Calls: a message whose sender waits for the answer, and the one-shot token that answers it.
//!
//! What must never happen: a token that answers twice or from elsewhere, a caller that waits for a call that nobody
//! can answer, or handles of a call in the caller's table after it was received.
//!
//! Rules that docs/ipc.md leaves to the reader:
//! - an answer carries the identity of the process that gave it; the empty answer to a discarded call that of nobody;
//! - on the caller's side a full table (`NoSpace`) is found before a bad buffer (`BadAddress`); in both cases the
//!   reply itself succeeds.

use crate::answer::{Raw, RawAnswer, RawMessage};
use crate::channel::{Item, OpenCall};
use crate::fault::Fault;
use crate::message::{fits, Draft, Message};
use crate::model::Model;
use crate::object::{EndId, ObjectId};
use crate::op::{Buffers, HandleName, Outgoing, ProcessName, Sizes, ThreadName, TokenName};
use crate::thread::{State, Wait};
use nexus_abi::{Error, Ticks};

impl Model {
    pub(crate) fn channel_call(
        &mut self,
        actor: ThreadName,
        endpoint: HandleName,
        message: &Outgoing,
        room: Sizes,
        buffers: Buffers,
        deadline: Ticks,
    ) -> RawAnswer {
        let process = self.thread(actor).process;
        let (to, draft) = self.check_send(process, endpoint, message, room, buffers)?;
        if deadline <= self.now {
            return Err(Error::WouldBlock.into());
        }
        self.accept(&draft);
        self.set_reserved(&draft, true);
        self.block(actor, Wait::Call { to, draft: Some(draft), room, buffers }, deadline);
        self.end_mut(to).fifo.push_back(Item::Call(actor));
        self.refresh(ObjectId::End(to));
        Ok(Raw::Waits)
    }

    /// The message of a call or a send that waits.
    pub(crate) fn draft_of(&self, thread: ThreadName) -> Option<&Draft> {
        match &self.thread(thread).state {
            State::Blocked(Wait::Call { draft, .. }, _) => draft.as_ref(),
            State::Blocked(Wait::Send { draft, .. }, _) => Some(draft),
            _ => None,
        }
    }

    /// The room that a caller declared for the answer.
    pub(crate) fn room_of(&self, caller: ThreadName) -> Sizes {
        match &self.thread(caller).state {
            State::Blocked(Wait::Call { room, .. }, _) => *room,
            _ => Sizes::default(),
        }
    }

    /// A waiting call is received: its message leaves the caller, and it is open from now on.
    pub(crate) fn open_call(&mut self, end: EndId, caller: ThreadName) -> Message {
        let State::Blocked(Wait::Call { draft, .. }, _) = &mut self.thread_mut(caller).state else {
            unreachable!("a thread in a FIFO waits in a call");
        };
        let draft = draft.take().expect("a call in a FIFO has its message");
        self.end_mut(end).open_calls.push(OpenCall { caller, token: None });
        self.depart(draft)
    }

    /// The open call behind a token, on an end that `process` holds.
    fn call_of(&self, process: ProcessName, token: TokenName) -> Option<(EndId, ThreadName)> {
        for (id, channel) in &self.channels {
            for (side, end) in channel.ends.iter().enumerate() {
                let call = end.open_calls.iter().find(|call| call.token == Some(token));
                if let Some(call) = call {
                    let end = EndId { channel: *id, side };
                    let holds = self.process(process).table.iter().any(|s| s.capability.object == ObjectId::End(end));
                    return holds.then_some((end, call.caller));
                }
            }
        }
        None
    }

    pub(crate) fn channel_reply(
        &mut self,
        actor: ThreadName,
        token: TokenName,
        message: &Outgoing,
        room: Sizes,
        buffers: Buffers,
    ) -> RawAnswer {
        let process = self.thread(actor).process;
        let (end, caller) = self.call_of(process, token).ok_or(Error::CallerGone)?;
        let draft = self.draft(process, end.channel, message, room, buffers)?;
        let State::Blocked(Wait::Call { room, buffers, .. }, _) = self.thread(caller).state.clone() else {
            return Err(Error::CallerGone.into());
        };
        if !fits(draft.payload, draft.mints.len(), room) {
            return Err(Error::BufferTooSmall.into());
        }
        // From here on the reply succeeds; what can still go wrong is the caller's.
        let taken = self.can_take(caller, draft.payload, draft.mints.len(), room, buffers);
        self.accept(&draft);
        let answer = self.depart(draft);
        match taken {
            Ok(()) => {
                self.unreceived.remove(&answer.id);
                let home = self.thread(caller).process;
                let handles = answer.handles.into_iter().map(|c| self.install(home, c)).collect();
                let raw = RawMessage { payload: answer.payload, handles, sender: Some(answer.sender), ..RawMessage::empty() };
                self.end_call(end, caller, Ok(Raw::Message(raw)));
            }
            Err(refusal) => {
                self.end_call(end, caller, Err(refusal));
                self.drop_message(answer);
            }
        }
        Ok(Raw::Done)
    }

    /// A discarded call is answered with nothing.
    pub(crate) fn answer_empty(&mut self, end: EndId, caller: ThreadName) {
        self.end_call(end, caller, Ok(Raw::Message(RawMessage::empty())));
    }

    fn end_call(&mut self, end: EndId, caller: ThreadName, answer: RawAnswer) {
        if !self.broken(Fault::ReplyKeepsCall) {
            self.end_mut(end).open_calls.retain(|call| call.caller != caller);
        }
        self.wake(caller, answer);
    }
}
