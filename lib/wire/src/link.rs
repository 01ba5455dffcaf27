//! The client's side of a channel: makes calls, notices the server's death, reconnects.
//!
//! Only an operation that is idempotent is ever sent twice. A handle is never sent twice: the generator
//! refuses an idempotent operation that carries one.

use crate::codec::Malformed;
use crate::failure::{CallError, Failure, Fault, ServiceError};
use crate::handle::{AnyHandle, Handles, NoHandle};
use crate::packet::{Packet, Room, View};
use crate::{HEADER_BYTES, STATUS_OK, STATUS_REFUSED};

/// Times that an idempotent operation is tried before it answers `ServerDied`.
pub const MAX_TRIES: usize = 3;

/// What carries messages to a server: a channel end, or a fake in a test.
pub trait Transport {
    /// Its handles.
    type Handle: AnyHandle;

    /// Sends the packet and waits for the answer, which replaces it. Handles that were not received by the
    /// server are closed. The answer fits `room`.
    fn call(
        &mut self,
        packet: &mut Packet<'_, Self::Handle>,
        room: Room,
        deadline_ms: u32,
    ) -> Result<(), Failure>;

    /// Queues the packet, waiting for room until the deadline (0: not at all). Handles that were not queued are
    /// closed.
    fn send(&mut self, packet: &mut Packet<'_, Self::Handle>, deadline_ms: u32) -> Result<(), Failure>;
}

/// Where a fresh connection comes from.
pub trait Connector {
    /// The connections it makes.
    type Transport: Transport;

    /// Makes a connection to the server as it is now. It is asked at most [`MAX_TRIES`] times in a row: if a
    /// restart is to be waited for, it waits, up to a deadline of its own.
    fn connect(&mut self) -> Result<Self::Transport, Failure>;
}

/// A connection that was handed over once and cannot be had again.
#[derive(Debug)]
pub struct Fixed<T>(Option<T>);

impl<T> Fixed<T> {
    /// The only connection there will be.
    pub fn new(transport: T) -> Self {
        Fixed(Some(transport))
    }
}

impl<T: Transport> Connector for Fixed<T> {
    type Transport = T;

    fn connect(&mut self) -> Result<T, Failure> {
        self.0.take().ok_or(Failure::ServerDied)
    }
}

/// What the link has to know of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    /// The interface and its version.
    pub interface: u32,
    /// The operation's number.
    pub operation: u16,
    /// How long to wait, for each try.
    pub deadline_ms: u32,
    /// Room for the answer.
    pub room: Room,
}

/// A connection that is made when it is needed and again after the server died.
#[derive(Debug)]
pub struct Link<C: Connector> {
    connector: C,
    transport: Option<C::Transport>,
}

/// The handles of the connections that a connector makes.
pub type HandleOf<C> = <<C as Connector>::Transport as Transport>::Handle;

impl<C: Connector> Link<C> {
    /// Nothing is connected before the first message.
    pub const fn new(connector: C) -> Self {
        Link { connector, transport: None }
    }

    fn attempt(
        &mut self,
        send: impl FnOnce(&mut C::Transport) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let transport = match &mut self.transport {
            Some(transport) => transport,
            empty => empty.insert(self.connector.connect()?),
        };
        let outcome = send(transport);
        if outcome == Err(Failure::ServerDied) {
            self.transport = None;
        }
        outcome
    }

    fn persist(&mut self, mut once: impl FnMut(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        for _ in 1..MAX_TRIES {
            let outcome = once(self);
            if outcome != Err(Failure::ServerDied) {
                return outcome;
            }
        }
        once(self)
    }

    /// Calls, once.
    pub fn call_once<'b>(
        &mut self,
        spec: &Spec,
        buffer: &'b mut [u8],
        encode: impl FnOnce(&mut Packet<'b, HandleOf<C>>) -> Result<(), Fault>,
    ) -> Result<Packet<'b, HandleOf<C>>, Failure> {
        let mut packet = Packet::new(buffer);
        encode(&mut packet).map_err(Failure::Protocol)?;
        self.attempt(|transport| transport.call(&mut packet, spec.room, spec.deadline_ms))?;
        Ok(packet)
    }

