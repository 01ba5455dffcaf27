//! Gives back what it gets: the smallest whole interface, for learning and for tests.
//!
//! Each operation shows one thing that the language can say. No production process serves it: in the test image
//! `tests/echo` does.
//!
//! Generated from `idl/echo.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link,
    Malformed, Outcome, Packet, Promise, Replier, Room, SendError, Sender, ServiceError, Sink, Source, Spec,
    Text, View, Wire, answer, answered, empty_reply, kinds, refuse, tail, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x466b6b00;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 4096, handles: 1 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 4096;

/// Most bytes that one echo carries: a whole message.
pub const MAX_DATA: usize = 4088;

/// Numbers of the operations.
pub mod op {
    /// `words`.
    pub const WORDS: u16 = 1;
    /// `data`.
    pub const DATA: u16 = 2;
    /// `text`.
    pub const TEXT: u16 = 3;
    /// `pass`.
    pub const PASS: u16 = 4;
    /// `count`.
    pub const COUNT: u16 = 5;
    /// `crash`.
    pub const CRASH: u16 = 6;
    /// `note`.
    pub const NOTE: u16 = 7;
    /// `doom`.
    pub const DOOM: u16 = 8;
    /// `wait`.
    pub const WAIT: u16 = 9;
    /// `release`.
    pub const RELEASE: u16 = 10;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// The text is empty, or too long in that manner.
    Invalid = 3,
    /// So many calls wait that this one, the oldest, gave way.
    NotReady = 6,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::Invalid, Error::NotReady];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::Invalid => "Invalid",
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

/// How a text is given back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Manner {
    /// As it is.
    Plain = 0,
    /// In capital letters.
    Loud = 1,
}

impl Manner {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Manner] = &[Manner::Plain, Manner::Loud];
}

impl<'a> Wire<'a> for Manner {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(Manner::Plain),
            1 => Ok(Manner::Loud),
            _ => Err(Malformed),
        }
    }
}

/// A point in time with a mark: a structure in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Ticks since reset.
    pub ticks: u64,
    /// What the sender wants to recognise it by.
    pub mark: u16,
    /// Whether it is the last one.
    pub last: bool,
}

impl<'a> Wire<'a> for Stamp {
    const SIZE: usize = 16;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        self.ticks.encode(sink, at);
        self.mark.encode(sink, at + 8);
        self.last.encode(sink, at + 10);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        source.zero(at + 11, 5)?;
        Ok(Self {
            ticks: Wire::decode(source, at)?,
            mark: Wire::decode(source, at + 8)?,
            last: Wire::decode(source, at + 10)?,
        })
    }
}

/// The request of [`Client::words`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordsRequest {
    /// The argument `a`.
    pub a: u64,
    /// The argument `b`.
    pub b: u64,
    /// The argument `c`.
    pub c: u64,
    /// The argument `d`.
    pub d: u64,
}

impl WordsRequest {
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
        packet.write_words(Header::new(ID, op::WORDS), Self::MOST, |out| {
            self.a.encode(out, 8);
            self.b.encode(out, 16);
            self.c.encode(out, 24);
            self.d.encode(out, 32);
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
            a: Wire::decode(&input, 8)?,
            b: Wire::decode(&input, 16)?,
            c: Wire::decode(&input, 24)?,
            d: Wire::decode(&input, 32)?,
        })
    }
}

/// The reply of [`Client::words`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordsReply {
    /// The first argument.
    pub a: u64,
    /// The second.
    pub b: u64,
    /// The third.
    pub c: u64,
    /// The fourth.
    pub d: u64,
}

impl WordsReply {
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
        packet.write_words(Header::new(ID, op::WORDS), Self::MOST, |out| {
            self.a.encode(out, 8);
            self.b.encode(out, 16);
            self.c.encode(out, 24);
            self.d.encode(out, 32);
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
            a: Wire::decode(&input, 8)?,
            b: Wire::decode(&input, 16)?,
            c: Wire::decode(&input, 24)?,
            d: Wire::decode(&input, 32)?,
        })
    }
}

/// The request of [`Client::data`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataRequest<'a> {
    /// The argument `data`.
    pub data: Bytes<'a, 4088>,
}

