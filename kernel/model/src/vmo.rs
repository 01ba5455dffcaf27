//! Memory objects and the address spaces they are mapped in, as bookkeeping: which pages, with what access.
//!
//! What must never happen: a writable mapping or handle of a sealed vmo, an executable mapping of one that is not, or
//! two mappings over one page.
//!
//! Rules that docs/ipc.md leaves to the reader, in the order of the checks of `vm_map`: process handle; vmo handle with
//! READ; `access` is READ, READ+WRITE or READ+EXECUTE (`Invalid`); the vmo handle has those rights (`AccessDenied`);
//! range within the vmo and within user space, not empty (`Invalid`); process has ended (`BadState`); overlap
//! (`Exists`); mapping table (`NoSpace`); page tables (`QuotaExceeded`); EXECUTE of an unsealed vmo (`AccessDenied`).

use crate::answer::{Raw, RawAnswer};
use crate::fault::Fault;
use crate::model::Model;
use crate::object::{ObjectId, VmoId};
use crate::op::{HandleName, ProcessName, QuotaName};
use crate::quota::{vmo_pages, Costs};
use nexus_abi::bounds::{MAX_MAPPINGS, MAX_VMO_BYTES, PAGE_SIZE, USER_END};
use nexus_abi::{Error, Kind, Rights};
use std::collections::{BTreeMap, BTreeSet};

/// Pages of user space, and the pages under one leaf table and one middle table.
const USER_PAGES: u64 = USER_END / PAGE_SIZE as u64;
const LEAF_PAGES: u64 = 512;
const MIDDLE_PAGES: u64 = 512 * 512;

/// A memory object.
#[derive(Clone, Debug)]
pub(crate) struct Vmo {
    pub quota: QuotaName,
    pub pages: u64,
    pub sealed: bool,
}

/// A run of pages of a vmo in an address space.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub vmo: VmoId,
    pub pages: u64,
    pub access: Rights,
}

/// An address space: mappings by their first page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    pub mappings: BTreeMap<u64, Mapping>,
}

impl Space {
    /// Page tables that the mappings need, the root not counted: it is part of what every process costs.
    pub fn tables(&self) -> u64 {
        let mut tables = BTreeSet::new();
        for (first, mapping) in &self.mappings {
            let last = first + mapping.pages - 1;
            tables.extend((first / LEAF_PAGES..=last / LEAF_PAGES).map(|n| (1, n)));
            tables.extend((first / MIDDLE_PAGES..=last / MIDDLE_PAGES).map(|n| (2, n)));
        }
        tables.len() as u64
    }

    fn overlaps(&self, first: u64, pages: u64) -> bool {
        self.mappings.iter().any(|(at, mapping)| *at < first + pages && first < at + mapping.pages)
    }
}

impl Model {
    pub(crate) fn mappings_of(&self, vmo: VmoId) -> usize {
        self.all_mappings().filter(|mapping| mapping.vmo == vmo).count()
    }

