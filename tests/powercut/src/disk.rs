//! A medium in memory that writes down what is done to it, and fails when it is told to.

use nexus_state::engine::{Fault, Medium, SECTOR};

/// What was done to a medium.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Bytes were written at this place.
    Write(u64, Vec<u8>),
    /// Everything before is safe.
    Flush,
}

/// The medium.
#[derive(Clone, Default)]
pub struct Disk {
    /// What is on it.
    pub bytes: Vec<u8>,
    /// What was done to it, if that is to be known.
    pub events: Option<Vec<Event>>,
    /// Writes and flushes that still succeed; all, if nothing is said.
    pub good: Option<usize>,
    /// Flushes are answered and not done.
    pub lies: bool,
    /// It can only be read.
    pub read_only: bool,
}

impl Disk {
    /// An empty one of so many bytes.
    pub fn new(size: usize) -> Disk {
        Disk::of(vec![0; size])
    }

    /// One with these bytes.
    pub fn of(bytes: Vec<u8>) -> Disk {
        Disk { bytes, ..Disk::default() }
    }

    /// From now on everything is written down.
    pub fn recorded(self) -> Disk {
        Disk { events: Some(Vec::new()), ..self }
    }

    fn act(&mut self) -> Result<(), Fault> {
        if self.read_only {
            return Err(Fault::ReadOnly);
        }
        if let Some(good) = &mut self.good {
            *good = good.checked_sub(1).ok_or(Fault::Io)?;
        }
        Ok(())
    }

    fn range(&self, at: u64, length: usize) -> Result<core::ops::Range<usize>, Fault> {
        let at = usize::try_from(at).map_err(|_| Fault::Outside)?;
        assert!(at.is_multiple_of(SECTOR) && length.is_multiple_of(SECTOR), "whole sectors: {at}, {length}");
        let end = at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Fault::Outside)?;
        Ok(at..end)
    }
}

impl Medium for Disk {
    fn size(&mut self) -> Result<u64, Fault> {
        Ok(self.bytes.len() as u64)
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        let range = self.range(at, out.len())?;
        out.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        let range = self.range(at, data.len())?;
        self.act()?;
        self.bytes[range].copy_from_slice(data);
        if let Some(events) = &mut self.events {
            events.push(Event::Write(at, data.to_vec()));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.act()?;
        if let Some(events) = &mut self.events
            && !self.lies
        {
            events.push(Event::Flush);
        }
        Ok(())
    }
}
