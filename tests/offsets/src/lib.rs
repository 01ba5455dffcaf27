//! Deaths and deadlines at every instruction of a call.
//!
//! A client calls a server, both processes of their own. A timer comes exactly `offset` instructions after the client began
//! a call, and the offset grows by one instruction from one round to the next, from before the call to after the next one's begin.
//! Instructions are counted exactly on one hart only, so elsewhere these tests must not run.

#![cfg_attr(target_os = "none", no_std)]
#![cfg(target_os = "none")]

mod code;
mod deadline;
mod death;
mod pair;

extern crate alloc;

use alloc::format;
use alloc::string::String;

use harness::{Bench, Test, Verdict, expect, why};
use pair::{OWN_HANDLES, Pair, Shape, Side, Stage};

/// Every test.
pub const TESTS: &[Test] = &[
    ("offsets.short", short),
    ("offsets.long", long),
    ("offsets.moving", moving),
    ("offsets.deadlines", deadlines),
];

/// The kinds of call: on the fast path, with bytes to copy, with a handle that goes there and comes back, and the same with an
/// answer that has left before its server waits.
const SHORT: Shape = Shape { name: "short", longest: 700, bytes: 8, handles: 0, apart: false };
const LONG: Shape = Shape { name: "long", longest: SLOW, bytes: 128, handles: 0, apart: false };
const MOVING: Shape = Shape { name: "moving", longest: SLOW, bytes: 8, handles: 1, apart: false };
const APART: Shape =
    Shape { name: "moving (answered apart)", longest: SLOW, bytes: 128, handles: 1, apart: true };

/// Far more than a call takes that does not wait.
const SLOW: u64 = 20_000;

/// Instructions between the offsets that are tried of long calls, unless everything is.
const STRIDE: u64 = 13;

/// Either side dies at every instruction of a short call.
fn short(bench: &Bench) -> Verdict {
    clean(bench, |stage| death::both(stage, SHORT, 1))
}

/// Either side dies in a call that is copied.
fn long(bench: &Bench) -> Verdict {
    clean(bench, |stage| death::both(stage, LONG, stride(bench)))
}

/// Either side dies in a call that moves a handle there and back.
fn moving(bench: &Bench) -> Verdict {
    clean(bench, |stage| {
        death::both(stage, MOVING, stride(bench))?;
        death::both(stage, APART, stride(bench))
    })
}

/// The deadline of a call of each kind passes at every instruction.
fn deadlines(bench: &Bench) -> Verdict {
    clean(bench, |stage| {
        deadline::passes(stage, SHORT, 1)?;
        deadline::passes(stage, LONG, stride(bench))?;
        deadline::passes(stage, MOVING, stride(bench))?;
        deadline::passes(stage, APART, stride(bench))
    })
}

fn stride(bench: &Bench) -> u64 {
    if bench.full { 1 } else { STRIDE }
}

/// Runs a test; afterwards everything is charged as before.
fn clean(bench: &Bench, test: impl FnOnce(&Stage<'_>) -> Verdict) -> Verdict {
    let before = why("quota", bench.quota.info())?;
    {
        let stage = Stage::new(bench)?;
        test(&stage)?;
        if stage.disturbed() > 0 {
            bench.say(&format!("offsets: {} rounds were disturbed and done again", stage.disturbed()));
        }
    }
    let after = why("quota", bench.quota.info())?;
    expect(before == after, &format!("before {before:?}, after {after:?}"))
}

/// A side has exactly its own handles, and those that the calls carry if it is to hold them.
fn count_handles(
    stage: &Stage<'_>,
    pair: &Pair,
    side: Side,
    shape: Shape,
    holds: bool,
) -> Result<(), String> {
    let carried = if holds { shape.handles as u32 } else { 0 };
    let handles = why("process", pair.process(side).info())?.handles;
    expect(handles == OWN_HANDLES + carried, &format!("the {side:?} has {handles} handles, {holds:?}"))?;
    let open = stage.get(side, code::at::HELD)? == 0;
    expect(shape.handles == 0 || open == holds, &format!("the {side:?}'s handle is open: {open}"))
}
