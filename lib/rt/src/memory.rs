//! Memory objects and their mappings in this process. The only module of the runtime that makes references
//! into mapped memory; it does so for sealed memory alone, which nobody can change any more.

use crate::owned::{Channel, Owned, Process, Quota, Vmo};
use crate::sys;
use core::slice;
use nexus_abi::{Error, Handle, Rights, VmoInfo};

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
        let sealed = self.info().is_ok_and(|info| info.sealed == 1);
        Mapping::new(self.handle(), process, offset, bytes, access, sealed)
    }
}

/// A number that is read and written at once.
pub trait Word: Copy + sealed::Word {}

mod sealed {
    pub trait Word {}
    impl Word for u8 {}
    impl Word for u16 {}
    impl Word for u32 {}
    impl Word for u64 {}
}

impl<W: Copy + sealed::Word> Word for W {}

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
    /// Maps part of a vmo or window. `sealed` only for what can never change any more.
    pub(crate) fn new(
        memory: Handle,
        process: &Owned<Process>,
        offset: u64,
        bytes: u64,
        access: Rights,
        sealed: bool,
    ) -> Result<Mapping, Error> {
        let process = process.duplicate(Rights::MAP)?;
        let address = sys::vm_map(process.handle(), memory, offset, bytes, 0, access)?;
        Ok(Mapping { address, bytes: bytes as usize, access, sealed, process })
    }

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
        // SAFETY: any bits are a number.
        let (front, words, _) = unsafe { out.align_to_mut::<u64>() };
        let (first, aligned) = (front.len(), words.len() * 8);
        let mut index = 0;
        while index < out.len() {
            let from = start + index;
            if index == first && from.is_multiple_of(8) && aligned > 0 {
                // Both sides are words here, so that a word costs a load and a store.
                for at in (index..index + aligned).step_by(8) {
                    // SAFETY: `range` checked that the whole slice lies in this mapping, and as many bytes of `out` are left; both
                    // addresses are multiples of 8.
                    unsafe {
                        let value = core::ptr::read_volatile((start + at) as *const u64);
                        out.as_mut_ptr().add(at).cast::<u64>().write(value);
                    }
                }
                index += aligned;
            } else if let Some(word) = out.get_mut(index..index + 8).filter(|_| from.is_multiple_of(8)) {
                // SAFETY: `range` checked that the whole slice lies in this mapping, and 8 bytes of it are left; the
                // address is a multiple of 8.
                let value = unsafe { core::ptr::read_volatile(from as *const u64) };
                word.copy_from_slice(&value.to_ne_bytes());
                index += 8;
            } else {
                // SAFETY: `range` checked that the whole slice lies in this mapping.
                out[index] = unsafe { core::ptr::read_volatile(from as *const u8) };
                index += 1;
            }
        }
        Ok(())
    }

    /// Reads a number, at once, at an offset that is a multiple of its size.
    #[inline]
    pub fn load<W: Word>(&self, offset: usize) -> Result<W, Error> {
        let start = self.word::<W>(offset)?;
        // SAFETY: `word` checked that it lies in this mapping, aligned; any bits are a number.
        Ok(unsafe { core::ptr::read_volatile(start as *const W) })
    }

    /// Writes a number, at once, at an offset that is a multiple of its size.
    #[inline]
    pub fn store<W: Word>(&self, offset: usize, value: W) -> Result<(), Error> {
        if !self.access.contains(Rights::WRITE) {
            return Err(Error::AccessDenied);
        }
        let start = self.word::<W>(offset)?;
        // SAFETY: `word` checked that it lies in this mapping, aligned; the mapping is writable, and no reference to
        // it exists (it is not sealed, so `sealed_bytes` made none).
        unsafe { core::ptr::write_volatile(start as *mut W, value) };
        Ok(())
    }

    fn word<W: Word>(&self, offset: usize) -> Result<usize, Error> {
        let start = self.range(offset, size_of::<W>())?;
        // A mapping begins at a page.
        if offset.is_multiple_of(size_of::<W>()) { Ok(start) } else { Err(Error::Invalid) }
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

    /// Queues bytes of it at the other end of a channel. The kernel reads them, so that memory which is gone is an error and no fault.
    pub(crate) fn send(&self, offset: usize, bytes: usize, channel: &Owned<Channel>) -> Result<(), Error> {
        let start = self.range(offset, bytes)?;
        // SAFETY: `range` checked that they lie in this mapping, whose memory nothing owns that could forbid reading.
        unsafe { sys::send_at(channel.handle(), start as u64, bytes) }
    }

    /// Takes the message of so many bytes at the head of a channel's queue into it, likewise. Refused, it stays where it was.
    pub(crate) fn receive(&self, offset: usize, bytes: usize, channel: &Owned<Channel>) -> Result<(), Error> {
        if !self.access.contains(Rights::WRITE) {
            return Err(Error::AccessDenied);
        }
        let start = self.range(offset, bytes)?;
        // SAFETY: `range` checked that they lie in this mapping, which is writable and to which no reference exists (it is not
        // sealed, so `sealed_bytes` made none). What was revoked is nothing else's until it is unmapped.
        unsafe { sys::recv_at(channel.handle(), start as u64, bytes) }
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
