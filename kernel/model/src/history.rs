//! Histories made up at random, with a bias to what is interesting: handles that are open, threads that wait for each
//! other, queues at their bound, quotas near theirs; and now and then something that makes no sense.

use crate::model::{Model, Start};
use crate::op::{
    ActorId, Buffers, EndBounds, HandleName, Memory, Op, Outgoing, Payload, Sizes, ThreadName, TokenName,
};
use crate::outcome::Phase;
use crate::rng::Rng;
use nexus_abi::{Kind, Rights, Signals, Ticks, NEVER, NOW};

/// Steps, each with who makes it.
pub type History = Vec<(ActorId, Op)>;

/// Sizes around each bound of a message.
const BYTES: [usize; 9] = [0, 1, 8, 48, 49, 200, 4095, 4096, 4097];
/// Longest step of time, in ticks.
const MAX_STEP: u64 = 40;

/// Steps at the beginning that mostly build what the rest is about.
const PROLOGUE: usize = 40;
/// Processes and threads that the prologue aims at.
const PROCESSES: usize = 3;
const THREADS: usize = 6;

/// Makes up one step after the other.
pub struct Generator {
    rng: Rng,
    fresh: u32,
    /// Deadlines are all different: what is due at the same time has no order that a kernel must keep.
    last_deadline: Ticks,
    steps: usize,
}

impl Generator {
    /// The same seed makes up the same history.
    pub fn new(seed: u64) -> Generator {
        Generator { rng: Rng::new(seed), fresh: 0, last_deadline: 0, steps: 0 }
    }

    /// The next step, for the state that the last one led to.
    pub fn next(&mut self, model: &Model) -> (ActorId, Op) {
        self.steps += 1;
        let ready: Vec<ThreadName> =
            model.observe().threads.iter().filter(|(_, p)| **p == Phase::Ready).map(|(id, _)| *id).collect();
        match self.rng.pick(&ready) {
            Some(actor) if self.steps < PROLOGUE && !self.rng.one_in(8) => (actor, self.plumb(model, actor)),
            Some(actor) if !self.rng.one_in(25) => (actor, self.op(model, actor)),
            _ => (ThreadName(0), Op::Advance { to: model.now() + 1 + self.rng.next() % MAX_STEP }),
        }
    }

    /// A number not used before in this history.
    fn fresh(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }

    /// A handle of this kind, mostly.
    fn handle(&mut self, model: &Model, actor: ActorId, kind: Kind) -> HandleName {
        let all = model.handles(actor);
        let fitting: Vec<_> = all.iter().filter(|(_, k, _)| *k == kind).collect();
        if self.rng.one_in(40) || fitting.is_empty() && self.rng.one_in(2) {
            return HandleName(self.rng.below(model.names_given(actor) as usize + 2) as u32);
        }
        // The latest are the most interesting: what was made or received just now.
        let late = &fitting[fitting.len().saturating_sub(4)..];
        let chosen = if self.rng.one_in(2) { self.rng.pick(late) } else { self.rng.pick(&fitting) };
        match chosen {
            Some((name, ..)) => *name,
            None => self.rng.pick(&all).map_or(HandleName(0), |(name, ..)| name),
        }
    }

    fn deadline(&mut self, model: &Model) -> Ticks {
        match self.rng.below(6) {
            0 | 1 => NOW,
            2 | 3 => NEVER,
            _ => {
                let soon = model.now() + 1 + self.rng.next() % (2 * MAX_STEP);
                self.last_deadline = soon.max(self.last_deadline + 1);
                self.last_deadline
            }
        }
    }

    fn memory(&mut self) -> Memory {
        match self.rng.below(24) {
            0 => Memory::Unmapped,
            1 => Memory::ReadOnly,
            _ => Memory::Writable,
        }
    }

    fn buffers(&mut self) -> Buffers {
        Buffers { bytes: self.memory(), handles: self.memory() }
    }

    fn bytes(&mut self) -> usize {
        if self.rng.one_in(3) { self.rng.pick(&BYTES).unwrap_or(0) } else { self.rng.below(60) }
    }

    fn message(&mut self, model: &Model, actor: ActorId) -> Outgoing {
        let payload = Payload::new(self.bytes(), self.fresh());
        let count = match self.rng.below(12) {
            0..=5 => 0,
            6..=8 => 1,
            9 => 2,
            10 => 3,
            _ => self.rng.below(10),
        };
        let kinds = [Kind::Channel, Kind::Channel, Kind::Vmo, Kind::Port, Kind::Quota, Kind::Process, Kind::Timer];
        let handles = (0..count).filter_map(|_| {
            let kind = self.rng.pick(&kinds)?;
            Some(self.handle(model, actor, kind))
        });
        Outgoing { payload, handles: handles.collect() }
    }

    fn room(&mut self) -> Sizes {
        match self.rng.below(5) {
            0 => Sizes { bytes: self.bytes(), handles: self.rng.below(10) },
            _ => Sizes { bytes: 4096, handles: 8 },
        }
    }

