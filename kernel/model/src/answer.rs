//! Answers as the model makes them, and how they are told. Names of handles and tokens are given only at the
//! end of a step, in the order of the threads that are told: that order does not depend on the order in which a
//! kernel did what the step asked for.

use crate::handles::Mint;
use crate::model::Model;
use crate::op::{HandleName, Payload, ProcessName, Sizes, ThreadName, TokenName};
use crate::outcome::{Answer, Delivered, Outcome, Progress, Refusal, Sender, Value};
use nexus_abi::{Kind, Rights, Signals};

/// The result of an operation before names are given.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Done,
    Handles(Vec<Mint>),
    Message(RawMessage),
    Event { key: u64, signals: Signals },
    Started(Option<Mint>),
    /// No answer yet, or one that was told through `Model::wake`.
    Waits,
}

pub(crate) type RawAnswer = Result<Raw, Refusal>;

/// A message that was received.
#[derive(Clone, Debug)]
pub(crate) struct RawMessage {
    pub key: u64,
    pub payload: Payload,
    pub handles: Vec<Mint>,
    pub sender: Option<Sender>,
    /// Who waits for the answer, with what room.
    pub call: Option<(ThreadName, Sizes)>,
}

impl RawMessage {
    /// A message of nobody with nothing in it.
    pub fn empty() -> RawMessage {
        RawMessage { key: 0, payload: Payload::default(), handles: Vec::new(), sender: None, call: None }
    }
}

impl Model {
    /// The end of a step: what each thread is told, in the order of their names.
    pub(crate) fn tell(&mut self, actor: ThreadName) -> Outcome {
        let mut answers = std::mem::take(&mut self.answers);
        answers.sort_by_key(|(thread, _)| *thread);
        let mut progress = match self.threads.get(&actor) {
            Some(_) => Progress::Blocked,
            None => Progress::Gone,
        };
        let mut woken = Vec::new();
        for (thread, answer) in answers {
            let answer = self.name(self.thread(thread).process, answer);
            if thread == actor { progress = Progress::Done(answer) } else { woken.push((thread, answer)) }
        }
        Outcome { actor: progress, woken }
    }

    fn name(&mut self, process: ProcessName, answer: RawAnswer) -> Answer {
        Ok(match answer? {
            Raw::Done | Raw::Waits => Value::Done,
            Raw::Handles(mints) => Value::Handles(mints.into_iter().map(|m| self.name_handle(process, m).0).collect()),
            Raw::Event { key, signals } => Value::Event { key, signals },
            Raw::Started(mint) => Value::Started(mint.map(|m| self.name_handle(process, m).0)),
            Raw::Message(raw) => Value::Message(Delivered {
                key: raw.key,
                payload: raw.payload,
                handles: raw.handles.into_iter().map(|mint| self.name_handle(process, mint)).collect(),
                sender: raw.sender,
                call: raw.call.map(|(caller, room)| (self.name_token(caller), room)),
            }),
        })
    }

    fn name_handle(&mut self, process: ProcessName, mint: Mint) -> (HandleName, Option<(Kind, Rights)>) {
        let table = &mut self.process_mut(process).table;
        let name = HandleName(table.names);
        table.names += 1;
        let what = table.by_mint(mint).map(|slot| {
            slot.name = Some(name);
            (slot.capability.object, slot.capability.rights)
        });
        let what = what.filter(|(object, _)| self.exists(*object));
        (name, what.map(|(object, rights)| (object.kind(), rights)))
    }

    fn name_token(&mut self, caller: ThreadName) -> TokenName {
        let name = TokenName(self.next.token());
        let calls = self.channels.values_mut().flat_map(|c| c.ends.iter_mut()).flat_map(|e| e.open_calls.iter_mut());
        calls.filter(|call| call.caller == caller).for_each(|call| call.token = Some(name));
        name
    }
}
