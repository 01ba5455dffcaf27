//! Processes: create, kill, take apart.
//!
//! A process that is told to end is first emptied of threads, on whichever harts they are, and then taken apart in
//! bounded steps by the hart its last thread left from, at that thread's priority. Whoever supervises it is told twice: ENDING comes
//! first, before anything of it is touched; TERMINATED last, when everything has been given back. Lock order: `dying_lock`, process, everything else.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::paging;
use crate::platform::Platform;
use crate::process::{Process, life};
use crate::thread::{Thread, state};
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HANDLES, MAX_MAPPINGS, MAX_PRIORITY};
use nexus_abi::{Error, ExitCause, Handle, Identity, Kind, Rights, Signals};

/// Entries of a handle table that one step closes.
const HANDLES_PER_STEP: u32 = 16;

/// Threads that one step of a kill ends. Tests have small worlds, and steps to match.
const THREADS_PER_STEP: u32 = if cfg!(test) { 1 } else { 4 };

impl<P: Platform> Kernel<P> {
    /// System call `process_create`.
    pub(crate) fn process_create(&self, hart: &Hart, args: [u64; 5]) -> Answer<Handle> {
        let table = self.table(hart.owner());
        let [quota, identity, handles, max_priority, cpu] = args;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let bearer = table.lookup_as(&self.memory, identity, Kind::Identity, Rights::USE)?.object;
        if handles == 0 || handles > MAX_HANDLES as u64 || max_priority > MAX_PRIORITY || cpu > 1000 {
            return Err(Error::Invalid);
        }
        if max_priority > table.max_priority.get() as u64 {
            return Err(Error::AccessDenied);
        }
        let service = {
            let _held = self.hold(bearer)?;
            self.memory.page::<crate::objects::Identity>(bearer.frame).service.get()
        };
        self.make_process(hart.owner(), quota, service, handles as u32, max_priority as u32, cpu as u32)
    }

    /// A process with no threads, and `holder`'s handle to it.
    pub(crate) fn make_process(
        &self,
        holder: Frame,
        quota: ObjectRef,
        service: u32,
        handles: u32,
        max_priority: u32,
        cpu: u32,
    ) -> Answer<Handle> {
        // A process lives until it ends, also when nobody has a handle to it: so the room for one comes first.
        let place = match holder.exists() {
            true => self.table(holder).reserve(&self.memory)?,
            false => Handle::NONE,
        };
        let made = self.take_cpu(quota, cpu).and_then(|()| {
            self.new_process(quota, service, handles, max_priority, cpu).inspect_err(|_| {
                if let Ok(_held) = self.hold(quota) {
                    self.memory.page::<crate::objects::Quota>(quota.frame).cpu_used.sub(cpu);
                }
            })
        });
        let frame = match made {
            Ok(frame) => frame,
            Err(error) => {
                if holder.exists() {
                    self.give_room_back(holder, &[place]);
                }
                return Err(error);
            }
        };
        if !holder.exists() {
            return self.publish(frame, frame, Kind::Process.all_rights());
        }
        self.table(holder).fill(
            &self.memory,
            place,
            self.first_capability(frame, Kind::Process.all_rights())?,
        );
        Ok(place)
    }

    fn new_process(
        &self,
        quota: ObjectRef,
        service: u32,
        handles: u32,
        max_priority: u32,
        cpu: u32,
    ) -> Answer<Frame> {
        let pages = handles.div_ceil(HANDLES_PER_PAGE as u32);
        let frame = self.create(quota, Kind::Process, 2 + pages)?;
        let p = self.table(frame);
        let give_up = |error| {
            self.retire_live(self.reference(frame));
            self.free_tables(p);
            self.discharge(frame);
            self.memory.free(frame);
            error
        };
        p.root.set(self.charged_frame().map_err(give_up)?.0);
        for n in 0..pages as usize {
            p.handle_pages[n].set(self.charged_frame().map_err(give_up)?.0);
            self.breathe();
        }
        paging::init_root(&self.memory, Frame(p.root.get()), self.kernel_root);
        p.handle_capacity.set(handles);
        // From the last page down, each page's entries before those that are chained already.
        for page in (0..pages).rev() {
            p.chain_handles(&self.memory, page);
            self.breathe();
        }
        let asid = self.asids.take();
        p.asid.set(asid);
        p.satp.set(self.platform.satp(self.memory.address(Frame(p.root.get())), asid));
        let generation = self.generations.atomic().fetch_add(1, crate::sync::Ordering::Relaxed);
        p.identity.set(Identity { service, generation }.to_raw());
        p.max_priority.set(max_priority);
        p.cpu.set(cpu);
        p.budget_start.set(self.platform.now());
        if cpu == 0 {
            p.exhausted_until.set(nexus_abi::NEVER);
        }
        // Alive is a reason to keep it.
        self.memory.header(frame).refs.add(1);
        Ok(frame)
    }

