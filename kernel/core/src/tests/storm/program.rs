//! What the threads of a history do: random calls with the handles that their process has, and checks of what comes back.

use super::root::Root;
use super::{Notes, Storm};
use crate::context::reg;
use crate::handles::Capability;
use crate::hart::Hart;
use crate::sync::Cell64;
use crate::tests::harts::{alone, below};
use crate::tests::tlb;
use crate::tests::world::PAGE_AT;
use crate::thread::Thread;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Handle, Kind, NEVER, NOW, Rights, Signals, Sysno, Tag};
use std::collections::BTreeMap;

/// A message as it was sent.
pub struct Sent {
    /// The thread that sent it.
    from: u64,
    /// Bytes of it.
    bytes: usize,
    handles: usize,
    /// The call that it answers; 0: it is no answer.
    token: u64,
    /// The end that it went to, as a raw reference and a bit for the end.
    to: (u64, u8),
    received: bool,
}

/// A program as it stands.
pub struct Program {
    kind: Does,
    /// The call that is under way, and the program counter that it was made at.
    asked: Option<(Sysno, u64)>,
    /// The number of the message that goes with it.
    message: u64,
    /// Calls that it has to answer.
    open: Vec<u64>,
    /// The newest message that it got from each other thread at each end.
    newest: BTreeMap<(u64, (u64, u8)), u64>,
    /// What it likes to do.
    taste: u64,
    /// The handle of the call that is under way; one that is of no use any more.
    through: u64,
    useless: Option<u64>,
    /// The endpoint whose calls are answered, and the port where messages come.
    answered_by: Option<u64>,
    served_at: Option<u64>,
    /// An endpoint that has just arrived.
    fresh: Option<u64>,
}

enum Does {
    Root(Box<Root>),
    Anything,
}

/// A handle of the current process.
pub type Found = (Handle, Capability);

/// A system call that a program wants to make.
pub struct Wish {
    pub number: Sysno,
    pub registers: Vec<(usize, u64)>,
}

impl Wish {
    pub fn new(number: Sysno, arguments: &[u64]) -> Wish {
        Wish { number, registers: arguments.iter().enumerate().map(|(n, v)| (reg::A0 + n, *v)).collect() }
    }

    pub fn with(mut self, register: usize, value: u64) -> Wish {
        self.registers.push((register, value));
        self
    }
}

/// Longest message of a program.
const MAX_BYTES: u64 = 200;
/// Where a thread's handle list is in its part of the page.
const HANDLES_AT: u64 = 512;

/// The `n`th word of a message.
fn word(id: u64, n: usize) -> u64 {
    if n == 0 { id } else { id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(n as u32) }
}

/// A word of a message, the last one cut to its length.
fn word_within(id: u64, n: usize, bytes: usize) -> u64 {
    match bytes.saturating_sub(8 * n) {
        8.. => word(id, n),
        left => word(id, n) & ((1 << (8 * left)) - 1),
    }
}

fn pick<T: Clone>(from: &[T]) -> Option<T> {
    (!from.is_empty()).then(|| from[below(from.len() as u64) as usize].clone())
}

impl Program {
    pub fn root(root: Root) -> Program {
        Program { kind: Does::Root(Box::new(root)), ..Program::new(false) }
    }

    /// In calm histories programs call and serve, and little else.
    fn new(calm: bool) -> Program {
        Program {
            kind: Does::Anything,
            asked: None,
            message: 0,
            open: vec![],
            newest: BTreeMap::new(),
            taste: if calm { 4 + below(3) } else { below(4) },
            through: 0,
            useless: None,
            answered_by: None,
            served_at: None,
            fresh: None,
        }
    }
}

