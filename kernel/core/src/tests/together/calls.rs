//! Calls that can be made at once: each sensible where the history is, and none of those that are no moment to each other.

use super::HARTS;
use neuron_model::{Deadline, Doing, Id, Item, Model, Op, Random, Slot, Step, Taste, random_step};
use nexus_abi::Kind;

/// A thread and its call.
pub type Call = (Id, Op);

/// Handles that are to go with it.
fn sent(op: &Op) -> &[Slot] {
    match op {
        Op::Send { draft, .. }
        | Op::Call { draft, .. }
        | Op::Reply { draft, .. }
        | Op::Wait { draft, .. } => &draft.handles.0,
        _ => &[],
    }
}

/// Whether it reads or writes a message.
fn is_message(op: &Op) -> bool {
    matches!(op, Op::Send { .. } | Op::Call { .. } | Op::Reply { .. } | Op::Wait { .. } | Op::Recv { .. })
}

/// Whether it takes an entry for something new.
pub fn makes(op: &Op) -> bool {
    matches!(
        op,
        Op::Dup { .. }
            | Op::ChannelCreate { .. }
            | Op::PortCreate { .. }
            | Op::VmoCreate { .. }
            | Op::ProcessCreate { .. }
            | Op::ThreadCreate { .. }
            | Op::TimerCreate { .. }
            | Op::QuotaCreate { .. }
            | Op::IdentityCreate { .. }
    )
}

/// Whether it ends more than one thing.
fn ends_many(op: &Op) -> bool {
    matches!(op, Op::Kill { .. } | Op::Exit { .. } | Op::QuotaDestroy { .. })
}

/// Whether it closes an end through which more than one call waits, or one with handles: the entry is free before they are withdrawn, one
/// after the other.
fn withdraws(model: &Model, (thread, op): &Call) -> bool {
    let Op::Close { handle } = op else { return false };
    let Ok(capability) = model.look_up(model.thread(*thread).process, *handle) else { return false };
    if capability.kind != Kind::Channel {
        return false;
    }
    let calls = |item: &Item| match item {
        Item::Call(thread) => Some(*thread),
        Item::Queued(_) => None,
    };
    let there = &model.channel(capability.object)[1 - capability.end];
    let waiting: Vec<Id> = there.fifo.iter().filter_map(calls).chain(there.senders.iter().copied()).collect();
    let with_handles = |thread: &Id| match &model.thread(*thread).doing {
        Doing::Calling { staged, .. } | Doing::Sending { staged, .. } => !staged.message.cargo.is_empty(),
        _ => false,
    };
    waiting.len() > 1 || waiting.iter().any(with_handles)
}

/// Whether two calls may be made at once: whether each comes to the same as if it were done in one moment.
fn go_together(model: &Model, a: &Call, b: &Call) -> bool {
    // Buffers of threads whose names differ by four may be at the same place.
    a.0 % 4 != b.0 % 4
        && keeps_apart(model, a, b)
        && keeps_apart(model, b, a)
        // What a death ends is told one after the other.
        && !(ends_many(&a.1) && (ends_many(&b.1) || matches!(b.1, Op::Wait { .. })))
        && !(ends_many(&b.1) && matches!(a.1, Op::Wait { .. }))
}

/// Whether nothing that `a` does for a moment only is something that `b` would notice.
fn keeps_apart(model: &Model, a: &Call, b: &Call) -> bool {
    let process = model.thread(a.0).process;
    let same = process == model.thread(b.0).process;
    let is_end =
        |slot: &Slot| model.look_up(process, *slot).is_ok_and(|capability| capability.kind == Kind::Channel);
    // A handle answers nobody while a call is about to send it, and an end takes no handles and tells nothing then, even when that
    // call fails and all is as before.
    let is_away = !sent(&a.1).is_empty() && same
        || sent(&a.1).iter().any(is_end) && (!sent(&b.1).is_empty() || matches!(b.1, Op::Wait { .. }));
    // Who makes something looks up what it is made from and then takes an entry; who destroys a quota looks it up before each step.
    let closes =
        same && matches!(a.1, Op::Close { .. }) && (makes(&b.1) || matches!(b.1, Op::QuotaDestroy { .. }));
    // The model has no memory: what a message was is lost with a mapping.
    let remaps = matches!(a.1, Op::Map { .. }) && is_message(&b.1);
    !is_away && !closes && !remaps
}

/// Calls of different threads, at most one a hart; of which one has the time while a tick passes.
pub fn draw(model: &Model, random: &mut Random, taste: Taste, tick: bool) -> Vec<Call> {
    let most = HARTS - tick as usize;
    let mut calls: Vec<Call> = vec![];
    for _ in 0..6 * most {
        let step = random_step(model, random, Taste { eager: false, ..taste });
        let Some(Step::Do(thread, op)) = step else { continue };
        let mut call = (thread, op);
        let fits = calls.iter().all(|other| go_together(model, other, &call));
        if !fits || matches!(call.1, Op::Unmap { .. }) || withdraws(model, &call) {
            continue;
        }
        // What becomes due in one tick has no order.
        if let Op::Send { deadline, .. }
        | Op::Call { deadline, .. }
        | Op::Wait { deadline, .. }
        | Op::TimerSet { deadline, .. } = &mut call.1
            && matches!(deadline, Deadline::After(_))
            && (tick || !calls.is_empty())
        {
            *deadline = Deadline::Never;
        }
        calls.push(call);
        if calls.len() == most {
            break;
        }
    }
    calls
}
