//! A kernel and a model that make the same steps: how a step of the model becomes a system call of the kernel, and which
//! object of the one is which of the other.

use super::world::World;
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::memory::Frame;
use crate::objects::{Identity, Quota};
use crate::paging;
use crate::platform::Platform;
use crate::sync::Cell64;
use crate::thread::{resume, state};
use neuron_model::{
    Answer, BOOT_PROCESS, BOOT_THREAD, Body, Bounds, Buffers, Deadline, Doing, Draft, HANDLES, Id, Model, Op,
    ROOT_QUOTA, Room, Slot, Start, Step, Summary,
};
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Handle, Kind, NEVER, NOW, Rights, Sysno, Tag};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

/// What a tick of the model is on the clock.
pub const TICK: u64 = 1000;
/// Where the clock begins, so that there is a past.
const BEGIN: u64 = 10 * TICK;
/// A deadline in the past.
const PAST: u64 = TICK;
/// Address of a page of the model's address space, and how far the next one is.
const PAGES_AT: u64 = 0x1_0000;
const STRIDE: u64 = 4 * PAGE_SIZE as u64;
/// The page that stands for an address no process can have.
const NOWHERE: u8 = 4;
/// Where in a page the handle buffer is.
const HANDLES_AT: u64 = 512;
/// Longest message that is written and compared.
const MAX_BYTES: usize = 300;

/// See the module.
pub struct Twin {
    /// The kernel.
    pub world: World,
    /// The model.
    pub model: Model,
    /// Which object of the kernel is which of the model.
    pub links: BTreeMap<Id, ObjectRef>,
    /// Which token of the kernel is which of the model's open calls.
    pub tokens: BTreeMap<u32, u64>,
    /// Free frames at the beginning.
    pub frames: u64,
    /// Where the last message call of each thread has its two buffers.
    pub buffers: BTreeMap<Id, [u64; 2]>,
    /// The last system call of each thread.
    asked: BTreeMap<Id, Sysno>,
    /// What was answered to what; `None`: success.
    pub seen: BTreeSet<(Sysno, Option<Error>)>,
    /// Tokens of calls that are over.
    pub spent: Vec<u64>,
    summary: Summary,
    steps: u64,
}

/// What a system call takes, by register.
pub type Registers = Vec<(usize, u64)>;

/// The call of the thread that is current on this hart, again if it is not done. Whether it went the fast path.
pub fn trap(world: &World, number: Sysno) -> Result<bool, String> {
    let (kernel, hart) = (world.kernel, world.hart());
    if world.fast && (kernel.fast(hart) || kernel.fast_again(hart, number)) {
        return Ok(true);
    }
    let thread = hart.running();
    for _ in 0..1000 {
        kernel.slow(hart);
        let again = number == Sysno::quota_destroy
            && hart.running() == thread
            && kernel.thread(thread).context.get(reg::T[0]) == number as u64
            && kernel.table(hart.owner()).life.get() == crate::process::life::ALIVE;
        if !again {
            return Ok(false);
        }
    }
    Err("the call does not end".into())
}

impl Twin {
    /// A fresh world of the first process alone, on one hart.
    pub fn new(fast: bool) -> Twin {
        Twin::on_harts(1, fast)
    }

