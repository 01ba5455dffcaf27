//! The policy authority: decides what the registry leaves to run time.
//!
//! Served by `policyd`. Who asks is told by the kernel's sender identity; what may be is declared in `system.toml`, and what is
//! not declared is denied. Every decision is an audit record.
//!
//! Generated from `idl/policy.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome,
    Packet, Room, Sender, ServiceError, Sink, Spec, Text, View, answer, answered, kinds, refuse, text_tail,
    trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x6a1080d3;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 34, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 34;

/// Longest name of a device.
pub const MAX_NAME: usize = 26;

/// Numbers of the operations.
pub mod op {
    /// `window`.
    pub const WINDOW: u16 = 1;
    /// `interrupt`.
    pub const INTERRUPT: u16 = 2;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// It is declared for the caller, and this machine has no such device.
    NotFound = 1,
    /// It is not declared for the caller, or there is no such device at all: the answer is the same.
    PermissionDenied = 4,
    /// The kernel refused for another reason.
    Kernel = 8,
    /// Another process holds it.
    Busy = 11,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotFound, Error::PermissionDenied, Error::Kernel, Error::Busy];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::PermissionDenied => "PermissionDenied",
            Error::Kernel => "Kernel",
            Error::Busy => "Busy",
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

/// The request of [`Client::window`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowRequest<'a> {
    /// The device's name in the registry.
    pub device: Text<'a, 26>,
}

impl<'a> WindowRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 34;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::WINDOW), Self::LEAST + self.device.len(), |out| {
            out.bytes(8, self.device.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { device: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::window`].
#[derive(PartialEq, Debug)]
pub struct WindowReply<H> {
    /// The window.
    pub mmio: Held<H, kinds::Mmio>,
}

impl<H: AnyHandle> WindowReply<H> {
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
        packet.write_words(Header::new(ID, op::WINDOW), Self::MOST, |_| {});
        packet.handles.push(self.mmio.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { mmio: handles.receive(0, Rights::READ.union(Rights::WRITE))? })
    }
}

/// The request of [`Client::interrupt`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterruptRequest<'a> {
    /// The device's name in the registry.
    pub device: Text<'a, 26>,
}

impl<'a> InterruptRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 34;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::INTERRUPT), Self::LEAST + self.device.len(), |out| {
            out.bytes(8, self.device.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { device: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::interrupt`].
#[derive(PartialEq, Debug)]
pub struct InterruptReply<H> {
    /// The interrupt.
    pub irq: Held<H, kinds::Irq>,
}

impl<H: AnyHandle> InterruptReply<H> {
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
        packet.write_words(Header::new(ID, op::INTERRUPT), Self::MOST, |_| {});
        packet.handles.push(self.irq.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { irq: handles.receive(0, Rights::WAIT.union(Rights::MANAGE))? })
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

    /// Asks for the window of a device's registers. While its holder, or anyone else, has it or maps it, nobody else gets it. A virtio device
    /// is reset first.
    pub fn window(&mut self, device: Text<'_, 26>) -> Result<WindowReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WINDOW,
            deadline_ms: 1000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = WindowRequest { device };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(WindowReply::decode(view, &mut handles)?)
    }

    /// Asks for the interrupt of a device whose window the caller was given.
    pub fn interrupt(
        &mut self,
        device: Text<'_, 26>,
    ) -> Result<InterruptReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::INTERRUPT,
            deadline_ms: 1000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = InterruptRequest { device };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(InterruptReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Asks for the window of a device's registers. While its holder, or anyone else, has it or maps it, nobody else gets it. A virtio device
    /// is reset first.
    fn window(&mut self, sender: Sender, device: Text<'_, 26>) -> Result<WindowReply<H>, Error>;

    /// Asks for the interrupt of a device whose window the caller was given.
    fn interrupt(&mut self, sender: Sender, device: Text<'_, 26>) -> Result<InterruptReply<H>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::WINDOW) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = WindowRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.window(sender, request.device);
            answer(packet, Header::new(ID, op::WINDOW), result, |reply, packet| reply.encode(packet))
        }
        Some(op::INTERRUPT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = InterruptRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.interrupt(sender, request.device);
            answer(packet, Header::new(ID, op::INTERRUPT), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "policy",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::WINDOW,
            name: "window",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 34,
                fields: &[trace::Field { name: "device", offset: 8, shape: trace::Shape::TailText(26) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("mmio", Some(Kind::Mmio))],
            }),
        },
        trace::Operation {
            number: op::INTERRUPT,
            name: "interrupt",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 34,
                fields: &[trace::Field { name: "device", offset: 8, shape: trace::Shape::TailText(26) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("irq", Some(Kind::Irq))],
            }),
        },
    ],
    errors: &[(1, "NotFound"), (4, "PermissionDenied"), (8, "Kernel"), (11, "Busy")],
};
