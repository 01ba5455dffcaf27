//! Fixed layout: how values stand in a message. Little-endian, naturally aligned, padding 0.
//!
//! One value has one spelling: padding that is not 0, a boolean that is not 0 or 1, an enum number that was
//! never assigned and text that is not UTF-8 are refused. Reading is total: an offset outside the message is
//! `Malformed`, never a panic. Writing goes to memory whose size the caller has checked.

use crate::bounded::{Bytes, Text};
use nexus_abi::bounds::REGISTER_WORDS;

/// The message is not one that the interface knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// A message in registers. Values are naturally aligned, so none lies across two words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Words(pub [u64; REGISTER_WORDS]);

/// Where values are read from.
pub trait Source<'a> {
    /// The `size` (1, 2, 4 or 8) bytes at `at`, as a number.
    fn number(&self, at: usize, size: usize) -> Result<u64, Malformed>;

    /// The `len` bytes at `at`. A message in registers lends none.
    fn bytes(&self, at: usize, len: usize) -> Result<&'a [u8], Malformed>;

    /// Refuses unless the `len` bytes at `at` are 0.
    fn zero(&self, at: usize, len: usize) -> Result<(), Malformed>;
}

/// Where values are written to; all of it was 0 before. Panics when the value lies outside, which only a
/// wrong generator could cause.
pub trait Sink {
    /// Writes the low `size` (1, 2, 4 or 8) bytes of a number.
    fn number(&mut self, at: usize, size: usize, value: u64);

    /// Writes bytes.
    fn bytes(&mut self, at: usize, bytes: &[u8]);
}

const fn mask(size: usize) -> u64 {
    if size >= 8 { u64::MAX } else { (1 << (8 * size)) - 1 }
}

impl<'a> Source<'a> for Words {
    #[inline(always)]
    fn number(&self, at: usize, size: usize) -> Result<u64, Malformed> {
        let word = self.0.get(at / 8).ok_or(Malformed)?;
        Ok(word >> (8 * (at % 8)) & mask(size))
    }

    fn bytes(&self, _at: usize, len: usize) -> Result<&'a [u8], Malformed> {
        if len == 0 { Ok(&[]) } else { Err(Malformed) }
    }

    #[inline(always)]
    fn zero(&self, at: usize, len: usize) -> Result<(), Malformed> {
        for at in at..at + len {
            if self.number(at, 1)? != 0 {
                return Err(Malformed);
            }
        }
        Ok(())
    }
}

impl<'a> Source<'a> for &'a [u8] {
    #[inline(always)]
    fn number(&self, at: usize, size: usize) -> Result<u64, Malformed> {
        let mut raw = [0; 8];
        raw[..size].copy_from_slice(self.bytes(at, size)?);
        Ok(u64::from_le_bytes(raw))
    }

    #[inline(always)]
    fn bytes(&self, at: usize, len: usize) -> Result<&'a [u8], Malformed> {
        let end = at.checked_add(len).ok_or(Malformed)?;
        self.get(at..end).ok_or(Malformed)
    }

    fn zero(&self, at: usize, len: usize) -> Result<(), Malformed> {
        if self.bytes(at, len)?.iter().all(|&b| b == 0) { Ok(()) } else { Err(Malformed) }
    }
}

impl Sink for Words {
    #[inline(always)]
    fn number(&mut self, at: usize, size: usize, value: u64) {
        self.0[at / 8] |= (value & mask(size)) << (8 * (at % 8));
    }

    #[inline(always)]
    fn bytes(&mut self, at: usize, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            self.number(at + i, 1, byte as u64);
        }
    }
}

impl Sink for [u8] {
    #[inline(always)]
    fn number(&mut self, at: usize, size: usize, value: u64) {
        self[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }

    #[inline(always)]
    fn bytes(&mut self, at: usize, bytes: &[u8]) {
        self[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// A type that can stand in a message.
pub trait Wire<'a>: Copy {
    /// Bytes that it takes, padding at its end included.
    const SIZE: usize;

    /// Writes it at `at`.
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize);

    /// Reads it from `at`.
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed>;
}

macro_rules! number {
    ($($type:ty),+) => {$(
        impl<'a> Wire<'a> for $type {
            const SIZE: usize = size_of::<$type>();

            #[inline(always)]
            fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
                sink.number(at, Self::SIZE, *self as u64);
            }

            #[inline(always)]
            fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
                Ok(source.number(at, Self::SIZE)? as $type)
            }
        }
    )+};
}

number!(u8, u16, u32, u64, i64);

impl<'a> Wire<'a> for bool {
    const SIZE: usize = 1;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, 1, *self as u64);
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        match source.number(at, 1)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl<'a, T: Wire<'a>, const N: usize> Wire<'a> for [T; N] {
    const SIZE: usize = N * T::SIZE;

    #[inline(always)]
    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        for (i, item) in self.iter().enumerate() {
            item.encode(sink, at + i * T::SIZE);
        }
    }

    #[inline(always)]
    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        let mut items = [T::decode(source, at)?; N];
        for (i, item) in items.iter_mut().enumerate().skip(1) {
            *item = T::decode(source, at + i * T::SIZE)?;
        }
        Ok(items)
    }
}