    /// The same on so many harts.
    pub fn on_harts(count: usize, fast: bool) -> Twin {
        let mut world = World::empty(count, fast);
        let (kernel, root) = (world.kernel, world.quota);
        kernel.platform.clock.store(BEGIN, Ordering::Relaxed);
        let frames = kernel.memory.free_frames() as u64;
        kernel.make_process(Frame::NONE, root, 1, HANDLES as u32, 20, 50).expect("process");
        let process = Frame(kernel.memory.page::<Quota>(root.frame).objects.get());
        let identity = kernel.create(root, Kind::Identity, 1).expect("identity");
        kernel.memory.page::<Identity>(identity).service.set(1);
        kernel.publish(process, root.frame, Kind::Quota.all_rights() - Rights::MANAGE).expect("room");
        kernel.publish(process, identity, Kind::Identity.all_rights()).expect("room");
        let home = kernel.reference(process);
        let thread = kernel.make_thread(home, root, 10).expect("thread");
        kernel.join(home, thread).expect("join");
        kernel.begin(world.hart(), thread, [0x4000, 0x8000, 0], Handle::NONE);
        world.processes.push(process);
        world.threads.push(kernel.reference(thread));
        let pages = kernel.memory.page::<Quota>(root.frame).pages.get();
        let model = Model::new(Start { pages, cpu: 900, handles: HANDLES, fault: None });
        let links =
            [(ROOT_QUOTA, root), (BOOT_PROCESS, home), (BOOT_THREAD, kernel.reference(thread))].into();
        let summary = model.summary().expect("a sound beginning");
        Twin {
            world,
            model,
            links,
            tokens: [].into(),
            frames,
            buffers: [].into(),
            asked: [].into(),
            seen: [].into(),
            spent: vec![],
            summary,
            steps: 0,
        }
    }

    /// How the model of this world begins.
    pub fn start(&self) -> Start {
        let pages = self.world.kernel.memory.page::<Quota>(self.world.quota.frame).pages.get();
        Start { pages, cpu: 900, handles: HANDLES, fault: None }
    }

    /// Both make a step. What is different afterwards, or which property does not hold.
    pub fn step(&mut self, step: &Step) -> Result<(), String> {
        self.steps += 1;
        let registers = match step {
            Step::Do(thread, op) if self.model.can_run(*thread) => Some(self.prepare(*thread, op)),
            _ => None,
        };
        let before = self.model.clone();
        let mut done = vec![];
        // The kernel first: which of two ways a call goes is its choice.
        let straight = match (step, &registers) {
            (Step::Do(thread, op), Some((number, registers))) => {
                done.push(*thread);
                self.system_call(*thread, *number, registers)?;
                // Its call is open already: it was handed straight to who waits for it.
                let open = self.world.kernel.thread(self.links[thread].frame).doing().0 == state::OPEN;
                (open && matches!(op, Op::Call { .. })).then(|| Step::Straight(*thread, op.clone()))
            }
            _ => None,
        };
        if !self.step_model(straight.as_ref().unwrap_or(step))? {
            return match straight {
                Some(_) => Err("a call was handed over that may not be".into()),
                None => Ok(()),
            };
        }
        match (step, registers) {
            (Step::Do(thread, op), _) => {
                // The kernel lets a thread that is woken go on at once where nothing can come between.
                let went_on = |id: &Id| {
                    let t = self.world.kernel.thread(self.links[id].frame);
                    matches!(t.doing().0, state::READY | state::RUNNING)
                        && matches!(t.resume.get(), resume::NONE | resume::EVENT)
                };
                let woken: Vec<Id> = self.model.threads().map(|(id, _)| id).collect();
                let woken = woken.into_iter().filter(|id| self.model.can_go_on(*id) && went_on(id));
                for id in woken.collect::<Vec<_>>() {
                    let frame = self.links[&id].frame;
                    if self.world.kernel.thread(frame).resume.get() == resume::EVENT {
                        self.put_on(id);
                        self.world.kernel.resume(self.world.hart(), frame);
                    }
                    self.step_model(&Step::GoOn(id))?;
                }
                if matches!(op, Op::Map { .. }) {
                    self.forget_address(*thread);
                }
            }
            (Step::GoOn(thread), _) => {
                done.push(*thread);
                self.put_on(*thread);
                self.world.kernel.resume(self.world.hart(), self.links[thread].frame);
            }
            (Step::Fault(thread), _) => {
                self.put_on(*thread);
                self.world.kernel.fault(self.world.hart(), 13, 0xdead_0000);
            }
            (Step::End(process), _) => {
                let cause = nexus_abi::ExitCause::Killed;
                self.world.kernel.kill(self.world.hart(), self.links[process], cause, [0; 3], None);
            }
            _ => {
                self.world.kernel.platform.clock.fetch_add(TICK, Ordering::Relaxed);
                for hart in (0..self.world.harts).rev() {
                    self.world.go_to(hart);
                    self.world.kernel.timer(self.world.hart());
                }
            }
        }
        self.world.end_dead();
        self.world.take_apart();
        self.world.hart().resched.set(0);
        self.world.take_off();
        self.link()?;
        let running = |id: Id, model: &Model| {
            model.is_thread(id) && matches!(model.thread(id).doing, Doing::Running(_))
        };
        let threads: Vec<Id> = self.model.threads().map(|(id, _)| id).collect();
        for id in threads {
            if running(id, &self.model) && (done.contains(&id) || !running(id, &before)) {
                self.compare_answer(id).map_err(|what| format!("thread {id}: {what}"))?;
                self.note_seen(id);
            }
        }
        self.compare()
    }

