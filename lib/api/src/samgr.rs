//! The service registry: connects processes to services by their declared names, and takes those who provide them.
//!
//! Served by `samgrd`, over a channel that every process which may use it is handed at start. Who asks is decided
//! from the kernel's sender identity; which edges exist is declared in `system.toml`.
//!
//! Generated from `idl/samgr.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link, Malformed,
    Outcome, Packet, Promise, Replier, Room, Sender, ServiceError, Sink, Spec, Text, View, Wire, answer,
    answered, empty_reply, kinds, refuse, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xba39d739;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 45, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 45;

/// Longest name of a service.
pub const MAX_NAME: usize = 31;

/// Numbers of the operations.
pub mod op {
    /// `connect`.
    pub const CONNECT: u16 = 1;
    /// `register`.
    pub const REGISTER: u16 = 2;
    /// `hello`.
    pub const HELLO: u16 = 3;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// Nobody will provide the service: this machine lacks the device that it is for.
    NotFound = 1,
    /// Another process has registered the name.
    Exists = 2,
    /// The name or the handle is not one that the operation takes.
    Invalid = 3,
    /// The registry declares no such edge for this process, or no such service at all.
    PermissionDenied = 4,
    /// This process has as many connections as it may.
    QuotaExceeded = 5,
    /// The service is there but takes no more clients now, or too many calls wait for it: try again.
    NotReady = 6,
    /// The kernel refused for another reason.
    Kernel = 8,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[
        Error::NotFound,
        Error::Exists,
        Error::Invalid,
        Error::PermissionDenied,
        Error::QuotaExceeded,
        Error::NotReady,
        Error::Kernel,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::Exists => "Exists",
            Error::Invalid => "Invalid",
            Error::PermissionDenied => "PermissionDenied",
            Error::QuotaExceeded => "QuotaExceeded",
            Error::NotReady => "NotReady",
            Error::Kernel => "Kernel",
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

/// The request of [`Client::connect`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectRequest<'a> {
    /// Its name.
    pub name: Text<'a, 31>,
}

impl<'a> ConnectRequest<'a> {
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
        packet.write_bytes(Header::new(ID, op::CONNECT), Self::LEAST + self.name.len(), |out| {
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

/// The reply of [`Client::connect`].
#[derive(PartialEq, Debug)]
pub struct ConnectReply<H> {
    /// The client's end of a new channel to the service.
    pub channel: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> ConnectReply<H> {
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
        packet.write_words(Header::new(ID, op::CONNECT), Self::MOST, |_| {});
        packet.handles.push(self.channel.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { channel: handles.receive(0, Rights::SEND)? })
    }
}

/// The request of [`Client::register`].
#[derive(PartialEq, Debug)]
pub struct RegisterRequest<'a, H> {
    /// What the service's end of each client's channel can receive: messages that are not calls, waiting at a time.
    pub depth: u16,
    /// Bytes of its largest message.
    pub bytes: u16,
    /// Handles of a message.
    pub handles: u16,
    /// Where the service's ends of its clients' channels are sent, as the interface `intake` says.
    pub intake: Held<H, kinds::Channel>,
    /// Its name.
    pub name: Text<'a, 31>,
}

impl<'a, H: AnyHandle> RegisterRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 14;
    /// Most bytes that it takes.
    pub const MOST: usize = 45;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::REGISTER), Self::LEAST + self.name.len(), |out| {
            self.depth.encode(out, 8);
            self.bytes.encode(out, 10);
            self.handles.encode(out, 12);
            out.bytes(14, self.name.as_bytes());
        })?;
        packet.handles.push(self.intake.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            depth: Wire::decode(&input, 8)?,
            bytes: Wire::decode(&input, 10)?,
            handles: Wire::decode(&input, 12)?,
            intake: handles.receive(0, Rights::SEND)?,
            name: text_tail(input.get(14..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::hello`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HelloRequest {}

impl HelloRequest {
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
        packet.write_words(Header::new(ID, op::HELLO), Self::MOST, |_| {});
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

    /// Connects to a service. While nobody provides it, the call waits for whoever will.
    pub fn connect(&mut self, name: Text<'_, 31>) -> Result<ConnectReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CONNECT,
            deadline_ms: 5000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = ConnectRequest { name };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(ConnectReply::decode(view, &mut handles)?)
    }

    /// Registers the caller as the provider of a service. The name is free again when the intake's other end is closed.
    pub fn register(
        &mut self,
        depth: u16,
        bytes: u16,
        handles: u16,
        intake: Held<HandleOf<C>, kinds::Channel>,
        name: Text<'_, 31>,
    ) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::REGISTER,
            deadline_ms: 2000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = RegisterRequest { depth, bytes, handles, intake, name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Is answered, and no more: then `samgrd` holds its end of the channel, which may have been on its way and so
    /// could take no handles.
    pub fn hello(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::HELLO,
            deadline_ms: 2000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = HelloRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::connect`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct ConnectPromise(Promise);

impl ConnectPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<ConnectReply<R::Handle>, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::CONNECT), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Connects to a service. While nobody provides it, the call waits for whoever will.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn connect(
        &mut self,
        sender: Sender,
        promise: ConnectPromise,
        name: Text<'_, 31>,
    ) -> Result<Option<ConnectReply<H>>, Error>;

    /// Registers the caller as the provider of a service. The name is free again when the intake's other end is closed.
    fn register(
        &mut self,
        sender: Sender,
        depth: u16,
        bytes: u16,
        handles: u16,
        intake: Held<H, kinds::Channel>,
        name: Text<'_, 31>,
    ) -> Result<(), Error>;

    /// Is answered, and no more: then `samgrd` holds its end of the channel, which may have been on its way and so
    /// could take no handles.
    fn hello(&mut self, sender: Sender) -> Result<(), Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::CONNECT) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(true);
            let Ok(request) = ConnectRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.connect(sender, ConnectPromise(owed), request.name);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::CONNECT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::REGISTER) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = RegisterRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.register(
                sender,
                request.depth,
                request.bytes,
                request.handles,
                request.intake,
                request.name,
            );
            answer(packet, Header::new(ID, op::REGISTER), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::REGISTER))
            })
        }
        Some(op::HELLO) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = HelloRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.hello(sender);
            answer(packet, Header::new(ID, op::HELLO), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::HELLO))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "samgr",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::CONNECT,
            name: "connect",
            permission: "",
            deadline_ms: 5000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 39,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(31) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("channel", Some(Kind::Channel))],
            }),
        },
        trace::Operation {
            number: op::REGISTER,
            name: "register",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 14,
                most: 45,
                fields: &[
                    trace::Field { name: "depth", offset: 8, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "bytes", offset: 10, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "handles", offset: 12, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "name", offset: 14, shape: trace::Shape::TailText(31) },
                ],
                handles: &[("intake", Some(Kind::Channel))],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::HELLO,
            name: "hello",
            permission: "",
            deadline_ms: 2000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[
        (1, "NotFound"),
        (2, "Exists"),
        (3, "Invalid"),
        (4, "PermissionDenied"),
        (5, "QuotaExceeded"),
        (6, "NotReady"),
        (8, "Kernel"),
    ],
};
