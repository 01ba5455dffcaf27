//! The server's side of a message: who sent it, what dispatch did with it, and how an answer is written, at once
//! or later.
//!
//! Whatever a client sends, its call gets an answer that fits the room it declared, so a reply can never get
//! stuck at the kernel.

use crate::failure::{Fault, ServiceError};
use crate::handle::AnyHandle;
use crate::packet::{Packet, Room};
use crate::{HEADER_BYTES, Header, STATUS_REFUSED};
use nexus_abi::Identity;

/// Where a message came from. Nothing in it was said by the message itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    /// Who sent it, says the kernel.
    pub identity: Identity,
    /// Under which key the server serves the endpoint it came through.
    pub key: u64,
    /// What answers it; 0 when no answer is expected.
    pub token: u64,
}

impl Sender {
    /// Whether an answer is expected.
    pub const fn is_call(&self) -> bool {
        self.token != 0
    }
}

/// An answer that is owed to a caller. A server that loses it leaves the caller waiting until its deadline.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct Promise {
    /// What answers the call.
    pub token: u64,
    /// Room for the answer.
    pub room: Room,
}

/// What carries an answer that comes later: the server's loop.
pub trait Replier {
    /// Its handles.
    type Handle: AnyHandle;

    /// Lends a packet, and sends what was written to it as the answer.
    fn reply(&mut self, promise: Promise, write: impl FnOnce(&mut Packet<'_, Self::Handle>) -> Outcome);
}

/// What dispatch made of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use = "an answer has to be sent"]
pub enum Outcome {
    /// The packet is the answer to the call.
    Answered,
    /// The call was malformed: the packet is the answer that says so.
    Refused,
    /// The call was handled, and its answer is promised for later.
    Kept,
    /// A one-way message was handled; there is nothing to answer.
    Taken,
    /// A one-way message was malformed; it is gone, and its handles are closed.
    Dropped,
}

impl Outcome {
    /// Whether the packet has to be sent as the answer.
    pub const fn has_answer(self) -> bool {
        matches!(self, Outcome::Answered | Outcome::Refused)
    }
}

/// Makes the packet the answer to a malformed call, or drops a malformed one-way message.
pub fn refuse<H>(packet: &mut Packet<'_, H>, interface: u32, is_call: bool) -> Outcome {
    let operation = packet.header().map_or(0, |header| header.operation);
    packet.reset();
    if !is_call {
        return Outcome::Dropped;
    }
    if packet.room.bytes >= HEADER_BYTES {
        header_only(packet, Header { operation, status: STATUS_REFUSED, interface });
    }
    Outcome::Refused
}

/// Makes the packet the answer to a call: the reply, or the service's error. A reply that does not fit the
/// caller's room or this server's buffer is dropped and the call refused instead.
pub fn answer<H, R, E: ServiceError>(
    packet: &mut Packet<'_, H>,
    header: Header,
    result: Result<R, E>,
    encode: impl FnOnce(R, &mut Packet<'_, H>) -> Result<(), Fault>,
) -> Outcome {
    packet.reset();
    let written = match result {
        Ok(reply) => encode(reply, packet),
        Err(error) => {
            header_only(packet, Header { status: error.number(), ..header });
            Ok(())
        }
    };
    if written.is_err() || packet.len() > packet.room.bytes || packet.handles.len() > packet.room.handles {
        // The operation's number, for `refuse` to repeat.
        header_only(packet, header);
        return refuse(packet, header.interface, true);
    }
    Outcome::Answered
}

/// Makes the packet a reply that says nothing beyond its header.
pub fn write_empty<H>(packet: &mut Packet<'_, H>, header: Header) -> Result<(), Fault> {
    header_only(packet, header);
    Ok(())
}

fn header_only<H>(packet: &mut Packet<'_, H>, header: Header) {
    packet.write_words(header, HEADER_BYTES, |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Room;

    const HEADER: Header = Header { operation: 2, status: 0, interface: 1 };

    #[derive(Clone, Copy)]
    struct Seven;
    impl ServiceError for Seven {
        fn from_number(_: u16) -> Option<Self> {
            Some(Seven)
        }
        fn number(self) -> u16 {
            7
        }
    }

    fn answered(room: usize, handle_room: usize) -> (Outcome, usize, Option<u16>) {
        let mut packet = Packet::<u8>::new(&mut []);
        packet.room = Room { bytes: room, handles: handle_room };
        let outcome = answer(&mut packet, HEADER, Ok::<_, Seven>(()), |(), packet| {
            packet.write_words(HEADER, 16, |_| {});
            packet.handles.push(1).map_err(|_| Fault::NoRoom)
        });
        assert_eq!(packet.handles.len(), usize::from(outcome == Outcome::Answered));
        (outcome, packet.len(), packet.header().map(|h| h.status))
    }

    #[test]
    fn an_answer_always_fits_the_room() {
        assert_eq!(answered(16, 1), (Outcome::Answered, 16, Some(0)));
        assert_eq!(answered(16, 0), (Outcome::Refused, 8, Some(STATUS_REFUSED)));
        assert_eq!(answered(15, 1), (Outcome::Refused, 8, Some(STATUS_REFUSED)));
        assert_eq!(answered(7, 1), (Outcome::Refused, 0, None));
    }

    #[test]
    fn an_error_is_its_number_alone() {
        let mut packet = Packet::<u8>::new(&mut []);
        let outcome = answer(&mut packet, HEADER, Err::<(), _>(Seven), |(), _| Ok(()));
        assert_eq!(outcome, Outcome::Answered);
        assert_eq!((packet.len(), packet.header()), (8, Some(Header { status: 7, ..HEADER })));
        packet.room.bytes = 7;
        let outcome = answer(&mut packet, HEADER, Err::<(), _>(Seven), |(), _| Ok(()));
        assert_eq!((outcome, packet.len()), (Outcome::Refused, 0));
    }

    #[test]
    fn a_refusal_names_the_operation_and_closes_the_handles() {
        let mut packet = Packet::<u8>::new(&mut []);
        packet.write_words(HEADER, 48, |_| {});
        assert!(packet.handles.push(1).is_ok());
        assert_eq!(refuse(&mut packet, 9, true), Outcome::Refused);
        assert_eq!(packet.header(), Some(Header { operation: 2, status: STATUS_REFUSED, interface: 9 }));
        assert!(packet.handles.is_empty());
        assert_eq!(refuse(&mut packet, 9, false), Outcome::Dropped);
        assert_eq!(packet.len(), 0);
    }
}
