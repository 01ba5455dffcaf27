//! The supervisor's word on every process of the registry, and its hand.
//!
//! Served by `nexus-init` over a channel that it hands to processes with the grants `supervise` (stat alone), `observe` (look) and `supervise-kill`
//! (which only a file of tests can give).
//!
//! Generated from `idl/supervise.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link, Malformed,
    Outcome, Packet, Room, Sender, ServiceError, Sink, Source, Spec, Text, View, Wire, answer, answered,
    empty_reply, kinds, refuse, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xa9ba25e5;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 39, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 385;

/// Longest name of a process.
pub const MAX_NAME: usize = 31;

/// Numbers of the operations.
pub mod op {
    /// `stat`.
    pub const STAT: u16 = 1;
    /// `kill`.
    pub const KILL: u16 = 2;
    /// `look`.
    pub const LOOK: u16 = 3;
    /// `fault`.
    pub const FAULT: u16 = 4;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such process, or it does not run.
    NotFound = 1,
    /// The caller may look and no more.
    PermissionDenied = 4,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotFound, Error::PermissionDenied];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::PermissionDenied => "PermissionDenied",
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

/// Where a process stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// Not started yet.
    Idle = 0,
    /// Started; it has not said that it does its job.
    Starting = 1,
    /// It does its job.
    Ready = 2,
    /// It ended and will be started again.
    Pausing = 3,
    /// It ended and rests.
    Ended = 4,
    /// The machine lacks its device.
    Absent = 5,
}

impl State {
    /// Every value, in the order of its number.
    pub const ALL: &'static [State] =
        &[State::Idle, State::Starting, State::Ready, State::Pausing, State::Ended, State::Absent];
}

impl<'a> Wire<'a> for State {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(State::Idle),
            1 => Ok(State::Starting),
            2 => Ok(State::Ready),
            3 => Ok(State::Pausing),
            4 => Ok(State::Ended),
            5 => Ok(State::Absent),
            _ => Err(Malformed),
        }
    }
}

/// The request of [`Client::stat`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatRequest {
    /// Its place in the registry, from 0.
    pub index: u16,
}

impl StatRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 10;
    /// Most bytes that it takes.
    pub const MOST: usize = 10;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::STAT), Self::MOST, |out| {
            self.index.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { index: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::stat`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatReply<'a> {
    /// Its service id.
    pub service: u32,
    /// The number of its present instance; 0 while it does not run.
    pub generation: u32,
    /// Pages charged to it.
    pub pages: u64,
    /// Pages that it can charge.
    pub pages_most: u64,
    /// Processor time that it used, in ticks.
    pub cpu_ticks: u64,
    /// Handles that it holds.
    pub handles: u32,
    /// How often it was started.
    pub starts: u32,
    /// Where it stands.
    pub state: State,
    /// Its canonical name.
    pub name: Text<'a, 31>,
}

impl<'a> StatReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 49;
    /// Most bytes that it takes.
    pub const MOST: usize = 80;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::STAT), Self::LEAST + self.name.len(), |out| {
            self.service.encode(out, 8);
            self.generation.encode(out, 12);
            self.pages.encode(out, 16);
            self.pages_most.encode(out, 24);
            self.cpu_ticks.encode(out, 32);
            self.handles.encode(out, 40);
            self.starts.encode(out, 44);
            self.state.encode(out, 48);
            out.bytes(49, self.name.as_bytes());
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
            service: Wire::decode(&input, 8)?,
            generation: Wire::decode(&input, 12)?,
            pages: Wire::decode(&input, 16)?,
            pages_most: Wire::decode(&input, 24)?,
            cpu_ticks: Wire::decode(&input, 32)?,
            handles: Wire::decode(&input, 40)?,
            starts: Wire::decode(&input, 44)?,
            state: Wire::decode(&input, 48)?,
            name: text_tail(input.get(49..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::kill`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KillRequest<'a> {
    /// Its canonical name.
    pub name: Text<'a, 31>,
}

impl<'a> KillRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 39;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::KILL), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { name: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::look`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookRequest {
    /// Its place in the registry, from 0.
    pub index: u16,
}

