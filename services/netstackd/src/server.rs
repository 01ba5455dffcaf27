//! The interface `socket`: what clients ask becomes calls of the sockets, and what these finish becomes answers.

use netstackd::answer::{Answer, Error};
use netstackd::setup::Setup;
use netstackd::sockets::Sockets;
use netstackd::stack::Stack;
use nexus_rt::Server as Loop;
use nexus_rt::api::socket::{self, Error as Refusal, *};
use nexus_rt::wire::{Bytes, Sender};

use crate::time;

/// The stack and everybody's sockets.
pub struct Network {
    /// The stack.
    pub stack: Stack,
    /// The sockets.
    pub sockets: Sockets<Owed>,
    /// The card's address.
    pub address: [u8; 6],
}

impl Network {
    /// A network behind a card of that address, with no sockets yet. `None` when the address is not one of a card.
    pub fn new(address: [u8; 6], setup: Setup, seed: u64) -> Option<Network> {
        let mut stack = Stack::new(address, setup, seed, time::now())?;
        let sockets = Sockets::new(&mut stack);
        Some(Network { stack, sockets, address })
    }

    /// When it has to be turned to, if nothing happens before.
    pub fn deadline(&mut self) -> Option<u64> {
        time::earlier(self.stack.deadline(time::now()), self.sockets.deadline())
    }
}

/// An answer that is owed.
#[derive(Debug)]
pub enum Owed {
    /// Of an operation of that name.
    Ping(PingPromise),
    /// See above.
    UdpReceive(UdpReceivePromise),
    /// See above.
    TcpConnect(TcpConnectPromise),
    /// See above.
    TcpAccept(TcpAcceptPromise),
    /// See above.
    TcpSend(TcpSendPromise),
    /// See above.
    TcpReceive(TcpReceivePromise),
}

const fn refusal(error: Error) -> Refusal {
    match error {
        Error::NotFound => Refusal::NotFound,
        Error::Exists => Refusal::Exists,
        Error::Invalid => Refusal::Invalid,
        Error::QuotaExceeded => Refusal::QuotaExceeded,
        Error::NotReady => Refusal::NotReady,
        Error::Unreachable => Refusal::Unreachable,
        Error::Closed => Refusal::Closed,
    }
}

/// Answers a call. (An answer of another kind than the call cannot be: it would be told as `Invalid`.)
pub fn finish(server: &mut Loop, owed: Owed, answer: Result<Answer, Error>) {
    let answer = answer.map_err(refusal);
    match owed {
        Owed::Ping(promise) => {
            let reply = answer.and_then(|answer| match answer {
                Answer::Echo(micros) => Ok(PingReply { micros }),
                _ => Err(Refusal::Invalid),
            });
            promise.keep(server, reply);
        }
        Owed::UdpReceive(promise) => match &answer {
            Ok(Answer::Datagram(from, port, data)) => {
                let reply = Bytes::new(data).map_err(|_| Refusal::Invalid);
                let (address, port) = (from.octets(), *port);
                promise.keep(server, reply.map(|data| UdpReceiveReply { address, port, data }));
            }
            other => promise.keep(server, Err(other.as_ref().err().copied().unwrap_or(Refusal::Invalid))),
        },
        Owed::TcpConnect(promise) => {
            let reply = answer.and_then(|answer| match answer {
                Answer::Connection(socket, ..) => Ok(TcpConnectReply { socket }),
                _ => Err(Refusal::Invalid),
            });
            promise.keep(server, reply);
        }
        Owed::TcpAccept(promise) => {
            let reply = answer.and_then(|answer| match answer {
                Answer::Connection(connection, from, port) => {
                    Ok(TcpAcceptReply { connection, address: from.octets(), port })
                }
                _ => Err(Refusal::Invalid),
            });
            promise.keep(server, reply);
        }
        Owed::TcpSend(promise) => {
            let reply = answer.and_then(|answer| match answer {
                Answer::Sent(count) => {
                    Ok(TcpSendReply { count: u16::try_from(count).map_err(|_| Refusal::Invalid)? })
                }
                _ => Err(Refusal::Invalid),
            });
            promise.keep(server, reply);
        }
        Owed::TcpReceive(promise) => match &answer {
            Ok(Answer::Data(data)) => {
                let reply = Bytes::new(data).map_err(|_| Refusal::Invalid);
                promise.keep(server, reply.map(|data| TcpReceiveReply { data }));
            }
            other => promise.keep(server, Err(other.as_ref().err().copied().unwrap_or(Refusal::Invalid))),
        },
    }
}

