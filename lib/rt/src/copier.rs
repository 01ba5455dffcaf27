//! Copies out of and into memory that another process handed over. That one may destroy the memory's quota, or be ended together with it, at any
//! moment, and whoever touches the memory then faults. So nothing here touches it: the kernel copies, in messages that this process sends to itself,
//! and a copy that cannot be made is an error.
//!
//! What must never happen: what another process does to its memory ends this one.

use crate::End;
use crate::memory::Mapping;
use crate::owned::{Channel, Owned, Quota};
use crate::sys;
use nexus_abi::Error;
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, REGISTER_BYTES};

/// Copies have a multiple of so many bytes: what registers hold would not be copied by the kernel.
pub const GRAIN: usize = 64;

const _: () = assert!(GRAIN > REGISTER_BYTES && MAX_MESSAGE_BYTES.is_multiple_of(GRAIN));

/// What carries one message.
const ONE: End = End { depth: 1, bytes: MAX_MESSAGE_BYTES as u16, handles: 0 };

/// A channel of which this process has both ends.
#[derive(Debug)]
pub struct Copier {
    out: Owned<Channel>,
    back: Owned<Channel>,
}

impl Copier {
    /// Makes the channel.
    pub fn new(quota: &Owned<Quota>) -> Result<Copier, Error> {
        let (out, back) = Owned::<Channel>::create(quota, End::default(), ONE)?;
        Ok(Copier { out, back })
    }

    /// Copies from the beginning of a mapping as many bytes as `out` has, a multiple of [`GRAIN`]. `BadAddress` when the memory is not there any more.
    pub fn read(&self, memory: &Mapping, out: &mut [u8]) -> Result<(), Error> {
        whole(out.len())?;
        for (number, piece) in out.chunks_mut(MAX_MESSAGE_BYTES).enumerate() {
            memory.send(number * MAX_MESSAGE_BYTES, piece.len(), &self.out)?;
            self.back.receive(piece)?;
        }
        Ok(())
    }

    /// Copies bytes, a multiple of [`GRAIN`], to the beginning of a mapping. `BadAddress` when the memory is not there any more; some of it may have been written.
    pub fn write(&self, memory: &Mapping, bytes: &[u8]) -> Result<(), Error> {
        whole(bytes.len())?;
        for (number, piece) in bytes.chunks(MAX_MESSAGE_BYTES).enumerate() {
            sys::send_bytes(self.out.handle(), piece)?;
            let taken = memory.receive(number * MAX_MESSAGE_BYTES, piece.len(), &self.back);
            if taken.is_err() {
                // The next copy finds nothing of this one.
                sys::discard(self.back.handle())?;
            }
            taken?;
        }
        Ok(())
    }
}

fn whole(bytes: usize) -> Result<(), Error> {
    if bytes.is_multiple_of(GRAIN) { Ok(()) } else { Err(Error::Invalid) }
}
