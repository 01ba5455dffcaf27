//! What a call can come to, besides its reply. Exhaustive, so that a server's death cannot be overlooked.

use crate::codec::Malformed;
use nexus_abi::Error;

/// The errors of one interface.
pub trait ServiceError: Copy {
    /// The error with this number.
    fn from_number(number: u16) -> Option<Self>;

    /// Its number.
    fn number(self) -> u16;
}

/// Why a call has no reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use]
pub enum CallError<E> {
    /// The service answered with this error.
    Service(E),
    /// The server ended, or cannot be reached. Whether it did what was asked is not known, unless the
    /// operation is idempotent: then it was tried again, and failed again.
    ServerDied,
    /// The deadline passed first. Whether the server does what was asked is not known.
    TimedOut,
    /// One of the two does not keep to the interface, or the message could not be sent at all.
    Protocol(Fault),
}

/// Why a one-way message was not sent. (That it was sent does not say that it was received.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use]
pub enum SendError {
    /// The server ended, or cannot be reached.
    ServerDied,
    /// The server's queue was full until the deadline.
    QueueFull,
    /// The message could not be sent at all.
    Protocol(Fault),
}

/// What was wrong about a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// The server refused the request as malformed.
    Refused,
    /// The registry does not let this process connect to the service, or nobody will ever provide it on this machine.
    Denied,
    /// The answer is not one that the interface knows.
    Malformed,
    /// The buffer of this side cannot hold the message.
    NoRoom,
    /// The kernel refused the message: a handle that cannot be sent, a message larger than the channel takes,
    /// a handle table that is full.
    Kernel(Error),
}

/// What a transport can answer besides success.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// The other end is closed, or the channel destroyed.
    ServerDied,
    /// The deadline passed, or a queue was full.
    TimedOut,
    /// Neither will change by waiting.
    Protocol(Fault),
}

impl<E> From<Failure> for CallError<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ServerDied => CallError::ServerDied,
            Failure::TimedOut => CallError::TimedOut,
            Failure::Protocol(fault) => CallError::Protocol(fault),
        }
    }
}

impl<E> From<Malformed> for CallError<E> {
    fn from(_: Malformed) -> Self {
        CallError::Protocol(Fault::Malformed)
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ServerDied => SendError::ServerDied,
            Failure::TimedOut => SendError::QueueFull,
            Failure::Protocol(fault) => SendError::Protocol(fault),
        }
    }
}
