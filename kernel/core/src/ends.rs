//! The beginning and the end of a channel: create, close, and taking threads off their lists.
//!
//! What must never happen: a thread that waits on an end nobody can answer from any more.

use crate::binding::{node_object, node_ref};
use crate::channel::{Channel, End, EndSpec};
use crate::handles::{Capability, ObjectRef};
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::objects::Port;
use crate::platform::Platform;
use crate::thread::{Thread, state};
use nexus_abi::bounds::MAX_MESSAGE_HANDLES;
use nexus_abi::{Error, Handle, Kind, Rights};

impl<P: Platform> Kernel<P> {
    /// System call `channel_create`.
    pub(crate) fn channel_create(
        &self,
        process: Frame,
        quota: Handle,
        specs: [u64; 2],
    ) -> Answer<[Handle; 2]> {
        let quota = self.table(process).lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        self.make_channel(process, quota, specs)
    }

    /// A channel, both of whose ends a process holds.
    pub(crate) fn make_channel(
        &self,
        process: Frame,
        quota: ObjectRef,
        specs: [u64; 2],
    ) -> Answer<[Handle; 2]> {
        let specs = [EndSpec::from_raw(specs[0]), EndSpec::from_raw(specs[1])];
        let [Some(first), Some(second)] = specs else {
            return Err(Error::Invalid);
        };
        let frame = self.create(quota, Kind::Channel, 1 + (first.pages() + second.pages()) as u32)?;
        let ends = &self.memory.page::<Channel>(frame).ends;
        for (at, (end, spec)) in ends.iter().zip([first, second]).enumerate() {
            end.init(spec, process, node_ref(frame, at), self.memory.header(frame));
            for n in 0..spec.pages() {
                // Charged above; a frame that is missing all the same is noticed before anyone has a handle.
                let Ok(page) = self.charged_frame() else {
                    self.free_channel(frame);
                    return Err(Error::QuotaExceeded);
                };
                end.pages[n].set(page.0);
                end.page_count.set(n as u32 + 1);
                self.breathe();
            }
        }
        let object = self.reference(frame);
        let handles = match self.make_room(process, 2) {
            Ok(handles) => [handles[0], handles[1]],
            Err(error) => {
                self.retire_live(object);
                self.free_channel(frame);
                return Err(error);
            }
        };
        self.born(frame);
        for (end, handle) in handles.iter().enumerate() {
            let rights = Kind::Channel.all_rights();
            self.table(process).fill(
                &self.memory,
                *handle,
                Capability { object, kind: Kind::Channel, end: end as u8, rights },
            );
        }
        Ok(handles)
    }

    fn free_channel(&self, frame: Frame) {
        for end in &self.memory.page::<Channel>(frame).ends {
            for (n, page) in end.pages[..end.page_count.get() as usize].iter().enumerate() {
                self.memory.free(Frame(page.get()));
                self.breathe_at(n as u32);
            }
        }
        self.discharge(frame);
        self.memory.free(frame);
    }

    /// Closes one end. Whoever waits on the channel learns of it; the other end can still take in what was
    /// queued there. No lock is held.
    pub(crate) fn close_end(&self, object: ObjectRef, at: usize) {
        let hart = self.this_hart();
        let frame = object.frame;
        let ends = &self.memory.page::<Channel>(frame).ends;
        {
            let Ok(_held) = self.hold(object) else { return };
            if ends[at].open.take(0) == 0 {
                return;
            }
            ends[at].holder.set(0);
            self.memory.header(frame).latch.raise_tenure();
            self.unbind(frame, at, &ends[at].binding);
        }
        while let Some(thread) = self.take_waiting(object) {
            self.fail(hart, thread, Error::PeerClosed);
            self.breathe();
        }
        self.drain(object, at);
        let Ok(held) = self.hold(object) else { return };
        self.notify(hart, frame, 1 - at);
        ends[at].drained.set(1);
        if ends[1 - at].drained.get() != 0 {
            self.retire(frame);
            drop(held);
            self.free_channel(frame);
        }
    }

    /// Drops what is queued at a closed end.
    fn drain(&self, object: ObjectRef, at: usize) {
        loop {
            let mut dropped = [None; MAX_MESSAGE_HANDLES];
            {
                let Ok(_held) = self.hold(object) else { return };
                let end = &self.memory.page::<Channel>(object.frame).ends[at];
                if end.queued.get() == 0 {
                    return;
                }
                self.take_queued(end, &mut dropped);
            }
            dropped.into_iter().flatten().for_each(|c| self.drop_capability(c));
            self.breathe();
        }
    }

    /// Takes one thread off the channel's lists, whichever end it waits on.
    fn take_waiting(&self, object: ObjectRef) -> Option<Frame> {
        let _held = self.hold(object).ok()?;
        for end in &self.memory.page::<Channel>(object.frame).ends {
            let open = end.answering.top().map_or(Frame::NONE, Thread::frame);
            for (head, what) in [
                (end.callers.head(), state::CALLING),
                (open, state::OPEN),
                (end.senders.head(), state::SENDING),
            ] {
                if head.exists() {
                    self.take_off(end, what, head);
                    return Some(head);
                }
            }
        }
        None
    }

    fn take_off(&self, end: &End, what: u32, thread: Frame) {
        let t = self.thread(thread);
        match what {
            state::CALLING => {
                end.callers.remove(&self.memory, thread);
                end.sub_waiting();
                end.handles_inside.sub(t.staged.moving().len() as u32);
            }
            state::OPEN => end.answering.remove(t),
            _ => end.senders.remove(&self.memory, thread),
        }
        t.set_doing(state::LIMBO, 0);
    }

    /// Takes a blocked thread off whatever it waits on; false if it does not wait any more. The caller then owns it. The
    /// thread is not freed meanwhile.
    pub(crate) fn detach(&self, thread: Frame) -> bool {
        self.detach_if(thread, |_| true)
    }

    /// The same, if `meant` says so of the wait that it is in, under the lock of what it waits on: it may have begun another
    /// one meanwhile.
    pub(crate) fn detach_if(&self, thread: Frame, meant: impl Fn(&Thread) -> bool) -> bool {
        let t = self.thread(thread);
        loop {
            let (what, place) = t.doing();
            let (frame, at) = match what {
                state::PORT => (Frame(place), 0),
                state::CALLING | state::OPEN | state::SENDING => node_object(place),
                state::LIMBO => {
                    crate::sync::pause();
                    continue;
                }
                _ => return false,
            };
            let _held = self.memory.lock(frame);
            if t.doing() != (what, place) {
                continue;
            }
            if !meant(t) {
                return false;
            }
            if what == state::PORT {
                self.memory.page::<Port>(frame).waiters.remove(t);
                t.pay_oneself();
                t.set_doing(state::LIMBO, 0);
            } else {
                self.take_off(&self.memory.page::<Channel>(frame).ends[at], what, thread);
            }
            return true;
        }
    }

    /// Takes a ready thread out of its queue; false if it is not ready any more.
    pub(crate) fn detach_ready(&self, thread: Frame) -> bool {
        let t = self.thread(thread);
        let (what, place) = t.doing();
        if what != state::READY {
            return false;
        }
        let hart = self.harts[(place & 0xff) as usize];
        let _held = hart.queue_lock.hold();
        if t.doing() != (what, place) {
            return false;
        }
        self.dequeue(hart, thread, place >> 8);
        t.set_doing(state::LIMBO, 0);
        true
    }
}
