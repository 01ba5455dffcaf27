//! Quotas: what each object costs, charged before anything else happens and given back at once and exactly.
//!
//! What must never happen: a charge that stays when its object is gone, or an object nobody was charged for.
//!
//! Rules that docs/ipc.md leaves to the reader:
//! - a vmo costs one page, its pages, and the pages of its index: none for 1 page, one up to 1,024 pages, then one more
//!   for each 1,024;
//! - a process that has ended keeps one page, its object with the exit record; its table, page tables and
//!   processor share are given back when it ends;
//! - page tables are those that the present mappings need: a table that becomes empty is given back;
//! - destroying a quota whose objects include a thread of a process charged elsewhere ends that process too;
//! - objects are destroyed youngest first, those of a split-off quota in the place of that quota.

use crate::answer::{Raw, RawAnswer};
use crate::model::Model;
use crate::object::{ChannelId, ObjectId};
use crate::op::{EndBounds, HandleName, ProcessName, QuotaName};
use nexus_abi::bounds::{HANDLES_PER_PAGE, PAGE_SIZE};
use nexus_abi::{Error, ExitCause, Kind, Rights};

/// Pages of an object of the plain kinds: port, timer, identity, and the channel without its queues.
pub const OBJECT_PAGES: u64 = 1;
/// Pages of a thread.
pub const THREAD_PAGES: u64 = 2;
/// Pages of a process that has not ended, without its tables.
pub const PROCESS_PAGES: u64 = 2;
/// Pages of a process that has ended.
pub const ENDED_PROCESS_PAGES: u64 = 1;
/// Pages of a vmo that one page of its index accounts for.
pub const VMO_PAGES_PER_INDEX: u64 = 1024;

/// Pages of the queue of one end.
pub fn queue_pages(bounds: &EndBounds) -> u64 {
    let message = 32 + bounds.largest.bytes.next_multiple_of(8) + 16 * bounds.largest.handles;
    (bounds.depth * message).div_ceil(PAGE_SIZE) as u64
}

/// Pages of a channel.
pub fn channel_pages(ends: &[EndBounds; 2]) -> u64 {
    OBJECT_PAGES + queue_pages(&ends[0]) + queue_pages(&ends[1])
}

/// Pages of a vmo of `pages` pages.
pub fn vmo_pages(pages: u64) -> u64 {
    let index = match pages {
        0..=1 => 0,
        2..=VMO_PAGES_PER_INDEX => 1,
        _ => 1 + pages.div_ceil(VMO_PAGES_PER_INDEX),
    };
    OBJECT_PAGES + pages + index
}

/// Pages of a handle table with room for `handles`.
pub fn table_pages(handles: usize) -> u64 {
    handles.div_ceil(HANDLES_PER_PAGE) as u64
}

/// What something costs, and whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    pub quota: QuotaName,
    pub pages: u64,
    pub cpu: u64,
}

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    /// The quota it was split off; `None` for quota 0.
    pub parent: Option<QuotaName>,
    pub pages: u64,
    pub used: u64,
    pub cpu: u64,
    pub cpu_used: u64,
}

impl Model {
    /// What the object costs as it is now. Computed from what it is, never from what was charged.
    pub(crate) fn costs(&self, object: ObjectId) -> Costs {
        let plain = |quota| Costs { quota, pages: OBJECT_PAGES, cpu: 0 };
        match object {
            ObjectId::Process(id) => self.process_costs(id),
            ObjectId::Thread(id) => Costs { pages: THREAD_PAGES, ..plain(self.thread(id).quota) },
            ObjectId::End(id) => self.channel_costs(id.channel),
            ObjectId::Port(id) => plain(self.ports[&id].quota),
            ObjectId::Vmo(id) => Costs { pages: vmo_pages(self.vmos[&id].pages), ..plain(self.vmos[&id].quota) },
            ObjectId::Timer(id) => plain(self.timers[&id].quota),
            ObjectId::Identity(id) => plain(self.identities[&id].quota),
            ObjectId::Quota(id) => {
                let quota = &self.quotas[&id];
                let Some(parent) = quota.parent else { return Costs { pages: 0, ..plain(id) } };
                Costs { quota: parent, pages: quota.pages + OBJECT_PAGES, cpu: quota.cpu }
            }
        }
    }

    fn channel_costs(&self, id: ChannelId) -> Costs {
        let channel = &self.channels[&id];
        let ends = [channel.ends[0].bounds, channel.ends[1].bounds];
        Costs { quota: channel.quota, pages: channel_pages(&ends), cpu: 0 }
    }

