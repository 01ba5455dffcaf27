//! How a service gets its clients: `samgrd` sends their endpoints to the channel that was registered with the name.
//!
//! Generated from `idl/intake.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome, Packet, Room,
    SendError, Sender, ServiceError, Spec, View, kinds, refuse, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x625eb4cd;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 8, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 0;

/// Numbers of the operations.
pub mod op {
    /// `admit`.
    pub const ADMIT: u16 = 1;
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

/// The request of [`Client::admit`].
#[derive(PartialEq, Debug)]
pub struct AdmitRequest<H> {
    /// The service's end of the channel to it.
    pub channel: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> AdmitRequest<H> {
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
        packet.write_words(Header::new(ID, op::ADMIT), Self::MOST, |_| {});
        packet.handles.push(self.channel.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { channel: handles.receive(0, Rights::RECEIVE)? })
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

    /// One more client.
    pub fn admit(&mut self, channel: Held<HandleOf<C>, kinds::Channel>) -> Result<(), SendError> {
        const SPEC: Spec =
            Spec { interface: ID, operation: op::ADMIT, deadline_ms: 0, room: Room { bytes: 0, handles: 0 } };
        let request = AdmitRequest { channel };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// One more client.
    fn admit(&mut self, sender: Sender, channel: Held<H, kinds::Channel>);
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::ADMIT) if !is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = AdmitRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.admit(sender, request.channel);
            packet.reset();
            Outcome::Taken
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "intake",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::ADMIT,
        name: "admit",
        permission: "",
        deadline_ms: 0,
        idempotent: false,
        request: trace::Layout {
            least: 8,
            most: 8,
            fields: &[],
            handles: &[("channel", Some(Kind::Channel))],
        },
        reply: None,
    }],
    errors: &[],
};
