//! The log and audit authority: takes records from every process without making any of them wait.
//!
//! Served by `logd`. Who said something is what the kernel says, not what the record says.
//!
//! Generated from `idl/log.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link, Malformed,
    Outcome, Packet, Room, SendError, Sender, ServiceError, Sink, Source, Spec, Text, View, Wire, answer,
    answered, empty_reply, kinds, refuse, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x212c9371;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 252, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 514;

/// Longest text that a process sends.
pub const MAX_TEXT: usize = 240;

/// Longest text that is kept: a control character becomes `·`, which has two bytes.
pub const MAX_KEPT: usize = 480;

/// Numbers of the operations.
pub mod op {
    /// `record`.
    pub const RECORD: u16 = 1;
    /// `read`.
    pub const READ: u16 = 2;
    /// `watch`.
    pub const WATCH: u16 = 3;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such record yet.
    NotFound = 1,
    /// A channel that a process was handed at start can only be written to.
    PermissionDenied = 4,
    /// So many watch already.
    QuotaExceeded = 5,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotFound, Error::PermissionDenied, Error::QuotaExceeded];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::PermissionDenied => "PermissionDenied",
            Error::QuotaExceeded => "QuotaExceeded",
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

/// How much a record matters, most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is not as it should be.
    Warn = 2,
    /// Something happened.
    Info = 3,
    /// Something that helps to find a fault.
    Debug = 4,
    /// Everything else.
    Trace = 5,
}

impl Level {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Level] = &[Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
}

impl<'a> Wire<'a> for Level {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            1 => Ok(Level::Error),
            2 => Ok(Level::Warn),
            3 => Ok(Level::Info),
            4 => Ok(Level::Debug),
            5 => Ok(Level::Trace),
            _ => Err(Malformed),
        }
    }
}

/// What a record is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// Told by a program about itself.
    Text = 0,
    /// A decision about who may do what.
    Audit = 1,
    /// The supervisor saw a process become ready: the text is its name.
    Ready = 2,
}

impl Purpose {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Purpose] = &[Purpose::Text, Purpose::Audit, Purpose::Ready];
}

impl<'a> Wire<'a> for Purpose {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(Purpose::Text),
            1 => Ok(Purpose::Audit),
            2 => Ok(Purpose::Ready),
            _ => Err(Malformed),
        }
    }
}

/// The request of [`Client::record`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordRequest<'a> {
    /// How much it matters.
    pub level: Level,
    /// What it is for.
    pub purpose: Purpose,
    /// Records that the sender could not send before this one.
    pub dropped: u16,
    /// What it says.
    pub text: Text<'a, 240>,
}