    fn process_costs(&self, id: ProcessName) -> Costs {
        let process = self.process(id);
        if process.ended.is_some() {
            return Costs { quota: process.quota, pages: ENDED_PROCESS_PAGES, cpu: 0 };
        }
        let pages = PROCESS_PAGES + table_pages(process.table.capacity()) + process.space.tables();
        Costs { quota: process.quota, pages, cpu: process.cpu }
    }

    /// Every object that is charged to anybody. A channel stands here once, by its end 0.
    pub(crate) fn objects(&self) -> Vec<ObjectId> {
        let mut all = Vec::new();
        all.extend(self.processes.keys().map(|id| ObjectId::Process(*id)));
        all.extend(self.threads.keys().map(|id| ObjectId::Thread(*id)));
        all.extend(self.channels.keys().map(|id| ObjectId::End(crate::object::EndId { channel: *id, side: 0 })));
        all.extend(self.ports.keys().map(|id| ObjectId::Port(*id)));
        all.extend(self.vmos.keys().map(|id| ObjectId::Vmo(*id)));
        all.extend(self.timers.keys().map(|id| ObjectId::Timer(*id)));
        all.extend(self.identities.keys().map(|id| ObjectId::Identity(*id)));
        all.extend(self.quotas.iter().filter(|(_, q)| q.parent.is_some()).map(|(id, _)| ObjectId::Quota(*id)));
        all
    }

    /// How many objects belong to a quota, split-off ones included.
    pub(crate) fn objects_of(&self, quota: QuotaName) -> usize {
        self.objects().into_iter().filter(|object| self.costs(*object).quota == quota).count()
    }

    /// Charges, or changes nothing.
    pub(crate) fn charge(&mut self, costs: Costs) -> Result<(), Error> {
        let quota = self.quotas.get_mut(&costs.quota).ok_or(Error::BadHandle)?;
        if costs.pages > quota.pages - quota.used || costs.cpu > quota.cpu - quota.cpu_used {
            return Err(Error::QuotaExceeded);
        }
        quota.used += costs.pages;
        quota.cpu_used += costs.cpu;
        Ok(())
    }

    /// Gives back a charge; the quota ends when nothing needs it any more.
    pub(crate) fn give_back(&mut self, costs: Costs) {
        if let Some(quota) = self.quotas.get_mut(&costs.quota) {
            quota.used -= costs.pages;
            quota.cpu_used -= costs.cpu;
            self.release(ObjectId::Quota(costs.quota));
        }
    }

    /// The quota behind a handle that may be charged.
    pub(crate) fn chargeable(&self, actor: ProcessName, handle: HandleName) -> Result<QuotaName, Error> {
        match self.lookup(actor, handle, Kind::Quota, Rights::CHARGE)?.object {
            ObjectId::Quota(id) => Ok(id),
            _ => Err(Error::WrongType),
        }
    }

    pub(crate) fn quota_create(&mut self, actor: ProcessName, handle: HandleName, pages: u64, cpu: u64) -> RawAnswer {
        let ObjectId::Quota(parent) = self.lookup(actor, handle, Kind::Quota, Rights::SPLIT)?.object else {
            return Err(Error::WrongType.into());
        };
        let costs = Costs { quota: parent, pages: pages.saturating_add(OBJECT_PAGES), cpu };
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = QuotaName(self.next.quota());
        self.quotas.insert(id, Quota { parent: Some(parent), pages, used: 0, cpu, cpu_used: 0 });
        Ok(self.created(actor, &[ObjectId::Quota(id)]))
    }

    pub(crate) fn quota_destroy(&mut self, actor: ProcessName, handle: HandleName) -> RawAnswer {
        let ObjectId::Quota(top) = self.lookup(actor, handle, Kind::Quota, Rights::MANAGE)?.object else {
            return Err(Error::WrongType.into());
        };
        self.revoke(top);
        Ok(Raw::Done)
    }

    pub(crate) fn revoke(&mut self, top: QuotaName) {
        while let Some(object) = self.youngest_of(top) {
            match object {
                ObjectId::Process(id) => {
                    self.end_process(id, ExitCause::Revoked, 0);
                    self.destroy(object);
                }
                ObjectId::Thread(id) => self.end_process(self.thread(id).process, ExitCause::Revoked, 0),
                ObjectId::Quota(id) => self.revoke(id),
                _ => self.destroy(object),
            }
        }
        self.destroy(ObjectId::Quota(top));
    }

    fn youngest_of(&self, quota: QuotaName) -> Option<ObjectId> {
        let of = self.objects().into_iter().filter(|object| self.costs(*object).quota == quota);
        of.max_by_key(|object| self.born.get(object).copied())
    }
}
