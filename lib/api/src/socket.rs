//! The network for programs: echo, datagrams and streams over IPv4.
//!
//! Served by `netstackd`. What a client opens is its own and ends with its channel. An address is four numbers, as it is written.
//!
//! Generated from `idl/socket.idl` by `nexus-idlc`: change that file, then run the generator.

use nexus_wire::{
    AnyHandle, Bytes, CallError, Connector, Fault, HEADER_BYTES, Handles, Header, Link, Malformed, Outcome,
    Packet, Promise, Replier, Room, Sender, ServiceError, Sink, Source, Spec, View, Wire, answer, answered,
    empty_reply, refuse, tail, trace, write_empty,
};

/// Version of the interface.
pub const VERSION: u16 = 1;

/// Stands for name and version in the header of each message.
pub const ID: u32 = 0x91742258;

/// Largest message that a server receives: a channel's bound for its end.
pub const REQUEST_ROOM: Room = Room { bytes: 2060, handles: 0 };

/// Buffer that holds any message of the interface that does not travel in registers.
pub const BUFFER_BYTES: usize = 2060;

/// Longest datagram.
pub const MAX_DATAGRAM: usize = 1472;

/// Most bytes of a stream in one call.
pub const MAX_DATA: usize = 2048;

/// Numbers of the operations.
pub mod op {
    /// `status`.
    pub const STATUS: u16 = 1;
    /// `ping`.
    pub const PING: u16 = 2;
    /// `udp_open`.
    pub const UDP_OPEN: u16 = 3;
    /// `udp_send`.
    pub const UDP_SEND: u16 = 4;
    /// `udp_receive`.
    pub const UDP_RECEIVE: u16 = 5;
    /// `tcp_connect`.
    pub const TCP_CONNECT: u16 = 6;
    /// `tcp_listen`.
    pub const TCP_LISTEN: u16 = 7;
    /// `tcp_accept`.
    pub const TCP_ACCEPT: u16 = 8;
    /// `tcp_send`.
    pub const TCP_SEND: u16 = 9;
    /// `tcp_receive`.
    pub const TCP_RECEIVE: u16 = 10;
    /// `close`.
    pub const CLOSE: u16 = 11;
}

/// What the service can answer instead of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such socket of this client.
    NotFound = 1,
    /// The port is in use.
    Exists = 2,
    /// An address, port or size that cannot be.
    Invalid = 3,
    /// As many sockets are open as can be, by this client or by all.
    QuotaExceeded = 5,
    /// There is no address yet, no room, or a later call of this kind waits at the socket.
    NotReady = 6,
    /// Nobody answers there.
    Unreachable = 12,
    /// The connection has ended, or was refused.
    Closed = 13,
}

