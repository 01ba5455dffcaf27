//! Threads: create, start, end.
//!
//! What must never happen: a thread that runs in a process that gave its memory back.

use crate::context::reg;
use crate::handles::{Capability, ObjectRef};
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::platform::Platform;
use crate::process::life;
use crate::thread::{resume, state};
use crate::transfer::in_user_space;
use nexus_abi::bounds::MAX_PRIORITY;
use nexus_abi::{Error, ExitCause, Handle, Kind, Rights};

/// Pages of a thread: itself and its message buffer.
const THREAD_PAGES: u32 = 2;

impl<P: Platform> Kernel<P> {
    /// System call `thread_create`.
    pub(crate) fn thread_create(
        &self,
        hart: &Hart,
        process: Handle,
        quota: Handle,
        priority: u64,
    ) -> Answer<Handle> {
        let table = self.table(hart.owner());
        let target = table.lookup_as(&self.memory, process, Kind::Process, Rights::MANAGE)?.object;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        if priority > MAX_PRIORITY {
            return Err(Error::Invalid);
        }
        if priority > self.table(target.frame).max_priority.get() as u64 {
            return Err(Error::AccessDenied);
        }
        let frame = self.make_thread(target, quota, priority as u32)?;
        let capability = Capability {
            object: self.reference(frame),
            kind: Kind::Thread,
            end: 0,
            rights: Kind::Thread.all_rights(),
        };
        let joined = table.reserve(&self.memory).and_then(|handle| match self.join(target, frame) {
            Ok(()) => Ok(handle),
            Err(error) => {
                table.release(&self.memory, handle);
                Err(error)
            }
        });
        match joined {
            Ok(handle) => {
                table.fill(&self.memory, handle, capability);
                Ok(handle)
            }
            Err(error) => {
                self.unmake_thread(frame);
                Err(error)
            }
        }
    }

    /// A thread that is not yet one of its process's.
    pub(crate) fn make_thread(&self, process: ObjectRef, quota: ObjectRef, priority: u32) -> Answer<Frame> {
        let frame = self.create(quota, Kind::Thread, THREAD_PAGES)?;
        let t = self.thread(frame);
        t.token.set(frame.0 as u64);
        t.know_nothing(self.memory.header(frame));
        match self.charged_frame() {
            Ok(buffer) => t.buffer.set(buffer.0),
            Err(error) => {
                self.unmake_thread(frame);
                return Err(error);
            }
        }
        t.priority.set(priority);
        t.process.set(process.frame.0);
        t.payer.set(process.to_raw());
        t.home.set(process.to_raw());
        let owner = self.table(process.frame);
        t.satp.set(owner.satp.get());
        t.identity.set(owner.identity.get());
        t.rank.set(if owner.asid.get() == 0 { 0 } else { priority + 1 });
        Ok(frame)
    }

    fn unmake_thread(&self, frame: Frame) {
        self.retire_live(self.reference(frame));
        let buffer = Frame(self.thread(frame).buffer.get());
        if buffer.exists() {
            self.memory.free(buffer);
        }
        self.discharge(frame);
        self.memory.free(frame);
    }

    /// Makes a thread one of its process's.
    pub(crate) fn join(&self, process: ObjectRef, thread: Frame) -> Answer<()> {
        let _held = self.hold(process)?;
        let (owner, t) = (self.table(process.frame), self.thread(thread));
        if owner.life.get() != life::ALIVE {
            return Err(Error::BadState);
        }
        let first = owner.threads.get();
        t.family_next.set(first);
        if first != 0 {
            self.thread(Frame(first)).family_prev.set(thread.0);
        }
        owner.threads.set(thread.0);
        owner.live_threads.add(1);
        owner.reap_priority.set(owner.reap_priority.get().max(t.priority.get()));
        self.born(thread);
        Ok(())
    }