    pub(crate) fn all_mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.processes.values().flat_map(|process| process.space.mappings.values())
    }

    pub(crate) fn vmo_create(&mut self, actor: ProcessName, quota: HandleName, pages: u64) -> RawAnswer {
        let quota = self.chargeable(actor, quota)?;
        if pages == 0 || pages > MAX_VMO_BYTES / PAGE_SIZE as u64 {
            return Err(Error::Invalid.into());
        }
        let costs = Costs { quota, pages: vmo_pages(pages), cpu: 0 };
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = VmoId(self.next.object());
        self.vmos.insert(id, Vmo { quota, pages, sealed: false });
        Ok(self.created(actor, &[ObjectId::Vmo(id)]))
    }

    pub(crate) fn vmo_seal(&mut self, actor: ProcessName, vmo: HandleName) -> RawAnswer {
        let ObjectId::Vmo(id) = self.lookup(actor, vmo, Kind::Vmo, Rights::SEAL)?.object else {
            return Err(Error::WrongType.into());
        };
        let only_tables = self.broken(Fault::SealIgnoresQueues);
        let handle = self
            .capabilities()
            .filter(|(table, _)| table.is_some() || !only_tables)
            .any(|(_, c)| c.object == ObjectId::Vmo(id) && c.rights.contains(Rights::WRITE));
        let mapping = self.all_mappings().any(|m| m.vmo == id && m.access.contains(Rights::WRITE));
        let Some(vmo) = self.vmos.get_mut(&id) else { return Err(Error::BadHandle.into()) };
        if vmo.sealed || handle || mapping {
            return Err(Error::Sealed.into());
        }
        vmo.sealed = true;
        Ok(Raw::Done)
    }

    #[allow(clippy::too_many_arguments, reason = "the arguments of the system call")]
    pub(crate) fn vm_map(
        &mut self,
        actor: ProcessName,
        process: HandleName,
        vmo: HandleName,
        offset: u64,
        pages: u64,
        page: u64,
        access: Rights,
    ) -> RawAnswer {
        let target = self.process_behind(actor, process, Rights::MAP)?;
        let source = self.lookup(actor, vmo, Kind::Vmo, Rights::READ)?;
        let ObjectId::Vmo(vmo) = source.object else { return Err(Error::WrongType.into()) };
        let allowed = [Rights::READ, Rights::READ | Rights::WRITE, Rights::READ | Rights::EXECUTE];
        if !allowed.contains(&access) {
            return Err(Error::Invalid.into());
        }
        if !source.rights.contains(access) {
            return Err(Error::AccessDenied.into());
        }
        let within = |start: u64, end: u64| start.checked_add(pages).is_some_and(|last| last <= end);
        if pages == 0 || page == 0 || !within(offset, self.vmos[&vmo].pages) || !within(page, USER_PAGES) {
            return Err(Error::Invalid.into());
        }
        if self.process(target).ended.is_some() {
            return Err(Error::BadState.into());
        }
        let space = &self.process(target).space;
        if space.overlaps(page, pages) {
            return Err(Error::Exists.into());
        }
        if space.mappings.len() >= MAX_MAPPINGS {
            return Err(Error::NoSpace.into());
        }
        let mut larger = space.clone();
        larger.mappings.insert(page, Mapping { vmo, pages, access });
        let added = larger.tables() - space.tables();
        let quota = self.process(target).quota;
        let costs = Costs { quota, pages: added, cpu: 0 };
        self.charge(costs)?;
        if access.contains(Rights::EXECUTE) && !self.vmos[&vmo].sealed {
            self.give_back(costs);
            return Err(Error::AccessDenied.into());
        }
        self.process_mut(target).space = larger;
        Ok(Raw::Done)
    }

    pub(crate) fn vm_unmap(&mut self, actor: ProcessName, process: HandleName, page: u64) -> RawAnswer {
        let target = self.process_behind(actor, process, Rights::MAP)?;
        if self.process(target).ended.is_some() {
            return Err(Error::BadState.into());
        }
        if !self.process(target).space.mappings.contains_key(&page) {
            return Err(Error::NotFound.into());
        }
        self.remove_mapping(target, page);
        Ok(Raw::Done)
    }

    /// Takes a mapping away, with the tables that it alone needed.
    pub(crate) fn remove_mapping(&mut self, process: ProcessName, page: u64) {
        let space = &mut self.process_mut(process).space;
        let before = space.tables();
        let Some(mapping) = space.mappings.remove(&page) else { return };
        let pages = before - space.tables();
        let quota = self.process(process).quota;
        self.give_back(Costs { quota, pages, cpu: 0 });
        self.release(ObjectId::Vmo(mapping.vmo));
    }

    /// Revocation: the memory goes, and every mapping of it.
    pub(crate) fn empty_vmo(&mut self, id: VmoId) {
        self.vmos.remove(&id);
        let mapped: Vec<(ProcessName, u64)> = self
            .processes
            .iter()
            .flat_map(|(name, process)| process.space.mappings.iter().map(move |(page, m)| (*name, *page, m.vmo)))
            .filter(|(_, _, vmo)| *vmo == id)
            .map(|(name, page, _)| (name, page))
            .collect();
        mapped.into_iter().for_each(|(process, page)| self.remove_mapping(process, page));
    }
}