    /// Fills the buffers of a call, and says which one it is and with which registers it is made.
    pub fn prepare(&mut self, thread: Id, op: &Op) -> (Sysno, Registers) {
        let (number, registers) = self.registers(thread, op);
        self.asked.insert(thread, number);
        let value = |wanted| registers.iter().find(|(n, _)| *n == wanted).map_or(0, |(_, value)| *value);
        self.buffers.insert(thread, [value(reg::T[1]), value(reg::T[2])]);
        (number, registers)
    }

    /// Adds what a thread was answered to what was seen.
    pub fn note_seen(&mut self, thread: Id) {
        if let (Doing::Running(answer), Some(asked)) =
            (&self.model.thread(thread).doing, self.asked.get(&thread))
        {
            let error = match answer.0 {
                Answer::Refused { error, .. } => Some(error),
                _ => None,
            };
            self.seen.insert((*asked, error));
        }
    }

    pub fn step_model(&mut self, step: &Step) -> Result<bool, String> {
        let made = self.model.step(step);
        self.summary = self.model.check(&self.summary).map_err(|what| format!("the model itself: {what}"))?;
        Ok(made)
    }

    /// Makes a thread current on this hart.
    pub fn put_on(&self, thread: Id) {
        let frame = self.links[&thread];
        let n = self.world.threads.iter().position(|other| *other == frame).expect("a known thread");
        self.world.put_on(n);
    }

    /// Makes the call, again if it is not done.
    fn system_call(&mut self, thread: Id, number: Sysno, registers: &Registers) -> Result<(), String> {
        self.set_out(thread, number, registers);
        self.world.taken += trap(&self.world, number)? as usize;
        Ok(())
    }

    /// The thread is current on this hart, with the registers of its call.
    pub fn set_out(&self, thread: Id, number: Sysno, registers: &Registers) {
        self.put_on(thread);
        let context = &self.world.kernel.thread(self.links[&thread].frame).context;
        for (n, register) in (1..32).enumerate() {
            context.set(register, 0x5eed_0000 + n as u64);
        }
        [1, reg::T[5], reg::T[6]].into_iter().for_each(|register| context.set(register, 0));
        registers.iter().for_each(|(register, value)| context.set(*register, *value));
        context.set(reg::T[0], number as u64);
    }

    /// The kernel's name of a handle: what stands in that entry now, or, for one that is not open, often what stood there last.
    pub fn raw(&self, process: Id, slot: Slot) -> u64 {
        let kernel = self.world.kernel;
        let table = kernel.table(self.links[&process].frame);
        let Some((meta, _)) = table.peek(&kernel.memory, slot as u32) else { return slot as u64 };
        let (generation, is_free) = (meta >> 48, meta >> 40 & 0xff == 0);
        let stale = is_free && generation > 1 && !self.steps.is_multiple_of(3);
        slot as u64 | (generation - stale as u64) << 16
    }

