//! The console: what is written is shown, what is typed can be read.
//!
//! Served by `uartd`, which has the serial port from the moment that userspace is up.
//!
//! Generated from `idl/console.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HEADER_BYTES, Handles, Header, Link, Malformed, Outcome,
    Packet, Promise, Replier, Room, Sender, ServiceError, Sink, Spec, View, Wire, answer, answered,
    empty_reply, refuse, tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x13ac0eaa;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 1032, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 1032;

/// Most bytes of one write.
pub const MAX_WRITE: usize = 1024;

/// Most bytes of one read.
pub const MAX_READ: usize = 256;

/// Numbers of the operations.
pub mod op {
    /// `write`.
    pub const WRITE: u16 = 1;
    /// `drain`.
    pub const DRAIN: u16 = 2;
    /// `read`.
    pub const READ: u16 = 3;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// No room for so much now, and nothing of it was taken: `drain` waits for room.
    NotReady = 6,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotReady];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotReady => "NotReady",
        }
    }
}

impl ServiceError for Error {
    fn from_number(number: u16) -> Option<Self> {
        Error::ALL.iter().copied().find(|error| error.number() == number)
    }

    fn number(self) -> u16 {
        self as u16
    }
}

/// The request of [`Client::write`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteRequest<'a> {
    /// The argument `data`.
    pub data: Bytes<'a, 1024>,
}

impl<'a> WriteRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 1032;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::WRITE), Self::LEAST + self.data.len(), |out| {
            out.bytes(8, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { data: tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::write`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteReply {
    /// Bytes that were taken, from anybody, and are not sent yet. They are lost when the driver dies.
    pub waiting: u32,
}

impl WriteReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 12;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::WRITE), Self::MOST, |out| {
            self.waiting.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { waiting: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::drain`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DrainRequest {}

impl DrainRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 8;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::DRAIN), Self::MOST, |_| {});
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {})
    }
}

/// The request of [`Client::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {}

impl ReadRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 8;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::READ), Self::MOST, |_| {});
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {})
    }
}

/// The reply of [`Client::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadReply<'a> {
    /// At least one byte.
    pub data: Bytes<'a, 256>,
}

impl<'a> ReadReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 264;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::READ), Self::LEAST + self.data.len(), |out| {
            out.bytes(8, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { data: tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The interface as its clients see it. Each call can find the server dead; the next one connects anew.
pub struct Client<C: Connector> {
    link: Link<C>,
    buffer: [u8; BUFFER_BYTES],
}

impl<C: Connector> Client<C> {
    /// A client that connects when it is first used.
    pub const fn new(connector: C) -> Self {
        Client { link: Link::new(connector), buffer: [0; BUFFER_BYTES] }
    }

    /// Shows bytes, all of them before any of another write.
    pub fn write(&mut self, data: Bytes<'_, 1024>) -> Result<WriteReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WRITE,
            deadline_ms: 1000,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = WriteRequest { data };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(WriteReply::decode(view, &mut handles)?)
    }

    /// Waits until everything that was taken before has been sent.
    pub fn drain(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DRAIN,
            deadline_ms: 5000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = DrainRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Waits for what is typed. What was read is gone; what nobody reads is kept up to a bound, and more is lost. The
    /// last one who asked has it.
    pub fn read(&mut self) -> Result<ReadReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::READ,
            deadline_ms: 60000,
            room: Room { bytes: 264, handles: 0 },
        };
        let request = ReadRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(ReadReply::decode(view, &mut handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::drain`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct DrainPromise(Promise);

impl DrainPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<(), Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::DRAIN), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::DRAIN))
            })
        });
    }
}

/// The answer that is owed to a caller of [`Client::read`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct ReadPromise(Promise);

impl ReadPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<ReadReply<'_>, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::READ), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// Shows bytes, all of them before any of another write.
    fn write(&mut self, sender: Sender, data: Bytes<'_, 1024>) -> Result<WriteReply, Error>;

    /// Waits until everything that was taken before has been sent.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn drain(&mut self, sender: Sender, promise: DrainPromise) -> Result<Option<()>, Error>;

    /// Waits for what is typed. What was read is gone; what nobody reads is kept up to a bound, and more is lost. The
    /// last one who asked has it.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn read(&mut self, sender: Sender, promise: ReadPromise) -> Result<Option<ReadReply<'_>>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::WRITE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = WriteRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.write(sender, request.data);
            answer(packet, Header::new(ID, op::WRITE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::DRAIN) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(_) = DrainRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.drain(sender, DrainPromise(owed));
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::DRAIN), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::DRAIN))
            })
        }
        Some(op::READ) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(_) = ReadRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.read(sender, ReadPromise(owed));
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::READ), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "console",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::WRITE,
            name: "write",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 1032,
                fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(1024) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "waiting", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::DRAIN,
            name: "drain",
            permission: "",
            deadline_ms: 5000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::READ,
            name: "read",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 8,
                most: 264,
                fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(256) }],
                handles: &[],
            }),
        },
    ],
    errors: &[(6, "NotReady")],
};