impl<'a> DataRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 4096;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::DATA), Self::LEAST + self.data.len(), |out| {
            out.bytes(8, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { data: tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::data`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataReply<'a> {
    /// The same bytes.
    pub data: Bytes<'a, 4088>,
}

impl<'a> DataReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 4096;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::DATA), Self::LEAST + self.data.len(), |out| {
            out.bytes(8, &self.data);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { data: tail(input.get(8..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::text`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextRequest<'a> {
    /// The argument `manner`.
    pub manner: Manner,
    /// The argument `stamps`.
    pub stamps: [Stamp; 3],
    /// The argument `text`.
    pub text: Text<'a, 200>,
}

impl<'a> TextRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 64;
    /// Most bytes that it takes.
    pub const MOST: usize = 264;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::TEXT), Self::LEAST + self.text.len(), |out| {
            self.manner.encode(out, 8);
            self.stamps.encode(out, 16);
            out.bytes(64, self.text.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(9, 7)?;
        Ok(Self {
            manner: Wire::decode(&input, 8)?,
            stamps: Wire::decode(&input, 16)?,
            text: text_tail(input.get(64..).ok_or(Malformed)?)?,
        })
    }
}

/// The reply of [`Client::text`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextReply<'a> {
    /// The stamps, as they were.
    pub stamps: [Stamp; 3],
    /// The text in that manner.
    pub text: Text<'a, 400>,
}

impl<'a> TextReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 56;
    /// Most bytes that it takes.
    pub const MOST: usize = 456;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::TEXT), Self::LEAST + self.text.len(), |out| {
            self.stamps.encode(out, 8);
            out.bytes(56, self.text.as_bytes());
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'a>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { stamps: Wire::decode(&input, 8)?, text: text_tail(input.get(56..).ok_or(Malformed)?)? })
    }
}

/// The request of [`Client::pass`].
#[derive(PartialEq, Debug)]
pub struct PassRequest<H> {
    /// What the receiver shall recognise it by.
    pub mark: u32,
    /// Memory that can be read.
    pub memory: Held<H, kinds::Vmo>,
}

impl<H: AnyHandle> PassRequest<H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 12;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PASS), Self::MOST, |out| {
            self.mark.encode(out, 8);
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
        Ok(Self {
            mark: Wire::decode(&input, 8)?,
            memory: handles.receive(0, Rights::TRANSFER.union(Rights::READ))?,
        })
    }
}

/// The reply of [`Client::pass`].
#[derive(PartialEq, Debug)]
pub struct PassReply<H> {
    /// The same mark.
    pub mark: u32,
    /// The same memory.
    pub memory: Held<H, kinds::Vmo>,
}

impl<H: AnyHandle> PassReply<H> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 12;
    /// Handles that it carries.
    pub const HANDLES: usize = 1;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PASS), Self::MOST, |out| {
            self.mark.encode(out, 8);
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
        Ok(Self { mark: Wire::decode(&input, 8)?, memory: handles.receive(0, Rights::READ)? })
    }
}

/// The request of [`Client::count`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountRequest {
    /// The argument `by`.
    pub by: u64,
}

