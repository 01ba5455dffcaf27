//! Clients' sockets: who has which, and which call waits for what. Everything is bounded; a client can use up its own share and nobody else's.
//!
//! `P` is what an answer is owed by. A call that can be answered at once is, when the stack has next been polled.

use crate::answer::{Answer, Error, Finished};
use crate::look::{self, endpoint, stream};
use crate::ping::Pings;
use crate::setup::is_host;
use crate::stack::Stack;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{IpEndpoint, Ipv4Address};

/// Most sockets of one session, and of all: a listening one counts as one, and each connection that waits to be accepted too.
pub const MAX_OWN: usize = 8;
/// See [`MAX_OWN`].
pub const MAX_SOCKETS: usize = 32;

/// Connections that a listening socket keeps until they are accepted.
pub const BACKLOG: usize = 2;

/// Datagrams that a socket keeps, and their bytes.
pub const DATAGRAMS: usize = 8;
const DATAGRAM_BYTES: usize = 8 << 10;

/// Longest datagram that fits a frame.
pub const MAX_DATAGRAM: usize = 1472;

/// How long a closed connection may take to end, in microseconds.
const CLOSING_US: u64 = 5_000_000;

/// Ports that are given out by chance.
const FIRST_FREE_PORT: u16 = 49152;

#[derive(Debug)]
enum Kind<P> {
    Datagrams { receive: Option<P> },
    Listener { port: u16, waiting: Vec<SocketHandle>, accept: Option<P> },
    Stream { connect: Option<P>, send: Option<(P, Vec<u8>)>, receive: Option<P> },
}

#[derive(Debug)]
struct Entry<P> {
    owner: u64,
    handle: Option<SocketHandle>,
    kind: Kind<P>,
}

/// All clients' sockets.
pub struct Sockets<P> {
    entries: BTreeMap<u32, Entry<P>>,
    next: u32,
    /// Connections that are closed and not ended, and until when they may take.
    closing: Vec<(SocketHandle, u64)>,
    pings: Pings<P>,
    finished: Vec<Finished<P>>,
}

impl<P> Sockets<P> {
    /// None yet.
    pub fn new(stack: &mut Stack) -> Sockets<P> {
        Sockets {
            entries: BTreeMap::new(),
            next: 1,
            closing: Vec::new(),
            pings: Pings::new(stack),
            finished: Vec::new(),
        }
    }

    /// Answers that are owed now.
    pub fn take_finished(&mut self) -> Vec<Finished<P>> {
        mem::take(&mut self.finished)
    }

    /// How many sockets the stack has for clients, closed ones that have not ended included.
    pub fn count(&self) -> usize {
        let waiting = |entry: &Entry<P>| match &entry.kind {
            Kind::Listener { waiting, .. } => waiting.len(),
            _ => 1,
        };
        self.entries.values().map(waiting).sum::<usize>() + self.closing.len()
    }

