//! Quotas: accounts of pages and processor share, in a tree.
//!
//! Every object belongs to one quota, stands in its list and counts as a reason to keep it. What must never
//! happen: a page used that no quota was charged for, or a quota that promises what its parent does not have.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, usage};
use crate::objects::Quota;
use crate::platform::Platform;
use crate::process::Process;
use crate::sync::Ordering;
use nexus_abi::{Error, Handle, Kind, Rights};

impl<P: Platform> Kernel<P> {
    /// Charges `pages` pages and puts the object in `frame` on the quota's list.
    pub(crate) fn enrol(&self, quota: ObjectRef, frame: Frame, pages: u32) -> Answer<()> {
        let _held = self.hold(quota)?;
        let account = self.memory.page::<Quota>(quota.frame);
        self.take_pages(account, pages)?;
        let header = self.memory.header(frame);
        header.charge.set(pages);
        header.quota.set(quota.frame.0);
        header.prev.set(0);
        header.next.set(account.objects.get());
        if account.objects.get() != 0 {
            self.memory.header(Frame(account.objects.get())).prev.set(frame.0);
        }
        account.objects.set(frame.0);
        account.count.add(1);
        self.memory.header(quota.frame).refs.add(1);
        Ok(())
    }

    fn take_pages(&self, account: &Quota, pages: u32) -> Answer<()> {
        if account.dying.get() != 0 {
            return Err(Error::BadHandle);
        }
        if account.pages.get() - account.used.get() < pages as u64 {
            return Err(Error::QuotaExceeded);
        }
        account.used.add(pages as u64);
        Ok(())
    }

    /// Charges more pages to the quota of a live object.
    pub(crate) fn charge_more(&self, frame: Frame, pages: u32) -> Answer<()> {
        let header = self.memory.header(frame);
        let quota = Frame(header.quota.get());
        let _held = self.memory.lock(quota);
        self.take_pages(self.memory.page::<Quota>(quota), pages)?;
        header.charge.add(pages);
        Ok(())
    }

    /// Gives back some of what an object was charged.
    pub(crate) fn charge_less(&self, frame: Frame, pages: u32) {
        let header = self.memory.header(frame);
        let quota = Frame(header.quota.get());
        let _held = self.memory.lock(quota);
        self.memory.page::<Quota>(quota).used.sub(pages as u64);
        header.charge.sub(pages);
    }

    /// Gives back all that an object was charged and takes it off its quota's list; the quota goes too if nothing
    /// needs it any more.
    pub(crate) fn discharge(&self, frame: Frame) {
        if let Some(quota) = self.discharge_one(frame) {
            self.settle_quota(quota);
        }
    }

    /// Answers the quota if this was its last object and nobody holds a handle to it: it is retired then.
    fn discharge_one(&self, frame: Frame) -> Option<Frame> {
        let header = self.memory.header(frame);
        let quota = Frame(header.quota.get());
        if !quota.exists() {
            return None;
        }
        let _held = self.memory.lock(quota);
        let account = self.memory.page::<Quota>(quota);
        let (next, prev) = (header.next.get(), header.prev.get());
        match prev {
            0 => account.objects.set(next),
            _ => self.memory.header(Frame(prev)).next.set(next),
        }
        if next != 0 {
            self.memory.header(Frame(next)).prev.set(prev);
        }
        account.count.sub(1);
        account.used.sub(header.charge.get() as u64);
        header.quota.set(0);
        let keeper = self.memory.header(quota);
        keeper.refs.sub(1);
        // Also while it is being destroyed: whoever does that may die before it is empty.
        (keeper.refs.get() == 0).then(|| {
            self.retire(quota);
            quota
        })
    }

    /// Gives what a retired, empty quota held back to its parent, and so on up: a loop, because the tree can
    /// be deeper than the kernel's stack. No lock is held.
    pub(crate) fn settle_quota(&self, mut frame: Frame) {
        loop {
            let parent = Frame(self.memory.header(frame).quota.get());
            if parent.exists() {
                let _held = self.memory.lock(parent);
                self.memory.page::<Quota>(parent).cpu_used.sub(self.memory.page::<Quota>(frame).cpu.get());
            }
            let next = self.discharge_one(frame);
            self.memory.free(frame);
            match next {
                Some(quota) => frame = quota,
                None => return,
            }
            self.breathe();
        }
    }

    /// Takes processor share from a quota.
    pub(crate) fn take_cpu(&self, quota: ObjectRef, cpu: u32) -> Answer<()> {
        let _held = self.hold(quota)?;
        let account = self.memory.page::<Quota>(quota.frame);
        if account.cpu.get() - account.cpu_used.get() < cpu {
            return Err(Error::QuotaExceeded);
        }
        account.cpu_used.add(cpu);
        Ok(())
    }

