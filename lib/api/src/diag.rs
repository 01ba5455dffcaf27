//! What the host's tools ask of a running system.
//!
//! Served by `diagd` over the link: each message is the payload of a frame (`formats/link`), not one of a channel, and carries no handles. Who asks is not known
//! to it, so it answers whoever holds the other end of the line, and no more than the registry lets `diagd` do.
//!
//! Generated from `idl/diag.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, CallError, Connector, Fault, HEADER_BYTES, Handles, Header, Link, Malformed, Outcome, Packet,
    Promise, Replier, Room, Sender, ServiceError, Sink, Source, Spec, Text, View, Wire, answer, answered,
    empty_reply, refuse, text_tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x2dcb3966;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 39, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 514;

/// Longest name of a process.
pub const MAX_NAME: usize = 31;

/// Longest text of a record.
pub const MAX_TEXT: usize = 480;

/// What handles a process holds at once.
pub const MAX_HOLDINGS: usize = 11;

/// Numbers of the operations.
pub mod op {
    /// `machine`.
    pub const MACHINE: u16 = 1;
    /// `process`.
    pub const PROCESS: u16 = 2;
    /// `log`.
    pub const LOG: u16 = 3;
    /// `kill`.
    pub const KILL: u16 = 4;
    /// `network`.
    pub const NETWORK: u16 = 5;
    /// `holdings`.
    pub const HOLDINGS: u16 = 6;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such process, it does not run, or there is no such record yet.
    NotFound = 1,
    /// The registry of this image does not let `diagd` do that.
    PermissionDenied = 4,
    /// The service that knows does not answer now.
    NotReady = 6,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[Error::NotFound, Error::PermissionDenied, Error::NotReady];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::PermissionDenied => "PermissionDenied",
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

/// Where a process stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// Not started yet.
    Idle = 0,
    /// Started; it has not said that it does its job.
    Starting = 1,
    /// It does its job.
    Ready = 2,
    /// It ended and will be started again.
    Pausing = 3,
    /// It ended and rests.
    Ended = 4,
    /// The machine lacks its device.
    Absent = 5,
}

impl State {
    /// Every value, in the order of its number.
    pub const ALL: &'static [State] =
        &[State::Idle, State::Starting, State::Ready, State::Pausing, State::Ended, State::Absent];
}

impl<'a> Wire<'a> for State {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(State::Idle),
            1 => Ok(State::Starting),
            2 => Ok(State::Ready),
            3 => Ok(State::Pausing),
            4 => Ok(State::Ended),
            5 => Ok(State::Absent),
            _ => Err(Malformed),
        }
    }
}

/// One handle of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Its object: equal for handles of one object, and for both ends of one channel.
    pub object: u64,
    /// What the holder may do with it: bits, as in `abi/`.
    pub rights: u32,
    /// The number of its kind, as in `abi/`.
    pub kind: u16,
    /// Which end, of a channel.
    pub end: u16,
}

impl<'a> Wire<'a> for Holding {
    const SIZE: usize = 16;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        self.object.encode(sink, at);
        self.rights.encode(sink, at + 8);
        self.kind.encode(sink, at + 12);
        self.end.encode(sink, at + 14);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        Ok(Self {
            object: Wire::decode(source, at)?,
            rights: Wire::decode(source, at + 8)?,
            kind: Wire::decode(source, at + 12)?,
            end: Wire::decode(source, at + 14)?,
        })
    }
}

/// The request of [`Client::machine`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MachineRequest {}

impl MachineRequest {
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
        packet.write_words(Header::new(ID, op::MACHINE), Self::MOST, |_| {});
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

/// The reply of [`Client::machine`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MachineReply {
    /// Ticks since it was switched on.
    pub now: u64,
    /// Ticks a second.
    pub hz: u64,
    /// Damaged pieces that came over the link.
    pub damaged: u64,
}

impl MachineReply {
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
        packet.write_words(Header::new(ID, op::MACHINE), Self::MOST, |out| {
            self.now.encode(out, 8);
            self.hz.encode(out, 16);
            self.damaged.encode(out, 24);
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
            now: Wire::decode(&input, 8)?,
            hz: Wire::decode(&input, 16)?,
            damaged: Wire::decode(&input, 24)?,
        })
    }
}

/// The request of [`Client::process`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessRequest {
    /// Its place in the registry, from 0; `NotFound` past the last.
    pub index: u16,
}