impl Storm {
    /// What the current program does next: a system call, whose registers are set, or a fault at an address. `None`: something that
    /// the kernel does not see.
    pub fn program(&self, hart: &Hart) -> Option<Result<Sysno, u64>> {
        self.count_step();
        alone(|| {
            let kernel = self.world.kernel;
            let t = hart.current();
            let name = kernel.reference(t.frame()).to_raw();
            let mut program =
                self.note(|notes| notes.programs.remove(&name)).unwrap_or_else(|| Program::new(self.calm));
            let pc = t.context.get(reg::PC);
            let again = program.asked.filter(|(_, at)| *at == pc);
            if let Some((number, _)) = again {
                self.note(|notes| notes.programs.insert(name, program));
                return Some(Ok(number));
            }
            if let Some((number, _)) = program.asked.take() {
                self.came_back(hart, t, &mut program, number, name);
            }
            let next = self.next(hart, t, &mut program, name);
            let done = match next {
                Some(Ok(wish)) => {
                    program.asked = Some((wish.number, pc));
                    program.through = wish.registers.first().map_or(0, |(_, value)| *value);
                    // What a call leaves behind is 0; what it finds is anything.
                    for register in (5..8).chain(10..18).chain(28..32) {
                        t.context.set(register, 0x5eed_0000_0000 | below(1 << 20));
                    }
                    wish.registers.iter().for_each(|(register, value)| t.context.set(*register, *value));
                    t.context.set(reg::T[0], wish.number as u64);
                    Some(Ok(wish.number))
                }
                Some(Err(address)) => Some(Err(address)),
                None => None,
            };
            self.note(|notes| notes.programs.insert(name, program));
            done
        })
    }

    /// The handles of the current process.
    pub fn handles(&self, hart: &Hart) -> Vec<Found> {
        let kernel = self.world.kernel;
        let p = kernel.table(hart.owner());
        (1..p.handle_capacity.get())
            .filter_map(|index| {
                let (meta, _) = p.peek(&kernel.memory, index)?;
                let handle = Handle(index | ((meta >> 48) as u32) << 16);
                Some((handle, p.lookup(&kernel.memory, handle).ok()?))
            })
            .collect()
    }

    /// Reads or writes a word of the current program's memory as its instructions do; `None` if that faults.
    fn access(&self, hart: &Hart, address: u64, write: Option<u64>) -> Option<u64> {
        let kernel = self.world.kernel;
        let id = hart.id.get() as usize;
        let satp = kernel.platform.satp[id].load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(satp, hart.current().satp.get(), "hart {id} runs a thread in another address space");
        let (physical, bits) = tlb::translate(&kernel.memory, id, satp, address)?;
        let frame = kernel.memory.frame_at(physical)?;
        let cell = &kernel.memory.page::<[Cell64; 512]>(frame)[physical as usize % PAGE_SIZE / 8];
        match write {
            Some(_) if bits & 4 == 0 => None,
            Some(value) => {
                cell.set(value);
                Some(value)
            }
            None => Some(cell.get()),
        }
    }

    /// Where a thread has its buffers.
    fn buffer(t: &Thread) -> u64 {
        PAGE_AT + (t.frame().0 as u64 % 4) * 1024
    }

    /// A fresh message; answers the registers that say it.
    fn compose(
        &self,
        hart: &Hart,
        t: &Thread,
        program: &mut Program,
        name: u64,
        handles: &[Handle],
        to: Result<u64, u64>,
    ) -> Vec<(usize, u64)> {
        let bytes = match below(4) {
            0 => below(MAX_BYTES),
            _ => below(49),
        } as usize;
        let (token, to) = match to {
            Ok(handle) => {
                let found = self
                    .world
                    .kernel
                    .table(hart.owner())
                    .lookup(&self.world.kernel.memory, Handle(handle as u32));
                (0, found.map_or((0, 0), |c| (c.object.to_raw(), 1 - c.end)))
            }
            Err(token) => (token, (0, 0)),
        };
        let id = self.note(|notes| {
            let id = notes.sent.len() as u64 + 1;
            let sent = Sent { from: name, bytes, handles: handles.len(), token, to, received: false };
            notes.sent.insert(id, sent);
            id
        });
        program.message = id;
        let at = Self::buffer(t);
        let tag = Tag::new(bytes, handles.len()).with_room(MAX_BYTES as usize, below(3) as usize);
        let mut registers =
            vec![(reg::A0 + 1, tag.0), (reg::T[1], at), (reg::T[2], at + HANDLES_AT), (reg::T[4], token)];
        for n in 0..bytes.div_ceil(8) {
            let value = word_within(id, n, bytes);
            match bytes > 48 {
                true => drop(self.access(hart, at + 8 * n as u64, Some(value))),
                false => registers.push((reg::A0 + 2 + n, value)),
            }
        }
        self.tell_handles(hart, at + HANDLES_AT, handles);
        registers
    }

    pub fn tell_handles(&self, hart: &Hart, at: u64, handles: &[Handle]) {
        for (n, pair) in handles.chunks(2).enumerate() {
            let low = pair[0].0 as u64;
            let high = pair.get(1).map_or(0, |handle| handle.0 as u64);
            let _ = self.access(hart, at + 8 * n as u64, Some(low | high << 32));
        }
    }

