//! Handles and bytes on their way out of a process: read, checked and put aside before anything is committed.
//!
//! A handle on its way keeps its entry in the sender's table reserved until the message is queued or received, so that
//! a transfer that fails gives it back under the same value. What must never happen: a capability both usable
//! here and on its way, or lost between.

use crate::channel::Channel;
use crate::context::reg;
use crate::handles::Capability;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, KernelBytes};
use crate::objects::Port;
use crate::platform::Platform;
use crate::thread::{MovingHandle, Staged};
use nexus_abi::bounds::{DEVICE_START, MAX_MESSAGE_HANDLES, REGISTER_BYTES, REGISTER_WORDS, USER_START};
use nexus_abi::{Error, Handle, Kind, Rights, Tag};

/// Whether `len` bytes at `address` lie in user space. Says nothing of what is mapped there.
pub(crate) fn in_user_space(address: u64, len: usize) -> bool {
    (USER_START..DEVICE_START).contains(&address) && len as u64 <= DEVICE_START - address
}

impl MovingHandle {
    /// What moves; `None` once it has arrived.
    pub(crate) fn capability(&self) -> Option<Capability> {
        Capability::from_words(self.meta.get(), self.object.get())
    }

    pub(crate) fn set(&self, capability: Capability, from: Handle) {
        self.meta.set(capability.meta());
        self.object.set(capability.object.to_raw());
        self.from.set(from.0);
    }
}

impl Staged {
    /// Handles of the message.
    pub(crate) fn moving(&self) -> &[MovingHandle] {
        &self.handles[..Tag(self.tag.get()).handles().min(MAX_MESSAGE_HANDLES)]
    }
}

impl<P: Platform> Kernel<P> {
    /// Reads the message that the current thread's registers describe into the thread's own keeping. `channel` is the one
    /// it is to go through: neither of its ends can be among the handles. On an error nothing has changed.
    pub(crate) fn stage(&self, hart: &Hart, thread: Frame, channel: Frame) -> Answer<()> {
        let t = self.thread(thread);
        let tag = Tag(t.context.get(reg::A0 + 1));
        if !tag.is_valid() {
            return Err(Error::Invalid);
        }
        let bytes = tag.bytes();
        if bytes > REGISTER_BYTES {
            let from = t.context.get(reg::T[1]);
            let buffer = self.memory.bytes(Frame(t.buffer.get()), 0, bytes);
            if !in_user_space(from, bytes) || !self.platform.copy_from_user(buffer, from) {
                return Err(Error::BadAddress);
            }
            hart.copied.add(bytes as u64);
        } else {
            for n in 0..REGISTER_WORDS {
                let word = if n * 8 < bytes { t.context.get(reg::A0 + 2 + n) } else { 0 };
                t.staged.words[n].set(word);
            }
        }
        t.staged.tag.set(tag.0 & Tag::SIZES);
        self.stage_handles(hart, thread, tag.handles(), channel).inspect_err(|_| t.staged.tag.set(0))
    }

