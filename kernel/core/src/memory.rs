//! Page frames: who owns each, and how its bytes are seen.
//!
//! All kernel state but a few statics lives in page frames. A frame's header stands in a table of its own that
//! is never reused for anything else: the header's lock and generation are valid for ever, whatever the frame
//! holds now. That is what makes "lock, then check the generation" sound for a handle of any age.
//!
//! This module alone turns a frame into a typed view. The views are types made only of atomic cells, for which
//! every bit pattern is valid, so a stale view can read nonsense but never be undefined behaviour; that no stale
//! view is *believed* is what generations are for. What must never happen here: a frame on the free list that
//! somebody still owns.

use crate::latch::{Kept, Latch};
use crate::sync::{Cell32, Cell64, Lock, Ordering, fence};
use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use nexus_abi::bounds::PAGE_SIZE;

/// The number of a page frame in the managed bank. 0 is no frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Frame(pub(crate) u32);

impl Frame {
    /// No frame.
    pub const NONE: Frame = Frame(0);

    /// Whether this is a frame at all.
    #[inline(always)]
    pub fn exists(self) -> bool {
        self.0 != 0
    }
}

/// What a frame is used for: an object kind's number, or one of these.
pub mod usage {
    /// On the free list, or plain memory of some object.
    pub const PLAIN: u32 = 0;
    /// The bits of the kind number.
    pub const KIND: u32 = 0xff;
    /// Set once the object is retired and being taken apart.
    pub const RETIRED: u32 = 0x100;
    /// Set while the object is being made: on its quota's list, but not yet whole and in nobody's table.
    pub const MAKING: u32 = 0x200;
}

/// The part of a frame that outlives what it holds.
#[derive(Default)]
#[repr(C)]
pub struct Header {
    /// Guards the object in the frame, and tells which one it is.
    pub latch: Latch,
    /// [`nexus_abi::Kind`] number of the object, or [`usage::PLAIN`]. For page tables: see `refs`.
    pub kind: Cell32,
    /// Handles, mappings and other reasons to keep the object; in a page table, its entries in use.
    pub refs: Cell32,
    /// The quota that the object is charged to.
    pub quota: Cell32,
    /// Neighbours in the quota's list of objects; `next` also links free frames.
    pub next: Cell32,
    /// See `next`.
    pub prev: Cell32,
    /// Pages charged to the quota for the object.
    pub charge: Cell32,
}

/// Types that a frame can be viewed as.
///
/// # Safety
/// Only for `repr(C)` structures of atomic cells (every bit pattern valid, shared access sound) of at most a page.
pub unsafe trait PageType: Sync {}

// SAFETY: an array of atomic cells, one page long.
unsafe impl PageType for [Cell64; 512] {}
// SAFETY: an array of atomic cells, one page long.
unsafe impl PageType for [Cell32; 1024] {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Header {}

/// A run of bytes that the kernel owns: the far side of a user copy.
#[derive(Clone, Copy)]
pub struct KernelBytes<'a> {
    start: *mut u8,
    len: usize,
    _borrow: PhantomData<&'a [u8]>,
}

impl<'a> KernelBytes<'a> {
    /// The bytes of a local buffer that may be written.
    pub fn from_mut(bytes: &'a mut [u8]) -> Self {
        KernelBytes { start: bytes.as_mut_ptr(), len: bytes.len(), _borrow: PhantomData }
    }

    /// The bytes of a value that is only read: pass it to `copy_to_user` alone.
    pub fn from_ref(bytes: &'a [u8]) -> Self {
        KernelBytes { start: bytes.as_ptr().cast_mut(), len: bytes.len(), _borrow: PhantomData }
    }

    /// Where they begin.
    pub fn start(self) -> *mut u8 {
        self.start
    }

    /// `len` bytes from `at` on; the test's copies go page by page.
    #[cfg(test)]
    pub fn part(self, at: usize, len: usize) -> KernelBytes<'a> {
        assert!(at + len <= self.len);
        KernelBytes { start: self.start.wrapping_add(at), len, _borrow: PhantomData }
    }

    /// How many they are.
    #[allow(clippy::len_without_is_empty, reason = "emptiness is never asked")]
    pub fn len(self) -> usize {
        self.len
    }
}

