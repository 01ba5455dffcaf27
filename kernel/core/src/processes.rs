//! Processes are made: address space, handle table, a share of the processor, an identity.
//!
//! What must never happen: a process that is half made, or one that its holder has no room for a handle to. How one ends is in
//! `deaths.rs`.

use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::Frame;
use crate::paging;
use crate::platform::Platform;
use crate::process::Process;
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HANDLES, MAX_PRIORITY};
use nexus_abi::{Error, Handle, Identity, Kind, Rights};

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
    pub(crate) fn free_tables(&self, p: &Process) {
        for page in core::iter::once(&p.root).chain(&p.handle_pages) {
            let frame = Frame(page.take(0));
            if frame.exists() {
                self.memory.free(frame);
            }
        }
    }
}
