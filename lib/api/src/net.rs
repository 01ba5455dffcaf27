//! A network card: Ethernet frames in and out. Whoever holds it may send and receive anything there.
//!
//! Served by `virtionetd`. Frames that find no room are dropped, as a network does, and counted.
//!
//! Generated from `idl/net.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome,
    Packet, Room, SendError, Sender, ServiceError, Sink, Source, Spec, View, Wire, answer, answered, kinds,
    refuse, tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x773d776c;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 1522, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 1522;

/// Longest frame, without its checksum.
pub const MAX_FRAME: usize = 1514;

/// Numbers of the operations.
pub mod op {
    /// `attach`.
    pub const ATTACH: u16 = 1;
    /// `transmit`.
    pub const TRANSMIT: u16 = 2;
    /// `counters`.
    pub const COUNTERS: u16 = 3;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// Somebody else has attached already, and is alive.
    Exists = 2,
    /// The kernel refused for another reason.
    Kernel = 8,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::Exists, Error::Kernel];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::Exists => "Exists",
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

/// The request of [`Client::attach`].
#[derive(PartialEq, Debug)]
pub struct AttachRequest<H> {
    /// Where frames are sent.
    pub frames: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> AttachRequest<H> {
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
        packet.write_words(Header::new(ID, op::ATTACH), Self::MOST, |_| {});
        packet.handles.push(self.frames.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { frames: handles.receive(0, Rights::SEND)? })
    }
}

/// The reply of [`Client::attach`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttachReply {
    /// The card's address.
    pub address: [u8; 6],
}

impl AttachReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 14;
    /// Most bytes that it takes.
    pub const MOST: usize = 14;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::ATTACH), Self::MOST, |out| {
            self.address.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { address: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::transmit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransmitRequest<'a> {
    /// The argument `frame`.
    pub frame: Bytes<'a, 1514>,
}

impl<'a> TransmitRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 1522;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::TRANSMIT), Self::LEAST + self.frame.len(), |out| {
            out.bytes(8, &self.frame);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { frame: tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::counters`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountersRequest {}

impl CountersRequest {
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
        packet.write_words(Header::new(ID, op::COUNTERS), Self::MOST, |_| {});
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

/// The reply of [`Client::counters`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountersReply {
    /// Whether there is a link.
    pub link: bool,
    /// Frames received and handed on.
    pub received: u64,
    /// Frames received for which nobody had room.
    pub received_dropped: u64,
    /// Frames sent.
    pub sent: u64,
    /// Frames that the card had no room for, or that are none.
    pub sent_dropped: u64,
    /// Times that the card was reset.
    pub resets: u64,
}

impl CountersReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 56;
    /// Most bytes that it takes.
    pub const MOST: usize = 56;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::COUNTERS), Self::MOST, |out| {
            self.link.encode(out, 8);
            self.received.encode(out, 16);
            self.received_dropped.encode(out, 24);
            self.sent.encode(out, 32);
            self.sent_dropped.encode(out, 40);
            self.resets.encode(out, 48);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(9, 7)?;
        Ok(Self {
            link: Wire::decode(&input, 8)?,
            received: Wire::decode(&input, 16)?,
            received_dropped: Wire::decode(&input, 24)?,
            sent: Wire::decode(&input, 32)?,
            sent_dropped: Wire::decode(&input, 40)?,
            resets: Wire::decode(&input, 48)?,
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

    /// Has received frames sent to a channel from now on, as the interface `frames` says. The endpoint's other end belongs to whoever asks.
    pub fn attach(
        &mut self,
        frames: Held<HandleOf<C>, kinds::Channel>,
    ) -> Result<AttachReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::ATTACH,
            deadline_ms: 2000,
            room: Room { bytes: 14, handles: 0 },
        };
        let request = AttachRequest { frames };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(AttachReply::decode(view, &mut handles)?)
    }

    /// Sends a frame.
    pub fn transmit(&mut self, frame: Bytes<'_, 1514>) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TRANSMIT,
            deadline_ms: 0,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = TransmitRequest { frame };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }

    /// What the card has done since the driver started.
    pub fn counters(&mut self) -> Result<CountersReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::COUNTERS,
            deadline_ms: 2000,
            room: Room { bytes: 56, handles: 0 },
        };
        let request = CountersRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(CountersReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Has received frames sent to a channel from now on, as the interface `frames` says. The endpoint's other end belongs to whoever asks.
    fn attach(&mut self, sender: Sender, frames: Held<H, kinds::Channel>) -> Result<AttachReply, Error>;

    /// Sends a frame.
    fn transmit(&mut self, sender: Sender, frame: Bytes<'_, 1514>);

    /// What the card has done since the driver started.
    fn counters(&mut self, sender: Sender) -> Result<CountersReply, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::ATTACH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = AttachRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.attach(sender, request.frames);
            answer(packet, Header::new(ID, op::ATTACH), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TRANSMIT) if !is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = TransmitRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.transmit(sender, request.frame);
            packet.reset();
            Outcome::Taken
        }
        Some(op::COUNTERS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = CountersRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.counters(sender);
            answer(packet, Header::new(ID, op::COUNTERS), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "net",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::ATTACH,
            name: "attach",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("frames", Some(Kind::Channel))],
            },
            reply: Some(trace::Layout {
                least: 14,
                most: 14,
                fields: &[trace::Field {
                    name: "address",
                    offset: 8,
                    shape: trace::Shape::Array(6, 1, &trace::Shape::Unsigned(1)),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TRANSMIT,
            name: "transmit",
            permission: "",
            deadline_ms: 0,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 1522,
                fields: &[trace::Field { name: "frame", offset: 8, shape: trace::Shape::TailBytes(1514) }],
                handles: &[],
            },
            reply: None,
        },
        trace::Operation {
            number: op::COUNTERS,
            name: "counters",
            permission: "",
            deadline_ms: 2000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 56,
                most: 56,
                fields: &[
                    trace::Field { name: "link", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "received", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "received_dropped", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "sent", offset: 32, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "sent_dropped", offset: 40, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "resets", offset: 48, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
    ],
    errors: &[(2, "Exists"), (8, "Kernel")],
};
