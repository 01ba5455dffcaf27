//! Histories: written ones, a populated world, random steps in it, and the shortest part of a history that still fails.

use crate::channel::Bounds;
use crate::message::{Buffers, Draft, Room, Slots};
use crate::object::{Body, Id};
use crate::process::Doing;
use crate::{Answer, BOOT_PROCESS, BOOT_THREAD, Deadline, Model, Op, Slot, Step};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Kind, Rights, Signals};

/// xorshift64*: the same numbers for the same seed, everywhere.
pub struct Random(u64);

impl Random {
    /// Any seed will do.
    pub fn new(seed: u64) -> Random {
        Random((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len() as u64) as usize])
    }
}

/// Pages of address space where a process can have something mapped; higher ones are addresses nobody can have.
const PAGES: u64 = 3;
/// Entries in the tables of processes: as many as the kernel closes in one step of taking a process apart. With more, what the
/// revocation of a quota does between two such steps would differ in order.
pub const HANDLES: u64 = 16;

/// A history that is written down: each step is made as it is added.
pub struct Script {
    /// Where it has come to.
    pub model: Model,
    /// What was done.
    pub steps: Vec<Step>,
}

impl Script {
    /// A script that goes on from here.
    pub fn new(model: Model) -> Script {
        Script { model, steps: vec![] }
    }

    /// Makes a step.
    pub fn make(&mut self, step: Step) {
        self.model.step(&step);
        self.steps.push(step);
    }

    /// A thread makes a system call. What it answers; `None` if it waits.
    pub fn by(&mut self, thread: Id, op: Op) -> Option<Answer> {
        self.make(Step::Do(thread, op));
        match &self.model.thread(thread).doing {
            Doing::Running(answer) => Some(answer.0.clone()),
            _ => None,
        }
    }

    /// The same, of a call that makes handles or nothing and cannot be refused here.
    pub fn get(&mut self, thread: Id, op: Op) -> Vec<Slot> {
        match self.by(thread, op) {
            Some(Answer::Handles(made)) => made,
            Some(Answer::Done) => vec![],
            other => panic!("{:?}: {other:?}", self.steps.last()),
        }
    }

    /// Handles of this kind in a process's table.
    pub fn handles(&self, process: Id, kind: Kind) -> Vec<Slot> {
        let table = &self.model.process(process).table;
        table.open().filter(|(_, c)| c.kind == kind).map(|(slot, _)| slot).collect()
    }

    fn channel(&mut self, quota: Slot, depths: [usize; 2]) -> [Slot; 2] {
        let ends = depths.map(|depth| Bounds { depth, bytes: 64, handles: 2 });
        let made = self.get(BOOT_THREAD, Op::ChannelCreate { quota, ends });
        [made[0], made[1]]
    }

    /// Makes a small world of the first process: two more processes of three threads, each with memory, a quota and ends of
    /// channels to both others; and in each a port to which its ends are bound.
    pub fn populate(&mut self) {
        let (own, root, identity) = (1, 2, 3);
        let read_write = (Rights::READ | Rights::WRITE).bits();
        let between = self.channel(root, [2, 1]);
        for (child, sibling) in between.into_iter().enumerate() {
            let quota = self.get(BOOT_THREAD, Op::QuotaCreate { quota: root, pages: 60, cpu: 100 })[0];
            let (max_priority, cpu) = (10, 50);
            // One table is small, so that it is often full.
            let handles = HANDLES - 7 * child as u64;
            let made = Op::ProcessCreate { quota, identity, handles, max_priority, cpu };
            let process = self.get(BOOT_THREAD, made)[0];
            let vmo = self.get(BOOT_THREAD, Op::VmoCreate { quota: root, bytes: 8192 })[0];
            self.get(BOOT_THREAD, Op::Map { process, vmo, page: 0, access: read_write });
            if child == 0 {
                self.get(BOOT_THREAD, Op::Map { process: own, vmo, page: 0, access: read_write });
            }
            self.get(BOOT_THREAD, Op::Close { handle: vmo });
            let link = self.channel(root, [1, 2]);
            for gift in [link[1], sibling, quota] {
                let thread = self.get(BOOT_THREAD, Op::ThreadCreate { process, quota, priority: 10 })[0];
                self.get(BOOT_THREAD, Op::ThreadStart { thread, gift });
                self.get(BOOT_THREAD, Op::Close { handle: thread });
            }
        }
        let first = |process: &crate::Process| process.threads[0];
        let processes: Vec<(Id, Id)> = self.model.processes().map(|(id, p)| (id, first(p))).collect();
        for (process, thread) in processes {
            let quota = self.handles(process, Kind::Quota)[0];
            let port = self.get(thread, Op::PortCreate { quota })[0];
            for (n, object) in self.handles(process, Kind::Channel).into_iter().enumerate() {
                let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits();
                self.get(thread, Op::Bind { port, object, key: 7 + n as u64, signals });
            }
        }
        self.share_port();
    }

