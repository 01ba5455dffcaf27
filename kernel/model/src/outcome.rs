//! What an operation is seen to do: the answer to its actor, and the answers that threads waiting elsewhere get
//! because of it. Nothing that no user program could see belongs here.

use crate::op::{HandleName, Payload, ProcessName, QuotaName, Sizes, ThreadName, TokenName};
use nexus_abi::{Error, ExitCause, Kind, Rights, Signals};
use std::collections::BTreeMap;

/// Everything a step is seen to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What became of the actor.
    pub actor: Progress,
    /// Other threads whose system call ended, or that started, in the order of their names.
    pub woken: Vec<(ThreadName, Answer)>,
}

/// What became of the thread that made the step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Its system call came back.
    Done(Answer),
    /// It waits.
    Blocked,
    /// It is no more.
    Gone,
    /// There was no such thread, or it waited: nothing was done. (For time, too, nobody has to be there.)
    Nobody,
}

/// The result of a system call.
pub type Answer = Result<Value, Refusal>;

/// What a system call that succeeded brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing but success.
    Done,
    /// New handles, in the order of the results.
    Handles(Vec<HandleName>),
    /// A message, a call or an answer.
    Message(Delivered),
    /// What happened to a bound object.
    Event {
        /// The key of its binding.
        key: u64,
        /// What happened.
        signals: Signals,
    },
    /// First instruction of a started thread, and the handle it was started with.
    Started(Option<HandleName>),
}

/// A message as its receiver sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivered {
    /// The key of the binding it came through; 0 when it did not come from a port.
    pub key: u64,
    /// Its bytes.
    pub payload: Payload,
    /// Its handles: the receiver's new name, and (`None`: the object was destroyed meanwhile) what it is.
    pub handles: Vec<(HandleName, Option<(Kind, Rights)>)>,
    /// Who sent it; `None` for the answer to a call that was discarded, which nobody gave.
    pub sender: Option<Sender>,
    /// The reply token and the caller's room, when it is a call.
    pub call: Option<(TokenName, Sizes)>,
}

/// A sender's identity. The generation is told as the process it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    /// Its service id.
    pub service: u32,
    /// The process.
    pub process: ProcessName,
}

/// The result of a system call that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub error: Error,
    /// The key of the binding at whose delivery a wait failed, else 0.
    pub key: u64,
    /// The sizes of the message that did not fit (`BufferTooSmall` of a receive or a wait), else 0.
    pub sizes: Sizes,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { error, key: 0, sizes: Sizes::default() }
    }
}

/// What can be seen of the whole system between two steps. Objects that are no more are absent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observation {
    /// Every quota but quota 0.
    pub quotas: BTreeMap<QuotaName, QuotaUse>,
    /// Every process.
    pub processes: BTreeMap<ProcessName, ProcessView>,
    /// Every thread.
    pub threads: BTreeMap<ThreadName, Phase>,
}

/// The state of a quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaUse {
    /// Pages it can charge.
    pub pages: u64,
    /// Pages charged.
    pub used: u64,
    /// Processor share it can give.
    pub cpu: u64,
    /// Processor share given.
    pub cpu_used: u64,
    /// Objects that belong to it.
    pub objects: u64,
}

/// The state of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessView {
    /// Why it ended, and its exit code when it said so itself.
    pub ended: Option<(ExitCause, u64)>,
    /// Handles in its table.
    pub handles: usize,
    /// Threads that were created and have not ended.
    pub threads: usize,
    /// Mappings in its address space.
    pub mappings: usize,
}

/// The state of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Created, not started.
    Created,
    /// It runs, or could.
    Ready,
    /// It waits.
    Blocked,
}
