//! The rules of neuron as an executable model: channels, calls, ports, transfer of handles, rights, death, quotas.
//!
//! It says as plain single-threaded code what `docs/ipc.md` says as text. [`Model::step`] does one system call of one
//! thread; what blocks becomes the state of a thread, and its answer comes with the step that brings it about.
//! [`Model::check`] says what must hold between any two steps, whatever came before.
//!
//! A kernel is held to it as a [`Subject`]: the same history goes to both, and every [`Outcome`] and
//! [`Observation`] must be the same. Cleverness is what must never come in here; speed does not matter.
//! Each module lists the rules that the page leaves open and that were decided here.
#![forbid(unsafe_code)]

mod answer;
mod call;
mod channel;
mod fault;
mod handles;
mod history;
mod invariants;
mod message;
mod model;
mod object;
mod op;
mod outcome;
mod port;
mod process;
mod quota;
mod rng;
mod shrink;
mod subject;
mod thread;
mod timer;
mod vmo;

pub use history::{Generator, History};
pub use invariants::Violation;
pub use model::{Model, Start};
pub use op::{
    ActorId, Buffers, EndBounds, HandleName, Memory, Op, Outgoing, Payload, ProcessName, QuotaName, Sizes, ThreadName,
    TokenName,
};
pub use outcome::{Answer, Delivered, Observation, Outcome, Phase, ProcessView, Progress, QuotaUse, Refusal, Sender, Value};
pub use port::signals_of;
pub use rng::Rng;
pub use shrink::shrink;
pub use subject::{replay, run_history, Divergence, Subject};
pub use quota::{channel_pages, queue_pages, table_pages, vmo_pages};
