//! The heap: `talc` over memory objects that are charged to the process's own quota and mapped as they are
//! needed. It can only grow a bounded number of times, and by what the quota still has.
//!
//! It must not log, allocate, or take any lock but its own: it runs inside every allocation.

use core::alloc::Layout;
use core::sync::atomic::{AtomicU32, Ordering};
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Handle, Rights};
use nexus_sys as sys;
use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;
use talc::base::Talc;
use talc::base::binning::Binning;
use talc::source::Source;

/// What the first growths ask for.
const FIRST_GROWTH: usize = 64 << 10;

/// Most times that the heap grows; each takes one of the process's mappings.
const MAX_GROWTHS: u32 = 24;

/// Room that the allocator needs beside the block that did not fit.
const OVERHEAD: usize = 4096;

static PROCESS: AtomicU32 = AtomicU32::new(0);
static QUOTA: AtomicU32 = AtomicU32::new(0);

/// Lets the heap grow from now on.
pub(crate) fn set_source(process: Handle, quota: Handle) {
    PROCESS.store(process.0, Ordering::Relaxed);
    QUOTA.store(quota.0, Ordering::Relaxed);
}

/// A thread that finds the heap locked lets the lock's holder run.
#[derive(Debug)]
pub struct Yielding;

impl RelaxStrategy for Yielding {
    fn relax() {
        sys::thread_yield();
    }
}

/// Memory from the process's quota.
#[derive(Debug)]
pub struct FromQuota {
    growths: u32,
}

impl FromQuota {
    fn grow(&mut self, needed: usize) -> Option<(*mut u8, usize)> {
        let process = Handle(PROCESS.load(Ordering::Relaxed));
        let quota = Handle(QUOTA.load(Ordering::Relaxed));
        if process == Handle::NONE || quota == Handle::NONE || self.growths == MAX_GROWTHS {
            return None;
        }
        // Twice as much after every fourth growth: a large heap takes few mappings, a small one little memory.
        let step = FIRST_GROWTH << (self.growths / 4);
        let least = needed.checked_add(OVERHEAD)?.checked_next_multiple_of(PAGE_SIZE)?;
        let (address, bytes) = map(process, quota, least.max(step))
            .or_else(|| if least < step { map(process, quota, least) } else { None })?;
        self.growths += 1;
        Some((address as *mut u8, bytes))
    }
}

fn map(process: Handle, quota: Handle, bytes: usize) -> Option<(u64, usize)> {
    let vmo = sys::vmo_create(quota, bytes as u64).ok()?;
    let mapped = sys::vm_map(process, vmo, 0, bytes as u64, 0, Rights::READ.union(Rights::WRITE));
    // The mapping keeps the memory; without one, closing gives it back.
    let _ = sys::handle_close(vmo);
    Some((mapped.ok()?, bytes))
}

// SAFETY: `acquire` reaches the allocator through its argument alone; system calls do not allocate here.
unsafe impl Source for FromQuota {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let needed = layout.size().checked_add(layout.align()).ok_or(())?;
        let (base, bytes) = talc.source.grow(needed).ok_or(())?;
        // SAFETY: the memory was mapped for the heap just now and nothing else refers to it.
        unsafe { talc.claim(base, bytes) }.map(|_| ()).ok_or(())
    }
}

#[global_allocator]
static HEAP: talc::TalcLock<SpinMutex<(), Yielding>, FromQuota> =
    talc::TalcLock::new(FromQuota { growths: 0 });
