//! Mappings: what a process sees of vmos and of device windows, and what keeps these alive.
//!
//! What must never happen: a frame freed while some process can reach it, a device window among memory that the kernel takes
//! pointers into, or two things mapped at one address.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, usage};
use crate::mmio::Mmio;
use crate::objects::Vmo;
use crate::platform::Platform;
use crate::process::{Mapping, Process, life};
use crate::sync::{Cell32, Ordering, pause};
use crate::{hart::Hart, paging};
use core::ops::Range;
use nexus_abi::bounds::{DEVICE_START, MAX_MAPPINGS, PAGE_SIZE, USER_END, USER_START};
use nexus_abi::{Error, Handle, Kind, Rights};

/// Where the kernel looks for room when the caller leaves the address to it: for memory, and for windows.
const CHOOSE_FROM: u64 = 0x10_0000_0000;
const CHOOSE_WINDOW_FROM: u64 = DEVICE_START + PAGE;
const PAGE: u64 = PAGE_SIZE as u64;

/// Who maps a vmo or a window. Guarded by its lock.
#[derive(Default)]
#[repr(C)]
pub struct Mapped {
    /// Mappings.
    pub count: Cell32,
    /// The first of them (see `Mapping::next`).
    pub head: Cell32,
    /// Writable ones.
    pub writable: Cell32,
    /// Mappings that are gone from the list and from page tables, while some hart may still remember their translations.
    leaving: Cell32,
}

/// What stands in `Mapping::vmo` between the end of its translations and the fence: the range is not free yet. Unmapped: the
/// record is free after.
const UNMAPPED: u64 = u64::MAX;
/// Revoked: the range stays taken after.
const REVOKED: u64 = u64::MAX - 1;

/// The part of user space that objects of this kind are mapped in.
fn region(kind: Kind) -> Range<u64> {
    if kind == Kind::Mmio { DEVICE_START..USER_END } else { USER_START..DEVICE_START }
}

/// The access that a register names, if there is such a one and the handle has the rights for it.
#[inline(always)]
fn access_of(register: u64, rights: Rights) -> Answer<Rights> {
    let access = u32::try_from(register).ok().and_then(Rights::from_bits).ok_or(Error::Invalid)?;
    if access != Rights::READ
        && access != Rights::READ | Rights::WRITE
        && access != Rights::READ | Rights::EXECUTE
    {
        return Err(Error::Invalid);
    }
    if rights.contains(access) { Ok(access) } else { Err(Error::AccessDenied) }
}

impl<P: Platform> Kernel<P> {
    /// The mappings of a vmo or window, which may be retired.
    fn mapped(&self, frame: Frame) -> &Mapped {
        match self.memory.header(frame).kind.get() & usage::KIND {
            kind if kind == Kind::Mmio as u32 => &self.memory.page::<Mmio>(frame).mapped,
            _ => &self.memory.page::<Vmo>(frame).mapped,
        }
    }

    /// The physical address of the `n`th page of a vmo or window.
    #[inline(always)]
    fn page_address(&self, frame: Frame, kind: Kind, n: u32) -> u64 {
        match kind {
            Kind::Mmio => self.memory.page::<Mmio>(frame).base.get() + n as u64 * PAGE,
            _ => self.memory.address(self.vmo_frame(frame, n)),
        }
    }

    /// System call `vm_map`; answers the address.
    #[inline(always)]
    pub(crate) fn vm_map(
        &self,
        hart: &Hart,
        process: u64,
        memory: u64,
        range: [u64; 3],
        access: u64,
    ) -> Answer<u64> {
        let table = self.table(hart.owner());
        let target = table.lookup_as(&self.memory, process, Kind::Process, Rights::MAP)?.object;
        match table.lookup_as(&self.memory, memory, Kind::Vmo, Rights::READ) {
            Ok(source) => {
                let access = access_of(access, source.rights)?;
                self.map_here(target, (source.object, Kind::Vmo), range, access)
            }
            Err(Error::WrongType) => self.map_window(table, target, memory, range, access),
            Err(error) => Err(error),
        }
    }

