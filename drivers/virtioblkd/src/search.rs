//! What partitions the disk has: found when it has come up, with requests like any client's.

use crate::disk::{Kind, Request, SECTOR};
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use nexus_driver::{Fault, Memory, Pool};
use nexus_gpt::{Damage, MAX_ENTRY_SECTORS, Need, Partition, Scan, Step};

/// What is known of the disk's partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// These; whether the table at the front was damaged.
    Table(Vec<Partition>, bool),
    /// There is no table that can be believed: why not.
    None(Damage),
}

/// The search, until it has ended.
#[derive(Debug)]
pub struct Search<M> {
    scan: Scan,
    step: Step,
    buffer: Rc<M>,
}

impl<M: Memory> Search<M> {
    /// Begins on a disk of that many sectors.
    pub fn begin(sectors: u64, pool: &mut impl Pool<Memory = M>) -> Result<Search<M>, Fault> {
        let buffer = Rc::new(pool.allocate((MAX_ENTRY_SECTORS * SECTOR) as usize)?);
        let (scan, step) = Scan::begin(sectors);
        Ok(Search { scan, step, buffer })
    }

    /// What is to be read next, if anything.
    pub fn request(&self, id: u64) -> Option<Request<M>> {
        let Step::Read(Need { sector, count }) = self.step else { return None };
        Some(Request { kind: Kind::Read, sector, count, buffer: Some(self.buffer.clone()), offset: 0, id })
    }

    /// It was read, or could not be.
    pub fn read(&mut self, good: bool) {
        let Step::Read(need) = self.step else { return };
        let mut bytes = vec![0; (need.count * SECTOR) as usize];
        let good = good && self.buffer.read(0, &mut bytes).is_ok();
        self.step = if good { self.scan.feed(&bytes) } else { self.scan.failed() };
    }

    /// What was found, when the search has ended.
    pub fn found(&self) -> Option<Found> {
        match &self.step {
            Step::Read(_) => None,
            Step::Found(partitions, back) => Some(Found::Table(partitions.clone(), *back)),
            Step::Nothing(damage) => Some(Found::None(*damage)),
        }
    }
}