/// The network while it handles one message; none on a machine without one.
pub struct Turn<'a>(pub Option<&'a mut Network>);

impl Turn<'_> {
    fn network(&mut self) -> Result<&mut Network, Refusal> {
        self.0.as_deref_mut().ok_or(Refusal::NotReady)
    }
}

impl socket::Server for Turn<'_> {
    fn status(&mut self, _sender: Sender) -> Result<StatusReply, Refusal> {
        let network = self.network()?;
        let (address, router) = (network.stack.address(), network.stack.router());
        Ok(StatusReply {
            configured: address.is_some(),
            prefix: address.map_or(0, |address| address.prefix_len()),
            address: address.map_or([0; 4], |address| address.address().octets()),
            router: router.map_or([0; 4], |router| router.octets()),
            dropped: network.stack.wire.dropped,
            sockets: network.sockets.count() as u32,
        })
    }

    fn ping(
        &mut self,
        sender: Sender,
        promise: PingPromise,
        address: [u8; 4],
    ) -> Result<Option<PingReply>, Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        let begun = sockets.ping(stack, sender.key, address.into(), Owed::Ping(promise), time::now());
        begun.map(|()| None).map_err(refusal)
    }

    fn udp_open(&mut self, sender: Sender, port: u16) -> Result<UdpOpenReply, Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        let (socket, port) = sockets.udp_open(stack, sender.key, port).map_err(refusal)?;
        Ok(UdpOpenReply { socket, port })
    }

    fn udp_send(
        &mut self,
        sender: Sender,
        socket: u32,
        address: [u8; 4],
        port: u16,
        data: Bytes<'_, MAX_DATAGRAM>,
    ) -> Result<(), Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        sockets.udp_send(stack, sender.key, socket, (address.into(), port), data.get()).map_err(refusal)
    }

    fn udp_receive(
        &mut self,
        sender: Sender,
        promise: UdpReceivePromise,
        socket: u32,
    ) -> Result<Option<UdpReceiveReply<'_>>, Refusal> {
        let begun = self.network()?.sockets.udp_receive(sender.key, socket, Owed::UdpReceive(promise));
        begun.map(|()| None).map_err(refusal)
    }

    fn tcp_connect(
        &mut self,
        sender: Sender,
        promise: TcpConnectPromise,
        address: [u8; 4],
        port: u16,
    ) -> Result<Option<TcpConnectReply>, Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        let to = (address.into(), port);
        let begun = sockets.tcp_connect(stack, sender.key, to, Owed::TcpConnect(promise));
        begun.map(|()| None).map_err(refusal)
    }

    fn tcp_listen(&mut self, sender: Sender, port: u16) -> Result<TcpListenReply, Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        let socket = sockets.tcp_listen(stack, sender.key, port).map_err(refusal)?;
        Ok(TcpListenReply { socket })
    }

    fn tcp_accept(
        &mut self,
        sender: Sender,
        promise: TcpAcceptPromise,
        socket: u32,
    ) -> Result<Option<TcpAcceptReply>, Refusal> {
        let begun = self.network()?.sockets.tcp_accept(sender.key, socket, Owed::TcpAccept(promise));
        begun.map(|()| None).map_err(refusal)
    }

    fn tcp_send(
        &mut self,
        sender: Sender,
        promise: TcpSendPromise,
        socket: u32,
        data: Bytes<'_, MAX_DATA>,
    ) -> Result<Option<TcpSendReply>, Refusal> {
        let sockets = &mut self.network()?.sockets;
        let begun = sockets.tcp_send(sender.key, socket, data.get(), Owed::TcpSend(promise));
        begun.map(|()| None).map_err(refusal)
    }

    fn tcp_receive(
        &mut self,
        sender: Sender,
        promise: TcpReceivePromise,
        socket: u32,
    ) -> Result<Option<TcpReceiveReply<'_>>, Refusal> {
        let begun = self.network()?.sockets.tcp_receive(sender.key, socket, Owed::TcpReceive(promise));
        begun.map(|()| None).map_err(refusal)
    }

    fn close(&mut self, sender: Sender, socket: u32) -> Result<(), Refusal> {
        let Network { stack, sockets, .. } = self.network()?;
        sockets.close(stack, sender.key, socket, time::now()).map_err(refusal)
    }
}
