//! A small world: a few processes with threads, one page of memory each, made with the kernel's own functions and then
//! driven by system calls alone.

use super::host::Host;
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::{Frame, Memory};
use crate::objects::Quota;
use crate::paging::Table;
use crate::process::{Process, life};
use crate::sync::{Cell64, Ordering};
use crate::thread::{resume, state};
use nexus_abi::{Error, Handle, Kind, Rights, Sysno};

/// Where every process has its page.
pub const PAGE_AT: u64 = 0x1_0000;

const FRAMES: usize = 2048;

/// More steps than it takes to take any process of a world apart.
const MOST_STEPS: usize = 100;

const HANDLES: u32 = 40;

/// One kernel with its processes. The first one, the parent, holds a handle to each other process and runs no thread.
pub struct World {
    /// The kernel.
    pub kernel: &'static Kernel<Host>,
    /// Harts that are online.
    pub harts: usize,
    /// The quota of everything.
    pub quota: ObjectRef,
    /// The processes, parent first.
    pub processes: Vec<Frame>,
    /// Their pages.
    pub pages: Vec<Frame>,
    /// All threads, in the order made, with the generation that tells whether each still is.
    pub threads: Vec<ObjectRef>,
    /// Whether calls try the fast path first.
    pub fast: bool,
    /// Calls that took it.
    pub taken: usize,
}

impl Drop for World {
    fn drop(&mut self) {
        #[cfg(all(not(loom), not(miri)))]
        super::order::forget(self.kernel);
        self.kernel.memory.give_back();
    }
}

impl World {
    /// A world of `processes` processes beside the parent, with `threads` threads each, on one hart.
    pub fn new(fast: bool, processes: usize, threads: usize) -> World {
        World::on_harts(1, fast, processes, threads)
    }

    /// The same on several harts.
    pub fn on_harts(count: usize, fast: bool, processes: usize, threads: usize) -> World {
        let mut world = World::empty(count, fast);
        world.add_process(Frame::NONE, 0);
        let parent = world.processes[0];
        for _ in 0..processes {
            world.add_process(parent, threads);
        }
        world.settle();
        world
    }

    /// A world without a process, on so many harts.
    pub fn empty(count: usize, fast: bool) -> World {
        World::of_machine(Host::default(), 16, count, fast)
    }

    /// The same on a machine with so many bits for address space identifiers.
    pub fn of_machine(host: Host, asid_bits: u32, count: usize, fast: bool) -> World {
        let memory = Memory::for_test(FRAMES).expect("memory");
        let root: &'static Table = Box::leak(Box::new(core::array::from_fn(|_| Cell64::new(0))));
        let harts = core::array::from_fn(|id| &*Box::leak(Box::new(Hart::new(id as u32))));
        let kernel = Kernel::new(host, memory, root, asid_bits, 10_000_000, harts).expect("kernel");
        let kernel: &'static _ = Box::leak(Box::new(kernel));
        let _ = kernel.platform.kernel.set(kernel);
        #[cfg(all(not(loom), not(miri)))]
        super::order::watch(kernel);
        (0..count).for_each(|id| kernel.hart_online(id));
        let quota = kernel.make_root_quota().expect("quota");
        World {
            harts: count,
            kernel,
            quota,
            processes: vec![],
            pages: vec![],
            threads: vec![],
            fast,
            taken: 0,
        }
    }

    pub fn add_process(&mut self, holder: Frame, threads: usize) {
        let kernel = self.kernel;
        let service = 7 + self.processes.len() as u32;
        let handle = kernel.make_process(holder, self.quota, service, HANDLES, 20, 50).expect("process");
        let frame = if holder.exists() {
            kernel.table(holder).lookup(&kernel.memory, handle).expect("its handle").object.frame
        } else {
            Frame(kernel.memory.page::<Quota>(self.quota.frame).objects.get())
        };
        let process = kernel.reference(frame);
        let vmo = kernel.make_vmo(self.quota, 4096).expect("vmo");
        let range = [0, 4096, PAGE_AT];
        kernel.map(process, kernel.reference(vmo), range, Rights::READ | Rights::WRITE).expect("map");
        self.pages.push(kernel.vmo_frame(vmo, 0));
        self.processes.push(frame);
        for n in 0..threads {
            // One thread of each process has a lower priority than the rest.
            let priority = if n == 1 { 9 } else { 10 };
            let thread = kernel.make_thread(process, self.quota, priority).expect("thread");
            kernel.join(process, thread).expect("join");
            self.threads.push(kernel.reference(thread));
            kernel.begin(self.hart(), thread, [0x4000, 0x8000, 0], Handle::NONE);
        }
    }

