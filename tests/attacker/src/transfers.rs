//! Handles on their way: twice in one message, a channel through itself, rights that come back larger, endpoints that
//! must not move now. What is refused stays as it was.

use crate::lab::{END, Lab, Verdict, call, close, expect, in_good_time, message, must, plain, refused};
use crate::pointers::Opened;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Sysno, Tag};
use nexus_rt::sys;
use nexus_rt::sys::raw::MessageIn;

/// Sends handles through an endpoint, and nothing else.
pub fn send(end: u64, handles: &[u64]) -> Result<(), Error> {
    out(Sysno::channel_send, end, 0, handles)
}

/// The same by any call that sends.
fn out(number: Sysno, handle: u64, token: u64, handles: &[u64]) -> Result<(), Error> {
    let list: Vec<u32> = handles.iter().map(|handle| *handle as u32).collect();
    let tag = Tag::new(0, list.len());
    let m = MessageIn { handles: list.as_ptr() as u64, deadline: NOW, token, ..plain(handle, tag) };
    message(number, m).map(|_| ())
}

/// Receives handles from an endpoint.
pub fn receive(end: u64) -> Result<Vec<u64>, Error> {
    let mut list = [0u32; 8];
    let room = Tag::new(0, 0).with_room(0, list.len());
    let m = MessageIn { handles: list.as_mut_ptr() as u64, ..plain(end, room) };
    let got = message(Sysno::channel_recv, m)?;
    // The kernel wrote them behind the compiler's back.
    let list = core::hint::black_box(list);
    Ok(list[..got.tag.handles()].iter().map(|handle| (*handle).into()).collect())
}

/// One handle, which must arrive.
fn one(end: u64) -> Result<u64, String> {
    let got = must("receive", receive(end))?;
    expect(got.len() == 1, "not one handle arrived")?;
    Ok(got[0])
}

fn rights(handle: u64) -> Result<Rights, String> {
    let info = must("handle info", sys::handle_info(Handle(handle as u32)))?;
    Ok(Rights::from_bits_retain(info.rights))
}

/// Everything that must not be in a message.
pub fn lists(lab: &mut Lab) -> Verdict {
    let [a, b] = lab.make(Kind::Channel)?;
    let gift = lab.make(Kind::Port)?[0];
    let pinned = must("dup", call(Sysno::handle_dup, &[gift, Rights::INSPECT.bits().into()]))?[0];
    let stale = lab.make(Kind::Vmo)?[0];
    close(stale)?;
    let mut server = Opened::make(lab)?;
    let ways = [
        (Sysno::channel_send, a, 0),
        (Sysno::channel_call, a, 0),
        (Sysno::channel_reply, 0, server.token),
        (Sysno::reply_and_wait, server.port, server.token),
    ];
    for (number, handle, token) in ways {
        let [own, peer] = if token == 0 { [a, b] } else { server.ends };
        for (list, error) in [
            (&[gift, gift][..], Error::Invalid),
            (&[gift, own], Error::Invalid),
            (&[gift, peer], Error::Invalid),
            (&[gift, stale], Error::BadHandle),
            (&[gift, 0], Error::BadHandle),
            (&[gift, pinned], Error::AccessDenied),
        ] {
            refused("a list of handles", out(number, handle, token, list), error)?;
            must("the handle that stayed", sys::handle_info(Handle(gift as u32)))?;
        }
        // More handles than the other end takes.
        let (too_many, error) = match token {
            0 => (gift, Error::BadHandle),
            _ => (gift, Error::BufferTooSmall),
        };
        let other = lab.make(Kind::Timer)?[0];
        let list = if token == 0 { [too_many, 1] } else { [too_many, other] };
        refused("too many handles", out(number, handle, token, &list), error)?;
        close(other)?;
    }
    server.end(lab)?;
    refused("nothing was sent", receive(b), Error::WouldBlock)?;
    [a, b, gift, pinned].into_iter().try_for_each(close)
}

/// Endpoints that must not move: with handles in their queue, with an open call, and none that is on its way takes any in.
pub fn busy(lab: &mut Lab) -> Verdict {
    let [a, b] = lab.make(Kind::Channel)?;
    let [c, d] = lab.make(Kind::Channel)?;
    let gift = lab.make(Kind::Port)?[0];
    must("a handle into its queue", send(c, &[gift]))?;
    refused("an endpoint with handles inside", send(a, &[d]), Error::Busy)?;
    let victim = lab.make(Kind::Thread)?;
    let start = call(Sysno::thread_start, &[victim[0], 0x4000, 0, 0, d]);
    refused("the same as a gift to a thread", start, Error::Busy)?;
    lab.end(Kind::Thread, victim)?;
    let gift = one(d)?;
    let mut server = Opened::make(lab)?;
    refused("an endpoint with an open call", send(a, &[server.ends[1]]), Error::Busy)?;
    // The one who calls may move its end: the call goes on.
    must("the caller's end", send(a, &[server.ends[0]]))?;
    server.ends[0] = one(b)?;
    let answering = out(Sysno::channel_reply, 0, server.token, &[gift, gift]);
    refused("an answer with one handle twice", answering, Error::Invalid)?;
    server.end(lab)?;
    must("an endpoint without either", send(a, &[d]))?;
    refused("a handle into one on its way", send(c, &[gift]), Error::Busy)?;
    refused("by call", out(Sysno::channel_call, c, 0, &[gift]), Error::Busy)?;
    must("bytes into one on its way", send(c, &[]))?;
    let d = one(b)?;
    must("what came for it meanwhile", receive(d))?;
    [a, b, c, d, gift].into_iter().try_for_each(close)
}

