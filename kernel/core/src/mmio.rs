//! Windows of device registers: exact ranges of physical addresses that are no memory. Mapping them stands in `mapping.rs`.
//!
//! What must never happen: a window over RAM or over a device that the kernel itself uses, or two windows over one register.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::mapping::Mapped;
use crate::memory::{Frame, PageType};
use crate::platform::Platform;
use crate::sync::{Cell32, Cell64, Lock};
use nexus_abi::bounds::{MAX_MMIO_BYTES, MAX_WINDOWS, PAGE_SIZE};
use nexus_abi::{Error, Handle, Kind, Rights};

/// First address past what a page table can name (56 bits).
const PHYSICAL_END: u64 = 1 << 56;

/// A window.
#[repr(C)]
pub struct Mmio {
    /// Its first physical address.
    pub base: Cell64,
    /// Its size in pages.
    pub pages: Cell32,
    /// Its place in [`Windows`].
    slot: Cell32,
    /// Who maps it.
    pub mapped: Mapped,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Mmio {}

/// The ranges of all windows that are alive, or were and are still mapped.
pub struct Windows {
    lock: Lock,
    /// Base and size of each in bytes; size 0: free.
    ranges: [(Cell64, Cell64); MAX_WINDOWS],
}

impl Windows {
    pub(crate) fn new() -> Windows {
        Windows { lock: Lock::new(), ranges: core::array::from_fn(|_| Default::default()) }
    }

    /// Takes a range that overlaps no other.
    pub(crate) fn take(&self, base: u64, bytes: u64) -> Answer<usize> {
        let _held = self.lock.hold();
        let clash = |(at, size): &(Cell64, Cell64)| at.get() < base + bytes && base < at.get() + size.get();
        if self.ranges.iter().any(|range| range.1.get() != 0 && clash(range)) {
            return Err(Error::Exists);
        }
        let slot = self.ranges.iter().position(|range| range.1.get() == 0).ok_or(Error::NoSpace)?;
        self.ranges[slot].0.set(base);
        self.ranges[slot].1.set(bytes);
        Ok(slot)
    }

    pub(crate) fn give(&self, slot: usize) {
        let _held = self.lock.hold();
        self.ranges[slot].1.set(0);
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `mmio_create`.
    pub(crate) fn mmio_create(&self, process: Frame, args: [u64; 4]) -> Answer<Handle> {
        let [resource, quota, base, bytes] = args;
        let table = self.table(process);
        let resource = table.lookup_as(&self.memory, resource, Kind::Resource, Rights::MINT)?;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let page = PAGE_SIZE as u64;
        if (base | bytes) % page != 0 || bytes == 0 || bytes > MAX_MMIO_BYTES || base > PHYSICAL_END - bytes {
            return Err(Error::Invalid);
        }
        // Who could write to the console anyway may hand it over.
        let console = self.platform.console_range() == (base..base + bytes);
        let allowed = match console {
            true => resource.rights.contains(Rights::CONSOLE),
            false => self.platform.is_device(base..base + bytes),
        };
        if !allowed {
            return Err(Error::AccessDenied);
        }
        let slot = self.windows.take(base, bytes)?;
        let frame = self.create(quota, Kind::Mmio, 1).inspect_err(|_| self.windows.give(slot))?;
        let window = self.memory.page::<Mmio>(frame);
        window.base.set(base);
        window.pages.set((bytes / page) as u32);
        window.slot.set(slot as u32);
        if console {
            let generation = self.memory.header(frame).latch.generation();
            self.console_window.set(ObjectRef { frame, generation }.to_raw());
        }
        self.publish(process, frame, Kind::Mmio.all_rights())
    }

    /// Whether a driver has taken the console over: as long as its registers are mapped, and no longer.
    pub(crate) fn console_is_taken(&self) -> bool {
        let window = ObjectRef::from_raw(self.console_window.get());
        window.frame != Frame::NONE
            && self.memory.header(window.frame).latch.generation() == window.generation
            && self.memory.page::<Mmio>(window.frame).mapped.count.get() != 0
    }

    /// Takes a retired window apart. Its range is free for another one only when no hart can reach it any more.
    pub(crate) fn clear_mmio(&self, frame: Frame) {
        self.unmap_all(frame);
        self.windows.give(self.memory.page::<Mmio>(frame).slot.get() as usize);
    }
}
