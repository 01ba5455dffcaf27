//! Mappings: what a process sees of vmos and of device windows, and what keeps these alive.
//!
//! What must never happen: a frame freed while some process can reach it, a device window among memory that the kernel takes
//! pointers into, or two things mapped at one address.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::latch::Kept;
use crate::memory::{Frame, usage};
use crate::mmio::Mmio;
use crate::objects::Vmo;
use crate::platform::Platform;
use crate::process::{Mapping, Process, life};
use crate::sync::Cell32;
use crate::{hart::Hart, paging, room};
use core::ops::Range;
use nexus_abi::bounds::{DEVICE_START, MAX_MAPPINGS, PAGE_SIZE, USER_END, USER_START};
use nexus_abi::{Error, Kind, Rights};

/// From where on the kernel looks for room for memory when the caller leaves the address to it.
const CHOOSE_FROM: u64 = 0x10_0000_0000;
pub(crate) const PAGE: u64 = PAGE_SIZE as u64;

/// Pages that are mapped, or unmapped, in one step. Tests have small worlds, and steps to match.
pub(crate) const PAGES_PER_STEP: u32 = if cfg!(test) { 2 } else { 64 };

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
    pub(crate) leaving: Cell32,
}

/// What stands in `Mapping::vmo` between the end of its translations and the fence: the range is not free yet. Unmapped: the
/// record is free after.
pub(crate) const UNMAPPED: u64 = u64::MAX;
/// Revoked: the range stays taken after.
pub(crate) const REVOKED: u64 = u64::MAX - 1;

/// The part of user space that objects of this kind are mapped in.
fn region(kind: Kind) -> Range<u64> {
    if kind == Kind::Mmio { DEVICE_START..USER_END } else { USER_START..DEVICE_START }
}

/// The part of it where the kernel looks for room when the caller leaves the address to it.
fn chosen(kind: Kind) -> Range<u64> {
    if kind == Kind::Mmio { DEVICE_START + PAGE..USER_END } else { CHOOSE_FROM..DEVICE_START }
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
    pub(crate) fn mapped(&self, frame: Frame) -> &Mapped {
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
        let held = self.hold(target)?;
        let owner = self.table(target.frame);
        if owner.life.get() != life::ALIVE {
            return Err(Error::BadState);
        }
        let start = match address {
            0 => room::find(owner.records(), chosen(kind), bytes).ok_or(Error::NoSpace)?,
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
        if pages > PAGES_PER_STEP {
            return self.map_in_steps(held, target.frame, record, (source, kind), tables);
        }
        match leaf {
            Some(leaf) => {
                for n in 0..pages {
                    let physical = self.page_address(source.frame, kind, (offset / PAGE) as u32 + n);
                    paging::set_leaf(&self.memory, leaf, start + n as u64 * PAGE, physical, access);
                }
            }
            None => {
                for n in 0..pages {
                    self.map_page(owner, mapping, (source.frame, kind), n);
                }
            }
        }
        if access.contains(Rights::EXECUTE) {
            self.platform.sync_code();
        }
        Ok(start)
    }

    /// Maps the `n`th page of a mapping; answers how many tables that made. The process's lock is held.
    fn map_page(&self, owner: &Process, mapping: &Mapping, (source, kind): (Frame, Kind), n: u32) -> u32 {
        let physical = self.page_address(source, kind, mapping.offset.get() + n);
        let at = mapping.start.get() + n as u64 * PAGE;
        let access = Rights::from_bits_retain(mapping.access.get());
        paging::map(&self.memory, Frame(owner.root.get()), at, physical, access)
    }

    /// The pages of a long mapping, step by step. Its range is taken, and `tables` are charged for it. Until it is whole, only the end of the
    /// process or of what is mapped takes it away.
    #[inline(never)]
    fn map_in_steps(
        &self,
        held: Kept<'_>,
        process: Frame,
        record: usize,
        (source, kind): (ObjectRef, Kind),
        mut tables: u32,
    ) -> Answer<u64> {
        let owner = self.table(process);
        let mapping = &owner.mappings[record];
        let (start, last) = (mapping.start.get(), mapping.pages.get() - 1);
        let access = Rights::from_bits_retain(mapping.access.get());
        mapping.growing.set(1);
        owner.hollow.add(1);
        owner.in_steps.add(1);
        // The first and the last page keep the tables that the range shares with others: what is missing between them stays as it was
        // counted, whatever comes and goes beside the range.
        for n in [0, last] {
            tables -= self.map_page(owner, mapping, (source.frame, kind), n);
        }
        drop(held);
        let mut n = 1;
        let answer = loop {
            self.breathe();
            let _held = self.memory.lock(process);
            // Whoever takes the process apart finds what is mapped of it, and waits for `in_steps`.
            if owner.life.get() != life::ALIVE {
                break Err(Error::BadState);
            }
            // Revoked: the range stays taken, as if the mapping had been whole before.
            if mapping.vmo.get() != source.to_raw() {
                mapping.growing.set(0);
                break Ok(start);
            }
            let end = last.min(n + PAGES_PER_STEP);
            while n < end {
                tables -= self.map_page(owner, mapping, (source.frame, kind), n);
                n += 1;
            }
            if n == last {
                mapping.growing.set(0);
                break Ok(start);
            }
        };
        if tables != 0 {
            self.charge_less(process, tables);
        }
        if answer.is_ok() && access.contains(Rights::EXECUTE) {
            self.platform.sync_code();
        }
        let _held = self.memory.lock(process);
        owner.hollow.sub(1);
        owner.in_steps.sub(1);
        answer
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
        let _held = self.hold_next(object)?;
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

    pub(crate) fn named_mapping(&self, name: u32) -> &Mapping {
        let (process, record) = mapping_place(name);
        &self.table(process).mappings[record]
    }
}

fn mapping_name(process: Frame, record: usize) -> u32 {
    process.0 * MAX_MAPPINGS as u32 + record as u32 + 1
}

pub(crate) fn mapping_place(name: u32) -> (Frame, usize) {
    (Frame((name - 1) / MAX_MAPPINGS as u32), ((name - 1) % MAX_MAPPINGS as u32) as usize)
}
