//! What a program asks of whoever started it, over the one channel that it starts with.
//!
//! It asks for its grants until `NotFound`, then for its arguments, and says once that it is ready.
//!
//! Generated from `idl/start.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::Rights;
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link, Malformed,
    Outcome, Packet, Room, Sender, ServiceError, Sink, Spec, Text, View, answer, answered, empty_reply,
    kinds, refuse, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xb9df8133;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 8, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 263;

/// Longest name of a grant.
pub const MAX_NAME: usize = 31;

/// Longest arguments of a program.
pub const MAX_ARGS: usize = 255;

/// Numbers of the operations.
pub mod op {
    /// `grant`.
    pub const GRANT: u16 = 1;
    /// `arguments`.
    pub const ARGUMENTS: u16 = 2;
    /// `ready`.
    pub const READY: u16 = 3;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// Every grant has been handed over.
    NotFound = 1,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotFound];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
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

/// The request of [`Client::grant`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrantRequest {}

impl GrantRequest {
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
        packet.write_words(Header::new(ID, op::GRANT), Self::MOST, |_| {});
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

/// The reply of [`Client::grant`].
#[derive(PartialEq, Debug)]
pub struct GrantReply<'a, H> {
    /// It.
    pub handle: Held<H, kinds::Any>,
    /// What the program knows it by.
    pub name: Text<'a, 31>,
}

impl<'a, H: AnyHandle> GrantReply<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 39;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::GRANT), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        packet.handles.push(self.handle.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            handle: handles.receive(0, Rights::empty())?,
            name: text_tail(input.get(8..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::arguments`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgumentsRequest {}

impl ArgumentsRequest {
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
        packet.write_words(Header::new(ID, op::ARGUMENTS), Self::MOST, |_| {});
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

/// The reply of [`Client::arguments`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgumentsReply<'a> {
    /// One text; what it means is the program's own matter.
    pub text: Text<'a, 255>,
}

impl<'a> ArgumentsReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::ARGUMENTS), Self::LEAST + self.text.len(), |out| {
            out.bytes(8, self.text.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { text: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::ready`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadyRequest {}

impl ReadyRequest {
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
        packet.write_words(Header::new(ID, op::READY), Self::MOST, |_| {});
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

    /// The next thing that the program was granted.
    pub fn grant(&mut self) -> Result<GrantReply<'_, HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::GRANT,
            deadline_ms: 60000,
            room: Room { bytes: 39, handles: 1 },
        };
        let request = GrantRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(GrantReply::decode(view, &mut handles)?)
    }

    /// The program's arguments.
    pub fn arguments(&mut self) -> Result<ArgumentsReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::ARGUMENTS,
            deadline_ms: 60000,
            room: Room { bytes: 263, handles: 0 },
        };
        let request = ArgumentsRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(ArgumentsReply::decode(view, &mut handles)?)
    }

    /// The program does its job from now on.
    pub fn ready(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::READY,
            deadline_ms: 60000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = ReadyRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// The next thing that the program was granted.
    fn grant(&mut self, sender: Sender) -> Result<GrantReply<'_, H>, Error>;

    /// The program's arguments.
    fn arguments(&mut self, sender: Sender) -> Result<ArgumentsReply<'_>, Error>;

    /// The program does its job from now on.
    fn ready(&mut self, sender: Sender) -> Result<(), Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::GRANT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = GrantRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.grant(sender);
            answer(packet, Header::new(ID, op::GRANT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::ARGUMENTS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = ArgumentsRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.arguments(sender);
            answer(packet, Header::new(ID, op::ARGUMENTS), result, |reply, packet| reply.encode(packet))
        }
        Some(op::READY) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = ReadyRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.ready(sender);
            answer(packet, Header::new(ID, op::READY), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::READY))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "start",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::GRANT,
            name: "grant",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 8,
                most: 39,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(31) }],
                handles: &[("handle", None)],
            }),
        },
        trace::Operation {
            number: op::ARGUMENTS,
            name: "arguments",
            permission: "",
            deadline_ms: 60000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "text", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::READY,
            name: "ready",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[(1, "NotFound")],
};
