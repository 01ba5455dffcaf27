//! What generated interface code stands on: message layout, typed handles, reconnecting clients, dispatch.
//!
//! `nexus-idlc` writes one module an interface into `nexus-api`; everything those modules have in common is
//! here, once, and is tested here. Nothing in this crate allocates, panics on a byte that came from another
//! process, or lets a received handle leak: what was not taken is closed.
#![no_std]
#![forbid(unsafe_code)]

pub mod bounded;
pub mod codec;
pub mod failure;
pub mod handle;
pub mod link;
pub mod packet;
pub mod serve;
pub mod trace;

pub use bounded::{Bytes, Text, TooLong};
pub use codec::{Malformed, Sink, Source, Wire, Words, tail, text_tail};
pub use failure::{CallError, Failure, Fault, SendError, ServiceError};
pub use handle::{AnyHandle, HandleKind, Handles, Held, NoHandle, kinds};
pub use link::{Connector, Fixed, HandleOf, Link, Spec, Transport, answered, empty_reply};
pub use packet::{Packet, Room, View};
pub use serve::{Outcome, Promise, Replier, Sender, answer, refuse, write_empty};

/// Bytes of the header that begins each message: operation (bits 0-15), status (16-31), interface (32-63).
pub const HEADER_BYTES: usize = 8;

/// Status of a request, and of an answer that carries the reply.
pub const STATUS_OK: u16 = 0;

/// Status of the answer to a request that the server could not take: unknown operation, wrong size, a handle
/// too many, of another kind or with too few rights. Service errors have numbers below.
pub const STATUS_REFUSED: u16 = 0xffff;

/// The header of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// Number of the operation.
    pub operation: u16,
    /// [`STATUS_OK`], an error number of the interface, or [`STATUS_REFUSED`].
    pub status: u16,
    /// Identifies interface and version, so that a message sent to the wrong server is refused.
    pub interface: u32,
}

impl Header {
    /// The header of a request, or of the answer that carries its reply.
    pub const fn new(interface: u32, operation: u16) -> Header {
        Header { operation, status: STATUS_OK, interface }
    }

    /// As it stands in the first word.
    pub const fn to_word(self) -> u64 {
        self.operation as u64 | (self.status as u64) << 16 | (self.interface as u64) << 32
    }

    /// Back from the first word.
    pub const fn from_word(word: u64) -> Header {
        Header { operation: word as u16, status: (word >> 16) as u16, interface: (word >> 32) as u32 }
    }
}
