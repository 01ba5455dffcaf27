//! The word at the head of every object: whether it is held, and which object it is.
//!
//! Bit 0 is the lock. Above it stand the object's tenure, raised when a handle to it leaves a table (channel ends and
//! ports alone keep count), and its generation, raised when it is destroyed. So a hot path that remembers the whole word
//! takes the lock and learns in the same step that the object is still there and its handles are where they were:
//! [`Known::seize`]. What must never happen: the word changed by anyone but its holder, but for bit 0 itself.

use crate::link::Link;
use crate::memory::{Header, PageType};
use crate::sync::{AtomicU64, Cell64, Ordering, fence, told};

const HELD: u64 = 1;
const TENURE: u64 = 0xffff_fffe;
const GENERATION_SHIFT: u32 = 32;

/// See the module.
#[derive(Default)]
#[repr(transparent)]
pub struct Latch(AtomicU64);

/// Proof that a [`Latch`] is held; releases it when dropped.
#[must_use]
pub struct Kept<'a>(&'a Latch);

impl Latch {
    /// Takes the lock, spinning until it is free.
    #[inline(always)]
    pub fn hold(&self) -> Kept<'_> {
        told::wants(self);
        while self.0.fetch_or(HELD, Ordering::Acquire) & HELD != 0 {
            self.wait();
        }
        Kept::new(self)
    }

    /// Takes the lock of the object of this generation; `None` if that is not here any more. It is not waited for what is here instead:
    /// who has that may wait for a lock that the caller has, against which the order of locks says nothing.
    #[inline(always)]
    pub fn hold_of(&self, generation: u32) -> Option<Kept<'_>> {
        if self.0.fetch_or(HELD, Ordering::Acquire) & HELD != 0 && !self.wait_as(generation) {
            return None;
        }
        if self.generation() != generation {
            told::took(self);
            self.release(self.word(), Ordering::Release);
            return None;
        }
        told::wants(self);
        Some(Kept::new(self))
    }

    /// Takes the lock if nobody has it.
    #[inline(always)]
    pub fn try_hold(&self) -> Option<Kept<'_>> {
        (self.0.fetch_or(HELD, Ordering::Acquire) & HELD == 0).then(|| Kept::new(self))
    }

    #[cold]
    fn wait(&self) {
        #[cfg(loom)]
        return crate::tests::loom::wait_for(core::ptr::from_ref(self).addr());
        #[cfg(not(loom))]
        while self.0.load(Ordering::Relaxed) & HELD != 0 {
            crate::sync::pause();
        }
    }

    /// Waits for the lock, which somebody has, and takes it. False: it is of another object, and was not waited for.
    #[cold]
    #[inline(never)]
    fn wait_as(&self, generation: u32) -> bool {
        let is_meant = |word: u64| (word >> GENERATION_SHIFT) as u32 == generation;
        loop {
            let found = self.0.fetch_or(HELD, Ordering::Acquire);
            if found & HELD == 0 || !is_meant(found) {
                return found & HELD == 0;
            }
            told::wants(self);
            #[cfg(loom)]
            crate::tests::loom::wait_for(core::ptr::from_ref(self).addr());
            #[cfg(not(loom))]
            while let word = self.0.load(Ordering::Relaxed)
                && word & HELD != 0
                && is_meant(word)
            {
                crate::sync::pause();
            }
        }
    }

    /// Lets go with this word, under which nobody holds it.
    #[inline(always)]
    fn release(&self, word: u64, order: Ordering) {
        told::freed(self);
        self.0.store(word, order);
        #[cfg(loom)]
        crate::tests::loom::is_free(core::ptr::from_ref(self).addr());
    }

    /// Which of the objects that have been in this frame is there, or will be next.
    #[inline(always)]
    pub fn generation(&self) -> u32 {
        (self.0.load(Ordering::Relaxed) >> GENERATION_SHIFT) as u32
    }

    /// The same, with whoever wrote what the object holds seen to have written it.
    pub fn generation_acquire(&self) -> u32 {
        (self.0.load(Ordering::Acquire) >> GENERATION_SHIFT) as u32
    }

    /// The generation before this one.
    pub fn former_generation(&self) -> u32 {
        self.generation().checked_sub(1).unwrap_or(u32::MAX - 1)
    }

    /// Makes every reference to the object stale. The holder calls it.
    pub fn raise_generation(&self) {
        let word = self.0.load(Ordering::Relaxed);
        let next = (word >> GENERATION_SHIFT) + 1;
        let next = if next >= u32::MAX as u64 { 0 } else { next };
        self.0.store(next << GENERATION_SHIFT | word as u32 as u64, Ordering::Release);
    }

    /// A handle to the object leaves its table: what hot paths know of it is stale. The holder calls it.
    pub fn raise_tenure(&self) {
        let word = self.0.load(Ordering::Relaxed);
        self.0.store(word & !TENURE | word.wrapping_add(2) & TENURE, Ordering::Relaxed);
    }

    /// The word as it is while nobody holds it. The holder asks.
    pub fn word(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & !HELD
    }
}

