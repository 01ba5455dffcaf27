//! A disk of this program's own, with nothing between: what a driver's figures are compared with, and whose interrupt is timed.

use crate::spin::Spin;
use crate::{Step, why};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_driver::grants::{DevicePool, Interrupt, PoolMemory};
use nexus_driver::{Grants, Pool};
use nexus_rt::memory::Mapping;
use nexus_rt::{Incoming, Owned, QuotaKind, Server, clock};
use virtioblkd::disk::{Disk, Done, Kind, Request, SECTOR};

/// Key of the interrupt.
const INTERRUPT: u64 = 1;
/// How long the device may take.
const PATIENCE_MS: u64 = 10_000;

/// The disk, and the memory that it reads into.
pub struct Bare<'a> {
    disk: Disk<&'a Mapping, PoolMemory>,
    interrupt: &'a Interrupt,
    server: Server,
    buffers: Vec<Rc<PoolMemory>>,
}

impl<'a> Bare<'a> {
    /// Starts it, with so many buffers of so many bytes.
    pub fn begin(
        grants: &'a Grants,
        pool: &mut DevicePool,
        quota: &Owned<QuotaKind>,
        buffers: usize,
        bytes: usize,
    ) -> Result<Bare<'a>, String> {
        let mut disk = why("a disk", Disk::new(&grants.window, pool))?;
        let server = why("a server", Server::new(quota))?;
        let buffers = (0..buffers)
            .map(|_| why("memory", pool.allocate(bytes)).map(Rc::new))
            .collect::<Result<_, _>>()?;
        why("watch", grants.interrupt.watch(&server, INTERRUPT))?;
        why("bring up", disk.bring_up())?;
        Ok(Bare { disk, interrupt: &grants.interrupt, server, buffers })
    }

    fn read(&mut self, buffer: usize, sector: u64, count: u64) -> Step {
        let memory = self.buffers.get(buffer).cloned();
        let request =
            Request { kind: Kind::Read, sector, count, buffer: memory, offset: 0, id: buffer as u64 };
        why("submit", self.disk.submit(&request, 0))
    }

    fn take(&mut self) -> Result<Vec<Done>, String> {
        let mut done = Vec::new();
        why("the device", self.disk.interrupt(&mut done))?;
        why("acknowledge", self.interrupt.acknowledge())?;
        if done.iter().all(|done| done.good) { Ok(done) } else { Err(String::from("a sector was not read")) }
    }

    /// Reads `bytes` from the beginning on, each buffer as a request of its own, all of them on their way at once.
    pub fn sequential(&mut self, bytes: u64, each: u64) -> Step {
        let count = each / SECTOR;
        let (mut next, mut left) = (0, bytes / each);
        for buffer in 0..self.buffers.len() {
            self.read(buffer, next, count)?;
            next += count;
        }
        why("tell", self.disk.tell())?;
        while left > 0 {
            match why("wait", self.server.next(clock::in_millis(PATIENCE_MS)))? {
                Incoming::Event { key: INTERRUPT, .. } => {}
                other => return Err(alloc::format!("in place of an interrupt: {other:?}")),
            }
            for done in self.take()? {
                left -= 1;
                if next < bytes / SECTOR {
                    self.read(done.id as usize, next, count)?;
                    next += count;
                }
            }
            why("tell", self.disk.tell())?;
        }
        Ok(())
    }

    /// Reads so many bytes and waits for the interrupt alone; how many instructions it took from there to the first one of this program.
    /// `None` when it came before it was waited for.
    pub fn interrupt(&mut self, spin: &Spin, bytes: u64) -> Result<Option<u64>, String> {
        self.read(0, 0, bytes / SECTOR)?;
        why("tell", self.disk.tell())?;
        let count = spin.until_event(self.server.port())?;
        if self.take()?.len() == 1 { Ok(count) } else { Err(String::from("an interrupt and nothing read")) }
    }
}