/// The bank of RAM that the kernel manages.
pub struct Memory {
    base: usize,
    headers: usize,
    physical: u64,
    pub(crate) frames: u32,
    pub(crate) free_lock: Lock,
    free_head: Cell32,
    pub(crate) free_count: Cell32,
    pub(crate) fresh: Cell32,
    /// First free run: see `runs.rs`.
    pub(crate) runs: Cell32,
    pub(crate) reserved: [(u32, u32); Self::MAX_RESERVED],
}

impl Memory {
    /// Most ranges that can be reserved.
    pub const MAX_RESERVED: usize = 16;

    /// Takes over the RAM bank of `bytes` bytes at physical address `physical`, mapped at `base`.
    /// Frames in `reserved` (physical ranges; at most [`Self::MAX_RESERVED`]) are never handed out.
    /// `None` when the bank is too small for its own table, or there are too many ranges.
    ///
    /// # Safety
    /// The bank must be mapped readable and writable for ever, and nothing outside `reserved` may be in use.
    pub unsafe fn new(base: *mut u8, physical: u64, bytes: u64, reserved: &[Range<u64>]) -> Option<Memory> {
        let page = PAGE_SIZE as u64;
        let frames = u32::try_from(bytes / page).ok().filter(|f| *f < 1 << 30)?;
        let mut table = [(0, 0); Self::MAX_RESERVED];
        if reserved.len() >= Self::MAX_RESERVED {
            return None;
        }
        let index = |address: u64| (address.saturating_sub(physical) / page).min(frames as u64) as u32;
        for (slot, range) in table.iter_mut().zip(reserved) {
            *slot = (index(range.start), index(range.end.saturating_add(page - 1)));
        }
        // The header table goes into the first gap that is large enough.
        let need = (frames as usize * size_of::<Header>()).div_ceil(PAGE_SIZE) as u32;
        let mut at = 1;
        while let Some(hit) = table.iter().find(|r| r.0 < at + need && at < r.1) {
            at = hit.1;
        }
        if at + need >= frames {
            return None;
        }
        table[reserved.len()] = (at, at + need);
        let headers = base.expose_provenance() + at as usize * PAGE_SIZE;
        // SAFETY: the gap lies inside the bank and outside every reserved range, so it is ours; zero is a
        // valid header (free lock, generation 0).
        unsafe {
            core::ptr::write_bytes(base.wrapping_add(at as usize * PAGE_SIZE), 0, need as usize * PAGE_SIZE)
        };
        let taken: u32 = Self::merged(&table, frames);
        Some(Memory {
            base: base.expose_provenance(),
            headers,
            physical,
            frames,
            free_lock: Lock::new(),
            free_head: Cell32::new(0),
            free_count: Cell32::new(frames - 1 - taken),
            fresh: Cell32::new(1),
            runs: Cell32::new(0),
            reserved: table,
        })
    }

    /// A bank for a host test, which nobody else uses until it is given back.
    #[cfg(test)]
    pub fn for_test(frames: usize) -> Option<Memory> {
        let used = tests::BANKS.lock().ok()?.extract_if(.., |bank| bank.1 == frames).next();
        let base = match used {
            Some((base, _)) => with_exposed_provenance_mut(base),
            None => {
                let layout = std::alloc::Layout::from_size_align(frames * PAGE_SIZE, PAGE_SIZE).ok()?;
                // SAFETY: the layout is not empty.
                unsafe { std::alloc::alloc_zeroed(layout) }
            }
        };
        // SAFETY: the bank is never freed, and nobody else has it: it is fresh, or was given back.
        unsafe { Memory::new(base, 0x8000_0000, (frames * PAGE_SIZE) as u64, &[]) }
    }

