//! Sending and calling, the slow path: a staged message is committed to the other end, or its thread waits.
//!
//! Every check comes before the first change; `docs/ipc.md` has their order. What must never happen: a message in the
//! queue whose handles are still usable in the sender's table.

use crate::binding::node_ref;
use crate::channel::{Channel, End};
use crate::context::reg;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::platform::Platform;
use crate::thread::{Thread, state};
use nexus_abi::bounds::REGISTER_BYTES;
use nexus_abi::{Error, Kind, Rights, Signals, Tag};

impl<P: Platform> Kernel<P> {
    /// System calls `channel_send` and `channel_call`. `Ok(true)`: complete; `Ok(false)`: the thread waits.
    pub(crate) fn channel_send(&self, hart: &Hart, thread: Frame, is_call: bool) -> Answer<bool> {
        let t = self.thread(thread);
        let handle = t.context.get(reg::A0);
        let capability =
            self.table(hart.owner()).lookup_as(&self.memory, handle, Kind::Channel, Rights::SEND)?;
        self.stage(hart, thread, capability.object.frame)?;
        let committed = {
            match self.hold(capability.object) {
                Ok(_held) => self.confirm(hart, handle, capability).and_then(|()| {
                    self.commit(hart, thread, capability.object.frame, 1 - capability.end as usize, is_call)
                }),
                Err(error) => Err(error),
            }
        };
        if committed.is_err() {
            self.return_handles(hart, thread);
        }
        committed
    }

    /// Puts the staged message where the end `to` will receive it. The channel's lock is held.
    fn commit(&self, hart: &Hart, thread: Frame, frame: Frame, to: usize, is_call: bool) -> Answer<bool> {
        let t = self.thread(thread);
        let end = &self.memory.page::<Channel>(frame).ends[to];
        let tag = Tag(t.staged.tag.get());
        let deadline = t.context.get(reg::T[3]);
        if end.open.get() == 0 {
            return Err(Error::PeerClosed);
        }
        if tag.bytes() > end.max_bytes.get() as usize || tag.handles() > end.max_handles.get() as usize {
            return Err(Error::TooLarge);
        }
        if tag.handles() != 0 && end.flight.get() != 0 {
            return Err(Error::Busy);
        }
        if is_call {
            if self.is_past(deadline) {
                return Err(Error::WouldBlock);
            }
            t.next_token();
            t.sequence.set(end.sequence.get());
            end.sequence.add(1);
            end.callers.push_back(&self.memory, thread);
            end.add_waiting();
            end.handles_inside.add(tag.handles() as u32);
            self.block(hart, thread, state::CALLING, node_ref(frame, to), deadline);
        } else if end.queued.get() < end.depth.get() && end.senders.is_empty() {
            self.enqueue_message(thread, end);
            self.notify(hart, frame, to);
            return Ok(true);
        } else if self.is_past(deadline) {
            end.owes_writable.set(1);
            return Err(Error::WouldBlock);
        } else {
            end.senders.push_back(&self.memory, thread);
            self.block(hart, thread, state::SENDING, node_ref(frame, to), deadline);
        }
        self.notify(hart, frame, to);
        Ok(false)
    }

    /// Copies a staged message into the queue, which has room. The channel's lock is held.
    fn enqueue_message(&self, thread: Frame, end: &End) {
        let t = self.thread(thread);
        let tag = Tag(t.staged.tag.get());
        let entry = end.entry(end.queued.get());
        end.entry_tag(&self.memory, entry).set(tag.0);
        end.entry_identity(&self.memory, entry).set(self.table(t.owner()).identity.get());
        end.entry_sequence(&self.memory, entry).set(end.sequence.get());
        end.sequence.add(1);
        for (n, moving) in t.staged.moving().iter().enumerate() {
            let (meta, object) = end.entry_handle(&self.memory, entry, n);
            meta.set(moving.meta.take(0));
            object.set(moving.object.get());
        }
        if tag.bytes() <= REGISTER_BYTES {
            for n in 0..tag.bytes().div_ceil(8) {
                end.entry_word(&self.memory, entry, n).set(t.staged.words[n].get());
            }
        } else {
            let mut done = 0;
            for (to, at, run) in end.entry_runs(entry, tag.bytes()) {
                self.memory.copy((to, at), (Frame(t.buffer.get()), done), run);
                done += run;
            }
        }
        end.queued.add(1);
        end.add_waiting();
        end.handles_inside.add(tag.handles() as u32);
        self.release_entries(thread);
        t.staged.tag.set(0);
    }

    /// The queue of `ends[to]` has room again: whoever waits for it moves up, and the sending side is told. The
    /// channel's lock is held.
    pub(crate) fn refill_queue(&self, hart: &Hart, frame: Frame, to: usize) {
        let ends = &self.memory.page::<Channel>(frame).ends;
        let end = &ends[to];
        while end.queued.get() < end.depth.get() {
            let Some(sender) = end.senders.pop_front(&self.memory) else {
                break;
            };
            self.enqueue_message(sender, end);
            let t: &Thread = self.thread(sender);
            self.finish(t, 0, [0, 0]);
            self.wake(hart, sender);
        }
        if end.queued.get() < end.depth.get() && end.owes_writable.take(0) != 0 {
            let binding = &ends[1 - to].binding;
            binding.pending.set(binding.pending.get() | Signals::WRITABLE.bits());
            self.notify(hart, frame, 1 - to);
        }
    }
}
