//! A process without threads is taken apart: handles, mappings, tables, its share of the processor.
//!
//! The hart that its last thread left from does it, in bounded steps, at that thread's priority. What must never happen: an address
//! space that is freed while a hart has it loaded, or an end that is told before everything has been given back.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::platform::Platform;
use crate::process::life;
use nexus_abi::bounds::MAX_MAPPINGS;
use nexus_abi::{Error, ExitCause, Kind};

/// Entries of a handle table that one step closes.
const HANDLES_PER_STEP: u32 = 16;

impl<P: Platform> Kernel<P> {
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
}