    /// A deadline like programs have them.
    fn deadline(&self) -> u64 {
        let now = self.world.kernel.platform.clock.load(std::sync::atomic::Ordering::Relaxed);
        // Whoever waits for ever mostly does so in vain.
        match below(40) {
            0..6 => NOW,
            6 => NEVER,
            _ => now + below(4000),
        }
    }

    fn next(&self, hart: &Hart, t: &Thread, program: &mut Program, name: u64) -> Option<Result<Wish, u64>> {
        if let Does::Root(_) = program.kind {
            let Does::Root(root) = &mut program.kind else { return None };
            return Some(Ok(root.next(self, hart)));
        }
        if below(4) == 0 {
            let address = PAGE_AT + below(3) * PAGE_SIZE as u64 + 2048 + 8 * below(100);
            let value = below(2) * 77;
            let write = (value != 0).then_some(value);
            let done = self.access(hart, address, write);
            return (done.is_none() && below(500) == 0).then_some(Err(0x8));
        }
        if let Some(end) = program.fresh.take() {
            // Of the two ends of a channel one is served and one called through.
            let port = self.handles(hart).into_iter().find(|(_, c)| c.kind == Kind::Port);
            match port.filter(|_| program.taste != 5 && below(3) != 0) {
                Some((port, _)) => {
                    program.served_at = Some(port.0 as u64);
                    let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
                    return Some(Ok(Wish::new(Sysno::port_bind, &[port.0 as u64, end, 1, signals])));
                }
                None => program.answered_by = Some(end),
            }
        }
        if let Some(handle) = program.useless.take() {
            return Some(Ok(Wish::new(Sysno::handle_close, &[handle])));
        }
        Some(Ok(self.anything(hart, t, program, name)))
    }