    fn stage_handles(&self, hart: &Hart, thread: Frame, count: usize, channel: Frame) -> Answer<()> {
        let t = self.thread(thread);
        if count == 0 {
            return Ok(());
        }
        let mut list = [0u8; MAX_MESSAGE_HANDLES * 4];
        let list = &mut list[..count * 4];
        let from = t.context.get(reg::T[2]);
        if !in_user_space(from, list.len())
            || !self.platform.copy_from_user(KernelBytes::from_mut(list), from)
        {
            return Err(Error::BadAddress);
        }
        for n in 0..count {
            let handle = |n: usize| {
                Handle(u32::from_le_bytes([list[4 * n], list[4 * n + 1], list[4 * n + 2], list[4 * n + 3]]))
            };
            let moving = if (0..n).any(|m| handle(m) == handle(n)) {
                Err(Error::Invalid)
            } else {
                self.moor(hart, handle(n), channel)
            };
            match moving {
                Ok(capability) => t.staged.handles[n].set(capability, handle(n)),
                Err(error) => {
                    t.staged.tag.set(Tag::new(0, n).0);
                    self.return_handles(hart, thread);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Takes one capability out of the current process's table for a journey; its entry stays reserved.
    pub(crate) fn moor(&self, hart: &Hart, handle: Handle, channel: Frame) -> Answer<Capability> {
        let table = self.table(hart.owner());
        let capability = table.lookup(&self.memory, handle)?;
        if !capability.rights.contains(Rights::TRANSFER) {
            return Err(Error::AccessDenied);
        }
        if capability.kind == Kind::Port {
            let _held = self.hold_next(capability.object)?;
            let moored = table.withdraw(&self.memory, handle)?;
            self.memory.page::<Port>(capability.object.frame).shared.set(1);
            self.memory.header(capability.object.frame).latch.raise_tenure();
            return Ok(moored);
        }
        if capability.kind != Kind::Channel {
            return table.withdraw(&self.memory, handle);
        }
        if capability.object.frame == channel {
            return Err(Error::Invalid);
        }
        let _held = self.hold_next(capability.object)?;
        let end = &self.memory.page::<Channel>(capability.object.frame).ends[capability.end as usize];
        if end.answering.top().is_some() || end.handles_inside.get() != 0 {
            return Err(Error::Busy);
        }
        let capability = table.withdraw(&self.memory, handle)?;
        end.flight.set(1);
        end.forget_port();
        self.memory.header(capability.object.frame).latch.raise_tenure();
        self.unlink_node(&end.binding);
        end.parked.set(end.binding.wanted.take(0));
        Ok(capability)
    }

    /// Puts the handles of a message that was not sent back where they came from. No lock is held.
    pub(crate) fn return_handles(&self, hart: &Hart, thread: Frame) {
        let t = self.thread(thread);
        for moving in t.staged.moving() {
            let from = Handle(moving.from.take(0));
            let Some(capability) = moving.capability().filter(|_| from != Handle::NONE) else {
                continue;
            };
            moving.meta.set(0);
            self.unmoor(hart, t.owner(), from, capability);
        }
        t.staged.tag.set(0);
    }

    /// Undoes [`Self::moor`].
    pub(crate) fn unmoor(&self, hart: &Hart, process: Frame, from: Handle, capability: Capability) {
        if capability.kind == Kind::Channel
            && let Ok(_held) = self.hold(capability.object)
        {
            let at = capability.end as usize;
            let end = &self.memory.page::<Channel>(capability.object.frame).ends[at];
            end.flight.set(0);
            end.binding.wanted.set(end.parked.take(0));
            self.notify(hart, capability.object.frame, at);
        }
        self.table(process).fill(&self.memory, from, capability);
    }

    /// The handles of a message have left for good: their entries in the sender's table are free again.
    pub(crate) fn release_entries(&self, thread: Frame) {
        let t = self.thread(thread);
        let table = self.table(t.owner());
        for moving in t.staged.moving() {
            let from = Handle(moving.from.take(0));
            if from != Handle::NONE {
                table.release(&self.memory, from);
            }
        }
    }

    /// A capability arrives in a process, whose entry for it was reserved.
    pub(crate) fn land(&self, process: Frame, handle: Handle, capability: Capability) {
        // The channel may be destroyed meanwhile. Its lock may be taken under that of the channel it came through: what an
        // end carries in its queue went in before the end itself was sent, so no circle of such pairs exists.
        if capability.kind == Kind::Channel
            && let Ok(_held) = self.hold_next(capability.object)
        {
            let end = &self.memory.page::<Channel>(capability.object.frame).ends[capability.end as usize];
            end.binding.clear();
            end.binding.pending.set(0);
            end.parked.set(0);
            end.forget_port();
            end.holder.set(process.0);
            end.flight.set(0);
        }
        self.table(process).fill(&self.memory, handle, capability);
    }

    /// Reserves entries for `count` arriving handles, all or none.
    pub(crate) fn make_room(&self, process: Frame, count: usize) -> Answer<[Handle; MAX_MESSAGE_HANDLES]> {
        let mut handles = [Handle::NONE; MAX_MESSAGE_HANDLES];
        self.table(process).reserve_all(&self.memory, &mut handles[..count])?;
        Ok(handles)
    }

    /// Undoes [`Self::make_room`].
    pub(crate) fn give_room_back(&self, process: Frame, handles: &[Handle]) {
        for handle in handles {
            self.table(process).release(&self.memory, *handle);
        }
    }

    /// Writes handle values to the current thread's handle buffer.
    pub(crate) fn tell_handles(&self, to: u64, handles: &[Handle]) -> bool {
        let mut list = [0u8; MAX_MESSAGE_HANDLES * 4];
        for (slot, handle) in list.chunks_exact_mut(4).zip(handles) {
            slot.copy_from_slice(&handle.0.to_le_bytes());
        }
        let len = handles.len() * 4;
        len == 0
            || (in_user_space(to, len) && self.platform.copy_to_user(to, KernelBytes::from_ref(&list[..len])))
    }
}
