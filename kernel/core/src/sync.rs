//! The spin lock of the kernel, and the atomics it is made of.
//!
//! Kernel code runs with interrupts off and never blocks, so a holder always releases soon. Locks are taken
//! in the order of `docs/concurrency.md`; nothing is called back while one is held.

pub use core::sync::atomic::Ordering;
#[cfg(any(not(test), miri))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, fence};

// Host tests decide between any two accesses which hart goes on; under Loom they also decide which value is read.
#[cfg(all(test, not(miri)))]
pub use crate::tests::atomics::{AtomicU32, AtomicU64, AtomicUsize, fence};

/// A moment of waiting for another hart, which is in a section of bounded length.
#[inline(always)]
pub fn pause() {
    #[cfg(all(test, not(miri)))]
    crate::tests::atomics::pause();
    #[cfg(all(test, miri))]
    std::thread::yield_now();
    #[cfg(not(test))]
    core::hint::spin_loop();
}

/// What host tests are told of each lock, to look at the order (`tests/order.rs`); elsewhere nothing is.
pub(crate) mod told {
    macro_rules! tell {
        ($($(#[$doc:meta])* $name:ident;)+) => {$(
            $(#[$doc])*
            #[inline(always)]
            pub fn $name<T>(_lock: &T) {
                #[cfg(all(test, not(loom), not(miri)))]
                crate::tests::order::$name(core::ptr::from_ref(_lock).addr());
            }
        )+};
    }

    tell! {
        /// It is about to be waited for, if need be.
        wants;
        /// The hart has it.
        took;
        /// The hart lets go of it.
        freed;
    }
}

/// A lock word. It guards data that stands beside it, not inside it: everything guarded is atomic cells, read
/// and written relaxed under the lock, so that no `unsafe` is needed to share it.
pub struct Lock(AtomicU32);

/// Proof that a [`Lock`] is held; releases it when dropped.
#[must_use]
pub struct Held<'a>(&'a Lock);

impl Lock {
    /// A free lock.
    pub const fn new() -> Lock {
        Lock(AtomicU32::new(0))
    }

    /// Takes the lock, spinning until it is free.
    #[inline(always)]
    pub fn hold(&self) -> Held<'_> {
        told::wants(self);
        while self.0.swap(1, Ordering::Acquire) != 0 {
            self.wait();
        }
        told::took(self);
        Held(self)
    }

    /// Takes the lock if nobody has it.
    #[inline(always)]
    pub fn try_hold(&self) -> Option<Held<'_>> {
        (self.0.swap(1, Ordering::Acquire) == 0).then(|| {
            told::took(self);
            Held(self)
        })
    }

    #[cold]
    fn wait(&self) {
        #[cfg(loom)]
        return crate::tests::loom::wait_for(core::ptr::from_ref(self).addr());
        #[cfg(not(loom))]
        while self.0.load(Ordering::Relaxed) != 0 {
            pause();
        }
    }
}

#[cfg(loom)]
impl Lock {
    fn tell(&self) {
        crate::tests::loom::is_free(core::ptr::from_ref(self).addr());
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self::new()
    }
}

impl Held<'_> {
    /// Releases two with one fence.
    #[inline(always)]
    pub fn release_both(self, other: Held<'_>) {
        fence(Ordering::Release);
        self.release(Ordering::Relaxed);
        other.release(Ordering::Relaxed);
        core::mem::forget((self, other));
    }

    #[inline(always)]
    fn release(&self, order: Ordering) {
        told::freed(self.0);
        self.0.0.store(0, order);
        #[cfg(loom)]
        self.0.tell();
    }
}

impl Drop for Held<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.release(Ordering::Release);
    }
}

/// A relaxed 32-bit cell: data guarded by a lock or owned by one hart.
#[repr(transparent)]
#[derive(Default)]
pub struct Cell32(AtomicU32);

/// A relaxed 64-bit cell, likewise.
#[repr(transparent)]
#[derive(Default)]
pub struct Cell64(AtomicU64);

macro_rules! cell {
    ($cell:ident, $atomic:ident, $int:ty) => {
        impl $cell {
            /// A cell holding `value`.
            pub const fn new(value: $int) -> $cell {
                $cell($atomic::new(value))
            }

            /// Its value.
            #[inline(always)]
            pub fn get(&self) -> $int {
                self.0.load(Ordering::Relaxed)
            }

            /// Sets it.
            #[inline(always)]
            pub fn set(&self, value: $int) {
                self.0.store(value, Ordering::Relaxed)
            }

            /// Adds to it; only for cells that one holder writes at a time.
            #[inline(always)]
            pub fn add(&self, value: $int) {
                self.set(self.get().wrapping_add(value))
            }

            /// Subtracts from it; likewise.
            #[inline(always)]
            pub fn sub(&self, value: $int) {
                self.set(self.get().wrapping_sub(value))
            }

            /// Replaces the value and answers the old one; likewise.
            #[inline(always)]
            pub fn take(&self, value: $int) -> $int {
                let old = self.get();
                self.set(value);
                old
            }

            /// The atomic itself, for the few protocols that need more than relaxed access.
            #[inline(always)]
            pub fn atomic(&self) -> &$atomic {
                &self.0
            }
        }
    };
}

cell!(Cell32, AtomicU32, u32);
cell!(Cell64, AtomicU64, u64);

impl Cell64 {
    /// Makes it 0, for the next object in its frame.
    #[inline(always)]
    pub fn zero(&self) {
        #[cfg(loom)]
        if crate::tests::loom::zero(core::ptr::from_ref(self).addr()) {
            return;
        }
        self.set(0);
    }
}
