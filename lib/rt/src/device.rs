//! What a driver holds: a window of registers, an interrupt, a pool of memory that its device may reach; and, for the first
//! program, how these are minted.

use crate::memory::Mapping;
use crate::owned::{Irq, Mmio, Owned, Pool, Process, Quota, Resource, Vmo};
use crate::sys;
use nexus_abi::{Error, IrqInfo, KernelRecords, MmioInfo, PoolInfo, Rights};

impl Owned<Mmio> {
    /// Mints the window at a physical address, whole pages.
    pub fn mint(
        resource: &Owned<Resource>,
        quota: &Owned<Quota>,
        base: u64,
        bytes: u64,
    ) -> Result<Owned<Mmio>, Error> {
        sys::mmio_create(resource.handle(), quota.handle(), base, bytes).map(Owned::from_handle)
    }

    /// Its size and use.
    pub fn info(&self) -> Result<MmioInfo, Error> {
        sys::mmio_info(self.handle())
    }

    /// Maps all of it into this process, readable and writable. Its bytes are registers: the kernel takes no pointer to them.
    pub fn map(&self, process: &Owned<Process>) -> Result<Mapping, Error> {
        self.map_range(process, 0, self.info()?.size)
    }

    /// Maps part of it.
    pub fn map_range(&self, process: &Owned<Process>, offset: u64, bytes: u64) -> Result<Mapping, Error> {
        Mapping::new(self.handle(), process, offset, bytes, crate::READ_WRITE, false)
    }
}

impl Owned<Irq> {
    /// Mints the interrupt of a source. It is off until it is acknowledged.
    pub fn mint(resource: &Owned<Resource>, quota: &Owned<Quota>, source: u32) -> Result<Owned<Irq>, Error> {
        sys::irq_create(resource.handle(), quota.handle(), source).map(Owned::from_handle)
    }

    /// Its state and use.
    pub fn info(&self) -> Result<IrqInfo, Error> {
        sys::irq_info(self.handle())
    }

    /// Lets it fire (again). Each firing turns it off.
    pub fn acknowledge(&self) -> Result<(), Error> {
        sys::irq_ack(self.handle())
    }
}

impl Owned<Pool> {
    /// Makes a pool of so many bytes, whole pages.
    pub fn create(
        resource: &Owned<Resource>,
        quota: &Owned<Quota>,
        bytes: u64,
    ) -> Result<Owned<Pool>, Error> {
        sys::pool_create(resource.handle(), quota.handle(), bytes).map(Owned::from_handle)
    }

    /// Takes zeroed, contiguous memory out of it. It goes back when the last handle and mapping are gone.
    pub fn take(&self, bytes: u64) -> Result<Owned<Vmo>, Error> {
        sys::pool_take(self.handle(), bytes).map(Owned::from_handle)
    }

    /// Its size and use.
    pub fn info(&self) -> Result<PoolInfo, Error> {
        sys::pool_info(self.handle())
    }
}

impl Owned<Vmo> {
    /// Where a device finds its first byte; only memory of a pool has such an address, for who holds it with DMA.
    pub fn device_address(&self) -> Result<u64, Error> {
        Ok(sys::dma_info(self.handle())?.address)
    }

    /// A handle to lend to a client: it can map the memory, and learns nothing of where that is.
    pub fn lend(&self) -> Result<Owned<Vmo>, Error> {
        self.duplicate(Rights::READ | Rights::WRITE | Rights::TRANSFER | Rights::INSPECT)
    }
}

impl Owned<Resource> {
    /// The last records of the kernel.
    pub fn records(&self) -> Result<KernelRecords, Error> {
        sys::kernel_records(self.handle())
    }
}
