//! Pointers that the kernel must not follow, in every argument of every call that is one. When it does not, nothing has
//! happened: the message is where it was, the handles too, and nothing was written.

use crate::lab::{Lab, Verdict, call, close, message, must, plain, refused};
use crate::places::Places;
use alloc::format;
use nexus_abi::{Error, Handle, KernelStats, Kind, NEVER, NOW, Sysno, Tag};
use nexus_rt::sys;
use nexus_rt::sys::raw::MessageIn;

/// Bytes of a message that goes through a buffer.
const BYTES: usize = 64;

/// `object_info`, for which every other argument is good.
pub fn info(lab: &mut Lab) -> Verdict {
    let places = Places::make(lab)?;
    places.paint();
    // Handle (8 bytes) of a vmo, Process (32 bytes) and Vmo of what they are about.
    for (topic, bytes, object) in [
        (0, 8, lab.own),
        (1, 32, lab.own),
        (4, 40, lab.quota),
        (5, size_of::<KernelStats>() as u64, lab.counters),
    ] {
        for at in Places::unreadable(bytes).into_iter().chain(Places::unwritable(bytes)) {
            let told = call(Sysno::object_info, &[object, topic, at, bytes]);
            refused(&format!("object_info topic {topic} to {at:#x}"), told, Error::BadAddress)?;
        }
        // Without room for a byte, no address is looked at.
        must("object_info of no bytes", call(Sysno::object_info, &[object, topic, 0, 0]))?;
    }
    // Of what straddles their end, the bytes that are there may have been written; nothing before them.
    crate::lab::expect(places.is_untouched_but_for(64), "a refused object_info wrote")?;
    places.end(lab)
}

/// A channel to oneself, and a handle to send through it.
struct Pair {
    ends: [u64; 2],
    gift: u64,
}

impl Pair {
    fn make(lab: &Lab) -> Result<Pair, alloc::string::String> {
        Ok(Pair { ends: lab.make(Kind::Channel)?, gift: lab.make(Kind::Port)?[0] })
    }

    fn end(self) -> Verdict {
        close(self.ends[0])?;
        close(self.ends[1])?;
        close(self.gift)
    }

    /// The gift is still a handle of this process, and nothing waits at the other end.
    fn is_unsent(&self) -> Verdict {
        must("the handle that was not sent", sys::handle_info(Handle(self.gift as u32)))?;
        let nothing = message(Sysno::channel_recv, plain(self.ends[1], Tag(0)));
        refused("the other end", nothing, Error::WouldBlock)
    }
}

fn gift_at(places: &Places, gift: u64) -> u64 {
    let at = places.good();
    // SAFETY: memory that is mapped for this alone.
    unsafe { core::ptr::write_volatile(at as *mut u32, gift as u32) };
    at
}

/// What goes out: bytes and handles of every call that sends.
pub fn outgoing(lab: &mut Lab) -> Verdict {
    let places = Places::make(lab)?;
    let pair = Pair::make(lab)?;
    let good = gift_at(&places, pair.gift);
    let mut server = Opened::make(lab)?;
    for (number, handle, token) in [
        (Sysno::channel_send, pair.ends[0], 0),
        (Sysno::channel_call, pair.ends[0], 0),
        (Sysno::channel_reply, 0, server.token),
        (Sysno::reply_and_wait, server.port, server.token),
    ] {
        for at in Places::unreadable(BYTES as u64) {
            let m = MessageIn { bytes: at, deadline: NOW, token, ..plain(handle, Tag::new(BYTES, 0)) };
            refused(&format!("{number:?} bytes at {at:#x}"), message(number, m), Error::BadAddress)?;
        }
        for at in Places::unreadable(4) {
            let m = MessageIn {
                bytes: good,
                handles: at,
                deadline: NOW,
                token,
                ..plain(handle, Tag::new(BYTES, 1))
            };
            refused(&format!("{number:?} handles at {at:#x}"), message(number, m), Error::BadAddress)?;
        }
        pair.is_unsent()?;
    }
    server.end(lab)?;
    pair.end()?;
    places.end(lab)
}