/// An endpoint that is bound to a port and then sent away: what comes for it is not told at the port.
pub fn in_flight(lab: &mut Lab) -> Verdict {
    let [a, b] = lab.make(Kind::Channel)?;
    let [c, d] = lab.make(Kind::Channel)?;
    let port = lab.make(Kind::Port)?[0];
    must("bind", call(Sysno::port_bind, &[port, d, 7, 5]))?;
    must("send it away", send(a, &[d]))?;
    must("a message for it", send(c, &[]))?;
    let wait = || message(Sysno::reply_and_wait, MessageIn { deadline: NOW, ..plain(port, Tag(0)) });
    refused("the port while it is on its way", wait(), Error::WouldBlock)?;
    let d = one(b)?;
    refused("the port after it arrived", wait(), Error::WouldBlock)?;
    must("what came for it", receive(d))?;
    close(c)?;
    refused("the port after its peer closed", wait(), Error::WouldBlock)?;
    refused("the peer of a closed end", receive(d), Error::PeerClosed)?;
    refused("a message to a closed end", send(d, &[]), Error::PeerClosed)?;
    refused("a call to a closed end", out(Sysno::channel_call, d, 0, &[]), Error::PeerClosed)?;
    [a, b, d, port].into_iter().try_for_each(close)
}

/// A handle that was sent has the rights that it had, and none comes back by duplicating it.
pub fn rights_stay_small(lab: &mut Lab) -> Verdict {
    let [a, b] = lab.make(Kind::Channel)?;
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Channel) {
        let made = lab.make(*kind)?;
        let less = Rights::TRANSFER | Rights::DUPLICATE;
        let small = match call(Sysno::handle_dup, &[made[0], less.bits().into()]) {
            // What this process was given for looking at the kernel does not move.
            Err(Error::AccessDenied) if *kind == Kind::Resource => {
                lab.end(*kind, made)?;
                continue;
            }
            dup => must("dup", dup)?[0],
        };
        must("send", send(a, &[small]))?;
        let back = one(b)?;
        expect(rights(back)? == less, "rights changed on the way")?;
        for bit in 0..32 {
            let more = less.bits() | 1 << bit;
            let expected = match Rights::from_bits(more) {
                None => Error::Invalid,
                Some(_) if more == less.bits() => continue,
                Some(_) => Error::AccessDenied,
            };
            refused("more rights", call(Sysno::handle_dup, &[back, more.into()]), expected)?;
        }
        refused("rights past 32 bits", call(Sysno::handle_dup, &[back, 1 << 32]), Error::Invalid)?;
        close(back)?;
        lab.end(*kind, made)?;
    }
    refused("a second handle to an endpoint", call(Sysno::handle_dup, &[a, 0]), Error::WrongType)?;
    [a, b].into_iter().try_for_each(close)
}

/// A queue until it is full, and one past that; then whoever waits for room, and one that does not wait.
pub fn queue(lab: &mut Lab) -> Verdict {
    for depth in [1, 2, 256] {
        let end = depth | 48 << 16;
        let [a, b] = must("channel", call(Sysno::channel_create, &[lab.spare, end, end]))?;
        for _ in 0..depth {
            must("into the queue", send(a, &[]))?;
        }
        refused("one past the queue", send(a, &[]), Error::WouldBlock)?;
        let waits = |number| {
            let until = |deadline| message(number, MessageIn { deadline, ..plain(a, Tag(0)) });
            in_good_time(until)
        };
        refused("one that waits", waits(Sysno::channel_send), Error::TimedOut)?;
        let past = MessageIn { deadline: nexus_rt::clock::now(), ..plain(a, Tag(0)) };
        refused("a call past its time", message(Sysno::channel_call, past), Error::WouldBlock)?;
        refused("a call that nobody receives", waits(Sysno::channel_call), Error::TimedOut)?;
        let large = MessageIn { deadline: NOW, ..plain(a, Tag::new(48, 0)) };
        refused("a full queue, all bytes", message(Sysno::channel_send, large), Error::WouldBlock)?;
        let mut received = 0;
        while receive(b).is_ok() {
            received += 1;
        }
        expect(received == depth, "other messages were queued than were accepted")?;
        close(a)?;
        close(b)?;
    }
    // Sizes past the bound of an end, and past every bound.
    let [a, b] = must("channel", call(Sysno::channel_create, &[lab.spare, END, 1 | 8 << 16]))?;
    let words = |bytes| MessageIn { deadline: NOW, ..plain(a, Tag::new(bytes, 0)) };
    must("as large as it takes", message(Sysno::channel_send, words(8)))?;
    refused("one byte more", message(Sysno::channel_send, words(9)), Error::TooLarge)?;
    refused("by call", message(Sysno::channel_call, words(9)), Error::TooLarge)?;
    [a, b].into_iter().try_for_each(close)
}
