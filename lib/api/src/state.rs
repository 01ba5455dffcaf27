//! Values under paths that survive a restart and a power cut: `/state`.
//!
//! Served by `statefsd`. Which service may do what under which path, and how much it may store, stands in the registry. A change
//! survives a power cut when `sync` has answered; each change is there whole or not at all. The errors are in `docs/state-errors.md`.
//!
//! Generated from `idl/state.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link,
    Malformed, Outcome, Packet, Room, Sender, ServiceError, Sink, Source, Spec, Text, View, Wire, answer,
    answered, empty_reply, kinds, refuse, tail, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x691b5c9e;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 3593, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 3593;

/// Longest path, in bytes: components without `.` and `..`, separated by `/`, in UTF-8 and in Unicode's composed form (NFC); any other is `Invalid`.
pub const MAX_PATH: usize = 255;

/// Most bytes of a value in one message. A longer one comes in memory that goes with the message.
pub const MAX_DATA: usize = 3072;

/// Most bytes in memory that goes with a message. A longer value is put as an upload, and read in parts.
pub const MAX_HANDED: usize = 65536;

/// Most bytes of the changes of a batch.
pub const MAX_BATCH: usize = 3584;

/// Bytes of the key of a sealed prefix, and of what tells one run of its keeper from every other.
pub const KEY: usize = 32;

/// See `KEY`.
pub const SALT: usize = 16;

/// Longest name of a snapshot.
pub const MAX_SNAPSHOT: usize = 32;

/// Most bytes of what a check found.
pub const MAX_FINDINGS: usize = 2048;

/// Numbers of the operations.
pub mod op {
    /// `get`.
    pub const GET: u16 = 1;
    /// `stat`.
    pub const STAT: u16 = 2;
    /// `put`.
    pub const PUT: u16 = 3;
    /// `delete`.
    pub const DELETE: u16 = 4;
    /// `rename`.
    pub const RENAME: u16 = 5;
    /// `batch`.
    pub const BATCH: u16 = 6;
    /// `sync`.
    pub const SYNC: u16 = 7;
    /// `next`.
    pub const NEXT: u16 = 8;
    /// `usage`.
    pub const USAGE: u16 = 9;
    /// `snapshot`.
    pub const SNAPSHOT: u16 = 10;
    /// `restore`.
    pub const RESTORE: u16 = 11;
    /// `forget`.
    pub const FORGET: u16 = 12;
    /// `health`.
    pub const HEALTH: u16 = 13;
    /// `upload`.
    pub const UPLOAD: u16 = 14;
    /// `more`.
    pub const MORE: u16 = 15;
    /// `publish`.
    pub const PUBLISH: u16 = 16;
    /// `charge`.
    pub const CHARGE: u16 = 17;
    /// `point`.
    pub const POINT: u16 = 18;
    /// `check`.
    pub const CHECK: u16 = 19;
    /// `reset`.
    pub const RESET: u16 = 20;
    /// `watch`.
    pub const WATCH: u16 = 21;
    /// `event`.
    pub const EVENT: u16 = 22;
    /// `unwatch`.
    pub const UNWATCH: u16 = 23;
    /// `checked`.
    pub const CHECKED: u16 = 24;
    /// `dismiss`.
    pub const DISMISS: u16 = 25;
    /// `salvage`.
    pub const SALVAGE: u16 = 26;
    /// `salvaged`.
    pub const SALVAGED: u16 = 27;
    /// `put_from`.
    pub const PUT_FROM: u16 = 28;
    /// `get_into`.
    pub const GET_INTO: u16 = 29;
    /// `batch_from`.
    pub const BATCH_FROM: u16 = 30;
    /// `unlock`.
    pub const UNLOCK: u16 = 32;
    /// `anchor`.
    pub const ANCHOR: u16 = 33;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such value, snapshot, watch or upload.
    NotFound = 1,
    /// A snapshot of that name is there already.
    Exists = 2,
    /// A path that is none, a batch that cannot be read, or bytes that nobody waits for.
    Invalid = 3,
    /// The registry does not let this process do it.
    PermissionDenied = 4,
    /// More than the process may store, or more at a time than anybody may.
    QuotaExceeded = 5,
    /// The medium can only be read.
    ReadOnly = 9,
    /// The medium failed, or there is none.
    Io = 10,
    /// Not now: the key of the sealed prefix has not been pushed yet, or every page of the store is being looked at.
    Busy = 11,
    /// Values lie under this path.
    IsDir = 14,
    /// Part of this path has a value, so nothing can lie under it.
    NotDir = 15,
    /// The medium is full.
    NoSpace = 16,
    /// A change over both databases, or a move over the border of a sealed prefix.
    CrossDevice = 17,
    /// What is stored is not what was put.
    Integrity = 18,
    /// What is stored was put, and then replaced or deleted: the medium was taken back.
    Rollback = 19,
    /// A value over its bound.
    TooLarge = 20,
    /// The receipt is from before the server started: what it stands for may be lost.
    ServerDied = 21,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[
        Error::NotFound,
        Error::Exists,
        Error::Invalid,
        Error::PermissionDenied,
        Error::QuotaExceeded,
        Error::ReadOnly,
        Error::Io,
        Error::Busy,
        Error::IsDir,
        Error::NotDir,
        Error::NoSpace,
        Error::CrossDevice,
        Error::Integrity,
        Error::Rollback,
        Error::TooLarge,
        Error::ServerDied,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::Exists => "Exists",
            Error::Invalid => "Invalid",
            Error::PermissionDenied => "PermissionDenied",
            Error::QuotaExceeded => "QuotaExceeded",
            Error::ReadOnly => "ReadOnly",
            Error::Io => "Io",
            Error::Busy => "Busy",
            Error::IsDir => "IsDir",
            Error::NotDir => "NotDir",
            Error::NoSpace => "NoSpace",
            Error::CrossDevice => "CrossDevice",
            Error::Integrity => "Integrity",
            Error::Rollback => "Rollback",
            Error::TooLarge => "TooLarge",
            Error::ServerDied => "ServerDied",
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

/// What a change is acknowledged with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which run of the server gave it.
    pub run: u64,
    /// The commit that it is part of.
    pub generation: u64,
}

impl<'a> Wire<'a> for Receipt {
    const SIZE: usize = 16;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        self.run.encode(sink, at);
        self.generation.encode(sink, at + 8);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        Ok(Self { run: Wire::decode(source, at)?, generation: Wire::decode(source, at + 8)? })
    }
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Its bytes.
    pub length: u64,
    /// Another one means another value.
    pub version: u64,
    /// The service that is charged for it.
    pub owner: u32,
}

impl<'a> Wire<'a> for Stat {
    const SIZE: usize = 24;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        self.length.encode(sink, at);
        self.version.encode(sink, at + 8);
        self.owner.encode(sink, at + 16);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        source.zero(at + 20, 4)?;
        Ok(Self {
            length: Wire::decode(source, at)?,
            version: Wire::decode(source, at + 8)?,
            owner: Wire::decode(source, at + 16)?,
        })
    }
}

/// What a watch is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Event {
    /// Nothing more for now.
    None = 0,
    /// The path has another value, or none any more.
    Changed = 1,
    /// More happened than there was room for, or everything may have changed: look for yourself.
    Resync = 2,
}

impl Event {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Event] = &[Event::None, Event::Changed, Event::Resync];
}

impl<'a> Wire<'a> for Event {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(Event::None),
            1 => Ok(Event::Changed),
            2 => Ok(Event::Resync),
            _ => Err(Malformed),
        }
    }
}

