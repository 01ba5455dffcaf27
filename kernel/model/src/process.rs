//! Processes: made, and ended in one of four ways, after which nothing of them is left but their record.
//!
//! What must never happen: a thread, a handle, a mapping or a charge that outlives the process it belonged to.

use crate::answer::{Raw, RawAnswer};
use crate::fault::Fault;
use crate::handles::Table;
use crate::model::Model;
use crate::object::{IdentityId, ObjectId};
use crate::op::{HandleName, ProcessName, QuotaName};
use crate::quota::{table_pages, Costs, OBJECT_PAGES, PROCESS_PAGES};
use crate::vmo::Space;
use nexus_abi::bounds::MAX_HANDLES;
use nexus_abi::{Error, ExitCause, Kind, Rights};

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub quota: QuotaName,
    /// Copied from the identity object, which need not outlive this.
    pub service: u32,
    pub cpu: u64,
    pub table: Table,
    pub space: Space,
    /// How it ended.
    pub ended: Option<(ExitCause, u64)>,
}

/// An identity object.
#[derive(Clone, Debug)]
pub(crate) struct IdentityObject {
    pub quota: QuotaName,
    pub service: u32,
}

impl Model {
    pub(crate) fn process(&self, id: ProcessName) -> &Process {
        &self.processes[&id]
    }

    pub(crate) fn process_mut(&mut self, id: ProcessName) -> &mut Process {
        self.processes.get_mut(&id).expect("a process that is asked for is")
    }

    pub(crate) fn process_behind(&self, actor: ProcessName, name: HandleName, right: Rights) -> Result<ProcessName, Error> {
        match self.lookup(actor, name, Kind::Process, right)?.object {
            ObjectId::Process(process) => Ok(process),
            _ => Err(Error::WrongType),
        }
    }

    pub(crate) fn process_create(
        &mut self,
        actor: ProcessName,
        quota: HandleName,
        identity: HandleName,
        handles: usize,
        cpu: u64,
    ) -> RawAnswer {
        let quota = self.chargeable(actor, quota)?;
        let ObjectId::Identity(identity) = self.lookup(actor, identity, Kind::Identity, Rights::USE)?.object else {
            return Err(Error::WrongType.into());
        };
        if handles == 0 || handles > MAX_HANDLES {
            return Err(Error::Invalid.into());
        }
        let forgotten = u64::from(self.broken(Fault::ChargeTooSmall));
        let costs = Costs { quota, pages: PROCESS_PAGES + table_pages(handles) - forgotten, cpu };
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = ProcessName(self.next.process());
        let service = self.identities[&identity].service;
        let table = Table::new(handles);
        self.processes.insert(id, Process { quota, service, cpu, table, space: Space::default(), ended: None });
        Ok(self.created(actor, &[ObjectId::Process(id)]))
    }

    pub(crate) fn process_kill(&mut self, actor: ProcessName, process: HandleName) -> RawAnswer {
        let target = self.process_behind(actor, process, Rights::MANAGE)?;
        self.end_process(target, ExitCause::Killed, 0);
        Ok(Raw::Done)
    }

    /// Threads, mappings, handles, charges: in this order, so that nobody of it sees the rest go.
    pub(crate) fn end_process(&mut self, id: ProcessName, cause: ExitCause, code: u64) {
        if self.process(id).ended.is_some() {
            return;
        }
        for thread in self.threads_of(id) {
            self.stop_thread(thread);
        }
        let mapped: Vec<u64> = self.process(id).space.mappings.keys().copied().collect();
        mapped.into_iter().for_each(|page| self.remove_mapping(id, page));
        while let Some(capability) = self.process_mut(id).table.take_first() {
            self.close(capability);
        }
        let before = self.costs(ObjectId::Process(id));
        self.process_mut(id).ended = Some((cause, code));
        let after = self.costs(ObjectId::Process(id));
        self.give_back(Costs { quota: before.quota, pages: before.pages - after.pages, cpu: before.cpu - after.cpu });
        self.refresh(ObjectId::Process(id));
        self.release(ObjectId::Process(id));
    }

    pub(crate) fn identity_create(
        &mut self,
        actor: ProcessName,
        minter: HandleName,
        quota: HandleName,
        service: u32,
    ) -> RawAnswer {
        self.lookup(actor, minter, Kind::Identity, Rights::MINT)?;
        let quota = self.chargeable(actor, quota)?;
        let costs = Costs { quota, pages: OBJECT_PAGES, cpu: 0 };
        if service == 0 {
            return Err(Error::Invalid.into());
        }
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = IdentityId(self.next.object());
        self.identities.insert(id, IdentityObject { quota, service });
        let born = self.next.order();
        self.born.insert(ObjectId::Identity(id), born);
        let rights = Kind::Identity.all_rights() - Rights::MINT;
        let capability = self.mint(ObjectId::Identity(id), rights);
        Ok(Raw::Handles(vec![self.install(actor, capability)]))
    }
}
