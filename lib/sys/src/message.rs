//! The message calls, with buffers lent as slices. What the tag promises is compared with the slices before
//! the kernel sees it; the forms that end in `_words` have no buffers and nothing to compare.

use crate::raw::{MessageIn, MessageOut, check, message};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Error, Handle, NOW, Sysno, Tag, Ticks};

/// Memory lent to a message call: what goes out is read from it, what comes in is written to it.
#[derive(Debug)]
pub struct Area<'a> {
    /// Bytes of a message larger than the registers.
    pub bytes: &'a mut [u8],
    /// Handles of a message.
    pub handles: &'a mut [Handle],
}

/// Why a message call did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The error.
    pub error: Error,
    /// After `BufferTooSmall`: the sizes of the message that stayed where it was.
    pub tag: Tag,
    /// After a delivery failed on a port: the binding's key.
    pub key: u64,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal { error, tag: Tag(0), key: 0 }
    }
}

impl Area<'_> {
    fn holds(&self, bytes: usize, handles: usize) -> bool {
        (bytes <= REGISTER_BYTES || bytes <= self.bytes.len()) && handles <= self.handles.len()
    }

    fn suits_out(&self, tag: Tag) -> bool {
        self.holds(tag.bytes(), tag.handles())
    }

    fn suits_in(&self, tag: Tag) -> bool {
        self.holds(tag.room_bytes(), tag.room_handles())
    }

    fn message(&mut self, handle: Handle, tag: Tag, words: [u64; REGISTER_WORDS]) -> MessageIn {
        MessageIn {
            handle: handle.0 as u64,
            tag,
            words,
            bytes: self.bytes.as_mut_ptr() as u64,
            handles: self.handles.as_mut_ptr() as u64,
            deadline: 0,
            token: 0,
        }
    }
}

#[inline(always)]
fn outcome(out: MessageOut) -> Result<MessageOut, Refusal> {
    match check(out.status) {
        Ok(()) => Ok(out),
        Err(error) => Err(Refusal { error, tag: out.tag, key: out.key }),
    }
}

/// Queues a message at the other end.
pub fn send(
    endpoint: Handle,
    tag: Tag,
    words: [u64; REGISTER_WORDS],
    area: &mut Area<'_>,
    deadline: Ticks,
) -> Result<(), Error> {
    if !area.suits_out(tag) {
        return Err(Error::Invalid);
    }
    let m = MessageIn { deadline, ..area.message(endpoint, tag, words) };
    // SAFETY: the area holds what the tag promises; a send receives nothing.
    check(unsafe { message(Sysno::channel_send, m) }.status)
}

/// Takes the message at the head of this end's queue; never waits.
pub fn recv(endpoint: Handle, tag: Tag, area: &mut Area<'_>) -> Result<MessageOut, Refusal> {
    if !area.suits_in(tag) {
        return Err(Error::Invalid.into());
    }
    let m = area.message(endpoint, tag, [0; REGISTER_WORDS]);
    // SAFETY: the area holds the room that the tag declares.
    outcome(unsafe { message(Sysno::channel_recv, m) })
}

/// A message that lies at an address: longer than the registers, or it would not be taken from there.
fn at(endpoint: Handle, tag: Tag, address: u64, bytes: usize) -> Result<MessageIn, Error> {
    if !(REGISTER_BYTES + 1..=MAX_MESSAGE_BYTES).contains(&bytes) {
        return Err(Error::Invalid);
    }
    let handle = endpoint.0 as u64;
    Ok(MessageIn {
        handle,
        tag,
        words: [0; REGISTER_WORDS],
        bytes: address,
        handles: 0,
        deadline: NOW,
        token: 0,
    })
}

/// Queues bytes, of which there are more than the registers hold, at the other end, without waiting.
pub fn send_bytes(endpoint: Handle, bytes: &[u8]) -> Result<(), Error> {
    // SAFETY: they are there, and are read alone.
    unsafe { send_at(endpoint, bytes.as_ptr() as u64, bytes.len()) }
}

/// The same with bytes that lie at an address. The kernel reads them: what is not there any more is `BadAddress`, and no fault.
///
/// # Safety
/// Nothing in this program may rely on it that these bytes are not read.
pub unsafe fn send_at(endpoint: Handle, address: u64, bytes: usize) -> Result<(), Error> {
    let m = at(endpoint, Tag::new(bytes, 0), address, bytes)?;
    // SAFETY: the caller's promise; a send receives nothing.
    check(unsafe { message(Sysno::channel_send, m) }.status)
}