impl Error {
    /// Every error, in the order of its number.
    pub const ALL: &'static [Error] = &[
        Error::NotFound,
        Error::Exists,
        Error::Invalid,
        Error::QuotaExceeded,
        Error::NotReady,
        Error::Unreachable,
        Error::Closed,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Error::NotFound => "NotFound",
            Error::Exists => "Exists",
            Error::Invalid => "Invalid",
            Error::QuotaExceeded => "QuotaExceeded",
            Error::NotReady => "NotReady",
            Error::Unreachable => "Unreachable",
            Error::Closed => "Closed",
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

impl StatusReply {
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
        packet.write_words(Header::new(ID, op::STATUS), Self::MOST, |out| {
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

/// The request of [`Client::ping`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingRequest {
    /// The argument `address`.
    pub address: [u8; 4],
}

impl PingRequest {
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
        packet.write_words(Header::new(ID, op::PING), Self::MOST, |out| {
            self.address.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { address: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::ping`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingReply {
    /// How long it took, in microseconds.
    pub micros: u64,
}

impl PingReply {
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
        packet.write_words(Header::new(ID, op::PING), Self::MOST, |out| {
            self.micros.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { micros: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::udp_open`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpOpenRequest {
    /// Its port; 0 is any.
    pub port: u16,
}

impl UdpOpenRequest {
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
        packet.write_words(Header::new(ID, op::UDP_OPEN), Self::MOST, |out| {
            self.port.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { port: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::udp_open`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpOpenReply {
    /// Its name.
    pub socket: u32,
    /// Its port.
    pub port: u16,
}

impl UdpOpenReply {
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
        packet.write_words(Header::new(ID, op::UDP_OPEN), Self::MOST, |out| {
            self.socket.encode(out, 8);
            self.port.encode(out, 12);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)?, port: Wire::decode(&input, 12)? })
    }
}

/// The request of [`Client::udp_send`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpSendRequest<'a> {
    /// Through which socket.
    pub socket: u32,
    /// To whom.
    pub address: [u8; 4],
    /// To which port.
    pub port: u16,
    /// What.
    pub data: Bytes<'a, 1472>,
}

impl<'a> UdpSendRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 18;
    /// Most bytes that it takes.
    pub const MOST: usize = 1490;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::UDP_SEND), Self::LEAST + self.data.len(), |out| {
            self.socket.encode(out, 8);
            self.address.encode(out, 12);
            self.port.encode(out, 16);
            out.bytes(18, &self.data);
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
            socket: Wire::decode(&input, 8)?,
            address: Wire::decode(&input, 12)?,
            port: Wire::decode(&input, 16)?,
            data: tail(input.get(18..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::udp_receive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpReceiveRequest {
    /// The argument `socket`.
    pub socket: u32,
}

impl UdpReceiveRequest {
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
        packet.write_words(Header::new(ID, op::UDP_RECEIVE), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::udp_receive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpReceiveReply<'a> {
    /// From whom.
    pub address: [u8; 4],
    /// From which port.
    pub port: u16,
    /// What.
    pub data: Bytes<'a, 1472>,
}

impl<'a> UdpReceiveReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 14;
    /// Most bytes that it takes.
    pub const MOST: usize = 1486;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::UDP_RECEIVE), Self::LEAST + self.data.len(), |out| {
            self.address.encode(out, 8);
            self.port.encode(out, 12);
            out.bytes(14, &self.data);
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
            address: Wire::decode(&input, 8)?,
            port: Wire::decode(&input, 12)?,
            data: tail(input.get(14..).ok_or(Malformed)?)?,
        })
    }
}

/// The request of [`Client::tcp_connect`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpConnectRequest {
    /// The argument `address`.
    pub address: [u8; 4],
    /// The argument `port`.
    pub port: u16,
}

impl TcpConnectRequest {
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
        packet.write_words(Header::new(ID, op::TCP_CONNECT), Self::MOST, |out| {
            self.address.encode(out, 8);
            self.port.encode(out, 12);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { address: Wire::decode(&input, 8)?, port: Wire::decode(&input, 12)? })
    }
}

/// The reply of [`Client::tcp_connect`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpConnectReply {
    /// The connection.
    pub socket: u32,
}

impl TcpConnectReply {
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
        packet.write_words(Header::new(ID, op::TCP_CONNECT), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::tcp_listen`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpListenRequest {
    /// The argument `port`.
    pub port: u16,
}

impl TcpListenRequest {
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
        packet.write_words(Header::new(ID, op::TCP_LISTEN), Self::MOST, |out| {
            self.port.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { port: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::tcp_listen`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpListenReply {
    /// The socket to accept connections with.
    pub socket: u32,
}

impl TcpListenReply {
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
        packet.write_words(Header::new(ID, op::TCP_LISTEN), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::tcp_accept`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpAcceptRequest {
    /// The argument `socket`.
    pub socket: u32,
}

impl TcpAcceptRequest {
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
        packet.write_words(Header::new(ID, op::TCP_ACCEPT), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::tcp_accept`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpAcceptReply {
    /// The connection.
    pub connection: u32,
    /// With whom.
    pub address: [u8; 4],
    /// And through which of their ports.
    pub port: u16,
}

impl TcpAcceptReply {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 18;
    /// Most bytes that it takes.
    pub const MOST: usize = 18;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = false;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_words(Header::new(ID, op::TCP_ACCEPT), Self::MOST, |out| {
            self.connection.encode(out, 8);
            self.address.encode(out, 12);
            self.port.encode(out, 16);
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
            connection: Wire::decode(&input, 8)?,
            address: Wire::decode(&input, 12)?,
            port: Wire::decode(&input, 16)?,
        })
    }
}

/// The request of [`Client::tcp_send`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpSendRequest<'a> {
    /// The argument `socket`.
    pub socket: u32,
    /// The argument `data`.
    pub data: Bytes<'a, 2048>,
}

impl<'a> TcpSendRequest<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 12;
    /// Most bytes that it takes.
    pub const MOST: usize = 2060;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::TCP_SEND), Self::LEAST + self.data.len(), |out| {
            self.socket.encode(out, 8);
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
        Ok(Self { socket: Wire::decode(&input, 8)?, data: tail(input.get(12..).ok_or(Malformed)?)? })
    }
}

/// The reply of [`Client::tcp_send`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpSendReply {
    /// How many.
    pub count: u16,
}

impl TcpSendReply {
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
        packet.write_words(Header::new(ID, op::TCP_SEND), Self::MOST, |out| {
            self.count.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { count: Wire::decode(&input, 8)? })
    }
}

/// The request of [`Client::tcp_receive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpReceiveRequest {
    /// The argument `socket`.
    pub socket: u32,
}

impl TcpReceiveRequest {
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
        packet.write_words(Header::new(ID, op::TCP_RECEIVE), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
    }
}

/// The reply of [`Client::tcp_receive`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpReceiveReply<'a> {
    /// What has come; nothing at the end of the stream.
    pub data: Bytes<'a, 2048>,
}

impl<'a> TcpReceiveReply<'a> {
    /// Fewest bytes that it takes.
    pub const LEAST: usize = 8;
    /// Most bytes that it takes.
    pub const MOST: usize = 2056;
    /// Handles that it carries.
    pub const HANDLES: usize = 0;
    /// Whether it borrows from the packet that it is decoded from.
    pub const BORROWS: bool = true;

    /// Writes it to a packet.
    pub fn encode<H>(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {
        packet.write_bytes(Header::new(ID, op::TCP_RECEIVE), Self::LEAST + self.data.len(), |out| {
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

/// The request of [`Client::close`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseRequest {
    /// The argument `socket`.
    pub socket: u32,
}

impl CloseRequest {
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
        packet.write_words(Header::new(ID, op::CLOSE), Self::MOST, |out| {
            self.socket.encode(out, 8);
        });
        Ok(())
    }

    /// Reads it. Every part is checked; handles that do not do are closed.
    pub fn decode<H>(view: View<'_>, handles: &mut Handles<H>) -> Result<Self, Malformed> {
        let input = view.exact_words(Self::MOST)?;
        if handles.len() != Self::HANDLES {
            return Err(Malformed);
        }
        Ok(Self { socket: Wire::decode(&input, 8)? })
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

    /// How the machine is connected.
    pub fn status(&mut self) -> Result<StatusReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::STATUS,
            deadline_ms: 2000,
            room: Room { bytes: 36, handles: 0 },
        };
        let request = StatusRequest {};
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(StatusReply::decode(view, &mut handles)?)
    }

    /// Sends an echo request and waits for the answer.
    pub fn ping(&mut self, address: [u8; 4]) -> Result<PingReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::PING,
            deadline_ms: 5000,
            room: Room { bytes: 16, handles: 0 },
        };
        let request = PingRequest { address };
        let packet =
            self.link.call_idempotent(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(PingReply::decode(view, &mut handles)?)
    }

    /// Opens a socket for datagrams.
    pub fn udp_open(&mut self, port: u16) -> Result<UdpOpenReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UDP_OPEN,
            deadline_ms: 2000,
            room: Room { bytes: 14, handles: 0 },
        };
        let request = UdpOpenRequest { port };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(UdpOpenReply::decode(view, &mut handles)?)
    }

    /// Sends a datagram. It may be lost.
    pub fn udp_send(
        &mut self,
        socket: u32,
        address: [u8; 4],
        port: u16,
        data: Bytes<'_, 1472>,
    ) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UDP_SEND,
            deadline_ms: 2000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = UdpSendRequest { socket, address, port, data };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }

    /// Waits for a datagram.
    pub fn udp_receive(&mut self, socket: u32) -> Result<UdpReceiveReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::UDP_RECEIVE,
            deadline_ms: 60000,
            room: Room { bytes: 1486, handles: 0 },
        };
        let request = UdpReceiveRequest { socket };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(UdpReceiveReply::decode(view, &mut handles)?)
    }

    /// Connects.
    pub fn tcp_connect(&mut self, address: [u8; 4], port: u16) -> Result<TcpConnectReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TCP_CONNECT,
            deadline_ms: 30000,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = TcpConnectRequest { address, port };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(TcpConnectReply::decode(view, &mut handles)?)
    }

    /// Listens at a port.
    pub fn tcp_listen(&mut self, port: u16) -> Result<TcpListenReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TCP_LISTEN,
            deadline_ms: 2000,
            room: Room { bytes: 12, handles: 0 },
        };
        let request = TcpListenRequest { port };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(TcpListenReply::decode(view, &mut handles)?)
    }

    /// Waits for a connection.
    pub fn tcp_accept(&mut self, socket: u32) -> Result<TcpAcceptReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TCP_ACCEPT,
            deadline_ms: 60000,
            room: Room { bytes: 18, handles: 0 },
        };
        let request = TcpAcceptRequest { socket };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(TcpAcceptReply::decode(view, &mut handles)?)
    }

    /// Waits until some of the bytes are on their way: as many as there is room for.
    pub fn tcp_send(&mut self, socket: u32, data: Bytes<'_, 2048>) -> Result<TcpSendReply, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TCP_SEND,
            deadline_ms: 60000,
            room: Room { bytes: 10, handles: 0 },
        };
        let request = TcpSendRequest { socket, data };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, false)?;
        Ok(TcpSendReply::decode(view, &mut handles)?)
    }

    /// Waits for bytes.
    pub fn tcp_receive(&mut self, socket: u32) -> Result<TcpReceiveReply<'_>, CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::TCP_RECEIVE,
            deadline_ms: 60000,
            room: Room { bytes: 2056, handles: 0 },
        };
        let request = TcpReceiveRequest { socket };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, mut handles) = answered(packet, &SPEC, true)?;
        Ok(TcpReceiveReply::decode(view, &mut handles)?)
    }

    /// Closes a socket. What was sent goes on its way; calls that wait there are answered `Closed`.
    pub fn close(&mut self, socket: u32) -> Result<(), CallError<Error>> {
        const SPEC: Spec = Spec {
            interface: ID,
            operation: op::CLOSE,
            deadline_ms: 2000,
            room: Room { bytes: HEADER_BYTES, handles: 0 },
        };
        let request = CloseRequest { socket };
        let packet = self.link.call_once(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?;
        let (view, handles) = answered(packet, &SPEC, false)?;
        Ok(empty_reply(view, &handles)?)
    }
}

/// The answer that is owed to a caller of [`Client::ping`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct PingPromise(Promise);

impl PingPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<PingReply, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::PING), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The answer that is owed to a caller of [`Client::udp_receive`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct UdpReceivePromise(Promise);

impl UdpReceivePromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<UdpReceiveReply<'_>, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::UDP_RECEIVE), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The answer that is owed to a caller of [`Client::tcp_connect`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct TcpConnectPromise(Promise);

impl TcpConnectPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<TcpConnectReply, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::TCP_CONNECT), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The answer that is owed to a caller of [`Client::tcp_accept`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct TcpAcceptPromise(Promise);

impl TcpAcceptPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<TcpAcceptReply, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::TCP_ACCEPT), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The answer that is owed to a caller of [`Client::tcp_send`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct TcpSendPromise(Promise);

impl TcpSendPromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<TcpSendReply, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::TCP_SEND), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The answer that is owed to a caller of [`Client::tcp_receive`].
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a caller waits for this answer"]
pub struct TcpReceivePromise(Promise);

impl TcpReceivePromise {
    /// Answers. A caller that is gone meanwhile is no error.
    pub fn keep<R: Replier>(self, replier: &mut R, result: Result<TcpReceiveReply<'_>, Error>) {
        replier.reply(self.0, |packet| {
            answer(packet, Header::new(ID, op::TCP_RECEIVE), result, |reply, packet| reply.encode(packet))
        });
    }
}

/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.
pub trait Server {
    /// How the machine is connected.
    fn status(&mut self, sender: Sender) -> Result<StatusReply, Error>;