    /// A random call.
    fn anything(&self, hart: &Hart, t: &Thread, program: &mut Program, name: u64) -> Wish {
        let all = self.handles(hart);
        let of = |kind: Kind| -> Vec<u64> {
            let right = all.iter().filter(|(_, c)| c.kind == kind);
            right.map(|(handle, _)| handle.0 as u64).collect()
        };
        let guess = || pick(&all).map_or(below(30), |(handle, _)| handle.0 as u64 ^ (below(3) / 2) << 16);
        let one = |kind: Kind| match below(30) {
            0 => guess(),
            _ => pick(&of(kind)).unwrap_or_else(guess),
        };
        let gifts = |most: u64| -> Vec<Handle> {
            let most = if below(3) == 0 { most } else { 0 };
            (0..below(most + 1)).filter_map(|_| pick(&all)).map(|(handle, _)| handle).collect()
        };
        let deadline = self.deadline();
        let token = program.open.pop().unwrap_or(0);
        let message = |program: &mut Program, mut wish: Wish, handles: &[Handle]| {
            let to = match wish.number {
                Sysno::channel_call | Sysno::channel_send => Ok(wish.registers[0].1),
                _ => Err(token),
            };
            wish.registers.extend(self.compose(hart, t, program, name, handles, to));
            wish.with(reg::T[3], deadline)
        };
        use Sysno as S;
        // Servers answer and wait, clients call and send, the rest do anything.
        let choose = || match (program.taste, below(10)) {
            (4..7, 0..9) if program.served_at.is_some() && token != 0 => 0,
            (4..7, 0..9) if program.answered_by.is_some() => 1,
            (0, 0..6) => 0,
            (4, 0..9) => [0, 0, 0, 0, 0, 4, 6, 5][below(8) as usize],
            (5, 0..9) => [1, 1, 1, 1, 2, 4, 4, 3][below(8) as usize],
            (6, 0..9) => [0, 0, 1, 1, 4, 6, 32, 18][below(8) as usize],
            (1, 0..5) => 1,
            (_, 0..5) if program.served_at.is_some() && token != 0 => 0,
            (_, 0..5) if program.answered_by.is_some() => 1,
            (1, 5..7) => 2,
            (2, 0..4) => below(6),
            (_, 0..2) => 4,
            (_, 2..4) => 6,
            _ => below(40),
        };
        let needs = |choice: u64| match choice {
            0 | 5 => Some(Kind::Port),
            1..=4 => Some(Kind::Channel),
            6..9 => [Kind::Port, Kind::Channel].into_iter().find(|kind| of(*kind).is_empty()),
            13 | 14 | 15 | 16 | 19 | 25 | 26 => Some(Kind::Quota),
            17 | 18 => Some(Kind::Timer),
            20 | 21 | 24 => Some(Kind::Vmo),
            22 | 23 | 28 | 30 => Some(Kind::Process),
            27 | 36 => Some(Kind::Identity),
            29 => Some(Kind::Thread),
            33 => Some(Kind::Irq),
            34 => Some(Kind::Pool),
            _ => None,
        };
        // Mostly what there are handles for, and what was not there is made.
        let mut choice = choose();
        for _ in 0..8 {
            match needs(choice) {
                Some(kind) if of(kind).is_empty() && below(30) != 0 => {
                    choice = match (kind, of(Kind::Quota).is_empty()) {
                        (Kind::Port, false) => 15,
                        (Kind::Channel, false) if below(3) == 0 => 13,
                        _ => choose(),
                    }
                }
                _ => break,
            }
        }
        if token != 0 && choice != 0 && choice != 3 {
            program.open.push(token);
        }
        match choice {
            0 => {
                let port = program.served_at.filter(|_| below(8) != 0).unwrap_or_else(|| one(Kind::Port));
                let wish = Wish::new(S::reply_and_wait, &[port]);
                let gifts = if token == 0 || below(4) != 0 { vec![] } else { gifts(2) };
                let wish = message(program, wish, &gifts);
                // A server that is called waits as long as it takes: then answers go the fast path.
                if program.served_at.is_some() && below(3) != 0 { wish.with(reg::T[3], NEVER) } else { wish }
            }
            1 => match program.answered_by.filter(|_| below(12) != 0) {
                Some(end) => {
                    let wish = message(program, Wish::new(S::channel_call, &[end]), &[]);
                    if below(3) == 0 { wish } else { wish.with(reg::T[3], NEVER) }
                }
                None => message(program, Wish::new(S::channel_call, &[one(Kind::Channel)]), &gifts(2)),
            },
            2 => {
                let wish = Wish::new(S::channel_send, &[one(Kind::Channel)]);
                message(program, wish, &gifts(2))
            }
            3 if token != 0 => message(program, Wish::new(S::channel_reply, &[0]), &gifts(2)),
            3 | 4 => {
                let discard = if below(6) == 0 { Tag::DISCARD } else { 0 };
                let tag = Tag::new(0, 0).with_room(MAX_BYTES as usize, 2).0 | discard;
                let at = Self::buffer(t);
                // The first is to the program that began it, which sends gifts.
                let first = of(Kind::Channel).first().copied().filter(|_| below(2) == 0);
                let wish = Wish::new(S::channel_recv, &[first.unwrap_or_else(|| one(Kind::Channel)), tag]);
                wish.with(reg::T[1], at).with(reg::T[2], at + HANDLES_AT)
            }
            5 => Wish::new(S::port_signal, &[one(Kind::Port), 1 << (16 + below(16))]),
            6..9 => {
                let object = pick(&all).map_or(0, |(handle, _)| handle.0 as u64);
                let object = if below(3) == 0 { object } else { one(Kind::Channel) };
                let kind = all.iter().find(|(h, _)| h.0 as u64 == object).map(|(_, c)| c.kind);
                let signals = match kind {
                    Some(Kind::Timer) => Signals::EXPIRED,
                    Some(Kind::Process) => Signals::ENDING | Signals::TERMINATED,
                    Some(Kind::Irq) => Signals::INTERRUPT,
                    Some(Kind::Resource) => Signals::RECORD,
                    _ => Signals::READABLE | Signals::WRITABLE | Signals::PEER_CLOSED,
                };
                let signals = if below(8) == 0 { 0 } else { signals.bits() as u64 };
                Wish::new(S::port_bind, &[one(Kind::Port), object, below(100), signals])
            }
            9 => Wish::new(S::handle_dup, &[guess(), u32::MAX as u64 & below(1 << 22)]),
            10 => {
                let (handle, rights) =
                    pick(&all).map_or((0, Rights::empty()), |(h, c)| (h.0 as u64, c.rights));
                let less = if below(2) == 0 { Rights::WRITE } else { Rights::empty() };
                Wish::new(S::handle_dup, &[handle, (rights - less).bits() as u64])
            }
            11 | 12 => Wish::new(S::handle_close, &[guess()]),
            13 | 14 => {
                let spec = || below(3) | 200 << 16 | 2 << 32;
                Wish::new(S::channel_create, &[one(Kind::Quota), spec(), spec()])
            }
            15 => Wish::new(S::port_create, &[one(Kind::Quota)]),
            16 => Wish::new(S::timer_create, &[one(Kind::Quota)]),
            17 | 18 => {
                let at = if deadline == NOW { 1 } else { deadline };
                Wish::new(S::timer_set, &[one(Kind::Timer), at])
            }
            19 => Wish::new(S::vmo_create, &[one(Kind::Quota), 4096 * (1 + below(3))]),
            20 | 21 => {
                let access =
                    Rights::READ | [Rights::WRITE, Rights::empty(), Rights::EXECUTE][below(3) as usize];
                let at = [0, PAGE_AT + PAGE_SIZE as u64 * (1 + below(3))][below(2) as usize];
                let range = [0, 4096 * (1 + below(3)), at];
                let source = if below(6) == 0 { Kind::Mmio } else { Kind::Vmo };
                let arguments = [one(Kind::Process), one(source), range[0], range[1], range[2]];
                Wish::new(S::vm_map, &arguments).with(reg::A0 + 5, access.bits() as u64)
            }
            22 | 23 => {
                let at = PAGE_AT + PAGE_SIZE as u64 * ((1 + below(8)) % 4);
                Wish::new(S::vm_unmap, &[one(Kind::Process), at])
            }
            24 if below(4) == 0 => Wish::new(S::vmo_seal, &[one(Kind::Vmo)]),
            // A seal needs a handle that cannot write while no other can: that takes three steps.
            24 => {
                let vmos = all.iter().filter(|(_, c)| c.kind == Kind::Vmo).copied();
                let (writable, plain): (Vec<Found>, Vec<Found>) =
                    vmos.partition(|(_, c)| c.rights.contains(Rights::WRITE));
                match (pick(&plain), pick(&writable)) {
                    (Some((handle, of)), _) => match writable.iter().find(|(_, c)| c.object == of.object) {
                        Some((other, _)) => Wish::new(S::handle_close, &[other.0 as u64]),
                        None => Wish::new(S::vmo_seal, &[handle.0 as u64]),
                    },
                    (None, Some((handle, c))) => {
                        let less = c.rights - Rights::WRITE;
                        Wish::new(S::handle_dup, &[handle.0 as u64, less.bits() as u64])
                    }
                    (None, None) => Wish::new(S::vmo_seal, &[guess()]),
                }
            }
            25 => Wish::new(S::quota_create, &[one(Kind::Quota), below(30), below(3)]),
            26 if below(3) == 0 => Wish::new(S::quota_destroy, &[one(Kind::Quota)]),
            27 => {
                let arguments = [one(Kind::Quota), one(Kind::Identity), 1 + below(20), below(12), below(3)];
                Wish::new(S::process_create, &arguments)
            }
            28 => Wish::new(S::thread_create, &[one(Kind::Process), one(Kind::Quota), below(12)]),
            29 => {
                let gift = if below(2) == 0 { 0 } else { guess() };
                Wish::new(S::thread_start, &[one(Kind::Thread), 0x4000, 0x8000, 0, gift])
            }
            30 if below(12) == 0 => Wish::new(S::process_kill, &[one(Kind::Process)]),
            31 if below(12) == 0 => Wish::new(S::thread_exit, &[below(9), (below(4) == 0) as u64]),
            32 => Wish::new(S::thread_yield, &[]),
            33 => Wish::new(S::irq_ack, &[one(Kind::Irq)]),
            34 => Wish::new(S::pool_take, &[one(Kind::Pool), 4096 * (1 + below(2))]),
            35 => Wish::new(S::object_info, &[guess(), below(12), Self::buffer(t), 200]),
            36 => Wish::new(S::identity_create, &[one(Kind::Identity), one(Kind::Quota), 1 + below(9)]),
            37 => {
                let line = below(3) == 0;
                self.world.kernel.platform.controller.set_line(1 + below(4) as u32, line);
                Wish::new(S::null, &[])
            }
            _ => Wish::new(S::thread_yield, &[]),
        }
    }

