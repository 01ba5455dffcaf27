//! The spawn authority: makes processes out of programs of the boot image, on behalf of `nexus-init`.
//!
//! Served by `execd` over its control channel.
//!
//! Generated from `idl/exec.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HandleOf, Handles, Header, Held, Link, Malformed, Outcome,
    Packet, Room, Sender, ServiceError, Sink, Spec, Text, View, Wire, answer, answered, kinds, refuse,
    text_tail, trace,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0xb302a128;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 44, handles: 3 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 44;

/// Longest name of a program.
pub const MAX_NAME: usize = 31;

/// Numbers of the operations.
pub mod op {
    /// `spawn`.
    pub const SPAWN: u16 = 1;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// The boot image has no such program.
    NotFound = 1,
    /// A limit is one that the kernel does not take.
    Invalid = 3,
    /// Only the supervisor may ask.
    PermissionDenied = 4,
    /// The quota has not enough.
    QuotaExceeded = 5,
    /// The program's file is not one that can be started.
    BadProgram = 7,
    /// The kernel refused for another reason.
    Kernel = 8,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[
        Error::NotFound,
        Error::Invalid,
        Error::PermissionDenied,
        Error::QuotaExceeded,
        Error::BadProgram,
        Error::Kernel,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::Invalid => "Invalid",
            Error::PermissionDenied => "PermissionDenied",
            Error::QuotaExceeded => "QuotaExceeded",
            Error::BadProgram => "BadProgram",
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

/// The request of [`Client::spawn`].
#[derive(PartialEq, Debug)]
pub struct SpawnRequest<'a, H> {
    /// Size of its handle table.
    pub handles: u16,
    /// Thousandths of a hart.
    pub cpu: u16,
    /// Highest priority of its threads.
    pub priority: u8,
    /// What everything is charged to.
    pub quota: Held<H, kinds::Quota>,
    /// Who it is.
    pub identity: Held<H, kinds::Identity>,
    /// The program's end of the channel that it starts with.
    pub bootstrap: Held<H, kinds::Channel>,
    /// The program's name in the boot image.
    pub program: Text<'a, 31>,
}

impl<'a, H: AnyHandle> SpawnRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 13;
    /// Most bytes that it takes.
    pub const MOST: usize = 44;
    /// Handles that it carries.
    pub const HANDLES: usize = 3;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SPAWN), Self::LEAST + self.program.len(), |out| {
            self.handles.encode(out, 8);
            self.cpu.encode(out, 10);
            self.priority.encode(out, 12);
            out.bytes(13, self.program.as_bytes());
        })?;
        packet.handles.push(self.quota.into_inner()).map_err(|_| Fault::NoRoom)?;
        packet.handles.push(self.identity.into_inner()).map_err(|_| Fault::NoRoom)?;
        packet.handles.push(self.bootstrap.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            handles: Wire::decode(&input, 8)?,
            cpu: Wire::decode(&input, 10)?,
            priority: Wire::decode(&input, 12)?,
            quota: handles.receive(0, Rights::CHARGE)?,
            identity: handles.receive(1, Rights::USE)?,
            bootstrap: handles.receive(2, Rights::SEND.union(Rights::RECEIVE))?,
            program: text_tail(input.get(13..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::spawn`].
#[derive(PartialEq, Debug)]
pub struct SpawnReply<H> {
    /// The process.
    pub process: Held<H, kinds::Process>,
}

impl<H: AnyHandle> SpawnReply<H> {
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
        packet.write_words(Header::new(ID, op::SPAWN), Self::MOST, |_| {});
        packet.handles.push(self.process.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            process: handles
                .receive(0, Rights::INSPECT.union(Rights::WAIT).union(Rights::MANAGE).union(Rights::MAP))?,
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

    /// Makes a process and starts it.
    #[expect(clippy::too_many_arguments, reason = "the interface declares as many")]
    pub fn spawn(
        &mut self,
        handles: u16,
        cpu: u16,
        priority: u8,
        quota: Held<HandleOf<C>, kinds::Quota>,
        identity: Held<HandleOf<C>, kinds::Identity>,
        bootstrap: Held<HandleOf<C>, kinds::Channel>,
        program: Text<'_, 31>,
    ) -> Result<SpawnReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SPAWN,
            deadline_ms: 2000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = SpawnRequest { handles, cpu, priority, quota, identity, bootstrap, program };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(SpawnReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Whether the sender has a permission that an operation needs. A refusal is answered with
    /// [`Error::PermissionDenied`]; it is the place to write the audit record.
    fn permits(&mut self, sender: Sender, permission: &'static str) -> bool;

    /// Makes a process and starts it.
    #[expect(clippy::too_many_arguments, reason = "the interface declares as many")]
    fn spawn(
        &mut self,
        sender: Sender,
        handles: u16,
        cpu: u16,
        priority: u8,
        quota: Held<H, kinds::Quota>,
        identity: Held<H, kinds::Identity>,
        bootstrap: Held<H, kinds::Channel>,
        program: Text<'_, 31>,
    ) -> Result<SpawnReply<H>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::SPAWN) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = SpawnRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = if server.permits(sender, "process.spawn") {
                server.spawn(
                    sender,
                    request.handles,
                    request.cpu,
                    request.priority,
                    request.quota,
                    request.identity,
                    request.bootstrap,
                    request.program,
                )
            } else {
                Err(Error::PermissionDenied)
            };
            answer(packet, Header::new(ID, op::SPAWN), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "exec",
    version: VERSION,
    id: ID,
    operations: &[trace::Operation {
        number: op::SPAWN,
        name: "spawn",
        permission: "process.spawn",
        deadline_ms: 2000,
        idempotent: false,
        request: trace::Layout {
            least: 13,
            most: 44,
            fields: &[
                trace::Field { name: "handles", offset: 8, shape: trace::Shape::Unsigned(2) },
                trace::Field { name: "cpu", offset: 10, shape: trace::Shape::Unsigned(2) },
                trace::Field { name: "priority", offset: 12, shape: trace::Shape::Unsigned(1) },
                trace::Field { name: "program", offset: 13, shape: trace::Shape::TailText(31) },
            ],
            handles: &[
                ("quota", Some(Kind::Quota)),
                ("identity", Some(Kind::Identity)),
                ("bootstrap", Some(Kind::Channel)),
            ],
        },
        reply: Some(trace::Layout {
            least: 8,
            most: 8,
            fields: &[],
            handles: &[("process", Some(Kind::Process))],
        }),
    }],
    errors: &[
        (1, "NotFound"),
        (3, "Invalid"),
        (4, "PermissionDenied"),
        (5, "QuotaExceeded"),
        (7, "BadProgram"),
        (8, "Kernel"),
    ],
};