    #[inline(never)]
    fn map_window(
        &self,
        table: &Process,
        target: ObjectRef,
        memory: u64,
        range: [u64; 3],
        access: u64,
    ) -> Answer<u64> {
        let source = table.lookup_as(&self.memory, memory, Kind::Mmio, Rights::READ)?;
        let access = access_of(access, source.rights)?;
        self.map_here(target, (source.object, Kind::Mmio), range, access)
    }

    /// Maps `[offset, bytes, address]` of a vmo.
    pub(crate) fn map(
        &self,
        target: ObjectRef,
        source: ObjectRef,
        range: [u64; 3],
        access: Rights,
    ) -> Answer<u64> {
        self.map_here(target, (source, Kind::Vmo), range, access)
    }

    #[inline(always)]
    fn map_here(
        &self,
        target: ObjectRef,
        (source, kind): (ObjectRef, Kind),
        range: [u64; 3],
        access: Rights,
    ) -> Answer<u64> {
        let [offset, bytes, address] = range;
        let size = self.extent(source.frame, kind);
        let aligned = (offset | bytes | address) % PAGE == 0;
        if !aligned || bytes == 0 || offset > size || bytes > size - offset {
            return Err(Error::Invalid);
        }
        let region = region(kind);
        if address != 0 && (!region.contains(&address) || bytes > region.end - address) {
            return Err(Error::Invalid);
        }
        let _held = self.hold(target)?;
        let owner = self.table(target.frame);
        if owner.life.get() != life::ALIVE {
            return Err(Error::BadState);
        }
        let start = match address {
            0 => self.choose_address(owner.records(), kind, bytes).ok_or(Error::NoSpace)?,
            _ => address,
        };
        let pages = (bytes / PAGE) as u32;
        let root = Frame(owner.root.get());
        // One walk does for what needs no table more than there is.
        let leaf = paging::leaf_for(&self.memory, root, start, pages as u64);
        let record = match leaf {
            Some(leaf) if owner.hollow.get() == 0 && owner.is_free(owner.mapping_free.get()) => {
                if !paging::is_clear(&self.memory, leaf, start, pages) {
                    return Err(Error::Exists);
                }
                owner.mapping_free.get() as usize
            }
            _ => Self::find_record(owner, start, bytes)?,
        };
        let tables = match leaf {
            Some(_) => 0,
            None => paging::tables_missing(&self.memory, root, start, pages as u64),
        };
        if tables != 0 {
            self.charge_more(target.frame, tables)?;
        }
        if let Err(error) = self.enlist(target.frame, record, (source, kind), access) {
            self.charge_less(target.frame, tables);
            return Err(error);
        }
        let mapping = &owner.mappings[record];
        mapping.start.set(start);
        mapping.pages.set(pages);
        mapping.offset.set((offset / PAGE) as u32);
        mapping.access.set(access.bits());
        owner.mapping_count.add(1);
        owner.mapping_free.set(record as u32 + 1);
        owner.mapping_top.set(owner.mapping_top.get().max(record as u32 + 1));
        for n in 0..pages {
            let physical = self.page_address(source.frame, kind, (offset / PAGE) as u32 + n);
            let at = start + n as u64 * PAGE;
            match leaf {
                Some(leaf) => paging::set_leaf(&self.memory, leaf, at, physical, access),
                None => {
                    paging::map(&self.memory, root, at, physical, access);
                }
            }
        }
        if access.contains(Rights::EXECUTE) {
            self.platform.sync_code();
        }
        Ok(start)
    }

    /// The lowest free record, for a range that no other one has.
    #[inline(never)]
    fn find_record(owner: &Process, start: u64, bytes: u64) -> Answer<usize> {
        let mut record = owner.records().len();
        for (n, m) in owner.records().iter().enumerate().rev() {
            let pages = m.pages.get() as u64;
            if pages == 0 {
                record = n;
            } else if m.start.get() < start + bytes && start < m.start.get() + pages * PAGE {
                return Err(Error::Exists);
            }
        }
        if record == MAX_MAPPINGS { Err(Error::NoSpace) } else { Ok(record) }
    }