/// Bytes of the length that stands before bounded bytes inside a message. (As the last field of a message
/// they need none: the message ends with them.)
pub const LENGTH_BYTES: usize = 2;

impl<'a, const N: usize> Wire<'a> for Bytes<'a, N> {
    const SIZE: usize = (LENGTH_BYTES + N).next_multiple_of(LENGTH_BYTES);

    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, LENGTH_BYTES, self.len() as u64);
        sink.bytes(at + LENGTH_BYTES, self);
    }

    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        let len = source.number(at, LENGTH_BYTES)? as usize;
        if len > N {
            return Err(Malformed);
        }
        let begin = at + LENGTH_BYTES;
        source.zero(begin + len, Self::SIZE - LENGTH_BYTES - len)?;
        tail(source.bytes(begin, len)?)
    }
}

impl<'a, const N: usize> Wire<'a> for Text<'a, N> {
    const SIZE: usize = Bytes::<'a, N>::SIZE;

    fn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {
        sink.number(at, LENGTH_BYTES, self.len() as u64);
        sink.bytes(at + LENGTH_BYTES, self.as_bytes());
    }

    fn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {
        text_tail(Bytes::<N>::decode(source, at)?.get())
    }
}

/// Bounded bytes that end a message.
pub fn tail<const N: usize>(bytes: &[u8]) -> Result<Bytes<'_, N>, Malformed> {
    Bytes::new(bytes).map_err(|_| Malformed)
}

/// Bounded text that ends a message.
pub fn text_tail<const N: usize>(bytes: &[u8]) -> Result<Text<'_, N>, Malformed> {
    let text = core::str::from_utf8(bytes).map_err(|_| Malformed)?;
    Text::new(text).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both<T: for<'a> Wire<'a> + PartialEq + core::fmt::Debug>(at: usize, value: T, bytes: &[u8]) {
        let mut buffer = [0; 48];
        value.encode(&mut buffer[..], at);
        let mut expected = [0; 48];
        expected[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(buffer, expected);
        assert_eq!(T::decode(&&buffer[..], at), Ok(value));

        let mut words = Words::default();
        value.encode(&mut words, at);
        let mut seen = [0; 48];
        for (to, word) in seen.chunks_mut(8).zip(words.0) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        assert_eq!(seen, expected);
        assert_eq!(T::decode(&words, at), Ok(value));
    }

    #[test]
    fn registers_and_bytes_spell_the_same() {
        both(47, 0xa5u8, &[0xa5]);
        both(2, 0x0102u16, &[2, 1]);
        both(4, 0x0102_0304u32, &[4, 3, 2, 1]);
        both(40, 0x0102_0304_0506_0708u64, &[8, 7, 6, 5, 4, 3, 2, 1]);
        both(8, -2i64, &[0xfe, 255, 255, 255, 255, 255, 255, 255]);
        both(9, true, &[1]);
        both(6, [[1u16, 2], [3, 4]], &[1, 0, 2, 0, 3, 0, 4, 0]);
    }

    #[test]
    fn other_spellings_are_refused() {
        assert_eq!(bool::decode(&&[2u8][..], 0), Err(Malformed));
        assert_eq!(<[bool; 2]>::decode(&&[1u8, 2][..], 0), Err(Malformed));
        let text = |bytes: &'static [u8]| Text::<2>::decode(&bytes, 0).map(|t| t.get());
        assert_eq!(text(&[2, 0, b'h', b'i']), Ok("hi"));
        assert_eq!(text(&[1, 0, b'h', 0]), Ok("h"));
        assert_eq!(text(&[1, 0, b'h', 1]), Err(Malformed), "padding");
        assert_eq!(text(&[3, 0, b'h', b'i']), Err(Malformed), "one past the bound");
        assert_eq!(text(&[1, 0, 0xff, 0]), Err(Malformed), "not UTF-8");
        assert_eq!(text(&[2, 0, b'h']), Err(Malformed), "cut");
        assert_eq!((&[0u8, 1, 0][..]).zero(0, 1), Ok(()));
        assert_eq!((&[0u8, 1, 0][..]).zero(0, 2), Err(Malformed));
        assert_eq!(Words([0x100, 0, 0, 0, 0, 0]).zero(0, 1), Ok(()));
        assert_eq!(Words([0x100, 0, 0, 0, 0, 0]).zero(0, 2), Err(Malformed));
    }

    #[test]
    fn reading_outside_is_malformed() {
        let bytes = &[1u8; 8][..];
        assert_eq!(u64::decode(&bytes, 0), Ok(0x0101_0101_0101_0101));
        assert_eq!(u64::decode(&bytes, 1), Err(Malformed));
        assert_eq!(u8::decode(&bytes, usize::MAX), Err(Malformed));
        assert_eq!(u8::decode(&Words::default(), 47), Ok(0));
        assert_eq!(u8::decode(&Words::default(), 48), Err(Malformed));
    }
}
