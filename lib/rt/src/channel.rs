//! A channel's end, as a client and as a sender. Every call has a deadline, and a dead server is an answer of
//! its own that cannot be mistaken for another.

use crate::owned::{Channel, Handles, Owned, Quota};
use crate::sys::{self, Area, End, MessageOut};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Error, Tag, Ticks};
use nexus_wire::Room;

/// Why a call brought no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallError {
    /// The server is gone. Whether it did what was asked is not known.
    ServerDied,
    /// The deadline passed. Whether the server does what was asked is not known.
    TimedOut,
    /// The kernel refused; the server never saw it.
    Refused(Error),
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        match error {
            Error::PeerClosed => CallError::ServerDied,
            Error::TimedOut | Error::WouldBlock => CallError::TimedOut,
            other => CallError::Refused(other),
        }
    }
}

/// An answer, or a message received without waiting.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its handles.
    pub handles: Handles,
}

/// What an end can receive whose peer sends messages of this size, `depth` of them waiting; 0 receives calls only.
pub const fn end(depth: u16, room: Room) -> End {
    End { depth, bytes: room.bytes as u16, handles: room.handles as u16 }
}

/// Words of a message of at most 48 bytes; unused ones are 0.
pub fn to_words(bytes: &[u8]) -> [u64; REGISTER_WORDS] {
    let mut words = [0; REGISTER_WORDS];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut raw = [0; 8];
        raw[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(raw);
    }
    words
}

/// Makes a message that came in lie at the front of `buffer`, however it came; answers its length.
pub(crate) fn arrived(out: &MessageOut, buffer: &mut [u8]) -> usize {
    let length = out.tag.bytes().min(buffer.len());
    if length <= REGISTER_BYTES {
        let room = buffer.len().min(REGISTER_BYTES);
        spill(&out.words, &mut buffer[..room]);
    }
    length
}

/// Puts the words of a short message where a long one's bytes arrive, so that a reader need not care.
fn spill(words: &[u64; REGISTER_WORDS], bytes: &mut [u8]) {
    if let Some(whole) = bytes.first_chunk_mut::<REGISTER_BYTES>() {
        // The usual case, without a loop over bytes: what lies past the message's length is of no meaning.
        for (chunk, word) in whole.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        return;
    }
    for (chunk, word) in bytes.chunks_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
}

/// Copies a message that does not fit registers into the buffer that the kernel reads.
pub(crate) fn stage(message: &[u8], buffer: &mut [u8]) -> Result<[u64; REGISTER_WORDS], Error> {
    if message.len() > MAX_MESSAGE_BYTES {
        return Err(Error::TooLarge);
    }
    if message.len() <= REGISTER_BYTES {
        return Ok(to_words(message));
    }
    buffer.get_mut(..message.len()).ok_or(Error::TooLarge)?.copy_from_slice(message);
    Ok([0; REGISTER_WORDS])
}

impl Owned<Channel> {
    /// Makes a channel; what each end can receive is fixed and charged now.
    pub fn create(
        quota: &Owned<Quota>,
        end0: End,
        end1: End,
    ) -> Result<(Owned<Channel>, Owned<Channel>), Error> {
        let (a, b) = sys::channel_create(quota.handle(), end0, end1)?;
        Ok((Owned::from_handle(a), Owned::from_handle(b)))
    }