    /// Lets another test have the bank. Its kernel is not used any more.
    #[cfg(test)]
    pub fn give_back(&self) {
        if let Ok(mut banks) = tests::BANKS.lock() {
            banks.push((self.base, self.frames as usize));
        }
    }

    /// How many frames from 1 on lie in at least one reserved range.
    fn merged(table: &[(u32, u32)], frames: u32) -> u32 {
        let mut at = 1;
        let mut free = 0;
        while at < frames {
            match table.iter().filter(|r| r.1 > at).map(|r| (r.0.max(at), r.1)).min() {
                Some((start, end)) => {
                    free += start.min(frames) - at;
                    at = end;
                }
                None => {
                    free += frames - at;
                    at = frames;
                }
            }
        }
        frames - 1 - free
    }

    /// Frames in the bank, reserved ones included.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Frames that nobody holds.
    pub fn free_frames(&self) -> u32 {
        self.free_count.get()
    }

    /// The header of a frame.
    #[inline(always)]
    pub fn header(&self, frame: Frame) -> &Header {
        debug_assert!(frame.0 < self.frames);
        // SAFETY: the table has one header for each frame of the bank, lives for ever, and is made of cells.
        // A `Frame` is made only by this crate from numbers below `frames`.
        unsafe { &*with_exposed_provenance(self.headers + frame.0 as usize * size_of::<Header>()) }
    }

    /// A frame number that came from outside, if the bank has such a frame.
    pub fn frame_from_raw(&self, raw: u32) -> Option<Frame> {
        (raw != 0 && raw < self.frames).then_some(Frame(raw))
    }