impl LookRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 10;
    /// Most bytes that it takes.
    pub const MOST: usize = 10;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::LOOK), Self::MOST, |out| {
            self.index.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { index: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::look`].
#[derive(PartialEq, Debug)]
pub struct LookReply<H> {
    /// The process, to be looked at and no more.
    pub process: Held<H, kinds::Process>,
}

impl<H: AnyHandle> LookReply<H> {
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
        packet.write_words(Header::new(ID, op::LOOK), Self::MOST, |_| {});
        packet.handles.push(self.process.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { process: handles.receive(0, Rights::OBSERVE)? })
    }
}

/// The request of [`Client::fault`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultRequest {
    /// Its number, counted from 0 since the machine was switched on; the oldest one known from there on is answered.
    pub from: u32,
}

impl FaultRequest {
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
        packet.write_words(Header::new(ID, op::FAULT), Self::MOST, |out| {
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

/// The reply of [`Client::fault`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultReply<'a> {
    /// Its number.
    pub number: u32,
    /// Its service id.
    pub service: u32,
    /// Which instance it was.
    pub generation: u32,
    /// When, in ticks.
    pub time: u64,
    /// The number of the exception.
    pub code: u64,
    /// Where its program stood.
    pub pc: u64,
    /// What it touched.
    pub address: u64,
    /// `x1` to `x31`.
    pub registers: [u64; 31],
    /// The beginning of the digest of the boot image that its program came from.
    pub image: [u8; 16],
    /// Its canonical name.
    pub name: Text<'a, 31>,
    /// The name of its program.
    pub program: Text<'a, 31>,
}

impl<'a> FaultReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 354;
    /// Most bytes that it takes.
    pub const MOST: usize = 385;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::FAULT), Self::LEAST + self.program.len(), |out| {
            self.number.encode(out, 8);
            self.service.encode(out, 12);
            self.generation.encode(out, 16);
            self.time.encode(out, 24);
            self.code.encode(out, 32);
            self.pc.encode(out, 40);
            self.address.encode(out, 48);
            self.registers.encode(out, 56);
            self.image.encode(out, 304);
            self.name.encode(out, 320);
            out.bytes(354, self.program.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(20, 4)?;
        Ok(Self {
            number: Wire::decode(&input, 8)?,
            service: Wire::decode(&input, 12)?,
            generation: Wire::decode(&input, 16)?,
            time: Wire::decode(&input, 24)?,
            code: Wire::decode(&input, 32)?,
            pc: Wire::decode(&input, 40)?,
            address: Wire::decode(&input, 48)?,
            registers: Wire::decode(&input, 56)?,
            image: Wire::decode(&input, 304)?,
            name: Wire::decode(&input, 320)?,
            program: text_tail(input.get(354..).ok_or(Malformed)?)?,
        })
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

    /// What is known of a process.
    pub fn stat(&mut self, index: u16) -> Result<StatReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::STAT,
            deadline_ms: 1000,
            room: Room { bytes: 80, handles: 0 },
        };
        let request = StatRequest { index };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(StatReply::decode(view, &mut handles)?)
    }

    /// Ends a process. It is started again by its rule, without a pause and without counting as a failure.
    pub fn kill(&mut self, name: Text<'_, 31>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::KILL,
            deadline_ms: 1000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = KillRequest { name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Lends a handle to a process, to see what it holds. Needs the grant `observe`.
    pub fn look(&mut self, index: u16) -> Result<LookReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::LOOK,
            deadline_ms: 1000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = LookRequest { index };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(LookReply::decode(view, &mut handles)?)
    }

    /// A process that faulted. The newest are known, for whoever keeps them.
    pub fn fault(&mut self, from: u32) -> Result<FaultReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::FAULT,
            deadline_ms: 1000,
            room: Room { bytes: 385, handles: 0 },
        };
        let request = FaultRequest { from };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(FaultReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// What is known of a process.
    fn stat(&mut self, sender: Sender, index: u16) -> Result<StatReply<'_>, Error>;

    /// Ends a process. It is started again by its rule, without a pause and without counting as a failure.
    fn kill(&mut self, sender: Sender, name: Text<'_, 31>) -> Result<(), Error>;

    /// Lends a handle to a process, to see what it holds. Needs the grant `observe`.
    fn look(&mut self, sender: Sender, index: u16) -> Result<LookReply<H>, Error>;

    /// A process that faulted. The newest are known, for whoever keeps them.
    fn fault(&mut self, sender: Sender, from: u32) -> Result<FaultReply<'_>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::STAT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = StatRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.stat(sender, request.index);
            answer(packet, Header::new(ID, op::STAT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::KILL) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = KillRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.kill(sender, request.name);
            answer(packet, Header::new(ID, op::KILL), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::KILL))
            })
        }
        Some(op::LOOK) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = LookRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.look(sender, request.index);
            answer(packet, Header::new(ID, op::LOOK), result, |reply, packet| reply.encode(packet))
        }
        Some(op::FAULT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = FaultRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.fault(sender, request.from);
            answer(packet, Header::new(ID, op::FAULT), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "supervise",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::STAT,
            name: "stat",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "index", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 49,
                most: 80,
                fields: &[
                    trace::Field { name: "service", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "generation", offset: 12, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "pages", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "pages_most", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "cpu_ticks", offset: 32, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "handles", offset: 40, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "starts", offset: 44, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "state",
                        offset: 48,
                        shape: trace::Shape::Enum(
                            1,
                            &[
                                (0, "Idle"),
                                (1, "Starting"),
                                (2, "Ready"),
                                (3, "Pausing"),
                                (4, "Ended"),
                                (5, "Absent"),
                            ],
                        ),
                    },
                    trace::Field { name: "name", offset: 49, shape: trace::Shape::TailText(31) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::KILL,
            name: "kill",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 39,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(31) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::LOOK,
            name: "look",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "index", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("process", Some(Kind::Process))],
            }),
        },
        trace::Operation {
            number: op::FAULT,
            name: "fault",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 354,
                most: 385,
                fields: &[
                    trace::Field { name: "number", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "service", offset: 12, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "generation", offset: 16, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "time", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "code", offset: 32, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "pc", offset: 40, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "address", offset: 48, shape: trace::Shape::Unsigned(8) },
                    trace::Field {
                        name: "registers",
                        offset: 56,
                        shape: trace::Shape::Array(31, 8, &trace::Shape::Unsigned(8)),
                    },
                    trace::Field {
                        name: "image",
                        offset: 304,
                        shape: trace::Shape::Array(16, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "name", offset: 320, shape: trace::Shape::Text(31) },
                    trace::Field { name: "program", offset: 354, shape: trace::Shape::TailText(31) },
                ],
                handles: &[],
            }),
        },
    ],
    errors: &[(1, "NotFound"), (4, "PermissionDenied")],
};