impl<'a> RecordRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 252;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::RECORD), Self::LEAST + self.text.len(), |out| {
            self.level.encode(out, 8);
            self.purpose.encode(out, 9);
            self.dropped.encode(out, 10);
            out.bytes(12, self.text.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            level: Wire::decode(&input, 8)?,
            purpose: Wire::decode(&input, 9)?,
            dropped: Wire::decode(&input, 10)?,
            text: text_tail(input.get(12..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {
    /// Its number; the oldest one kept from there on is answered.
    pub from: u64,
}

impl ReadRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::READ), Self::MOST, |out| {
            self.from.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadReply<'a> {
    /// Its number. The first since start is 0.
    pub sequence: u64,
    /// When it was received, in ticks.
    pub time: u64,
    /// The service id that the kernel saw.
    pub service: u32,
    /// The generation of the process.
    pub generation: u32,
    /// How much it matters.
    pub level: Level,
    /// What it is for.
    pub purpose: Purpose,
    /// What it says, made harmless.
    pub text: Text<'a, 480>,
}

impl<'a> ReadReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 34;
    /// Most bytes that it takes.
    pub const MOST: usize = 514;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::READ), Self::LEAST + self.text.len(), |out| {
            self.sequence.encode(out, 8);
            self.time.encode(out, 16);
            self.service.encode(out, 24);
            self.generation.encode(out, 28);
            self.level.encode(out, 32);
            self.purpose.encode(out, 33);
            out.bytes(34, self.text.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            sequence: Wire::decode(&input, 8)?,
            time: Wire::decode(&input, 16)?,
            service: Wire::decode(&input, 24)?,
            generation: Wire::decode(&input, 28)?,
            level: Wire::decode(&input, 32)?,
            purpose: Wire::decode(&input, 33)?,
            text: text_tail(input.get(34..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::watch`].
#[derive(PartialEq, Debug)]
pub struct WatchRequest<H> {
    /// Where it is told.
    pub news: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> WatchRequest<H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 8;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::WATCH), Self::MOST, |_| {});
        packet.handles.push(self.news.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { news: handles.receive(0, Rights::SEND)? })
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

    /// One record. A full queue refuses it, and the sender counts it: it never waits.
    pub fn record(
        &mut self,
        level: Level,
        purpose: Purpose,
        dropped: u16,
        text: Text<'_, 240>,
    ) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::RECORD,
            deadline_ms: 0,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = RecordRequest { level, purpose, dropped, text };
        self.link.send_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }

    /// Reads a kept record back.
    pub fn read(&mut self, from: u64) -> Result<ReadReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::READ,
            deadline_ms: 1000,
            room: Room { bytes: 514, handles: 0 },
        };
        let request = ReadRequest { from };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(ReadReply::decode(view, &mut handles)?)
    }

    /// Has the caller told of new records, from now on until the other end of the channel is closed.
    pub fn watch(&mut self, news: Held<HandleOf<C>, kinds::Channel>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WATCH,
            deadline_ms: 1000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = WatchRequest { news };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Whether the sender has a permission that an operation needs. A refusal is answered with
    /// [`Error::PermissionDenied`]; it is the place to write the audit record.
    fn permits(&mut self, sender: Sender, permission: &'static str) -> bool;

    /// One record. A full queue refuses it, and the sender counts it: it never waits.
    fn record(&mut self, sender: Sender, level: Level, purpose: Purpose, dropped: u16, text: Text<'_, 240>);

    /// Reads a kept record back.
    fn read(&mut self, sender: Sender, from: u64) -> Result<ReadReply<'_>, Error>;

    /// Has the caller told of new records, from now on until the other end of the channel is closed.
    fn watch(&mut self, sender: Sender, news: Held<H, kinds::Channel>) -> Result<(), Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::RECORD) if !is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = RecordRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.record(sender, request.level, request.purpose, request.dropped, request.text);
            packet.reset();
            Outcome::Taken
        }
        Some(op::READ) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ReadRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = if server.permits(sender, "log.read") {
                server.read(sender, request.from)
            } else {
                Err(Error::PermissionDenied)
            };
            answer(packet, Header::new(ID, op::READ), result, |reply, packet| reply.encode(packet))
        }
        Some(op::WATCH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = WatchRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = if server.permits(sender, "log.read") {
                server.watch(sender, request.news)
            } else {
                Err(Error::PermissionDenied)
            };
            answer(packet, Header::new(ID, op::WATCH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::WATCH))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "log",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::RECORD,
            name: "record",
            permission: "",
            deadline_ms: 0,
            idempotent: true,
            request: trace::Layout {
                least: 12,
                most: 252,
                fields: &[
                    trace::Field {
                        name: "level",
                        offset: 8,
                        shape: trace::Shape::Enum(
                            1,
                            &[(1, "Error"), (2, "Warn"), (3, "Info"), (4, "Debug"), (5, "Trace")],
                        ),
                    },
                    trace::Field {
                        name: "purpose",
                        offset: 9,
                        shape: trace::Shape::Enum(1, &[(0, "Text"), (1, "Audit"), (2, "Ready")]),
                    },
                    trace::Field { name: "dropped", offset: 10, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "text", offset: 12, shape: trace::Shape::TailText(240) },
                ],
                handles: &[],
            },
            reply: None,
        },
        trace::Operation {
            number: op::READ,
            name: "read",
            permission: "log.read",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 34,
                most: 514,
                fields: &[
                    trace::Field { name: "sequence", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "time", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "service", offset: 24, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "generation", offset: 28, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "level",
                        offset: 32,
                        shape: trace::Shape::Enum(
                            1,
                            &[(1, "Error"), (2, "Warn"), (3, "Info"), (4, "Debug"), (5, "Trace")],
                        ),
                    },
                    trace::Field {
                        name: "purpose",
                        offset: 33,
                        shape: trace::Shape::Enum(1, &[(0, "Text"), (1, "Audit"), (2, "Ready")]),
                    },
                    trace::Field { name: "text", offset: 34, shape: trace::Shape::TailText(480) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::WATCH,
            name: "watch",
            permission: "log.read",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("news", Some(Kind::Channel))],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[(1, "NotFound"), (4, "PermissionDenied"), (5, "QuotaExceeded")],
};
