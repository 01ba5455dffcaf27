//! A handle that goes with a message by the fast path: out of one table and straight into the first free entry of another.
//!
//! It does what `transfer.rs` does in steps, with both tables locked at once; the locks are only tried, because no order is
//! laid down between two tables. What must never happen: a capability that moves although something besides its entry would
//! have to be looked after.

use crate::context::reg;
use crate::handles::Entry;
use crate::kernel::Kernel;
use crate::memory::{Frame, Memory};
use crate::platform::Platform;
use crate::process::Process;
use crate::sync::Ordering;
use crate::thread::Thread;
use nexus_abi::bounds::DEVICE_START;
use nexus_abi::{Handle, Kind, Rights};

/// Bytes of a handle in a handle buffer, where it is aligned; else it is for the slow path.
const HANDLE_BYTES: u64 = size_of::<Handle>() as u64;

/// Kinds whose capabilities move with their entry alone, one bit each. Who sends an end has a binding, a FIFO and open calls to look
/// after, and who sends a port shares it: that is for the slow path.
const BY_ENTRY: u64 = {
    let mut kinds = 0;
    let mut n = 0;
    while n < Kind::ALL.len() {
        if !matches!(Kind::ALL[n], Kind::Channel | Kind::Port) {
            kinds |= 1 << Kind::ALL[n] as u32;
        }
        n += 1;
    }
    kinds
};

impl Process {
    /// The entry and its two words of a handle that may go by the fast path: open, of a kind that moves by its entry, with the right to, and to an object
    /// that lives. The table's lock is held.
    #[inline(always)]
    fn leaving<'m>(&self, memory: &'m Memory, handle: Handle) -> Option<(&'m Entry, u64, u64)> {
        let entry = self.entry(memory, handle.0 & 0xffff)?;
        let (meta, object) = (entry.meta.get(), entry.object.get());
        // A kind past the last, of an entry that is on its way already, has no bit either.
        let moves = BY_ENTRY.wrapping_shr((meta >> 40) as u8 as u32) & 1 != 0;
        if meta >> 48 != (handle.0 >> 16) as u64
            || !moves
            || !Rights::from_bits_retain(meta as u32).contains(Rights::TRANSFER)
        {
            return None;
        }
        let latch = &memory.header(Frame(object as u32)).latch;
        (latch.generation() == (object >> 32) as u32).then_some((entry, meta, object))
    }

    /// The entry that is given out next and the handle that it will be. The table's lock is held.
    #[inline(always)]
    pub(crate) fn vacant<'m>(&self, memory: &'m Memory) -> Option<(&'m Entry, Handle)> {
        let index = self.handle_free.get();
        let entry = self.entry(memory, index).filter(|_| index != 0)?;
        // Nothing but its generation stands in a free entry.
        Some((entry, Handle(index | (entry.meta.get() >> 32) as u32)))
    }

    /// Fills what [`Self::vacant`] found with the two words of another entry. The table's lock is held.
    #[inline(always)]
    pub(crate) fn take_in(&self, entry: &Entry, name: Handle, meta: u64, object: u64) {
        self.handle_free.set(entry.object.get() as u32);
        self.handle_count.add(1);
        entry.object.set(object);
        let generation = (name.0 >> 16) as u64;
        entry.meta.atomic().store(meta << 16 >> 16 | generation << 48, Ordering::Release);
    }
}

impl<P: Platform> Kernel<P> {
    /// Moves the one handle of a message from the table of the current thread's process to that of a thread that waits for it, tells the
    /// latter, and leaves its address space loaded. False: nothing happened, but that the name it would have had may stand where it
    /// was to be told.
    #[inline(always)]
    pub(crate) fn carry_handle(&self, from: &Thread, to: &Thread) -> bool {
        let (source, target) = (from.context.get(reg::T[2]), to.context.get(reg::T[2]));
        // Nothing is ever mapped below the user's part; what is above memory is devices' and the kernel's.
        if source >= DEVICE_START || target >= DEVICE_START || (source | target) % HANDLE_BYTES != 0 {
            return false;
        }
        let Some(handle) = self.platform.word_from_user(source).map(Handle) else { return false };
        let (giver, taker) = (self.table(from.owner()), self.table(to.owner()));
        let Some(given) = giver.handle_lock.try_hold() else { return false };
        // Not within one process, whose table is locked by now.
        let Some(taken) = taker.handle_lock.try_hold() else { return false };
        let Some((old, meta, object)) = giver.leaving(&self.memory, handle) else { return false };
        let Some((new, name)) = taker.vacant(&self.memory) else { return false };
        self.platform.switch_space(to.satp.get());
        if !self.platform.word_to_user(target, name.0) {
            self.platform.switch_space(from.satp.get());
            return false;
        }

        taker.take_in(new, name, meta, object);
        giver.free(old, handle);
        given.release_both(taken);
        true
    }
}