    fn room(&self, owner: u64, sockets: usize) -> Result<(), Error> {
        let own = self.entries.values().filter(|entry| entry.owner == owner).count();
        if own == MAX_OWN || self.count() + sockets > MAX_SOCKETS {
            Err(Error::QuotaExceeded)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, owner: u64, handle: Option<SocketHandle>, kind: Kind<P>) -> u32 {
        let name = self.next;
        // After four thousand million sockets names begin anew; old ones are long gone, and each is looked for.
        self.next = (1..)
            .map(|step| self.next.wrapping_add(step))
            .find(|name| *name != 0 && !self.entries.contains_key(name))
            .unwrap_or(1);
        self.entries.insert(name, Entry { owner, handle, kind });
        name
    }

    fn entry(&mut self, owner: u64, name: u32) -> Result<&mut Entry<P>, Error> {
        self.entries.get_mut(&name).filter(|entry| entry.owner == owner).ok_or(Error::NotFound)
    }

    /// Whether a port is bound by a listening or a datagram socket, as the case may be.
    fn is_bound(&self, stack: &Stack, port: u16, datagrams: bool) -> bool {
        self.entries.values().any(|entry| match (&entry.kind, entry.handle) {
            (Kind::Datagrams { .. }, Some(handle)) if datagrams => {
                stack.sockets.get::<udp::Socket>(handle).endpoint().port == port
            }
            (Kind::Listener { port: bound, .. }, _) if !datagrams => *bound == port,
            (Kind::Stream { .. }, Some(handle)) if !datagrams => {
                let local = stack.sockets.get::<tcp::Socket>(handle).local_endpoint();
                local.is_some_and(|local| local.port == port)
            }
            _ => false,
        })
    }

    fn free_port(&self, stack: &mut Stack, datagrams: bool) -> u16 {
        loop {
            let port = FIRST_FREE_PORT + (stack.random() % u64::from(u16::MAX - FIRST_FREE_PORT)) as u16;
            // At most `MAX_SOCKETS` of 16,383 are taken.
            if !self.is_bound(stack, port, datagrams) {
                return port;
            }
        }
    }

    /// Whoever waited before gives way to who waits now: it may have given up long since, which nobody tells.
    fn give_way(&mut self, promise: Option<P>) {
        self.finished.extend(promise.map(|promise| (promise, Err(Error::NotReady))));
    }

    /// Opens a socket for datagrams, at a port or, if that is 0, at any.
    pub fn udp_open(&mut self, stack: &mut Stack, owner: u64, port: u16) -> Result<(u32, u16), Error> {
        self.room(owner, 1)?;
        let port = if port == 0 { self.free_port(stack, true) } else { port };
        if self.is_bound(stack, port, true) {
            return Err(Error::Exists);
        }
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; DATAGRAM_BYTES]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).map_err(|_| Error::Invalid)?;
        let handle = stack.sockets.add(socket);
        Ok((self.insert(owner, Some(handle), Kind::Datagrams { receive: None }), port))
    }

    /// Sends a datagram. It may be lost; `NotReady` says that it surely would be, for want of room or of an address.
    pub fn udp_send(
        &mut self,
        stack: &mut Stack,
        owner: u64,
        name: u32,
        to: (Ipv4Address, u16),
        data: &[u8],
    ) -> Result<(), Error> {
        let entry = self.entry(owner, name)?;
        let (Kind::Datagrams { .. }, Some(handle)) = (&entry.kind, entry.handle) else {
            return Err(Error::NotFound);
        };
        if to.0.is_unspecified() || to.1 == 0 || data.len() > MAX_DATAGRAM {
            return Err(Error::Invalid);
        }
        if stack.address().is_none() {
            return Err(Error::NotReady);
        }
        let socket = stack.sockets.get_mut::<udp::Socket>(handle);
        socket.send_slice(data, IpEndpoint::new(to.0.into(), to.1)).map_err(|_| Error::NotReady)
    }

    /// Waits for a datagram.
    pub fn udp_receive(&mut self, owner: u64, name: u32, promise: P) -> Result<(), Error> {
        let gives_way = match &mut self.entry(owner, name)?.kind {
            Kind::Datagrams { receive } => receive.replace(promise),
            _ => return Err(Error::NotFound),
        };
        self.give_way(gives_way);
        Ok(())
    }

    /// Connects.
    pub fn tcp_connect(
        &mut self,
        stack: &mut Stack,
        owner: u64,
        to: (Ipv4Address, u16),
        promise: P,
    ) -> Result<(), Error> {
        self.room(owner, 1)?;
        if !is_host(to.0) || to.1 == 0 {
            return Err(Error::Invalid);
        }
        if stack.address().is_none() {
            return Err(Error::NotReady);
        }
        let port = self.free_port(stack, false);
        let mut socket = stream();
        let remote = IpEndpoint::new(to.0.into(), to.1);
        socket.connect(stack.interface.context(), remote, port).map_err(|_| Error::Unreachable)?;
        let handle = stack.sockets.add(socket);
        self.insert(owner, Some(handle), Kind::Stream { connect: Some(promise), send: None, receive: None });
        Ok(())
    }

    /// Listens at a port; connections are taken with [`Sockets::tcp_accept`].
    pub fn tcp_listen(&mut self, stack: &mut Stack, owner: u64, port: u16) -> Result<u32, Error> {
        self.room(owner, BACKLOG)?;
        if port == 0 {
            return Err(Error::Invalid);
        }
        if self.is_bound(stack, port, false) {
            return Err(Error::Exists);
        }
        let mut waiting = Vec::with_capacity(BACKLOG);
        for _ in 0..BACKLOG {
            let mut socket = stream();
            socket.listen(port).map_err(|_| Error::Invalid)?;
            waiting.push(stack.sockets.add(socket));
        }
        Ok(self.insert(owner, None, Kind::Listener { port, waiting, accept: None }))
    }

    /// Waits for a connection.
    pub fn tcp_accept(&mut self, owner: u64, name: u32, promise: P) -> Result<(), Error> {
        let gives_way = match &mut self.entry(owner, name)?.kind {
            Kind::Listener { accept, .. } => accept.replace(promise),
            _ => return Err(Error::NotFound),
        };
        self.give_way(gives_way);
        Ok(())
    }

    /// Waits until some of the bytes are taken.
    pub fn tcp_send(&mut self, owner: u64, name: u32, data: &[u8], promise: P) -> Result<(), Error> {
        let gives_way = match &mut self.entry(owner, name)?.kind {
            Kind::Stream { connect: None, send, .. } => {
                send.replace((promise, data.to_vec())).map(|(promise, _)| promise)
            }
            _ => return Err(Error::NotFound),
        };
        self.give_way(gives_way);
        Ok(())
    }

    /// Waits for bytes, or for the end of the stream.
    pub fn tcp_receive(&mut self, owner: u64, name: u32, promise: P) -> Result<(), Error> {
        let gives_way = match &mut self.entry(owner, name)?.kind {
            Kind::Stream { connect: None, receive, .. } => receive.replace(promise),
            _ => return Err(Error::NotFound),
        };
        self.give_way(gives_way);
        Ok(())
    }

    /// Waits for an echo.
    pub fn ping(
        &mut self,
        stack: &mut Stack,
        owner: u64,
        address: Ipv4Address,
        promise: P,
        now: u64,
    ) -> Result<(), Error> {
        self.pings.begin(stack, owner, address, promise, now)
    }

    /// Closes a socket. What was sent goes on its way; calls that wait there are answered `Closed`.
    pub fn close(&mut self, stack: &mut Stack, owner: u64, name: u32, now: u64) -> Result<(), Error> {
        self.entry(owner, name)?;
        self.remove(stack, name, now, true);
        Ok(())
    }

    /// The session is gone, and everything that it had.
    pub fn leave(&mut self, stack: &mut Stack, owner: u64, now: u64) {
        let own: Vec<u32> =
            self.entries.iter().filter(|(_, e)| e.owner == owner).map(|(name, _)| *name).collect();
        own.into_iter().for_each(|name| self.remove(stack, name, now, false));
        self.pings.leave(stack, owner);
    }

    fn remove(&mut self, stack: &mut Stack, name: u32, now: u64, answer: bool) {
        let Some(entry) = self.entries.remove(&name) else { return };
        let (mut waits, mut streams) = (Vec::new(), Vec::new());
        match entry.kind {
            Kind::Datagrams { receive } => {
                waits.extend(receive);
                entry.handle.map(|handle| stack.sockets.remove(handle));
            }
            Kind::Listener { waiting, accept, .. } => {
                waits.extend(accept);
                streams = waiting;
            }
            Kind::Stream { connect, send, receive } => {
                waits.extend(connect.into_iter().chain(send.map(|(promise, _)| promise)).chain(receive));
                streams.extend(entry.handle);
            }
        }
        if answer {
            self.finished.extend(waits.into_iter().map(|promise| (promise, Err(Error::Closed))));
        }
        for handle in streams {
            stack.sockets.get_mut::<tcp::Socket>(handle).close();
            self.closing.push((handle, now.saturating_add(CLOSING_US)));
        }
    }

    /// Looks at everything that waits. To be called after each poll of the stack, and once more when it moved something.
    pub fn look(&mut self, stack: &mut Stack, now: u64) {
        self.pings.look(stack, now, &mut self.finished);
        let names: Vec<u32> = self.entries.keys().copied().collect();
        for name in names {
            let owner = self.entries.get(&name).map_or(0, |entry| entry.owner);
            let has_room = self.room(owner, 1).is_ok();
            let Some(entry) = self.entries.get_mut(&name) else { continue };
            let mut finished = Vec::new();
            let mut ended = false;
            let mut accepted = None;
            match (&mut entry.kind, entry.handle) {
                (Kind::Datagrams { receive }, Some(handle)) => {
                    look::datagrams(stack, handle, receive, &mut finished)
                }
                (Kind::Stream { connect, send, receive }, Some(handle)) => {
                    ended = look::stream_of(stack, handle, name, connect, send, receive, &mut finished);
                }
                (Kind::Listener { port, waiting, accept }, _) if has_room => {
                    accepted = look::listener(stack, *port, waiting, accept);
                }
                // A connection waits until its owner may have one more.
                _ => {}
            }
            self.finished.append(&mut finished);
            if ended {
                self.remove(stack, name, now, true);
            }
            if let Some((handle, promise)) = accepted {
                let (address, port) = endpoint(stack.sockets.get::<tcp::Socket>(handle).remote_endpoint());
                let kind = Kind::Stream { connect: None, send: None, receive: None };
                let stream = self.insert(owner, Some(handle), kind);
                self.finished.push((promise, Ok(Answer::Connection(stream, address, port))));
            }
        }
        self.closing.retain(|(handle, until)| {
            let socket = stack.sockets.get_mut::<tcp::Socket>(*handle);
            if socket.is_open() && now >= *until {
                // The other side is told with the next poll; then it has ended.
                socket.abort();
                return true;
            }
            // What has ended may still have to tell the other side so.
            let ended = !socket.is_open() && (socket.remote_endpoint().is_none() || now >= *until);
            if ended {
                stack.sockets.remove(*handle);
            }
            !ended
        });
    }

    /// When [`Sockets::look`] is to be called, if nothing happens before.
    pub fn deadline(&self) -> Option<u64> {
        self.closing.iter().map(|(_, until)| *until).chain(self.pings.deadline()).min()
    }
}
