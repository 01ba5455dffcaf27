//! The kernel as one value: the machine, its memory, its harts, and what is global.
//!
//! This file also makes and retires objects of every kind: the one place where an object gets its frame, its
//! charge and its first handle, and where its generation is raised. Lock order: `docs/concurrency.md`.

use crate::channel::Channel;
use crate::handles::{Capability, ObjectRef};
use crate::hart::Hart;
use crate::irq::Irqs;
use crate::latch::Kept;
use crate::memory::{Frame, Memory, usage};
use crate::mmio::Windows;
use crate::objects::Vmo;
use crate::paging::Table;
use crate::platform::Platform;
use crate::process::Process;
use crate::records::Records;
use crate::sync::{Cell32, Cell64, Lock, Ordering};
use nexus_abi::bounds::{BUDGET_PERIOD_MS, MAX_HARTS, SLICE_MS};
use nexus_abi::{Error, Handle, Kind, Rights, Ticks};

/// Result of an operation that the caller may have got wrong.
pub type Answer<T> = Result<T, Error>;

/// The kernel.
pub struct Kernel<P: Platform> {
    /// What the machine does for it.
    pub platform: P,
    /// Its memory.
    pub memory: Memory,
    pub(crate) kernel_root: &'static Table,
    pub(crate) asids: crate::asid::Asids,
    pub(crate) timebase_hz: u64,
    pub(crate) slice: Ticks,
    pub(crate) period: Ticks,
    pub(crate) harts: [&'static Hart; MAX_HARTS],
    /// Harts that run, one bit each.
    pub(crate) online: Cell32,
    /// Harts that wait for an interrupt.
    pub(crate) idle: Cell32,
    /// Number of the next process.
    pub(crate) generations: Cell32,
    /// Taken before any process's lock by whoever collects dying processes.
    pub(crate) dying_lock: Lock,
    /// First process that is dying and still has threads.
    pub(crate) dying: Cell32,
    /// The free-standing quota that all others were split off.
    pub(crate) root_quota: Cell64,
    pub(crate) windows: Windows,
    /// The window of the console's registers that was made last; 0: none yet.
    pub(crate) console_window: Cell64,
    pub(crate) irqs: Irqs,
    pub(crate) records: Records,
}

impl<P: Platform> Kernel<P> {
    /// A kernel with no process. `kernel_root` is the page table whose upper half every process shares; `harts` stand
    /// where the architecture's trap code finds them. `None` without memory to begin with.
    pub fn new(
        platform: P,
        memory: Memory,
        kernel_root: &'static Table,
        asid_bits: u32,
        timebase_hz: u64,
        harts: [&'static Hart; MAX_HARTS],
    ) -> Option<Kernel<P>> {
        let irqs = Irqs::new(&memory)?;
        Some(Kernel {
            platform,
            memory,
            kernel_root,
            asids: crate::asid::Asids::new(asid_bits),
            timebase_hz,
            slice: timebase_hz * SLICE_MS / 1000,
            period: timebase_hz * BUDGET_PERIOD_MS / 1000,
            harts,
            online: Cell32::new(0),
            idle: Cell32::new(0),
            generations: Cell32::new(1),
            dying_lock: Lock::new(),
            dying: Cell32::new(0),
            root_quota: Cell64::new(0),
            windows: Windows::new(),
            console_window: Cell64::new(0),
            irqs,
            records: Records::new(),
        })
    }

    /// The hart with this number (0 to 7).
    pub fn hart(&self, id: usize) -> &Hart {
        self.harts[id]
    }

    /// The harts that run. While they start, those up to the first that does not yet: there is nothing to run before all do.
    pub(crate) fn running_harts(&self) -> &[&'static Hart] {
        let count = self.online.get().trailing_ones() as usize;
        self.harts.get(..count).unwrap_or(&self.harts)
    }

    /// The hart that runs this.
    pub(crate) fn this_hart(&self) -> &Hart {
        self.harts[self.platform.hart()]
    }

    /// Harts that run, one bit each.
    pub fn online(&self) -> u32 {
        self.online.atomic().load(Ordering::Acquire)
    }

    /// Locks an object and makes sure that it is still the one meant. Under a lock of another object it is [`Self::hold_next`].
    #[inline(always)]
    pub(crate) fn hold(&self, object: ObjectRef) -> Answer<Kept<'_>> {
        let header = self.memory.header(object.frame);
        let held = header.latch.hold();
        if header.latch.generation() != object.generation {
            return Err(Error::BadHandle);
        }
        Ok(held)
    }

    /// The same under a lock that comes before it: what is in the object's frame by now is not waited for.
    #[inline(always)]
    pub(crate) fn hold_next(&self, object: ObjectRef) -> Answer<Kept<'_>> {
        self.memory.header(object.frame).latch.hold_of(object.generation).ok_or(Error::BadHandle)
    }

    /// Whether a handle of the current process still stands for what it was looked up as, asked under the object's lock. An end leaves
    /// a table under its channel's lock, or is closed under it after: so who goes on after this is before whoever has it next.
    /// Revocation closes an end whose handle is still in its table.
    pub(crate) fn confirm(&self, hart: &Hart, handle: u64, capability: Capability) -> Answer<()> {
        let (frame, end) = (capability.object.frame, capability.end as usize);
        let is_open =
            capability.kind != Kind::Channel || self.memory.page::<Channel>(frame).ends[end].open.get() != 0;
        match self.table(hart.owner()).lookup(&self.memory, handle) {
            Ok(now) if now == capability && is_open => Ok(()),
            _ => Err(Error::BadHandle),
        }
    }

