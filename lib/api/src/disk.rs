//! The disk: hands out its partitions, each as an endpoint of the interface `block` that reaches nothing else.
//!
//! Served by `virtioblkd`. Which process may open which partition stands in the registry, in its arguments.
//!
//! Generated from `idl/disk.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome,
    Packet, Room, Sender, ServiceError, Sink, Spec, Text, View, answer, answered, kinds, refuse, text_tail,
    trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x8552cea0;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 116, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 116;

/// Longest name of a partition: 36 characters of three bytes.
pub const MAX_NAME: usize = 108;

/// Numbers of the operations.
pub mod op {
    /// `open`.
    pub const OPEN: u16 = 1;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no partition of that name, or more than one.
    NotFound = 1,
    /// The registry does not let this process open it.
    PermissionDenied = 4,
    /// This process has as many open as it can.
    QuotaExceeded = 5,
    /// The kernel refused for another reason.
    Kernel = 8,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] =
        &[Error::NotFound, Error::PermissionDenied, Error::QuotaExceeded, Error::Kernel];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::PermissionDenied => "PermissionDenied",
            Error::QuotaExceeded => "QuotaExceeded",
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

/// The request of [`Client::open`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenRequest<'a> {
    /// Its name; `*` is the whole disk.
    pub partition: Text<'a, 108>,
}

impl<'a> OpenRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 116;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::OPEN), Self::LEAST + self.partition.len(), |out| {
            out.bytes(8, self.partition.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { partition: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::open`].
#[derive(PartialEq, Debug)]
pub struct OpenReply<H> {
    /// An endpoint of the interface `block`.
    pub channel: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> OpenReply<H> {
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
        packet.write_words(Header::new(ID, op::OPEN), Self::MOST, |_| {});
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

    /// Opens a partition. Who holds the endpoint may read and write it; the endpoint can be handed on.
    pub fn open(&mut self, partition: Text<'_, 108>) -> Result<OpenReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::OPEN,
            deadline_ms: 2000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = OpenRequest { partition };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(OpenReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Opens a partition. Who holds the endpoint may read and write it; the endpoint can be handed on.
    fn open(&mut self, sender: Sender, partition: Text<'_, 108>) -> Result<OpenReply<H>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::OPEN) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = OpenRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.open(sender, request.partition);
            answer(packet, Header::new(ID, op::OPEN), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "disk",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::OPEN,
        name: "open",
        permission: "",
        deadline_ms: 2000,
        idempotent: true,
        request: trace::Layout {
            least: 8,
            most: 116,
            fields: &[trace::Field { name: "partition", offset: 8, shape: trace::Shape::TailText(108) }],
            handles: &[],
        },
        reply: Some(trace::Layout {
            least: 8,
            most: 8,
            fields: &[],
            handles: &[("channel", Some(Kind::Channel))],
        }),
    }],
    errors: &[(1, "NotFound"), (4, "PermissionDenied"), (5, "QuotaExceeded"), (8, "Kernel")],
};
