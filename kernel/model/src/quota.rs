//! Quotas: accounts of pages and processor share, in a tree.

use crate::object::{Body, Id};
use crate::{Answer, Fault, Model, Refused, Slot};
use alloc::vec::Vec;
use nexus_abi::{Error, ExitCause, Kind, Rights};

/// An account. What is split off to other quotas counts as used.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Quota {
    /// Pages it can charge.
    pub pages: u64,
    /// Pages charged.
    pub used: u64,
    /// Thousandths of a hart it can give.
    pub cpu: u64,
    /// Thousandths given.
    pub cpu_used: u64,
    /// Its objects, in the order they were made.
    pub objects: Vec<Id>,
    /// It is being destroyed: nothing can be charged any more.
    pub dying: bool,
}

impl Model {
    pub(crate) fn charge(&mut self, quota: Id, pages: u64) -> Refused<()> {
        self.find(quota)?;
        let account = self.quota_mut(quota);
        if account.dying {
            return Err(Error::BadHandle);
        }
        if account.pages - account.used < pages {
            return Err(Error::QuotaExceeded);
        }
        account.used += pages;
        Ok(())
    }

    pub(crate) fn discharge(&mut self, quota: Id, pages: u64) {
        if !self.breaks(Fault::ChargeStays) {
            self.quota_mut(quota).used -= pages;
        }
    }

    pub(crate) fn take_share(&mut self, quota: Id, cpu: u64) -> Refused<()> {
        let account = self.quota_mut(quota);
        if account.cpu - account.cpu_used < cpu {
            return Err(Error::QuotaExceeded);
        }
        account.cpu_used += cpu;
        Ok(())
    }

    /// The quota that a handle lets its holder charge.
    pub(crate) fn charged(&self, process: Id, slot: Slot) -> Refused<Id> {
        Ok(self.look_up_as(process, slot, Kind::Quota, Rights::CHARGE)?.object)
    }

    /// `quota_create`: what it is given, and a page for itself, are charged to the quota it is split off.
    pub(crate) fn quota_create(&mut self, process: Id, from: Slot, pages: u64, cpu: u64) -> Refused<Answer> {
        let parent = self.look_up_as(process, from, Kind::Quota, Rights::SPLIT)?.object;
        if pages > u32::MAX as u64 - 1 || cpu > 1000 {
            return Err(Error::Invalid);
        }
        self.take_share(parent, cpu)?;
        let body = Body::Quota(Quota { pages, cpu, ..Quota::default() });
        let id = self.create(parent, pages + 1, body).inspect_err(|_| {
            self.quota_mut(parent).cpu_used -= cpu;
        });
        let id = id?;
        self.publish(process, id, Kind::Quota, Kind::Quota.all_rights())
    }

    /// `quota_destroy`: every object of the quota, and of those split off it, ends; the youngest first. When it comes to the
    /// caller's own process, that ends, and what is left stays until somebody else destroys the quota or lets go of it.
    pub(crate) fn quota_destroy(&mut self, process: Id, slot: Slot) -> Refused<Answer> {
        let root = self.look_up_as(process, slot, Kind::Quota, Rights::MANAGE)?.object;
        let mut quota = root;
        while self.exists(root) {
            self.quota_mut(quota).dying = true;
            match self.quota(quota).objects.last().copied() {
                None => {
                    self.forget(quota);
                    quota = root;
                }
                Some(id) if matches!(self.objects[&id].body, Body::Quota(_)) => quota = id,
                Some(id) if self.lives_in(id, process) => {
                    self.kill(process, ExitCause::Revoked, 0);
                    break;
                }
                Some(id) => {
                    self.revoke(id);
                    quota = root;
                }
            }
        }
        Ok(Answer::Done)
    }

    fn lives_in(&self, id: Id, process: Id) -> bool {
        id == process || matches!(&self.objects[&id].body, Body::Thread(thread) if thread.process == process)
    }

    fn revoke(&mut self, id: Id) {
        match &self.objects[&id].body {
            Body::Channel(_) => {
                self.close_end((id, 0));
                self.close_end((id, 1));
            }
            Body::Thread(thread) => self.revoke_process(thread.process),
            Body::Process(_) => {
                self.revoke_process(id);
                if self.exists(id) && self.process(id).has_ended() {
                    self.destroy(id);
                }
            }
            _ => self.destroy(id),
        }
    }
}