    /// A system call is complete: what it answered is looked at.
    fn came_back(&self, hart: &Hart, t: &Thread, program: &mut Program, number: Sysno, name: u64) {
        let error = Error::from_raw(t.context.get(reg::A0));
        let row = Sysno::TABLE.iter().find(|row| row.number == number).expect("a row");
        if let Some(error) = error {
            assert!(row.errors.contains(&error), "{} answered {error:?}", row.name);
        }
        self.note(|notes| *notes.seen.entry((number, error)).or_default() += 1);
        if let Does::Root(root) = &mut program.kind {
            return root.came_back(t, number, error);
        }
        let message = std::mem::take(&mut program.message);
        if matches!(number, Sysno::channel_send | Sysno::channel_call) && error.is_some() {
            self.note(|notes| {
                let sent = &notes.sent[&message];
                let may = number == Sysno::channel_call;
                assert!(may || !sent.received, "a message arrived whose send answered {error:?}");
            });
        }
        if error == Some(Error::PeerClosed) {
            program.useless = Some(program.through);
        }
        // Who found somebody to talk to mostly stays there.
        match (number, error) {
            (Sysno::channel_call, None) => program.answered_by = Some(program.through),
            (Sysno::channel_call, Some(Error::PeerClosed | Error::BadHandle | Error::WrongType)) => {
                program.answered_by = None;
            }
            (Sysno::reply_and_wait, None) => program.served_at = Some(program.through),
            _ => {}
        }
        if error.is_some() {
            return;
        }
        let (token, signals) = (t.context.get(reg::T[3]), t.context.get(reg::T[4]));
        let arrived = Tag(t.context.get(reg::A0 + 1)).handles();
        if matches!(number, Sysno::channel_recv | Sysno::reply_and_wait) && arrived != 0 && signals == 0 {
            let list = self.access(hart, Self::buffer(t) + HANDLES_AT, None).unwrap_or(0);
            let table = self.handles(hart);
            let is_end = |(h, c): &&Found| h.0 as u64 == list & 0xffff_ffff && c.kind == Kind::Channel;
            program.fresh = table.iter().find(is_end).map(|(h, _)| h.0 as u64);
        }
        match number {
            Sysno::channel_call => self.arrived(hart, t, program, name, Some(t.token.get())),
            Sysno::reply_and_wait | Sysno::channel_recv if signals == 0 => {
                self.arrived(hart, t, program, name, None);
                if token != 0 {
                    program.open.push(token);
                }
            }
            _ => {}
        }
    }

