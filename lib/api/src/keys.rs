//! The keys of this device, which never leave it: signatures, and keys made for one service and purpose.
//!
//! Served by `keystored`. Who asks is part of what is signed and of each key, so no service can sign in the name of another or have its keys.
//!
//! Generated from `idl/keys.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HEADER_BYTES, Handles, Header, Link, Malformed, Outcome,
    Packet, Room, Sender, ServiceError, Sink, Source, Spec, Text, View, Wire, answer, answered, empty_reply,
    refuse, tail, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x565da5d5;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 3146, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 3146;

/// Longest label, in bytes.
pub const MAX_LABEL: usize = 64;

/// Longest message that is signed.
pub const MAX_SIGNED: usize = 3072;

/// Numbers of the operations.
pub mod op {
    /// `status`.
    pub const STATUS: u16 = 1;
    /// `identity`.
    pub const IDENTITY: u16 = 2;
    /// `sign`.
    pub const SIGN: u16 = 3;
    /// `derive`.
    pub const DERIVE: u16 = 4;
    /// `anchor`.
    pub const ANCHOR: u16 = 5;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no vault, so there is no key.
    NotFound = 1,
    /// The state authority, or entropy, is not there yet.
    NotReady = 6,
    /// The vault failed.
    Io = 10,
    /// What is stored is not what was put: the medium was changed, or is another machine's.
    Integrity = 18,
    /// What is stored was put, and then replaced or deleted: the medium was taken back.
    Rollback = 19,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] =
        &[Error::NotFound, Error::NotReady, Error::Io, Error::Integrity, Error::Rollback];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::NotReady => "NotReady",
            Error::Io => "Io",
            Error::Integrity => "Integrity",
            Error::Rollback => "Rollback",
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

/// What became of the medium of its own that secret and counters are on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Vault {
    /// It is open.
    Open = 1,
    /// It is erased, and there was no entropy yet to make it with.
    Blank = 2,
    /// There is none: the flash holds nothing, or something else.
    Absent = 3,
    /// There was one, and it cannot be read any more.
    Damaged = 4,
    /// The flash failed.
    Failed = 5,
}

impl Vault {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Vault] =
        &[Vault::Open, Vault::Blank, Vault::Absent, Vault::Damaged, Vault::Failed];
}

impl<'a> Wire<'a> for Vault {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            1 => Ok(Vault::Open),
            2 => Ok(Vault::Blank),
            3 => Ok(Vault::Absent),
            4 => Ok(Vault::Damaged),
            5 => Ok(Vault::Failed),
            _ => Err(Malformed),
        }
    }
}

/// The request of [`Client::status`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatusRequest {}

impl StatusRequest {
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
        packet.write_words(Header::new(ID, op::STATUS), Self::MOST, |_| {});
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

/// The reply of [`Client::status`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatusReply {
    /// The vault.
    pub vault: Vault,
    /// Whether the key of the device is there.
    pub has_key: bool,
    /// Sealed prefixes that are open.
    pub open: u8,
    /// Those that are not open yet.
    pub locked: u8,
    /// Those whose contents are refused.
    pub refused: u8,
    /// Whether something under one of them changed and could still be taken back: it is written down a second after the change.
    pub pending: bool,
}

impl StatusReply {
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
        packet.write_words(Header::new(ID, op::STATUS), Self::MOST, |out| {
            self.vault.encode(out, 8);
            self.has_key.encode(out, 9);
            self.open.encode(out, 10);
            self.locked.encode(out, 11);
            self.refused.encode(out, 12);
            self.pending.encode(out, 13);
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
            vault: Wire::decode(&input, 8)?,
            has_key: Wire::decode(&input, 9)?,
            open: Wire::decode(&input, 10)?,
            locked: Wire::decode(&input, 11)?,
            refused: Wire::decode(&input, 12)?,
            pending: Wire::decode(&input, 13)?,
        })
    }
}

/// The request of [`Client::identity`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityRequest {}

impl IdentityRequest {
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
        packet.write_words(Header::new(ID, op::IDENTITY), Self::MOST, |_| {});
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

/// The reply of [`Client::identity`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityReply {
    /// An Ed25519 key (RFC 8032).
    pub key: [u8; 32],
}

