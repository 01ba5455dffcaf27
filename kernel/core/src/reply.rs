//! Answering: a reply token stands for one open call on an endpoint that this process holds.
//!
//! A token is the caller's frame and call number, as data: it is believed only after the caller's own cells, read
//! under the lock of the channel it waits on, say the same. What must never happen: an answer that reaches a call it was
//! not for, or is lost while the server is told it arrived.

use crate::binding::{node_object, node_ref};
use crate::channel::Channel;
use crate::context::reg;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::latch::Kept;
use crate::memory::Frame;
use crate::platform::Platform;
use crate::sync::{Ordering, fence};
use crate::thread::{Thread, resume, state};
use crate::transfer::in_user_space;
use nexus_abi::bounds::{REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Error, Kind, Tag};

impl<P: Platform> Kernel<P> {
    /// Finds the caller behind a token and locks the channel it waits on.
    fn open_caller(&self, hart: &Hart, token: u64) -> Answer<(Frame, Frame, usize, Kept<'_>)> {
        let gone = Error::CallerGone;
        let caller = self.memory.frame_from_raw(token as u32).ok_or(gone)?;
        let header = self.memory.header(caller);
        let generation = header.latch.generation_acquire();
        let is_thread =
            || header.kind.get() == Kind::Thread as u32 && header.latch.generation_acquire() == generation;
        if !is_thread() {
            return Err(gone);
        }
        let t = self.thread(caller);
        let (what, place) = t.doing();
        let (frame, end) = node_object(place);
        // What was read is the thread's own if it is still there after.
        fence(Ordering::Acquire);
        if what != state::OPEN || !is_thread() {
            return Err(gone);
        }
        let held = self.memory.lock(frame);
        // Under the channel's lock an open call cannot end, if this is one.
        let is_meant = t.doing() == (state::OPEN, node_ref(frame, end)) && t.token.get() == token;
        fence(Ordering::Acquire);
        if !is_meant
            || !is_thread()
            || self.memory.page::<Channel>(frame).ends[end].holder.get() != hart.owner().0
        {
            return Err(gone);
        }
        Ok((caller, frame, end, held))
    }

    /// System call `channel_reply`, and the first half of `reply_and_wait`. On an error the call stays open.
    pub(crate) fn channel_reply(&self, hart: &Hart, thread: Frame) -> Answer<()> {
        let t = self.thread(thread);
        let token = t.context.get(reg::T[4]);
        let tag = Tag(t.context.get(reg::A0 + 1));
        let plain = tag.bytes() <= REGISTER_BYTES && tag.handles() == 0;
        if !plain || !tag.is_valid() {
            // Said before anything is read from the server's memory.
            let (_, frame, _, held) = self.open_caller(hart, token)?;
            drop(held);
            self.stage(hart, thread, frame)?;
        }
        let answered = self.answer(hart, thread, token, tag, plain);
        if answered.is_err() && !plain {
            self.return_handles(hart, thread);
        }
        self.follow_payer(hart);
        answered
    }

    fn answer(&self, hart: &Hart, thread: Frame, token: u64, tag: Tag, plain: bool) -> Answer<()> {
        let (caller, frame, at, _held) = self.open_caller(hart, token)?;
        let (t, c) = (self.thread(thread), self.thread(caller));
        let room = Tag(c.context.get(reg::A0 + 1));
        if (tag.bytes() > REGISTER_BYTES && tag.bytes() > room.room_bytes())
            || tag.handles() > room.room_handles()
        {
            return Err(Error::BufferTooSmall);
        }
        let end = &self.memory.page::<Channel>(frame).ends[at];
        end.answering.remove(c);
        let identity = self.table(hart.owner()).identity.get();
        if plain {
            self.finish(c, 0, [Tag::new(tag.bytes(), 0).0, 0]);
            for n in 0..REGISTER_WORDS {
                let word = if n * 8 < tag.bytes() { t.context.get(reg::A0 + 2 + n) } else { 0 };
                c.context.set(reg::A0 + 2 + n, word);
            }
            c.context.set(reg::T[2], identity);
        } else {
            self.hand_over(t, c);
            self.release_entries(thread);
            c.staged.tag.set(t.staged.tag.take(0));
            c.sequence.set(identity);
            c.resume.set(resume::ANSWER);
        }
        hart.slow.add(1);
        // The caller lent its budget for the time of the call, which is over.
        t.pay_oneself();
        self.wake(hart, caller);
        Ok(())
    }

    /// Moves a staged message from one thread's keeping to another's: the buffers change places, nothing is copied.
    fn hand_over(&self, from: &Thread, to: &Thread) {
        let buffer = from.buffer.get();
        from.buffer.set(to.buffer.get());
        to.buffer.set(buffer);
        for n in 0..REGISTER_WORDS {
            to.staged.words[n].set(from.staged.words[n].get());
        }
        for (to, from) in to.staged.handles.iter().zip(from.staged.moving()) {
            to.meta.set(from.meta.take(0));
            to.object.set(from.object.get());
            to.from.set(0);
        }
    }

    /// Completes the call of the current thread, whose answer lies in its own keeping.
    pub(crate) fn take_answer(&self, hart: &Hart, thread: Frame) {
        let t = self.thread(thread);
        let tag = Tag(t.staged.tag.get());
        let (bytes_to, handles_to) = (t.context.get(reg::T[1]), t.context.get(reg::T[2]));
        let error = match self.make_room(t.owner(), tag.handles()) {
            Err(error) => error,
            Ok(handles) => {
                let handles = &handles[..tag.handles()];
                let buffer = self.memory.bytes(Frame(t.buffer.get()), 0, tag.bytes());
                let fits = tag.bytes() <= REGISTER_BYTES
                    || (in_user_space(bytes_to, tag.bytes()) && self.platform.copy_to_user(bytes_to, buffer));
                if fits && self.tell_handles(handles_to, handles) {
                    hart.copied.add(if tag.bytes() > REGISTER_BYTES { tag.bytes() as u64 } else { 0 });
                    for (handle, moving) in handles.iter().zip(t.staged.moving()) {
                        if let Some(capability) = moving.capability() {
                            moving.meta.set(0);
                            self.land(t.owner(), *handle, capability);
                        }
                    }
                    self.finish(t, 0, [tag.0, 0]);
                    if tag.bytes() <= REGISTER_BYTES {
                        for n in 0..REGISTER_WORDS {
                            t.context.set(reg::A0 + 2 + n, t.staged.words[n].get());
                        }
                    }
                    t.context.set(reg::T[2], t.sequence.get());
                    t.staged.tag.set(0);
                    return;
                }
                self.give_room_back(t.owner(), handles);
                Error::BadAddress
            }
        };
        self.drop_staged(t);
        self.finish(t, error as u64, [0, 0]);
    }

    /// Closes the handles of an answer that cannot be taken over. No lock is held.
    pub(crate) fn drop_staged(&self, t: &Thread) {
        for moving in t.staged.moving() {
            let capability = moving.capability();
            moving.meta.set(0);
            if let Some(capability) = capability {
                self.drop_capability(capability);
            }
        }
        t.staged.tag.set(0);
    }
}
