//! Kernel records: what the kernel saw and nobody asked about. The last few are kept; whoever holds the resource with WAIT
//! is told of new ones at a port and reads them with `object_info`.
//!
//! What must never happen: a program that makes the kernel write, wait or grow by what it does wrong. A record costs its maker
//! its life, and an old record gives way to a new one.

use crate::binding::Binding;
use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::{Frame, PageType};
use crate::platform::Platform;
use crate::sync::{Cell64, Lock};
use nexus_abi::bounds::{DEVICE_START, KERNEL_RECORDS, USER_END};
use nexus_abi::{RecordKind, Signals, Ticks};

/// The root resource.
#[repr(C)]
pub struct Resource {
    /// Where RECORD goes.
    pub binding: Binding,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Resource {}

/// The records: kind and identity, address, time.
pub struct Records {
    lock: Lock,
    total: Cell64,
    entries: [[Cell64; 4]; KERNEL_RECORDS],
    /// The resource, as a raw `ObjectRef`; 0 before there is one.
    pub(crate) resource: Cell64,
}

impl Records {
    pub(crate) fn new() -> Records {
        Records {
            lock: Lock::new(),
            total: Cell64::new(0),
            entries: core::array::from_fn(|_| Default::default()),
            resource: Cell64::new(0),
        }
    }

    fn add(&self, kind: RecordKind, identity: u64, address: u64, at: Ticks) {
        let _held = self.lock.hold();
        let number = self.total.take(self.total.get() + 1);
        let words = [kind as u64 | identity << 32, identity >> 32, address, at];
        for (cell, word) in self.entries[number as usize % KERNEL_RECORDS].iter().zip(words) {
            cell.set(word);
        }
    }

    /// Calls `each` with every word of the structure that `object_info` writes.
    pub(crate) fn read(&self, mut each: impl FnMut(u64)) {
        let _held = self.lock.hold();
        each(self.total.get());
        self.entries.iter().flatten().for_each(|cell| each(cell.get()));
    }
}

/// What a fault says of the device range, if it is one of it.
fn about_device(scause: u64, address: u64) -> Option<RecordKind> {
    if !(DEVICE_START..USER_END).contains(&address) {
        return None;
    }
    match scause {
        1 | 12 => Some(RecordKind::MmioExecute),
        5 | 7 | 13 | 15 => Some(RecordKind::MmioOutside),
        _ => None,
    }
}

impl<P: Platform> Kernel<P> {
    /// Records a fault if it is about the device range. No lock is held.
    pub(crate) fn record_fault(&self, hart: &Hart, scause: u64, address: u64) {
        let Some(kind) = about_device(scause, address) else { return };
        self.records.add(kind, self.table(hart.owner()).identity.get(), address, self.platform.now());
        let resource = ObjectRef::from_raw(self.records.resource.get());
        if resource.frame.exists()
            && let Ok(_held) = self.hold(resource)
        {
            let binding = &self.memory.page::<Resource>(resource.frame).binding;
            binding.pending.set(binding.pending.get() | Signals::RECORD.bits());
            self.notify(hart, resource.frame, 0);
        }
    }

    /// Takes the retired resource apart: nobody is told of records any more.
    pub(crate) fn clear_resource(&self, frame: Frame) {
        let _held = self.memory.lock(frame);
        self.unbind(frame, 0, &self.memory.page::<Resource>(frame).binding);
    }
}