    /// Takes the lock of the object in `frame`.
    #[inline(always)]
    pub fn lock(&self, frame: Frame) -> Kept<'_> {
        self.header(frame).latch.hold()
    }

    /// The frame seen as `T`.
    #[inline(always)]
    pub fn page<T: PageType>(&self, frame: Frame) -> &T {
        const { assert!(size_of::<T>() <= PAGE_SIZE && align_of::<T>() <= PAGE_SIZE) };
        debug_assert!(frame.0 != 0 && frame.0 < self.frames);
        let address = self.base + frame.0 as usize * PAGE_SIZE;
        // SAFETY: the address is in the mapped bank, which begins above 0, and page-aligned; `PageType` promises that any
        // bytes there are a valid shared `T`.
        unsafe {
            core::hint::assert_unchecked(address != 0);
            &*with_exposed_provenance(address)
        }
    }

    /// `len` bytes of the frame from `offset` on, for a user copy. Cut to the page.
    pub fn bytes(&self, frame: Frame, offset: usize, len: usize) -> KernelBytes<'_> {
        let offset = offset.min(PAGE_SIZE);
        KernelBytes {
            start: with_exposed_provenance_mut(self.base + frame.0 as usize * PAGE_SIZE + offset),
            len: len.min(PAGE_SIZE - offset),
            _borrow: PhantomData,
        }
    }

    /// Copies between two frames; both ranges are cut to their page.
    pub fn copy(&self, to: (Frame, usize), from: (Frame, usize), len: usize) {
        self.fill(self.bytes(to.0, to.1, len), self.bytes(from.0, from.1, len));
    }

    /// Copies between two runs of kernel bytes, as many as both have.
    pub fn fill(&self, to: KernelBytes<'_>, from: KernelBytes<'_>) {
        // SAFETY: both runs are valid for their length by construction; `ptr::copy` allows overlap.
        unsafe { core::ptr::copy(from.start, to.start, to.len.min(from.len)) };
    }

    /// Physical address of a frame.
    #[inline(always)]
    pub fn address(&self, frame: Frame) -> u64 {
        self.physical + frame.0 as u64 * PAGE_SIZE as u64
    }

    /// The frame at a physical address, if it is in the bank.
    pub fn frame_at(&self, physical: u64) -> Option<Frame> {
        let number = physical.checked_sub(self.physical)? / PAGE_SIZE as u64;
        (number < self.frames as u64 && number != 0).then_some(Frame(number as u32))
    }

    /// The frame at the physical address of page `number`, likewise.
    #[inline(always)]
    pub fn frame_of_page(&self, number: u64) -> Option<Frame> {
        let number = number.wrapping_sub(self.physical / PAGE_SIZE as u64);
        (number < self.frames as u64 && number != 0).then_some(Frame(number as u32))
    }

    /// The bytes of a physical range that lies wholly in one reserved range: nobody ever writes them.
    pub fn reserved_bytes(&self, range: Range<u64>) -> Option<&[u8]> {
        let page = PAGE_SIZE as u64;
        let start = range.start.checked_sub(self.physical)?;
        let end = range.end.checked_sub(self.physical).filter(|end| *end >= start)?;
        let inside = |r: &&(u32, u32)| start / page >= r.0 as u64 && end.div_ceil(page) <= r.1 as u64;
        self.reserved.iter().find(inside)?;
        // SAFETY: the range lies in the mapped bank, and frames of a reserved range are never handed out, so
        // nothing in the kernel writes there; devices and user programs have no way to.
        Some(unsafe {
            core::slice::from_raw_parts(
                with_exposed_provenance(self.base + start as usize),
                (end - start) as usize,
            )
        })
    }

    /// A free frame, zeroed. `None` only if more is asked for than quotas promised.
    pub fn allocate(&self) -> Option<Frame> {
        let frame = {
            let _held = self.free_lock.hold();
            let head = Frame(self.free_head.get());
            let frame = if head.exists() {
                self.free_head.set(self.header(head).next.get());
                head
            } else {
                self.next_fresh().or_else(|| self.break_run())?
            };
            self.free_count.sub(1);
            frame
        };
        let header = self.header(frame);
        header.next.set(0);
        header.prev.set(0);
        header.refs.set(0);
        header.quota.set(0);
        header.charge.set(0);
        // Whoever still reads what was here before, and then the generation, sees that the object is gone if it reads
        // anything written from here on.
        fence(Ordering::Release);
        self.zero(frame);
        Some(frame)
    }

    /// Clears a frame that the caller owns: by cells, because a hart that holds a stale reference may still be reading there
    /// (it will not believe what it reads).
    pub(crate) fn zero(&self, frame: Frame) {
        #[cfg(not(miri))]
        for cells in self.page::<[Cell64; 512]>(frame).chunks_exact(16) {
            cells.iter().for_each(Cell64::zero);
        }
        // Miri does not let a word be written as one cell and then read as two.
        #[cfg(miri)]
        // SAFETY: a whole frame of the bank; under Miri no hart reads there through a stale reference.
        unsafe {
            core::ptr::write_bytes(self.bytes(frame, 0, PAGE_SIZE).start, 0, PAGE_SIZE);
        }
    }

    /// The next frame that was never handed out.
    fn next_fresh(&self) -> Option<Frame> {
        let at = self.skip_reserved(self.fresh.get());
        if at >= self.frames {
            return None;
        }
        self.fresh.set(at + 1);
        Some(Frame(at))
    }

    /// The first frame from `at` on that is not reserved.
    pub(crate) fn skip_reserved(&self, mut at: u32) -> u32 {
        while let Some(hit) = self.reserved.iter().find(|r| r.0 <= at && at < r.1) {
            at = hit.1;
        }
        at
    }

    /// Gives a frame back. The caller owned it and has removed every way to it.
    pub fn free(&self, frame: Frame) {
        #[cfg(all(test, not(loom), not(miri)))]
        crate::tests::tlb::freed(frame, 1);
        let _held = self.free_lock.hold();
        let header = self.header(frame);
        header.kind.set(usage::PLAIN);
        header.next.set(self.free_head.get());
        self.free_head.set(frame.0);
        self.free_count.add(1);
    }
}

#[cfg(test)]
mod tests {
    /// Banks that no test uses now: address and frames.
    pub static BANKS: std::sync::Mutex<Vec<(usize, usize)>> = std::sync::Mutex::new(Vec::new());
}
