//! Named points of the first database. Who makes one is charged for all pages that it may come to hold.

use super::charge::Charges;
use super::repair::Losses;
use super::{Allow, Error, Receipt, State};
use crate::engine::{MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, Medium, PAGE, Tree};

impl<M: Medium> State<M> {
    fn may_snapshot(&self, service: u32, name: &str) -> Result<(), Error> {
        if !self.access.permits_all(service, Allow::Snapshot) {
            return Err(Error::PermissionDenied);
        }
        if (1..=MAX_SNAPSHOT_NAME).contains(&name.len()) { Ok(()) } else { Err(Error::Invalid) }
    }

    fn has_snapshot(&self, name: &str) -> bool {
        self.store.snapshots().any(|snapshot| snapshot.name == name.as_bytes())
    }

    /// Keeps the first database as it is under a name. It survives a power cut then.
    pub fn snapshot(&mut self, service: u32, name: &str) -> Result<Receipt, Error> {
        self.may_snapshot(service, name)?;
        if self.has_snapshot(name) {
            return Err(Error::Exists);
        }
        if self.store.snapshots().count() == MAX_SNAPSHOTS {
            return Err(Error::QuotaExceeded);
        }
        // How many pages it is to pay for is known when everything is in them.
        self.store.checkpoint()?;
        let pages = u64::from(self.store.used(Tree::Main)) * PAGE as u64;
        if self.used(service) + pages > self.access.limit(service).hard {
            return Err(Error::QuotaExceeded);
        }
        self.store.take_snapshot(name.as_bytes(), u64::from(service))?;
        self.consider(service);
        Ok(self.receipt(self.store.generation()))
    }

    /// Takes the first database back to a snapshot, its charges with it. The snapshot stays. It survives a power cut then.
    pub fn restore(&mut self, service: u32, name: &str) -> Result<Receipt, Error> {
        self.may_snapshot(service, name)?;
        self.store.restore_snapshot(name.as_bytes(), alloc::vec::Vec::new())?;
        self.charges = Charges::load(&mut self.store)?;
        self.losses = Losses::load(&mut self.store)?;
        self.watches.resync();
        Ok(self.receipt(self.store.generation()))
    }

    /// Drops a snapshot. It survives a power cut then.
    pub fn drop_snapshot(&mut self, service: u32, name: &str) -> Result<Receipt, Error> {
        self.may_snapshot(service, name)?;
        self.store.drop_snapshot(name.as_bytes())?;
        self.consider(service);
        Ok(self.receipt(self.store.generation()))
    }
}