    /// The second process gets a handle to the port of the first, so that threads of both can wait there.
    fn share_port(&mut self) {
        let port = self.handles(BOOT_PROCESS, Kind::Port)[0];
        let rights = Kind::Port.all_rights().bits();
        let handles = Slots(self.get(BOOT_THREAD, Op::Dup { handle: port, rights }));
        let link = self.handles(BOOT_PROCESS, Kind::Channel)[0];
        let draft = Draft { handles, ..Draft::default() };
        let at = Buffers::default();
        self.get(BOOT_THREAD, Op::Send { end: link, draft, at, deadline: Deadline::Now });
        let second = self.model.processes().find(|(id, _)| *id != BOOT_PROCESS);
        let Some((process, thread)) = second.map(|(id, process)| (id, process.threads[0])) else { return };
        let end = self.handles(process, Kind::Channel)[0];
        let room = Room { bytes: 0, handles: 1, at };
        self.by(thread, Op::Recv { end, room });
    }
}

/// What the threads of a random history are mostly after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Habit {
    /// Anything that goes through channels and ports.
    Talk,
    /// Short calls and their answers, as the fast path takes them.
    Serve,
    /// Making, handing out and ending objects.
    Make,
}

/// Which steps a random history is made of.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    /// What its threads are mostly after.
    pub habit: Habit,
    /// Threads that were woken go on at once, as on a hart with nothing else to do; else whenever it pleases chance.
    pub eager: bool,
    /// One step in so many ends a process, a quota or a thread; 0: none.
    pub death: u64,
}

impl Taste {
    /// Seeds take turns.
    pub fn of(seed: u64) -> Taste {
        let [habit, death] = [seed % 3, seed / 3 % 3].map(|n| n as usize);
        let habit = [Habit::Talk, Habit::Serve, Habit::Make][habit];
        Taste { habit, eager: (seed / 9).is_multiple_of(3), death: [0, 300, 60][death] }
    }
}

/// The step that a woken thread makes at once, if any was woken.
pub fn eager_step(model: &Model) -> Option<Step> {
    let woken = model.threads().map(|(id, _)| id).find(|id| model.can_go_on(*id));
    woken.map(Step::GoOn)
}

