//! Vmos: memory of a fixed size. What maps it stands in `mapping.rs`.
//!
//! What must never happen: a sealed vmo that changes.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, Memory};
use crate::objects::Vmo;
use crate::platform::Platform;
use crate::sync::Cell32;
use nexus_abi::bounds::{MAX_VMO_BYTES, PAGE_SIZE};
use nexus_abi::{Error, Handle, Kind, Rights};

/// Frame numbers in an index page.
const FANOUT: u32 = 1024;
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
#[inline(never)]
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
#[inline(always)]
fn frame_of(memory: &Memory, vmo: &Vmo, n: u32) -> Frame {
    match vmo.depth.get() {
        0 => Frame(vmo.root.get()),
        Vmo::CONTIGUOUS | Vmo::POOLED => Frame(vmo.root.get() + n),
        _ => Frame(slot(memory, vmo, n).get()),
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `vmo_create`.
    pub(crate) fn vmo_create(&self, process: Frame, quota: Handle, bytes: u64) -> Answer<Handle> {
        let quota = self.table(process).lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        self.publish(process, self.make_vmo(quota, bytes)?, Kind::Vmo.all_rights() - Rights::DMA)
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
    #[inline(always)]
    pub(crate) fn vmo_frame(&self, vmo: Frame, n: u32) -> Frame {
        frame_of(&self.memory, self.memory.page::<Vmo>(vmo), n)
    }

    /// Gives the vmo, which nobody else knows yet, its frames; every one was charged.
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
            self.breathe();
        }
        Some(())
    }

    /// System call `vmo_seal`.
    pub(crate) fn vmo_seal(&self, process: Frame, vmo: Handle) -> Answer<()> {
        let object = self.table(process).lookup_as(&self.memory, vmo, Kind::Vmo, Rights::SEAL)?.object;
        let _held = self.hold(object)?;
        let vmo = self.memory.page::<Vmo>(object.frame);
        if vmo.sealed.get() | vmo.writable_handles.get() | vmo.mapped.writable.get() != 0 {
            return Err(Error::Sealed);
        }
        vmo.sealed.set(1);
        Ok(())
    }

    /// Takes a retired vmo apart: whoever maps it still faults on the next touch.
    pub(crate) fn clear_vmo(&self, frame: Frame) {
        let vmo = self.memory.page::<Vmo>(frame);
        self.unmap_all(frame);
        if vmo.depth.get() == Vmo::POOLED {
            return self.give_back(vmo);
        }
        if vmo.depth.get() == Vmo::CONTIGUOUS {
            return;
        }
        for n in 0..vmo.pages.get() {
            self.memory.free(Frame(slot(&self.memory, vmo, n).get()));
            self.breathe_at(n);
        }
        if vmo.depth.get() == 2 {
            let middles = self.memory.page::<Index>(Frame(vmo.root.get())).iter();
            for (n, middle) in middles.take_while(|middle| middle.get() != 0).enumerate() {
                self.memory.free(Frame(middle.get()));
                self.breathe_at(n as u32);
            }
        }
        if vmo.depth.get() > 0 && vmo.root.get() != 0 {
            self.memory.free(Frame(vmo.root.get()));
        }
    }
}