impl IdentityReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 40;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::IDENTITY), Self::MOST, |out| {
            self.key.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { key: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::sign`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignRequest<'a> {
    /// The argument `label`.
    pub label: Text<'a, 64>,
    /// The argument `message`.
    pub message: Bytes<'a, 3072>,
}

impl<'a> SignRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 74;
    /// Most bytes that it takes.
    pub const MOST: usize = 3146;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SIGN), Self::LEAST + self.message.len(), |out| {
            self.label.encode(out, 8);
            out.bytes(74, &self.message);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { label: Wire::decode(&input, 8)?, message: tail(input.get(74..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::sign`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignReply {
    /// An Ed25519 signature of: `nexus signature of a device` and a zero, the number of the service (`u32`, little-endian), length of the label (`u32`),
    /// label, message.
    pub signature: [u8; 64],
}

impl SignReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 72;
    /// Most bytes that it takes.
    pub const MOST: usize = 72;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SIGN), Self::MOST, |out| {
            self.signature.encode(out, 8);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { signature: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::derive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeriveRequest<'a> {
    /// The argument `label`.
    pub label: Text<'a, 64>,
}

impl<'a> DeriveRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 72;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::DERIVE), Self::LEAST + self.label.len(), |out| {
            out.bytes(8, self.label.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { label: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::derive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeriveReply {
    /// It.
    pub key: [u8; 32],
}

impl DeriveReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 40;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::DERIVE), Self::MOST, |out| {
            self.key.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { key: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::anchor`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnchorRequest {}

impl AnchorRequest {
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
        packet.write_words(Header::new(ID, op::ANCHOR), Self::MOST, |_| {});
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

    /// What there is.
    pub fn status(&mut self) -> Result<StatusReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::STATUS,
            deadline_ms: 30000,
            room: Room { bytes: 14, handles: 0 },
        };
        let request = StatusRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(StatusReply::decode(view, &mut handles)?)
    }

    /// What anybody may know of the key of the device.
    pub fn identity(&mut self) -> Result<IdentityReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::IDENTITY,
            deadline_ms: 30000,
            room: Room { bytes: 40, handles: 0 },
        };
        let request = IdentityRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(IdentityReply::decode(view, &mut handles)?)
    }

    /// Signs with the key of the device, for the service that asks.
    pub fn sign(
        &mut self,
        label: Text<'_, 64>,
        message: Bytes<'_, 3072>,
    ) -> Result<SignReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SIGN,
            deadline_ms: 30000,
            room: Room { bytes: 72, handles: 0 },
        };
        let request = SignRequest { label, message };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(SignReply::decode(view, &mut handles)?)
    }

    /// A key for the service that asks: the same each time, also after a restart, and no other service can have it.
    pub fn derive(&mut self, label: Text<'_, 64>) -> Result<DeriveReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DERIVE,
            deadline_ms: 30000,
            room: Room { bytes: 40, handles: 0 },
        };
        let request = DeriveRequest { label };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(DeriveReply::decode(view, &mut handles)?)
    }

    /// Answers when what is under the sealed prefixes now cannot be taken back any more by putting an older disk in.
    pub fn anchor(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::ANCHOR,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = AnchorRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// What there is.
    fn status(&mut self, sender: Sender) -> Result<StatusReply, Error>;

    /// What anybody may know of the key of the device.
    fn identity(&mut self, sender: Sender) -> Result<IdentityReply, Error>;

    /// Signs with the key of the device, for the service that asks.
    fn sign(
        &mut self,
        sender: Sender,
        label: Text<'_, 64>,
        message: Bytes<'_, 3072>,
    ) -> Result<SignReply, Error>;

    /// A key for the service that asks: the same each time, also after a restart, and no other service can have it.
    fn derive(&mut self, sender: Sender, label: Text<'_, 64>) -> Result<DeriveReply, Error>;

    /// Answers when what is under the sealed prefixes now cannot be taken back any more by putting an older disk in.
    fn anchor(&mut self, sender: Sender) -> Result<(), Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::STATUS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = StatusRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.status(sender);
            answer(packet, Header::new(ID, op::STATUS), result, |reply, packet| reply.encode(packet))
        }
        Some(op::IDENTITY) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = IdentityRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.identity(sender);
            answer(packet, Header::new(ID, op::IDENTITY), result, |reply, packet| reply.encode(packet))
        }
        Some(op::SIGN) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = SignRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.sign(sender, request.label, request.message);
            answer(packet, Header::new(ID, op::SIGN), result, |reply, packet| reply.encode(packet))
        }
        Some(op::DERIVE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = DeriveRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.derive(sender, request.label);
            answer(packet, Header::new(ID, op::DERIVE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::ANCHOR) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = AnchorRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.anchor(sender);
            answer(packet, Header::new(ID, op::ANCHOR), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::ANCHOR))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "keys",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::STATUS,
            name: "status",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 14,
                most: 14,
                fields: &[
                    trace::Field {
                        name: "vault",
                        offset: 8,
                        shape: trace::Shape::Enum(
                            1,
                            &[(1, "Open"), (2, "Blank"), (3, "Absent"), (4, "Damaged"), (5, "Failed")],
                        ),
                    },
                    trace::Field { name: "has_key", offset: 9, shape: trace::Shape::Bool },
                    trace::Field { name: "open", offset: 10, shape: trace::Shape::Unsigned(1) },
                    trace::Field { name: "locked", offset: 11, shape: trace::Shape::Unsigned(1) },
                    trace::Field { name: "refused", offset: 12, shape: trace::Shape::Unsigned(1) },
                    trace::Field { name: "pending", offset: 13, shape: trace::Shape::Bool },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::IDENTITY,
            name: "identity",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 40,
                most: 40,
                fields: &[trace::Field {
                    name: "key",
                    offset: 8,
                    shape: trace::Shape::Array(32, 1, &trace::Shape::Unsigned(1)),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::SIGN,
            name: "sign",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 74,
                most: 3146,
                fields: &[
                    trace::Field { name: "label", offset: 8, shape: trace::Shape::Text(64) },
                    trace::Field { name: "message", offset: 74, shape: trace::Shape::TailBytes(3072) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 72,
                most: 72,
                fields: &[trace::Field {
                    name: "signature",
                    offset: 8,
                    shape: trace::Shape::Array(64, 1, &trace::Shape::Unsigned(1)),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::DERIVE,
            name: "derive",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 72,
                fields: &[trace::Field { name: "label", offset: 8, shape: trace::Shape::TailText(64) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 40,
                most: 40,
                fields: &[trace::Field {
                    name: "key",
                    offset: 8,
                    shape: trace::Shape::Array(32, 1, &trace::Shape::Unsigned(1)),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::ANCHOR,
            name: "anchor",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[(1, "NotFound"), (6, "NotReady"), (10, "Io"), (18, "Integrity"), (19, "Rollback")],
};
