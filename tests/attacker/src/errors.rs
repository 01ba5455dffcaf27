//! Refusals that no other attack comes by.

use crate::lab::{Lab, Verdict, call, close, expect, message, must, plain, refused};
use crate::pointers::{CALLER_ROOM, Opened};
use crate::transfers::send;
use alloc::vec::Vec;
use nexus_abi::{Error, Kind, NOW, Sysno, Tag};
use nexus_rt::sys::raw::MessageIn;

/// Threads that cannot be started: badly, twice.
pub fn threads(lab: &mut Lab) -> Verdict {
    let made = lab.make(Kind::Thread)?;
    let start = |entry, stack| call(Sysno::thread_start, &[made[0], entry, stack, 0, 0]);
    for (entry, stack) in [
        (0, 0),
        (0x4001, 0),
        (0x4000, 8),
        (0x4000, 1),
        (nexus_abi::bounds::USER_END, 0),
        (0xffff_ffff_8000_0000, 0),
        (u64::MAX - 1, 0),
    ] {
        refused("a thread at no place", start(entry, stack), Error::Invalid)?;
    }
    must("start", start(0x4000, 0))?;
    // It has a lower priority, so it has not run yet.
    refused("start again", start(0x4000, 0), Error::BadState)?;
    lab.wait_end(made[1])?;
    refused("start what has ended", start(0x4000, 0), Error::BadHandle)?;
    close(made[0])?;
    close(made[1])?;
    let process = lab.make(Kind::Process)?[0];
    for priority in [32, u64::MAX] {
        let none = call(Sysno::thread_create, &[process, lab.spare, priority]);
        refused("no such priority", none, Error::Invalid)?;
    }
    let above = call(Sysno::thread_create, &[process, lab.spare, 11]);
    refused("a priority above its process's", above, Error::AccessDenied)?;
    let above = call(Sysno::process_create, &[lab.spare, lab.identity, 8, 11, 0]);
    refused("a process with a priority above one's own", above, Error::AccessDenied)?;
    lab.end_process(process)
}

/// Answers that are not taken: of an endpoint that must not move, and of a handle for which the caller has no room.
pub fn answers(lab: &mut Lab) -> Verdict {
    let mut server = Opened::make(lab)?;
    let [a, b] = lab.make(Kind::Channel)?;
    let gift = lab.make(Kind::Port)?[0];
    must("a handle into its queue", send(a, &[gift]))?;
    let list = [b as u32];
    let m = MessageIn {
        handles: list.as_ptr() as u64,
        token: server.token,
        deadline: NOW,
        ..plain(server.port, Tag::new(0, 1))
    };
    refused("an endpoint with handles inside", message(Sysno::channel_reply, m), Error::Busy)?;
    refused("the same, and a wait", message(Sysno::reply_and_wait, m), Error::Busy)?;
    for tag in [Tag::new(CALLER_ROOM.0 + 1, 0), Tag::new(0, CALLER_ROOM.1 + 1)] {
        let bytes = [0u8; CALLER_ROOM.0 + 1];
        let list = [gift as u32, a as u32];
        let (bytes, handles) = (bytes.as_ptr() as u64, list.as_ptr() as u64);
        let m = MessageIn { bytes, handles, tag, ..m };
        // The gift is in the queue, so its handle is none.
        let expected = if tag.handles() == 0 { Error::BufferTooSmall } else { Error::BadHandle };
        refused("an answer that is too large", message(Sysno::channel_reply, m), expected)?;
    }
    let token = MessageIn { token: server.token ^ 1 << 32, tag: Tag(0), ..m };
    refused("another call's token", message(Sysno::channel_reply, token), Error::CallerGone)?;
    let back = must("the gift", crate::transfers::receive(b))?;
    server.end(lab)?;
    refused(
        "an answer again",
        message(Sysno::channel_reply, MessageIn { tag: Tag(0), ..m }),
        Error::CallerGone,
    )?;
    back.into_iter().chain([a, b]).try_for_each(close)?;
    no_room(lab)
}

/// The caller's table, which is also this thread's, is full when the answer with a handle arrives there.
fn no_room(lab: &Lab) -> Verdict {
    let mut server = Opened::make(lab)?;
    let gift = [lab.make(Kind::Port)?[0] as u32];
    let mut copies = Vec::with_capacity(64);
    let tag = Tag::new(0, 1);
    let m = MessageIn { handles: gift.as_ptr() as u64, token: server.token, ..plain(0, tag) };
    must("the answer", message(Sysno::channel_reply, m))?;
    // The caller has a lower priority: until this thread waits, it does not see what came.
    while let Ok([copy, _]) = call(Sysno::handle_dup, &[lab.identity, 0]) {
        copies.push(copy);
    }
    let ended = server.ended();
    copies.into_iter().try_for_each(close)?;
    expect(ended == Some(Err(Error::NoSpace)), "an answer arrived where there was no room")?;
    server.close()
}
