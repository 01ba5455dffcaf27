//! One partition of a disk, or a whole disk: sectors that are read into and written from memory which client and driver share.
//!
//! Served by `virtioblkd` over the endpoints that the interface `disk` hands out. When the driver dies, so do endpoint and memory:
//! whoever can repeat what it asked for opens the partition anew. A request that was not answered was done, or not, or in part.
//!
//! Generated from `idl/block.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_abi::{Kind, Rights};
use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, HandleOf, Handles, Header, Held, Link, Malformed,
    Outcome, Packet, Promise, Replier, Room, Sender, ServiceError, Sink, Source, Spec, View, Wire, answer,
    answered, empty_reply, kinds, refuse, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x320a0972;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 528, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 528;

/// Bytes of a sector.
pub const SECTOR_BYTES: usize = 512;

/// Most bytes of memory that are shared over one endpoint.
pub const MAX_BUFFER: usize = 4194304;

/// Most transfers of one request.
pub const MAX_TRANSFERS: usize = 32;

/// Numbers of the operations.
pub mod op {
    /// `info`.
    pub const INFO: u16 = 1;
    /// `share`.
    pub const SHARE: u16 = 2;
    /// `read`.
    pub const READ: u16 = 3;
    /// `write`.
    pub const WRITE: u16 = 4;
    /// `flush`.
    pub const FLUSH: u16 = 5;
    /// `batch`.
    pub const BATCH: u16 = 6;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// The memory has been handed over already.
    Exists = 2,
    /// A transfer outside the partition or the shared memory, of no sector, at an odd place, or no transfer at all.
    Invalid = 3,
    /// There is no memory left of what this process may share: what it keeps of earlier sessions counts.
    QuotaExceeded = 5,
    /// So many requests of this endpoint wait that one more is not taken.
    NotReady = 6,
    /// The kernel refused for another reason.
    Kernel = 8,
    /// The partition can only be read.
    ReadOnly = 9,
    /// The device could not do it.
    Io = 10,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[
        Error::Exists,
        Error::Invalid,
        Error::QuotaExceeded,
        Error::NotReady,
        Error::Kernel,
        Error::ReadOnly,
        Error::Io,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::Exists => "Exists",
            Error::Invalid => "Invalid",
            Error::QuotaExceeded => "QuotaExceeded",
            Error::NotReady => "NotReady",
            Error::Kernel => "Kernel",
            Error::ReadOnly => "ReadOnly",
            Error::Io => "Io",
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

/// Which way a transfer goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Direction {
    /// From the disk.
    Read = 1,
    /// To the disk.
    Write = 2,
}

impl Direction {
    /// Every value, in the order of its number.
    pub const ALL: &'static [Direction] = &[Direction::Read, Direction::Write];
}

impl<'a> Wire<'a> for Direction {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            1 => Ok(Direction::Read),
            2 => Ok(Direction::Write),
            _ => Err(Malformed),
        }
    }
}

/// Sectors that are moved. What is 0 in all fields is no transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// First sector, from the beginning of the partition.
    pub sector: u64,
    /// Where in the shared memory; a multiple of `SECTOR_BYTES`.
    pub offset: u32,
    /// How many sectors: at least one.
    pub count: u32,
}

impl<'a> Wire<'a> for Transfer {
    const SIZE: usize = 16;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        self.sector.encode(sink, at);
        self.offset.encode(sink, at + 8);
        self.count.encode(sink, at + 12);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        Ok(Self {
            sector: Wire::decode(source, at)?,
            offset: Wire::decode(source, at + 8)?,
            count: Wire::decode(source, at + 12)?,
        })
    }
}

/// The request of [`Client::info`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InfoRequest {}

impl InfoRequest {
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
        packet.write_words(Header::new(ID, op::INFO), Self::MOST, |_| {});
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

/// The reply of [`Client::info`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InfoReply {
    /// Sectors that it has.
    pub sectors: u64,
    /// Whether it can only be read.
    pub read_only: bool,
}

impl InfoReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 17;
    /// Most bytes that it takes.
    pub const MOST: usize = 17;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::INFO), Self::MOST, |out| {
            self.sectors.encode(out, 8);
            self.read_only.encode(out, 16);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { sectors: Wire::decode(&input, 8)?, read_only: Wire::decode(&input, 16)? })
    }
}

/// The request of [`Client::share`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShareRequest {
    /// Its bytes, at least one; rounded up to whole pages.
    pub bytes: u32,
}

