//! Processes that this program makes. A [`Child`] is never this process itself, so mapping into it and starting
//! threads in it cannot touch this program's memory: that is why it may be done without unsafe code.

use crate::owned::{Channel, Identity, Owned, Process, Quota, Thread, Vmo};
use crate::sys;
use nexus_abi::{Error, Rights};

/// What a new process may have at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Size of its handle table.
    pub handles: u16,
    /// Highest priority of its threads.
    pub priority: u8,
    /// Thousandths of a hart.
    pub cpu: u16,
}

/// A process made here. Dropping it closes the handle; the process goes on.
#[derive(Debug)]
pub struct Child(Owned<Process>);

impl Child {
    /// Makes an empty process that bears `identity`, charged to `quota`.
    pub fn create(quota: &Owned<Quota>, identity: &Owned<Identity>, limits: Limits) -> Result<Child, Error> {
        let process = sys::process_create(
            quota.handle(),
            identity.handle(),
            limits.handles as u64,
            limits.priority as u64,
            limits.cpu as u64,
        )?;
        Ok(Child(Owned::from_handle(process)))
    }

    /// Maps part of a vmo into it.
    pub fn map(
        &self,
        vmo: &Owned<Vmo>,
        offset: u64,
        bytes: u64,
        address: u64,
        access: Rights,
    ) -> Result<u64, Error> {
        sys::vm_map(self.0.handle(), vmo.handle(), offset, bytes, address, access)
    }

    /// Starts a new thread in it; `bootstrap` moves there.
    pub fn start(
        &self,
        quota: &Owned<Quota>,
        priority: u8,
        entry: u64,
        stack: u64,
        argument: u64,
        bootstrap: Owned<Channel>,
    ) -> Result<(), Error> {
        let thread = Owned::<Thread>::create(&self.0, quota, priority as u64)?;
        let handle = bootstrap.into_handle();
        // SAFETY: the thread belongs to a process that was created here as another one.
        let started = unsafe { sys::thread_start(thread.handle(), entry, stack, argument, handle) };
        if started.is_err() {
            drop(Owned::<Channel>::from_handle(handle));
        }
        started
    }

    /// The process.
    pub fn process(&self) -> &Owned<Process> {
        &self.0
    }

    /// The process, which is not known to be another one any more.
    pub fn into_process(self) -> Owned<Process> {
        self.0
    }
}