    /// Gives processor share back to the quota that an object belongs to.
    pub(crate) fn give_cpu(&self, frame: Frame, cpu: u32) {
        let quota = Frame(self.memory.header(frame).quota.get());
        let _held = self.memory.lock(quota);
        self.memory.page::<Quota>(quota).cpu_used.sub(cpu);
    }

    /// System call `quota_create`.
    pub(crate) fn quota_create(
        &self,
        process: Frame,
        parent: Handle,
        pages: u64,
        cpu: u64,
    ) -> Answer<Handle> {
        let parent = self.table(process).lookup_as(&self.memory, parent, Kind::Quota, Rights::SPLIT)?.object;
        if pages > u32::MAX as u64 - 1 || cpu > 1000 {
            return Err(Error::Invalid);
        }
        self.take_cpu(parent, cpu as u32)?;
        let frame = match self.create(parent, Kind::Quota, pages as u32 + 1) {
            Ok(frame) => frame,
            Err(error) => {
                if let Ok(_held) = self.hold(parent) {
                    self.memory.page::<Quota>(parent.frame).cpu_used.sub(cpu as u32);
                }
                return Err(error);
            }
        };
        let account = self.memory.page::<Quota>(frame);
        account.pages.set(pages);
        account.cpu.set(cpu as u32);
        self.publish(process, frame, Kind::Quota.all_rights())
    }

    /// System call `quota_destroy`, one step: destroys one object of the tree below. `at` is the quota to begin with, at first `root`, and then the one to
    /// go on with. `Ok(true)` when the quota itself is gone; `Ok(false)` when there is more to do; `Err(Busy)` when another hart must act first. No
    /// lock is held.
    pub(crate) fn quota_destroy_step(&self, root: ObjectRef, at: &mut ObjectRef) -> Answer<bool> {
        loop {
            let quota = *at;
            // What stands in the list is not freed while the quota is locked, nor is the quota that this one was split off.
            let (head, object, kind, above) = {
                let _held = match self.hold(quota) {
                    Err(gone) if quota == root => return Err(gone),
                    // One further down has gone with its last object.
                    Err(_) => {
                        *at = root;
                        continue;
                    }
                    Ok(held) => held,
                };
                let account = self.memory.page::<Quota>(quota.frame);
                account.dying.set(1);
                let head = Frame(account.objects.get());
                // Which it is, and then whether it is retired: who reads the generation of the next one sees that this one is.
                let object = self.reference(head);
                let kind = self.memory.header(head).kind.atomic().load(Ordering::Acquire);
                let above = self.reference(Frame(self.memory.header(quota.frame).quota.get()));
                (head, object, kind, above)
            };
            if !head.exists() {
                // Two harts may be destroying it; it is settled once.
                if self.retire_live(quota) {
                    self.settle_quota(quota.frame);
                }
                *at = above;
                return Ok(quota == root);
            }
            match Kind::from_raw(kind as u8) {
                // Retired by another hart, which is about to take it off the list; or another hart is still making it.
                _ if kind & !usage::KIND != 0 => return Err(Error::Busy),
                Some(Kind::Quota) => *at = object,
                Some(kind) => return self.revoke(object, kind).map(|()| false),
                // Enrolled by another hart, which is about to say what it is.
                None => return Err(Error::Busy),
            }
            // The tree may be deep.
            self.breathe();
        }
    }

    /// Destroys an object wherever its handles are.
    fn revoke(&self, object: ObjectRef, kind: Kind) -> Answer<()> {
        match kind {
            Kind::Channel => {
                self.close_end(object, 0);
                self.close_end(object, 1);
                // Another hart may still drain an end that it closed.
                if self.memory.header(object.frame).latch.generation() == object.generation {
                    return Err(Error::Busy);
                }
            }
            Kind::Thread => {
                let home = match self.hold(object) {
                    Ok(_held) => self.thread(object.frame).home.get(),
                    Err(_) => return Ok(()),
                };
                return self.revoke_process(ObjectRef::from_raw(home));
            }
            Kind::Process => {
                self.revoke_process(object)?;
                if self.memory.page::<Process>(object.frame).life.get() == crate::process::life::ENDED
                    && self.retire_live(object)
                {
                    self.bury(object.frame, kind);
                }
            }
            _ => {
                if self.retire_live(object) {
                    self.bury(object.frame, kind);
                }
            }
        }
        Ok(())
    }
}
