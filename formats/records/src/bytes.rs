//! Numbers and texts in and out of bytes, with a checksum behind them.

use alloc::string::String;
use alloc::vec::Vec;

use crc::{CRC_32_ISO_HDLC, Crc};

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Bytes of the checksum.
pub const CHECK: usize = 4;

/// Adds the checksum of all before.
pub fn seal(bytes: &mut Vec<u8>) {
    let check = CRC.checksum(bytes);
    bytes.extend(check.to_le_bytes());
}

/// What stands before the checksum, if that is right.
pub fn open(bytes: &[u8]) -> Option<Reader<'_>> {
    let (covered, check) = bytes.split_last_chunk::<CHECK>()?;
    (CRC.checksum(covered) == u32::from_le_bytes(*check)).then_some(Reader(covered))
}

/// Bytes that are yet to be read.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Text that steers no terminal and begins no line.
    pub fn text(&mut self, length: usize, most: usize) -> Option<String> {
        let text = core::str::from_utf8(self.take(length)?).ok()?;
        (length <= most && !text.chars().any(char::is_control)).then(|| String::from(text))
    }
}

/// As much of a text as may be kept: cut between characters, and what would steer a terminal replaced by a space.
pub fn kept(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if out.len() + c.len_utf8() > most {
            break;
        }
        out.push(c);
    }
    out
}
