//! What the stack's sockets have for the calls that wait at them.

use crate::answer::{Answer, Error, Finished};
use crate::stack::Stack;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Duration;
use smoltcp::wire::{IpAddress, IpEndpoint, Ipv4Address};

/// Bytes of each buffer of a connection.
pub const STREAM: usize = 8 << 10;

/// Most bytes of a stream in one answer.
pub const MAX_DATA: usize = 2048;

/// How long a connection may be silent while something is unanswered.
const SILENCE: Duration = Duration::from_secs(15);

/// A connection that is none yet.
pub fn stream() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; STREAM]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_timeout(Some(SILENCE));
    socket
}

/// With whom; nobody is port 0 of no address.
pub fn endpoint(remote: Option<IpEndpoint>) -> (Ipv4Address, u16) {
    match remote {
        Some(IpEndpoint { addr: IpAddress::Ipv4(address), port }) => (address, port),
        None => (Ipv4Address::UNSPECIFIED, 0),
    }
}

/// Answers who waits for a datagram, if one has come.
pub fn datagrams<P>(
    stack: &mut Stack,
    handle: SocketHandle,
    receive: &mut Option<P>,
    finished: &mut Vec<Finished<P>>,
) {
    let socket = stack.sockets.get_mut::<udp::Socket>(handle);
    if receive.is_none() {
        return;
    }
    if let Ok((data, from)) = socket.recv()
        && let Some(promise) = receive.take()
    {
        let (address, port) = endpoint(Some(from.endpoint));
        finished.push((promise, Ok(Answer::Datagram(address, port, data.to_vec()))));
    }
}

/// Answers who waits at a connection, as far as it has come. Tells whether it never came to one.
pub fn stream_of<P>(
    stack: &mut Stack,
    handle: SocketHandle,
    name: u32,
    connect: &mut Option<P>,
    send: &mut Option<(P, Vec<u8>)>,
    receive: &mut Option<P>,
    finished: &mut Vec<Finished<P>>,
) -> bool {
    let socket = stack.sockets.get_mut::<tcp::Socket>(handle);
    if connect.is_some() {
        if socket.may_send() {
            let (address, port) = endpoint(socket.remote_endpoint());
            finished.extend(connect.take().map(|p| (p, Ok(Answer::Connection(name, address, port)))));
        }
        // What waits is told so when the entry is removed.
        return !socket.is_open();
    }
    if let Some((promise, data)) = send.take() {
        if !socket.may_send() {
            finished.push((promise, Err(Error::Closed)));
        } else {
            match socket.send_slice(&data) {
                Ok(0) if !data.is_empty() => *send = Some((promise, data)),
                Ok(count) => finished.push((promise, Ok(Answer::Sent(count)))),
                Err(_) => finished.push((promise, Err(Error::Closed))),
            }
        }
    }
    if let Some(promise) = receive.take() {
        let mut data = vec![0; MAX_DATA.min(socket.recv_queue())];
        match socket.recv_slice(&mut data) {
            Ok(0) if socket.may_recv() => *receive = Some(promise),
            Ok(count) => {
                data.truncate(count);
                finished.push((promise, Ok(Answer::Data(data))));
            }
            Err(tcp::RecvError::Finished) => finished.push((promise, Ok(Answer::Data(Vec::new())))),
            Err(tcp::RecvError::InvalidState) => finished.push((promise, Err(Error::Closed))),
        }
    }
    false
}

/// A connection that has come about, and who waited for it; another socket listens in its place.
pub fn listener<P>(
    stack: &mut Stack,
    port: u16,
    waiting: &mut [SocketHandle],
    accept: &mut Option<P>,
) -> Option<(SocketHandle, P)> {
    let mut found = None;
    for place in waiting.iter_mut() {
        let socket = stack.sockets.get_mut::<tcp::Socket>(*place);
        if !socket.is_open() {
            // It came to nothing. The port is not 0 and the socket closed, so it listens.
            let _ = socket.listen(port);
        } else if found.is_none() && accept.is_some() && socket.may_send() {
            found = Some(place);
        }
    }
    let place = found?;
    let promise = accept.take()?;
    let mut next = stream();
    // As above.
    let _ = next.listen(port);
    Some((mem::replace(place, stack.sockets.add(next)), promise))
}