    /// Calls, and calls again on a fresh connection when the server died.
    pub fn call_idempotent<'b>(
        &mut self,
        spec: &Spec,
        buffer: &'b mut [u8],
        encode: impl Fn(&mut Packet<'b, HandleOf<C>>) -> Result<(), Fault>,
    ) -> Result<Packet<'b, HandleOf<C>>, Failure> {
        let mut packet = Packet::new(buffer);
        self.persist(|link| {
            packet.reset();
            encode(&mut packet).map_err(Failure::Protocol)?;
            link.attempt(|transport| transport.call(&mut packet, spec.room, spec.deadline_ms))
        })?;
        Ok(packet)
    }

    /// Passes a request on as it is, once, and its answer back: for who stands between two ends and need not understand what goes by.
    /// Handles do not pass. After a failure the packet is the request still.
    pub fn relay(
        &mut self,
        packet: &mut Packet<'_, NoHandle>,
        buffer: &mut [u8],
        deadline_ms: u32,
    ) -> Result<(), Failure> {
        let no_room = Failure::Protocol(Fault::NoRoom);
        let mut passed = Packet::new(buffer);
        let taken = packet.message().is_some_and(|request| passed.load(request));
        if !taken {
            return Err(no_room);
        }
        let room = Room { bytes: packet.capacity(), handles: 0 };
        self.attempt(|transport| transport.call(&mut passed, room, deadline_ms))?;
        let taken = passed.message().is_some_and(|answer| packet.load(answer));
        if taken { Ok(()) } else { Err(no_room) }
    }

    /// Sends, once.
    pub fn send_once<'b>(
        &mut self,
        spec: &Spec,
        buffer: &'b mut [u8],
        encode: impl FnOnce(&mut Packet<'b, HandleOf<C>>) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let mut packet = Packet::new(buffer);
        encode(&mut packet).map_err(Failure::Protocol)?;
        self.attempt(|transport| transport.send(&mut packet, spec.deadline_ms))
    }

    /// Sends, and sends again on a fresh connection when the server died.
    pub fn send_idempotent<'b>(
        &mut self,
        spec: &Spec,
        buffer: &'b mut [u8],
        encode: impl Fn(&mut Packet<'b, HandleOf<C>>) -> Result<(), Fault>,
    ) -> Result<(), Failure> {
        let mut packet = Packet::new(buffer);
        self.persist(|link| {
            packet.reset();
            encode(&mut packet).map_err(Failure::Protocol)?;
            link.attempt(|transport| transport.send(&mut packet, spec.deadline_ms))
        })
    }
}

/// What the answer says: the reply to decode, or why there is none. Handles of anything but a reply are closed.
pub fn answered<'b, H, E: ServiceError>(
    packet: Packet<'b, H>,
    spec: &Spec,
    borrowed: bool,
) -> Result<(View<'b>, Handles<H>), CallError<E>> {
    // A server that discards a call answers it with nothing.
    if packet.is_empty() {
        return Err(CallError::Protocol(Fault::Refused));
    }
    let malformed = CallError::Protocol(Fault::Malformed);
    let header = packet.header().ok_or(malformed)?;
    if header.status == STATUS_REFUSED {
        return Err(CallError::Protocol(Fault::Refused));
    }
    if header.operation != spec.operation || header.interface != spec.interface {
        return Err(malformed);
    }
    if header.status == STATUS_OK {
        return Ok(packet.into_parts(borrowed));
    }
    match E::from_number(header.status) {
        Some(error) if packet.len() == HEADER_BYTES && packet.handles.is_empty() => {
            Err(CallError::Service(error))
        }
        _ => Err(malformed),
    }
}

