//! A disk (virtio 1.2, section 5.2), with a cache that a power cut loses unless it was flushed.

use std::any::Any;

use crate::{Chain, Done, Model, Random};

/// Bytes of a sector.
pub const SECTOR: usize = 512;

const READ: u32 = 0;
const WRITE: u32 = 1;
const FLUSH: u32 = 4;

const OK: u8 = 0;
const IO_ERROR: u8 = 1;
const UNSUPPORTED: u8 = 2;

const READ_ONLY: u64 = 1 << 5;
const FLUSHES: u64 = 1 << 9;

/// A disk.
#[derive(Debug)]
pub struct Block {
    /// What is on it, as the device sees it.
    pub data: Vec<u8>,
    /// What would be on it after a power cut.
    pub durable: Vec<u8>,
    /// Whether it refuses writes.
    pub read_only: bool,
    /// Whether it has a cache that can be flushed.
    pub flushes: bool,
    /// Sectors whose reading and writing fails.
    pub bad: Vec<u64>,
    /// Requests answered.
    pub requests: u64,
    /// Whether requests wait instead of being answered.
    pub paused: bool,
    /// Descriptors of its queue.
    pub queue: u32,
}

impl Block {
    /// A disk of zeros.
    pub fn new(sectors: usize) -> Block {
        Block::of(vec![0; sectors * SECTOR])
    }

    /// A disk with this on it.
    pub fn of(data: Vec<u8>) -> Block {
        Block {
            durable: data.clone(),
            data,
            read_only: false,
            flushes: true,
            bad: Vec::new(),
            requests: 0,
            paused: false,
            queue: 128,
        }
    }

    fn range(&self, sector: u64, bytes: usize) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(sector).ok()?.checked_mul(SECTOR)?;
        let end = start.checked_add(bytes)?;
        let sectors = sector..sector + bytes.div_ceil(SECTOR) as u64;
        let bad = self.bad.iter().any(|bad| sectors.contains(bad));
        (end <= self.data.len() && bytes.is_multiple_of(SECTOR) && !bad).then_some(start..end)
    }
}

impl Model for Block {
    fn kind(&self) -> u32 {
        2
    }
    fn features(&self) -> u64 {
        let mut features = 0;
        if self.read_only {
            features |= READ_ONLY;
        }
        if self.flushes {
            features |= FLUSHES;
        }
        features
    }
    fn config(&self) -> Vec<u8> {
        ((self.data.len() / SECTOR) as u64).to_le_bytes().to_vec()
    }
    fn queues(&self) -> Vec<u32> {
        vec![self.queue]
    }
    fn ready(&mut self, _queue: usize) -> bool {
        !self.paused
    }
    fn work(&mut self, _queue: usize, chain: &Chain, _random: &mut Random) -> Done {
        self.requests += 1;
        let bad = Done { written: Vec::new(), last: Some(UNSUPPORTED) };
        let Some((header, data)) = chain.readable.split_at_checked(16) else { return bad };
        let kind = u32::from_le_bytes(header[0..4].try_into().unwrap());
        let sector = u64::from_le_bytes(header[8..16].try_into().unwrap());
        let failed = Done { written: Vec::new(), last: Some(IO_ERROR) };
        let room = chain.room.saturating_sub(1);
        match kind {
            READ => match self.range(sector, room) {
                Some(range) => Done { written: self.data[range].to_vec(), last: Some(OK) },
                None => failed,
            },
            WRITE if self.read_only => failed,
            WRITE => match self.range(sector, data.len()) {
                Some(range) => {
                    self.data[range.clone()].copy_from_slice(data);
                    if !self.flushes {
                        self.durable[range].copy_from_slice(data);
                    }
                    Done { written: Vec::new(), last: Some(OK) }
                }
                None => failed,
            },
            FLUSH if self.flushes => {
                self.durable.copy_from_slice(&self.data);
                Done { written: Vec::new(), last: Some(OK) }
            }
            _ => bad,
        }
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
