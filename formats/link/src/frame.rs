//! One frame: what it is, and how it is written and read. Reading believes nothing but what the checksum covers.

use crate::{BORDER, MAX_PAYLOAD, VERSION, stuffing};
use alloc::vec::Vec;
use crc::{CRC_32_ISO_HDLC, Crc};

/// Bytes before the payload.
pub const HEADER: usize = 8;

/// Bytes of the checksum.
const CHECK: usize = 4;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Asks: the payload is a request.
    Request = 1,
    /// Answers a request: the payload is the answer.
    Answer = 2,
    /// A request that got no answer: the payload is one byte, a [`Refusal`].
    Refused = 3,
}

impl Kind {
    /// The kind with this number.
    pub const fn from_raw(number: u8) -> Option<Kind> {
        match number {
            1 => Some(Kind::Request),
            2 => Some(Kind::Answer),
            3 => Some(Kind::Refused),
            _ => None,
        }
    }
}

/// Why a request got no answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Refusal {
    /// Nobody here speaks that interface.
    Unknown = 1,
    /// So many terminals, or so many requests, wait already.
    Busy = 2,
    /// Who is to answer is not there, or ended meanwhile: whether it was done is not known.
    Away = 3,
}

impl Refusal {
    /// The refusal with this number.
    pub const fn from_raw(number: u8) -> Option<Refusal> {
        match number {
            1 => Some(Refusal::Unknown),
            2 => Some(Refusal::Busy),
            3 => Some(Refusal::Away),
            _ => None,
        }
    }
}

/// A frame, sent or received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Who asks.
    pub terminal: u16,
    /// Which request of the terminal's.
    pub number: u32,
    /// What it carries.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Adds it to what goes out, between zeros: a border before it ends whatever was cut off. `false`, and nothing was added, when the payload
    /// is larger than [`MAX_PAYLOAD`].
    #[must_use]
    pub fn write(&self, out: &mut Vec<u8>) -> bool {
        if self.payload.len() > MAX_PAYLOAD {
            return false;
        }
        let mut plain = Vec::with_capacity(HEADER + self.payload.len() + CHECK);
        plain.extend([VERSION, self.kind as u8]);
        plain.extend(self.terminal.to_le_bytes());
        plain.extend(self.number.to_le_bytes());
        plain.extend(self.payload);
        let check = CRC.checksum(&plain);
        plain.extend(check.to_le_bytes());
        out.push(BORDER);
        stuffing::stuff(&plain, out);
        out.push(BORDER);
        true
    }

    /// The frame that these unstuffed bytes are, if they are one.
    pub(crate) fn read(plain: &'a [u8]) -> Option<Frame<'a>> {
        let (covered, check) = plain.split_last_chunk::<CHECK>()?;
        let (header, payload) = covered.split_first_chunk::<HEADER>()?;
        let [version, kind, t0, t1, n0, n1, n2, n3] = *header;
        let sound = CRC.checksum(covered) == u32::from_le_bytes(*check);
        if !sound || version != VERSION || payload.len() > MAX_PAYLOAD {
            return None;
        }
        let (terminal, number) = (u16::from_le_bytes([t0, t1]), u32::from_le_bytes([n0, n1, n2, n3]));
        Some(Frame { kind: Kind::from_raw(kind)?, terminal, number, payload })
    }
}
