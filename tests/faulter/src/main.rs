//! `faulter`: reads where nothing lies, in a function with a name of its own, so that what is kept of its end can be compared with what happened.
#![cfg_attr(target_os = "none", no_std, no_main)]

use nexus_rt::Startup;

nexus_rt::main!(run);

/// Nothing lies here: programs begin higher up.
const NOWHERE: u64 = 0x7008;

fn run(startup: Startup) -> u64 {
    startup.ready();
    reads_where_nothing_is(NOWHERE)
}

/// Never returns when nothing lies there.
#[inline(never)]
fn reads_where_nothing_is(address: u64) -> u64 {
    // SAFETY: nothing is there to be read, which ends the process; that is what this is for.
    unsafe { core::ptr::read_volatile(address as *const u64) }
}
