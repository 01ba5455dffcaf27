//! What single kernel objects promise (`docs/ipc.md`, `docs/kernel-objects.md`), seen on the device: who is served in which order,
//! when a timer comes, what a charge costs at its bound and one past it, when memory is immutable.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

mod floats;
mod observing;
mod ports;
mod quotas;
mod revocation;
mod seals;
mod senders;
mod timers;

use alloc::format;
use alloc::string::String;
use harness::{Bench, Test, Verdict};
use nexus_abi::{Error, Handle, Signals, Ticks};
use nexus_rt::{Owned, PortKind, sys};

/// Every test that holds on any number of harts.
pub const TESTS: &[Test] = &[
    ("objects.ports.turns", ports::turns),
    ("objects.ports.flood", ports::flood),
    ("objects.timers.order", timers::order),
    ("objects.timers.settings", timers::settings),
    ("objects.quotas.costs", quotas::costs),
    ("objects.quotas.bounds", quotas::bounds),
    ("objects.quotas.children", quotas::children),
    ("objects.revocation.queues", revocation::queues),
    ("objects.revocation.processes", revocation::processes),
    ("objects.revocation.copies", revocation::copies),
    ("objects.observing", observing::holdings),
    ("objects.seals.writable", seals::writable),
    ("objects.seals.immutable", seals::immutable),
    ("objects.floats", floats::never_mix),
];

/// Tests that rest on who runs first, which one hart alone decides the same way each time.
pub const ORDERED_TESTS: &[Test] = &[("objects.senders", senders::in_order)];

/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;

/// How often it is looked, a millisecond apart, whether everything has been given back.
const LOOKS: usize = 200;

/// Runs a test; afterwards everything is charged and held as before. A process of low priority is taken apart at that priority, which
/// is waited for.
fn clean(bench: &Bench, test: impl FnOnce() -> Verdict) -> Verdict {
    let before = harness::Account::take(bench)?;
    test()?;
    for _ in 0..LOOKS {
        if before.unchanged(bench).is_ok() {
            return Ok(());
        }
        bench.pause(1)?;
    }
    before.unchanged(bench)
}

/// What came at a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Came {
    key: u64,
    /// 0 for a message.
    signals: Signals,
    /// The first word of a message.
    word: u64,
}

/// Waits at a port for one thing; `None` when nothing comes until the deadline.
fn wait(port: Handle, deadline: Ticks) -> Result<Option<Came>, String> {
    match sys::reply_and_wait_words(port, 0, 0, [0; 6], deadline) {
        Ok(out) => {
            let signals = Signals::from_bits_retain(out.signals as u32);
            Ok(Some(Came { key: out.key, signals, word: out.words[0] }))
        }
        Err(refusal) if matches!(refusal.error, Error::TimedOut | Error::WouldBlock) => Ok(None),
        Err(refusal) => Err(format!("wait: {:?}", refusal.error)),
    }
}

/// A port that is waited at.
fn port(bench: &Bench) -> Result<Owned<PortKind>, String> {
    harness::why("port", Owned::<PortKind>::create(bench.quota))
}
