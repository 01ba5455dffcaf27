//! Small worlds and everything that can be done in them, for histories that leave nothing out.

use crate::channel::Bounds;
use crate::message::{Buffers, Draft, Room, slots};
use crate::object::Id;
use crate::{BOOT_PROCESS, BOOT_THREAD, Deadline, Model, Op, Script, Slot, Start, Step};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Kind, Rights, Signals};

const ROOT: Slot = 2;
const IDENTITY: Slot = 3;

/// The first process and another of one thread, with two channels between them, of one message and one handle each way.
/// `threads` more threads in the other one.
pub fn pair(start: Start, threads: usize) -> Script {
    let mut script = Script::new(Model::new(start));
    let made = Op::ProcessCreate { quota: ROOT, identity: IDENTITY, handles: 5, max_priority: 1, cpu: 0 };
    let process = script.get(BOOT_THREAD, made)[0];
    let vmo = script.get(BOOT_THREAD, Op::VmoCreate { quota: ROOT, bytes: 4096 })[0];
    let access = (Rights::READ | Rights::WRITE).bits();
    for process in [process, 1] {
        script.get(BOOT_THREAD, Op::Map { process, vmo, page: 0, access });
    }
    script.get(BOOT_THREAD, Op::Close { handle: vmo });
    let ends = [Bounds { depth: 1, bytes: 8, handles: 1 }; 2];
    for n in 0..2.max(1 + threads) {
        let thread = script.get(BOOT_THREAD, Op::ThreadCreate { process, quota: ROOT, priority: 1 })[0];
        let gift = match n {
            0 | 1 => script.get(BOOT_THREAD, Op::ChannelCreate { quota: ROOT, ends })[1],
            _ => 0,
        };
        script.get(BOOT_THREAD, Op::ThreadStart { thread, gift });
        script.get(BOOT_THREAD, Op::Close { handle: thread });
    }
    for handle in [process, IDENTITY] {
        script.get(BOOT_THREAD, Op::Close { handle });
    }
    script
}

/// The steps that threads can make without being asked: those woken go on.
fn going_on(model: &Model) -> Vec<Step> {
    model.threads().map(|(id, _)| id).filter(|id| model.can_go_on(*id)).map(Step::GoOn).collect()
}

fn able(model: &Model) -> Vec<(Id, Id)> {
    let able = model.threads().filter(|(id, _)| model.can_run(*id));
    able.map(|(id, thread)| (id, thread.process)).collect()
}

fn ends(model: &Model, process: Id) -> Vec<Slot> {
    let table = &model.process(process).table;
    table.open().filter(|(_, c)| c.kind == Kind::Channel).map(|(slot, _)| slot).collect()
}

/// Messages with an end in them or none, every way to send, receive and answer them, and closing.
pub fn transfers(model: &Model) -> Vec<Step> {
    let mut steps = going_on(model);
    for (thread, process) in able(model) {
        let ends = ends(model, process);
        let room = Room { bytes: 8, handles: 1, at: Buffers::default() };
        let mut drafts = vec![Draft::default()];
        drafts.extend(ends.iter().map(|end| Draft { handles: slots(&[*end]), ..Draft::default() }));
        let mut act = |op| steps.push(Step::Do(thread, op));
        for end in &ends {
            let end = *end;
            for draft in &drafts {
                let at = Buffers::default();
                act(Op::Send { end, draft: draft.clone(), at, deadline: Deadline::Never });
                act(Op::Call { end, draft: draft.clone(), room, deadline: Deadline::Never });
            }
            act(Op::Recv { end, room });
            act(Op::Close { handle: end });
        }
        for token in 1..3 {
            for draft in &drafts {
                act(Op::Reply { token, draft: draft.clone(), at: Buffers::default() });
            }
        }
    }
    steps
}

/// Two threads wait at one port, to which two ends are bound; the other side sends, calls, gives up and closes.
pub fn ports(model: &Model) -> Vec<Step> {
    let mut steps = going_on(model);
    steps.push(Step::Tick);
    let room = Room { bytes: 8, handles: 1, at: Buffers::default() };
    for (thread, process) in able(model) {
        let table = &model.process(process).table;
        let port = table.open().find(|(_, c)| c.kind == Kind::Port).map(|(slot, _)| slot);
        let mut act = |op| steps.push(Step::Do(thread, op));
        if let Some(port) = port {
            for (token, deadline) in [(0, Deadline::Never), (0, Deadline::After(1)), (1, Deadline::Never)] {
                act(Op::Wait { port, token, draft: Draft::default(), room, deadline });
            }
            act(Op::Signal { port, bits: 1 << 16 });
        }
        for end in ends(model, process) {
            if port.is_some() {
                act(Op::Recv { end, room });
                continue;
            }
            act(Op::Send { end, draft: Draft::default(), at: Buffers::default(), deadline: Deadline::Now });
            act(Op::Call { end, draft: Draft::default(), room, deadline: Deadline::After(2) });
            act(Op::Close { handle: end });
        }
    }
    steps.extend(model.processes().map(|(id, _)| Step::End(id)));
    steps
}

/// The world of [`ports`].
pub fn served(start: Start) -> Script {
    let mut script = pair(start, 1);
    let (server, thread) = {
        let second = script.model.processes().find(|(id, _)| *id != BOOT_PROCESS);
        second.map_or((BOOT_PROCESS, BOOT_THREAD), |(id, process)| (id, process.threads[0]))
    };
    let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
    let end = script.handles(BOOT_PROCESS, Kind::Channel)[0];
    let at = Buffers::default();
    let draft = Draft { handles: slots(&[port]), ..Draft::default() };
    script.get(BOOT_THREAD, Op::Send { end, draft, at, deadline: Deadline::Now });
    let [first, second] = script.handles(server, Kind::Channel)[..] else { panic!("two ends") };
    let room = Room { bytes: 8, handles: 1, at };
    script.by(thread, Op::Recv { end: first, room });
    let port = script.handles(server, Kind::Port)[0];
    let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits();
    for (key, object) in [(1, first), (2, second)] {
        script.get(thread, Op::Bind { port, object, key, signals });
    }
    script
}
