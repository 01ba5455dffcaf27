//! Answers: a token stands for one open call, once, in the process that holds the end which received it.

use crate::ghost::Event;
use crate::message::{Buffers, Draft, Message, Room};
use crate::object::Id;
use crate::process::Doing;
use crate::{Answer, Fault, Model, Refused, Slots};
use nexus_abi::Error;
use nexus_abi::bounds::REGISTER_BYTES;

impl Model {
    /// A token that no open call has. The kernel's are never used again; here a number that is free is, and the comparison
    /// tries what it stood for before.
    pub(crate) fn free_token(&self) -> u32 {
        let used = |number| {
            self.threads().any(|(_, t)| matches!(t.doing, Doing::Open { token, .. } if token == number))
        };
        (1..).find(|number| !used(*number)).unwrap_or_default()
    }

    /// The thread whose call the token stands for in this process.
    fn caller(&self, process: Id, number: u32) -> Refused<Id> {
        let mut open = self.threads().filter_map(|(id, thread)| match thread.doing {
            Doing::Open { at, token, .. } if token == number => Some((id, at)),
            _ => None,
        });
        let held = |at| {
            let mut open = self.process(process).table.open();
            open.any(|(_, capability)| (capability.object, capability.end) == at)
        };
        open.find(|(_, at)| held(*at)).map(|(id, _)| id).ok_or(Error::CallerGone)
    }

    /// `channel_reply`, and the first half of `reply_and_wait`. When it is refused the call stays open.
    pub(crate) fn reply(
        &mut self,
        thread: Id,
        token: u32,
        draft: &Draft,
        room: Room,
        at: Buffers,
    ) -> Refused<()> {
        let process = self.thread(thread).process;
        let caller = self.caller(process, token)?;
        let Doing::Open { at: end, room: declared, stamp, .. } = self.thread(caller).doing else {
            return Err(Error::CallerGone);
        };
        if !draft.is_valid() || !room.is_valid() {
            return Err(Error::Invalid);
        }
        let staged = self.stage(process, draft, at, end.0)?;
        if !declared.fits(&staged.message) {
            self.give_back(process, staged);
            return Err(Error::BufferTooSmall);
        }
        self.depart(process, &staged.slots);
        let answer = staged.message;
        self.events.0.push(Event::Ended(stamp.0));
        if answer.bytes > REGISTER_BYTES || !answer.cargo.is_empty() {
            self.thread_mut(caller).doing = Doing::Answered { answer, room: declared };
            return Ok(());
        }
        self.events.0.push(Event::Ended(answer.stamp.0));
        let open = self.thread(caller).doing.clone();
        self.answer(caller, Answer::message(&answer, Slots::default()));
        if self.breaks(Fault::TokenAnswersTwice) {
            self.thread_mut(caller).doing = open;
        }
        Ok(())
    }

    /// A caller goes on and takes its answer over; one that cannot take it learns why, and the answer is dropped.
    pub(crate) fn take_answer(&mut self, thread: Id, answer: Message, room: Room) {
        let process = self.thread(thread).process;
        self.events.0.push(Event::Ended(answer.stamp.0));
        match self.prepare(process, answer.bytes, answer.cargo.len(), room.at) {
            Ok(slots) => {
                let told = Answer::message(&answer, Slots(slots.clone()));
                for (slot, capability) in slots.into_iter().zip(answer.cargo) {
                    self.land(process, slot, capability);
                }
                self.answer(thread, told);
            }
            Err(error) => {
                self.answer(thread, Answer::refused(error));
                self.close(answer.cargo);
            }
        }
    }
}
