//! A server's loop: one port, many clients, an answer and the next wait in one system call.
//!
//! It never waits for a client, and a client that dies, floods or sends what does not fit costs the others
//! nothing.

use crate::channel::{arrived, stage};
use crate::owned::{Any, Channel, Handles, ObjectKind, Owned, Port, Quota};
use crate::provide::Provided;
use crate::sys::{self, Area, Refusal};
use crate::transport;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, REGISTER_WORDS};
use nexus_abi::{Delivery, Error, Identity, Signals, Tag, Ticks};
use nexus_wire::{Outcome, Packet, Promise, Replier, Room, Sender};

/// Keys below this are the program's own, for what it binds itself; attached endpoints get keys from here on.
pub const FIRST_CLIENT_KEY: u64 = 1 << 32;

/// What a wait brought.
#[derive(Debug)]
pub enum Incoming {
    /// A client waits for an answer: give it with [`Server::reply`], now or later.
    Call(Message),
    /// A message that expects no answer.
    Message(Message),
    /// Something happened to the object bound under this key.
    Event {
        /// Which.
        key: u64,
        /// What.
        signals: Signals,
    },
    /// The client of this key is gone; its endpoint has been closed. Everything it sent before has been delivered.
    Gone {
        /// Which.
        key: u64,
    },
    /// The deadline passed.
    TimedOut,
}

/// A message or a call. Its bytes are in the server until the next wait: see [`Server::bytes`].
#[derive(Debug)]
pub struct Message {
    /// Key of the endpoint it came through.
    pub key: u64,
    /// Who sent it, says the kernel.
    pub sender: Identity,
    /// What answers it; 0 for a message of `send`.
    pub token: u64,
    /// Its handles.
    pub handles: Handles,
    /// Most bytes the caller can take in the answer.
    pub room_bytes: usize,
    /// Most handles the caller can take in the answer.
    pub room_handles: usize,
    length: usize,
    words: [u64; REGISTER_WORDS],
}

/// Room for any message.
type Buffer = Box<[u8; MAX_MESSAGE_BYTES]>;

fn buffer() -> Buffer {
    // Made where it stays: an array would be made on the stack first, and copied.
    let bytes = vec![0; MAX_MESSAGE_BYTES].into_boxed_slice();
    bytes.try_into().unwrap_or_else(|_| Box::new([0; MAX_MESSAGE_BYTES]))
}

/// An answer that waits to leave with the next wait.
#[derive(Debug, Default)]
struct Pending {
    token: u64,
    length: usize,
    words: [u64; REGISTER_WORDS],
    handles: Handles,
}

impl Pending {
    /// The answer in a packet, whose handles move out of it.
    fn of(token: u64, packet: &mut Packet<'_, Owned<Any>>) -> Pending {
        let (length, words) = (packet.len(), packet.words());
        let (values, count) = transport::lend(&mut packet.handles);
        let mut handles = Handles::new();
        *handles.raw() = values;
        handles.filled(count);
        Pending { token, length, words, handles }
    }
}

impl Replier for Server {
    type Handle = Owned<Any>;

    fn reply(&mut self, promise: Promise, write: impl FnOnce(&mut Packet<'_, Owned<Any>>) -> Outcome) {
        self.flush();
        let mut packet = Packet::new(&mut self.outgoing[..]);
        packet.room = promise.room;
        if write(&mut packet).has_answer() {
            self.pending = Pending::of(promise.token, &mut packet);
        }
    }
}

/// A port with the endpoints that are served on it.
#[derive(Debug)]
pub struct Server {
    port: Owned<Port>,
    clients: BTreeMap<u64, Owned<Channel>>,
    next_key: u64,
    incoming: Buffer,
    outgoing: Buffer,
    spare: Option<Buffer>,
    /// Room for the handles of the next message: none, unless one was found to need it. Few messages have any, and a
    /// wait that takes none is one that the kernel ends fastest.
    handle_room: usize,
    pending: Pending,
    closing: Option<u64>,
    /// Keys of endpoints that were revoked and are closed, yet to be told.
    revoked: Vec<u64>,
    pub(crate) provided: Option<Provided>,
}

impl Server {
    /// A server whose port is charged to `quota`.
    pub fn new(quota: &Owned<Quota>) -> Result<Server, Error> {
        Ok(Server {
            port: Owned::<Port>::create(quota)?,
            clients: BTreeMap::new(),
            next_key: FIRST_CLIENT_KEY,
            incoming: buffer(),
            outgoing: buffer(),
            spare: None,
            handle_room: 0,
            pending: Pending::default(),
            closing: None,
            revoked: Vec::new(),
            provided: None,
        })
    }

