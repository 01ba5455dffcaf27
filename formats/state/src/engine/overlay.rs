//! A medium on which nothing is written before all of it is known to be right: what is written stays in memory until it is taken over. Or it hands everything on at once:
//! so a store that is served and one that is put together are the same code.
//!
//! What must never happen: something of it comes onto the medium under it although the whole was not, or in an order in which a power cut
//! leaves neither the old nor the new.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::layout::SUPERBLOCKS;
use super::{Fault, Medium, PAGE, SECTOR};

/// The medium.
pub struct Overlay<M> {
    under: M,
    /// Pages that differ from those under it.
    written: BTreeMap<u64, Box<[u8; PAGE]>>,
    /// Most of them; nothing: everything is handed on.
    most: Option<usize>,
}

impl<M: Medium> Overlay<M> {
    /// Over a medium, with at most so many pages in memory.
    pub fn new(under: M, most: usize) -> Overlay<M> {
        Overlay { under, written: BTreeMap::new(), most: Some(most) }
    }

    /// The medium itself: what is written is on it.
    pub fn through(under: M) -> Overlay<M> {
        Overlay { under, written: BTreeMap::new(), most: None }
    }

    /// The medium under it, to look at.
    pub fn under(&self) -> &M {
        &self.under
    }

    /// The medium under it, as it was.
    pub fn into_under(self) -> M {
        self.under
    }

    /// Takes over what was written: everything that superblocks name, a flush, then the superblocks, so that a cut leaves the old store or the new one. At
    /// most one pair of superblocks may have been written.
    pub fn take_over(mut self) -> (M, Result<(), Fault>) {
        let done = self.write_out();
        (self.under, done)
    }

    fn write_out(&mut self) -> Result<(), Fault> {
        let mut last = None;
        for first in [false, true] {
            for (page, bytes) in
                self.written.iter().filter(|(page, _)| first == (**page < SUPERBLOCKS.into()))
            {
                self.under.write(page * PAGE as u64, &bytes[..])?;
                last = Some(page);
            }
            if last.take().is_some() {
                self.under.flush()?;
            }
        }
        Ok(())
    }

    fn page(&mut self, page: u64) -> Result<&mut [u8; PAGE], Fault> {
        if !self.written.contains_key(&page) {
            if self.most == Some(self.written.len()) {
                return Err(Fault::Outside);
            }
            let mut bytes = Box::new([0; PAGE]);
            self.under.read(page * PAGE as u64, &mut bytes[..])?;
            self.written.insert(page, bytes);
        }
        self.written.get_mut(&page).map(|bytes| &mut **bytes).ok_or(Fault::Outside)
    }
}

impl<M: Medium> Medium for Overlay<M> {
    fn size(&mut self) -> Result<u64, Fault> {
        self.under.size()
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        self.under.read(at, out)?;
        if self.written.is_empty() {
            return Ok(());
        }
        for (index, part) in out.chunks_mut(SECTOR).enumerate() {
            let at = at + (index * SECTOR) as u64;
            if let Some(bytes) = self.written.get(&(at / PAGE as u64)) {
                let from = (at % PAGE as u64) as usize;
                part.copy_from_slice(&bytes[from..from + part.len()]);
            }
        }
        Ok(())
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        if self.most.is_none() {
            return self.under.write(at, data);
        }
        if at.checked_add(data.len() as u64).is_none_or(|end| self.under.size().is_ok_and(|size| end > size))
        {
            return Err(Fault::Outside);
        }
        for (index, part) in data.chunks(SECTOR).enumerate() {
            let at = at + (index * SECTOR) as u64;
            let from = (at % PAGE as u64) as usize;
            self.page(at / PAGE as u64)?[from..from + part.len()].copy_from_slice(part);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        if self.most.is_none() { self.under.flush() } else { Ok(()) }
    }
}
