//! What a driver process was granted: one window, one interrupt, one pool, and one more pool for each client that has a share of its
//! own. It has no other way to a device.

use crate::{Fault, Memory, Pool};
use alloc::format;
use nexus_rt::abi::{Error, Signals};
use nexus_rt::memory::Mapping;
use nexus_rt::owned::{Irq, Owned, Pool as PoolKind, Process, Vmo};
use nexus_rt::sys::device_fence;
use nexus_rt::{READ_WRITE, Server, Startup};

/// The grants of a driver.
#[derive(Debug)]
pub struct Grants {
    /// The registers, mapped.
    pub window: Mapping,
    /// The interrupt. It is off until it is acknowledged.
    pub interrupt: Interrupt,
    /// Memory that the device can reach; a device that reaches none has no pool.
    pub pool: Option<DevicePool>,
}

impl Grants {
    /// Takes them. `NotFound` when there is no device for this process.
    pub fn take(startup: &mut Startup) -> Result<Grants, Error> {
        let process = startup.process().ok_or(Error::NotFound)?;
        let window = startup.take::<nexus_rt::owned::Mmio>("mmio").ok_or(Error::NotFound)?.map(process)?;
        let interrupt = Interrupt(startup.take("irq").ok_or(Error::NotFound)?);
        let pool = startup.take("dma").map(|pool| DevicePool::new(pool, process));
        Ok(Grants { window, interrupt, pool })
    }

    /// Memory that is one client's alone, by its service id; what others take is none of it. `None` when no share was declared for it.
    pub fn take_share(startup: &mut Startup, service: u32) -> Option<DevicePool> {
        let process = startup.process()?;
        startup.take(&format!("dma.{service}")).map(|pool| DevicePool::new(pool, process))
    }
}

/// The device's interrupt.
#[derive(Debug)]
pub struct Interrupt(Owned<Irq>);

impl Interrupt {
    /// Lets it arrive at a server under that key.
    pub fn watch(&self, server: &Server, key: u64) -> Result<(), Error> {
        server.watch(&self.0, key, Signals::INTERRUPT)?;
        self.0.acknowledge()
    }

    /// Lets it come again. To be called when the device has been served: it would come at once otherwise.
    pub fn acknowledge(&self) -> Result<(), Error> {
        self.0.acknowledge()
    }
}

/// The pool of the grant.
#[derive(Debug)]
pub struct DevicePool {
    pool: Owned<PoolKind>,
    process: &'static Owned<Process>,
}

impl DevicePool {
    /// A pool, whose memory is mapped into `process`.
    pub fn new(pool: Owned<PoolKind>, process: &'static Owned<Process>) -> DevicePool {
        DevicePool { pool, process }
    }
}

impl Pool for DevicePool {
    type Memory = PoolMemory;

    fn allocate(&mut self, bytes: usize) -> Result<PoolMemory, Fault> {
        let bytes = bytes.checked_next_multiple_of(crate::memory::PAGE).ok_or(Fault::Exhausted)? as u64;
        let taken = self.pool.take(bytes).and_then(|vmo| {
            let address = vmo.device_address()?;
            let mapping = vmo.map(self.process, 0, bytes, READ_WRITE)?;
            Ok(PoolMemory { mapping, vmo, address })
        });
        taken.map_err(|_| Fault::Exhausted)
    }
}

/// A piece of the pool, mapped. When it is dropped, and no client has it, it goes back to the pool.
#[derive(Debug)]
pub struct PoolMemory {
    mapping: Mapping,
    vmo: Owned<Vmo>,
    address: u64,
}

impl PoolMemory {
    /// A handle for a client, which can map it and learns nothing of where it is.
    pub fn lend(&self) -> Result<Owned<Vmo>, Error> {
        self.vmo.lend()
    }
}

const fn outside(_: Error) -> Fault {
    Fault::Outside
}

impl Memory for PoolMemory {
    fn device_address(&self) -> u64 {
        self.address
    }
    fn len(&self) -> usize {
        self.mapping.len()
    }
    fn load16(&self, offset: usize) -> Result<u16, Fault> {
        self.mapping.load(offset).map_err(outside)
    }
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        self.mapping.load(offset).map_err(outside)
    }
    fn store16(&self, offset: usize, value: u16) -> Result<(), Fault> {
        self.mapping.store(offset, value).map_err(outside)
    }
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        self.mapping.store(offset, value).map_err(outside)
    }
    fn store64(&self, offset: usize, value: u64) -> Result<(), Fault> {
        self.mapping.store(offset, value).map_err(outside)
    }
    fn read(&self, offset: usize, out: &mut [u8]) -> Result<(), Fault> {
        device_fence();
        self.mapping.read(offset, out).map_err(outside)
    }
    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.mapping.write(offset, bytes).map_err(outside)
    }
}
