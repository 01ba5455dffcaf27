//! One message with its handles, out or in: words for a short one, a lent buffer for a long one, as in the
//! kernel's register plan. The same buffer serves the request and the answer.

use crate::codec::{Malformed, Sink, Words};
use crate::failure::Fault;
use crate::handle::Handles;
use crate::{HEADER_BYTES, Header, STATUS_OK};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, REGISTER_BYTES, REGISTER_WORDS};

/// Room for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// In bytes.
    pub bytes: usize,
    /// In handles.
    pub handles: usize,
}

impl Room {
    /// Room for any message.
    pub const MAX: Room = Room { bytes: MAX_MESSAGE_BYTES, handles: MAX_MESSAGE_HANDLES };
}

/// A message and its handles.
#[derive(Debug)]
pub struct Packet<'b, H> {
    len: usize,
    words: [u64; REGISTER_WORDS],
    buffer: &'b mut [u8],
    /// The message's handles.
    pub handles: Handles<H>,
    /// What the caller can take as an answer; of no meaning in a packet that is not a call that arrived.
    pub room: Room,
}

/// The bytes of a message, to be decoded.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    len: usize,
    words: Words,
    bytes: &'a [u8],
}

impl<'b, H> Packet<'b, H> {
    /// An empty message. The buffer bounds what can be written or received; 48 bytes fit without one, unless
    /// they are bytes or text.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Packet { len: 0, words: [0; REGISTER_WORDS], buffer, handles: Handles::default(), room: Room::MAX }
    }

    /// Bytes of the message.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The message's words, when it has at most 48 bytes.
    pub fn words(&self) -> [u64; REGISTER_WORDS] {
        self.words
    }

    /// The whole buffer: the message, when it has more than 48 bytes, begins it.
    pub fn buffer(&mut self) -> &mut [u8] {
        self.buffer
    }

    /// For transports: a message of `len` bytes has arrived, in `words` or in the buffer. `false`, and
    /// nothing has changed, when it is longer than the buffer.
    #[must_use]
    pub fn arrived(&mut self, len: usize, words: [u64; REGISTER_WORDS]) -> bool {
        let fits = len <= REGISTER_BYTES || len <= self.buffer.len();
        if fits {
            self.len = len;
            self.words = words;
        }
        fits
    }

    /// A message that is at hand as bytes has arrived. `false`, and nothing has changed, when it is longer
    /// than the buffer.
    #[must_use]
    pub fn load(&mut self, message: &[u8]) -> bool {
        let Some(place) = self.buffer.get_mut(..message.len()) else {
            return false;
        };
        place.copy_from_slice(message);
        self.len = message.len();
        self.lift();
        true
    }

    /// The message as bytes, for those that do not distinguish short ones. `None` when the buffer cannot hold
    /// it, which only happens to short ones.
    pub fn message(&mut self) -> Option<&[u8]> {
        self.settle();
        self.buffer.get(..self.len)
    }

    /// Makes the message empty; handles left in it are closed.
    pub fn reset(&mut self) {
        self.len = 0;
        self.handles.clear();
    }

    /// Largest message that can be written to the buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.len().min(MAX_MESSAGE_BYTES)
    }

    /// The header, if there is one.
    pub fn header(&self) -> Option<Header> {
        if self.len < HEADER_BYTES {
            None
        } else if self.len <= REGISTER_BYTES {
            Some(Header::from_word(self.words[0]))
        } else {
            let first = self.buffer.first_chunk::<HEADER_BYTES>()?;
            Some(Header::from_word(u64::from_le_bytes(*first)))
        }
    }

    /// The number of the operation that a request of `interface` asks for.
    pub fn operation(&self, interface: u32) -> Option<u16> {
        let header = self.header()?;
        (header.interface == interface && header.status == STATUS_OK).then_some(header.operation)
    }

    /// Writes a message of registers only: 0 in every word, then the header, then what `fill` writes.
    #[inline(always)]
    pub fn write_words(&mut self, header: Header, len: usize, fill: impl FnOnce(&mut Words)) {
        let mut words = Words([header.to_word(), 0, 0, 0, 0, 0]);
        fill(&mut words);
        self.words = words.0;
        self.len = len;
    }

    /// Writes a message by way of the buffer: 0 in each of the `len` bytes, then the header, then what `fill`
    /// writes. One of at most 48 bytes still travels in registers.
    pub fn write_bytes(
        &mut self,
        header: Header,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<(), Fault> {
        let bytes = self.buffer.get_mut(..len).ok_or(Fault::NoRoom)?;
        bytes.fill(0);
        bytes.number(0, HEADER_BYTES, header.to_word());
        fill(bytes);
        self.len = len;
        self.lift();
        Ok(())
    }

    /// Copies a short message from the buffer to its words.
    fn lift(&mut self) {
        if self.len > REGISTER_BYTES {
            return;
        }
        let bytes = self.buffer.get(..self.len).unwrap_or(&[]);
        self.words = [0; REGISTER_WORDS];
        for (word, part) in self.words.iter_mut().zip(bytes.chunks(8)) {
            let mut raw = [0; 8];
            raw[..part.len()].copy_from_slice(part);
            *word = u64::from_le_bytes(raw);
        }
    }

    /// Copies a short message from its words to the buffer, so that parts of it can be borrowed.
    fn settle(&mut self) {
        if self.len > REGISTER_BYTES {
            return;
        }
        if let Some(whole) = self.buffer.first_chunk_mut::<REGISTER_BYTES>() {
            for (to, word) in whole.chunks_exact_mut(8).zip(self.words) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        } else {
            for (to, word) in self.buffer.chunks_mut(8).zip(self.words) {
                to.copy_from_slice(&word.to_le_bytes()[..to.len()]);
            }
        }
    }

    /// The message for decoding. Only one that is `borrowed` from can lend its bytes.
    pub fn open(&mut self, borrowed: bool) -> (View<'_>, &mut Handles<H>) {
        if borrowed {
            self.settle();
        }
        let view = View { len: self.len, words: Words(self.words), bytes: self.buffer };
        (view, &mut self.handles)
    }

    /// The same for as long as the buffer is lent.
    pub fn into_parts(mut self, borrowed: bool) -> (View<'b>, Handles<H>) {
        if borrowed {
            self.settle();
        }
        (View { len: self.len, words: Words(self.words), bytes: self.buffer }, self.handles)
    }
}

