//! How a service tells whoever asked for it that there is something new: `logd` of records, `statefsd` of changes. The receiver's queue has room for one: more
//! would say the same.
//!
//! Generated from `idl/news.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Connector, Fault, Handles, Header, Link, Malformed, Outcome, Packet, Room, SendError, Sender,
    ServiceError, Spec, View, refuse, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x82889b0e;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 8, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 0;

/// Numbers of the operations.
pub mod op {
    /// `added`.
    pub const ADDED: u16 = 1;
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

/// The request of [`Client::added`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddedRequest {}

impl AddedRequest {
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
        packet.write_words(Header::new(ID, op::ADDED), Self::MOST, |_| {});
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

    /// There is at least one thing more than when this was last received.
    pub fn added(&mut self) -> Result<(), SendError> {
        const SPEC: Spec =
            Spec { interface: ID, operation: op::ADDED, deadline_ms: 0, room: Room { bytes: 0, handles: 0 } };
        let request = AddedRequest {};
        self.link.send_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// There is at least one thing more than when this was last received.
    fn added(&mut self, sender: Sender);
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::ADDED) if !is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = AddedRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.added(sender);
            packet.reset();
            Outcome::Taken
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "news",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::ADDED,
        name: "added",
        permission: "",
        deadline_ms: 0,
        idempotent: true,
        request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
        reply: None,
    }],
    errors: &[],
};