/// The request of [`Client::get`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetRequest<'a> {
    /// Where in the value to begin.
    pub from: u64,
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a> GetRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 271;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::GET), Self::LEAST + self.path.len(), |out| {
            self.from.encode(out, 8);
            out.bytes(16, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)?, path: text_tail(input.get(16..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::get`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetReply<'a> {
    /// What is known of it. Parts of one value bear one version.
    pub stat: Stat,
    /// So many bytes as there are from there on, at most `MAX_DATA`.
    pub data: Bytes<'a, 3072>,
}

impl<'a> GetReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 32;
    /// Most bytes that it takes.
    pub const MOST: usize = 3104;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::GET), Self::LEAST + self.data.len(), |out| {
            self.stat.encode(out, 8);
            out.bytes(32, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { stat: Wire::decode(&input, 8)?, data: tail(input.get(32..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::stat`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatRequest<'a> {
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a> StatRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::STAT), Self::LEAST + self.path.len(), |out| {
            out.bytes(8, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { path: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::stat`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatReply {
    /// That.
    pub stat: Stat,
}

impl StatReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 32;
    /// Most bytes that it takes.
    pub const MOST: usize = 32;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::STAT), Self::MOST, |out| {
            self.stat.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { stat: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::put`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PutRequest<'a> {
    /// Whether to answer only when it survives a power cut.
    pub durable: bool,
    /// The argument `path`.
    pub path: Text<'a, 255>,
    /// The argument `data`.
    pub data: Bytes<'a, 3072>,
}

impl<'a> PutRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 268;
    /// Most bytes that it takes.
    pub const MOST: usize = 3340;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::PUT), Self::LEAST + self.data.len(), |out| {
            self.durable.encode(out, 8);
            self.path.encode(out, 10);
            out.bytes(268, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(9, 1)?;
        Ok(Self {
            durable: Wire::decode(&input, 8)?,
            path: Wire::decode(&input, 10)?,
            data: tail(input.get(268..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::put`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PutReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl PutReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PUT), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::delete`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeleteRequest<'a> {
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a> DeleteRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::DELETE), Self::LEAST + self.path.len(), |out| {
            out.bytes(8, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { path: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::delete`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeleteReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl DeleteReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::DELETE), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::rename`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenameRequest<'a> {
    /// The argument `from`.
    pub from: Text<'a, 255>,
    /// The argument `to`.
    pub to: Text<'a, 255>,
}

impl<'a> RenameRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 266;
    /// Most bytes that it takes.
    pub const MOST: usize = 521;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::RENAME), Self::LEAST + self.to.len(), |out| {
            self.from.encode(out, 8);
            out.bytes(266, self.to.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)?, to: text_tail(input.get(266..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::rename`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenameReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl RenameReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::RENAME), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::batch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRequest<'a> {
    /// Whether to answer only when it survives a power cut.
    pub durable: bool,
    /// Each: 1 (put) or 2 (delete), length of the path (`u8`), length of the value (`u16`, little-endian, 0 for a delete), path, value.
    pub changes: Bytes<'a, 3584>,
}

impl<'a> BatchRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 9;
    /// Most bytes that it takes.
    pub const MOST: usize = 3593;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::BATCH), Self::LEAST + self.changes.len(), |out| {
            self.durable.encode(out, 8);
            out.bytes(9, &self.changes);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { durable: Wire::decode(&input, 8)?, changes: tail(input.get(9..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::batch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl BatchReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::BATCH), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::sync`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncRequest {
    /// The receipt. One of an earlier run of the server is refused: what it stands for may be lost.
    pub receipt: Receipt,
}

impl SyncRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::SYNC), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::next`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextRequest<'a> {
    /// The prefix; empty: everything.
    pub prefix: Text<'a, 255>,
    /// The value behind this path; empty: the first.
    pub after: Text<'a, 255>,
}

impl<'a> NextRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 266;
    /// Most bytes that it takes.
    pub const MOST: usize = 521;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::NEXT), Self::LEAST + self.after.len(), |out| {
            self.prefix.encode(out, 8);
            out.bytes(266, self.after.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { prefix: Wire::decode(&input, 8)?, after: text_tail(input.get(266..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::next`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextReply<'a> {
    /// What is known of the value, if one was found.
    pub stat: Stat,
    /// Whether one was found; if not, and `path` is not empty, there may be some behind that.
    pub found: bool,
    /// Its path.
    pub path: Text<'a, 255>,
}

impl<'a> NextReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 33;
    /// Most bytes that it takes.
    pub const MOST: usize = 288;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::NEXT), Self::LEAST + self.path.len(), |out| {
            self.stat.encode(out, 8);
            self.found.encode(out, 32);
            out.bytes(33, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            stat: Wire::decode(&input, 8)?,
            found: Wire::decode(&input, 32)?,
            path: text_tail(input.get(33..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::usage`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageRequest {}

impl UsageRequest {
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
        packet.write_words(Header::new(ID, op::USAGE), Self::MOST, |_| {});
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

/// The reply of [`Client::usage`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageReply {
    /// Bytes that it is charged for.
    pub used: u64,
    /// Bytes from which on it is warned.
    pub soft: u64,
    /// Most bytes.
    pub hard: u64,
}

impl UsageReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 32;
    /// Most bytes that it takes.
    pub const MOST: usize = 32;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::USAGE), Self::MOST, |out| {
            self.used.encode(out, 8);
            self.soft.encode(out, 16);
            self.hard.encode(out, 24);
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
            used: Wire::decode(&input, 8)?,
            soft: Wire::decode(&input, 16)?,
            hard: Wire::decode(&input, 24)?,
        })
    }
}

/// The request of [`Client::snapshot`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotRequest<'a> {
    /// The argument `name`.
    pub name: Text<'a, 32>,
}

impl<'a> SnapshotRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SNAPSHOT), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { name: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::restore`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RestoreRequest<'a> {
    /// The argument `name`.
    pub name: Text<'a, 32>,
}

impl<'a> RestoreRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::RESTORE), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { name: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::forget`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForgetRequest<'a> {
    /// The argument `name`.
    pub name: Text<'a, 32>,
}

impl<'a> ForgetRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::FORGET), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { name: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::health`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthRequest {}

impl HealthRequest {
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
        packet.write_words(Header::new(ID, op::HEALTH), Self::MOST, |_| {});
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

/// The reply of [`Client::health`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthReply {
    /// The newest commit, and the newest that survives a power cut.
    pub generation: u64,
    /// See `generation`.
    pub safe: u64,
    /// Values and charges stored, as of the last checkpoint.
    pub keys: u64,
    /// Pages of 4,096 bytes for values.
    pub pages: u32,
    /// How many of them are free.
    pub free: u32,
    /// Repairs when it was mounted.
    pub mended: u32,
    /// Ranges of keys that were lost in repairs: what is asked for there and is not there answers `Integrity`.
    pub lost: u32,
    /// The number of the error that everything else answers; 0: it is well.
    pub fault: u16,
    /// Which store it is: another one after it was emptied.
    pub store: [u8; 16],
    /// Flushes of the medium since it was mounted.
    pub flushes: u64,
    /// Bytes written to it since then.
    pub written: u64,
}

impl HealthReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 88;
    /// Most bytes that it takes.
    pub const MOST: usize = 88;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::HEALTH), Self::MOST, |out| {
            self.generation.encode(out, 8);
            self.safe.encode(out, 16);
            self.keys.encode(out, 24);
            self.pages.encode(out, 32);
            self.free.encode(out, 36);
            self.mended.encode(out, 40);
            self.lost.encode(out, 44);
            self.fault.encode(out, 48);
            self.store.encode(out, 50);
            self.flushes.encode(out, 72);
            self.written.encode(out, 80);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(66, 6)?;
        Ok(Self {
            generation: Wire::decode(&input, 8)?,
            safe: Wire::decode(&input, 16)?,
            keys: Wire::decode(&input, 24)?,
            pages: Wire::decode(&input, 32)?,
            free: Wire::decode(&input, 36)?,
            mended: Wire::decode(&input, 40)?,
            lost: Wire::decode(&input, 44)?,
            fault: Wire::decode(&input, 48)?,
            store: Wire::decode(&input, 50)?,
            flushes: Wire::decode(&input, 72)?,
            written: Wire::decode(&input, 80)?,
        })
    }
}

/// The request of [`Client::upload`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadRequest<'a> {
    /// Its bytes.
    pub length: u64,
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a> UploadRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 271;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::UPLOAD), Self::LEAST + self.path.len(), |out| {
            self.length.encode(out, 8);
            out.bytes(16, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { length: Wire::decode(&input, 8)?, path: text_tail(input.get(16..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::upload`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UploadReply {
    /// What to call it.
    pub upload: u32,
}

impl UploadReply {
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
        packet.write_words(Header::new(ID, op::UPLOAD), Self::MOST, |out| {
            self.upload.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { upload: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::more`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MoreRequest<'a> {
    /// The argument `upload`.
    pub upload: u32,
    /// The argument `data`.
    pub data: Bytes<'a, 3072>,
}

impl<'a> MoreRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 3084;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::MORE), Self::LEAST + self.data.len(), |out| {
            self.upload.encode(out, 8);
            out.bytes(12, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { upload: Wire::decode(&input, 8)?, data: tail(input.get(12..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::publish`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublishRequest {
    /// The argument `upload`.
    pub upload: u32,
}

impl PublishRequest {
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
        packet.write_words(Header::new(ID, op::PUBLISH), Self::MOST, |out| {
            self.upload.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { upload: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::publish`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublishReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl PublishReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PUBLISH), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::charge`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChargeRequest {
    /// The first service from this number on that stores something, or may; `NotFound` when there is none.
    pub from: u32,
}

impl ChargeRequest {
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
        packet.write_words(Header::new(ID, op::CHARGE), Self::MOST, |out| {
            self.from.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::charge`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChargeReply {
    /// It.
    pub service: u32,
    /// Bytes that it is charged for.
    pub used: u64,
    /// Bytes from which on it is warned.
    pub soft: u64,
    /// Most bytes.
    pub hard: u64,
}

impl ChargeReply {
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
        packet.write_words(Header::new(ID, op::CHARGE), Self::MOST, |out| {
            self.service.encode(out, 8);
            self.used.encode(out, 16);
            self.soft.encode(out, 24);
            self.hard.encode(out, 32);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(12, 4)?;
        Ok(Self {
            service: Wire::decode(&input, 8)?,
            used: Wire::decode(&input, 16)?,
            soft: Wire::decode(&input, 24)?,
            hard: Wire::decode(&input, 32)?,
        })
    }
}

/// The request of [`Client::point`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PointRequest {
    /// Its place, from 0; `NotFound` past the last.
    pub index: u8,
}

impl PointRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 9;
    /// Most bytes that it takes.
    pub const MOST: usize = 9;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::POINT), Self::MOST, |out| {
            self.index.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { index: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::point`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PointReply<'a> {
    /// Its name.
    pub name: Text<'a, 32>,
}

impl<'a> PointReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 40;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::POINT), Self::LEAST + self.name.len(), |out| {
            out.bytes(8, self.name.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { name: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::check`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckRequest {
    /// Whether to repair what is damaged first; what cannot be saved is told in the log. Receipts that were given before are of no use then.
    pub mend: bool,
}

impl CheckRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 9;
    /// Most bytes that it takes.
    pub const MOST: usize = 9;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::CHECK), Self::MOST, |out| {
            self.mend.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { mend: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::reset`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResetRequest {}

impl ResetRequest {
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
        packet.write_words(Header::new(ID, op::RESET), Self::MOST, |_| {});
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

/// The request of [`Client::watch`].
#[derive(PartialEq, Debug)]
pub struct WatchRequest<'a, H> {
    /// Where it is told that there are events: interface `news`.
    pub news: Held<H, kinds::Channel>,
    /// The prefix; empty: everything that it may read.
    pub prefix: Text<'a, 255>,
}

impl<'a, H: AnyHandle> WatchRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::WATCH), Self::LEAST + self.prefix.len(), |out| {
            out.bytes(8, self.prefix.as_bytes());
        })?;
        packet.handles.push(self.news.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            news: handles.receive(0, Rights::SEND)?,
            prefix: text_tail(input.get(8..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::watch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WatchReply {
    /// What to call it.
    pub watch: u64,
}

impl WatchReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::WATCH), Self::MOST, |out| {
            self.watch.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { watch: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::event`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRequest {
    /// The argument `watch`.
    pub watch: u64,
}

impl EventRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::EVENT), Self::MOST, |out| {
            self.watch.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { watch: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::event`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventReply<'a> {
    /// What happened.
    pub event: Event,
    /// To which path; empty unless it changed.
    pub path: Text<'a, 255>,
}

impl<'a> EventReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 9;
    /// Most bytes that it takes.
    pub const MOST: usize = 264;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::EVENT), Self::LEAST + self.path.len(), |out| {
            self.event.encode(out, 8);
            out.bytes(9, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { event: Wire::decode(&input, 8)?, path: text_tail(input.get(9..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::unwatch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnwatchRequest {
    /// The argument `watch`.
    pub watch: u64,
}

impl UnwatchRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::UNWATCH), Self::MOST, |out| {
            self.watch.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { watch: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::checked`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckedRequest {}

impl CheckedRequest {
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
        packet.write_words(Header::new(ID, op::CHECKED), Self::MOST, |_| {});
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

/// The reply of [`Client::checked`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckedReply<'a> {
    /// Values and charges.
    pub keys: u64,
    /// Pages that they and snapshots have.
    pub pages: u32,
    /// Pages that are called used, and nobody has them.
    pub lost: u32,
    /// Pages that are used and called free.
    pub unmapped: u32,
    /// Parts that are damaged.
    pub damaged: u32,
    /// Repairs by the mending that it began with.
    pub mended: u32,
    /// The first of them, a line each: what is damaged.
    pub findings: Text<'a, 2048>,
}

impl<'a> CheckedReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 36;
    /// Most bytes that it takes.
    pub const MOST: usize = 2084;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::CHECKED), Self::LEAST + self.findings.len(), |out| {
            self.keys.encode(out, 8);
            self.pages.encode(out, 16);
            self.lost.encode(out, 20);
            self.unmapped.encode(out, 24);
            self.damaged.encode(out, 28);
            self.mended.encode(out, 32);
            out.bytes(36, self.findings.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            keys: Wire::decode(&input, 8)?,
            pages: Wire::decode(&input, 16)?,
            lost: Wire::decode(&input, 20)?,
            unmapped: Wire::decode(&input, 24)?,
            damaged: Wire::decode(&input, 28)?,
            mended: Wire::decode(&input, 32)?,
            findings: text_tail(input.get(36..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::dismiss`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DismissRequest {}

impl DismissRequest {
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
        packet.write_words(Header::new(ID, op::DISMISS), Self::MOST, |_| {});
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

/// The request of [`Client::salvage`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SalvageRequest<'a> {
    /// The value behind this path; empty: the first.
    pub after: Text<'a, 255>,
}

impl<'a> SalvageRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SALVAGE), Self::LEAST + self.after.len(), |out| {
            out.bytes(8, self.after.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { after: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::salvage`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SalvageReply<'a> {
    /// What is known of the value, if one was found.
    pub stat: Stat,
    /// Whether one was found; if not, and `path` is not empty, there may be some behind that.
    pub found: bool,
    /// Its path.
    pub path: Text<'a, 255>,
}

impl<'a> SalvageReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 33;
    /// Most bytes that it takes.
    pub const MOST: usize = 288;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SALVAGE), Self::LEAST + self.path.len(), |out| {
            self.stat.encode(out, 8);
            self.found.encode(out, 32);
            out.bytes(33, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            stat: Wire::decode(&input, 8)?,
            found: Wire::decode(&input, 32)?,
            path: text_tail(input.get(33..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::salvaged`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SalvagedRequest<'a> {
    /// Where in the value to begin.
    pub from: u64,
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a> SalvagedRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 271;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SALVAGED), Self::LEAST + self.path.len(), |out| {
            self.from.encode(out, 8);
            out.bytes(16, self.path.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)?, path: text_tail(input.get(16..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::salvaged`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SalvagedReply<'a> {
    /// What is known of it.
    pub stat: Stat,
    /// So many bytes as there are from there on, at most `MAX_DATA`.
    pub data: Bytes<'a, 3072>,
}

impl<'a> SalvagedReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 32;
    /// Most bytes that it takes.
    pub const MOST: usize = 3104;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::SALVAGED), Self::LEAST + self.data.len(), |out| {
            self.stat.encode(out, 8);
            out.bytes(32, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { stat: Wire::decode(&input, 8)?, data: tail(input.get(32..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::put_from`].
#[derive(PartialEq, Debug)]
pub struct PutFromRequest<'a, H> {
    /// Whether to answer only when it survives a power cut.
    pub durable: bool,
    /// The bytes of the value, at most `MAX_HANDED`.
    pub length: u32,
    /// Where they are.
    pub memory: Held<H, kinds::Vmo>,
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a, H: AnyHandle> PutFromRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 271;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::PUT_FROM), Self::LEAST + self.path.len(), |out| {
            self.durable.encode(out, 8);
            self.length.encode(out, 12);
            out.bytes(16, self.path.as_bytes());
        })?;
        packet.handles.push(self.memory.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(9, 3)?;
        Ok(Self {
            durable: Wire::decode(&input, 8)?,
            length: Wire::decode(&input, 12)?,
            memory: handles.receive(0, Rights::READ)?,
            path: text_tail(input.get(16..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::put_from`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PutFromReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl PutFromReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PUT_FROM), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::get_into`].
#[derive(PartialEq, Debug)]
pub struct GetIntoRequest<'a, H> {
    /// Where in the value to begin.
    pub from: u64,
    /// Most bytes to write, at most `MAX_HANDED`: the memory has as many, or it is `Invalid`.
    pub room: u32,
    /// Where to write, from its beginning on.
    pub memory: Held<H, kinds::Vmo>,
    /// The argument `path`.
    pub path: Text<'a, 255>,
}

impl<'a, H: AnyHandle> GetIntoRequest<'a, H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 20;
    /// Most bytes that it takes.
    pub const MOST: usize = 275;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::GET_INTO), Self::LEAST + self.path.len(), |out| {
            self.from.encode(out, 8);
            self.room.encode(out, 16);
            out.bytes(20, self.path.as_bytes());
        })?;
        packet.handles.push(self.memory.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            from: Wire::decode(&input, 8)?,
            room: Wire::decode(&input, 16)?,
            memory: handles.receive(0, Rights::READ.union(Rights::WRITE))?,
            path: text_tail(input.get(20..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::get_into`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetIntoReply {
    /// What is known of the value. Parts of one value bear one version.
    pub stat: Stat,
    /// So many bytes were written: those that there are from there on, at most `room`.
    pub length: u32,
}

impl GetIntoReply {
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
        packet.write_words(Header::new(ID, op::GET_INTO), Self::MOST, |out| {
            self.stat.encode(out, 8);
            self.length.encode(out, 32);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { stat: Wire::decode(&input, 8)?, length: Wire::decode(&input, 32)? })
    }
}

/// The request of [`Client::batch_from`].
#[derive(PartialEq, Debug)]
pub struct BatchFromRequest<H> {
    /// Whether to answer only when it survives a power cut.
    pub durable: bool,
    /// The bytes of the changes, at most `MAX_HANDED`.
    pub length: u32,
    /// Where they are, as in `batch`.
    pub memory: Held<H, kinds::Vmo>,
}

impl<H: AnyHandle> BatchFromRequest<H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::BATCH_FROM), Self::MOST, |out| {
            self.durable.encode(out, 8);
            self.length.encode(out, 12);
        });
        packet.handles.push(self.memory.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(9, 3)?;
        Ok(Self {
            durable: Wire::decode(&input, 8)?,
            length: Wire::decode(&input, 12)?,
            memory: handles.receive(0, Rights::READ)?,
        })
    }
}

/// The reply of [`Client::batch_from`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchFromReply {
    /// For `sync`.
    pub receipt: Receipt,
}

impl BatchFromReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 24;
    /// Most bytes that it takes.
    pub const MOST: usize = 24;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::BATCH_FROM), Self::MOST, |out| {
            self.receipt.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { receipt: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::unlock`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnlockRequest<'a> {
    /// The newest sequence that the keeper knows of: an older set is a `Rollback`.
    pub least: u64,
    /// The key of the prefix, always the same.
    pub key: [u8; 32],
    /// Never the same twice.
    pub salt: [u8; 16],
    /// The argument `prefix`.
    pub prefix: Text<'a, 255>,
}

impl<'a> UnlockRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 64;
    /// Most bytes that it takes.
    pub const MOST: usize = 319;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::UNLOCK), Self::LEAST + self.prefix.len(), |out| {
            self.least.encode(out, 8);
            self.key.encode(out, 16);
            self.salt.encode(out, 48);
            out.bytes(64, self.prefix.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            least: Wire::decode(&input, 8)?,
            key: Wire::decode(&input, 16)?,
            salt: Wire::decode(&input, 48)?,
            prefix: text_tail(input.get(64..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::unlock`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnlockReply {
    /// The newest sequence that was stored.
    pub sequence: u64,
}

impl UnlockReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::UNLOCK), Self::MOST, |out| {
            self.sequence.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { sequence: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::anchor`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnchorRequest<'a> {
    /// The argument `prefix`.
    pub prefix: Text<'a, 255>,
}

impl<'a> AnchorRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 263;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::ANCHOR), Self::LEAST + self.prefix.len(), |out| {
            out.bytes(8, self.prefix.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { prefix: text_tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::anchor`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnchorReply {
    /// It: the next `unlock` may ask for no less.
    pub sequence: u64,
}

impl AnchorReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 16;
    /// Most bytes that it takes.
    pub const MOST: usize = 16;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::ANCHOR), Self::MOST, |out| {
            self.sequence.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { sequence: Wire::decode(&input, 8)? })
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

    /// Reads a value, or part of it.
    pub fn get(&mut self, from: u64, path: Text<'_, 255>) -> Result<GetReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::GET,
            deadline_ms: 30000,
            room: Room { bytes: 3104, handles: 0 },
        };
        let request = GetRequest { from, path };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(GetReply::decode(view, &mut handles)?)
    }

    /// What is known of a value.
    pub fn stat(&mut self, path: Text<'_, 255>) -> Result<StatReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::STAT,
            deadline_ms: 30000,
            room: Room { bytes: 32, handles: 0 },
        };
        let request = StatRequest { path };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(StatReply::decode(view, &mut handles)?)
    }

    /// Gives a path a value, in place of the one that it has.
    pub fn put(
        &mut self,
        durable: bool,
        path: Text<'_, 255>,
        data: Bytes<'_, 3072>,
    ) -> Result<PutReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PUT,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = PutRequest { durable, path, data };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(PutReply::decode(view, &mut handles)?)
    }

    /// Takes the value of a path away.
    pub fn delete(&mut self, path: Text<'_, 255>) -> Result<DeleteReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DELETE,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = DeleteRequest { path };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(DeleteReply::decode(view, &mut handles)?)
    }

    /// Moves a value to another path, in place of what is there.
    pub fn rename(
        &mut self,
        from: Text<'_, 255>,
        to: Text<'_, 255>,
    ) -> Result<RenameReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::RENAME,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = RenameRequest { from, to };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(RenameReply::decode(view, &mut handles)?)
    }

    /// Several changes, one after the other, all or none.
    pub fn batch(&mut self, durable: bool, changes: Bytes<'_, 3584>) -> Result<BatchReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::BATCH,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = BatchRequest { durable, changes };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(BatchReply::decode(view, &mut handles)?)
    }

    /// Answers when everything up to a receipt survives a power cut.
    pub fn sync(&mut self, receipt: Receipt) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SYNC,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = SyncRequest { receipt };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// The next value under a prefix that the process may read, in order.
    pub fn next(
        &mut self,
        prefix: Text<'_, 255>,
        after: Text<'_, 255>,
    ) -> Result<NextReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::NEXT,
            deadline_ms: 30000,
            room: Room { bytes: 288, handles: 0 },
        };
        let request = NextRequest { prefix, after };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(NextReply::decode(view, &mut handles)?)
    }

    /// What the process stores and may store.
    pub fn usage(&mut self) -> Result<UsageReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::USAGE,
            deadline_ms: 30000,
            room: Room { bytes: 32, handles: 0 },
        };
        let request = UsageRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(UsageReply::decode(view, &mut handles)?)
    }

    /// Keeps all values that snapshots are for as they are, under a name. It survives a power cut then.
    pub fn snapshot(&mut self, name: Text<'_, 32>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SNAPSHOT,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = SnapshotRequest { name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Takes them back to a snapshot.
    pub fn restore(&mut self, name: Text<'_, 32>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::RESTORE,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = RestoreRequest { name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Drops a snapshot.
    pub fn forget(&mut self, name: Text<'_, 32>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::FORGET,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = ForgetRequest { name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// How the store is.
    pub fn health(&mut self) -> Result<HealthReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::HEALTH,
            deadline_ms: 30000,
            room: Room { bytes: 88, handles: 0 },
        };
        let request = HealthRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(HealthReply::decode(view, &mut handles)?)
    }

    /// Begins to give a path a value that is too long for one message. Nothing is seen of it until all bytes have come. A connection has one upload at a time:
    /// beginning another gives up the one before.
    pub fn upload(&mut self, length: u64, path: Text<'_, 255>) -> Result<UploadReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UPLOAD,
            deadline_ms: 30000,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = UploadRequest { length, path };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(UploadReply::decode(view, &mut handles)?)
    }

    /// Adds bytes to an upload.
    pub fn more(&mut self, upload: u32, data: Bytes<'_, 3072>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::MORE,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = MoreRequest { upload, data };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// The path has the value from now on, if all bytes have come. The upload is over in any case.
    pub fn publish(&mut self, upload: u32) -> Result<PublishReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PUBLISH,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = PublishRequest { upload };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(PublishReply::decode(view, &mut handles)?)
    }

    /// What a service stores and may store, for who may look at that of others.
    pub fn charge(&mut self, from: u32) -> Result<ChargeReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CHARGE,
            deadline_ms: 30000,
            room: Room { bytes: 40, handles: 0 },
        };
        let request = ChargeRequest { from };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(ChargeReply::decode(view, &mut handles)?)
    }

    /// The name of a snapshot.
    pub fn point(&mut self, index: u8) -> Result<PointReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::POINT,
            deadline_ms: 30000,
            room: Room { bytes: 40, handles: 0 },
        };
        let request = PointRequest { index };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(PointReply::decode(view, &mut handles)?)
    }

    /// Begins to have every page looked at, for who may. It is done in pieces between requests; until it has ended, everything that is asked of the store answers
    /// `Busy` at once, this as well.
    pub fn check(&mut self, mend: bool) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CHECK,
            deadline_ms: 60000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = CheckRequest { mend };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Empties the store, for who may: it is a new one then, which holds nothing, and no snapshots.
    pub fn reset(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::RESET,
            deadline_ms: 60000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = ResetRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Begins to watch what is under a prefix that the process may read. It ends with the connection; so does what a server that died was watching for.
    pub fn watch(
        &mut self,
        news: Held<HandleOf<C>, kinds::Channel>,
        prefix: Text<'_, 255>,
    ) -> Result<WatchReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WATCH,
            deadline_ms: 30000,
            room: Room { bytes: 16, handles: 0 },
        };
        let request = WatchRequest { news, prefix };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(WatchReply::decode(view, &mut handles)?)
    }

    /// Takes the next event of a watch. After news they are taken until there is none.
    pub fn event(&mut self, watch: u64) -> Result<EventReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::EVENT,
            deadline_ms: 30000,
            room: Room { bytes: 264, handles: 0 },
        };
        let request = EventRequest { watch };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(EventReply::decode(view, &mut handles)?)
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, watch: u64) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UNWATCH,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = UnwatchRequest { watch };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// What the last look at every page came to: `Busy` until it has ended, `NotFound` when there was none since the server started.
    pub fn checked(&mut self) -> Result<CheckedReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CHECKED,
            deadline_ms: 30000,
            room: Room { bytes: 2084, handles: 0 },
        };
        let request = CheckedRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(CheckedReply::decode(view, &mut handles)?)
    }

    /// Forgets what was lost in repairs, for who may mend: what is not there answers `NotFound` from then on.
    pub fn dismiss(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DISMISS,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = DismissRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// The next value that can be read, for who may look at all of the store: also of a store that is out of order, as it would be after a repair.
    pub fn salvage(&mut self, after: Text<'_, 255>) -> Result<SalvageReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SALVAGE,
            deadline_ms: 30000,
            room: Room { bytes: 288, handles: 0 },
        };
        let request = SalvageRequest { after };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(SalvageReply::decode(view, &mut handles)?)
    }

    /// Reads a value, or part of it, likewise.
    pub fn salvaged(
        &mut self,
        from: u64,
        path: Text<'_, 255>,
    ) -> Result<SalvagedReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SALVAGED,
            deadline_ms: 30000,
            room: Room { bytes: 3104, handles: 0 },
        };
        let request = SalvagedRequest { from, path };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(SalvagedReply::decode(view, &mut handles)?)
    }

    /// `put` of a value that lies at the beginning of memory which goes with the message. The memory is the client's, and charged to it alone: the server copies
    /// the value out once, before it looks at any of it, and keeps no handle. Whoever changes it meanwhile has put a mixture. Memory that is smaller than the value,
    /// or is taken back meanwhile, is `Invalid`.
    pub fn put_from(
        &mut self,
        durable: bool,
        length: u32,
        memory: Held<HandleOf<C>, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<PutFromReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PUT_FROM,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = PutFromRequest { durable, length, memory, path };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(PutFromReply::decode(view, &mut handles)?)
    }

    /// `get` into memory that goes with the message: the client's again, so that nobody's values lie in memory that the server pays for. Bytes behind the last
    /// one, up to the next multiple of 64, become 0.
    pub fn get_into(
        &mut self,
        from: u64,
        room: u32,
        memory: Held<HandleOf<C>, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<GetIntoReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::GET_INTO,
            deadline_ms: 30000,
            room: Room { bytes: 36, handles: 0 },
        };
        let request = GetIntoRequest { from, room, memory, path };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(GetIntoReply::decode(view, &mut handles)?)
    }

    /// `batch` of changes that lie at the beginning of memory, as in `put_from`.
    pub fn batch_from(
        &mut self,
        durable: bool,
        length: u32,
        memory: Held<HandleOf<C>, kinds::Vmo>,
    ) -> Result<BatchFromReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::BATCH_FROM,
            deadline_ms: 30000,
            room: Room { bytes: 24, handles: 0 },
        };
        let request = BatchFromRequest { durable, length, memory };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(BatchFromReply::decode(view, &mut handles)?)
    }

    /// Opens a sealed prefix, for its keeper alone. Everything under it is compared with what its header proves; if it is not that, the error is
    /// answered to everybody who asks for anything under the prefix from then on. It stays open until the server ends. It is a change: the next `anchor` answers more.
    pub fn unlock(
        &mut self,
        least: u64,
        key: [u8; 32],
        salt: [u8; 16],
        prefix: Text<'_, 255>,
    ) -> Result<UnlockReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UNLOCK,
            deadline_ms: 30000,
            room: Room { bytes: 16, handles: 0 },
        };
        let request = UnlockRequest { least, key, salt, prefix };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(UnlockReply::decode(view, &mut handles)?)
    }

    /// The newest sequence of a sealed prefix, for its keeper alone. Everything up to it survives a power cut then.
    pub fn anchor(&mut self, prefix: Text<'_, 255>) -> Result<AnchorReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::ANCHOR,
            deadline_ms: 30000,
            room: Room { bytes: 16, handles: 0 },
        };
        let request = AnchorRequest { prefix };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(AnchorReply::decode(view, &mut handles)?)
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Reads a value, or part of it.
    fn get(&mut self, sender: Sender, from: u64, path: Text<'_, 255>) -> Result<GetReply<'_>, Error>;

    /// What is known of a value.
    fn stat(&mut self, sender: Sender, path: Text<'_, 255>) -> Result<StatReply, Error>;

    /// Gives a path a value, in place of the one that it has.
    fn put(
        &mut self,
        sender: Sender,
        durable: bool,
        path: Text<'_, 255>,
        data: Bytes<'_, 3072>,
    ) -> Result<PutReply, Error>;

    /// Takes the value of a path away.
    fn delete(&mut self, sender: Sender, path: Text<'_, 255>) -> Result<DeleteReply, Error>;

    /// Moves a value to another path, in place of what is there.
    fn rename(
        &mut self,
        sender: Sender,
        from: Text<'_, 255>,
        to: Text<'_, 255>,
    ) -> Result<RenameReply, Error>;

    /// Several changes, one after the other, all or none.
    fn batch(&mut self, sender: Sender, durable: bool, changes: Bytes<'_, 3584>)
    -> Result<BatchReply, Error>;

    /// Answers when everything up to a receipt survives a power cut.
    fn sync(&mut self, sender: Sender, receipt: Receipt) -> Result<(), Error>;

    /// The next value under a prefix that the process may read, in order.
    fn next(
        &mut self,
        sender: Sender,
        prefix: Text<'_, 255>,
        after: Text<'_, 255>,
    ) -> Result<NextReply<'_>, Error>;

    /// What the process stores and may store.
    fn usage(&mut self, sender: Sender) -> Result<UsageReply, Error>;

    /// Keeps all values that snapshots are for as they are, under a name. It survives a power cut then.
    fn snapshot(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error>;

    /// Takes them back to a snapshot.
    fn restore(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error>;

    /// Drops a snapshot.
    fn forget(&mut self, sender: Sender, name: Text<'_, 32>) -> Result<(), Error>;

    /// How the store is.
    fn health(&mut self, sender: Sender) -> Result<HealthReply, Error>;

    /// Begins to give a path a value that is too long for one message. Nothing is seen of it until all bytes have come. A connection has one upload at a time:
    /// beginning another gives up the one before.
    fn upload(&mut self, sender: Sender, length: u64, path: Text<'_, 255>) -> Result<UploadReply, Error>;

    /// Adds bytes to an upload.
    fn more(&mut self, sender: Sender, upload: u32, data: Bytes<'_, 3072>) -> Result<(), Error>;

    /// The path has the value from now on, if all bytes have come. The upload is over in any case.
    fn publish(&mut self, sender: Sender, upload: u32) -> Result<PublishReply, Error>;

    /// What a service stores and may store, for who may look at that of others.
    fn charge(&mut self, sender: Sender, from: u32) -> Result<ChargeReply, Error>;

    /// The name of a snapshot.
    fn point(&mut self, sender: Sender, index: u8) -> Result<PointReply<'_>, Error>;

    /// Begins to have every page looked at, for who may. It is done in pieces between requests; until it has ended, everything that is asked of the store answers
    /// `Busy` at once, this as well.
    fn check(&mut self, sender: Sender, mend: bool) -> Result<(), Error>;

    /// Empties the store, for who may: it is a new one then, which holds nothing, and no snapshots.
    fn reset(&mut self, sender: Sender) -> Result<(), Error>;

    /// Begins to watch what is under a prefix that the process may read. It ends with the connection; so does what a server that died was watching for.
    fn watch(
        &mut self,
        sender: Sender,
        news: Held<H, kinds::Channel>,
        prefix: Text<'_, 255>,
    ) -> Result<WatchReply, Error>;

    /// Takes the next event of a watch. After news they are taken until there is none.
    fn event(&mut self, sender: Sender, watch: u64) -> Result<EventReply<'_>, Error>;

    /// Ends a watch.
    fn unwatch(&mut self, sender: Sender, watch: u64) -> Result<(), Error>;

    /// What the last look at every page came to: `Busy` until it has ended, `NotFound` when there was none since the server started.
    fn checked(&mut self, sender: Sender) -> Result<CheckedReply<'_>, Error>;

    /// Forgets what was lost in repairs, for who may mend: what is not there answers `NotFound` from then on.
    fn dismiss(&mut self, sender: Sender) -> Result<(), Error>;

    /// The next value that can be read, for who may look at all of the store: also of a store that is out of order, as it would be after a repair.
    fn salvage(&mut self, sender: Sender, after: Text<'_, 255>) -> Result<SalvageReply<'_>, Error>;

    /// Reads a value, or part of it, likewise.
    fn salvaged(
        &mut self,
        sender: Sender,
        from: u64,
        path: Text<'_, 255>,
    ) -> Result<SalvagedReply<'_>, Error>;

    /// `put` of a value that lies at the beginning of memory which goes with the message. The memory is the client's, and charged to it alone: the server copies
    /// the value out once, before it looks at any of it, and keeps no handle. Whoever changes it meanwhile has put a mixture. Memory that is smaller than the value,
    /// or is taken back meanwhile, is `Invalid`.
    fn put_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<H, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<PutFromReply, Error>;

    /// `get` into memory that goes with the message: the client's again, so that nobody's values lie in memory that the server pays for. Bytes behind the last
    /// one, up to the next multiple of 64, become 0.
    fn get_into(
        &mut self,
        sender: Sender,
        from: u64,
        room: u32,
        memory: Held<H, kinds::Vmo>,
        path: Text<'_, 255>,
    ) -> Result<GetIntoReply, Error>;

    /// `batch` of changes that lie at the beginning of memory, as in `put_from`.
    fn batch_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<H, kinds::Vmo>,
    ) -> Result<BatchFromReply, Error>;

    /// Opens a sealed prefix, for its keeper alone. Everything under it is compared with what its header proves; if it is not that, the error is
    /// answered to everybody who asks for anything under the prefix from then on. It stays open until the server ends. It is a change: the next `anchor` answers more.
    fn unlock(
        &mut self,
        sender: Sender,
        least: u64,
        key: [u8; 32],
        salt: [u8; 16],
        prefix: Text<'_, 255>,
    ) -> Result<UnlockReply, Error>;

    /// The newest sequence of a sealed prefix, for its keeper alone. Everything up to it survives a power cut then.
    fn anchor(&mut self, sender: Sender, prefix: Text<'_, 255>) -> Result<AnchorReply, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::GET) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = GetRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.get(sender, request.from, request.path);
            answer(packet, Header::new(ID, op::GET), result, |reply, packet| reply.encode(packet))
        }
        Some(op::STAT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = StatRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.stat(sender, request.path);
            answer(packet, Header::new(ID, op::STAT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::PUT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = PutRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.put(sender, request.durable, request.path, request.data);
            answer(packet, Header::new(ID, op::PUT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::DELETE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = DeleteRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.delete(sender, request.path);
            answer(packet, Header::new(ID, op::DELETE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::RENAME) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = RenameRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.rename(sender, request.from, request.to);
            answer(packet, Header::new(ID, op::RENAME), result, |reply, packet| reply.encode(packet))
        }
        Some(op::BATCH) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = BatchRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.batch(sender, request.durable, request.changes);
            answer(packet, Header::new(ID, op::BATCH), result, |reply, packet| reply.encode(packet))
        }
        Some(op::SYNC) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = SyncRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.sync(sender, request.receipt);
            answer(packet, Header::new(ID, op::SYNC), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::SYNC))
            })
        }
        Some(op::NEXT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = NextRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.next(sender, request.prefix, request.after);
            answer(packet, Header::new(ID, op::NEXT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::USAGE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = UsageRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.usage(sender);
            answer(packet, Header::new(ID, op::USAGE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::SNAPSHOT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = SnapshotRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.snapshot(sender, request.name);
            answer(packet, Header::new(ID, op::SNAPSHOT), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::SNAPSHOT))
            })
        }
        Some(op::RESTORE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = RestoreRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.restore(sender, request.name);
            answer(packet, Header::new(ID, op::RESTORE), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::RESTORE))
            })
        }
        Some(op::FORGET) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = ForgetRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.forget(sender, request.name);
            answer(packet, Header::new(ID, op::FORGET), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::FORGET))
            })
        }
        Some(op::HEALTH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = HealthRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.health(sender);
            answer(packet, Header::new(ID, op::HEALTH), result, |reply, packet| reply.encode(packet))
        }
        Some(op::UPLOAD) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = UploadRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.upload(sender, request.length, request.path);
            answer(packet, Header::new(ID, op::UPLOAD), result, |reply, packet| reply.encode(packet))
        }
        Some(op::MORE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = MoreRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.more(sender, request.upload, request.data);
            answer(packet, Header::new(ID, op::MORE), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::MORE))
            })
        }
        Some(op::PUBLISH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = PublishRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.publish(sender, request.upload);
            answer(packet, Header::new(ID, op::PUBLISH), result, |reply, packet| reply.encode(packet))
        }
        Some(op::CHARGE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ChargeRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.charge(sender, request.from);
            answer(packet, Header::new(ID, op::CHARGE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::POINT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = PointRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.point(sender, request.index);
            answer(packet, Header::new(ID, op::POINT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::CHECK) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = CheckRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.check(sender, request.mend);
            answer(packet, Header::new(ID, op::CHECK), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::CHECK))
            })
        }
        Some(op::RESET) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = ResetRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.reset(sender);
            answer(packet, Header::new(ID, op::RESET), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::RESET))
            })
        }
        Some(op::WATCH) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = WatchRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.watch(sender, request.news, request.prefix);
            answer(packet, Header::new(ID, op::WATCH), result, |reply, packet| reply.encode(packet))
        }
        Some(op::EVENT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = EventRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.event(sender, request.watch);
            answer(packet, Header::new(ID, op::EVENT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::UNWATCH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = UnwatchRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.unwatch(sender, request.watch);
            answer(packet, Header::new(ID, op::UNWATCH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::UNWATCH))
            })
        }
        Some(op::CHECKED) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = CheckedRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.checked(sender);
            answer(packet, Header::new(ID, op::CHECKED), result, |reply, packet| reply.encode(packet))
        }
        Some(op::DISMISS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = DismissRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.dismiss(sender);
            answer(packet, Header::new(ID, op::DISMISS), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::DISMISS))
            })
        }
        Some(op::SALVAGE) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = SalvageRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.salvage(sender, request.after);
            answer(packet, Header::new(ID, op::SALVAGE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::SALVAGED) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = SalvagedRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.salvaged(sender, request.from, request.path);
            answer(packet, Header::new(ID, op::SALVAGED), result, |reply, packet| reply.encode(packet))
        }
        Some(op::PUT_FROM) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = PutFromRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result =
                server.put_from(sender, request.durable, request.length, request.memory, request.path);
            answer(packet, Header::new(ID, op::PUT_FROM), result, |reply, packet| reply.encode(packet))
        }
        Some(op::GET_INTO) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = GetIntoRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.get_into(sender, request.from, request.room, request.memory, request.path);
            answer(packet, Header::new(ID, op::GET_INTO), result, |reply, packet| reply.encode(packet))
        }
        Some(op::BATCH_FROM) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = BatchFromRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.batch_from(sender, request.durable, request.length, request.memory);
            answer(packet, Header::new(ID, op::BATCH_FROM), result, |reply, packet| reply.encode(packet))
        }
        Some(op::UNLOCK) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = UnlockRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.unlock(sender, request.least, request.key, request.salt, request.prefix);
            answer(packet, Header::new(ID, op::UNLOCK), result, |reply, packet| reply.encode(packet))
        }
        Some(op::ANCHOR) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = AnchorRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.anchor(sender, request.prefix);
            answer(packet, Header::new(ID, op::ANCHOR), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "state",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::GET,
            name: "get",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 16,
                most: 271,
                fields: &[
                    trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "path", offset: 16, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 32,
                most: 3104,
                fields: &[
                    trace::Field {
                        name: "stat",
                        offset: 8,
                        shape: trace::Shape::Struct(&[
                            trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                        ]),
                    },
                    trace::Field { name: "data", offset: 32, shape: trace::Shape::TailBytes(3072) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::STAT,
            name: "stat",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "path", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 32,
                most: 32,
                fields: &[trace::Field {
                    name: "stat",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::PUT,
            name: "put",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 268,
                most: 3340,
                fields: &[
                    trace::Field { name: "durable", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "path", offset: 10, shape: trace::Shape::Text(255) },
                    trace::Field { name: "data", offset: 268, shape: trace::Shape::TailBytes(3072) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::DELETE,
            name: "delete",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "path", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::RENAME,
            name: "rename",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 266,
                most: 521,
                fields: &[
                    trace::Field { name: "from", offset: 8, shape: trace::Shape::Text(255) },
                    trace::Field { name: "to", offset: 266, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::BATCH,
            name: "batch",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 9,
                most: 3593,
                fields: &[
                    trace::Field { name: "durable", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "changes", offset: 9, shape: trace::Shape::TailBytes(3584) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::SYNC,
            name: "sync",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::NEXT,
            name: "next",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 266,
                most: 521,
                fields: &[
                    trace::Field { name: "prefix", offset: 8, shape: trace::Shape::Text(255) },
                    trace::Field { name: "after", offset: 266, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 33,
                most: 288,
                fields: &[
                    trace::Field {
                        name: "stat",
                        offset: 8,
                        shape: trace::Shape::Struct(&[
                            trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                        ]),
                    },
                    trace::Field { name: "found", offset: 32, shape: trace::Shape::Bool },
                    trace::Field { name: "path", offset: 33, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::USAGE,
            name: "usage",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 32,
                most: 32,
                fields: &[
                    trace::Field { name: "used", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "soft", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "hard", offset: 24, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::SNAPSHOT,
            name: "snapshot",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 40,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(32) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::RESTORE,
            name: "restore",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 40,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(32) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::FORGET,
            name: "forget",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 40,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(32) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::HEALTH,
            name: "health",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 88,
                most: 88,
                fields: &[
                    trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "safe", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "keys", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "pages", offset: 32, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "free", offset: 36, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "mended", offset: 40, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "lost", offset: 44, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "fault", offset: 48, shape: trace::Shape::Unsigned(2) },
                    trace::Field {
                        name: "store",
                        offset: 50,
                        shape: trace::Shape::Array(16, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "flushes", offset: 72, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "written", offset: 80, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::UPLOAD,
            name: "upload",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 271,
                fields: &[
                    trace::Field { name: "length", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "path", offset: 16, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "upload", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::MORE,
            name: "more",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 3084,
                fields: &[
                    trace::Field { name: "upload", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "data", offset: 12, shape: trace::Shape::TailBytes(3072) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::PUBLISH,
            name: "publish",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "upload", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::CHARGE,
            name: "charge",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 40,
                most: 40,
                fields: &[
                    trace::Field { name: "service", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "used", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "soft", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "hard", offset: 32, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::POINT,
            name: "point",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 9,
                most: 9,
                fields: &[trace::Field { name: "index", offset: 8, shape: trace::Shape::Unsigned(1) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 40,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(32) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::CHECK,
            name: "check",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout {
                least: 9,
                most: 9,
                fields: &[trace::Field { name: "mend", offset: 8, shape: trace::Shape::Bool }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::RESET,
            name: "reset",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::WATCH,
            name: "watch",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "prefix", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[("news", Some(Kind::Channel))],
            },
            reply: Some(trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "watch", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::EVENT,
            name: "event",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "watch", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 9,
                most: 264,
                fields: &[
                    trace::Field {
                        name: "event",
                        offset: 8,
                        shape: trace::Shape::Enum(1, &[(0, "None"), (1, "Changed"), (2, "Resync")]),
                    },
                    trace::Field { name: "path", offset: 9, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::UNWATCH,
            name: "unwatch",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "watch", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::CHECKED,
            name: "checked",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 36,
                most: 2084,
                fields: &[
                    trace::Field { name: "keys", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "pages", offset: 16, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "lost", offset: 20, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "unmapped", offset: 24, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "damaged", offset: 28, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "mended", offset: 32, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "findings", offset: 36, shape: trace::Shape::TailText(2048) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::DISMISS,
            name: "dismiss",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::SALVAGE,
            name: "salvage",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "after", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 33,
                most: 288,
                fields: &[
                    trace::Field {
                        name: "stat",
                        offset: 8,
                        shape: trace::Shape::Struct(&[
                            trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                        ]),
                    },
                    trace::Field { name: "found", offset: 32, shape: trace::Shape::Bool },
                    trace::Field { name: "path", offset: 33, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::SALVAGED,
            name: "salvaged",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 16,
                most: 271,
                fields: &[
                    trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "path", offset: 16, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 32,
                most: 3104,
                fields: &[
                    trace::Field {
                        name: "stat",
                        offset: 8,
                        shape: trace::Shape::Struct(&[
                            trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                        ]),
                    },
                    trace::Field { name: "data", offset: 32, shape: trace::Shape::TailBytes(3072) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::PUT_FROM,
            name: "put_from",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 271,
                fields: &[
                    trace::Field { name: "durable", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "length", offset: 12, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "path", offset: 16, shape: trace::Shape::TailText(255) },
                ],
                handles: &[("memory", Some(Kind::Vmo))],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::GET_INTO,
            name: "get_into",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 20,
                most: 275,
                fields: &[
                    trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "room", offset: 16, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "path", offset: 20, shape: trace::Shape::TailText(255) },
                ],
                handles: &[("memory", Some(Kind::Vmo))],
            },
            reply: Some(trace::Layout {
                least: 36,
                most: 36,
                fields: &[
                    trace::Field {
                        name: "stat",
                        offset: 8,
                        shape: trace::Shape::Struct(&[
                            trace::Field { name: "length", offset: 0, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "version", offset: 8, shape: trace::Shape::Unsigned(8) },
                            trace::Field { name: "owner", offset: 16, shape: trace::Shape::Unsigned(4) },
                        ]),
                    },
                    trace::Field { name: "length", offset: 32, shape: trace::Shape::Unsigned(4) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::BATCH_FROM,
            name: "batch_from",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[
                    trace::Field { name: "durable", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "length", offset: 12, shape: trace::Shape::Unsigned(4) },
                ],
                handles: &[("memory", Some(Kind::Vmo))],
            },
            reply: Some(trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "receipt",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "run", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "generation", offset: 8, shape: trace::Shape::Unsigned(8) },
                    ]),
                }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::UNLOCK,
            name: "unlock",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 64,
                most: 319,
                fields: &[
                    trace::Field { name: "least", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field {
                        name: "key",
                        offset: 16,
                        shape: trace::Shape::Array(32, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field {
                        name: "salt",
                        offset: 48,
                        shape: trace::Shape::Array(16, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "prefix", offset: 64, shape: trace::Shape::TailText(255) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "sequence", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::ANCHOR,
            name: "anchor",
            permission: "",
            deadline_ms: 30000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 263,
                fields: &[trace::Field { name: "prefix", offset: 8, shape: trace::Shape::TailText(255) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "sequence", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            }),
        },
    ],
    errors: &[
        (1, "NotFound"),
        (2, "Exists"),
        (3, "Invalid"),
        (4, "PermissionDenied"),
        (5, "QuotaExceeded"),
        (9, "ReadOnly"),
        (10, "Io"),
        (11, "Busy"),
        (14, "IsDir"),
        (15, "NotDir"),
        (16, "NoSpace"),
        (17, "CrossDevice"),
        (18, "Integrity"),
        (19, "Rollback"),
        (20, "TooLarge"),
        (21, "ServerDied"),
    ],
};
