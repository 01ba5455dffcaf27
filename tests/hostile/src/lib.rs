//! Hostile programs, each in its own process; each must lose while the system and every other process goes on.
//!
//! The attacks are made by `tests/attacker`; here they are watched from outside. After each, another process still
//! answers, and every charge and every slot is as before.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod attacks;
mod deaths;
mod faults;
mod pairs;
mod watch;

use harness::Test;

/// Every attack.
pub const TESTS: &[Test] = &[
    ("hostile.handles.guessed", attacks::handles_guessed),
    ("hostile.handles.wide", attacks::handles_wide),
    ("hostile.handles.wrong_kind", attacks::handles_wrong_kind),
    ("hostile.handles.missing_right", attacks::handles_missing_right),
    ("hostile.pointers.info", attacks::pointers_info),
    ("hostile.pointers.outgoing", attacks::pointers_outgoing),
    ("hostile.pointers.incoming", attacks::pointers_incoming),
    ("hostile.transfers.lists", attacks::transfers_lists),
    ("hostile.transfers.busy", attacks::transfers_busy),
    ("hostile.transfers.in_flight", attacks::transfers_in_flight),
    ("hostile.transfers.rights_stay_small", attacks::transfers_rights_stay_small),
    ("hostile.transfers.queue", attacks::transfers_queue),
    ("hostile.floods.quota", attacks::floods_quota),
    ("hostile.floods.table", attacks::floods_table),
    ("hostile.floods.tables_of_others", attacks::floods_tables_of_others),
    ("hostile.floods.deep", attacks::floods_deep),
    ("hostile.floods.storms", attacks::floods_storms),
    ("hostile.memory.ranges", attacks::memory_ranges),
    ("hostile.memory.access", attacks::memory_access),
    ("hostile.memory.windows", attacks::memory_windows),
    ("hostile.registers.calls", attacks::registers_calls),
    ("hostile.registers.interrupts", attacks::registers_interrupts),
    ("hostile.registers.born", attacks::registers_born),
    ("hostile.random.calls", attacks::random_calls),
    ("hostile.devices.pairs", attacks::devices_pairs),
    ("hostile.errors.threads", attacks::errors_threads),
    ("hostile.errors.answers", attacks::errors_answers),
    ("hostile.deaths.killed", deaths::killed),
    ("hostile.deaths.revoked", deaths::revoked),
    ("hostile.deaths.exits", deaths::exits),
    ("hostile.deaths.callers", deaths::callers),
    ("hostile.deaths.full_table", deaths::full_table),
    ("hostile.spin", deaths::spin),
    ("hostile.faults", faults::faults),
    // The last: it judges what all others saw.
    ("hostile.pairs", pairs::all),
];