    /// How many bytes it has, which never changes. Whether it is still there is looked at again under its lock, before anything depends
    /// on it.
    #[inline(always)]
    fn extent(&self, source: Frame, kind: Kind) -> u64 {
        let pages = match kind {
            Kind::Mmio => &self.memory.page::<Mmio>(source).pages,
            _ => &self.memory.page::<Vmo>(source).pages,
        };
        pages.get() as u64 * PAGE
    }

    /// Puts a mapping record on its vmo's or window's list.
    #[inline(always)]
    fn enlist(
        &self,
        process: Frame,
        record: usize,
        (object, kind): (ObjectRef, Kind),
        access: Rights,
    ) -> Answer<()> {
        let _held = self.hold(object)?;
        let header = self.memory.header(object.frame);
        if kind == Kind::Vmo {
            let sealed = self.memory.page::<Vmo>(object.frame).sealed.get() != 0;
            let writes = access.contains(Rights::WRITE);
            if (writes && sealed) || (access.contains(Rights::EXECUTE) && !sealed) {
                return Err(Error::AccessDenied);
            }
        }
        let mapped = match kind {
            Kind::Mmio => &self.memory.page::<Mmio>(object.frame).mapped,
            _ => &self.memory.page::<Vmo>(object.frame).mapped,
        };
        let mapping = &self.table(process).mappings[record];
        let name = mapping_name(process, record);
        let head = mapped.head.take(name);
        mapping.next.set(head);
        mapping.prev.set(0);
        if head != 0 {
            self.named_mapping(head).prev.set(name);
        }
        mapping.vmo.set(object.to_raw());
        mapped.count.add(1);
        mapped.writable.add(access.contains(Rights::WRITE) as u32);
        header.refs.add(1);
        Ok(())
    }

    fn named_mapping(&self, name: u32) -> &Mapping {
        let (process, record) = mapping_place(name);
        &self.table(process).mappings[record]
    }

    /// The lowest gap of `bytes` from where such memory is looked for, with an unmapped page before it.
    fn choose_address(&self, mappings: &[Mapping], kind: Kind, bytes: u64) -> Option<u64> {
        let mut start = if kind == Kind::Mmio { CHOOSE_WINDOW_FROM } else { CHOOSE_FROM };
        loop {
            let end = start.checked_add(bytes)?;
            if end > region(kind).end {
                return None;
            }
            let hit = mappings.iter().filter(|m| m.pages.get() != 0).find(|m| {
                let m_end = m.start.get() + m.pages.get() as u64 * PAGE;
                m.start.get() < end + PAGE && start < m_end + PAGE
            });
            match hit {
                Some(m) => start = m.start.get() + m.pages.get() as u64 * PAGE + PAGE,
                None => return Some(start),
            }
        }
    }

    /// System call `vm_unmap`.
    pub(crate) fn vm_unmap(&self, hart: &Hart, process: Handle, address: u64) -> Answer<()> {
        let table = self.table(hart.owner());
        let target = table.lookup_as(&self.memory, process, Kind::Process, Rights::MAP)?.object;
        let record = {
            let _held = self.hold(target)?;
            let owner = self.table(target.frame);
            if owner.life.get() != life::ALIVE {
                return Err(Error::BadState);
            }
            let is_meant =
                |m: &&Mapping| m.pages.get() != 0 && m.start.get() == address && m.vmo.get() != UNMAPPED;
            let n = owner.mappings.iter().position(|m| is_meant(&m)).ok_or(Error::NotFound)?;
            let vmo = &owner.mappings[n].vmo;
            if vmo.get() == REVOKED {
                // Whoever revokes it frees the range after the fence.
                vmo.set(UNMAPPED);
                return Ok(());
            }
            (n, ObjectRef::from_raw(vmo.get()))
        };
        self.unmap_record(target.frame, record.0, record.1, false);
        Ok(())
    }