impl CountRequest {
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
        packet.write_words(Header::new(ID, op::COUNT), Self::MOST, |out| {
            self.by.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { by: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::count`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CountReply {
    /// The counter after it.
    pub total: u64,
}

impl CountReply {
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
        packet.write_words(Header::new(ID, op::COUNT), Self::MOST, |out| {
            self.total.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { total: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::crash`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrashRequest {}

impl CrashRequest {
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
        packet.write_words(Header::new(ID, op::CRASH), Self::MOST, |_| {});
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

/// The request of [`Client::note`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoteRequest {
    /// The argument `by`.
    pub by: u64,
}

impl NoteRequest {
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
        packet.write_words(Header::new(ID, op::NOTE), Self::MOST, |out| {
            self.by.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { by: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::doom`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DoomRequest {}

impl DoomRequest {
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
        packet.write_words(Header::new(ID, op::DOOM), Self::MOST, |_| {});
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

/// The request of [`Client::wait`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitRequest {
    /// The argument `mark`.
    pub mark: u32,
}

impl WaitRequest {
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
        packet.write_words(Header::new(ID, op::WAIT), Self::MOST, |out| {
            self.mark.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { mark: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::wait`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitReply {
    /// How many calls were released together.
    pub released: u32,
}

impl WaitReply {
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
        packet.write_words(Header::new(ID, op::WAIT), Self::MOST, |out| {
            self.released.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { released: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::release`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReleaseRequest {
    /// The argument `mark`.
    pub mark: u32,
}

impl ReleaseRequest {
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
        packet.write_words(Header::new(ID, op::RELEASE), Self::MOST, |out| {
            self.mark.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { mark: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::release`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReleaseReply {
    /// How many there were.
    pub released: u32,
}

impl ReleaseReply {
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
        packet.write_words(Header::new(ID, op::RELEASE), Self::MOST, |out| {
            self.released.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { released: Wire::decode(&input, 8)? })
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

    /// Gives back four words: the smallest call, in registers both ways.
    pub fn words(&mut self, a: u64, b: u64, c: u64, d: u64) -> Result<WordsReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WORDS,
            deadline_ms: 1000,
            room: Room { bytes: 40, handles: 0 },
        };
        let request = WordsRequest { a, b, c, d };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(WordsReply::decode(view, &mut handles)?)
    }

    /// Gives back bytes. They travel in registers as long as the message has at most 48 bytes.
    pub fn data(&mut self, data: Bytes<'_, 4088>) -> Result<DataReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DATA,
            deadline_ms: 1000,
            room: Room { bytes: 4096, handles: 0 },
        };
        let request = DataRequest { data };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(DataReply::decode(view, &mut handles)?)
    }

    /// Gives back text in some manner, with the stamps that came with it.
    pub fn text(
        &mut self,
        manner: Manner,
        stamps: [Stamp; 3],
        text: Text<'_, 200>,
    ) -> Result<TextReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TEXT,
            deadline_ms: 1000,
            room: Room { bytes: 456, handles: 0 },
        };
        let request = TextRequest { manner, stamps, text };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(TextReply::decode(view, &mut handles)?)
    }

    /// Gives back a memory object. What was sent is gone, so it cannot be sent twice.
    pub fn pass(
        &mut self,
        mark: u32,
        memory: Held<HandleOf<C>, kinds::Vmo>,
    ) -> Result<PassReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PASS,
            deadline_ms: 1000,
            room: Room { bytes: 12, handles: 1 },
        };
        let request = PassRequest { mark, memory };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(PassReply::decode(view, &mut handles)?)
    }

    /// Adds to a counter. Doing it twice is not the same as once, so it is never tried again.
    pub fn count(&mut self, by: u64) -> Result<CountReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::COUNT,
            deadline_ms: 1000,
            room: Room { bytes: 16, handles: 0 },
        };
        let request = CountRequest { by };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(CountReply::decode(view, &mut handles)?)
    }

    /// Ends the server before it can answer: what a client sees then is the point.
    pub fn crash(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CRASH,
            deadline_ms: 1000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = CrashRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Adds to the counter without an answer.
    pub fn note(&mut self, by: u64) -> Result<(), SendError> {
        const SPEC: Spec =
            Spec { interface: ID, operation: op::NOTE, deadline_ms: 0, room: Room { bytes: 0, handles: 0 } };
        let request = NoteRequest { by };
        self.link.send_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        Ok(())
    }

    /// Ends the server when its next call arrives, before it is answered. This one is answered.
    pub fn doom(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::DOOM,
            deadline_ms: 1000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = DoomRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Is answered when somebody calls `release` with the same mark: the server keeps the call open until then, and
    /// serves others meanwhile.
    pub fn wait(&mut self, mark: u32) -> Result<WaitReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WAIT,
            deadline_ms: 300,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = WaitRequest { mark };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(WaitReply::decode(view, &mut handles)?)
    }

    /// Answers the calls that wait with this mark.
    pub fn release(&mut self, mark: u32) -> Result<ReleaseReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::RELEASE,
            deadline_ms: 1000,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = ReleaseRequest { mark };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(ReleaseReply::decode(view, &mut handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::wait`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct WaitPromise(Promise);

impl WaitPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<WaitReply, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::WAIT), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// Gives back four words: the smallest call, in registers both ways.
    fn words(&mut self, sender: Sender, a: u64, b: u64, c: u64, d: u64) -> Result<WordsReply, Error>;

    /// Gives back bytes. They travel in registers as long as the message has at most 48 bytes.
    fn data(&mut self, sender: Sender, data: Bytes<'_, 4088>) -> Result<DataReply<'_>, Error>;

    /// Gives back text in some manner, with the stamps that came with it.
    fn text(
        &mut self,
        sender: Sender,
        manner: Manner,
        stamps: [Stamp; 3],
        text: Text<'_, 200>,
    ) -> Result<TextReply<'_>, Error>;

    /// Gives back a memory object. What was sent is gone, so it cannot be sent twice.
    fn pass(&mut self, sender: Sender, mark: u32, memory: Held<H, kinds::Vmo>)
    -> Result<PassReply<H>, Error>;

    /// Adds to a counter. Doing it twice is not the same as once, so it is never tried again.
    fn count(&mut self, sender: Sender, by: u64) -> Result<CountReply, Error>;

    /// Ends the server before it can answer: what a client sees then is the point.
    fn crash(&mut self, sender: Sender) -> Result<(), Error>;

    /// Adds to the counter without an answer.
    fn note(&mut self, sender: Sender, by: u64);

    /// Ends the server when its next call arrives, before it is answered. This one is answered.
    fn doom(&mut self, sender: Sender) -> Result<(), Error>;

    /// Is answered when somebody calls `release` with the same mark: the server keeps the call open until then, and
    /// serves others meanwhile.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn wait(&mut self, sender: Sender, promise: WaitPromise, mark: u32) -> Result<Option<WaitReply>, Error>;

    /// Answers the calls that wait with this mark.
    fn release(&mut self, sender: Sender, mark: u32) -> Result<ReleaseReply, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::WORDS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = WordsRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.words(sender, request.a, request.b, request.c, request.d);
            answer(packet, Header::new(ID, op::WORDS), result, |reply, packet| reply.encode(packet))
        }
        Some(op::DATA) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = DataRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.data(sender, request.data);
            answer(packet, Header::new(ID, op::DATA), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TEXT) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = TextRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.text(sender, request.manner, request.stamps, request.text);
            answer(packet, Header::new(ID, op::TEXT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::PASS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = PassRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.pass(sender, request.mark, request.memory);
            answer(packet, Header::new(ID, op::PASS), result, |reply, packet| reply.encode(packet))
        }
        Some(op::COUNT) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = CountRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.count(sender, request.by);
            answer(packet, Header::new(ID, op::COUNT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::CRASH) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = CrashRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.crash(sender);
            answer(packet, Header::new(ID, op::CRASH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::CRASH))
            })
        }
        Some(op::NOTE) if !is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = NoteRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            server.note(sender, request.by);
            packet.reset();
            Outcome::Taken
        }
        Some(op::DOOM) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = DoomRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.doom(sender);
            answer(packet, Header::new(ID, op::DOOM), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::DOOM))
            })
        }
        Some(op::WAIT) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = WaitRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.wait(sender, WaitPromise(owed), request.mark);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::WAIT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::RELEASE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ReleaseRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.release(sender, request.mark);
            answer(packet, Header::new(ID, op::RELEASE), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "echo",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::WORDS,
            name: "words",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 40,
                most: 40,
                fields: &[
                    trace::Field { name: "a", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "b", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "c", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "d", offset: 32, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 40,
                most: 40,
                fields: &[
                    trace::Field { name: "a", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "b", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "c", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "d", offset: 32, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::DATA,
            name: "data",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 8,
                most: 4096,
                fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(4088) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 4096,
                fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(4088) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TEXT,
            name: "text",
            permission: "",
            deadline_ms: 1000,
            idempotent: true,
            request: trace::Layout {
                least: 64,
                most: 264,
                fields: &[
                    trace::Field {
                        name: "manner",
                        offset: 8,
                        shape: trace::Shape::Enum(1, &[(0, "Plain"), (1, "Loud")]),
                    },
                    trace::Field {
                        name: "stamps",
                        offset: 16,
                        shape: trace::Shape::Array(
                            3,
                            16,
                            &trace::Shape::Struct(&[
                                trace::Field { name: "ticks", offset: 0, shape: trace::Shape::Unsigned(8) },
                                trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(2) },
                                trace::Field { name: "last", offset: 10, shape: trace::Shape::Bool },
                            ]),
                        ),
                    },
                    trace::Field { name: "text", offset: 64, shape: trace::Shape::TailText(200) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 56,
                most: 456,
                fields: &[
                    trace::Field {
                        name: "stamps",
                        offset: 8,
                        shape: trace::Shape::Array(
                            3,
                            16,
                            &trace::Shape::Struct(&[
                                trace::Field { name: "ticks", offset: 0, shape: trace::Shape::Unsigned(8) },
                                trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(2) },
                                trace::Field { name: "last", offset: 10, shape: trace::Shape::Bool },
                            ]),
                        ),
                    },
                    trace::Field { name: "text", offset: 56, shape: trace::Shape::TailText(400) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::PASS,
            name: "pass",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[("memory", Some(Kind::Vmo))],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[("memory", Some(Kind::Vmo))],
            }),
        },
        trace::Operation {
            number: op::COUNT,
            name: "count",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "by", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "total", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::CRASH,
            name: "crash",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::NOTE,
            name: "note",
            permission: "",
            deadline_ms: 0,
            idempotent: false,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "by", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            },
            reply: None,
        },
        trace::Operation {
            number: op::DOOM,
            name: "doom",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::WAIT,
            name: "wait",
            permission: "",
            deadline_ms: 300,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "released", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::RELEASE,
            name: "release",
            permission: "",
            deadline_ms: 1000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "mark", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "released", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
    ],
    errors: &[(3, "Invalid"), (6, "NotReady")],
};
