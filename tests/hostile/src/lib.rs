//! Hostile programs, each in its own process; each must lose while the system and every other process goes on.
//!
//! The attacks are made by `tests/attacker`; here they are watched from outside. After each, another process still
//! answers, and every charge and every slot is as before.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod attacks;
mod faults;
mod watch;

use harness::Test;

/// Every attack.
pub const TESTS: &[Test] = &[
    ("hostile.handles.guessed", attacks::handles_guessed),
    ("hostile.handles.wrong_kind", attacks::handles_wrong_kind),
    ("hostile.handles.missing_right", attacks::handles_missing_right),
    ("hostile.pointers.info", attacks::pointers_info),
    ("hostile.pointers.outgoing", attacks::pointers_outgoing),
    ("hostile.pointers.incoming", attacks::pointers_incoming),
    ("hostile.faults", faults::faults),
];