impl<'a> Kept<'a> {
    #[inline(always)]
    fn new(latch: &'a Latch) -> Kept<'a> {
        told::took(latch);
        Kept(latch)
    }
}

impl Drop for Kept<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.release(self.0.word(), Ordering::Release);
    }
}

/// Proof that a [`Latch`] is held by [`Known::seize`]: its word is not to change meanwhile.
#[must_use]
pub struct Seized<'a> {
    header: &'a Header,
    word: u64,
}

impl Seized<'_> {
    /// Stays held, for whoever goes on with [`Known::resume`].
    #[inline(always)]
    pub fn put_aside(self) {
        core::mem::forget(self);
    }

    /// Releases two with one fence, the second first.
    #[inline(always)]
    pub fn release_both(self, second: Seized<'_>) {
        fence(Ordering::Release);
        second.header.latch.release(second.word, Ordering::Relaxed);
        self.header.latch.release(self.word, Ordering::Relaxed);
        core::mem::forget((self, second));
    }
}

impl Drop for Seized<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.header.latch.release(self.word, Ordering::Release);
    }
}

/// An object as it was when it was last looked at. Belongs to a thread (which alone uses it) or stands in an object
/// (under its lock). Before its first use it is given a header, any, to point to.
#[repr(C)]
pub struct Known<T> {
    word: Cell64,
    header: Link<Header>,
    at: Link<T>,
}

impl<T: PageType> Default for Known<T> {
    fn default() -> Self {
        Known { word: Cell64::default(), header: Link::default(), at: Link::default() }
    }
}

impl<T: PageType> Known<T> {
    /// A word that no latch ever has: this generation is left out.
    const NOTHING: u64 = u64::MAX;

    /// Knows nothing, and has `header` to find that out by.
    pub fn init(&self, header: &Header) {
        self.header.set(header);
        self.forget();
    }

    /// Knows nothing any more.
    #[inline(always)]
    pub fn forget(&self) {
        self.word.set(Self::NOTHING);
    }

    /// Whether there is something to try.
    pub fn is_known(&self) -> bool {
        self.word.get() != Self::NOTHING
    }

    /// Whether it is this object as it is now, which the caller holds.
    pub fn is(&self, header: &Header) -> bool {
        self.word.get() == header.latch.word() && self.header.is(header)
    }

    /// Whether it is, as far as can be seen without holding it, what it was: then to look again teaches nothing.
    pub fn seems_same(&self) -> bool {
        self.header.get().latch.word() == self.word.get()
    }

    /// Notes an object, which the caller holds.
    pub fn note(&self, header: &Header, at: &T) {
        self.word.set(header.latch.word());
        self.header.set(header);
        self.at.set(at);
    }

    /// Notes an object that has been seized.
    #[inline(always)]
    pub fn note_seized(&self, held: &Seized<'_>, at: &T) {
        self.word.set(held.word);
        self.header.set(held.header);
        self.at.set(at);
    }

    /// Locks the object if nobody holds it and it is as it was.
    #[inline(always)]
    pub fn seize(&self) -> Option<Seized<'_>> {
        let header = self.header.get();
        let word = self.word.get();
        let found = header.latch.0.fetch_or(HELD, Ordering::Acquire);
        if found != word {
            Self::leave(&header.latch, found);
            return None;
        }
        told::took(&header.latch);
        Some(Seized { header, word })
    }

    /// What this hart seized and put aside.
    #[inline(always)]
    pub fn resume(&self) -> Seized<'_> {
        Seized { header: self.header.get(), word: self.word.get() }
    }

    /// The object, once it is seized.
    #[inline(always)]
    pub fn at(&self) -> &T {
        self.at.get()
    }

    /// Undoes an attempt that found the word `found`.
    #[cold]
    fn leave(latch: &Latch, found: u64) {
        if found & HELD == 0 {
            told::took(latch);
            latch.release(found, Ordering::Release);
        }
    }
}