/// Takes the message at the head of this end's queue, which has so many bytes and more than the registers hold, to an address. The kernel
/// writes them: where nothing can be written any more is `BadAddress`, and no fault; the message stays where it is then.
///
/// # Safety
/// Nothing in this program may refer to these bytes, or rely on what they are.
pub unsafe fn recv_at(endpoint: Handle, address: u64, bytes: usize) -> Result<(), Error> {
    let m = at(endpoint, Tag::default().with_room(bytes, 0), address, bytes)?;
    // SAFETY: the caller's promise; what comes has no more bytes than there is room for, and no handles.
    let out = unsafe { message(Sysno::channel_recv, m) };
    check(out.status)?;
    if out.tag.bytes() == bytes { Ok(()) } else { Err(Error::Invalid) }
}

/// Drops the message at the head of this end's queue.
pub fn discard(endpoint: Handle) -> Result<(), Error> {
    let mut area = Area { bytes: &mut [], handles: &mut [] };
    recv(endpoint, Tag(Tag::DISCARD), &mut area).map(|_| ()).map_err(|r| r.error)
}

/// Sends a message and waits for its answer, which arrives in the same area.
pub fn call(
    endpoint: Handle,
    tag: Tag,
    words: [u64; REGISTER_WORDS],
    area: &mut Area<'_>,
    deadline: Ticks,
) -> Result<MessageOut, Refusal> {
    if !area.suits_out(tag) || !area.suits_in(tag) {
        return Err(Error::Invalid.into());
    }
    let m = MessageIn { deadline, ..area.message(endpoint, tag, words) };
    // SAFETY: the area holds what goes out and the room for what comes in.
    outcome(unsafe { message(Sysno::channel_call, m) })
}

/// A call whose request (`bytes` of the words) and answer both travel in registers: nothing but registers is
/// moved. Words past `bytes` must be 0.
#[inline(always)]
pub fn call_words(
    endpoint: Handle,
    bytes: usize,
    words: [u64; REGISTER_WORDS],
    deadline: Ticks,
) -> Result<MessageOut, Refusal> {
    // What fits registers needs no room.
    let tag = Tag::new(bytes.min(REGISTER_BYTES), 0);
    let handle = endpoint.0 as u64;
    let m = MessageIn { handle, tag, words, bytes: 0, handles: 0, deadline, token: 0 };
    // SAFETY: neither message nor room exceeds the registers, so no address is used.
    outcome(unsafe { message(Sysno::channel_call, m) })
}

/// Answers an open call.
pub fn reply(token: u64, tag: Tag, words: [u64; REGISTER_WORDS], area: &mut Area<'_>) -> Result<(), Error> {
    if !area.suits_out(tag) {
        return Err(Error::Invalid);
    }
    let m = MessageIn { token, ..area.message(Handle::NONE, tag, words) };
    // SAFETY: the area holds what the tag promises; a reply receives nothing.
    check(unsafe { message(Sysno::channel_reply, m) }.status)
}

/// Answers an open call (unless `token` is 0) and waits on a port for what comes next, in one system call.
pub fn reply_and_wait(
    port: Handle,
    token: u64,
    tag: Tag,
    words: [u64; REGISTER_WORDS],
    area: &mut Area<'_>,
    deadline: Ticks,
) -> Result<MessageOut, Refusal> {
    if !area.suits_out(tag) || !area.suits_in(tag) {
        return Err(Error::Invalid.into());
    }
    let m = MessageIn { deadline, token, ..area.message(port, tag, words) };
    // SAFETY: the area holds what goes out and the room for what comes in.
    outcome(unsafe { message(Sysno::reply_and_wait, m) })
}

/// The same with an answer and a next message that both travel in registers.
#[inline(always)]
pub fn reply_and_wait_words(
    port: Handle,
    token: u64,
    bytes: usize,
    words: [u64; REGISTER_WORDS],
    deadline: Ticks,
) -> Result<MessageOut, Refusal> {
    // What fits registers needs no room.
    let tag = Tag::new(bytes.min(REGISTER_BYTES), 0);
    let handle = port.0 as u64;
    let m = MessageIn { handle, tag, words, bytes: 0, handles: 0, deadline, token };
    // SAFETY: neither message nor room exceeds the registers, so no address is used.
    outcome(unsafe { message(Sysno::reply_and_wait, m) })
}