/// A random step that can be made, most likely a sensible one. `None`: nobody can do anything, and nothing will happen.
pub fn random_step(model: &Model, random: &mut Random, taste: Taste) -> Option<Step> {
    let of = |can: &dyn Fn(Id) -> bool| {
        let ids: Vec<Id> = model.threads().map(|(id, _)| id).filter(|id| can(*id)).collect();
        ids
    };
    if taste.eager
        && let Some(step) = eager_step(model)
    {
        return Some(step);
    }
    let (ready, woken) = (of(&|id| model.can_run(id)), of(&|id| model.can_go_on(id)));
    if random.one_in(12) {
        return Some(Step::Tick);
    }
    if taste.death != 0 && random.one_in(5 * taste.death) {
        let alive: Vec<Id> = model.processes().filter(|(_, p)| p.is_alive()).map(|(id, _)| id).collect();
        return random.pick(&alive).map(Step::End);
    }
    if !woken.is_empty() && (ready.is_empty() || random.one_in(2)) {
        return random.pick(&woken).map(Step::GoOn);
    }
    let Some(thread) = random.pick(&ready) else {
        let timed = model.threads().any(|(_, thread)| thread.left().is_some());
        return timed.then_some(Step::Tick);
    };
    let mut chooser = Chooser { model, random, process: model.thread(thread).process };
    if taste.death != 0 && chooser.random.one_in(taste.death) {
        return Some(chooser.death(thread));
    }
    Some(Step::Do(
        thread,
        match taste.habit {
            Habit::Serve if !chooser.random.one_in(5) => chooser.serve(thread),
            Habit::Make if !chooser.random.one_in(3) => chooser.make(),
            _ => chooser.op(),
        },
    ))
}

struct Chooser<'a> {
    model: &'a Model,
    random: &'a mut Random,
    process: Id,
}