/// What comes in: a message of bytes, and one with a handle, stay where they are.
pub fn incoming(lab: &mut Lab) -> Verdict {
    let places = Places::make(lab)?;
    let pair = Pair::make(lab)?;
    let port = lab.make(Kind::Port)?[0];
    let readable = 1;
    must("bind", call(Sysno::port_bind, &[port, pair.ends[1], 5, readable]))?;
    let good = gift_at(&places, pair.gift);
    let out =
        MessageIn { bytes: good, handles: good, deadline: NOW, ..plain(pair.ends[0], Tag::new(BYTES, 1)) };
    must("send", message(Sysno::channel_send, out))?;
    places.paint();
    let room = Tag::new(0, 0).with_room(BYTES, 1);
    for (number, handle) in [(Sysno::channel_recv, pair.ends[1]), (Sysno::reply_and_wait, port)] {
        let bad = |bytes: u64| Places::unreadable(bytes).into_iter().chain(Places::unwritable(bytes));
        for at in bad(BYTES as u64) {
            let m = MessageIn { bytes: at, handles: good, deadline: NOW, ..plain(handle, room) };
            refused(&format!("{number:?} bytes to {at:#x}"), message(number, m), Error::BadAddress)?;
        }
        for at in bad(4) {
            let m = MessageIn { bytes: good, handles: at, deadline: NOW, ..plain(handle, room) };
            refused(&format!("{number:?} handles to {at:#x}"), message(number, m), Error::BadAddress)?;
        }
    }
    // It is still there, whole, and arrives.
    let m = MessageIn { bytes: good, handles: good + 256, ..plain(pair.ends[1], room) };
    let got = must("receive at last", message(Sysno::channel_recv, m))?;
    crate::lab::expect(got.tag.bytes() == BYTES && got.tag.handles() == 1, "the message changed")?;
    // SAFETY: memory that is mapped for this alone.
    let gift = unsafe { core::ptr::read_volatile((good + 256) as *const u32) };
    close(gift.into())?;
    close(pair.ends[0])?;
    close(pair.ends[1])?;
    close(port)?;
    places.end(lab)
}

/// A call of this process's own second thread that is open: to be answered badly.
pub struct Opened {
    /// The caller's end, and the one at which the call arrived.
    pub ends: [u64; 2],
    /// The port at which it arrived.
    pub port: u64,
    /// What answers it.
    pub token: u64,
    caller: Option<nexus_rt::thread::JoinHandle<Result<(), Error>>>,
}

/// Room that the caller of [`Opened`] declares.
pub const CALLER_ROOM: (usize, usize) = (BYTES, 1);

impl Opened {
    /// Lets a thread call, and receives the call. Its buffers are on its own stack.
    pub fn make(lab: &Lab) -> Result<Opened, alloc::string::String> {
        let ends = lab.make(Kind::Channel)?;
        let port = lab.make(Kind::Port)?[0];
        must("bind", call(Sysno::port_bind, &[port, ends[1], 5, 1]))?;
        let near = ends[0];
        let caller = must("thread", nexus_rt::thread::spawn(5, move || called(near)))?;
        let mut opened = Opened { ends, port, token: 0, caller: Some(caller) };
        opened.token = opened.receive()?;
        Ok(opened)
    }

    fn receive(&self) -> Result<u64, alloc::string::String> {
        let wait = MessageIn { deadline: NEVER, ..plain(self.port, Tag(0)) };
        Ok(must("receive the call", message(Sysno::reply_and_wait, wait))?.token)
    }

    /// Answers it at last, and lets go of everything.
    pub fn end(&mut self, _lab: &Lab) -> Verdict {
        let m = MessageIn { token: self.token, ..plain(0, Tag(0)) };
        must("the answer at last", message(Sysno::channel_reply, m))?;
        self.joined()
    }

    /// Lets go of everything, once it was answered.
    pub fn joined(&mut self) -> Verdict {
        let ended = self.caller.take().and_then(|caller| caller.join());
        crate::lab::expect(ended == Some(Ok(())), "the caller was not answered")?;
        [self.ends[0], self.ends[1], self.port].into_iter().try_for_each(close)
    }
}

fn called(near: u64) -> Result<(), Error> {
    let mut bytes = [0u8; BYTES];
    let mut handles = [0u32; 1];
    let (at, list) = (bytes.as_mut_ptr() as u64, handles.as_mut_ptr() as u64);
    let tag = Tag::new(0, 0).with_room(CALLER_ROOM.0, CALLER_ROOM.1);
    let m = MessageIn { bytes: at, handles: list, deadline: NEVER, ..plain(near, tag) };
    message(Sysno::channel_call, m).map(|_| ())
}
