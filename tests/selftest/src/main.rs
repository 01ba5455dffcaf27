//! Drives the proofs of gate 1. A line is printed only after a peer, another process, has shown that it is true.
//!
//! It writes to the console itself, so that nothing is lost when it ends the machine with the result.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod echo;
mod ipc;
mod log;
mod peer;
mod share;
mod threads;

use alloc::format;
use alloc::string::String;
use nexus_rt::{IdentityKind, Owned, ProcessKind, QuotaKind, ResourceKind, Startup, Vmo};

nexus_rt::main!(run);

/// Why a test failed.
pub type Verdict = Result<(), String>;

/// A test's name and what it does.
type Test = (&'static str, fn(&Bench) -> Verdict);

/// What the tests are made with.
pub struct Bench {
    /// This process, to map memory in.
    pub own: &'static Owned<ProcessKind>,
    /// What everything is charged to.
    pub quota: &'static Owned<QuotaKind>,
    /// Who peers are.
    pub identity: Owned<IdentityKind>,
    /// The boot image, for the peers' program.
    pub image: Owned<Vmo>,
    /// Counters of the kernel.
    pub stats: Owned<ResourceKind>,
    console: Owned<ResourceKind>,
}

impl Bench {
    /// Prints a line.
    pub fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.console_write(format!("{line}\n").as_bytes());
    }
}

/// Any refusal as text, with what was tried.
pub fn why<T, E: core::fmt::Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// A condition that must hold.
pub fn expect(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(String::from(what)) }
}

fn run(mut startup: Startup) -> u64 {
    let (Some(own), Some(quota)) = (startup.process(), startup.quota()) else { return 3 };
    let (Some(identity), Some(image)) = (startup.take("identity"), startup.take("boot-image")) else {
        return 3;
    };
    let (Some(stats), Some(console)) = (startup.take("kernel-stats"), startup.take("console")) else {
        return 3;
    };
    let Some(reset) = startup.take::<ResourceKind>("reset") else { return 3 };
    startup.ready();
    let bench = Bench { own, quota, identity, image, stats, console };
    let tests: [Test; 14] = [
        ("selftest.channel_create", ipc::create),
        ("selftest.sendrecv", ipc::send_receive),
        ("selftest.capxfer", ipc::transfer),
        ("selftest.backpressure", ipc::back_pressure),
        ("selftest.vmo_share", share::share),
        ("selftest.nothing_leaks", ipc::nothing_leaks),
        ("echo.calls", echo::calls),
        ("echo.deadline", echo::deadline),
        ("echo.death", echo::death),
        ("echo.undeclared", echo::undeclared),
        ("log.read", log::read),
        ("threads.join", threads::join),
        ("threads.release", threads::release),
        ("threads.nothing_leaks", threads::nothing_leaks),
    ];
    let mut failed = 0;
    for (name, test) in tests {
        match test(&bench) {
            Ok(()) => bench.say(&format!("TEST {name} ok")),
            Err(reason) => {
                failed += 1;
                bench.say(&format!("TEST {name} FAILED: {reason}"));
            }
        }
    }
    bench.say(&format!("TESTS {} passed, {failed} failed", tests.len() - failed));
    let _ = reset.reset((failed != 0) as u64);
    4
}