impl<'a> View<'a> {
    /// The words of a message of registers only, which has exactly `len` bytes.
    #[inline(always)]
    pub fn exact_words(&self, len: usize) -> Result<Words, Malformed> {
        if self.len == len && len <= REGISTER_BYTES { Ok(self.words) } else { Err(Malformed) }
    }

    /// The bytes of a message that has `least` to `most`.
    pub fn bytes(&self, least: usize, most: usize) -> Result<&'a [u8], Malformed> {
        if self.len < least || self.len > most {
            return Err(Malformed);
        }
        self.bytes.get(..self.len).ok_or(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Source;

    const HEADER: Header = Header { operation: 0x0102, status: 0, interface: 0x0a0b_0c0d };

    #[test]
    fn a_short_message_of_bytes_travels_in_words_and_settles_again() {
        for len in HEADER_BYTES..=64 {
            let (mut out, mut back) = ([0xaa; 64], [0x55; 64]);
            let mut sent = Packet::<()>::new(&mut out);
            assert_eq!(sent.write_bytes(HEADER, len, |b| b[8..].fill(7)), Ok(()));
            let mut got = Packet::<()>::new(&mut back);
            if len > REGISTER_BYTES {
                got.buffer().copy_from_slice(sent.buffer());
            }
            assert!(got.arrived(sent.len(), sent.words()));
            assert_eq!(got.operation(HEADER.interface), Some(0x0102));
            assert_eq!(got.operation(1), None);
            let (view, _) = got.into_parts(true);
            assert_eq!(view.bytes(len, len).map(|b| &b[8..]), Ok(&[7; 64][..len - 8]));
            assert_eq!(view.bytes(len + 1, 64), Err(Malformed));
            assert_eq!(view.bytes(0, len - 1), Err(Malformed));
        }
    }

    #[test]
    fn a_message_larger_than_the_buffer_is_refused() {
        let mut buffer = [0; 63];
        let mut packet = Packet::<()>::new(&mut buffer);
        assert_eq!(packet.write_bytes(HEADER, 63, |_| {}), Ok(()));
        assert_eq!(packet.write_bytes(HEADER, 64, |_| {}), Err(Fault::NoRoom));
        assert!(packet.arrived(63, [0; 6]));
        assert!(!packet.arrived(64, [0; 6]));
        assert_eq!(packet.len(), 63);
    }

    #[test]
    fn a_register_message_needs_no_buffer_and_lends_no_bytes() {
        let mut packet = Packet::<()>::new(&mut []);
        packet.write_words(HEADER, 16, |w| w.number(8, 8, 5));
        assert_eq!(packet.header(), Some(HEADER));
        let (view, _) = packet.into_parts(true);
        assert_eq!(view.exact_words(16).and_then(|w| w.number(8, 8)), Ok(5));
        assert_eq!(view.exact_words(24), Err(Malformed));
        assert_eq!(view.bytes(16, 16), Err(Malformed));
    }

    #[test]
    fn a_message_without_a_whole_header_has_none() {
        let mut packet = Packet::<()>::new(&mut []);
        assert!(packet.arrived(7, [u64::MAX; 6]));
        assert_eq!(packet.header(), None);
        assert!(packet.arrived(8, [u64::MAX; 6]));
        assert_eq!(packet.operation(u32::MAX), None, "a request's status is 0");
    }
}
