//! Memory that comes with a message. Its owner goes on using it, and may take it away: bytes are copied out of it once before anything is made of them, and into
//! it when nothing more can go wrong.
//!
//! What must never happen: a byte is looked at twice, or more of the memory is touched than the message says.

use alloc::vec::Vec;

use nexus_rt::abi::Error as Refused;
use nexus_rt::api::state::{Error, MAX_HANDED};
use nexus_rt::copier::GRAIN;
use nexus_rt::{Owned, Vmo};

/// Who copies.
pub trait Hands {
    /// Fills `out`, whole grains, from the beginning of the memory.
    fn take(&mut self, memory: &Owned<Vmo>, out: &mut [u8]) -> Result<(), Refused>;

    /// Writes bytes, whole grains, to the beginning of memory that has `room` bytes.
    fn give(&mut self, memory: &Owned<Vmo>, room: usize, bytes: &[u8]) -> Result<(), Refused>;
}

/// There are none: no memory is taken.
pub struct NoHands;

impl Hands for NoHands {
    fn take(&mut self, _: &Owned<Vmo>, _: &mut [u8]) -> Result<(), Refused> {
        Err(Refused::Invalid)
    }

    fn give(&mut self, _: &Owned<Vmo>, _: usize, _: &[u8]) -> Result<(), Refused> {
        Err(Refused::Invalid)
    }
}

/// What a client is told: that there is no room here for its memory, or that the memory is not what it said.
fn told(refused: Refused) -> Error {
    match refused {
        Refused::QuotaExceeded | Refused::NoSpace => Error::QuotaExceeded,
        _ => Error::Invalid,
    }
}

/// So many bytes, if a message may say so.
pub fn bounded(bytes: u32) -> Result<usize, Error> {
    usize::try_from(bytes).ok().filter(|bytes| *bytes <= MAX_HANDED).ok_or(Error::TooLarge)
}

/// A copy of so many bytes.
pub fn taken(hands: &mut dyn Hands, memory: &Owned<Vmo>, bytes: u32) -> Result<Vec<u8>, Error> {
    let bytes = bounded(bytes)?;
    let mut copy = alloc::vec![0; bytes.next_multiple_of(GRAIN)];
    if bytes > 0 {
        hands.take(memory, &mut copy).map_err(told)?;
    }
    copy.truncate(bytes);
    Ok(copy)
}

/// Writes bytes, of which there are at most `room`; 0 up to the end of the last grain.
pub fn given(
    hands: &mut dyn Hands,
    memory: &Owned<Vmo>,
    room: usize,
    mut bytes: Vec<u8>,
) -> Result<u32, Error> {
    let length = bytes.len();
    bytes.resize(length.next_multiple_of(GRAIN), 0);
    if room > 0 {
        hands.give(memory, room, &bytes).map_err(told)?;
    }
    Ok(length as u32)
}