    /// The kernel's token for a call; for one that is not open, one that was, one near it, or a guess.
    fn token(&self, token: u32) -> u64 {
        if token == 0 {
            return 0;
        }
        if let Some(raw) = self.tokens.get(&token) {
            return *raw;
        }
        let guess = match (self.spent.last(), self.steps % 3) {
            (Some(_), 0) => self.spent[token as usize % self.spent.len()],
            (Some(raw), 1) => *raw,
            (Some(raw), _) => raw ^ 7 << 32,
            (None, _) => token as u64 | 1 << 32,
        };
        // Whoever holds the end may answer any call on it, so a good guess is no fault.
        if self.tokens.values().any(|raw| *raw == guess) { 1 << 63 | 1 } else { guess }
    }

    fn deadline(&self, deadline: Deadline) -> u64 {
        match deadline {
            Deadline::Now => NOW,
            Deadline::Past => PAST,
            Deadline::After(ticks) => self.world.kernel.platform.now() + ticks as u64 * TICK,
            Deadline::Never => NEVER,
        }
    }

    /// Address of a page, a little into it so that threads differ.
    pub fn address(&self, thread: Id, page: u8) -> u64 {
        match page {
            NOWHERE => u64::MAX - 100,
            page => PAGES_AT + page as u64 * STRIDE + (thread as u64 % 4) * 1024,
        }
    }

    /// The kernel's view of a byte of user memory.
    fn user_byte(&self, process: Id, address: u64) -> Option<(&Cell64, u64)> {
        let memory = &self.world.kernel.memory;
        let root = Frame(self.world.kernel.table(self.links[&process].frame).root.get());
        let (physical, _) = paging::translate(memory, root, address)?;
        let cells = memory.page::<[Cell64; 512]>(memory.frame_at(physical)?);
        Some((&cells[(physical as usize % PAGE_SIZE) / 8], physical % 8 * 8))
    }

    fn write(&self, process: Id, address: u64, bytes: &[u8]) {
        for (n, byte) in bytes.iter().enumerate() {
            if let Some((cell, shift)) = self.user_byte(process, address.wrapping_add(n as u64)) {
                cell.set(cell.get() & !(0xff << shift) | (*byte as u64) << shift);
            }
        }
    }

    /// Bytes of user memory; what cannot be read is 0.
    pub fn read(&self, process: Id, address: u64, len: usize) -> Vec<u8> {
        let byte = |n: usize| match self.user_byte(process, address.wrapping_add(n as u64)) {
            Some((cell, shift)) => (cell.get() >> shift) as u8,
            None => 0,
        };
        (0..len).map(byte).collect()
    }

    /// The contents of a message.
    pub fn contents(bytes: usize, fill: u8) -> Vec<u8> {
        (0..bytes.min(MAX_BYTES)).map(|n| fill.wrapping_add(n as u8)).collect()
    }

    /// The words of a message in registers; past its length there is nothing.
    pub fn words(bytes: usize, fill: u8) -> [u64; 6] {
        let contents = Twin::contents(bytes, fill);
        std::array::from_fn(|n| {
            let word = contents.iter().skip(8 * n).take(8).enumerate();
            word.fold(0, |word, (at, byte)| word | (*byte as u64) << (8 * at))
        })
    }

    /// Registers that describe a message, its buffers filled.
    fn message(&self, thread: Id, draft: &Draft, at: Buffers, room: Room) -> Registers {
        let process = self.model.thread(thread).process;
        let (bytes_at, handles_at) =
            (self.address(thread, at.bytes), self.address(thread, at.handles).wrapping_add(HANDLES_AT));
        let tag = Tag::new(draft.bytes, draft.handles.0.len()).with_room(room.bytes, room.handles);
        let mut registers =
            vec![(reg::A0 + 1, tag.0), (reg::T[1], bytes_at), (reg::T[2], handles_at), (reg::T[4], 0)];
        if draft.bytes <= 48 {
            let words = Twin::words(draft.bytes, draft.fill);
            registers.extend(words.iter().enumerate().map(|(n, word)| (reg::A0 + 2 + n, *word)));
        } else {
            self.write(process, bytes_at, &Twin::contents(draft.bytes, draft.fill));
        }
        let list: Vec<u8> =
            draft.handles.0.iter().flat_map(|slot| (self.raw(process, *slot) as u32).to_le_bytes()).collect();
        self.write(process, handles_at, &list);
        registers
    }

