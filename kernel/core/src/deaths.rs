//! Processes end: told to, or by a fault.
//!
//! A process that is told to end is first emptied of threads, on whichever harts they are, and then taken apart
//! (`reaping.rs`). Whoever supervises it is told twice: ENDING comes first, before anything of it is touched; TERMINATED last, when everything
//! has been given back. What must never happen: a thread of a dying process that nobody ends. Lock order: `dying_lock`, process, everything else.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::paging;
use crate::platform::Platform;
use crate::process::life;
use crate::thread::{Thread, state};
use nexus_abi::{ExitCause, Handle, Kind, Rights, Signals};

/// Threads that one step of a kill ends. Tests have small worlds, and steps to match.
const THREADS_PER_STEP: u32 = if cfg!(test) { 1 } else { 4 };

impl<P: Platform> Kernel<P> {
    /// System call `process_kill`.
    pub(crate) fn process_kill(&self, hart: &Hart, process: Handle) -> Answer<()> {
        let object =
            self.table(hart.owner()).lookup_as(&self.memory, process, Kind::Process, Rights::MANAGE)?.object;
        self.kill(hart, object, ExitCause::Killed, [0; 3], None);
        Ok(())
    }

    /// Tells a process to end. The first cause counts. No lock is held.
    pub(crate) fn kill(
        &self,
        hart: &Hart,
        object: ObjectRef,
        cause: ExitCause,
        about: [u64; 3],
        registers: Option<&Thread>,
    ) {
        {
            let _dying = self.dying_lock.hold();
            let Ok(_held) = self.hold_next(object) else { return };
            let p = self.table(object.frame);
            if p.life.get() != life::ALIVE {
                return;
            }
            self.tell_ending(hart, object.frame, cause, about, registers);
            if p.live_threads.get() == 0 {
                return self.start_reaping(hart, object.frame);
            }
            // That of most processes that fault or exit: it ends when this hart leaves the kernel, or the one that takes it over.
            if p.live_threads.get() == 1 && hart.owner() == object.frame {
                return hart.resched.set(1);
            }
            p.collecting.set(1);
            p.reap_next.set(self.dying.get());
            self.dying.set(object.frame.0);
        }
        while self.collect_step(hart, object) {
            self.breathe();
        }
    }

    /// One step of a kill. Whether there is more to do: not if the last threads have ended elsewhere meanwhile.
    fn collect_step(&self, hart: &Hart, object: ObjectRef) -> bool {
        let _dying = self.dying_lock.hold();
        let Ok(_held) = self.hold_next(object) else { return false };
        self.table(object.frame).life.get() == life::DYING
            && !self.collect(hart, object.frame, THREADS_PER_STEP)
    }

    /// A process without threads that nobody has a handle to is of no use to anybody, and nobody could end it: it ends now.
    /// No lock is held.
    pub(crate) fn end_unused(&self, object: ObjectRef) {
        let unused = {
            let Ok(_held) = self.hold(object) else { return };
            // Being alive is the one reason to keep it that is left; nobody can find it to give it another.
            self.memory.header(object.frame).refs.get() == 1
                && self.table(object.frame).live_threads.get() == 0
                && self.table(object.frame).life.get() == life::ALIVE
        };
        if unused {
            self.kill(self.this_hart(), object, ExitCause::Killed, [0; 3], None);
        }
    }

    /// From now on the process is dying, has its exit record, and its supervisor is told. Its lock is held.
    pub(crate) fn tell_ending(
        &self,
        hart: &Hart,
        process: Frame,
        cause: ExitCause,
        about: [u64; 3],
        registers: Option<&Thread>,
    ) {
        let p = self.table(process);
        p.life.set(life::DYING);
        self.set_record(process, cause, about, registers);
        p.binding.pending.set(p.binding.pending.get() | Signals::ENDING.bits());
        self.notify(hart, process, 0);
    }

    /// Writes the exit record: code, pc and address in `about`.
    fn set_record(&self, process: Frame, cause: ExitCause, about: [u64; 3], registers: Option<&Thread>) {
        let p = self.table(process);
        let identity = p.identity.get();
        p.record[0].set(cause as u64 | identity << 32);
        p.record[1].set(identity >> 32);
        for (n, word) in about.into_iter().enumerate() {
            p.record[2 + n].set(word);
        }
        if let Some(t) = registers {
            for n in 1..32 {
                p.record[4 + n].set(t.context.get(n));
            }
        }
    }

    /// Takes `most` threads of a dying process off whatever they do. Those that run on other harts are left to these, which are called once no
    /// others are left: then it answers true. `dying_lock` and the process's lock are held.
    fn collect(&self, hart: &Hart, process: Frame, most: u32) -> bool {
        let p = self.table(process);
        let mut next = Frame(p.threads.get());
        let (mut ended, mut running) = (0, 0_u32);
        // Few run at a time, so a step that begins with the first thread again comes soon to one that does not.
        while next.exists() {
            let thread = next;
            let t = self.thread(thread);
            next = Frame(t.family_next.get());
            loop {
                let (what, place) = t.doing();
                if what == state::RUNNING {
                    running |= 1 << place;
                    break;
                }
                if ended == most {
                    return false;
                }
                if what == state::NEW || self.detach(thread) || self.detach_ready(thread) {
                    self.bury_thread(hart, thread);
                    ended += 1;
                    break;
                }
            }
        }
        p.collecting.set(0);
        let places = (0..).take_while(|place| running >> place != 0);
        for place in places.filter(|place| running >> place & 1 != 0) {
            match place == hart.id.get() {
                true => hart.resched.set(1),
                false => self.platform.kick(place),
            }
        }
        true
    }

    /// The inter-processor interrupt: a thread of a dying process may have been running here, or there is work.
    pub fn kicked(&self, hart: &Hart) {
        self.awake(hart);
        hart.resched.set(1);
        let _dying = self.dying_lock.hold();
        let mut next = Frame(self.dying.get());
        while next.exists() {
            let _held = self.memory.lock(next);
            // Whoever is at it comes to each thread again, wherever it is by then. Else only those are left that ran when they were come to.
            if self.table(next).collecting.get() == 0 {
                self.collect(hart, next, u32::MAX);
            }
            next = Frame(self.table(next).reap_next.get());
        }
    }

    /// Takes a process off the list of dying ones; `dying_lock` is held.
    pub(crate) fn forget_dying(&self, process: Frame) {
        let after = self.table(process).reap_next.get();
        let mut link = &self.dying;
        while link.get() != 0 {
            if link.get() == process.0 {
                link.set(after);
                return;
            }
            link = &self.table(Frame(link.get())).reap_next;
        }
    }

    /// Ends the process of the current thread because of what the thread did.
    pub fn fault(&self, hart: &Hart, scause: u64, stval: u64) {
        let (thread, process) = (hart.running(), hart.owner());
        let t = self.thread(thread);
        if paging::is_spurious(&self.memory, Frame(self.table(process).root.get()), stval, scause) {
            let asid = self.table(process).asid.get() as u16;
            self.platform.fence(1 << hart.id.get(), asid, stval, 1);
            return;
        }
        self.record_fault(hart, scause, stval);
        let about = [scause, t.context.get(crate::context::reg::PC), stval];
        self.kill(hart, self.reference(process), ExitCause::Faulted, about, Some(t));
    }
}
