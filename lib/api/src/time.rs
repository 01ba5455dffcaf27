//! What time it is.
//!
//! Served by `timed` from the machine's real-time clock. (How much time has passed every program counts itself: the machine's counter
//! can be read without asking anybody.)
//!
//! Generated from `idl/time.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, Handles, Header, Link, Malformed, Outcome, Packet, Room, Sender,
    ServiceError, Spec, View, Wire, answer, answered, refuse, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x88b0bbe0;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 8, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 0;

/// Numbers of the operations.
pub mod op {
    /// `now`.
    pub const NOW: u16 = 1;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// The clock shows a time that cannot be.
    NotReady = 6,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotReady];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
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

/// The request of [`Client::now`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NowRequest {}

impl NowRequest {
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
        packet.write_words(Header::new(ID, op::NOW), Self::MOST, |_| {});
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

/// The reply of [`Client::now`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NowReply {
    /// Nanoseconds since 1970-01-01 00:00 UTC. It never goes back while `steps` stays.
    pub unix_ns: u64,
    /// The machine's counter, in ticks since reset, when that was the time.
    pub ticks: u64,
    /// Ticks a second.
    pub hz: u64,
    /// How often the clock was set back since `timed` started.
    pub steps: u32,
}

impl NowReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 36;
    /// Most bytes that it takes.
    pub const MOST: usize = 36;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::NOW), Self::MOST, |out| {
            self.unix_ns.encode(out, 8);
            self.ticks.encode(out, 16);
            self.hz.encode(out, 24);
            self.steps.encode(out, 32);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            unix_ns: Wire::decode(&input, 8)?,
            ticks: Wire::decode(&input, 16)?,
            hz: Wire::decode(&input, 24)?,
            steps: Wire::decode(&input, 32)?,
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

    /// The time of day.
    pub fn now(&mut self) -> Result<NowReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::NOW,
            deadline_ms: 1000,
            room: Room { bytes: 36, handles: 0 },
        };
        let request = NowRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(NowReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// The time of day.
    fn now(&mut self, sender: Sender) -> Result<NowReply, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::NOW) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = NowRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.now(sender);
            answer(packet, Header::new(ID, op::NOW), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "time",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::NOW,
        name: "now",
        permission: "",
        deadline_ms: 1000,
        idempotent: true,
        request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
        reply: Some(trace::Layout {
            least: 36,
            most: 36,
            fields: &[
                trace::Field { name: "unix_ns", offset: 8, shape: trace::Shape::Unsigned(8) },
                trace::Field { name: "ticks", offset: 16, shape: trace::Shape::Unsigned(8) },
                trace::Field { name: "hz", offset: 24, shape: trace::Shape::Unsigned(8) },
                trace::Field { name: "steps", offset: 32, shape: trace::Shape::Unsigned(4) },
            ],
            handles: &[],
        }),
    }],
    errors: &[(6, "NotReady")],
};