    /// The port, to bind timers and processes to under keys below [`FIRST_CLIENT_KEY`] (and above 0).
    pub fn port(&self) -> &Owned<Port> {
        &self.port
    }

    /// Binds an object other than a client's endpoint.
    pub fn watch<K: ObjectKind>(&self, object: &Owned<K>, key: u64, signals: Signals) -> Result<(), Error> {
        self.port.bind(object, key, signals)
    }

    /// Serves an endpoint from now on; answers its key, which is never used again.
    pub fn attach(&mut self, endpoint: Owned<Channel>) -> Result<u64, Error> {
        let key = self.next_key;
        self.port.bind(&endpoint, key, Signals::READABLE | Signals::PEER_CLOSED)?;
        self.next_key += 1;
        self.clients.insert(key, endpoint);
        Ok(key)
    }

    /// Serves it no more: closes it, which ends its open calls.
    pub fn detach(&mut self, key: u64) {
        self.clients.remove(&key);
    }

    /// The endpoint of a key, to send on.
    pub fn endpoint(&self, key: u64) -> Option<&Owned<Channel>> {
        self.clients.get(&key)
    }

    /// Closes the endpoints whose channel was destroyed with the quota that it was charged to: the kernel tells nothing about
    /// them any more. Each is told as [`Incoming::Gone`].
    pub(crate) fn close_revoked(&mut self) {
        let revoked = self.clients.extract_if(.., |_, end| sys::handle_info(end.handle()).is_err());
        self.revoked.extend(revoked.map(|(key, _)| key));
    }

    /// How many endpoints are served.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The bytes of the message that the last wait brought.
    pub fn bytes(&self, message: &Message) -> &[u8] {
        &self.incoming[..message.length]
    }

    /// Answers a call. The answer leaves with the next wait, in the same system call. `BufferTooSmall` says that the
    /// caller has not that much room (of the call just received; the kernel checks for a later answer).
    pub fn reply(&mut self, token: u64, bytes: &[u8], handles: Handles) -> Result<(), Error> {
        self.flush();
        let words = stage(bytes, &mut self.outgoing[..])?;
        self.pending = Pending { token, length: bytes.len(), words, handles };
        Ok(())
    }