    /// Removes a mapping of the vmo or window `of`: translations first, on every hart, then what it kept alive. When that was
    /// revoked the address range stays taken until the program unmaps it, so that nothing else comes to lie where the
    /// program believes the old mapping to be; such a range is of nothing (`of` is 0). Nor is a range free before the fence: a
    /// hart that remembers what was there would use that in place of what comes there next. No lock is held.
    pub(crate) fn unmap_record(&self, process: Frame, record: usize, of: ObjectRef, revoked: bool) {
        let owner = self.table(process);
        let (chain, emptied, start, pages, source, kind) = {
            let _held = self.memory.lock(process);
            let mapping = &owner.mappings[record];
            // Another hart may have been faster, and the process may even be gone.
            if self.memory.header(process).kind.get() & usage::KIND != Kind::Process as u32
                || mapping.pages.get() == 0
                || mapping.vmo.get() != of.to_raw()
                || mapping.vmo.get() >= REVOKED
            {
                return;
            }
            if of.to_raw() == 0 {
                return owner.free_mapping(record);
            }
            let pages = mapping.pages.get();
            owner.unmapping.add(1);
            owner.hollow.add(1);
            let start = mapping.start.get();
            let source = ObjectRef::from_raw(mapping.vmo.take(if revoked { REVOKED } else { UNMAPPED }));
            let kind = self.memory.header(source.frame).kind.get() & usage::KIND;
            self.delist(mapping, source);
            let (chain, emptied) =
                paging::unmap(&self.memory, Frame(owner.root.get()), start, pages as u64, Frame::NONE);
            (chain, emptied, start, pages, source, kind)
        };
        // A table that goes may be remembered for any address that it served, and a fence of pages says nothing of tables.
        let fenced = if chain.exists() { 0 } else { pages as u64 };
        self.platform.fence(self.online(), owner.asid.get() as u16, start, fenced);
        // From here on it may be freed.
        self.mapped(source.frame).leaving.atomic().fetch_sub(1, Ordering::Release);
        paging::free_chain(&self.memory, chain);
        self.charge_less(process, emptied);
        {
            let _held = self.memory.lock(process);
            match owner.mappings[record].vmo.take(0) {
                REVOKED => {}
                _ => owner.free_mapping(record),
            }
            owner.unmapping.sub(1);
        }
        if self.unref(source) {
            self.bury(source.frame, if kind == Kind::Mmio as u32 { Kind::Mmio } else { Kind::Vmo });
        }
    }

    fn delist(&self, mapping: &Mapping, object: ObjectRef) {
        let _held = self.memory.lock(object.frame);
        let mapped = self.mapped(object.frame);
        let (next, prev) = (mapping.next.get(), mapping.prev.get());
        match prev {
            0 => mapped.head.set(next),
            _ => self.named_mapping(prev).next.set(next),
        }
        if next != 0 {
            self.named_mapping(next).prev.set(prev);
        }
        mapped.count.sub(1);
        mapped.leaving.atomic().fetch_add(1, Ordering::Relaxed);
        let writable = Rights::from_bits_retain(mapping.access.get()).contains(Rights::WRITE);
        mapped.writable.sub(writable as u32);
    }

    /// Removes every mapping of a retired vmo or window: whoever has it still faults on the next touch, on every hart, once this
    /// returns. Another hart that took a mapping off the list is waited for until its fence is done.
    pub(crate) fn unmap_all(&self, frame: Frame) {
        loop {
            let name = {
                let _held = self.memory.lock(frame);
                self.mapped(frame).head.get()
            };
            if name == 0 {
                break;
            }
            let (process, record) = mapping_place(name);
            // Generations only rise: the mapping was made when the object was alive.
            let was = ObjectRef { frame, generation: self.memory.header(frame).latch.former_generation() };
            self.unmap_record(process, record, was, true);
        }
        while self.mapped(frame).leaving.atomic().load(Ordering::Acquire) != 0 {
            pause();
        }
    }
}

fn mapping_name(process: Frame, record: usize) -> u32 {
    process.0 * MAX_MAPPINGS as u32 + record as u32 + 1
}

fn mapping_place(name: u32) -> (Frame, usize) {
    (Frame((name - 1) / MAX_MAPPINGS as u32), ((name - 1) % MAX_MAPPINGS as u32) as usize)
}
