//! Random bytes that nobody can foretell.
//!
//! Served by `rngd`: entropy of the machine's device, stretched by a generator that erases what it gave.
//!
//! Generated from `idl/random.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, Handles, Header, Link, Malformed, Outcome, Packet, Room,
    Sender, ServiceError, Sink, Spec, View, Wire, answer, answered, refuse, tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x55e27072;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 10, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 1032;

/// Most bytes that one call answers.
pub const MAX_BYTES: usize = 1024;

/// Numbers of the operations.
pub mod op {
    /// `fill`.
    pub const FILL: u16 = 1;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// More bytes were asked for than one call answers.
    Invalid = 3,
    /// The device has given no entropy yet.
    NotReady = 6,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::Invalid, Error::NotReady];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::Invalid => "Invalid",
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

/// The request of [`Client::fill`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillRequest {
    /// How many, at most `MAX_BYTES`.
    pub count: u16,
}

impl FillRequest {
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
        packet.write_words(Header::new(ID, op::FILL), Self::MOST, |out| {
            self.count.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { count: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::fill`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillReply<'a> {
    /// So many bytes.
    pub data: Bytes<'a, 1024>,
}

impl<'a> FillReply<'a> {
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
        packet.write_bytes(Header::new(ID, op::FILL), Self::LEAST + self.data.len(), |out| {
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

    /// Gives random bytes. Asking again gives others.
    pub fn fill(&mut self, count: u16) -> Result<FillReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::FILL,
            deadline_ms: 1000,
            room: Room { bytes: 1032, handles: 0 },
        };
        let request = FillRequest { count };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(FillReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// Gives random bytes. Asking again gives others.
    fn fill(&mut self, sender: Sender, count: u16) -> Result<FillReply<'_>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::FILL) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = FillRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.fill(sender, request.count);
            answer(packet, Header::new(ID, op::FILL), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "random",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::FILL,
        name: "fill",
        permission: "",
        deadline_ms: 1000,
        idempotent: true,
        request: trace::Layout {
            least: 10,
            most: 10,
            fields: &[trace::Field { name: "count", offset: 8, shape: trace::Shape::Unsigned(2) }],
            handles: &[],
        },
        reply: Some(trace::Layout {
            least: 8,
            most: 1032,
            fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(1024) }],
            handles: &[],
        }),
    }],
    errors: &[(3, "Invalid"), (6, "NotReady")],
};