    /// Sends an echo request and waits for the answer.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn ping(
        &mut self,
        sender: Sender,
        promise: PingPromise,
        address: [u8; 4],
    ) -> Result<Option<PingReply>, Error>;

    /// Opens a socket for datagrams.
    fn udp_open(&mut self, sender: Sender, port: u16) -> Result<UdpOpenReply, Error>;

    /// Sends a datagram. It may be lost.
    fn udp_send(
        &mut self,
        sender: Sender,
        socket: u32,
        address: [u8; 4],
        port: u16,
        data: Bytes<'_, 1472>,
    ) -> Result<(), Error>;

    /// Waits for a datagram.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn udp_receive(
        &mut self,
        sender: Sender,
        promise: UdpReceivePromise,
        socket: u32,
    ) -> Result<Option<UdpReceiveReply<'_>>, Error>;

    /// Connects.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn tcp_connect(
        &mut self,
        sender: Sender,
        promise: TcpConnectPromise,
        address: [u8; 4],
        port: u16,
    ) -> Result<Option<TcpConnectReply>, Error>;

    /// Listens at a port.
    fn tcp_listen(&mut self, sender: Sender, port: u16) -> Result<TcpListenReply, Error>;

    /// Waits for a connection.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn tcp_accept(
        &mut self,
        sender: Sender,
        promise: TcpAcceptPromise,
        socket: u32,
    ) -> Result<Option<TcpAcceptReply>, Error>;

    /// Waits until some of the bytes are on their way: as many as there is room for.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn tcp_send(
        &mut self,
        sender: Sender,
        promise: TcpSendPromise,
        socket: u32,
        data: Bytes<'_, 2048>,
    ) -> Result<Option<TcpSendReply>, Error>;

    /// Waits for bytes.
    ///
    /// `None` keeps the call open: its answer comes through `promise`.
    fn tcp_receive(
        &mut self,
        sender: Sender,
        promise: TcpReceivePromise,
        socket: u32,
    ) -> Result<Option<TcpReceiveReply<'_>>, Error>;

    /// Closes a socket. What was sent goes on its way; calls that wait there are answered `Closed`.
    fn close(&mut self, sender: Sender, socket: u32) -> Result<(), Error>;
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
        Some(op::PING) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = PingRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.ping(sender, PingPromise(owed), request.address);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::PING), result, |reply, packet| reply.encode(packet))
        }
        Some(op::UDP_OPEN) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = UdpOpenRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.udp_open(sender, request.port);
            answer(packet, Header::new(ID, op::UDP_OPEN), result, |reply, packet| reply.encode(packet))
        }
        Some(op::UDP_SEND) if is_call => {
            let (view, handles) = packet.open(true);
            let Ok(request) = UdpSendRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.udp_send(sender, request.socket, request.address, request.port, request.data);
            answer(packet, Header::new(ID, op::UDP_SEND), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::UDP_SEND))
            })
        }
        Some(op::UDP_RECEIVE) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = UdpReceiveRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.udp_receive(sender, UdpReceivePromise(owed), request.socket);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::UDP_RECEIVE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TCP_CONNECT) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = TcpConnectRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.tcp_connect(sender, TcpConnectPromise(owed), request.address, request.port);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::TCP_CONNECT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TCP_LISTEN) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = TcpListenRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.tcp_listen(sender, request.port);
            answer(packet, Header::new(ID, op::TCP_LISTEN), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TCP_ACCEPT) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = TcpAcceptRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.tcp_accept(sender, TcpAcceptPromise(owed), request.socket);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::TCP_ACCEPT), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TCP_SEND) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(true);
            let Ok(request) = TcpSendRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.tcp_send(sender, TcpSendPromise(owed), request.socket, request.data);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::TCP_SEND), result, |reply, packet| reply.encode(packet))
        }
        Some(op::TCP_RECEIVE) if is_call => {
            let owed = Promise { token: sender.token, room: packet.room };
            let (view, handles) = packet.open(false);
            let Ok(request) = TcpReceiveRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.tcp_receive(sender, TcpReceivePromise(owed), request.socket);
            let Some(result) = result.transpose() else {
                packet.reset();
                return Outcome::Kept;
            };
            answer(packet, Header::new(ID, op::TCP_RECEIVE), result, |reply, packet| reply.encode(packet))
        }
        Some(op::CLOSE) if is_call => {
            let (view, handles) = packet.open(false);
            let Ok(request) = CloseRequest::decode(view, handles) else {
                return refuse(packet, ID, is_call);
            };
            let result = server.close(sender, request.socket);
            answer(packet, Header::new(ID, op::CLOSE), result, |(), packet| {
                write_empty(packet, Header::new(ID, op::CLOSE))
            })
        }
        _ => refuse(packet, ID, is_call),
    }
}

