//! What a network driver sends to whoever attached: received Ethernet frames.
//!
//! Generated from `idl/frames.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Bytes, Connector, Fault, Handles, Header, Link, Malformed, Outcome, Packet, Room, SendError,
    Sender, ServiceError, Sink, Spec, View, refuse, tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x292f51c3;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 1522, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 1522;

/// Longest frame, without its checksum.
pub const MAX_FRAME: usize = 1514;

/// Numbers of the operations.
pub mod op {
    /// `frame`.
    pub const FRAME: u16 = 1;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Error {}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {}
    }
}

impl ServiceError for Error {
    fn from_number(number: u16) -> Option<Self> {
        Error::ALL.iter().copied().find(|error| error.number() == number)
    }

    fn number(self) -> u16 {
        match self {}
    }
}

/// The request of [`Client::frame`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRequest<'a> {
    /// The argument `frame`.
    pub frame: Bytes<'a, 1514>,
}

impl<'a> FrameRequest<'a> {
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
        packet.write_bytes(Header::new(ID, op::FRAME), Self::LEAST + self.frame.len(), |out| {
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

    /// A frame.
    pub fn frame(&mut self, frame: Bytes<'_, 1514>) -> Result<(), SendError> {
        const SPEC: Spec =
            Spec { interface: ID, operation: op::FRAME, deadline_ms: 0, room: Room { bytes: 0, handles: 0 } };
        let request = FrameRequest { frame };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// A frame.
    fn frame(&mut self, sender: Sender, frame: Bytes<'_, 1514>);
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::FRAME) if !is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = FrameRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.frame(sender, request.frame);
            packet.reset();
            Outcome::Taken
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "frames",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::FRAME,
        name: "frame",
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
    }],
    errors: &[],
};