    /// The hart that runs this.
    pub fn hart(&self) -> &'static Hart {
        self.kernel.this_hart()
    }

    /// From now on this hart runs what the test does.
    pub fn go_to(&self, hart: usize) {
        self.kernel.platform.at.store(hart, Ordering::Relaxed);
    }

    /// A hart that was called enters the kernel.
    pub fn answer_call(&self) {
        let hart = self.hart();
        if self.kernel.platform.called[hart.id.get() as usize].swap(0, Ordering::Acquire) != 0 {
            self.kernel.kicked(hart);
        }
    }

    /// Makes a system call of the current thread of the hart that runs this, and nothing more.
    pub fn ask(&self, number: Sysno, registers: &[(usize, u64)]) {
        let hart = self.hart();
        let context = &self.kernel.thread(hart.running()).context;
        registers.iter().for_each(|(register, value)| context.set(*register, *value));
        context.set(reg::T[0], number as u64);
        if !(self.fast && (self.kernel.fast(hart) || self.kernel.fast_again(hart, number))) {
            self.kernel.slow(hart);
        }
    }

    /// [`Self::settle`] on every hart, until no hart has anything to do any more. Ends on hart 0.
    pub fn settle_all(&self) {
        for _ in 0..3 {
            for hart in 0..self.harts {
                self.go_to(hart);
                self.answer_call();
                self.end_dead();
                self.settle();
                self.kernel.leave_space(self.hart());
            }
        }
        self.go_to(0);
    }

    /// The table of a process.
    pub fn process(&self, n: usize) -> &'static Process {
        self.kernel.table(self.processes[n])
    }

    /// Makes an object in a process.
    pub fn give(&self, process: usize, kind: Kind) -> Handle {
        let frame = self.kernel.create(self.quota, kind, 1).expect("object");
        self.kernel.publish(self.processes[process], frame, kind.all_rights()).expect("handle")
    }

    /// A channel between two processes: `depth` messages, `bytes` and `handles` each way.
    pub fn connect(&self, a: usize, b: usize, spec: [u64; 3]) -> (Handle, Handle) {
        let raw = spec[0] | spec[1] << 16 | spec[2] << 32;
        let [near, far] =
            self.kernel.make_channel(self.processes[a], self.quota, [raw, raw]).expect("channel");
        let capability = self.process(a).remove(&self.kernel.memory, far).expect("far end");
        let place = self.process(b).reserve(&self.kernel.memory).expect("room");
        self.kernel.land(self.processes[b], place, capability);
        (near, place)
    }

    /// Whether a thread can be made current.
    pub fn is_runnable(&self, n: usize) -> bool {
        self.is_alive(n) && {
            let t = self.kernel.thread(self.threads[n].frame);
            matches!(t.doing().0, state::READY | state::RUNNING)
                && self.kernel.table(t.owner()).life.get() == life::ALIVE
        }
    }

    /// Whether a thread is still there.
    pub fn is_alive(&self, n: usize) -> bool {
        self.kernel.reference(self.threads[n].frame) == self.threads[n]
    }

    /// Makes a runnable thread current, whatever the scheduler would choose.
    pub fn put_on(&self, n: usize) {
        let (kernel, hart, frame) = (self.kernel, self.hart(), self.threads[n].frame);
        if hart.running() == frame {
            return;
        }
        self.take_off();
        assert!(kernel.detach_ready(frame), "thread {n} is not ready");
        let t = kernel.thread(frame);
        t.set_doing(state::RUNNING, hart.id.get());
        hart.thread.set(t);
        hart.payer.set(t.payer.get());
        kernel.load_space(hart, t);
        hart.set_floor(t);
    }

    /// Puts the current thread back among the ready ones.
    pub fn take_off(&self) {
        self.kernel.put_off(self.hart());
        let current = self.hart().running();
        if current.exists() {
            let priority = self.kernel.thread(current).priority.get();
            self.kernel.enqueue(self.hart(), current, priority, true);
            self.kernel.leave(self.hart());
        }
    }

    /// Lets everything happen that needs no thread: dead processes are taken apart.
    pub fn take_apart(&self) {
        self.kernel.clear_graves(self.hart());
        // Another hart may have to leave the address space first.
        for _ in 0..MOST_STEPS {
            if self.hart().reap.get() == 0 {
                break;
            }
            self.take_off();
            self.kernel.leave_space(self.hart());
            self.kernel.reap_step(self.hart(), Frame(self.hart().reap.get()));
            self.kernel.clear_graves(self.hart());
        }
    }

    /// The same, and threads that were woken end the waits that they were woken from.
    pub fn settle(&self) {
        self.take_apart();
        loop {
            let woken = (0..self.threads.len()).find(|n| {
                self.is_runnable(*n)
                    && self.kernel.thread(self.threads[*n].frame).resume.get() != resume::NONE
            });
            let Some(n) = woken else { break };
            self.put_on(n);
            self.kernel.resume(self.hart(), self.threads[n].frame);
        }
        self.hart().resched.set(0);
        self.take_off();
    }

    /// One system call of a thread, with everything that follows from it.
    pub fn call(&mut self, n: usize, number: Sysno, registers: &[(usize, u64)]) {
        self.put_on(n);
        let context = &self.kernel.thread(self.threads[n].frame).context;
        for (register, value) in registers {
            context.set(*register, *value);
        }
        context.set(reg::T[0], number as u64);
        if self.fast && (self.kernel.fast(self.hart()) || self.kernel.fast_again(self.hart(), number)) {
            self.taken += 1;
        } else {
            self.kernel.slow(self.hart());
        }
        self.end_dead();
        self.settle();
    }

    /// The deadline of a waiting thread passes.
    pub fn expire(&mut self, n: usize) {
        let frame = self.threads[n].frame;
        if self.kernel.detach(frame) {
            self.kernel.fail(self.hart(), frame, Error::TimedOut);
        }
        self.settle();
    }

    /// The current thread ends here if its process was told to.
    pub fn end_dead(&self) {
        let hart = self.hart();
        if hart.running().exists() && self.kernel.table(hart.owner()).life.get() != life::ALIVE {
            self.kernel.end_current(hart);
        }
    }

    /// What a thread's last system call answered; `None` while it waits.
    pub fn answer(&self, n: usize) -> Option<Result<u64, Error>> {
        let context = &self.kernel.thread(self.threads[n].frame).context;
        self.is_runnable(n).then(|| match Error::from_raw(context.get(reg::A0)) {
            None => Ok(context.get(reg::A0 + 1)),
            Some(error) => Err(error),
        })
    }

    /// Tells `note` everything that user programs or their accounts could notice, as (what, whose, value).
    pub fn observe(&self, note: &mut dyn FnMut(&str, usize, u64)) {
        let kernel = self.kernel;
        let account = kernel.memory.page::<Quota>(self.quota.frame);
        note("pages used", 0, account.used.get());
        note("objects", 0, account.count.get() as u64);
        note("free frames", 0, kernel.memory.free_frames() as u64);
        for (n, object) in self.threads.iter().enumerate() {
            note("thread lives", n, self.is_alive(n) as u64);
            if !self.is_alive(n) {
                continue;
            }
            let t = kernel.thread(object.frame);
            if t.doing().0 != state::PORT {
                note("thread payer", n, t.payer.get());
            }
            note("thread token", n, t.token.get());
            if self.is_runnable(n) {
                (0..32).for_each(|r| note("thread register", n * 100 + r, t.context.get(r)));
            } else {
                note("thread state", n, t.state.get());
            }
        }
        for (n, frame) in self.processes.iter().enumerate() {
            let p = kernel.table(*frame);
            note("process life", n, p.life.get() as u64);
            note("process handles", n, p.handle_count.get() as u64);
            for index in 1..HANDLES {
                let (meta, object) = p.peek(&kernel.memory, index).unwrap_or_default();
                note("entry meta", n * 100 + index as usize, meta);
                note("entry object", n * 100 + index as usize, object);
            }
        }
        for (n, page) in self.pages.iter().enumerate() {
            let cells = kernel.memory.page::<[Cell64; 512]>(*page);
            note("memory", n, cells.iter().fold(0, |sum: u64, c| sum.wrapping_mul(31).wrapping_add(c.get())));
        }
    }

    /// All of it as one number (FNV-1a over the words).
    pub fn digest(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        self.observe(&mut |_, _, value| hash = (hash ^ value).wrapping_mul(0x100_0000_01b3));
        hash
    }

    /// All of it in words, to show a difference.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![];
        self.observe(&mut |what, whose, value| lines.push(format!("{what} {whose}: {value:#x}")));
        lines
    }
}
