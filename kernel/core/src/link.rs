//! References kept in cells, for paths that have no instructions to spare for turning frame numbers into addresses.
//!
//! What must never happen: a link followed on the word of a structure that is not proven to be what it seems.

use crate::memory::PageType;
use crate::sync::{AtomicUsize, Ordering};
use core::marker::PhantomData;

/// A reference kept in a cell: to a header, or to what a frame holds. Like a [`Frame`](crate::memory::Frame) in a cell it is believed only by
/// whoever has proof that the structure it stands in is what it seems to be: it is the current thread, or it is locked and
/// of the right generation.
#[repr(transparent)]
pub struct Link<T> {
    address: AtomicUsize,
    _to: PhantomData<fn() -> T>,
}

impl<T: PageType> Link<T> {
    /// Points to nothing, as every link of a fresh page does.
    pub fn none() -> Link<T> {
        Link { address: AtomicUsize::new(0), _to: PhantomData }
    }

    /// Points to `to` from now on.
    #[inline(always)]
    pub fn set(&self, to: &T) {
        self.address.store(core::ptr::from_ref(to).expose_provenance(), Ordering::Relaxed);
    }

    /// Points to nothing.
    #[inline(always)]
    pub fn clear(&self) {
        self.address.store(0, Ordering::Relaxed);
    }

    /// What it points to, and points to nothing from now on.
    #[inline(always)]
    pub fn take(&self) -> Option<&T> {
        let found = self.find();
        self.clear();
        found
    }

    /// Points to what `other` points to.
    #[inline(always)]
    pub fn copy(&self, other: &Link<T>) {
        self.address.store(other.address.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What it points to, if it points to anything.
    #[inline(always)]
    pub fn find(&self) -> Option<&T> {
        let address = self.address.load(Ordering::Relaxed);
        // SAFETY: nonzero values come only from `set`, which got a view of the bank or of the header table; both stay
        // mapped for ever, and `PageType` promises that whatever is there by now is a valid shared `T`.
        unsafe { core::ptr::with_exposed_provenance::<T>(address).as_ref() }
    }

    /// What it points to. It was set before.
    #[inline(always)]
    pub fn get(&self) -> &T {
        let address = self.address.load(Ordering::Relaxed);
        debug_assert!(address != 0);
        // SAFETY: as in `find`; whoever calls this knows that it was set, so that it is not 0.
        unsafe {
            core::hint::assert_unchecked(address != 0);
            &*core::ptr::with_exposed_provenance::<T>(address)
        }
    }

    /// Whether it points to `it`.
    #[inline(always)]
    pub fn is(&self, it: &T) -> bool {
        self.address.load(Ordering::Relaxed) == core::ptr::from_ref(it).addr()
    }
}

impl<T: PageType> Default for Link<T> {
    fn default() -> Self {
        Self::none()
    }
}
