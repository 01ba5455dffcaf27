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
use harness::{Bench, Known, Test};
use nexus_rt::api::supervise::State;
use nexus_rt::clock;

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

/// Waits until another process has taken the place of the one that `was`, and does its job.
fn await_next(bench: &Bench, name: &str, was: &Known) -> Result<Known, String> {
    let patience = clock::in_millis(PATIENCE_MS);
    loop {
        let is = bench.look(name)?;
        if is.generation > was.generation && is.state == State::Ready {
            return Ok(is);
        }
        if clock::now() > patience {
            return Err(format!("{name} was not started again: {is:?}"));
        }
        bench.pause(1)?;
    }
}
