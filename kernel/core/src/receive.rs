//! Receiving: the head of an end's FIFO goes to the current thread, whole or not at all.
//!
//! The receiver's address space is loaded, so bytes go straight from the queue or the caller's buffer to
//! the receiver. What must never happen: a message that left the FIFO and did not arrive whole.

use crate::channel::{Channel, End};
use crate::context::reg;
use crate::handles::Capability;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::platform::Platform;
use crate::transfer::in_user_space;
use nexus_abi::bounds::{MAX_MESSAGE_HANDLES, REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Error, Kind, Rights, Tag};

/// Why a message call came back empty-handed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// The error.
    pub error: Error,
    /// Sizes of the message that did not fit, with `BufferTooSmall`.
    pub tag: u64,
    /// Key of the binding it waits at.
    pub key: u64,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal { error, tag: 0, key: 0 }
    }
}

/// The head of a FIFO.
#[derive(Clone, Copy)]
enum Head {
    Queued,
    Call(Frame),
}

impl<P: Platform> Kernel<P> {
    fn head(&self, end: &End) -> Option<Head> {
        let caller = end.callers.head();
        if end.queued.get() == 0 {
            return caller.exists().then_some(Head::Call(caller));
        }
        let first = end.entry_sequence(&self.memory, end.entry(0)).get();
        match caller.exists() && self.thread(caller).sequence.get() < first {
            true => Some(Head::Call(caller)),
            false => Some(Head::Queued),
        }
    }

    /// Ends a message call with an error.
    pub(crate) fn refuse(&self, thread: Frame, refusal: Refusal) {
        let t = self.thread(thread);
        self.finish(t, refusal.error as u64, [refusal.tag, 0]);
        t.context.set(reg::T[1], refusal.key);
    }

    /// System call `channel_recv`.
    pub(crate) fn channel_recv(&self, hart: &Hart, thread: Frame) -> Result<(), Refusal> {
        let t = self.thread(thread);
        let (handle, tag) = (t.context.get(reg::A0), Tag(t.context.get(reg::A0 + 1)));
        let capability =
            self.table(hart.owner()).lookup_as(&self.memory, handle, Kind::Channel, Rights::RECEIVE)?;
        if !tag.is_valid() {
            return Err(Error::Invalid.into());
        }
        let (frame, end) = (capability.object.frame, capability.end as usize);
        if tag.discards() {
            return self.discard(hart, handle, capability).map_err(Refusal::from).inspect(|()| {
                self.finish(t, 0, [0, 0]);
            });
        }
        {
            let _held = self.hold(capability.object)?;
            self.confirm(hart, handle, capability)?;
            self.receive(hart, thread, frame, end, tag, 0)?;
        }
        self.follow_payer(hart);
        Ok(())
    }

    /// Delivers the head of the FIFO to the current thread and completes its call. The channel's lock is held.
    pub(crate) fn receive(
        &self,
        hart: &Hart,
        thread: Frame,
        frame: Frame,
        at: usize,
        room: Tag,
        key: u64,
    ) -> Result<(), Refusal> {
        let ends = &self.memory.page::<Channel>(frame).ends;
        let end = &ends[at];
        let Some(head) = self.head(end) else {
            let closed = ends[1 - at].open.get() == 0;
            return Err(if closed { Error::PeerClosed } else { Error::WouldBlock }.into());
        };
        let t = self.thread(thread);
        let entry = end.entry(0);
        let tag = Tag(match head {
            Head::Queued => end.entry_tag(&self.memory, entry).get(),
            Head::Call(caller) => self.thread(caller).staged.tag.get(),
        });
        if (tag.bytes() > REGISTER_BYTES && tag.bytes() > room.room_bytes())
            || tag.handles() > room.room_handles()
        {
            return Err(Refusal { error: Error::BufferTooSmall, tag: tag.0, key });
        }
        let owner = t.owner();
        let handles = self.make_room(owner, tag.handles())?;
        let handles = &handles[..tag.handles()];
        let told = self.copy_out(hart, thread, end, head, tag)
            && self.tell_handles(t.context.get(reg::T[2]), handles);
        if !told {
            self.give_room_back(owner, handles);
            return Err(Error::BadAddress.into());
        }

        // Nothing can fail from here on.
        let mut words = [0; REGISTER_WORDS];
        if tag.bytes() <= REGISTER_BYTES {
            for (n, word) in words.iter_mut().enumerate().take(tag.bytes().div_ceil(8)) {
                *word = match head {
                    Head::Queued => end.entry_word(&self.memory, entry, n).get(),
                    Head::Call(caller) => self.thread(caller).staged.words[n].get(),
                };
            }
        }
        for (n, handle) in handles.iter().enumerate() {
            let capability = match head {
                Head::Queued => {
                    let (meta, object) = end.entry_handle(&self.memory, entry, n);
                    Capability::from_words(meta.get(), object.get())
                }
                Head::Call(caller) => {
                    let moving = &self.thread(caller).staged.handles[n];
                    let capability = moving.capability();
                    moving.meta.set(0);
                    capability
                }
            };
            if let Some(capability) = capability {
                self.land(owner, *handle, capability);
            }
        }
        let mut out = Tag::new(tag.bytes(), tag.handles());
        let (identity, token) = match head {
            Head::Queued => (end.entry_identity(&self.memory, entry).get(), 0),
            Head::Call(caller) => {
                let c = self.thread(caller);
                let declared = Tag(c.context.get(reg::A0 + 1));
                out = out.with_room(declared.room_bytes(), declared.room_handles());
                t.payer.set(c.payer.get());
                if end.holder.get() == owner.0 {
                    t.serving.note(self.memory.header(frame), end);
                }
                (self.table(c.owner()).identity.get(), self.open_call(frame, at, caller))
            }
        };
        self.finish(t, 0, [out.0, 0]);
        for (n, word) in words.iter().enumerate() {
            t.context.set(reg::A0 + 2 + n, *word);
        }
        t.context.set(reg::T[1], key);
        t.context.set(reg::T[2], identity);
        t.context.set(reg::T[3], token);
        hart.slow.add(1);
        end.handles_inside.sub(tag.handles() as u32);
        if let Head::Queued = head {
            end.advance();
            self.refill_queue(hart, frame, at);
        }
        Ok(())
    }