impl ProcessRequest {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 10;
    /// Most bytes that it takes.
    pub const MOST: usize = 10;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::PROCESS), Self::MOST, |out| {
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

/// The reply of [`Client::process`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessReply<'a> {
    /// Its service id.
    pub service: u32,
    /// The number of its present instance; 0 while it does not run.
    pub generation: u32,
    /// Pages charged to it.
    pub pages: u64,
    /// Pages that it can charge.
    pub pages_most: u64,
    /// Processor time that it used, in ticks.
    pub cpu_ticks: u64,
    /// Handles that it holds.
    pub handles: u32,
    /// How often it was started.
    pub starts: u32,
    /// Where it stands.
    pub state: State,
    /// Its canonical name.
    pub name: Text<'a, 31>,
}

impl<'a> ProcessReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 49;
    /// Most bytes that it takes.
    pub const MOST: usize = 80;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::PROCESS), Self::LEAST + self.name.len(), |out| {
            self.service.encode(out, 8);
            self.generation.encode(out, 12);
            self.pages.encode(out, 16);
            self.pages_most.encode(out, 24);
            self.cpu_ticks.encode(out, 32);
            self.handles.encode(out, 40);
            self.starts.encode(out, 44);
            self.state.encode(out, 48);
            out.bytes(49, self.name.as_bytes());
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
            service: Wire::decode(&input, 8)?,
            generation: Wire::decode(&input, 12)?,
            pages: Wire::decode(&input, 16)?,
            pages_most: Wire::decode(&input, 24)?,
            cpu_ticks: Wire::decode(&input, 32)?,
            handles: Wire::decode(&input, 40)?,
            starts: Wire::decode(&input, 44)?,
            state: Wire::decode(&input, 48)?,
            name: text_tail(input.get(49..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::log`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogRequest {
    /// Its number; the oldest one kept from there on is answered.
    pub from: u64,
    /// Whether to wait for one that is yet to come, instead of `NotFound`. A terminal waits once: when it asks again, what it asked before is answered
    /// `NotFound`, and so is whoever waits longest when too many do.
    pub wait: bool,
}

impl LogRequest {
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
        packet.write_words(Header::new(ID, op::LOG), Self::MOST, |out| {
            self.from.encode(out, 8);
            self.wait.encode(out, 16);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { from: Wire::decode(&input, 8)?, wait: Wire::decode(&input, 16)? })
    }
}

/// The reply of [`Client::log`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogReply<'a> {
    /// Its number. The first since start is 0.
    pub sequence: u64,
    /// When it was received, in ticks.
    pub time: u64,
    /// The service id that the kernel saw; 0 is the kernel itself.
    pub service: u32,
    /// The generation of the process.
    pub generation: u32,
    /// How much it matters: 1 error, 2 warning, 3 information, 4 and 5 less.
    pub level: u8,
    /// What it is for: 0 text, 1 audit, 2 a process became ready.
    pub purpose: u8,
    /// What it says, made harmless.
    pub text: Text<'a, 480>,
}

impl<'a> LogReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 34;
    /// Most bytes that it takes.
    pub const MOST: usize = 514;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::LOG), Self::LEAST + self.text.len(), |out| {
            self.sequence.encode(out, 8);
            self.time.encode(out, 16);
            self.service.encode(out, 24);
            self.generation.encode(out, 28);
            self.level.encode(out, 32);
            self.purpose.encode(out, 33);
            out.bytes(34, self.text.as_bytes());
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
            sequence: Wire::decode(&input, 8)?,
            time: Wire::decode(&input, 16)?,
            service: Wire::decode(&input, 24)?,
            generation: Wire::decode(&input, 28)?,
            level: Wire::decode(&input, 32)?,
            purpose: Wire::decode(&input, 33)?,
            text: text_tail(input.get(34..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::kill`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KillRequest<'a> {
    /// Its canonical name.
    pub name: Text<'a, 31>,
}

impl<'a> KillRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 39;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::KILL), Self::LEAST + self.name.len(), |out| {
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

/// The request of [`Client::network`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkRequest {}

impl NetworkRequest {
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
        packet.write_words(Header::new(ID, op::NETWORK), Self::MOST, |_| {});
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

/// The reply of [`Client::network`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkReply {
    /// Whether there is an address. The rest is 0 without one.
    pub configured: bool,
    /// Bits of the address that name the network.
    pub prefix: u8,
    /// The address.
    pub address: [u8; 4],
    /// The router, if there is one.
    pub router: [u8; 4],
    /// Frames that were dropped for want of room.
    pub dropped: u64,
    /// Sockets that are open, of everybody.
    pub sockets: u32,
}

impl NetworkReply {
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
        packet.write_words(Header::new(ID, op::NETWORK), Self::MOST, |out| {
            self.configured.encode(out, 8);
            self.prefix.encode(out, 9);
            self.address.encode(out, 10);
            self.router.encode(out, 14);
            self.dropped.encode(out, 24);
            self.sockets.encode(out, 32);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(18, 6)?;
        Ok(Self {
            configured: Wire::decode(&input, 8)?,
            prefix: Wire::decode(&input, 9)?,
            address: Wire::decode(&input, 10)?,
            router: Wire::decode(&input, 14)?,
            dropped: Wire::decode(&input, 24)?,
            sockets: Wire::decode(&input, 32)?,
        })
    }
}

/// The request of [`Client::holdings`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldingsRequest {
    /// Its place in the registry, from 0.
    pub index: u16,
    /// From which entry of its handle table on.
    pub from: u32,
}

impl HoldingsRequest {
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
        packet.write_words(Header::new(ID, op::HOLDINGS), Self::MOST, |out| {
            self.index.encode(out, 8);
            self.from.encode(out, 12);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        input.zero(10, 2)?;
        Ok(Self { index: Wire::decode(&input, 8)?, from: Wire::decode(&input, 12)? })
    }
}

/// The reply of [`Client::holdings`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldingsReply {
    /// From where to ask for more; 0: there is no more.
    pub next: u32,
    /// How many there are here.
    pub count: u32,
    /// They, and then nothing.
    pub holdings: [Holding; 11],
}

impl HoldingsReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 192;
    /// Most bytes that it takes.
    pub const MOST: usize = 192;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::HOLDINGS), Self::MOST, |out| {
            self.next.encode(out, 8);
            self.count.encode(out, 12);
            self.holdings.encode(out, 16);
        })?;
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.bytes(Self::LEAST, Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self {
            next: Wire::decode(&input, 8)?,
            count: Wire::decode(&input, 12)?,
            holdings: Wire::decode(&input, 16)?,
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

    /// The machine.
    pub fn machine(&mut self) -> Result<MachineReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::MACHINE,
            deadline_ms: 3000,
            room: Room { bytes: 32, handles: 0 },
        };
        let request = MachineRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(MachineReply::decode(view, &mut handles)?)
    }

    /// What is known of a process.
    pub fn process(&mut self, index: u16) -> Result<ProcessReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PROCESS,
            deadline_ms: 3000,
            room: Room { bytes: 80, handles: 0 },
        };
        let request = ProcessRequest { index };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(ProcessReply::decode(view, &mut handles)?)
    }

    /// A record of the log.
    pub fn log(&mut self, from: u64, wait: bool) -> Result<LogReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::LOG,
            deadline_ms: 20000,
            room: Room { bytes: 514, handles: 0 },
        };
        let request = LogRequest { from, wait };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(LogReply::decode(view, &mut handles)?)
    }

    /// Ends a process, which is started again by its rule.
    pub fn kill(&mut self, name: Text<'_, 31>) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::KILL,
            deadline_ms: 3000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = KillRequest { name };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// How the machine is connected.
    pub fn network(&mut self) -> Result<NetworkReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::NETWORK,
            deadline_ms: 8000,
            room: Room { bytes: 36, handles: 0 },
        };
        let request = NetworkRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(NetworkReply::decode(view, &mut handles)?)
    }

    /// What a process holds.
    pub fn holdings(&mut self, index: u16, from: u32) -> Result<HoldingsReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::HOLDINGS,
            deadline_ms: 3000,
            room: Room { bytes: 192, handles: 0 },
        };
        let request = HoldingsRequest { index, from };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(HoldingsReply::decode(view, &mut handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::log`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct LogPromise(Promise);

impl LogPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<LogReply<'_>, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::LOG), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// The machine.
    fn machine(&mut self, sender: Sender) -> Result<MachineReply, Error>;

    /// What is known of a process.
    fn process(&mut self, sender: Sender, index: u16) -> Result<ProcessReply<'_>, Error>;

    /// A record of the log.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn log(
        &mut self,
        sender: Sender,
        promise: LogPromise,
        from: u64,
        wait: bool,
    ) -> Result<Option<LogReply<'_>>, Error>;

    /// Ends a process, which is started again by its rule.
    fn kill(&mut self, sender: Sender, name: Text<'_, 31>) -> Result<(), Error>;

    /// How the machine is connected.
    fn network(&mut self, sender: Sender) -> Result<NetworkReply, Error>;

    /// What a process holds.
    fn holdings(&mut self, sender: Sender, index: u16, from: u32) -> Result<HoldingsReply, Error>;
}

/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.
pub fn dispatch<H: AnyHandle, S: Server>(
    server: &mut S,
    sender: Sender,
    packet: &mut Packet<'_, H>,
) -> Outcome {
    let is_call = sender.is_call();
    match packet.operation(ID) {
        Some(op::MACHINE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = MachineRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.machine(sender);
            answer(packet, Header::new(ID, op::MACHINE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::PROCESS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = ProcessRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.process(sender, request.index);
            answer(packet, Header::new(ID, op::PROCESS), result, |reply, packet| reply.encode(packet))
        }
        Some(op::LOG) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = LogRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.log(sender, LogPromise(owed), request.from, request.wait);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::LOG), result, |reply, packet| reply.encode(packet))
        }
        Some(op::KILL) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = KillRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.kill(sender, request.name);
            answer(packet, Header::new(ID, op::KILL), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::KILL))
            })
        }
        Some(op::NETWORK) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(_) = NetworkRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.network(sender);
            answer(packet, Header::new(ID, op::NETWORK), result, |reply, packet| reply.encode(packet))
        }
        Some(op::HOLDINGS) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = HoldingsRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.holdings(sender, request.index, request.from);
            answer(packet, Header::new(ID, op::HOLDINGS), result, |reply, packet| reply.encode(packet))
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "diag",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::MACHINE,
            name: "machine",
            permission: "",
            deadline_ms: 3000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 32,
                most: 32,
                fields: &[
                    trace::Field { name: "now", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "hz", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "damaged", offset: 24, shape: trace::Shape::Unsigned(8) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::PROCESS,
            name: "process",
            permission: "",
            deadline_ms: 3000,
            idempotent: true,
            request: trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "index", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 49,
                most: 80,
                fields: &[
                    trace::Field { name: "service", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "generation", offset: 12, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "pages", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "pages_most", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "cpu_ticks", offset: 32, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "handles", offset: 40, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "starts", offset: 44, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "state",
                        offset: 48,
                        shape: trace::Shape::Enum(
                            1,
                            &[
                                (0, "Idle"),
                                (1, "Starting"),
                                (2, "Ready"),
                                (3, "Pausing"),
                                (4, "Ended"),
                                (5, "Absent"),
                            ],
                        ),
                    },
                    trace::Field { name: "name", offset: 49, shape: trace::Shape::TailText(31) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::LOG,
            name: "log",
            permission: "",
            deadline_ms: 20000,
            idempotent: true,
            request: trace::Layout {
                least: 17,
                most: 17,
                fields: &[
                    trace::Field { name: "from", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "wait", offset: 16, shape: trace::Shape::Bool },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 34,
                most: 514,
                fields: &[
                    trace::Field { name: "sequence", offset: 8, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "time", offset: 16, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "service", offset: 24, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "generation", offset: 28, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "level", offset: 32, shape: trace::Shape::Unsigned(1) },
                    trace::Field { name: "purpose", offset: 33, shape: trace::Shape::Unsigned(1) },
                    trace::Field { name: "text", offset: 34, shape: trace::Shape::TailText(480) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::KILL,
            name: "kill",
            permission: "",
            deadline_ms: 3000,
            idempotent: false,
            request: trace::Layout {
                least: 8,
                most: 39,
                fields: &[trace::Field { name: "name", offset: 8, shape: trace::Shape::TailText(31) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::NETWORK,
            name: "network",
            permission: "",
            deadline_ms: 8000,
            idempotent: true,
            request: trace::Layout { least: 8, most: 8, fields: &[], handles: &[] },
            reply: Some(trace::Layout {
                least: 36,
                most: 36,
                fields: &[
                    trace::Field { name: "configured", offset: 8, shape: trace::Shape::Bool },
                    trace::Field { name: "prefix", offset: 9, shape: trace::Shape::Unsigned(1) },
                    trace::Field {
                        name: "address",
                        offset: 10,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field {
                        name: "router",
                        offset: 14,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "dropped", offset: 24, shape: trace::Shape::Unsigned(8) },
                    trace::Field { name: "sockets", offset: 32, shape: trace::Shape::Unsigned(4) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::HOLDINGS,
            name: "holdings",
            permission: "",
            deadline_ms: 3000,
            idempotent: true,
            request: trace::Layout {
                least: 16,
                most: 16,
                fields: &[
                    trace::Field { name: "index", offset: 8, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "from", offset: 12, shape: trace::Shape::Unsigned(4) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 192,
                most: 192,
                fields: &[
                    trace::Field { name: "next", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "count", offset: 12, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "holdings",
                        offset: 16,
                        shape: trace::Shape::Array(
                            11,
                            16,
                            &trace::Shape::Struct(&[
                                trace::Field { name: "object", offset: 0, shape: trace::Shape::Unsigned(8) },
                                trace::Field { name: "rights", offset: 8, shape: trace::Shape::Unsigned(4) },
                                trace::Field { name: "kind", offset: 12, shape: trace::Shape::Unsigned(2) },
                                trace::Field { name: "end", offset: 14, shape: trace::Shape::Unsigned(2) },
                            ]),
                        ),
                    },
                ],
                handles: &[],
            }),
        },
    ],
    errors: &[(1, "NotFound"), (4, "PermissionDenied"), (6, "NotReady")],
};
