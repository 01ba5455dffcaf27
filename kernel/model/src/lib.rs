//! The kernel's rules as an executable model: channels, calls, transfer, ports, handles, quotas, death, sealing.
//!
//! Plain data and one function, [`Model::step`]: what a system call checks, in which order, with which error, and what it
//! changes. It says nothing of locks, harts, memory or speed. `kernel/core` is driven by the same histories and must answer
//! the same; `docs/model.md` says what is compared. What must never happen here: a rule that is taken from the kernel's code
//! because it is there, and not from `docs/ipc.md`.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod channel;
mod check;
#[cfg(not(target_os = "none"))]
mod explore;
mod fault;
mod ghost;
mod handles;
mod history;
mod message;
mod model;
mod object;
mod port;
mod process;
mod quota;
mod reply;
pub mod small;
mod step;
mod timer;
mod vmo;

pub use channel::{Bounds, End, Item};
pub use check::Summary;
#[cfg(not(target_os = "none"))]
pub use explore::{Explored, explore};
pub use fault::Fault;
pub use ghost::{Event, Ghost};
pub use handles::Table;
pub use history::{HANDLES, Habit, Random, Script, Taste, eager_step, end_all, random_step, shrink};
pub use message::{Buffers, Draft, Message, Room, Slots, Staged, slots};
pub use model::{BOOT_PROCESS, BOOT_THREAD, Model, ROOT_QUOTA, Start};
pub use object::{Body, Capability, EndId, Id, NOBODY, Object, peer};
pub use port::{Binding, Node, Port};
pub use process::{Doing, Left, Process, Thread};
pub use quota::Quota;
pub use step::{Answer, Deadline, Op, Step};
pub use timer::Timer;
pub use vmo::Vmo;

/// A process's name for one of its capabilities.
pub type Slot = u16;

/// What a system call that was refused answers.
pub type Refused<T> = Result<T, nexus_abi::Error>;