/// A reply that says nothing beyond its header.
pub fn empty_reply<H>(view: View<'_>, handles: &Handles<H>) -> Result<(), Malformed> {
    view.exact_words(HEADER_BYTES)?;
    if handles.is_empty() { Ok(()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::Header;
    use std::collections::VecDeque;
    use std::rc::Rc;
    use std::vec::Vec;

    /// Answers as it was told to, and writes down what it was asked.
    #[derive(Default)]
    struct Script {
        answers: std::cell::RefCell<VecDeque<Result<(), Failure>>>,
        log: std::cell::RefCell<Vec<&'static str>>,
    }

    struct Wired(Rc<Script>);
    impl Connector for Wired {
        type Transport = Wired;
        fn connect(&mut self) -> Result<Wired, Failure> {
            self.0.log.borrow_mut().push("connect");
            Ok(Wired(self.0.clone()))
        }
    }
    impl Transport for Wired {
        type Handle = NoHandle;
        fn call(&mut self, _: &mut Packet<'_, NoHandle>, _: Room, _: u32) -> Result<(), Failure> {
            self.0.log.borrow_mut().push("call");
            self.0.answers.borrow_mut().pop_front().unwrap_or(Ok(()))
        }
        fn send(&mut self, _: &mut Packet<'_, NoHandle>, _: u32) -> Result<(), Failure> {
            self.0.log.borrow_mut().push("send");
            self.0.answers.borrow_mut().pop_front().unwrap_or(Ok(()))
        }
    }

    const SPEC: Spec = Spec { interface: 1, operation: 2, deadline_ms: 3, room: Room::MAX };

    fn scripted(answers: &[Result<(), Failure>]) -> (Rc<Script>, Link<Wired>) {
        let script = Rc::new(Script::default());
        script.answers.borrow_mut().extend(answers);
        (script.clone(), Link::new(Wired(script)))
    }

    #[test]
    fn a_call_that_is_not_idempotent_is_made_once_and_the_next_one_reconnects() {
        let (script, mut link) = scripted(&[Err(Failure::ServerDied)]);
        let died = link.call_once(&SPEC, &mut [], |_| Ok(())).map(|_| ());
        assert_eq!(died, Err(Failure::ServerDied));
        assert_eq!(*script.log.borrow(), ["connect", "call"]);
        assert!(link.call_once(&SPEC, &mut [], |_| Ok(())).is_ok());
        assert_eq!(*script.log.borrow(), ["connect", "call", "connect", "call"]);
        assert!(link.call_once(&SPEC, &mut [], |_| Ok(())).is_ok());
        assert_eq!(script.log.borrow().len(), 5, "a live connection is kept");
    }

    #[test]
    fn an_idempotent_call_is_tried_up_to_its_bound_and_not_once_more() {
        for deaths in 0..=MAX_TRIES {
            let (script, mut link) = scripted(&std::vec![Err(Failure::ServerDied); deaths]);
            let outcome = link.call_idempotent(&SPEC, &mut [], |_| Ok(())).map(|_| ());
            let expected = if deaths < MAX_TRIES { Ok(()) } else { Err(Failure::ServerDied) };
            assert_eq!(outcome, expected);
            let calls = script.log.borrow().iter().filter(|&&entry| entry == "call").count();
            assert_eq!(calls, (deaths + 1).min(MAX_TRIES));
        }
    }

    /// Answers a request with its bytes turned round, or dies.
    struct Turning(bool);
    impl Connector for Turning {
        type Transport = Turning;
        fn connect(&mut self) -> Result<Turning, Failure> {
            Ok(Turning(self.0))
        }
    }
    impl Transport for Turning {
        type Handle = NoHandle;
        fn call(&mut self, packet: &mut Packet<'_, NoHandle>, _: Room, _: u32) -> Result<(), Failure> {
            if self.0 {
                return Err(Failure::ServerDied);
            }
            let mut bytes = packet.message().map(<[u8]>::to_vec).unwrap_or_default();
            bytes.reverse();
            assert!(packet.load(&bytes));
            Ok(())
        }
        fn send(&mut self, _: &mut Packet<'_, NoHandle>, _: u32) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[test]
    fn what_is_relayed_goes_through_as_it_is() {
        for length in [HEADER_BYTES, 48, 49, 64] {
            let request: Vec<u8> = (0..length as u8).collect();
            let answer: Vec<u8> = request.iter().rev().copied().collect();
            let (mut own, mut buffer) = ([0; 64], [0; 64]);
            let mut packet = Packet::new(&mut own);
            assert!(packet.load(&request));
            let mut dead = Link::new(Turning(true));
            assert_eq!(dead.relay(&mut packet, &mut buffer, 1), Err(Failure::ServerDied));
            assert_eq!(packet.message(), Some(&request[..]));
            assert_eq!(Link::new(Turning(false)).relay(&mut packet, &mut buffer, 1), Ok(()));
            assert_eq!(packet.message(), Some(&answer[..]));
            // One that the buffer does not hold is not sent.
            let short = &mut buffer[..length - 1];
            assert_eq!(
                Link::new(Turning(false)).relay(&mut packet, short, 1),
                Err(Failure::Protocol(Fault::NoRoom))
            );
        }
    }

    #[test]
    fn nothing_but_death_is_tried_again() {
        for failure in [Failure::TimedOut, Failure::Protocol(Fault::Refused)] {
            let (script, mut link) = scripted(&[Err(failure)]);
            let outcome = link.call_idempotent(&SPEC, &mut [], |_| Ok(())).map(|_| ());
            assert_eq!(outcome, Err(failure));
            assert_eq!(link.send_idempotent(&SPEC, &mut [], |_| Ok(())), Ok(()));
            assert_eq!(*script.log.borrow(), ["connect", "call", "send"]);
        }
    }

    #[test]
    fn sends_follow_the_same_rule() {
        let (script, mut link) = scripted(&[Err(Failure::ServerDied), Err(Failure::ServerDied)]);
        assert_eq!(link.send_once(&SPEC, &mut [], |_| Ok(())), Err(Failure::ServerDied));
        assert_eq!(link.send_idempotent(&SPEC, &mut [], |_| Ok(())), Ok(()));
        assert_eq!(*script.log.borrow(), ["connect", "send", "connect", "send", "connect", "send"]);
    }

    #[test]
    fn a_fixed_connection_is_had_once() {
        let script = Rc::new(Script::default());
        script.answers.borrow_mut().push_back(Err(Failure::ServerDied));
        let mut link = Link::new(Fixed::new(Wired(script.clone())));
        let outcome = link.call_idempotent(&SPEC, &mut [], |_| Ok(())).map(|_| ());
        assert_eq!(outcome, Err(Failure::ServerDied));
        assert_eq!(*script.log.borrow(), ["call"]);
    }

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Seven;
    impl ServiceError for Seven {
        fn from_number(number: u16) -> Option<Self> {
            (number == 7).then_some(Seven)
        }
        fn number(self) -> u16 {
            7
        }
    }

    fn answer(header: Header, len: usize) -> Result<usize, CallError<Seven>> {
        let mut packet = Packet::<NoHandle>::new(&mut []);
        packet.write_words(header, len, |_| {});
        answered(packet, &SPEC, false)
            .map(|(view, _)| (8..48).find(|&n| view.exact_words(n).is_ok()).unwrap_or(0))
    }

    #[test]
    fn an_answer_is_the_reply_an_error_of_the_interface_or_a_fault() {
        let with = |status| Header { operation: 2, status, interface: 1 };
        let malformed = Err(CallError::Protocol(Fault::Malformed));
        let refused = Err(CallError::Protocol(Fault::Refused));
        assert_eq!(answer(with(0), 16), Ok(16));
        assert_eq!(answer(with(7), 8), Err(CallError::Service(Seven)));
        assert_eq!(answer(with(7), 9), malformed, "an error carries nothing");
        assert_eq!(answer(with(6), 8), malformed, "a number the interface does not know");
        assert_eq!(answer(with(STATUS_REFUSED), 8), refused);
        assert_eq!(answer(with(0), 0), refused, "discarded");
        assert_eq!(answer(with(0), 7), malformed);
        assert_eq!(answer(Header { operation: 3, ..with(0) }, 8), malformed);
        assert_eq!(answer(Header { interface: 2, ..with(7) }, 8), malformed);
    }
}
