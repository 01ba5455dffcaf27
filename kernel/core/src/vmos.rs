//! Vmos: memory of a fixed size, and what maps it.
//!
//! What must never happen: a sealed vmo that changes, or a frame freed while some process can reach it.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, Memory, usage};
use crate::objects::Vmo;
use crate::platform::Platform;
use crate::process::{Mapping, life};
use crate::sync::Cell32;
use crate::transfer::in_user_space;
use crate::{hart::Hart, paging};
use nexus_abi::bounds::{MAX_MAPPINGS, MAX_VMO_BYTES, PAGE_SIZE, USER_END};
use nexus_abi::{Error, Handle, Kind, Rights};

/// Frame numbers in an index page.
const FANOUT: u32 = 1024;
/// Where the kernel looks for room when the caller leaves the address to it.
const CHOOSE_FROM: u64 = 0x10_0000_0000;
const PAGE: u64 = PAGE_SIZE as u64;

type Index = [Cell32; FANOUT as usize];

/// Levels and pages of the index for `pages` pages.
fn index_shape(pages: u32) -> (u32, u32) {
    match pages {
        1 => (0, 0),
        2..=FANOUT => (1, 1),
        _ => (2, 1 + pages.div_ceil(FANOUT)),
    }
}

/// The cell that holds the `n`th frame; its index pages exist.
fn slot<'m>(memory: &'m Memory, vmo: &'m Vmo, n: u32) -> &'m Cell32 {
    let root = Frame(vmo.root.get());
    match vmo.depth.get() {
        0 => &vmo.root,
        1 => &memory.page::<Index>(root)[n as usize],
        _ => {
            let middle = Frame(memory.page::<Index>(root)[(n / FANOUT) as usize].get());
            &memory.page::<Index>(middle)[(n % FANOUT) as usize]
        }
    }
}

