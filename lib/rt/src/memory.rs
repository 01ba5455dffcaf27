//! Memory objects and their mappings in this process. The only module of the runtime that makes references
//! into mapped memory; it does so for sealed memory alone, which nobody can change any more.

use crate::owned::{Owned, Process, Quota, Vmo};
use crate::sys;
use core::slice;
use nexus_abi::{Error, Rights, VmoInfo};

impl Owned<Vmo> {
    /// Makes zeroed memory, a whole number of pages.
    pub fn create(quota: &Owned<Quota>, bytes: u64) -> Result<Owned<Vmo>, Error> {
        sys::vmo_create(quota.handle(), bytes).map(Owned::from_handle)
    }

    /// Its size and state.
    pub fn info(&self) -> Result<VmoInfo, Error> {
        sys::vmo_info(self.handle())
    }

    /// Makes it immutable; any handle with WRITE or writable mapping, anywhere, forbids it.
    pub fn seal(&self) -> Result<(), Error> {
        sys::vmo_seal(self.handle())
    }

    /// Gives up writing and seals it. Any other handle with WRITE, or a writable mapping, forbids it.
    pub fn into_sealed(self) -> Result<Owned<Vmo>, Error> {
        let sealed = self.duplicate(self.rights()? - Rights::WRITE)?;
        drop(self);
        sealed.seal()?;
        Ok(sealed)
    }

    /// Maps part of it into this process, where the kernel chooses.
    pub fn map(
        &self,
        process: &Owned<Process>,
        offset: u64,
        bytes: u64,
        access: Rights,
    ) -> Result<Mapping, Error> {
        let address = sys::vm_map(process.handle(), self.handle(), offset, bytes, 0, access)?;
        let sealed = self.info().is_ok_and(|info| info.sealed == 1);
        let process = process.duplicate(Rights::MAP)?;
        Ok(Mapping { address, bytes: bytes as usize, access, sealed, process })
    }
}

/// Memory mapped into this process. Dropping it unmaps it.
#[derive(Debug)]
pub struct Mapping {
    address: u64,
    bytes: usize,
    access: Rights,
    sealed: bool,
    process: Owned<Process>,
}

impl Mapping {
    /// Where it is.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether it has no byte (the kernel makes no such mapping).
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Its bytes, when the memory is sealed: what nobody can change can be referred to.
    /// (Should its quota be destroyed, a touch faults; it never reads other memory.)
    pub fn sealed_bytes(&self) -> Option<&[u8]> {
        if !self.sealed {
            return None;
        }
        // SAFETY: the mapping is readable, lives as long as `self`, and its memory can never change.
        Some(unsafe { slice::from_raw_parts(self.address as *const u8, self.bytes) })
    }

    /// Copies bytes out of it, one volatile read each word, for memory that others may be writing.
    pub fn read(&self, offset: usize, out: &mut [u8]) -> Result<(), Error> {
        let start = self.range(offset, out.len())?;
        for (index, byte) in out.iter_mut().enumerate() {
            // SAFETY: `range` checked that the whole slice lies in this mapping.
            *byte = unsafe { core::ptr::read_volatile((start + index) as *const u8) };
        }
        Ok(())
    }

    /// Copies bytes into it.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        if !self.access.contains(Rights::WRITE) {
            return Err(Error::AccessDenied);
        }
        let start = self.range(offset, bytes.len())?;
        // SAFETY: `range` checked that the whole slice lies in this mapping, which is writable and to which no
        // reference exists (it is not sealed, so `sealed_bytes` made none).
        unsafe { core::ptr::copy(bytes.as_ptr(), start as *mut u8, bytes.len()) };
        Ok(())
    }

    fn range(&self, offset: usize, length: usize) -> Result<usize, Error> {
        let end = offset.checked_add(length).ok_or(Error::Invalid)?;
        if end > self.bytes { Err(Error::Invalid) } else { Ok(self.address as usize + offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: references into the mapping borrow `self`, so none is left.
        let _ = unsafe { sys::vm_unmap(self.process.handle(), self.address) };
    }
}