    /// Queues a message at the other end, with `NOW` without waiting. On a refusal the handles are still in
    /// the list.
    pub fn send(&self, bytes: &[u8], handles: &mut Handles, deadline: Ticks) -> Result<(), Error> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(Error::TooLarge);
        }
        let count = handles.len();
        let tag = Tag::new(bytes.len(), count);
        if bytes.len() <= REGISTER_BYTES {
            let mut area = Area { bytes: &mut [], handles: handles.raw() };
            sys::send(self.handle(), tag, to_words(bytes), &mut area, deadline)?;
        } else {
            let mut buffer = [0; MAX_MESSAGE_BYTES];
            buffer[..bytes.len()].copy_from_slice(bytes);
            let mut area = Area { bytes: &mut buffer, handles: handles.raw() };
            sys::send(self.handle(), tag, [0; REGISTER_WORDS], &mut area, deadline)?;
        }
        handles.gone();
        Ok(())
    }

    /// Calls with a request and an answer of at most 48 bytes and no handles: registers only.
    #[inline]
    pub fn call_words(
        &self,
        bytes: usize,
        words: [u64; REGISTER_WORDS],
        deadline: Ticks,
    ) -> Result<(usize, [u64; REGISTER_WORDS]), CallError> {
        match sys::call_words(self.handle(), bytes, words, deadline) {
            Ok(out) => Ok((out.tag.bytes(), out.words)),
            Err(refusal) => Err(refusal.error.into()),
        }
    }

    /// Calls. The answer's bytes are in `room`, which bounds them; its handles, at most `room_handles`, are in the
    /// answer. Unless the request was refused, its handles are gone.
    pub fn call<'a>(
        &self,
        request: &[u8],
        handles: &mut Handles,
        room: &'a mut [u8],
        room_handles: usize,
        deadline: Ticks,
    ) -> Result<Answer<'a>, CallError> {
        if request.len() > REGISTER_BYTES && request.len() > room.len() {
            // The one buffer serves both ways, so the larger message sets its size.
            let mut both = [0; MAX_MESSAGE_BYTES];
            let limit = room.len();
            let (length, handles) =
                self.exchange(request, handles, &mut both, limit, room_handles, deadline)?;
            room[..length].copy_from_slice(&both[..length]);
            return Ok(Answer { bytes: &room[..length], handles });
        }
        let limit = room.len();
        let (length, handles) = self.exchange(request, handles, room, limit, room_handles, deadline)?;
        Ok(Answer { bytes: &room[..length], handles })
    }

    fn exchange(
        &self,
        request: &[u8],
        handles: &mut Handles,
        buffer: &mut [u8],
        limit: usize,
        room_handles: usize,
        deadline: Ticks,
    ) -> Result<(usize, Handles), CallError> {
        let words = stage(request, buffer)?;
        let tag = Tag::new(request.len(), handles.len())
            .with_room(limit.min(MAX_MESSAGE_BYTES), room_handles.min(MAX_MESSAGE_HANDLES));
        let mut received = Handles::new();
        *received.raw() = *handles.raw();
        let mut area = Area { bytes: buffer, handles: received.raw() };
        // A call that failed after it was received has lost its handles, and closing them then answers
        // `BadHandle`; one that failed before still has them. Either way the caller's list closes what is left.
        let out = sys::call(self.handle(), tag, words, &mut area, deadline).map_err(|r| r.error)?;
        handles.gone();
        received.filled(out.tag.handles());
        Ok((arrived(&out, buffer), received))
    }

    /// Takes the next message of `send` without waiting; `WouldBlock` when there is none, `PeerClosed` when
    /// there will be none. A call among them is refused by dropping it: this is not a server's end.
    pub fn receive<'a>(&self, room: &'a mut [u8]) -> Result<Answer<'a>, Error> {
        let mut received = Handles::new();
        let tag = Tag::default().with_room(room.len().min(MAX_MESSAGE_BYTES), MAX_MESSAGE_HANDLES);
        let mut area = Area { bytes: room, handles: received.raw() };
        let out = sys::recv(self.handle(), tag, &mut area).map_err(|refusal| refusal.error)?;
        received.filled(out.tag.handles());
        let length = arrived(&out, room);
        if out.token != 0 {
            let mut nothing = Area { bytes: &mut [], handles: &mut [] };
            // The caller may be gone meanwhile, which is as good an answer.
            let _ = sys::reply(out.token, Tag::default(), [0; REGISTER_WORDS], &mut nothing);
        }
        Ok(Answer { bytes: &room[..length], handles: received })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bytes_agree_at_every_length() {
        let message: [u8; REGISTER_BYTES] = core::array::from_fn(|i| i as u8 + 1);
        for length in 0..=REGISTER_BYTES {
            let words = to_words(&message[..length]);
            let mut back = [0xee; REGISTER_BYTES];
            spill(&words, &mut back[..length]);
            assert_eq!(back[..length], message[..length]);
            let mut whole = [0xee; REGISTER_BYTES];
            spill(&words, &mut whole);
            assert!(whole[length..].iter().all(|b| *b == 0), "words past the length are 0");
        }
    }

    #[test]
    fn the_largest_message_is_staged_and_one_byte_more_is_not() {
        let mut buffer = [0; MAX_MESSAGE_BYTES];
        assert!(stage(&[1; MAX_MESSAGE_BYTES], &mut buffer).is_ok());
        assert_eq!(buffer[MAX_MESSAGE_BYTES - 1], 1);
        assert_eq!(stage(&[1; MAX_MESSAGE_BYTES + 1], &mut buffer), Err(Error::TooLarge));
    }
}