/// The `n`th frame of a vmo.
fn frame_of(memory: &Memory, vmo: &Vmo, n: u32) -> Frame {
    match vmo.depth.get() {
        Vmo::CONTIGUOUS => Frame(vmo.root.get() + n),
        _ => Frame(slot(memory, vmo, n).get()),
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `vmo_create`.
    pub(crate) fn vmo_create(&self, process: Frame, quota: Handle, bytes: u64) -> Answer<Handle> {
        let quota = self.table(process).lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        self.publish(process, self.make_vmo(quota, bytes)?, Kind::Vmo.all_rights())
    }

    /// A vmo that nobody has a handle to yet.
    pub(crate) fn make_vmo(&self, quota: ObjectRef, bytes: u64) -> Answer<Frame> {
        if bytes == 0 || bytes > MAX_VMO_BYTES {
            return Err(Error::Invalid);
        }
        let pages = bytes.div_ceil(PAGE) as u32;
        let (depth, index_pages) = index_shape(pages);
        let frame = self.create(quota, Kind::Vmo, 1 + pages + index_pages)?;
        let vmo = self.memory.page::<Vmo>(frame);
        vmo.depth.set(depth);
        if self.fill_vmo(vmo, pages).is_none() {
            let object = self.reference(frame);
            self.retire_live(object);
            self.bury(frame, Kind::Vmo);
            return Err(Error::QuotaExceeded);
        }
        Ok(frame)
    }

    /// The `n`th frame of a vmo.
    pub(crate) fn vmo_frame(&self, vmo: Frame, n: u32) -> Frame {
        frame_of(&self.memory, self.memory.page::<Vmo>(vmo), n)
    }

    /// Gives the vmo its frames; every one was charged.
    fn fill_vmo(&self, vmo: &Vmo, pages: u32) -> Option<()> {
        if vmo.depth.get() > 0 {
            vmo.root.set(self.memory.allocate()?.0);
        }
        for n in 0..pages {
            if vmo.depth.get() == 2 && n % FANOUT == 0 {
                let middle = self.memory.allocate()?;
                self.memory.page::<Index>(Frame(vmo.root.get()))[(n / FANOUT) as usize].set(middle.0);
            }
            slot(&self.memory, vmo, n).set(self.memory.allocate()?.0);
            vmo.pages.set(n + 1);
        }
        Some(())
    }

    /// System call `vmo_seal`.
    pub(crate) fn vmo_seal(&self, process: Frame, vmo: Handle) -> Answer<()> {
        let object = self.table(process).lookup_as(&self.memory, vmo, Kind::Vmo, Rights::SEAL)?.object;
        let _held = self.hold(object)?;
        let vmo = self.memory.page::<Vmo>(object.frame);
        if vmo.sealed.get() | vmo.writable_handles.get() | vmo.writable_mappings.get() != 0 {
            return Err(Error::Sealed);
        }
        vmo.sealed.set(1);
        Ok(())
    }

    /// System call `vm_map`; answers the address.
    pub(crate) fn vm_map(
        &self,
        hart: &Hart,
        process: Handle,
        vmo: Handle,
        range: [u64; 3],
        access: u64,
    ) -> Answer<u64> {
        let table = self.table(hart.owner());
        let target = table.lookup_as(&self.memory, process, Kind::Process, Rights::MAP)?.object;
        let source = table.lookup_as(&self.memory, vmo, Kind::Vmo, Rights::READ)?;
        let access = u32::try_from(access).ok().and_then(Rights::from_bits).ok_or(Error::Invalid)?;
        if access != Rights::READ
            && access != Rights::READ | Rights::WRITE
            && access != Rights::READ | Rights::EXECUTE
        {
            return Err(Error::Invalid);
        }
        if !source.rights.contains(access) {
            return Err(Error::AccessDenied);
        }
        self.map(target, source.object, range, access)
    }

    /// Maps `[offset, bytes, address]` of a vmo.
    pub(crate) fn map(
        &self,
        target: ObjectRef,
        source: ObjectRef,
        range: [u64; 3],
        access: Rights,
    ) -> Answer<u64> {
        let [offset, bytes, address] = range;
        let size = {
            let _held = self.hold(source)?;
            self.memory.page::<Vmo>(source.frame).pages.get() as u64 * PAGE
        };
        let aligned = (offset | bytes | address) % PAGE == 0;
        if !aligned || bytes == 0 || offset > size || bytes > size - offset {
            return Err(Error::Invalid);
        }
        if address != 0 && !in_user_space(address, bytes as usize) {
            return Err(Error::Invalid);
        }
        let _held = self.hold(target)?;
        let owner = self.table(target.frame);
        if owner.life.get() != life::ALIVE {
            return Err(Error::BadState);
        }
        let start = match address {
            0 => self.choose_address(&owner.mappings, bytes).ok_or(Error::NoSpace)?,
            _ => address,
        };
        let clash = |m: &Mapping| {
            m.pages.get() != 0
                && m.start.get() < start + bytes
                && start < m.start.get() + m.pages.get() as u64 * PAGE
        };
        if owner.mappings.iter().any(clash) {
            return Err(Error::Exists);
        }
        let record = (0..MAX_MAPPINGS).find(|n| owner.mappings[*n].pages.get() == 0).ok_or(Error::NoSpace)?;
        let pages = (bytes / PAGE) as u32;
        let root = Frame(owner.root.get());
        let tables = paging::tables_missing(&self.memory, root, start, pages as u64);
        self.charge_more(target.frame, tables)?;
        if let Err(error) = self.enlist(target.frame, record, source, access) {
            self.charge_less(target.frame, tables);
            return Err(error);
        }
        let mapping = &owner.mappings[record];
        mapping.start.set(start);
        mapping.pages.set(pages);
        mapping.offset.set((offset / PAGE) as u32);
        mapping.access.set(access.bits());
        owner.mapping_count.add(1);
        let vmo = self.memory.page::<Vmo>(source.frame);
        for n in 0..pages {
            let frame = frame_of(&self.memory, vmo, (offset / PAGE) as u32 + n);
            paging::map(&self.memory, root, start + n as u64 * PAGE, self.memory.address(frame), access);
        }
        if access.contains(Rights::EXECUTE) {
            self.platform.sync_code();
        }
        Ok(start)
    }

    /// Puts a mapping record on its vmo's list.
    fn enlist(&self, process: Frame, record: usize, object: ObjectRef, access: Rights) -> Answer<()> {
        let _held = self.hold(object)?;
        let vmo = self.memory.page::<Vmo>(object.frame);
        if access.contains(Rights::WRITE) && vmo.sealed.get() != 0 {
            return Err(Error::AccessDenied);
        }
        if access.contains(Rights::EXECUTE) && vmo.sealed.get() == 0 {
            return Err(Error::AccessDenied);
        }
        let mapping = &self.table(process).mappings[record];
        let name = mapping_name(process, record);
        let head = vmo.mapping_head.take(name);
        mapping.next.set(head);
        mapping.prev.set(0);
        if head != 0 {
            self.named_mapping(head).prev.set(name);
        }
        mapping.vmo.set(object.to_raw());
        vmo.mapping_count.add(1);
        vmo.writable_mappings.add(access.contains(Rights::WRITE) as u32);
        self.memory.header(object.frame).refs.add(1);
        Ok(())
    }

    fn named_mapping(&self, name: u32) -> &Mapping {
        let (process, record) = mapping_place(name);
        &self.table(process).mappings[record]
    }

    /// The lowest gap of `bytes` from [`CHOOSE_FROM`] on, with an unmapped page before it.
    fn choose_address(&self, mappings: &[Mapping; MAX_MAPPINGS], bytes: u64) -> Option<u64> {
        let mut start = CHOOSE_FROM;
        loop {
            let end = start.checked_add(bytes)?;
            if end > USER_END {
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
            (0..MAX_MAPPINGS)
                .find(|n| owner.mappings[*n].pages.get() != 0 && owner.mappings[*n].start.get() == address)
                .map(|n| (n, ObjectRef::from_raw(owner.mappings[n].vmo.get())))
                .ok_or(Error::NotFound)?
        };
        self.unmap_record(target.frame, record.0, record.1, false);
        Ok(())
    }

    /// Removes a mapping of the vmo `of`: translations first, on every hart, then what it kept alive. When the vmo was
    /// revoked the address range stays taken until the program unmaps it, so that nothing else comes to lie where the
    /// program believes the old mapping to be; such a range is of no vmo (`of` is 0). No lock is held.
    pub(crate) fn unmap_record(&self, process: Frame, record: usize, of: ObjectRef, revoked: bool) {
        let owner = self.table(process);
        let (chain, emptied, start, pages, vmo) = {
            let _held = self.memory.lock(process);
            let mapping = &owner.mappings[record];
            // Another hart may have been faster, and the process may even be gone.
            if self.memory.header(process).kind.get() & usage::KIND != Kind::Process as u32
                || mapping.pages.get() == 0
                || mapping.vmo.get() != of.to_raw()
            {
                return;
            }
            let pages = mapping.pages.get();
            if !revoked {
                mapping.pages.set(0);
                owner.mapping_count.sub(1);
            }
            if of.to_raw() == 0 {
                return;
            }
            owner.unmapping.add(1);
            let start = mapping.start.get();
            let vmo = ObjectRef::from_raw(mapping.vmo.take(0));
            self.delist(mapping, vmo);
            let (chain, emptied) =
                paging::unmap(&self.memory, Frame(owner.root.get()), start, pages as u64, Frame::NONE);
            (chain, emptied, start, pages, vmo)
        };
        self.platform.fence(self.online(), owner.asid.get() as u16, start, pages as u64);
        paging::free_chain(&self.memory, chain);
        self.charge_less(process, emptied);
        {
            let _held = self.memory.lock(process);
            owner.unmapping.sub(1);
        }
        if self.unref(vmo) {
            self.bury(vmo.frame, Kind::Vmo);
        }
    }

    fn delist(&self, mapping: &Mapping, object: ObjectRef) {
        let _held = self.memory.lock(object.frame);
        let vmo = self.memory.page::<Vmo>(object.frame);
        let (next, prev) = (mapping.next.get(), mapping.prev.get());
        match prev {
            0 => vmo.mapping_head.set(next),
            _ => self.named_mapping(prev).next.set(next),
        }
        if next != 0 {
            self.named_mapping(next).prev.set(prev);
        }
        vmo.mapping_count.sub(1);
        let writable = Rights::from_bits_retain(mapping.access.get()).contains(Rights::WRITE);
        vmo.writable_mappings.sub(writable as u32);
    }

    /// Takes a retired vmo apart: whoever maps it still faults on the next touch.
    pub(crate) fn clear_vmo(&self, frame: Frame) {
        let vmo = self.memory.page::<Vmo>(frame);
        loop {
            let name = {
                let _held = self.memory.lock(frame);
                vmo.mapping_head.get()
            };
            if name == 0 {
                break;
            }
            let (process, record) = mapping_place(name);
            // Generations only rise: the mapping was made when the vmo was alive.
            let was =
                ObjectRef { frame, generation: self.memory.header(frame).generation.get().wrapping_sub(1) };
            self.unmap_record(process, record, was, true);
        }
        if vmo.depth.get() == Vmo::CONTIGUOUS {
            return;
        }
        for n in 0..vmo.pages.get() {
            self.memory.free(Frame(slot(&self.memory, vmo, n).get()));
        }
        if vmo.depth.get() == 2 {
            for middle in self.memory.page::<Index>(Frame(vmo.root.get())) {
                if middle.get() != 0 {
                    self.memory.free(Frame(middle.get()));
                }
            }
        }
        if vmo.depth.get() > 0 && vmo.root.get() != 0 {
            self.memory.free(Frame(vmo.root.get()));
        }
    }
}

fn mapping_name(process: Frame, record: usize) -> u32 {
    process.0 * MAX_MAPPINGS as u32 + record as u32 + 1
}

fn mapping_place(name: u32) -> (Frame, usize) {
    (Frame((name - 1) / MAX_MAPPINGS as u32), ((name - 1) % MAX_MAPPINGS as u32) as usize)
}
