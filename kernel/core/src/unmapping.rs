//! The end of mappings: unmapped, revoked, or left by a process that is taken apart.
//!
//! A long range goes in steps; from the first to the fence after the last its record says that it is taken. What must never happen: a frame or a
//! table freed while some hart may remember a way to it.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::mapping::{PAGE, PAGES_PER_STEP, REVOKED, UNMAPPED, mapping_place};
use crate::memory::{Frame, usage};
use crate::paging;
use crate::platform::Platform;
use crate::process::{Mapping, Process, life};
use crate::sync::{Ordering, pause};
use nexus_abi::{Error, Handle, Kind, Rights};

impl<P: Platform> Kernel<P> {
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
            let is_meant = |m: &Mapping| {
                let is_there = m.pages.get() != 0 && m.growing.get() == 0 && m.vmo.get() != UNMAPPED;
                is_there && m.start.get() == address
            };
            let n = owner.mappings.iter().position(is_meant).ok_or(Error::NotFound)?;
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
        let mut chain = (Frame::NONE, 0);
        let (start, pages, source, kind) = {
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
            // One that is not complete is taken away by the end of either side alone.
            if mapping.growing.get() != 0 && !revoked && owner.life.get() == life::ALIVE {
                return;
            }
            if of.to_raw() == 0 {
                return owner.free_mapping(record);
            }
            owner.in_steps.add(1);
            owner.hollow.add(1);
            let source = ObjectRef::from_raw(mapping.vmo.take(if revoked { REVOKED } else { UNMAPPED }));
            let kind = self.memory.header(source.frame).kind.get() & usage::KIND;
            self.delist(mapping, source);
            let (start, pages) = (mapping.start.get(), mapping.pages.get());
            self.unmap_step(owner, start, (0, pages), &mut chain);
            (start, pages, source, kind)
        };
        let mut done = PAGES_PER_STEP;
        while done < pages {
            self.breathe();
            let _held = self.memory.lock(process);
            self.unmap_step(owner, start, (done, pages), &mut chain);
            done += PAGES_PER_STEP;
        }
        let (tables, emptied) = chain;
        // A table that goes may be remembered for any address that it served, and a fence of pages says nothing of tables.
        let fenced = if tables.exists() { 0 } else { pages as u64 };
        self.platform.fence(self.online(), owner.asid.get() as u16, start, fenced);
        // From here on it may be freed.
        self.mapped(source.frame).leaving.atomic().fetch_sub(1, Ordering::Release);
        self.free_tables_of(tables);
        self.charge_less(process, emptied);
        {
            let _held = self.memory.lock(process);
            match owner.mappings[record].vmo.take(0) {
                REVOKED => {}
                _ => owner.free_mapping(record),
            }
            owner.in_steps.sub(1);
        }
        if self.unref(source) {
            self.bury(source.frame, if kind == Kind::Mmio as u32 { Kind::Mmio } else { Kind::Vmo });
        }
    }

    /// Ends the translations of a step's pages of a mapping, of which `done` are ended. The process's lock is held.
    fn unmap_step(&self, owner: &Process, start: u64, (done, pages): (u32, u32), chain: &mut (Frame, u32)) {
        let step = (pages - done).min(PAGES_PER_STEP) as u64;
        paging::unmap(&self.memory, Frame(owner.root.get()), start + done as u64 * PAGE, step, chain);
    }

    /// Frees a chain of tables made by [`paging::unmap`].
    fn free_tables_of(&self, mut chain: Frame) {
        let mut n = 0;
        while chain.exists() {
            let next = Frame(self.memory.header(chain).next.get());
            self.memory.free(chain);
            chain = next;
            self.breathe_at(n);
            n += 1;
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
            self.breathe();
        }
    }
}