    /// The object now in `frame`.
    pub(crate) fn reference(&self, frame: Frame) -> ObjectRef {
        ObjectRef { frame, generation: self.memory.header(frame).latch.generation() }
    }

    /// Charges `pages` pages to `quota` and makes an object of `kind` in the first of them. Whoever destroys the quota waits
    /// until the object is whole: [`Self::born`].
    pub(crate) fn create(&self, quota: ObjectRef, kind: Kind, pages: u32) -> Answer<Frame> {
        let frame = self.memory.allocate().ok_or(Error::QuotaExceeded)?;
        if let Err(error) = self.enrol(quota, frame, pages) {
            self.memory.free(frame);
            return Err(error);
        }
        self.memory.header(frame).kind.set(kind as u32 | usage::MAKING);
        Ok(frame)
    }

    /// The object is whole. From now on another hart may find and destroy it, so its maker goes on with a reference that
    /// was taken before.
    pub(crate) fn born(&self, frame: Frame) {
        let kind = &self.memory.header(frame).kind;
        kind.atomic().store(kind.get() & usage::KIND, Ordering::Release);
    }

    /// A frame that was charged with its object. Quotas never promise more than there is.
    pub(crate) fn charged_frame(&self) -> Answer<Frame> {
        self.memory.allocate().ok_or(Error::QuotaExceeded)
    }

    /// Gives `process` the first handle to a fresh object, or destroys it when there is no room.
    pub(crate) fn publish(&self, process: Frame, frame: Frame, rights: Rights) -> Answer<Handle> {
        let capability = self.first_capability(frame, rights)?;
        let answer = self.memory.page::<Process>(process).insert(&self.memory, capability);
        if answer.is_err() {
            self.drop_capability(capability);
        }
        answer
    }

    /// The first capability for a fresh object, which is whole now.
    pub(crate) fn first_capability(&self, frame: Frame, rights: Rights) -> Answer<Capability> {
        let header = self.memory.header(frame);
        let kind = Kind::from_raw(header.kind.get() as u8).ok_or(Error::WrongType)?;
        let capability = Capability { object: self.reference(frame), kind, end: 0, rights };
        header.refs.add(1);
        if kind == Kind::Vmo && rights.contains(Rights::WRITE) {
            self.memory.page::<Vmo>(frame).writable_handles.add(1);
        }
        self.born(frame);
        Ok(capability)
    }

    /// Counts one more handle to the object.
    pub(crate) fn keep(&self, capability: Capability) -> Answer<()> {
        let _held = self.hold(capability.object)?;
        self.memory.header(capability.object.frame).refs.add(1);
        if capability.kind == Kind::Vmo && capability.rights.contains(Rights::WRITE) {
            self.memory.page::<Vmo>(capability.object.frame).writable_handles.add(1);
        }
        Ok(())
    }

    /// Lets go of a reference; true if it was the last, and then the object is retired already.
    pub(crate) fn unref(&self, object: ObjectRef) -> bool {
        let Ok(_held) = self.hold(object) else {
            return false;
        };
        let header = self.memory.header(object.frame);
        header.refs.sub(1);
        let last = header.refs.get() == 0;
        if last {
            self.retire(object.frame);
        } else {
            header.latch.raise_tenure();
        }
        last
    }

    /// Makes every handle to the object stale. Its lock is held.
    pub(crate) fn retire(&self, frame: Frame) {
        let header = self.memory.header(frame);
        header.kind.set(header.kind.get() | usage::RETIRED);
        header.latch.raise_generation();
    }

    /// Retires the object unless somebody has done so before.
    pub(crate) fn retire_live(&self, object: ObjectRef) -> bool {
        let Ok(_held) = self.hold_next(object) else {
            return false;
        };
        self.retire(object.frame);
        true
    }

    /// Closes a capability that is in no table any more. No lock is held.
    pub(crate) fn drop_capability(&self, capability: Capability) {
        let object = capability.object;
        match capability.kind {
            Kind::Channel => return self.close_end(object, capability.end as usize),
            // A thread lives until it ends, whoever holds handles to it.
            Kind::Thread => return,
            Kind::Vmo if capability.rights.contains(Rights::WRITE) => {
                let Ok(_held) = self.hold(object) else { return };
                self.memory.page::<Vmo>(object.frame).writable_handles.sub(1);
            }
            _ => {}
        }
        if self.unref(object) {
            self.bury(object.frame, capability.kind);
        } else if capability.kind == Kind::Process {
            self.end_unused(object);
        }
    }

    /// Takes a retired object apart and gives its memory back.
    pub(crate) fn bury(&self, frame: Frame, kind: Kind) {
        match kind {
            Kind::Port => self.clear_port(frame),
            Kind::Timer => self.clear_timer(frame),
            Kind::Vmo => self.clear_vmo(frame),
            Kind::Process => self.clear_process(frame),
            Kind::Quota => return self.settle_quota(frame),
            Kind::Mmio => self.clear_mmio(frame),
            Kind::Irq => self.clear_irq(frame),
            Kind::Pool => self.clear_pool(frame),
            Kind::Resource => self.clear_resource(frame),
            Kind::Channel | Kind::Thread | Kind::Identity => {}
        }
        self.discharge(frame);
        self.memory.free(frame);
    }
}
