//! The proofs of gate 2: a driver has exactly the device that it was granted, and everything else is refused the same way every
//! time. What a window shows is seen by another process (`tests/driver-probe`); what was decided is read in the log.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod awake;
mod console;
mod disk;
mod faults;
mod interrupts;
mod left;
mod logged;
mod memory;
mod partition;
mod policy;
mod probe;
mod refusals;
mod restarts;
mod time;

use alloc::format;
use alloc::string::String;
use harness::Test;
use nexus_rt::api::policy::MAX_NAME;
use nexus_rt::wire::Text;

/// Every proof.
pub const TESTS: &[Test] = &[
    ("devices.map", probe::map),
    ("devices.policy", policy::deny),
    ("devices.policy_reset", policy::reset),
    ("devices.outside", faults::outside),
    ("devices.execute", faults::execute),
    ("devices.pointers", faults::pointers),
    ("devices.minting", refusals::minting),
    ("devices.mapping", refusals::mapping),
    ("devices.interrupt", probe::interrupt),
    ("devices.interrupt_storm", interrupts::storm),
    ("devices.interrupt_revoked", interrupts::revoked),
    ("devices.interrupt_of_another", interrupts::of_another),
    ("devices.pool", memory::pool),
    ("devices.addresses", memory::addresses),
    ("devices.random", restarts::random),
    ("devices.console_typed", console::typed),
    ("devices.console_written", console::written),
    ("devices.console_restarts", console::restarts),
    ("devices.time", time::time),
    ("devices.disk", disk::readback),
    ("devices.partitions", disk::partitions),
    ("devices.disk_refusals", disk::refusals),
    ("devices.disk_shares", disk::shares),
    ("devices.block", partition::block),
    ("devices.restart", restarts::restart),
    ("devices.link_restarts", restarts::link),
];

/// The device that tests may ask for: an entropy source of its own.
const SPARE: &str = "spare";

/// A device's name as the policy takes it.
fn text(name: &str) -> Result<Text<'_, MAX_NAME>, String> {
    Text::new(name).map_err(|_| format!("{name} is too long"))
}
