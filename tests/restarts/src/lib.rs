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
use harness::{Bench, Test, expect, why};
use nexus_rt::api::kill::{Client, LookReply};
use nexus_rt::clock;
use nexus_rt::wire::{Fixed, Text};

/// Every test.
pub const TESTS: &[Test] = &[
    ("services.second_claimant", claims::second_claimant),
    ("services.undeclared", claims::undeclared),
    ("restarts.unknown", deaths::unknown),
    ("restarts.echo", deaths::echo),
    ("restarts.samgrd", deaths::samgrd),
    ("restarts.execd", deaths::execd),
    ("restarts.logd", deaths::logd),
    ("restarts.charges", deaths::charges),
    ("restarts.backoff", backoff::doubles),
];

/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;

/// The supervisor's and `samgrd`'s service ids, by which their records are known.
const NEXUS_INIT: u32 = 1;
const SAMGRD: u32 = 4;

/// Looks at a process.
fn look(bench: &Bench, name: &str) -> Result<LookReply, String> {
    why(name, Client::new(Fixed::new(&bench.killer)).look(Text::cut(name)))
}

/// Has a process killed; answers what it was.
fn kill(bench: &Bench, name: &str) -> Result<LookReply, String> {
    let was = look(bench, name)?;
    why(name, Client::new(Fixed::new(&bench.killer)).process(Text::cut(name)))?;
    Ok(was)
}

/// Waits until another process has taken the place of the one with this generation, and says that it does its job.
fn await_next(bench: &Bench, name: &str, was: &LookReply) -> Result<LookReply, String> {
    let patience = clock::in_millis(PATIENCE_MS);
    loop {
        match Client::new(Fixed::new(&bench.killer)).look(Text::cut(name)) {
            Ok(is) if is.generation != was.generation => {
                expect(is.generation > was.generation, "the new process has an old number")?;
                return Ok(is);
            }
            _ if clock::now() > patience => return Err(format!("{name} was not started again")),
            _ => bench.pause(1)?,
        }
    }
}
