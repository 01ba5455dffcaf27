//! Objects that only this client touches, held against the kernel's model (`kernel/model`): whatever other harts do meanwhile, and whoever
//! dies, every answer must be the model's to the last handle, byte and signal.
//!
//! The model's world is one thread of one process with one quota. What must never happen here: a step that both sides make
//! differently, which would be this program's fault. So what waits, time, address spaces and processes are left out, and so are tags that no
//! safe program can make.

mod ask;

use crate::client::Client;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use neuron_model::{
    Answer, BOOT_PROCESS, BOOT_THREAD, Buffers, Deadline, Doing, Draft, Habit, Model, Op, ROOT_QUOTA,
    Random as Chance, Room, Script, Slot, Start, Step, Taste, random_step,
};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};
use nexus_abi::{Handle, Identity, Kind, Rights};
use nexus_rt::owned::Quota;
use nexus_rt::{Owned, sys};
use storm::Random;

/// Pages that the history can use: few, so that they are often not enough.
const PAGES: u64 = 40;
/// Entries of the model's table: more than a history uses, because the real one has others in it.
const HANDLES: u64 = 4096;
/// Steps of a history, and capabilities with which it ends early: all clients of a process share its table.
const STEPS: usize = 150;
const MOST: usize = 12;
/// Where its first process has its own handle, the quota, and an identity.
const OWN: Slot = 1;
const QUOTA: Slot = 2;
const IDENTITY: Slot = 3;
/// Thousandths of a hart that the model's first process takes: the quota of the history has none.
const BOOT_CPU: u64 = 50;

/// A history so far.
pub struct History {
    model: Model,
    chance: Chance,
    taste: Taste,
    left: usize,
    /// What is destroyed at the end, with everything.
    quota: Owned<Quota>,
    /// What each of the model's handles is here, also of those that are closed.
    names: BTreeMap<Slot, Handle>,
    /// Who sends every message.
    own: Identity,
    bytes: Box<[u8; MAX_MESSAGE_BYTES]>,
    handles: [Handle; MAX_MESSAGE_HANDLES],
}

/// A model whose quota has so many pages, one of them mapped for buffers, and whose process holds nothing but the quota.
fn world(pages: u64) -> Model {
    let start = Start { pages, cpu: BOOT_CPU, handles: HANDLES, fault: None };
    let mut script = Script::new(Model::new(start));
    let vmo = script.get(BOOT_THREAD, Op::VmoCreate { quota: QUOTA, bytes: 4096 })[0];
    let access = (Rights::READ | Rights::WRITE).bits();
    script.get(BOOT_THREAD, Op::Map { process: OWN, vmo, page: 0, access });
    for handle in [vmo, OWN, IDENTITY] {
        script.get(BOOT_THREAD, Op::Close { handle });
    }
    script.model
}

/// The operation as this program makes it: with its own buffers, and without a wait that would never end. `None`: it does not make it.
fn made_safe(op: Op) -> Option<Op> {
    let sent = |draft: &Draft| draft.is_valid();
    let here = |room: Room| room.is_valid().then_some(Room { at: Buffers::default(), ..room });
    let at = Buffers::default();
    let soon = |deadline| !matches!(deadline, Deadline::After(_));
    Some(match op {
        Op::Send { end, draft, deadline, .. } if sent(&draft) && soon(deadline) => {
            Op::Send { end, draft, at, deadline }
        }
        Op::Call { end, draft, room, deadline } if sent(&draft) && soon(deadline) => {
            Op::Call { end, draft, room: here(room)?, deadline }
        }
        Op::Recv { end, room } => Op::Recv { end, room: here(room)? },
        Op::Reply { token, draft, .. } if sent(&draft) => Op::Reply { token, draft, at },
        Op::Wait { port, token, draft, room, deadline } if sent(&draft) && soon(deadline) => {
            Op::Wait { port, token, draft, room: here(room)?, deadline }
        }
        Op::TimerSet { deadline: Deadline::Never, .. }
        | Op::Close { .. }
        | Op::Dup { .. }
        | Op::ChannelCreate { .. }
        | Op::Discard { .. }
        | Op::PortCreate { .. }
        | Op::Bind { .. }
        | Op::Signal { .. }
        | Op::VmoCreate { .. }
        | Op::Seal { .. }
        | Op::TimerCreate { .. }
        | Op::QuotaCreate { .. } => op,
        // Destroying closes the handle here: of the last one nothing would be left to do.
        Op::QuotaDestroy { quota } if quota != QUOTA => op,
        _ => return None,
    })
}

