//! Histories: a populated world, random steps in it, and the shortest part of a history that still fails.

use crate::channel::Bounds;
use crate::message::{Buffers, Draft, Room, Slots};
use crate::object::{Body, Id};
use crate::process::Doing;
use crate::{Answer, BOOT_THREAD, Deadline, Model, Op, Slot, Step};
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
/// Entries in the tables of processes; one more than fit one step of taking a process apart must not be.
pub const HANDLES: u64 = 16;

/// The steps that make a small world of the first: two more processes of three threads, each with memory, a quota and ends
/// of channels to both others.
pub fn populate(model: &mut Model) -> Vec<Step> {
    let mut script = Script { model, steps: vec![] };
    let (own, root, identity) = (1, 2, 3);
    let read_write = (Rights::READ | Rights::WRITE).bits();
    let between = script.channel(root, [2, 1]);
    for (child, sibling) in between.into_iter().enumerate() {
        let quota = script.get(Op::QuotaCreate { quota: root, pages: 60, cpu: 100 })[0];
        let (max_priority, cpu) = (10, 50);
        let process =
            script.get(Op::ProcessCreate { quota, identity, handles: HANDLES, max_priority, cpu })[0];
        let vmo = script.get(Op::VmoCreate { quota: root, bytes: 8192 })[0];
        script.get(Op::Map { process, vmo, page: 0, access: read_write });
        if child == 0 {
            script.get(Op::Map { process: own, vmo, page: 0, access: read_write });
        }
        script.get(Op::Close { handle: vmo });
        let link = script.channel(root, [1, 2]);
        let gifts = [link[1], sibling, quota];
        for gift in gifts {
            let thread = script.get(Op::ThreadCreate { process, quota, priority: 10 })[0];
            script.get(Op::ThreadStart { thread, gift });
            script.get(Op::Close { handle: thread });
        }
    }
    script.get(Op::PortCreate { quota: root });
    script.steps
}

struct Script<'m> {
    model: &'m mut Model,
    steps: Vec<Step>,
}

impl Script<'_> {
    fn get(&mut self, op: Op) -> Vec<Slot> {
        let step = Step::Do(BOOT_THREAD, op);
        self.model.step(&step);
        let Doing::Running(answer) = &self.model.thread(BOOT_THREAD).doing else { panic!("{step:?} waits") };
        let made = match &answer.0 {
            Answer::Done => vec![],
            Answer::Handles(made) => made.clone(),
            other => panic!("{step:?}: {other:?}"),
        };
        self.steps.push(step);
        made
    }

    fn channel(&mut self, quota: Slot, depths: [usize; 2]) -> [Slot; 2] {
        let ends = depths.map(|depth| Bounds { depth, bytes: 64, handles: 2 });
        let made = self.get(Op::ChannelCreate { quota, ends });
        [made[0], made[1]]
    }
}

/// Which steps a random history is made of.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    /// Threads that were woken go on at once, as on a hart with nothing else to do; else whenever it pleases chance.
    pub eager: bool,
    /// One step in so many ends a process, a quota or a thread; 0: none.
    pub death: u64,
}

impl Taste {
    /// Seeds take turns.
    pub fn of(seed: u64) -> Taste {
        Taste { eager: seed.is_multiple_of(3), death: [0, 300, 60][(seed / 3 % 3) as usize] }
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
    Some(Step::Do(thread, chooser.op()))
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
            _ => self.random.next() as u32 & 0x3f_ffff,
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
            Kind::Process => Signals::TERMINATED,
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
        let handle = self.any_handle();
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
        match self.random.below(5) {
            0 => Op::QuotaCreate {
                quota,
                pages: self.random.pick(&[0, 3, 10, 30, 1 << 33]).unwrap_or(3),
                cpu: self.random.pick(&[0, 10, 1001]).unwrap_or(0),
            },
            1 => Op::IdentityCreate { minter: identity, quota, service: self.random.below(9) },
            2 => Op::ProcessCreate {
                quota,
                identity,
                handles: self.random.pick(&[0, 2, 5, HANDLES]).unwrap_or(HANDLES),
                max_priority: self.random.pick(&[5, 10, 21, 32]).unwrap_or(5),
                cpu: self.random.pick(&[0, 10, 1001]).unwrap_or(0),
            },
            3 => Op::ThreadCreate { process, quota, priority: self.random.pick(&[5, 10, 32]).unwrap_or(5) },
            _ => {
                let gift = if self.random.one_in(2) { 0 } else { self.any_handle() };
                Op::ThreadStart { thread: self.handle(Kind::Thread), gift }
            }
        }
    }
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
