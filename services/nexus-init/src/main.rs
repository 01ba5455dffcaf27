//! `nexus-init`: the first process. It holds the root resources, starts what the registry says in its order, hands
//! each process exactly what is declared for it, and supervises them.
//!
//! It must never wait for a service without a deadline, and never hand over a right that is not declared.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod controls;
mod devices;
mod handing;
mod root;
mod slot;
mod supervisor;

use nexus_rt::{Channel, Owned, error};
use root::Root;
use supervisor::Supervisor;

nexus_rt::first!(run);

/// Code with which the machine ends when the system cannot be brought up at all.
const BOOT_FAILED: u64 = 1;

fn run(bootstrap: Owned<Channel>) -> u64 {
    let root = match Root::receive(&bootstrap) {
        Ok(root) => root,
        // Without the root resource there is no console to say it on; the kernel reports the exit.
        Err(_) => return BOOT_FAILED,
    };
    let resource = root.resource_for_reset();
    let failed = Supervisor::new(root).and_then(Supervisor::run);
    if let Err(why) = failed {
        error!("the system cannot go on: {why:?}");
    }
    if let Ok(resource) = resource {
        let _ = resource.reset(BOOT_FAILED);
    }
    BOOT_FAILED
}
