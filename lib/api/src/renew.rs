//! What a program is sent over the channel that it started with: a new channel in place of one whose server died.
//!
//! Generated from `idl/renew.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome, Packet, Room,
    SendError, Sender, ServiceError, Sink, Spec, Text, View, kinds, refuse, text_tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xc184d3c6;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 39, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 39;

/// Longest name of a channel.
pub const MAX_NAME: usize = 31;

/// Numbers of the operations.
pub mod op {
    /// `replace`.
    pub const REPLACE: u16 = 1;
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

/// The request of [`Client::replace`].
#[derive(PartialEq, Debug)]
pub struct ReplaceRequest<'a, H> {
    /// The program's end of it.
    pub channel: Held<H, kinds::Channel>,
    /// What the program knows it by: `log` or `samgrd`.
    pub name: Text<'a, 31>,
}

impl<'a, H: AnyHandle> ReplaceRequest<'a, H> {
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
        packet.write_bytes(Header::new(ID, op::REPLACE), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        packet.handles.push(self.channel.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            channel: handles.receive(0, Rights::SEND)?,
            name: text_tail(input.get(8..).ok_or(Malformed)?)?,
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

    /// A new channel.
    pub fn replace(
        &mut self,
        channel: Held<HandleOf<C>, kinds::Channel>,
        name: Text<'_, 31>,
    ) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::REPLACE,
            deadline_ms: 0,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = ReplaceRequest { channel, name };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// A new channel.
    fn replace(&mut self, sender: Sender, channel: Held<H, kinds::Channel>, name: Text<'_, 31>);
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::REPLACE) if !is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = ReplaceRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.replace(sender, request.channel, request.name);
            packet.reset();
            Outcome::Taken
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "renew",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::REPLACE,
        name: "replace",
        permission: "",
        deadline_ms: 0,
        idempotent: false,
        request: trace::Layout {
            least: 8,
            most: 39,
            fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(31) }],
            handles: &[("channel", Some(Kind::Channel))],
        },
        reply: None,
    }],
    errors: &[],
};
