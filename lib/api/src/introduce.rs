//! How `nexus-init` hands `logd`, `samgrd` and `uartd` their ends of the channels that it gives to others.
//!
//! Generated from `idl/introduce.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome, Packet, Room,
    SendError, Sender, ServiceError, Sink, Spec, Text, View, Wire, kinds, refuse, text_tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xab4badde;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 43, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 43;

/// Longest name of a process.
pub const MAX_NAME: usize = 31;

/// Numbers of the operations.
pub mod op {
    /// `process`.
    pub const PROCESS: u16 = 1;
    /// `absent`.
    pub const ABSENT: u16 = 2;
    /// `console`.
    pub const CONSOLE: u16 = 3;
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

/// The request of [`Client::process`].
#[derive(PartialEq, Debug)]
pub struct ProcessRequest<'a, H> {
    /// Its service id: what the kernel stamps on its messages.
    pub service: u32,
    /// The receiver's end of its channel.
    pub channel: Held<H, kinds::Channel>,
    /// Its canonical name.
    pub name: Text<'a, 31>,
}

impl<'a, H: AnyHandle> ProcessRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 43;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::PROCESS), Self::LEAST + self.name.len(), |out| {
            self.service.encode(out, 8);
            out.bytes(12, self.name.as_bytes());
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
            service: Wire::decode(&input, 8)?,
            channel: handles.receive(0, Rights::RECEIVE)?,
            name: text_tail(input.get(12..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::absent`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AbsentRequest {
    /// Its service id.
    pub service: u32,
}

impl AbsentRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 12;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::ABSENT), Self::MOST, |out| {
            self.service.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { service: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::console`].
#[derive(PartialEq, Debug)]
pub struct ConsoleRequest<H> {
    /// The receiver's end.
    pub channel: Held<H, kinds::Channel>,
}

impl<H: AnyHandle> ConsoleRequest<H> {
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
        packet.write_words(Header::new(ID, op::CONSOLE), Self::MOST, |_| {});
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

    /// A process and a channel to it.
    pub fn process(
        &mut self,
        service: u32,
        channel: Held<HandleOf<C>, kinds::Channel>,
        name: Text<'_, 31>,
    ) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PROCESS,
            deadline_ms: 2000,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = ProcessRequest { service, channel, name };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }

    /// A process that will not come: the machine lacks its device.
    pub fn absent(&mut self, service: u32) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::ABSENT,
            deadline_ms: 2000,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = AbsentRequest { service };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }

    /// The console has a driver, which this is a channel to (interface `console`).
    pub fn console(&mut self, channel: Held<HandleOf<C>, kinds::Channel>) -> Result<(), SendError> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CONSOLE,
            deadline_ms: 2000,
            room: Room { bytes: 0, handles: 0 },
        };
        let request = ConsoleRequest { channel };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// A process and a channel to it.
    fn process(&mut self, sender: Sender, service: u32, channel: Held<H, kinds::Channel>, name: Text<'_, 31>);

    /// A process that will not come: the machine lacks its device.
    fn absent(&mut self, sender: Sender, service: u32);

    /// The console has a driver, which this is a channel to (interface `console`).
    fn console(&mut self, sender: Sender, channel: Held<H, kinds::Channel>);
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::PROCESS) if !is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = ProcessRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.process(sender, request.service, request.channel, request.name);
            packet.reset();
            Outcome::Taken
        }
        Some(op::ABSENT) if !is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = AbsentRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.absent(sender, request.service);
            packet.reset();
            Outcome::Taken
        }
        Some(op::CONSOLE) if !is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ConsoleRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.console(sender, request.channel);
            packet.reset();
            Outcome::Taken
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "introduce",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::PROCESS,
            name: "process",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 43,
                fields: &[
                    trace::Field { name: "service", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "name", offset: 12, shape: trace::Shape::TailText(31) },
                ],
                handles: &[("channel", Some(Kind::Channel))],
            },
            reply: None,
        },
        trace::Operation {
            number: op::ABSENT,
            name: "absent",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "service", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: None,
        },
        trace::Operation {
            number: op::CONSOLE,
            name: "console",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("channel", Some(Kind::Channel))],
            },
            reply: None,
        },
    ],
    errors: &[],
};
