//! What a call is answered, and why not.

use alloc::vec::Vec;
use smoltcp::wire::Ipv4Address;

/// Why it was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// There is no such socket of this session.
    NotFound,
    /// The port is in use.
    Exists,
    /// An address or a size that cannot be.
    Invalid,
    /// As many sockets are open as can be.
    QuotaExceeded,
    /// There is no address yet, or another such call has taken the place of this one.
    NotReady,
    /// Nobody answers there.
    Unreachable,
    /// The connection has ended, or was refused.
    Closed,
}

/// What a call is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// How long the echo took, in microseconds.
    Echo(u64),
    /// A connection, and with whom.
    Connection(u32, Ipv4Address, u16),
    /// So many bytes were taken.
    Sent(usize),
    /// Bytes; none at the end of the stream.
    Data(Vec<u8>),
    /// A datagram, and from whom.
    Datagram(Ipv4Address, u16, Vec<u8>),
}

/// An answer that is owed now.
pub type Finished<P> = (P, Result<Answer, Error>);