/// The interface for tools that show messages.
pub const INTERFACE: trace::Interface = trace::Interface {
    name: "socket",
    version: VERSION,
    id: ID,
    operations: &[
        trace::Operation {
            number: op::STATUS,
            name: "status",
            permission: "",
            deadline_ms: 2000,
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
            number: op::PING,
            name: "ping",
            permission: "",
            deadline_ms: 5000,
            idempotent: true,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field {
                    name: "address",
                    offset: 8,
                    shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 16,
                most: 16,
                fields: &[trace::Field { name: "micros", offset: 8, shape: trace::Shape::Unsigned(8) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::UDP_OPEN,
            name: "udp_open",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "port", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 14,
                most: 14,
                fields: &[
                    trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "port", offset: 12, shape: trace::Shape::Unsigned(2) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::UDP_SEND,
            name: "udp_send",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 18,
                most: 1490,
                fields: &[
                    trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "address",
                        offset: 12,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "port", offset: 16, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "data", offset: 18, shape: trace::Shape::TailBytes(1472) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
        trace::Operation {
            number: op::UDP_RECEIVE,
            name: "udp_receive",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 14,
                most: 1486,
                fields: &[
                    trace::Field {
                        name: "address",
                        offset: 8,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "port", offset: 12, shape: trace::Shape::Unsigned(2) },
                    trace::Field { name: "data", offset: 14, shape: trace::Shape::TailBytes(1472) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TCP_CONNECT,
            name: "tcp_connect",
            permission: "",
            deadline_ms: 30000,
            idempotent: false,
            request: trace::Layout {
                least: 14,
                most: 14,
                fields: &[
                    trace::Field {
                        name: "address",
                        offset: 8,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "port", offset: 12, shape: trace::Shape::Unsigned(2) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TCP_LISTEN,
            name: "tcp_listen",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "port", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TCP_ACCEPT,
            name: "tcp_accept",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 18,
                most: 18,
                fields: &[
                    trace::Field { name: "connection", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field {
                        name: "address",
                        offset: 12,
                        shape: trace::Shape::Array(4, 1, &trace::Shape::Unsigned(1)),
                    },
                    trace::Field { name: "port", offset: 16, shape: trace::Shape::Unsigned(2) },
                ],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TCP_SEND,
            name: "tcp_send",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 2060,
                fields: &[
                    trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) },
                    trace::Field { name: "data", offset: 12, shape: trace::Shape::TailBytes(2048) },
                ],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 10,
                most: 10,
                fields: &[trace::Field { name: "count", offset: 8, shape: trace::Shape::Unsigned(2) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::TCP_RECEIVE,
            name: "tcp_receive",
            permission: "",
            deadline_ms: 60000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout {
                least: 8,
                most: 2056,
                fields: &[trace::Field { name: "data", offset: 8, shape: trace::Shape::TailBytes(2048) }],
                handles: &[],
            }),
        },
        trace::Operation {
            number: op::CLOSE,
            name: "close",
            permission: "",
            deadline_ms: 2000,
            idempotent: false,
            request: trace::Layout {
                least: 12,
                most: 12,
                fields: &[trace::Field { name: "socket", offset: 8, shape: trace::Shape::Unsigned(4) }],
                handles: &[],
            },
            reply: Some(trace::Layout { least: 8, most: 8, fields: &[], handles: &[] }),
        },
    ],
    errors: &[
        (1, "NotFound"),
        (2, "Exists"),
        (3, "Invalid"),
        (5, "QuotaExceeded"),
        (6, "NotReady"),
        (12, "Unreachable"),
        (13, "Closed"),
    ],
};
