//! What can be done with each kind of object, apart from messages.

use crate::owned::{Identity, Owned, Port, Process, Quota, Resource, Thread, Timer};
use crate::sys;
use nexus_abi::{Error, ExitRecord, Holdings, KernelStats, ProcessInfo, QuotaInfo, Rights, Signals, Ticks};

pub use crate::owned::{Channel, Vmo};
pub use crate::owned::{
    Identity as IdentityKind, Irq as IrqKind, Mmio as MmioKind, Pool as PoolKind, Port as PortKind,
    Process as ProcessKind, Quota as QuotaKind, Resource as ResourceKind, Thread as ThreadKind,
    Timer as TimerKind,
};
pub use crate::sys::End;

impl Owned<Quota> {
    /// Splits a smaller quota off.
    pub fn split(&self, pages: u64, cpu: u64) -> Result<Owned<Quota>, Error> {
        sys::quota_create(self.handle(), pages, cpu).map(Owned::from_handle)
    }

    /// Destroys every object that belongs to it, wherever their handles are. Do not keep a
    /// [`Mapping`](crate::memory::Mapping) of such memory across it: a touch faults until the kernel chooses the
    /// same addresses for another mapping, which it may do before the old one is dropped.
    pub fn destroy(self) -> Result<(), Error> {
        // SAFETY: the kernel removes mappings of destroyed memory, so a touch faults. What this relies on beyond
        // that, and what the kernel does not promise yet, is that their addresses stay unused until `vm_unmap`.
        unsafe { sys::quota_destroy(self.handle()) }
    }

    /// What it holds and what is charged to it.
    pub fn info(&self) -> Result<QuotaInfo, Error> {
        sys::quota_info(self.handle())
    }
}

impl Owned<Port> {
    /// Makes a port.
    pub fn create(quota: &Owned<Quota>) -> Result<Owned<Port>, Error> {
        sys::port_create(quota.handle()).map(Owned::from_handle)
    }

    /// Binds an endpoint, timer or process.
    pub fn bind<K: crate::owned::ObjectKind>(
        &self,
        object: &Owned<K>,
        key: u64,
        signals: Signals,
    ) -> Result<(), Error> {
        sys::port_bind(self.handle(), object.handle(), key, signals)
    }

    /// Ends a binding.
    pub fn unbind<K: crate::owned::ObjectKind>(&self, object: &Owned<K>) -> Result<(), Error> {
        sys::port_bind(self.handle(), object.handle(), 0, Signals::empty())
    }

    /// Raises user bits (16 to 31).
    pub fn signal(&self, bits: u32) -> Result<(), Error> {
        sys::port_signal(self.handle(), bits)
    }
}

impl Owned<Timer> {
    /// Makes a timer that is not set.
    pub fn create(quota: &Owned<Quota>) -> Result<Owned<Timer>, Error> {
        sys::timer_create(quota.handle()).map(Owned::from_handle)
    }

    /// Sets when it signals EXPIRED.
    pub fn set(&self, deadline: Ticks) -> Result<(), Error> {
        sys::timer_set(self.handle(), deadline)
    }
}

impl Owned<Identity> {
    /// Mints the identity of a service id.
    pub fn mint(&self, quota: &Owned<Quota>, service: u32) -> Result<Owned<Identity>, Error> {
        sys::identity_create(self.handle(), quota.handle(), service).map(Owned::from_handle)
    }
}

impl Owned<Process> {
    /// Who it is and what it holds.
    pub fn info(&self) -> Result<ProcessInfo, Error> {
        sys::process_info(self.handle())
    }

    /// Some of the handles that it holds, from an entry of its table on.
    pub fn holdings(&self, from: u32) -> Result<Holdings, Error> {
        sys::holdings(self.handle(), from)
    }

    /// Why it ended, or ends; `BadState` before it was told to.
    pub fn exit_record(&self) -> Result<ExitRecord, Error> {
        sys::exit_record(self.handle())
    }

    /// Ends it.
    pub fn kill(&self) -> Result<(), Error> {
        sys::process_kill(self.handle())
    }
}

impl Owned<Thread> {
    /// Makes a thread that has not started.
    pub fn create(
        process: &Owned<Process>,
        quota: &Owned<Quota>,
        priority: u64,
    ) -> Result<Owned<Thread>, Error> {
        sys::thread_create(process.handle(), quota.handle(), priority).map(Owned::from_handle)
    }
}

impl Owned<Resource> {
    /// Writes to the kernel's console, in pieces that it takes.
    pub fn console_write(&self, text: &[u8]) -> Result<(), Error> {
        for piece in text.chunks(nexus_abi::bounds::MAX_CONSOLE_WRITE) {
            sys::console_write(self.handle(), piece)?;
        }
        Ok(())
    }

    /// Ends or restarts the machine; returns only when refused.
    pub fn reset(&self, code: u64) -> Result<(), Error> {
        sys::machine_reset(self.handle(), code)
    }

    /// Counters of the kernel.
    pub fn stats(&self) -> Result<KernelStats, Error> {
        sys::kernel_stats(self.handle())
    }
}

/// Access that maps memory readable and writable.
pub const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