    fn registers(&self, thread: Id, op: &Op) -> (Sysno, Registers) {
        let me = self.model.thread(thread).process;
        let h = |slot: &Slot| self.raw(me, *slot);
        let plain = |list: &[u64]| list.iter().enumerate().map(|(n, value)| (reg::A0 + n, *value)).collect();
        let spec = |end: &Bounds| end.depth as u64 | (end.bytes as u64) << 16 | (end.handles as u64) << 32;
        let with = |mut registers: Registers, more: &[(usize, u64)]| {
            registers.extend(more);
            registers
        };
        let nothing = Draft::default();
        let page = |page: &u8| PAGES_AT + *page as u64 * STRIDE;
        match op {
            Op::Close { handle } => (Sysno::handle_close, plain(&[h(handle)])),
            Op::Dup { handle, rights } => (Sysno::handle_dup, plain(&[h(handle), *rights as u64])),
            Op::ChannelCreate { quota, ends } => {
                (Sysno::channel_create, plain(&[h(quota), spec(&ends[0]), spec(&ends[1])]))
            }
            Op::Send { end, draft, at, deadline } => {
                let message = self.message(thread, draft, *at, Room::default());
                let more = [(reg::A0, h(end)), (reg::T[3], self.deadline(*deadline))];
                (Sysno::channel_send, with(message, &more))
            }
            Op::Recv { end, room } => {
                let message = self.message(thread, &nothing, room.at, *room);
                (Sysno::channel_recv, with(message, &[(reg::A0, h(end))]))
            }
            Op::Discard { end } => (Sysno::channel_recv, plain(&[h(end), Tag::DISCARD])),
            Op::Call { end, draft, room, deadline } => {
                let message = self.message(thread, draft, room.at, *room);
                let more = [(reg::A0, h(end)), (reg::T[3], self.deadline(*deadline))];
                (Sysno::channel_call, with(message, &more))
            }
            Op::Reply { token, draft, at } => {
                let message = self.message(thread, draft, *at, Room::default());
                (Sysno::channel_reply, with(message, &[(reg::T[4], self.token(*token))]))
            }
            Op::Wait { port, token, draft, room, deadline } => {
                let message = self.message(thread, draft, room.at, *room);
                let more = [
                    (reg::A0, h(port)),
                    (reg::T[3], self.deadline(*deadline)),
                    (reg::T[4], self.token(*token)),
                ];
                (Sysno::reply_and_wait, with(message, &more))
            }
            Op::PortCreate { quota } => (Sysno::port_create, plain(&[h(quota)])),
            Op::Bind { port, object, key, signals } => {
                (Sysno::port_bind, plain(&[h(port), h(object), *key, *signals as u64]))
            }
            Op::Signal { port, bits } => (Sysno::port_signal, plain(&[h(port), *bits as u64])),
            Op::VmoCreate { quota, bytes } => (Sysno::vmo_create, plain(&[h(quota), *bytes])),
            Op::Seal { vmo } => (Sysno::vmo_seal, plain(&[h(vmo)])),
            Op::Map { process, vmo, page: at, access } => {
                let bytes = match self.model.look_up(me, *vmo).map(|c| &self.model.objects[&c.object].body) {
                    Ok(Body::Vmo(vmo)) => vmo.pages * PAGE_SIZE as u64,
                    _ => PAGE_SIZE as u64,
                };
                (Sysno::vm_map, plain(&[h(process), h(vmo), 0, bytes, page(at), *access as u64]))
            }
            Op::Unmap { process, page: at } => (Sysno::vm_unmap, plain(&[h(process), page(at)])),
            Op::ProcessCreate { quota, identity, handles, max_priority, cpu } => {
                (Sysno::process_create, plain(&[h(quota), h(identity), *handles, *max_priority, *cpu]))
            }
            Op::ThreadCreate { process, quota, priority } => {
                (Sysno::thread_create, plain(&[h(process), h(quota), *priority]))
            }
            Op::ThreadStart { thread, gift } => {
                let gift = if *gift == 0 { 0 } else { h(gift) };
                (Sysno::thread_start, plain(&[h(thread), 0x4000, 0x8000, 0, gift]))
            }
            Op::Kill { process } => (Sysno::process_kill, plain(&[h(process)])),
            Op::Exit { code, whole_process } => (Sysno::thread_exit, plain(&[*code, *whole_process as u64])),
            Op::TimerCreate { quota } => (Sysno::timer_create, plain(&[h(quota)])),
            Op::TimerSet { timer, deadline } => {
                (Sysno::timer_set, plain(&[h(timer), self.deadline(*deadline)]))
            }
            Op::QuotaCreate { quota, pages, cpu } => (Sysno::quota_create, plain(&[h(quota), *pages, *cpu])),
            Op::QuotaDestroy { quota } => (Sysno::quota_destroy, plain(&[h(quota)])),
            Op::IdentityCreate { minter, quota, service } => {
                (Sysno::identity_create, plain(&[h(minter), h(quota), *service]))
            }
        }
    }

