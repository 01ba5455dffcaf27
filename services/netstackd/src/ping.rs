//! Echo requests. Each has a socket of its own: where nobody answers, what waits in it holds up nobody else.

use crate::answer::{Answer, Error, Finished};
use crate::setup::is_host;
use crate::stack::Stack;
use alloc::vec;
use alloc::vec::Vec;
use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, IpAddress, Ipv4Address};

/// Most pings that wait for an answer.
pub const MAX_PINGS: usize = 8;

/// How long an answer is waited for, in microseconds.
pub const PING_US: u64 = 2_000_000;

/// Bytes that a ping's socket keeps each way: one echo.
const PING_BYTES: usize = 256;

#[derive(Debug)]
struct Ping<P> {
    promise: P,
    owner: u64,
    handle: SocketHandle,
    ident: u16,
    address: Ipv4Address,
    since: u64,
}

/// The pings that wait.
#[derive(Debug)]
pub struct Pings<P> {
    open: Vec<Ping<P>>,
    ident: u16,
}

impl<P> Pings<P> {
    /// None yet.
    pub fn new(stack: &mut Stack) -> Pings<P> {
        Pings { open: Vec::new(), ident: stack.random() as u16 }
    }

    /// Sends an echo request and waits for the answer.
    pub fn begin(
        &mut self,
        stack: &mut Stack,
        owner: u64,
        address: Ipv4Address,
        promise: P,
        now: u64,
    ) -> Result<(), Error> {
        if !is_host(address) {
            return Err(Error::Invalid);
        }
        if stack.address().is_none() || self.open.len() == MAX_PINGS {
            return Err(Error::NotReady);
        }
        // As few are open as there are, no two of them have the same.
        self.ident = self.ident.wrapping_add(1);
        let ident = self.ident;
        let buffer = || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 1], vec![0; PING_BYTES]);
        let mut socket = icmp::Socket::new(buffer(), buffer());
        socket.bind(icmp::Endpoint::Ident(ident)).map_err(|_| Error::NotReady)?;
        let request = Icmpv4Repr::EchoRequest { ident, seq_no: 1, data: &[0x6e; 32] };
        let room = socket.send(request.buffer_len(), address.into()).map_err(|_| Error::NotReady)?;
        request.emit(&mut Icmpv4Packet::new_unchecked(room), &ChecksumCapabilities::default());
        let handle = stack.sockets.add(socket);
        self.open.push(Ping { promise, owner, handle, ident, address, since: now });
        Ok(())
    }

    /// Forgets those of a session that is gone.
    pub fn leave(&mut self, stack: &mut Stack, owner: u64) {
        for ping in self.open.extract_if(.., |ping| ping.owner == owner) {
            stack.sockets.remove(ping.handle);
        }
    }

    /// Answers those that were answered, or that are late.
    pub fn look(&mut self, stack: &mut Stack, now: u64, finished: &mut Vec<Finished<P>>) {
        let mut index = 0;
        while let Some(ping) = self.open.get(index) {
            let result = if has_echo(stack, ping) {
                Ok(Answer::Echo(now.saturating_sub(ping.since)))
            } else if now >= ping.since.saturating_add(PING_US) {
                Err(Error::Unreachable)
            } else {
                index += 1;
                continue;
            };
            let ping = self.open.swap_remove(index);
            stack.sockets.remove(ping.handle);
            finished.push((ping.promise, result));
        }
    }

    /// When the next of them is late.
    pub fn deadline(&self) -> Option<u64> {
        self.open.iter().map(|ping| ping.since.saturating_add(PING_US)).min()
    }
}

/// Whether the echo has come that a ping waits for. What else comes there is dropped.
fn has_echo<P>(stack: &mut Stack, ping: &Ping<P>) -> bool {
    let socket = stack.sockets.get_mut::<icmp::Socket>(ping.handle);
    while let Ok((bytes, from)) = socket.recv() {
        let packet = Icmpv4Packet::new_checked(bytes);
        let parsed = packet.and_then(|packet| Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()));
        if let Ok(Icmpv4Repr::EchoReply { ident, .. }) = parsed
            && ident == ping.ident
            && from == IpAddress::Ipv4(ping.address)
        {
            return true;
        }
    }
    false
}
