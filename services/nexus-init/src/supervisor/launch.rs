//! Making a process of the registry: its quota, its identity, and what it is handed.

use super::{PROCESS_KEYS, Supervisor};
use crate::controls::{Authority, Refused};
use crate::handing;
use crate::slot::Running;
use nexus_abi::{Error, Rights, Signals};
use nexus_rt::startup::{LOG, SAMGRD};
use nexus_rt::{Channel, IdentityKind, Limits, Owned, ProcessKind, QuotaKind, audit};
use nexus_spawn::{Grants, Plan};

impl Supervisor {
    /// Makes the process; when something is refused, nothing of it is left.
    pub(super) fn launch(&mut self, index: usize) -> Result<Running, Refused> {
        let process = self.slots[index].process;
        let quota = self.root.quota.split(process.pages as u64, process.cpu as u64)?;
        let made = self.furnish(index, &quota);
        match made {
            Ok((process, starter, grants)) => Ok(Running { process, quota, starter, grants }),
            Err(why) => {
                quota.destroy()?;
                Err(why)
            }
        }
    }

    fn furnish(
        &mut self,
        index: usize,
        quota: &Owned<QuotaKind>,
    ) -> Result<(Owned<ProcessKind>, u64, Grants), Refused> {
        let declared = self.slots[index].process;
        let identity = self.root.minter.mint(quota, declared.id)?;
        let mut grants = Grants::new(declared.args);
        handing::declared(&mut grants, &declared, &self.root, &identity)?;
        let authority = Authority::of(&declared);
        if let Some(authority) = authority.filter(|authority| *authority != Authority::Policy) {
            grants.add("control", self.controls.open(authority, self.quota)?)?;
        }
        if matches!(authority, Some(Authority::Services | Authority::Policy)) {
            let readable = Rights::READ | Rights::INSPECT | Rights::TRANSFER;
            grants.add("registry", self.registry_copy.duplicate(readable)?)?;
        }
        if let Some(device) = declared.device {
            self.devices.hand(&mut grants, device, ["mmio", "irq", "dma"])?;
            let device = self.registry.device(device).map_or("", |device| device.name);
            audit!("{} is given the device {device}", declared.name);
        }
        if authority == Some(Authority::Policy) {
            handing::requestable(&mut grants, &self.registry, &self.devices)?;
        }
        if let Some(channel) = self.watcher(&declared)? {
            grants.add("supervise", channel)?;
        }
        if let Some(log) = self.controls.log_for(&declared, self.quota)? {
            grants.add(LOG, log)?;
        }
        if self.speaks_to_samgrd(index)
            && let Some(session) = self.controls.session_for(&declared, self.quota)?
        {
            grants.add(SAMGRD, session)?;
        }
        let (starter, bootstrap) = nexus_spawn::bootstrap(self.quota)?;
        let process = self.spawn(index, quota, &identity, bootstrap)?;
        handing::own(&mut grants, &declared, &process, quota)?;
        self.server.watch(&process, PROCESS_KEYS + index as u64, Signals::TERMINATED)?;
        let starter = self.server.attach(starter)?;
        Ok((process, starter, grants))
    }

    /// Through `execd`, but for the two that must be there before it works.
    fn spawn(
        &mut self,
        index: usize,
        quota: &Owned<QuotaKind>,
        identity: &Owned<IdentityKind>,
        bootstrap: Owned<Channel>,
    ) -> Result<Owned<ProcessKind>, Refused> {
        let process = self.slots[index].process;
        if !matches!(Authority::of(&process), Some(Authority::Log | Authority::Spawn)) {
            return self.controls.spawn(&process, quota, identity, bootstrap);
        }
        let program = self.image.program(process.program).ok_or(Error::NotFound)?;
        let limits = Limits { handles: process.handles, priority: process.priority, cpu: process.cpu };
        let plan = Plan { image: &self.root.image, program, quota, identity, limits };
        match nexus_spawn::spawn(&plan, self.own, bootstrap) {
            Ok(child) => Ok(child.into_process()),
            Err(why) => Err(Refused::Here(why)),
        }
    }
}