    /// The address that a mapping is answered with was asked for, and the model has no addresses.
    pub fn forget_address(&self, thread: Id) {
        if let Doing::Running(answer) = &self.model.thread(thread).doing
            && answer.0 == Answer::Done
        {
            self.world.kernel.thread(self.links[&thread].frame).context.set(reg::A0 + 1, 0);
        }
    }

    /// Learns which object is which from the handles that both have, and lets go of what is no more.
    pub fn link(&mut self) -> Result<(), String> {
        let kernel = self.world.kernel;
        let mut found = vec![];
        for (process, state) in self.model.processes() {
            let Some(home) = self.links.get(&process).copied().or_else(|| {
                found.iter().find(|(id, _): &&(Id, ObjectRef)| *id == process).map(|(_, object)| *object)
            }) else {
                return Err(format!("nobody has a handle to process {process}"));
            };
            for (slot, capability) in state.table.open().filter(|(_, c)| self.model.exists(c.object)) {
                let entry = kernel.table(home.frame).peek(&kernel.memory, slot as u32);
                found.push((capability.object, ObjectRef::from_raw(entry.unwrap_or_default().1)));
            }
        }
        for (id, object) in found {
            let known = *self.links.entry(id).or_insert(object);
            if known != object {
                return Err(format!("a handle to object {id} is for {object:?}, not for {known:?}"));
            }
            let is_new = !self.world.threads.contains(&object);
            if self.model.is_thread(id) && is_new {
                self.world.threads.push(object);
            }
        }
        let gone: Vec<Id> = self.links.keys().copied().filter(|id| !self.model.exists(*id)).collect();
        for id in gone {
            if let Some(object) = self.links.remove(&id)
                && kernel.reference(object.frame) == object
            {
                return Err(format!("object {id} is still there in the kernel"));
            }
        }
        let open = |token: u32| {
            self.model.threads().any(|(_, t)| matches!(t.doing, Doing::Open { token: t, .. } if t == token))
        };
        let over: Vec<u32> = self.tokens.keys().copied().filter(|token| !open(*token)).collect();
        let spent: Vec<u64> = over.iter().filter_map(|token| self.tokens.remove(token)).collect();
        self.spent.extend(spent);
        Ok(())
    }
}