    fn end_bounds(&mut self) -> EndBounds {
        if self.rng.one_in(15) {
            let depth = self.rng.pick(&[0, 1, 255, 256, 257]).unwrap_or(0);
            return EndBounds { depth, largest: Sizes { bytes: self.bytes(), handles: self.rng.below(10) } };
        }
        let depth = self.rng.pick(&[0, 1, 1, 2, 2, 3]).unwrap_or(1);
        let bytes = self.rng.pick(&[0, 48, 64, 4096, 4096]).unwrap_or(64);
        EndBounds { depth, largest: Sizes { bytes, handles: self.rng.pick(&[0, 1, 2, 8, 8]).unwrap_or(8) } }
    }

    fn rights(&mut self, of: Rights) -> Rights {
        let mut rights = of;
        for right in Rights::all().iter() {
            if self.rng.one_in(5) {
                rights -= right;
            } else if self.rng.one_in(300) {
                rights |= right;
            }
        }
        rights
    }

    fn token(&mut self, model: &Model, actor: ActorId) -> TokenName {
        let open = model.tokens(actor);
        match self.rng.pick(&open) {
            Some(token) if !self.rng.one_in(15) => token,
            _ => TokenName(self.rng.below(model.tokens_given() as usize + 1) as u32),
        }
    }

    fn op(&mut self, model: &Model, actor: ActorId) -> Op {
        let open = model.tokens(actor);
        match self.rng.below(100) {
            0..=17 => Op::ChannelSend {
                endpoint: self.handle(model, actor, Kind::Channel),
                message: self.message(model, actor),
                buffers: self.buffers(),
                deadline: self.deadline(model),
            },
            18..=29 => Op::ChannelCall {
                endpoint: self.handle(model, actor, Kind::Channel),
                message: self.message(model, actor),
                room: self.room(),
                buffers: self.buffers(),
                deadline: self.deadline(model),
            },
            30..=41 => Op::ChannelRecv {
                endpoint: self.handle(model, actor, Kind::Channel),
                room: self.room(),
                buffers: self.buffers(),
                discard: self.rng.one_in(6),
            },
            42..=53 => self.reply_and_wait(model, actor),
            54..=58 => self.make(model, actor),
            59..=64 => self.bind(model, actor),
            65..=67 => Op::HandleDup {
                handle: self.any(model, actor),
                rights: {
                    let all = model.handles(actor);
                    let of = self.rng.pick(&all).map_or(Rights::all(), |(_, _, rights)| rights);
                    self.rights(of)
                },
            },
            68 => Op::HandleClose { handle: self.handle(model, actor, Kind::Channel) },
            69..=72 => Op::HandleClose { handle: self.any(model, actor) },
            73..=77 => self.start_something(model, actor),
            78..=79 => Op::PortSignal {
                port: self.handle(model, actor, Kind::Port),
                bits: Signals::from_bits_retain(1 << (15 + self.rng.below(8))),
            },
            80..=82 => Op::TimerSet {
                timer: self.handle(model, actor, Kind::Timer),
                deadline: self.deadline(model),
            },
            83..=86 => self.memory_op(model, actor),
            87 => Op::QuotaCreate {
                quota: self.handle(model, actor, Kind::Quota),
                pages: 5 + self.rng.next() % 120,
                cpu: self.rng.next() % 40,
            },
            88 if self.rng.one_in(2) => self.end_something(model, actor),
            _ if open.is_empty() => self.reply_and_wait(model, actor),
            _ => Op::ChannelReply {
                token: self.token(model, actor),
                message: self.message(model, actor),
                buffers: self.buffers(),
            },
        }
    }

    fn any(&mut self, model: &Model, actor: ActorId) -> HandleName {
        let kind = self.rng.pick(Kind::ALL).unwrap_or(Kind::Channel);
        self.handle(model, actor, kind)
    }

    fn reply_and_wait(&mut self, model: &Model, actor: ActorId) -> Op {
        let answers = !model.tokens(actor).is_empty() || self.rng.one_in(20);
        let reply = answers.then(|| (self.token(model, actor), self.message(model, actor)));
        Op::ReplyAndWait {
            port: self.handle(model, actor, Kind::Port),
            reply,
            room: self.room(),
            buffers: self.buffers(),
            deadline: self.deadline(model),
        }
    }

    fn make(&mut self, model: &Model, actor: ActorId) -> Op {
        let quota = self.handle(model, actor, Kind::Quota);
        match self.rng.below(9) {
            0..=3 => Op::ChannelCreate { quota, ends: [self.end_bounds(), self.end_bounds()] },
            4 => Op::PortCreate { quota },
            5 => Op::VmoCreate { quota, pages: self.rng.pick(&[0, 1, 1, 2, 3, 100]).unwrap_or(1) },
            6 => Op::TimerCreate { quota },
            7 => Op::PortCreate { quota },
            _ => {
                let minter = self.handle(model, actor, Kind::Identity);
                Op::IdentityCreate { minter, quota, service: self.rng.below(5) as u32 + 1 }
            }
        }
    }

