//! Pools: physically contiguous memory that a device may reach. Vmos are taken out of a pool, and their frames go back to
//! it and nowhere else: what a device still writes to after its driver died belongs to the pool.
//!
//! A pool is charged whole when it is made. Each vmo of it counts as a reason to keep it and is charged to the same quota,
//! later than the pool: a quota's objects are destroyed latest first, so a pool is never destroyed before its vmos.
//! What must never happen: frames of a pool on a free list while the pool lives, or a vmo with bytes of an earlier one.

use crate::handles::ObjectRef;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, PageType};
use crate::objects::Vmo;
use crate::platform::Platform;
use crate::sync::{Cell32, Cell64};
use nexus_abi::bounds::{MAX_POOL_BYTES, PAGE_SIZE};
use nexus_abi::{Error, Handle, Kind, Rights};

const PAGE: u64 = PAGE_SIZE as u64;
const WORDS: usize = (MAX_POOL_BYTES / PAGE / 64) as usize;

/// A pool. Guarded by its header's lock.
#[repr(C)]
pub struct Pool {
    /// Its first frame.
    first: Cell32,
    /// Its frames.
    pub pages: Cell32,
    /// Frames that no vmo has.
    pub free: Cell32,
    /// Vmos that were taken and still are.
    pub vmos: Cell32,
    /// How often marks have changed.
    turns: Cell32,
    /// One bit for each frame that a vmo has.
    taken: [Cell64; WORDS],
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Pool {}

impl Pool {
    fn is_taken(&self, n: u32) -> bool {
        self.taken[n as usize / 64].get() >> (n % 64) & 1 != 0
    }

    /// The first run of `pages` free frames, if no marks change meanwhile. `between` is called with the number of each frame that was
    /// looked at. Without the lock: then the pool may even be gone, and whatever is answered is of no use.
    fn find(&self, pages: u32, between: impl Fn(u32)) -> Option<u32> {
        let mut start = 0;
        for n in 0..self.pages.get().min(WORDS as u32 * 64) {
            if self.is_taken(n) {
                start = n + 1;
            } else if n + 1 - start == pages {
                return Some(start);
            }
            between(n);
        }
        None
    }

    /// Turns the marks of `pages` frames from `start` on over, all of them alike.
    fn turn(&self, start: u32, pages: u32) {
        let (mut n, end) = (start, start + pages);
        while n < end {
            let bits = (64 - n % 64).min(end - n);
            let word = &self.taken[n as usize / 64];
            word.set(word.get() ^ (u64::MAX >> (64 - bits)) << (n % 64));
            n += bits;
        }
        self.turns.add(1);
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `pool_create`.
    pub(crate) fn pool_create(&self, process: Frame, args: [u64; 3]) -> Answer<Handle> {
        let [resource, quota, bytes] = args;
        let table = self.table(process);
        table.lookup_as(&self.memory, resource, Kind::Resource, Rights::MINT)?;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        if bytes == 0 || bytes > MAX_POOL_BYTES {
            return Err(Error::Invalid);
        }
        let pages = bytes.div_ceil(PAGE) as u32;
        let frame = self.create(quota, Kind::Pool, 1 + pages)?;
        let Some(first) = self.memory.allocate_run(pages) else {
            let object = self.reference(frame);
            self.born(frame);
            if self.retire_live(object) {
                self.bury(frame, Kind::Pool);
            }
            return Err(Error::QuotaExceeded);
        };
        let pool = self.memory.page::<Pool>(frame);
        pool.first.set(first.0);
        pool.pages.set(pages);
        pool.free.set(pages);
        self.publish(process, frame, Kind::Pool.all_rights())
    }

    /// System call `pool_take`. What it takes is marked first, and so its own while it is cleared.
    pub(crate) fn pool_take(&self, process: Frame, pool: Handle, bytes: u64) -> Answer<Handle> {
        let object = self.table(process).lookup_as(&self.memory, pool, Kind::Pool, Rights::DMA)?.object;
        if bytes == 0 || bytes > MAX_POOL_BYTES {
            return Err(Error::Invalid);
        }
        let pages = bytes.div_ceil(PAGE) as u32;
        let p = self.memory.page::<Pool>(object.frame);
        let (start, quota) = self.mark(object, pages)?;
        let frame = match self.create(quota, Kind::Vmo, 1) {
            Ok(frame) => frame,
            Err(error) => {
                self.put_back(object, start, pages);
                return Err(error);
            }
        };
        let first = Frame(p.first.get() + start);
        for n in 0..pages {
            self.memory.zero(Frame(first.0 + n));
            self.breathe();
        }
        let vmo = self.memory.page::<Vmo>(frame);
        vmo.pages.set(pages);
        vmo.depth.set(Vmo::POOLED);
        vmo.root.set(first.0);
        vmo.pool.set(object.to_raw());
        // What a device may write can be neither code nor sealed.
        self.publish(process, frame, Kind::Vmo.all_rights() - Rights::EXECUTE - Rights::SEAL)
    }

    /// Marks the first run of so many frames as taken; answers where it begins, and the quota that the pool is charged to.
    fn mark(&self, object: ObjectRef, pages: u32) -> Answer<(u32, ObjectRef)> {
        let p = self.memory.page::<Pool>(object.frame);
        loop {
            let turns = {
                let _held = self.hold(object)?;
                p.turns.get()
            };
            let found = p.find(pages, |n| self.breathe_at(n));
            let _held = self.hold(object)?;
            if p.turns.get() != turns {
                continue;
            }
            let start = found.ok_or(Error::QuotaExceeded)?;
            p.turn(start, pages);
            p.free.sub(pages);
            p.vmos.add(1);
            let header = self.memory.header(object.frame);
            header.refs.add(1);
            return Ok((start, self.reference(Frame(header.quota.get()))));
        }
    }

    /// The frames of a vmo that is being taken apart go back to its pool.
    pub(crate) fn give_back(&self, vmo: &Vmo) {
        let object = ObjectRef::from_raw(vmo.pool.get());
        let start = vmo.root.get() - self.memory.page::<Pool>(object.frame).first.get();
        self.put_back(object, start, vmo.pages.get());
    }

    fn put_back(&self, object: ObjectRef, start: u32, pages: u32) {
        {
            // Destroyed with its quota before a vmo was made of what was marked: then that went with it.
            let Ok(_held) = self.hold(object) else { return };
            let pool = self.memory.page::<Pool>(object.frame);
            pool.turn(start, pages);
            pool.free.add(pages);
            pool.vmos.sub(1);
        }
        if self.unref(object) {
            self.bury(object.frame, Kind::Pool);
        }
    }

    /// Takes a retired pool apart; no vmo of it is left.
    pub(crate) fn clear_pool(&self, frame: Frame) {
        let pool = self.memory.page::<Pool>(frame);
        if pool.pages.get() != 0 {
            self.memory.free_run(Frame(pool.first.get()), pool.pages.get());
        }
    }
}