    /// Copies a message of more than 48 bytes to the current thread's byte buffer.
    fn copy_out(&self, hart: &Hart, thread: Frame, end: &End, head: Head, tag: Tag) -> bool {
        let bytes = tag.bytes();
        if bytes <= REGISTER_BYTES {
            return true;
        }
        let mut to = self.thread(thread).context.get(reg::T[1]);
        if !in_user_space(to, bytes) {
            return false;
        }
        hart.copied.add(bytes as u64);
        match head {
            Head::Call(caller) => {
                let buffer = Frame(self.thread(caller).buffer.get());
                self.platform.copy_to_user(to, self.memory.bytes(buffer, 0, bytes))
            }
            Head::Queued => end.entry_runs(end.entry(0), bytes).all(|(frame, at, run)| {
                let ok = self.platform.copy_to_user(to, self.memory.bytes(frame, at, run));
                to += run as u64;
                ok
            }),
        }
    }

    /// Makes the waiting call of `caller` open and answers its token. The channel's lock is held.
    pub(crate) fn open_call(&self, frame: Frame, at: usize, caller: Frame) -> u64 {
        let end = &self.memory.page::<Channel>(frame).ends[at];
        let c = self.thread(caller);
        end.callers.remove(&self.memory, caller);
        end.sub_waiting();
        self.release_entries(caller);
        c.staged.tag.set(0);
        end.answering.push(c);
        c.state.set(end.open_state.get());
        c.token.get()
    }

    /// Drops the head of an end's FIFO: its handles are closed, a call is answered with an empty message.
    fn discard(&self, hart: &Hart, handle: u64, capability: Capability) -> Answer<()> {
        let frame = capability.object.frame;
        let mut dropped = [None; MAX_MESSAGE_HANDLES];
        {
            let _held = self.hold(capability.object)?;
            self.confirm(hart, handle, capability)?;
            let at = capability.end as usize;
            let ends = &self.memory.page::<Channel>(frame).ends;
            let end = &ends[at];
            match self.head(end) {
                None if ends[1 - at].open.get() == 0 => return Err(Error::PeerClosed),
                None => return Err(Error::WouldBlock),
                Some(Head::Queued) => {
                    self.take_queued(end, &mut dropped);
                    self.refill_queue(hart, frame, at);
                }
                Some(Head::Call(caller)) => {
                    let c = self.thread(caller);
                    end.callers.remove(&self.memory, caller);
                    end.sub_waiting();
                    end.handles_inside.sub(c.staged.moving().len() as u32);
                    for (slot, moving) in dropped.iter_mut().zip(c.staged.moving()) {
                        *slot = moving.capability();
                        moving.meta.set(0);
                    }
                    self.release_entries(caller);
                    c.staged.tag.set(0);
                    self.finish(c, 0, [0, 0]);
                    self.wake(hart, caller);
                }
            }
        }
        dropped.into_iter().flatten().for_each(|c| self.drop_capability(c));
        Ok(())
    }

    /// Takes the first queued message off, its handles into `dropped`. The channel's lock is held.
    pub(crate) fn take_queued(&self, end: &End, dropped: &mut [Option<Capability>; MAX_MESSAGE_HANDLES]) {
        let entry = end.entry(0);
        let count = Tag(end.entry_tag(&self.memory, entry).get()).handles();
        for (n, slot) in dropped.iter_mut().enumerate().take(count) {
            let (meta, object) = end.entry_handle(&self.memory, entry, n);
            *slot = Capability::from_words(meta.get(), object.get());
        }
        end.handles_inside.sub(count as u32);
        end.advance();
    }
}