    fn bind(&mut self, model: &Model, actor: ActorId) -> Op {
        let kind = self.rng.pick(&[Kind::Channel, Kind::Channel, Kind::Channel, Kind::Timer, Kind::Process]);
        let kind = kind.unwrap_or(Kind::Channel);
        let signals = match self.rng.below(8) {
            0 => Signals::empty(),
            1 => Signals::from_bits_retain(1 << self.rng.below(6)),
            _ => crate::port::signals_of(kind),
        };
        Op::PortBind {
            port: self.handle(model, actor, Kind::Port),
            object: self.handle(model, actor, kind),
            key: self.fresh() as u64,
            signals,
        }
    }

    fn start_something(&mut self, model: &Model, actor: ActorId) -> Op {
        match self.rng.below(7) {
            0 => Op::ProcessCreate {
                quota: self.handle(model, actor, Kind::Quota),
                identity: self.handle(model, actor, Kind::Identity),
                handles: self.rng.pick(&[0, 2, 6, 16, 64, 257]).unwrap_or(16),
                cpu: self.rng.next() % 20,
            },
            1..=2 => Op::ThreadCreate {
                process: self.handle(model, actor, Kind::Process),
                quota: self.handle(model, actor, Kind::Quota),
            },
            _ => {
                let kind = self.rng.pick(&[Kind::Channel, Kind::Port, Kind::Quota]).unwrap_or(Kind::Channel);
                let handle = (!self.rng.one_in(4)).then(|| self.handle(model, actor, kind));
                Op::ThreadStart { thread: self.handle(model, actor, Kind::Thread), handle }
            }
        }
    }

    /// Builds what the actor's process has not yet: ends, a port, other processes with threads to talk to.
    fn plumb(&mut self, model: &Model, actor: ActorId) -> Op {
        let seen = model.observe();
        let unstarted = seen.threads.values().any(|phase| *phase == Phase::Created);
        let kinds: Vec<Kind> = model.handles(actor).into_iter().map(|(_, kind, _)| kind).collect();
        let count = |kind: Kind| kinds.iter().filter(|k| **k == kind).count();
        let quota = self.handle(model, actor, Kind::Quota);
        let pays = count(Kind::Quota) > 0;
        if self.rng.one_in(6) && count(Kind::Port) > 0 {
            return self.bind(model, actor);
        }
        if count(Kind::Channel) < 4 && pays {
            return Op::ChannelCreate { quota, ends: [self.end_bounds(), self.end_bounds()] };
        }
        if count(Kind::Port) == 0 && pays {
            return Op::PortCreate { quota };
        }
        if unstarted && count(Kind::Thread) > 0 {
            let kind = self.rng.pick(&[Kind::Channel, Kind::Channel, Kind::Port, Kind::Quota]);
            let handle = kind.map(|kind| self.handle(model, actor, kind));
            return Op::ThreadStart { thread: self.handle(model, actor, Kind::Thread), handle };
        }
        if pays && count(Kind::Identity) > 0 && seen.processes.len() < PROCESSES {
            let identity = self.handle(model, actor, Kind::Identity);
            return Op::ProcessCreate { quota, identity, handles: 32, cpu: self.rng.next() % 10 };
        }
        if pays && count(Kind::Process) > 0 && seen.threads.len() < THREADS {
            return Op::ThreadCreate { process: self.handle(model, actor, Kind::Process), quota };
        }
        if pays && count(Kind::Timer) == 0 {
            return Op::TimerCreate { quota };
        }
        self.op(model, actor)
    }

    fn memory_op(&mut self, model: &Model, actor: ActorId) -> Op {
        let access = [Rights::READ, Rights::READ | Rights::WRITE, Rights::READ | Rights::EXECUTE, Rights::WRITE];
        // A few pages on both sides of the edges of a leaf table and of a middle table.
        let places = [1, 2, 3, 511, 512, 1024, 512 * 512 - 1, 512 * 512, (1 << 26) - 1, 0];
        let process = self.handle(model, actor, Kind::Process);
        let page = self.rng.pick(&places).unwrap_or(1);
        match self.rng.below(5) {
            0 => Op::VmoSeal { vmo: self.handle(model, actor, Kind::Vmo) },
            1 => Op::VmUnmap { process, page },
            _ => Op::VmMap {
                process,
                vmo: self.handle(model, actor, Kind::Vmo),
                offset: self.rng.next() % 2,
                pages: self.rng.pick(&[0, 1, 1, 2, 3]).unwrap_or(1),
                page,
                access: self.rng.pick(&access).unwrap_or(Rights::READ),
            },
        }
    }

    fn end_something(&mut self, model: &Model, actor: ActorId) -> Op {
        match self.rng.below(4) {
            0 => Op::ProcessKill { process: self.handle(model, actor, Kind::Process) },
            1 => match self.handle(model, actor, Kind::Quota) {
                // Without its first quota a history has little left to do.
                Start::QUOTA if !self.rng.one_in(6) => Op::ThreadExit { code: 1, whole_process: false },
                quota => Op::QuotaDestroy { quota },
            },
            2 => Op::ProcessKill { process: self.handle(model, actor, Kind::Process) },
            _ => Op::ThreadExit { code: self.rng.next() % 100, whole_process: self.rng.one_in(2) },
        }
    }
}