impl History {
    /// A history that begins.
    fn begin(client: &Client, random: &mut Random) -> Result<History, String> {
        let spent = world(1000).quota(ROOT_QUOTA).used;
        let why = |error| format!("a history's quota: {error:?}");
        let quota = client.quota.split(PAGES, 0).map_err(why)?;
        let shown = quota.duplicate(Kind::Quota.all_rights() - Rights::MANAGE).map_err(why)?;
        let habit = if random.below(2) == 0 { Habit::Talk } else { Habit::Make };
        Ok(History {
            model: world(spent + PAGES),
            chance: Chance::new(random.below(u64::MAX - 1)),
            taste: Taste { habit, eager: true, death: 40 },
            left: STEPS,
            quota,
            names: [(QUOTA, shown.into_handle())].into(),
            own: client.own.info().map_err(why)?.identity,
            bytes: Box::new([0; MAX_MESSAGE_BYTES]),
            handles: [Handle::NONE; MAX_MESSAGE_HANDLES],
        })
    }

    /// Everything goes: nothing of it is charged to anybody, and no handle is left.
    fn end(self) -> Result<(), String> {
        self.quota.destroy().map_err(|error| format!("the end of a history: {error:?}"))?;
        for (slot, _) in self.model.process(BOOT_PROCESS).table.open() {
            let handle = self.names.get(&slot).copied().unwrap_or_default();
            sys::handle_close(handle).map_err(|error| format!("closing {slot} at the end: {error:?}"))?;
        }
        Ok(())
    }

    /// The handle here; for one that never was, one that cannot be.
    fn name(&self, slot: Slot) -> Handle {
        match (self.names.get(&slot), slot) {
            (Some(handle), _) => *handle,
            (None, 0) => Handle::NONE,
            (None, _) => Handle(0xffff_0000 | u32::from(slot)),
        }
    }

    /// A step that model and kernel can make, and what the model answers. The model has made it.
    fn next(&mut self) -> Option<(Op, Answer)> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let Step::Do(_, op) = random_step(&self.model, &mut self.chance, self.taste)? else { continue };
            let Some(op) = made_safe(op) else { continue };
            let mut model = self.model.clone();
            model.step(&Step::Do(BOOT_THREAD, op.clone()));
            if let Doing::Running(answer) = &model.thread(BOOT_THREAD).doing {
                let answer = answer.0.clone();
                if let Op::QuotaDestroy { quota } = op {
                    model.step(&Step::Do(BOOT_THREAD, Op::Close { handle: quota }));
                }
                self.model = model;
                return Some((op, answer));
            }
        }
    }

    fn step(&mut self, op: &Op, answer: &Answer) -> Result<(), String> {
        let told = self.ask(op);
        self.compare(told, answer).map_err(|what| format!("{op:?}: {answer:?} by the model; {what}"))
    }
}

/// One step of a client's history; the next one begins when it is at its end.
pub fn one(client: &Client, random: &mut Random, history: &mut Option<History>) -> Result<(), String> {
    let mut now = match history.take() {
        Some(history) => history,
        None => History::begin(client, random)?,
    };
    let next = if now.model.capabilities().count() < MOST { now.next() } else { None };
    match next {
        Some((op, answer)) => {
            now.step(&op, &answer)?;
            *history = Some(now);
            Ok(())
        }
        None => now.end(),
    }
}
