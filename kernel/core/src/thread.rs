//! A thread: saved registers, where it waits, and its own buffer for one message.
//!
//! A running thread belongs to its hart, a ready one to that hart's queue, a blocked one to the lock of the
//! object it waits for: its cells are written only by the owner. What must never happen: a thread in two lists.

use crate::channel::End;
use crate::context::{Context, reg};
use crate::latch::Known;
use crate::link::Link;
use crate::memory::{Frame, Header, PageType};
use crate::objects::Port;
use crate::sync::{Cell32, Cell64};
use crate::timers::TimerNode;
use nexus_abi::Ticks;
use nexus_abi::bounds::{MAX_MESSAGE_HANDLES, REGISTER_WORDS};

/// What a thread is doing; the high half of `Thread::state`. The low half says where.
pub mod state {
    /// Not started.
    pub const NEW: u32 = 0;
    /// In the ready queue of hart (low half).
    pub const READY: u32 = 1;
    /// Current on hart (low half).
    pub const RUNNING: u32 = 2;
    /// Waits on port (frame).
    pub const PORT: u32 = 3;
    /// Its call waits in the FIFO of channel end (node reference).
    pub const CALLING: u32 = 4;
    /// Its call was received on channel end (node reference) and is open.
    pub const OPEN: u32 = 5;
    /// Its message waits for room in the queue of channel end (node reference).
    pub const SENDING: u32 = 6;
    /// Ended.
    pub const DEAD: u32 = 7;
    /// Taken off its list by a hart that is about to wake or end it.
    pub const LIMBO: u32 = 8;
}

/// What is left to do when the thread is next dispatched.
pub mod resume {
    /// Return to user mode.
    pub const NONE: u32 = 0;
    /// Tell the signal bits that a port raised for it. The only thing that a quick switch may leave to do.
    pub const EVENT: u32 = 1;
    /// Try the port wait again.
    pub const WAIT: u32 = 2;
    /// Take over the answer that lies in the thread's buffer.
    pub const ANSWER: u32 = 3;
}

/// A capability on its way: two words of a `Capability`, and the reserved entry in the sender's table.
#[derive(Default)]
#[repr(C)]
pub struct MovingHandle {
    /// `Capability::meta`.
    pub meta: Cell64,
    /// The object.
    pub object: Cell64,
    /// The sender's handle.
    pub from: Cell32,
    unused: Cell32,
}

/// A message in a thread's own keeping: one it sends and that waits, or an answer that came for it.
#[derive(Default)]
#[repr(C)]
pub struct Staged {
    /// Sizes, as a tag.
    pub tag: Cell64,
    /// A message of at most 48 bytes; a longer one is in the thread's buffer frame.
    pub words: [Cell64; REGISTER_WORDS],
    /// Its handles.
    pub handles: [MovingHandle; MAX_MESSAGE_HANDLES],
}

/// A thread.
#[repr(C)]
pub struct Thread {
    /// Saved registers; first, so that the frame's address is the context's.
    pub context: Context,
    /// What (high half) and where (low half); see [`state`].
    pub state: Cell64,
    /// Its frame (low half), and how many calls it has made (high half): the reply token of its call.
    pub token: Cell64,
    /// The process whose budget it runs on, as a raw `ObjectRef`. Of no meaning while it waits at a port: whoever wakes it
    /// there lets it run on its own.
    pub payer: Cell64,
    /// Neighbours in the one stack it is in.
    pub below: Link<Thread>,
    /// See `below`.
    pub above: Link<Thread>,
    /// The `satp` value of its process; never changes.
    pub satp: Cell64,
    /// Who its process is, as a raw `Identity`; never changes.
    pub identity: Cell64,
    /// Priority plus 1, if it may run by the fast path: it never used floating point, and its address space has an identifier of its
    /// own. Else 0.
    pub rank: Cell32,
    /// Who is served first among equals.
    pub priority: Cell32,
    /// The endpoint handle that it called last.
    pub aimed: Cell64,
    /// What is received at through it.
    pub aim: Known<End>,
    /// The port handle at which it waited last.
    pub stood: Cell64,
    /// What it is the handle of.
    pub stand: Known<Port>,
    /// What the thread does while it waits there: `state::PORT` and the port's frame.
    pub stand_state: Cell64,
    /// The port handle that it signalled through last.
    pub poked: Cell64,
    /// What it is the handle of.
    pub poke: Known<Port>,
    /// Where the call came in for which its payer pays.
    pub serving: Known<End>,
    /// Its process's frame.
    pub process: Cell32,
    /// Neighbours in the one list it is in.
    pub next: Cell32,
    /// See `next`.
    pub prev: Cell32,
    /// Neighbours among the threads of the process.
    pub family_next: Cell32,
    /// See `family_next`.
    pub family_prev: Cell32,
    /// Its own process, as a raw `ObjectRef`; never changes.
    pub home: Cell64,
    /// Its place in a hart's timer heap; may be armed earlier than its deadline, never later.
    pub timer: TimerNode,
    /// The port at which a wait goes on that was woken, as a raw `ObjectRef`; with [`resume::EVENT`], the bits.
    pub port: Cell64,
    /// See [`resume`].
    pub resume: Cell32,
    unused_resume: Cell32,
    /// Order of its waiting call in the FIFO.
    pub sequence: Cell64,
    /// Frame of the 4 KiB message buffer.
    pub buffer: Cell32,
    /// In which round of its hart its payer's budget was looked at last ([`Hart::refill_round`](crate::hart::Hart::refill_round)).
    pub refill_round: Cell32,
    /// The message it sends, or the answer it gets.
    pub staged: Staged,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Thread {}

impl Thread {
    /// What it is doing.
    #[inline(always)]
    pub fn doing(&self) -> (u32, u32) {
        let raw = self.state.get();
        ((raw >> 32) as u32, raw as u32)
    }

    /// Says what it is doing from now on.
    #[inline(always)]
    pub fn set_doing(&self, what: u32, place: u32) {
        self.state.set((what as u64) << 32 | place as u64);
    }

    /// Its frame.
    #[inline(always)]
    pub fn frame(&self) -> Frame {
        Frame(self.token.get() as u32)
    }

    /// The reply token of its next call.
    #[inline(always)]
    pub fn next_token(&self) -> u64 {
        let token = self.token.get().wrapping_add(1 << 32);
        self.token.set(token);
        token
    }

    /// When its wait ends: what its call said. Of no meaning while it runs.
    #[inline(always)]
    pub fn deadline(&self) -> Ticks {
        self.context.get(reg::T[3])
    }

    /// From now on its own process pays for it.
    pub fn pay_oneself(&self) {
        self.payer.set(self.home.get());
        self.serving.forget();
    }

    /// What a fresh thread knows of other objects: nothing.
    pub fn know_nothing(&self, own: &Header) {
        self.aim.init(own);
        self.stand.init(own);
        self.poke.init(own);
        self.serving.init(own);
    }

    /// Its process.
    #[inline(always)]
    pub fn owner(&self) -> Frame {
        Frame(self.process.get())
    }
}