    /// Frees the root and the handle table.
    fn free_tables(&self, p: &Process) {
        for page in core::iter::once(&p.root).chain(&p.handle_pages) {
            let frame = Frame(page.take(0));
            if frame.exists() {
                self.memory.free(frame);
            }
        }
    }

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

    /// Gives a process without threads to this hart to take apart.
    pub(crate) fn start_reaping(&self, hart: &Hart, process: Frame) {
        let p = self.table(process);
        p.reap_at.set(0);
        p.reap_next.set(hart.reap.get());
        hart.reap.set(process.0);
        hart.resched.set(1);
    }

    /// One bounded step of taking the hart's first dead process apart.
    pub(crate) fn reap_step(&self, hart: &Hart, process: Frame) {
        let p = self.table(process);
        let at = p.reap_at.get();
        if at < p.handle_capacity.get() {
            p.reap_at.set(at + HANDLES_PER_STEP);
            for index in at..at + HANDLES_PER_STEP {
                if let Some(capability) = p.take_at(&self.memory, index) {
                    p.handle_count.sub(1);
                    self.drop_capability(capability);
                    self.breathe();
                }
            }
            return;
        }
        if let Some(mapping) = (0..MAX_MAPPINGS).find(|n| p.mappings[*n].pages.get() != 0) {
            let of = ObjectRef::from_raw(p.mappings[mapping].vmo.get());
            self.unmap_record(process, mapping, of, false);
            return;
        }
        {
            let _held = self.memory.lock(process);
            if p.in_steps.get() != 0 {
                return;
            }
        }
        if self
            .harts
            .iter()
            .any(|other| other.space.atomic().load(crate::sync::Ordering::Acquire) == process.0)
        {
            // That hart runs nothing of the process any more and is on its way out of its address space.
            self.harts.iter().filter(|h| h.space.get() == process.0).for_each(|h| {
                if h.id.get() == hart.id.get() { self.leave_space(h) } else { self.platform.kick(h.id.get()) }
            });
            return;
        }
        hart.reap.set(p.reap_next.get());
        self.platform.fence(self.online(), p.asid.get() as u16, 0, 0);
        self.asids.give(p.asid.get());
        {
            // Whoever looks at the table holds this.
            let _held = self.memory.lock(process);
            p.handle_capacity.set(0);
        }
        self.free_tables(p);
        self.give_cpu(process, p.cpu.get());
        let object = self.reference(process);
        let charge = self.memory.header(process).charge.get();
        self.charge_less(process, charge - 1);
        {
            let _held = self.memory.lock(process);
            p.life.set(life::ENDED);
            self.notify(hart, process, 0);
        }
        if self.unref(object) {
            self.bury(process, Kind::Process);
        }
    }

    /// Revocation of a process: told to end, and taken apart as far as this hart can. `Busy` while another hart has a
    /// part in it.
    pub(crate) fn revoke_process(&self, object: ObjectRef) -> Answer<()> {
        let hart = self.this_hart();
        self.kill(hart, object, ExitCause::Revoked, [0; 3], None);
        self.clear_graves(hart);
        let p = self.table(object.frame);
        if p.life.get() == life::ENDED {
            return Ok(());
        }
        // `successors` looks one ahead of what it yields, so the end of the list must never be an item.
        let listed = |frame: u32| Some(Frame(frame)).filter(|f| f.exists());
        let mine =
            core::iter::successors(listed(hart.reap.get()), |f| listed(self.table(*f).reap_next.get()))
                .any(|f| f == object.frame);
        if !mine {
            return Err(Error::Busy);
        }
        // Others that died here before come first; each step is bounded and the caller repeats the call.
        self.leave_space(hart);
        self.reap_step(hart, Frame(hart.reap.get()));
        // The thread that asks for this goes on, or one of its process does: their address space is taken for loaded.
        self.load_space(hart, hart.current());
        Ok(())
    }

    /// Takes a retired, ended process apart: only its first page is left.
    pub(crate) fn clear_process(&self, frame: Frame) {
        let _held = self.memory.lock(frame);
        self.unbind(frame, 0, &self.table(frame).binding);
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
