//! The partition as the store's medium. Writes that follow each other are one request, and the last one before a flush goes with it.

use alloc::vec::Vec;

use nexus_block::{Error, Partition};
use nexus_rt::api::block;
use nexus_rt::wire::CallError;
use nexus_state::engine::{Fault, Medium, SECTOR};

/// Most bytes that are moved at once.
const MOVED: usize = 64 << 10;

/// The disk.
pub struct Disk {
    partition: Partition,
    /// What has not been written yet: where, and what.
    at: u64,
    waiting: Vec<u8>,
}

fn fault(error: Error) -> Fault {
    match error {
        Error::Request(CallError::Service(block::Error::ReadOnly)) => Fault::ReadOnly,
        Error::Request(CallError::Service(block::Error::Invalid)) | Error::Size => Fault::Outside,
        _ => Fault::Io,
    }
}

impl Disk {
    /// The partition `state`, opened when it is first used.
    pub fn new() -> Disk {
        Disk { partition: Partition::new("state", MOVED), at: 0, waiting: Vec::new() }
    }

    fn write_out(&mut self) -> Result<(), Fault> {
        let waiting = core::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        self.partition.write(self.at / SECTOR as u64, &waiting).map_err(fault)
    }
}

impl Medium for Disk {
    fn size(&mut self) -> Result<u64, Fault> {
        let (sectors, _) = self.partition.info().map_err(fault)?;
        Ok(sectors * SECTOR as u64)
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        let end = self.at + self.waiting.len() as u64;
        if at < end && self.at < at + out.len() as u64 {
            self.write_out()?;
        }
        for (index, part) in out.chunks_mut(MOVED).enumerate() {
            let sector = at / SECTOR as u64 + (index * MOVED / SECTOR) as u64;
            self.partition.read(sector, part).map_err(fault)?;
        }
        Ok(())
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        let mut at = at;
        for part in data.chunks(MOVED) {
            if at != self.at + self.waiting.len() as u64 || self.waiting.len() + part.len() > MOVED {
                self.write_out()?;
                self.at = at;
            }
            self.waiting.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        // A driver flushes what can only be read as well; the store is to know what it is on before anything is put.
        if self.partition.info().map_err(fault)?.1 {
            return Err(Fault::ReadOnly);
        }
        let waiting = core::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return self.partition.flush().map_err(fault);
        }
        self.partition.write_batch(&[(self.at / SECTOR as u64, &waiting)]).map_err(fault)
    }
}