    /// System call `thread_start`.
    pub(crate) fn thread_start(
        &self,
        hart: &Hart,
        thread: Handle,
        start: [u64; 3],
        gift: Handle,
    ) -> Answer<()> {
        let table = self.table(hart.owner());
        let object = table.lookup_as(&self.memory, thread, Kind::Thread, Rights::MANAGE)?.object;
        let [entry, stack, _] = start;
        if !in_user_space(entry, 4) || entry & 1 != 0 || stack & 15 != 0 {
            return Err(Error::Invalid);
        }
        let home = {
            let _held = self.hold(object)?;
            ObjectRef::from_raw(self.thread(object.frame).home.get())
        };
        // The process's lock keeps it and its table alive, and whoever would end the thread away from it.
        let _held = self.hold(home).map_err(|_| Error::BadState)?;
        let (t, owner) = (self.thread(object.frame), self.table(home.frame));
        let is_new = self.memory.header(object.frame).latch.generation() == object.generation
            && owner.life.get() == life::ALIVE
            && t.doing().0 == state::NEW;
        if !is_new {
            return Err(Error::BadState);
        }
        let mut name = Handle::NONE;
        if gift != Handle::NONE {
            name = owner.reserve(&self.memory)?;
            match self.moor(hart, gift, Frame::NONE) {
                Ok(capability) => self.land(home.frame, name, capability),
                Err(error) => {
                    owner.release(&self.memory, name);
                    return Err(error);
                }
            }
            table.release(&self.memory, gift);
        }
        t.set_doing(state::LIMBO, 0);
        self.begin(hart, object.frame, start, name);
        Ok(())
    }

    /// Lets a fresh thread run: entry, stack and argument in `start`, a handle in its second argument register.
    pub(crate) fn begin(&self, hart: &Hart, thread: Frame, start: [u64; 3], handle: Handle) {
        let t = self.thread(thread);
        t.context.set(reg::PC, start[0]);
        t.context.set(reg::SP, start[1]);
        t.context.set(reg::A0, start[2]);
        t.context.set(reg::A0 + 1, handle.0 as u64);
        self.wake(hart, thread);
    }

    /// System call `thread_exit`.
    pub(crate) fn thread_exit(&self, hart: &Hart, code: u64, whole_process: u64) {
        let process = hart.owner();
        let last = self.table(process).live_threads.get() == 1;
        if whole_process != 0 || last {
            let pc = self.thread(hart.running()).context.get(reg::PC);
            self.kill(hart, self.reference(process), ExitCause::Exited, [code, pc, 0], None);
        } else {
            self.end_current(hart);
        }
    }

    /// Ends the current thread of a hart.
    pub(crate) fn end_current(&self, hart: &Hart) {
        let (thread, process) = (hart.running(), hart.owner());
        self.leave(hart);
        let _held = self.memory.lock(process);
        self.bury_thread(hart, thread);
    }

    /// Puts a thread that is on no list into this hart's graves: no handle to it answers any more, and it is freed by
    /// [`Self::clear_graves`]. The process's lock is held.
    pub(crate) fn bury_thread(&self, hart: &Hart, thread: Frame) {
        let t = self.thread(thread);
        let owner = self.table(t.owner());
        match t.family_prev.get() {
            0 => owner.threads.set(t.family_next.get()),
            prev => self.thread(Frame(prev)).family_next.set(t.family_next.get()),
        }
        if t.family_next.get() != 0 {
            self.thread(Frame(t.family_next.get())).family_prev.set(t.family_prev.get());
        }
        t.set_doing(state::DEAD, 0);
        self.retire_live(self.reference(thread));
        t.next.set(hart.graves.get());
        hart.graves.set(thread.0);
        hart.resched.set(1);
    }

    /// Frees the threads that ended on this hart, with what they carried; the last one of a process hands it over to
    /// be taken apart. No lock is held.
    #[inline(always)]
    pub(crate) fn clear_graves(&self, hart: &Hart) {
        if hart.graves.get() != 0 {
            self.free_graves(hart);
        }
    }

    #[inline(never)]
    fn free_graves(&self, hart: &Hart) {
        while let grave @ 1.. = hart.graves.get() {
            let thread = Frame(grave);
            let t = self.thread(thread);
            let process = t.owner();
            hart.graves.set(t.next.get());
            self.disarm(thread);
            if t.resume.get() == resume::WAIT {
                self.pass_on(hart, ObjectRef::from_raw(t.port.get()));
            }
            self.release_entries(thread);
            self.drop_staged(t);
            self.memory.free(Frame(t.buffer.get()));
            self.discharge(thread);
            self.memory.free(thread);
            self.count_out(hart, process);
            self.breathe();
        }
    }

    /// A process has one thread less.
    fn count_out(&self, hart: &Hart, process: Frame) {
        let _dying = self.dying_lock.hold();
        let _held = self.memory.lock(process);
        let owner = self.table(process);
        owner.live_threads.sub(1);
        if owner.live_threads.get() == 0 {
            // The last thread of a process that was not told to end takes it along.
            if owner.life.get() == life::ALIVE {
                self.tell_ending(hart, process, ExitCause::Exited, [0; 3], None);
            } else {
                self.forget_dying(process);
            }
            self.start_reaping(hart, process);
        }
    }
}