    /// Has a generated `dispatch` handle the message that the last wait brought. Its answer, if there is one, leaves with
    /// the next wait, in the same system call. `false` says that the message was not one of the interface.
    pub fn serve(
        &mut self,
        mut message: Message,
        dispatch: impl FnOnce(&mut Server, Sender, &mut Packet<'_, Owned<Any>>) -> Outcome,
    ) -> bool {
        // The packet borrows the message's buffer, while the handler may use the server.
        let spare = self.spare.take().unwrap_or_else(buffer);
        let mut lent = mem::replace(&mut self.incoming, spare);
        let sender = Sender { identity: message.sender, key: message.key, token: message.token };
        let mut packet = Packet::new(&mut lent[..]);
        packet.room = Room { bytes: message.room_bytes, handles: message.room_handles };
        let count = message.handles.len();
        transport::keep(message.handles.raw(), count, &mut packet.handles);
        message.handles.gone();
        let outcome = if packet.arrived(message.length, message.words) {
            dispatch(self, sender, &mut packet)
        } else {
            Outcome::Dropped
        };
        if outcome.has_answer() {
            self.flush();
            self.pending = Pending::of(sender.token, &mut packet);
            mem::swap(&mut self.outgoing, &mut lent);
        }
        self.spare = Some(lent);
        !matches!(outcome, Outcome::Refused | Outcome::Dropped)
    }

    /// Sends the answer that waits for the next wait now. The caller's death, or too small a room, drops it.
    pub fn flush(&mut self) {
        if self.pending.token == 0 {
            return;
        }
        let mut pending = mem::take(&mut self.pending);
        let tag = Tag::new(pending.length, pending.handles.len());
        let mut area = Area { bytes: &mut self.outgoing[..], handles: pending.handles.raw() };
        match sys::reply(pending.token, tag, pending.words, &mut area) {
            Ok(()) => pending.handles.gone(),
            Err(error) => self.refused(pending.token, error),
        }
    }

    /// An answer was refused: `CallerGone` needs nothing more. Any other refusal leaves the call open, and its caller must
    /// not wait for ever: it gets an empty answer, which no interface allows and every client reports.
    fn refused(&mut self, token: u64, error: Error) {
        if error == Error::CallerGone {
            return;
        }
        log::warn!("an answer was refused ({error:?}): its caller gets none");
        let mut nothing = Area { bytes: &mut [], handles: &mut [] };
        let _ = sys::reply(token, Tag::default(), [0; REGISTER_WORDS], &mut nothing);
    }

    /// Sends the waiting answer, if any, and waits for what comes next.
    pub fn next(&mut self, deadline: Ticks) -> Result<Incoming, Error> {
        loop {
            if let Some(key) = self.closing {
                match self.drain(key) {
                    Some(incoming) => return Ok(incoming),
                    None => continue,
                }
            }
            if let Some(key) = self.revoked.pop() {
                self.flush();
                return Ok(Incoming::Gone { key });
            }
            let token = mem::take(&mut self.pending.token);
            // The two buffers change places with each wait, so that the answer in one does not meet the message
            // that arrives: the kernel uses one area for both.
            if token != 0 {
                mem::swap(&mut self.incoming, &mut self.outgoing);
            }
            let pending = &mut self.pending;
            let (length, handles) = (mem::take(&mut pending.length), &mut pending.handles);
            let room = mem::take(&mut self.handle_room);
            let tag = Tag::new(length, handles.len()).with_room(MAX_MESSAGE_BYTES, room);
            let mut area = Area { bytes: &mut self.incoming[..], handles: handles.raw() };
            let waited =
                sys::reply_and_wait(self.port.handle(), token, tag, pending.words, &mut area, deadline);
            match waited {
                Ok(out) => {
                    let received = *handles.raw();
                    handles.gone();
                    if let Some(incoming) = self.deliver(out, received) {
                        return Ok(incoming);
                    }
                }
                Err(refusal) if refusal.error == Error::TimedOut || refusal.error == Error::WouldBlock => {
                    handles.gone();
                    return Ok(Incoming::TimedOut);
                }
                Err(Refusal { error: Error::BufferTooSmall, key: 1.., .. }) => {
                    // The answer has left, and the message that brings handles is still at the head.
                    handles.gone();
                    self.handle_room = MAX_MESSAGE_HANDLES;
                }
                Err(refusal) => {
                    // Whatever the kernel did not take is closed.
                    drop(mem::take(handles));
                    self.stumble(token, refusal)?;
                }
            }
        }
    }

    /// A wait that was refused: either the answer was (nothing was waited for then), or a message cannot be
    /// taken, which would stay at the head for ever if it were not dropped.
    fn stumble(&mut self, token: u64, refusal: Refusal) -> Result<(), Error> {
        match refusal.error {
            Error::NoSpace => match self.clients.get(&refusal.key) {
                Some(endpoint) => {
                    log::warn!("no room for the handles of a message: it was dropped");
                    sys::discard(endpoint.handle())
                }
                None => Err(refusal.error),
            },
            error if token != 0 => {
                self.refused(token, error);
                Ok(())
            }
            error => Err(error),
        }
    }

    #[inline(always)]
    fn deliver(
        &mut self,
        out: sys::MessageOut,
        received: [nexus_abi::Handle; MAX_MESSAGE_HANDLES],
    ) -> Option<Incoming> {
        if out.delivery() == Delivery::Event {
            let signals = Signals::from_bits_retain(out.signals as u32);
            if signals.contains(Signals::PEER_CLOSED) && self.clients.contains_key(&out.key) {
                self.closing = Some(out.key);
                return None;
            }
            return Some(Incoming::Event { key: out.key, signals });
        }
        let incoming = self.message(out, out.key, received);
        // What comes to the server itself comes as a message.
        if out.token != 0 { Some(incoming) } else { self.sort(incoming) }
    }

    #[inline(always)]
    fn message(
        &mut self,
        out: sys::MessageOut,
        key: u64,
        received: [nexus_abi::Handle; MAX_MESSAGE_HANDLES],
    ) -> Incoming {
        let mut handles = Handles::new();
        *handles.raw() = received;
        handles.filled(out.tag.handles());
        let message = Message {
            key,
            sender: out.sender,
            token: out.token,
            handles,
            room_bytes: out.tag.room_bytes(),
            room_handles: out.tag.room_handles(),
            length: arrived(&out, &mut self.incoming[..]),
            words: out.words,
        };
        if message.token == 0 { Incoming::Message(message) } else { Incoming::Call(message) }
    }

    /// Takes what a client that is gone sent before, and closes its endpoint after the last.
    fn drain(&mut self, key: u64) -> Option<Incoming> {
        self.flush();
        if let Some(endpoint) = self.clients.get(&key) {
            let tag = Tag::default().with_room(MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES);
            let mut received = [nexus_abi::Handle::NONE; MAX_MESSAGE_HANDLES];
            let mut area = Area { bytes: &mut self.incoming[..], handles: &mut received };
            if let Ok(out) = sys::recv(endpoint.handle(), tag, &mut area) {
                let incoming = self.message(out, key, received);
                return self.sort(incoming);
            }
        }
        self.closing = None;
        self.clients.remove(&key);
        (!self.is_intake(key)).then_some(Incoming::Gone { key })
    }
}