impl Chooser<'_> {
    /// Mostly a handle of this kind.
    fn handle(&mut self, kind: Kind) -> Slot {
        let table = &self.model.process(self.process).table;
        let usual: Vec<Slot> = table.open().filter(|(_, c)| c.kind == kind).map(|(slot, _)| slot).collect();
        match self.random.pick(&usual).filter(|_| !self.random.one_in(20)) {
            Some(slot) => slot,
            None => self.random.below(HANDLES + 2) as Slot,
        }
    }

    fn any_handle(&mut self) -> Slot {
        let table = &self.model.process(self.process).table;
        let open: Vec<Slot> = table.open().map(|(slot, _)| slot).collect();
        match self.random.pick(&open).filter(|_| !self.random.one_in(20)) {
            Some(slot) => slot,
            None => self.random.below(HANDLES + 2) as Slot,
        }
    }

    /// At most one thing becomes due in a tick, because those of one tick have no order.
    fn deadline(&mut self) -> Deadline {
        let ticks = 1 + self.random.below(9) as u32;
        let taken = self.model.objects.values().any(|object| match &object.body {
            Body::Thread(thread) => thread.left() == Some(ticks),
            Body::Timer(timer) => timer.left == Some(ticks),
            _ => false,
        });
        match self.random.below(8) {
            0 | 1 => Deadline::Now,
            2 => Deadline::Past,
            3..6 if !taken => Deadline::After(ticks),
            _ => Deadline::Never,
        }
    }

    fn page(&mut self) -> u8 {
        let page = self.random.below(PAGES + 2) as u8;
        if self.random.one_in(15) { page } else { 0 }
    }

    fn buffers(&mut self) -> Buffers {
        Buffers { bytes: self.page(), handles: self.page() }
    }

    fn room(&mut self) -> Room {
        let bytes = self.random.pick(&[0, 48, 49, 64, 64, 65, 257, 4096, 4097]).unwrap_or_default();
        let bytes = if bytes == 4097 && !self.random.one_in(8) { 64 } else { bytes };
        let handles = self.random.pick(&[0, 1, 2, 2, 3, 8, 8]).unwrap_or_default();
        Room { bytes, handles, at: self.buffers() }
    }

    fn draft(&mut self) -> Draft {
        let bytes = self.random.pick(&[0, 1, 8, 13, 47, 48, 48, 49, 64, 65, 257, 4097]).unwrap_or_default();
        let bytes = if bytes > 65 && !self.random.one_in(8) { 64 } else { bytes };
        let count = match self.random.below(12) {
            0..7 => 0,
            7..10 => 1,
            10 => 2,
            _ => self.random.pick(&[3, 8, 9]).unwrap_or_default(),
        };
        let handles = (0..count).map(|_| self.any_handle()).collect();
        Draft { bytes, fill: self.random.below(256) as u8, handles: Slots(handles) }
    }

    fn token(&mut self) -> u32 {
        let open: Vec<u32> = self
            .model
            .threads()
            .filter_map(|(_, thread)| match thread.doing {
                Doing::Open { token, .. } => Some(token),
                _ => None,
            })
            .collect();
        match self.random.pick(&open).filter(|_| !self.random.one_in(10)) {
            Some(token) => token,
            None => 1 + self.random.below(4) as u32,
        }
    }

    fn bounds(&mut self) -> Bounds {
        let depth = self.random.pick(&[0, 1, 1, 2, 2, 3, 256, 257]).unwrap_or_default();
        let bytes = self.random.pick(&[0, 8, 48, 64, 64, 256, 4096, 4097]).unwrap_or_default();
        let handles = self.random.pick(&[0, 1, 2, 2, 2, 8, 9]).unwrap_or_default();
        let sane = depth <= 3 && bytes <= 4096 && handles <= 8;
        let sane = sane || self.random.one_in(6);
        if sane { Bounds { depth, bytes, handles } } else { Bounds { depth: 1, bytes: 64, handles: 2 } }
    }

    fn rights(&mut self, all: u32) -> u32 {
        let drop = self.random.next() as u32 & self.random.next() as u32;
        match self.random.below(6) {
            0..3 => all & !drop,
            3..5 => all,
            _ => self.random.next() as u32 & 0x7f_ffff,
        }
    }

    fn death(&mut self, thread: Id) -> Step {
        let (code, whole_process) = (self.random.below(100), self.random.one_in(2));
        match self.random.below(5) {
            0 => Step::Fault(thread),
            1 => Step::Do(thread, Op::Exit { code, whole_process }),
            2 => Step::Do(thread, Op::QuotaDestroy { quota: self.handle(Kind::Quota) }),
            _ => Step::Do(thread, Op::Kill { process: self.handle(Kind::Process) }),
        }
    }

    fn op(&mut self) -> Op {
        let end = self.handle(Kind::Channel);
        let quota = self.handle(Kind::Quota);
        match self.random.below(100) {
            0..16 => Op::Send { end, draft: self.draft(), at: self.buffers(), deadline: self.deadline() },
            16..32 => Op::Call { end, draft: self.draft(), room: self.room(), deadline: self.deadline() },
            32..44 => Op::Recv { end, room: self.room() },
            44..46 => Op::Discard { end },
            46..58 => {
                let open = self.model.threads().any(|(_, t)| matches!(t.doing, Doing::Open { .. }));
                let token = if open && !self.random.one_in(3) { self.token() } else { 0 };
                let draft = if token == 0 { Draft::default() } else { self.draft() };
                let (port, room, deadline) = (self.handle(Kind::Port), self.room(), self.deadline());
                Op::Wait { port, token, draft, room, deadline }
            }
            58..66 => Op::Reply { token: self.token(), draft: self.draft(), at: self.buffers() },
            66..72 => self.bind(),
            72..75 => Op::Signal { port: self.handle(Kind::Port), bits: self.user_bits() },
            75..78 => Op::Close { handle: self.any_handle() },
            78..81 => self.dup(),
            81..84 => Op::ChannelCreate { quota, ends: [self.bounds(), self.bounds()] },
            84..86 => Op::PortCreate { quota },
            86..95 => self.memory_or_time(quota),
            _ => self.rare(quota),
        }
    }

    /// Every second thread of a process answers what was asked of it and waits, the others ask.
    fn serve(&mut self, thread: Id) -> Op {
        let bytes = self.random.pick(&[0, 8, 24, 48]).unwrap_or_default();
        let draft = Draft { bytes, fill: self.random.below(256) as u8, handles: Slots::default() };
        let deadline = if self.random.one_in(10) { self.deadline() } else { Deadline::Never };
        let room = Room { bytes: self.random.pick(&[0, 64, 4096]).unwrap_or_default(), ..Room::default() };
        let threads = &self.model.process(self.process).threads;
        if threads.iter().position(|other| *other == thread).is_some_and(|n| n % 2 == 0) && threads.len() > 1
        {
            return Op::Call { end: self.handle(Kind::Channel), draft, room, deadline };
        }
        let table = &self.model.process(self.process).table;
        let mine = |at| table.open().any(|(_, c)| (c.object, c.end) == at);
        let asked = self.model.threads().find_map(|(_, thread)| match thread.doing {
            Doing::Open { at, token, .. } if mine(at) => Some(token),
            _ => None,
        });
        Op::Wait { port: self.handle(Kind::Port), token: asked.unwrap_or(0), draft, room, deadline }
    }

    /// Objects of every kind, and rights to them.
    fn make(&mut self) -> Op {
        let quota = self.handle(Kind::Quota);
        match self.random.below(10) {
            0 | 1 => self.dup(),
            2 => self.seal(),
            3..6 => self.memory_or_time(quota),
            6 => self.give(),
            _ => self.rare(quota),
        }
    }

    /// What it takes to seal a vmo: no handle with WRITE.
    fn seal(&mut self) -> Op {
        let vmo = self.handle(Kind::Vmo);
        let rights = self.model.look_up(self.process, vmo).map_or(Rights::empty(), |c| c.rights);
        match self.random.below(3) {
            _ if !rights.contains(Rights::WRITE) => Op::Seal { vmo },
            0 => Op::Close { handle: vmo },
            _ => Op::Dup { handle: vmo, rights: (rights - Rights::WRITE).bits() },
        }
    }

    /// Handles to whoever asked or will hear.
    fn give(&mut self) -> Op {
        let handles = Slots((0..1 + self.random.below(2)).map(|_| self.any_handle()).collect());
        let draft = Draft { handles, ..Draft::default() };
        let room = Room { handles: 8, ..Room::default() };
        match self.random.below(4) {
            0 => Op::Call { end: self.handle(Kind::Channel), draft, room, deadline: Deadline::Never },
            1 => Op::Send {
                end: self.handle(Kind::Channel),
                draft,
                at: Buffers::default(),
                deadline: Deadline::Never,
            },
            2 => Op::Reply { token: self.token(), draft, at: Buffers::default() },
            _ => Op::Wait {
                port: self.handle(Kind::Port),
                token: 0,
                draft: Draft::default(),
                room,
                deadline: Deadline::Now,
            },
        }
    }

    fn user_bits(&mut self) -> u32 {
        let raw = self.random.next() as u32;
        if self.random.one_in(6) { raw & 0x3_0001 } else { (raw & 0x7_0000) | 0x1_0000 }
    }

    fn bind(&mut self) -> Op {
        let kind =
            self.random.pick(&[Kind::Channel, Kind::Channel, Kind::Channel, Kind::Timer, Kind::Process]);
        let kind = kind.unwrap_or(Kind::Channel);
        let all = match kind {
            Kind::Timer => Signals::EXPIRED,
            Kind::Process => Signals::ENDING | Signals::TERMINATED,
            _ => Signals::READABLE | Signals::WRITABLE | Signals::PEER_CLOSED,
        };
        let signals = match self.random.below(8) {
            0 => 0,
            1 => self.random.next() as u32 & 0x3f,
            2 => all.bits() & self.random.next() as u32,
            _ => all.bits(),
        };
        let (port, object) = (self.handle(Kind::Port), self.handle(kind));
        Op::Bind { port, object, key: self.random.below(5) << 33 | 1, signals }
    }

    fn dup(&mut self) -> Op {
        let kind = self.random.pick(&[Kind::Vmo, Kind::Process, Kind::Thread, Kind::Quota]);
        let handle = match kind.filter(|_| self.random.one_in(2)) {
            Some(kind) => self.handle(kind),
            None => self.any_handle(),
        };
        let all = self.model.look_up(self.process, handle).map_or(u32::MAX, |c| c.rights.bits());
        Op::Dup { handle, rights: self.rights(all) }
    }

    fn memory_or_time(&mut self, quota: Slot) -> Op {
        let timer = self.handle(Kind::Timer);
        let (process, vmo) = (self.handle(Kind::Process), self.handle(Kind::Vmo));
        let page = self.random.below(PAGES) as u8;
        match self.random.below(9) {
            0 => Op::TimerCreate { quota },
            1 | 2 => {
                let deadline = match self.deadline() {
                    // The kernel fires a timer that is set to the past at the next interrupt, not at once.
                    Deadline::Now | Deadline::Past => Deadline::Never,
                    other => other,
                };
                Op::TimerSet { timer, deadline }
            }
            3 => Op::VmoCreate { quota, bytes: self.random.pick(&[0, 1, 4096, 4097, 8192]).unwrap_or(4096) },
            4 => Op::Seal { vmo },
            5 => Op::Unmap { process, page },
            _ => {
                let access = self.random.pick(&[1 << 10, 3 << 10, 3 << 10, 5 << 10, 1 << 11, 1 << 30]);
                Op::Map { process, vmo, page, access: access.unwrap_or_default() }
            }
        }
    }

    fn rare(&mut self, quota: Slot) -> Op {
        let (process, identity) = (self.handle(Kind::Process), self.handle(Kind::Identity));
        let may_kill = self.model.look_up_as(self.process, process, Kind::Process, Rights::MANAGE).is_ok();
        match self.random.below(9) {
            5 if !may_kill => Op::Kill { process },
            6 => self.give(),
            0 | 7 => Op::QuotaCreate {
                quota,
                pages: self.random.pick(&[0, 3, 4, 5, 30, 1 << 33]).unwrap_or(3),
                cpu: self.random.pick(&[0, 10, 1001]).unwrap_or(0),
            },
            1 => Op::IdentityCreate { minter: identity, quota, service: self.random.below(9) },
            2 | 8 => Op::ProcessCreate {
                quota,
                identity,
                handles: self.random.pick(&[0, 2, 2, 5, HANDLES]).unwrap_or(HANDLES),
                max_priority: self.random.pick(&[5, 10, 21, 32]).unwrap_or(5),
                cpu: self.random.pick(&[0, 10, 1001]).unwrap_or(0),
            },
            3 => Op::ThreadCreate { process, quota, priority: self.random.pick(&[5, 10, 32]).unwrap_or(5) },
            _ => {
                let gift = match self.random.below(3) {
                    0 => 0,
                    1 => self.any_handle(),
                    _ => self.handle(Kind::Channel),
                };
                Op::ThreadStart { thread: self.handle(Kind::Thread), gift }
            }
        }
    }
}

/// The steps that end everything. Afterwards nothing is charged to anybody.
pub fn end_all(model: &Model) -> Vec<Step> {
    model.processes().filter(|(_, process)| process.is_alive()).map(|(id, _)| Step::End(id)).collect()
}

/// A shortest part of a history that still fails: no step of it can be left out.
pub fn shrink(mut history: Vec<Step>, fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut chunk = history.len() / 2;
    while chunk != 0 {
        let mut at = 0;
        let before = history.len();
        while at < history.len() {
            let mut shorter = history.clone();
            shorter.drain(at..(at + chunk).min(history.len()));
            if fails(&shorter) {
                history = shorter;
            } else {
                at += chunk;
            }
        }
        // Leaving one step out can make another superfluous.
        if chunk > 1 || history.len() == before {
            chunk /= 2;
        }
    }
    history
}