impl ShareRequest {
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
        packet.write_words(Header::new(ID, op::SHARE), Self::MOST, |out| {
            self.bytes.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { bytes: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::share`].
#[derive(PartialEq, Debug)]
pub struct ShareReply<H> {
    /// It. Nobody can seal it.
    pub memory: Held<H, kinds::Vmo>,
}

impl<H: AnyHandle> ShareReply<H> {
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
        packet.write_words(Header::new(ID, op::SHARE), Self::MOST, |_| {});
        packet.handles.push(self.memory.into_inner()).map_err(|_| Fault::NoRoom)?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let _ = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { memory: handles.receive(0, Rights::READ.union(Rights::WRITE))? })
    }
}

/// The request of [`Client::read`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {
    /// The argument `transfer`.
    pub transfer: Transfer,
}

impl ReadRequest {
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
        packet.write_words(Header::new(ID, op::READ), Self::MOST, |out| {
            self.transfer.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { transfer: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::write`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteRequest {
    /// The argument `transfer`.
    pub transfer: Transfer,
}

impl WriteRequest {
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
        packet.write_words(Header::new(ID, op::WRITE), Self::MOST, |out| {
            self.transfer.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { transfer: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::flush`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlushRequest {}

impl FlushRequest {
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
        packet.write_words(Header::new(ID, op::FLUSH), Self::MOST, |_| {});
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

/// The request of [`Client::batch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRequest {
    /// Which way all of them go.
    pub direction: Direction,
    /// Whether a flush follows.
    pub flush: bool,
    /// How many of `transfers` there are; the others are not looked at.
    pub count: u16,
    /// Each as in `read` and `write`.
    pub transfers: [Transfer; 32],
}

impl BatchRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 528;
    /// Most bytes that it takes.
    pub const MOST: usize = 528;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::BATCH), Self::MOST, |out| {
            self.direction.encode(out, 8);
            self.flush.encode(out, 9);
            self.count.encode(out, 10);
            self.transfers.encode(out, 16);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(12, 4)?;
        Ok(Self {
            direction: Wire::decode(&input, 8)?,
            flush: Wire::decode(&input, 9)?,
            count: Wire::decode(&input, 10)?,
            transfers: Wire::decode(&input, 16)?,
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

    /// What the partition is.
    pub fn info(&mut self) -> Result<InfoReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::INFO,
            deadline_ms: 2000,
            room: Room { bytes: 17, handles: 0 },
        };
        let request = InfoRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(InfoReply::decode(view, &mut handles)?)
    }

    /// Has memory made that is shared from then on. It can be asked for once.
    pub fn share(&mut self, bytes: u32) -> Result<ShareReply<HandleOf<C>>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::SHARE,
            deadline_ms: 2000,
            room: Room { bytes: 8, handles: 1 },
        };
        let request = ShareRequest { bytes };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(ShareReply::decode(view, &mut handles)?)
    }

    /// Reads sectors.
    pub fn read(&mut self, transfer: Transfer) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::READ,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = ReadRequest { transfer };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Writes sectors. They are safe from a power cut only after a flush.
    pub fn write(&mut self, transfer: Transfer) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::WRITE,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = WriteRequest { transfer };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Is answered when everything that was written, and answered, before it is safe from a power cut.
    pub fn flush(&mut self) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::FLUSH,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = FlushRequest {};
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Several transfers, in any order, and after all of them a flush if that is asked for. When one fails the others may have been done, and there is no flush.
    pub fn batch(
        &mut self,
        direction: Direction,
        flush: bool,
        count: u16,
        transfers: [Transfer; 32],
    ) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::BATCH,
            deadline_ms: 30000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = BatchRequest { direction, flush, count, transfers };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::read`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct ReadPromise(Promise);

impl ReadPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<(), Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::READ), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::READ))
            })
        });
    }
}

/// The answer that is owed to a caller of [`Client::write`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct WritePromise(Promise);

impl WritePromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<(), Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::WRITE), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::WRITE))
            })
        });
    }
}

/// The answer that is owed to a caller of [`Client::flush`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct FlushPromise(Promise);

impl FlushPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<(), Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::FLUSH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::FLUSH))
            })
        });
    }
}

/// The answer that is owed to a caller of [`Client::batch`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct BatchPromise(Promise);

impl BatchPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<(), Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::BATCH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::BATCH))
            })
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server<H: AnyHandle> {
    /// What the partition is.
    fn info(&mut self, sender: Sender) -> Result<InfoReply, Error>;

    /// Has memory made that is shared from then on. It can be asked for once.
    fn share(&mut self, sender: Sender, bytes: u32) -> Result<ShareReply<H>, Error>;

    /// Reads sectors.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn read(&mut self, sender: Sender, promise: ReadPromise, transfer: Transfer)
    -> Result<Option<()>, Error>;

    /// Writes sectors. They are safe from a power cut only after a flush.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn write(
        &mut self,
        sender: Sender,
        promise: WritePromise,
        transfer: Transfer,
    ) -> Result<Option<()>, Error>;

    /// Is answered when everything that was written, and answered, before it is safe from a power cut.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn flush(&mut self, sender: Sender, promise: FlushPromise) -> Result<Option<()>, Error>;

    /// Several transfers, in any order, and after all of them a flush if that is asked for. When one fails the others may have been done, and there is no flush.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn batch(
        &mut self,
        sender: Sender,
        promise: BatchPromise,
        direction: Direction,
        flush: bool,
        count: u16,
        transfers: [Transfer; 32],
    ) -> Result<Option<()>, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server<H>>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::INFO) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = InfoRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.info(sender);
            answer(packet, Header::new(ID, op::INFO), result, |reply, packet| reply.encode(packet))
        }
        Some(op::SHARE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ShareRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.share(sender, request.bytes);
            answer(packet, Header::new(ID, op::SHARE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::READ) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = ReadRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.read(sender, ReadPromise(owed), request.transfer);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::READ), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::READ))
            })
        }
        Some(op::WRITE) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = WriteRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.write(sender, WritePromise(owed), request.transfer);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::WRITE), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::WRITE))
            })
        }
        Some(op::FLUSH) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(_) = FlushRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.flush(sender, FlushPromise(owed));
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::FLUSH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::FLUSH))
            })
        }
        Some(op::BATCH) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = BatchRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.batch(
                sender,
                BatchPromise(owed),
                request.direction,
                request.flush,
                request.count,
                request.transfers,
            );
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::BATCH), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::BATCH))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "block",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::INFO,
            name: "info",
            permission: "",
            deadline_ms: 2000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 17,
                most: 17,
                fields: &[
                    trace::Field { name: "sectors", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "read_only", offset: 16, shape: trace::Shape::Bool },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::SHARE,
            name: "share",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "bytes", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 8,
                fields: &[],
                handles: &[("memory", Some(Kind::Vmo))],
            }),
        },
        trace::Operation {
            number: op::READ,
            name: "read",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "transfer",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "sector", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "offset", offset: 8, shape: trace::Shape::Unsigned(4) },
                        trace::Field { name: "count", offset: 12, shape: trace::Shape::Unsigned(4) },
                    ]),
                }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::WRITE,
            name: "write",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 24,
                most: 24,
                fields: &[trace::Field {
                    name: "transfer",
                    offset: 8,
                    shape: trace::Shape::Struct(&[
                        trace::Field { name: "sector", offset: 0, shape: trace::Shape::Unsigned(8) },
                        trace::Field { name: "offset", offset: 8, shape: trace::Shape::Unsigned(4) },
                        trace::Field { name: "count", offset: 12, shape: trace::Shape::Unsigned(4) },
                    ]),
                }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::FLUSH,
            name: "flush",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::BATCH,
            name: "batch",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 528,
                most: 528,
                fields: &[
                    trace::Field {
                        name: "direction",
                        offset: 8,
                        shape: trace::Shape::Enum(1, &[(1, "Read"), (2, "Write")]),
                    },
                    trace::Field { name: "flush", offset: 9, shape: trace::Shape::Bool },
                    trace::Field { name: "count", offset: 10, shape: trace::Shape::Unsigned(2) },
                    trace::Field {
                        name: "transfers",
                        offset: 16,
                        shape: trace::Shape::Array(
                            32,
                            16,
                            &trace::Shape::Struct(&[
                                trace::Field { name: "sector", offset: 0, shape: trace::Shape::Unsigned(8) },
                                trace::Field { name: "offset", offset: 8, shape: trace::Shape::Unsigned(4) },
                                trace::Field { name: "count", offset: 12, shape: trace::Shape::Unsigned(4) },
                            ]),
                        ),
                    },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[
        (2, "Exists"),
        (3, "Invalid"),
        (5, "QuotaExceeded"),
        (6, "NotReady"),
        (8, "Kernel"),
        (9, "ReadOnly"),
        (10, "Io"),
    ],
};
