//! Memory that comes with messages, on the device: mapped for one copy, which the kernel makes, so that who takes its memory away meanwhile harms nobody else.

use nexus_rt::abi::bounds::PAGE_SIZE;
use nexus_rt::abi::{Error, Rights};
use nexus_rt::copier::Copier;
use nexus_rt::{Owned, ProcessKind, QuotaKind, READ_WRITE, Vmo};
use statefsd::handed::Hands;

/// What it is done with.
pub struct Copying {
    copier: Copier,
    own: &'static Owned<ProcessKind>,
}

impl Copying {
    /// With a channel for the copies.
    pub fn new(quota: &Owned<QuotaKind>, own: &'static Owned<ProcessKind>) -> Result<Copying, Error> {
        Ok(Copying { copier: Copier::new(quota)?, own })
    }
}

/// Whole pages that have so many bytes.
fn pages(bytes: usize) -> u64 {
    bytes.next_multiple_of(PAGE_SIZE) as u64
}

impl Hands for Copying {
    fn take(&mut self, memory: &Owned<Vmo>, out: &mut [u8]) -> Result<(), Error> {
        let mapping = memory.map(self.own, 0, pages(out.len()), Rights::READ)?;
        self.copier.read(&mapping, out)
    }

    fn give(&mut self, memory: &Owned<Vmo>, room: usize, bytes: &[u8]) -> Result<(), Error> {
        let mapping = memory.map(self.own, 0, pages(room), READ_WRITE)?;
        self.copier.write(&mapping, bytes)
    }
}
