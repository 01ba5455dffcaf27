//! Services that die under their clients: the supervisor starts them again, clients find the new ones, nothing is done twice, no
//! loss is silent, and what they were charged for is given back.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod backoff;
mod claims;
mod deaths;
mod reader;

use alloc::format;
use alloc::string::String;
use harness::{Bench, Test};
use nexus_rt::api::supervise::State;
use nexus_rt::clock;
use nexus_rt::wire::{CallError, Text};

/// Every test.
pub const TESTS: &[Test] = &[
    ("services.second_claimant", claims::second_claimant),
    ("services.undeclared", claims::undeclared),
    ("restarts.unknown", deaths::unknown),
    ("restarts.echo", deaths::echo),
    ("restarts.samgrd", deaths::samgrd),
    ("restarts.execd", deaths::execd),
    ("restarts.logd", deaths::logd),
    ("restarts.policyd", deaths::policyd),
    ("restarts.charges", deaths::charges),
    ("restarts.backoff", backoff::doubles),
];

/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;

/// The supervisor's and `samgrd`'s service ids, by which their records are known.
const NEXUS_INIT: u32 = 1;
const SAMGRD: u32 = 4;

/// What is known of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    /// The number of its instance.
    generation: u32,
    /// What must not grow.
    pages: u64,
    /// See `pages`.
    handles: u32,
    state: State,
}

/// Looks at a process. On a busy host the supervisor may take longer than a call may last: it is asked again.
fn look(bench: &Bench, name: &str) -> Result<Known, String> {
    let mut supervisor = bench.supervisor();
    let patience = clock::in_millis(PATIENCE_MS);
    let mut index = 0;
    loop {
        match supervisor.stat(index) {
            Ok(stat) if stat.name.get() == name => {
                let (generation, state) = (stat.generation, stat.state);
                return Ok(Known { generation, pages: stat.pages, handles: stat.handles, state });
            }
            Ok(_) => index += 1,
            Err(CallError::TimedOut) if clock::now() < patience => {}
            Err(error) => return Err(format!("{name}: {error:?}")),
        }
    }
}

/// Has a process killed; answers what it was. The supervisor does it also when its answer came too late.
fn kill(bench: &Bench, name: &str) -> Result<Known, String> {
    let was = look(bench, name)?;
    match bench.supervisor().kill(Text::cut(name)) {
        Ok(_) | Err(CallError::TimedOut) => Ok(was),
        Err(error) => Err(format!("{name}: {error:?}")),
    }
}

/// Waits until another process has taken the place of the one that `was`, and does its job.
fn await_next(bench: &Bench, name: &str, was: &Known) -> Result<Known, String> {
    let patience = clock::in_millis(PATIENCE_MS);
    loop {
        let is = look(bench, name)?;
        if is.generation > was.generation && is.state == State::Ready {
            return Ok(is);
        }
        if clock::now() > patience {
            return Err(format!("{name} was not started again: {is:?}"));
        }
        bench.pause(1)?;
    }
}
