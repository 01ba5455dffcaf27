//! A static that is written once, by the boot hart, and read by all.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

const EMPTY: u32 = 0;
const WRITING: u32 = 1;
const FULL: u32 = 2;

/// A value that is set once and then shared for ever.
pub struct Once<T> {
    state: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is written by the one caller that moves the state from EMPTY, before it is FULL, and only
// shared references are given out after.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T> Once<T> {
    /// An empty one.
    pub const fn new() -> Self {
        Once { state: AtomicU32::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Sets the value; a second time is a panic.
    #[inline(always)]
    pub fn set(&self, value: T) {
        assert!(self.state.swap(WRITING, Ordering::Relaxed) == EMPTY, "set twice");
        // SAFETY: only one caller gets here, and nobody reads before FULL.
        unsafe { (*self.value.get()).write(value) };
        self.state.store(FULL, Ordering::Release);
    }

    /// The value, if it has been set.
    #[inline(always)]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: FULL is stored after the value is whole, and the value never changes again.
        (self.state.load(Ordering::Acquire) == FULL).then(|| unsafe { (*self.value.get()).assume_init_ref() })
    }

    /// The value.
    ///
    /// # Safety
    /// `set` must have returned before, as this hart sees it.
    #[inline(always)]
    pub unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: the caller's promise.
        unsafe { (*self.value.get()).assume_init_ref() }
    }
}