    /// A message is there, whole and once, and after what its sender sent before.
    fn arrived(&self, hart: &Hart, t: &Thread, program: &mut Program, name: u64, answer_to: Option<u64>) {
        let tag = Tag(t.context.get(reg::A0 + 1));
        let bytes = tag.bytes();
        if bytes < 8 {
            return;
        }
        let read = |n: usize| match bytes > 48 {
            true => self.access(hart, Self::buffer(t) + 8 * n as u64, None),
            false => Some(t.context.get(reg::A0 + 2 + n)),
        };
        // Its page may have been unmapped, or written by another program since.
        let Some(id) = read(0) else { return };
        if bytes > 48 {
            let words: Vec<_> = (0..bytes / 8).map(read).collect();
            if words.iter().enumerate().any(|(n, value)| *value != Some(word(id, n))) {
                return;
            }
        } else {
            for n in 0..6 {
                let expected = if 8 * n < bytes { word_within(id, n, bytes) } else { 0 };
                assert_eq!(read(n), Some(expected), "word {n} of message {id} to {name:#x}");
            }
        }
        self.note(|notes: &mut Notes| {
            match answer_to {
                None => notes.received += 1,
                Some(_) => notes.answered += 1,
            }
            // What lay in memory may be a later message of a program that shares the buffer.
            if bytes > 48 && notes.sent.get(&id).is_none_or(|sent| sent.bytes != bytes || sent.received) {
                return;
            }
            let sent = notes.sent.get_mut(&id).unwrap_or_else(|| panic!("nobody sent message {id}"));
            assert!(!sent.received, "message {id} arrived twice");
            sent.received = true;
            assert_eq!((sent.bytes, sent.handles), (bytes, tag.handles()), "sizes of message {id}");
            match answer_to {
                Some(token) => assert_eq!(sent.token, token, "an answer to another call"),
                None => {
                    assert_eq!(sent.token, 0, "an answer came as a message");
                    let before = program.newest.insert((sent.from, sent.to), id);
                    assert!(before.is_none_or(|before| before < id), "message {id} overtook {before:?}");
                }
            }
        });
    }
}
