//! What carries generated clients' messages: a channel end of this process.
//!
//! Kernel errors become the few things that a caller can do something about, and nothing else passes. A handle
//! is in exactly one place at any time: what the kernel did not take is closed here.

use crate::clock;
use crate::owned::{Any, Channel, ObjectKind, Owned};
use crate::sys::{self, Area};
use alloc::sync::Arc;
use nexus_abi::bounds::{MAX_MESSAGE_HANDLES, REGISTER_WORDS};
use nexus_abi::{Error, Handle, Kind, Rights, Tag};
use nexus_wire::{AnyHandle, Failure, Fault, Handles, Held, Packet, Room, Sender, Transport};

impl AnyHandle for Owned<Any> {
    fn describe(&self) -> Option<(Kind, Rights)> {
        let info = sys::handle_info(self.handle()).ok()?;
        let kind = Kind::from_raw(u8::try_from(info.kind).ok()?)?;
        Some((kind, Rights::from_bits_truncate(info.rights)))
    }
}

impl<K: ObjectKind> From<Held<Owned<Any>, K>> for Owned<K> {
    fn from(held: Held<Owned<Any>, K>) -> Owned<K> {
        Owned::from_handle(held.into_inner().into_handle())
    }
}

impl<K: ObjectKind> From<Owned<K>> for Held<Owned<Any>, K> {
    fn from(owned: Owned<K>) -> Held<Owned<Any>, K> {
        Held::assume(owned.any())
    }
}

/// Takes the handles of a message out of it, for as long as the kernel decides whose they are.
pub(crate) fn lend(handles: &mut Handles<Owned<Any>>) -> ([Handle; MAX_MESSAGE_HANDLES], usize) {
    let count = handles.len();
    let mut values = [Handle::NONE; MAX_MESSAGE_HANDLES];
    if count > 0 {
        for (index, value) in values.iter_mut().enumerate().take(count) {
            *value = handles.take(index).map_or(Handle::NONE, Owned::into_handle);
        }
        handles.clear();
    }
    (values, count)
}

/// They are this process's. Closing one that the other side has, and this table has not, does nothing.
pub(crate) fn keep(values: &[Handle; MAX_MESSAGE_HANDLES], count: usize, handles: &mut Handles<Owned<Any>>) {
    for value in values.iter().take(count) {
        if handles.push(Owned::from_handle(*value)).is_err() {
            break;
        }
    }
}

fn failure(endpoint: &Owned<Channel>, error: Error) -> Failure {
    match error {
        Error::PeerClosed => Failure::ServerDied,
        Error::TimedOut | Error::WouldBlock => Failure::TimedOut,
        // Either the channel itself was destroyed with its quota, or a handle of the message was bad.
        Error::BadHandle if sys::handle_info(endpoint.handle()).is_err() => Failure::ServerDied,
        other => Failure::Protocol(Fault::Kernel(other)),
    }
}

/// Calls with the packet; the answer replaces it.
pub(crate) fn call(
    endpoint: &Owned<Channel>,
    packet: &mut Packet<'_, Owned<Any>>,
    room: Room,
    deadline_ms: u32,
) -> Result<(), Failure> {
    let (length, words) = (packet.len(), packet.words());
    let (mut values, count) = lend(&mut packet.handles);
    let tag = Tag::new(length, count).with_room(room.bytes, room.handles);
    let mut area = Area { bytes: packet.buffer(), handles: &mut values };
    match sys::call(endpoint.handle(), tag, words, &mut area, clock::within(deadline_ms)) {
        Ok(answer) => {
            keep(&values, answer.tag.handles(), &mut packet.handles);
            let fits = packet.arrived(answer.tag.bytes(), answer.words);
            if fits { Ok(()) } else { Err(Failure::Protocol(Fault::NoRoom)) }
        }
        Err(refusal) => {
            keep(&values, count, &mut packet.handles);
            packet.reset();
            Err(failure(endpoint, refusal.error))
        }
    }
}

/// Queues the packet at the other end.
pub(crate) fn send(
    endpoint: &Owned<Channel>,
    packet: &mut Packet<'_, Owned<Any>>,
    deadline_ms: u32,
) -> Result<(), Failure> {
    let (length, words) = (packet.len(), packet.words());
    let (mut values, count) = lend(&mut packet.handles);
    let mut area = Area { bytes: packet.buffer(), handles: &mut values };
    let sent =
        sys::send(endpoint.handle(), Tag::new(length, count), words, &mut area, clock::within(deadline_ms));
    sent.map_err(|error| {
        keep(&values, count, &mut packet.handles);
        packet.reset();
        failure(endpoint, error)
    })
}

macro_rules! carried {
    ($type:ty, $endpoint:ident => $get:expr) => {
        impl Transport for $type {
            type Handle = Owned<Any>;

            fn call(
                &mut self,
                packet: &mut Packet<'_, Owned<Any>>,
                room: Room,
                deadline_ms: u32,
            ) -> Result<(), Failure> {
                let $endpoint = self;
                call($get, packet, room, deadline_ms)
            }

            fn send(&mut self, packet: &mut Packet<'_, Owned<Any>>, deadline_ms: u32) -> Result<(), Failure> {
                let $endpoint = self;
                send($get, packet, deadline_ms)
            }
        }
    };
}

carried!(Owned<Channel>, endpoint => endpoint);
carried!(&Owned<Channel>, endpoint => *endpoint);
carried!(Shared, endpoint => &endpoint.0);

/// An end that several threads call through.
#[derive(Clone, Debug)]
pub(crate) struct Shared(pub Arc<Owned<Channel>>);

/// Takes the next message that waits at an end into `packet`; `WouldBlock` when there is none. A call among them is
/// answered with nothing: this is not a server's end.
pub(crate) fn receive(
    endpoint: &Owned<Channel>,
    packet: &mut Packet<'_, Owned<Any>>,
) -> Result<Sender, Error> {
    packet.reset();
    let mut values = [Handle::NONE; MAX_MESSAGE_HANDLES];
    let tag = Tag::default().with_room(packet.capacity(), MAX_MESSAGE_HANDLES);
    let mut area = Area { bytes: packet.buffer(), handles: &mut values };
    let out = sys::recv(endpoint.handle(), tag, &mut area).map_err(|refusal| refusal.error)?;
    keep(&values, out.tag.handles(), &mut packet.handles);
    if !packet.arrived(out.tag.bytes(), out.words) {
        return Err(Error::BufferTooSmall);
    }
    if out.token != 0 {
        let mut nothing = Area { bytes: &mut [], handles: &mut [] };
        // The caller may be gone meanwhile, which is as good an answer.
        let _ = sys::reply(out.token, Tag::default(), [0; REGISTER_WORDS], &mut nothing);
    }
    Ok(Sender { identity: out.sender, key: 0, token: 0 })
}
