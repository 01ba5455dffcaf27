//! Vmos, as far as sealing and the reach of buffers need them: who could write one.

use crate::object::{Body, Id, NOBODY};
use crate::{Answer, Fault, Model, Refused, Slot};
use alloc::vec::Vec;
use nexus_abi::bounds::{MAX_VMO_BYTES, PAGE_SIZE};
use nexus_abi::{Error, Kind, Rights};

/// Memory of a fixed size.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Vmo {
    /// Its size in pages.
    pub pages: u64,
    /// Immutable for ever.
    pub sealed: bool,
}

impl Model {
    /// Mappings of a vmo: the process and the page.
    pub fn mappings_of(&self, vmo: Id) -> impl Iterator<Item = (Id, u8, bool)> {
        self.processes().flat_map(move |(id, process)| {
            let mappings = process.mappings.iter().filter(move |(_, mapping)| mapping.0 == vmo);
            mappings.map(move |(page, (_, writable))| (id, *page, *writable))
        })
    }

    /// `vmo_create`. What is larger than a page has one page of index.
    pub(crate) fn vmo_create(&mut self, process: Id, quota: Slot, bytes: u64) -> Refused<Answer> {
        let quota = self.charged(process, quota)?;
        if bytes == 0 || bytes > MAX_VMO_BYTES {
            return Err(Error::Invalid);
        }
        let pages = bytes.div_ceil(PAGE_SIZE as u64);
        let index = (pages > 1) as u64;
        let id = self.create(quota, 1 + pages + index, Body::Vmo(Vmo { pages, sealed: false }))?;
        self.publish(process, id, Kind::Vmo, Kind::Vmo.all_rights() - Rights::DMA)
    }

    /// Whether anything could still write the vmo: a handle, also one on its way, or a mapping.
    pub fn is_writable(&self, vmo: Id) -> bool {
        let mut handles: Vec<_> = self.capabilities().collect();
        if self.breaks(Fault::SealOverlooksFlight) {
            handles =
                self.processes().flat_map(|(_, process)| process.table.open()).map(|(_, c)| c).collect();
        }
        handles.iter().any(|c| c.object == vmo && c.rights.contains(Rights::WRITE))
            || self.mappings_of(vmo).any(|(_, _, writable)| writable)
    }

    /// `vmo_seal`.
    pub(crate) fn vmo_seal(&mut self, process: Id, slot: Slot) -> Refused<Answer> {
        let vmo = self.look_up_as(process, slot, Kind::Vmo, Rights::SEAL)?.object;
        if self.vmo(vmo).sealed || self.is_writable(vmo) {
            return Err(Error::Sealed);
        }
        self.vmo_mut(vmo).sealed = true;
        Ok(Answer::Done)
    }

    /// `vm_map` of a whole vmo at a page of the target's address space.
    pub(crate) fn vm_map(
        &mut self,
        process: Id,
        [target, vmo]: [Slot; 2],
        page: u8,
        access: u32,
    ) -> Refused<Answer> {
        let target = self.look_up_as(process, target, Kind::Process, Rights::MAP)?.object;
        let source = self.look_up_as(process, vmo, Kind::Vmo, Rights::READ)?;
        let (vmo, rights) = (source.object, source.rights);
        let access = Rights::from_bits(access).ok_or(Error::Invalid)?;
        let possible = [Rights::READ, Rights::READ | Rights::WRITE, Rights::READ | Rights::EXECUTE];
        if !possible.contains(&access) {
            return Err(Error::Invalid);
        }
        if !rights.contains(access) {
            return Err(Error::AccessDenied);
        }
        if !self.process(target).is_alive() {
            return Err(Error::BadState);
        }
        if self.process(target).mappings.contains_key(&page) {
            return Err(Error::Exists);
        }
        let sealed = self.vmo(vmo).sealed;
        let tables = if self.process(target).table_pages() == 0 { 2 } else { 0 };
        let quota = self.objects[&target].quota;
        self.charge(quota, tables)?;
        let denied =
            (access.contains(Rights::WRITE) && sealed) || (access.contains(Rights::EXECUTE) && !sealed);
        if denied {
            self.discharge(quota, tables);
            return Err(Error::AccessDenied);
        }
        if let Some(object) = self.objects.get_mut(&target) {
            object.charge += tables;
        }
        self.process_mut(target).mappings.insert(page, (vmo, access.contains(Rights::WRITE)));
        Ok(Answer::Done)
    }

    /// `vm_unmap` of the mapping that begins at a page.
    pub(crate) fn vm_unmap(&mut self, process: Id, target: Slot, page: u8) -> Refused<Answer> {
        let target = self.look_up_as(process, target, Kind::Process, Rights::MAP)?.object;
        if !self.process(target).is_alive() {
            return Err(Error::BadState);
        }
        if !self.process(target).mappings.contains_key(&page) {
            return Err(Error::NotFound);
        }
        self.remove_mapping(target, page);
        Ok(Answer::Done)
    }

    /// Removes a mapping; a vmo that only it kept ends.
    pub(crate) fn remove_mapping(&mut self, process: Id, page: u8) {
        let before = self.process(process).table_pages();
        let removed = self.process_mut(process).mappings.remove(&page);
        self.lose_tables(process, before);
        if let Some((vmo, _)) = removed
            && self.exists(vmo)
            && !self.is_needed(vmo)
        {
            self.destroy(vmo);
        }
    }

    fn lose_tables(&mut self, process: Id, before: u64) {
        let lost = before - self.process(process).table_pages();
        self.recharge(process, self.objects[&process].charge - lost);
    }

    /// A revoked vmo is mapped nowhere; where it was, the range stays taken until it is unmapped.
    pub(crate) fn end_vmo(&mut self, vmo: Id) {
        for (process, page, _) in self.mappings_of(vmo).collect::<Vec<_>>() {
            let before = self.process(process).table_pages();
            self.process_mut(process).mappings.insert(page, (NOBODY, false));
            self.lose_tables(process, before);
        }
    }
}
