//! What every driver of device tests is made of: what it tests with, and how it says what came out.
//!
//! The drivers are modules and libraries of the one process `selftest`, which runs them in order and ends the machine
//! with the sum. A line is never printed here before its test has said that it holds.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

mod account;
mod look;
mod program;

use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use nexus_abi::{Error, Sysno};
use nexus_rt::api::supervise;
use nexus_rt::console::Console;
use nexus_rt::wire::Fixed;
use nexus_rt::{
    Channel, IdentityKind, Owned, PortKind, ProcessKind, QuotaKind, ResourceKind, Startup, Vmo, clock, sys,
};

pub use account::Account;
pub use look::Known;
pub use program::{Program, Wish};

/// Why a test failed.
pub type Verdict = Result<(), String>;

/// A test's name and what it does.
pub type Test = (&'static str, fn(&Bench) -> Verdict);

/// Service id of `logd`.
const LOG: u32 = 2;

/// What the tests are made with.
pub struct Bench {
    /// This process, to map memory in.
    pub own: &'static Owned<ProcessKind>,
    /// What everything is charged to.
    pub quota: &'static Owned<QuotaKind>,
    /// Who other processes are.
    pub identity: Owned<IdentityKind>,
    /// What mints identities.
    pub minter: Owned<IdentityKind>,
    /// What mints windows, interrupts and pools.
    pub machine: Owned<ResourceKind>,
    /// The boot image, for the programs of other processes.
    pub image: Owned<Vmo>,
    /// Counters of the kernel.
    pub stats: Owned<ResourceKind>,
    /// The kernel's console, which a driver has taken over.
    pub kernel_console: Owned<ResourceKind>,
    /// The console.
    pub console: Console,
    /// What ends the machine.
    pub reset: Owned<ResourceKind>,
    /// The supervisor, to be asked and told.
    pub supervisor: Owned<Channel>,
    /// Whether this is the long run: hundreds and thousands instead of a few.
    pub full: bool,
    /// Whether nothing is done but the storm, for long.
    pub storm: bool,
}

impl Bench {
    /// Takes what the registry grants to `selftest`.
    pub fn new(startup: &mut Startup) -> Option<Bench> {
        let (full, storm) = match startup.args() {
            "lane=quick" => (false, false),
            "lane=full" => (true, false),
            "lane=storm" => (false, true),
            _ => return None,
        };
        Some(Bench {
            own: startup.process()?,
            quota: startup.quota()?,
            identity: startup.take("identity")?,
            minter: startup.take("minter")?,
            machine: startup.take("machine")?,
            image: startup.take("boot-image")?,
            stats: startup.take("kernel-stats")?,
            kernel_console: startup.take("console")?,
            console: Console::default(),
            reset: startup.take("reset")?,
            supervisor: startup.take("supervise")?,
            full,
            storm,
        })
    }

    /// A client of the supervisor.
    pub fn supervisor(&self) -> supervise::Client<Fixed<&Owned<Channel>>> {
        supervise::Client::new(Fixed::new(&self.supervisor))
    }

    /// Whether there is one hart alone: then nothing happens but what a test waits for, and time is counted exactly.
    pub fn is_exact(&self) -> Result<bool, String> {
        Ok(why("stats", self.stats.stats())?.harts == 1)
    }

    /// Free frames of the machine, together with what is charged to the log: what others leave over. On several harts others
    /// grow and close things when they like, and the figure says nothing: it is 0 there.
    pub fn frames_left(&self) -> Result<u64, String> {
        if !self.is_exact()? {
            return Ok(0);
        }
        let log = (0..).map_while(|index| self.supervisor().stat(index).map(|s| (s.service, s.pages)).ok());
        let log = log.into_iter().find(|(service, _)| *service == LOG).map_or(0, |(_, pages)| pages);
        Ok(why("stats", self.stats.stats())?.frames_free + log)
    }

    /// Prints a line.
    pub fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.write(&format!("{line}\n"));
    }

    /// How often to repeat what must not grow: often enough that growth is seen, or as often as it is promised.
    pub fn rounds(&self) -> u32 {
        if self.full { 1000 } else { 20 }
    }

    /// Waits; on the exact lane that costs nothing while nobody else runs.
    pub fn pause(&self, ms: u64) -> Verdict {
        let port = why("port", Owned::<PortKind>::create(self.quota))?;
        match sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], clock::in_millis(ms)) {
            Err(refusal) if refusal.error == Error::TimedOut => Ok(()),
            other => Err(format!("a pause ended with {other:?}")),
        }
    }

    /// Runs tests in order, a result line each; answers how many passed and failed.
    pub fn run(&self, tests: &[Test]) -> (usize, usize) {
        let mut failed = 0;
        for (name, test) in tests {
            match test(self) {
                Ok(()) => self.say(&format!("TEST {name} ok")),
                Err(reason) => {
                    failed += 1;
                    self.say(&format!("TEST {name} FAILED: {reason}"));
                }
            }
        }
        (tests.len() - failed, failed)
    }
}

/// The status of a call that is refused whatever its arguments are.
pub fn refused(number: Sysno, arguments: [u64; 3]) -> u64 {
    let [a, b, c] = arguments;
    // SAFETY: of the calls that take such arguments none writes to memory, and these do not read where they point.
    unsafe { nexus_rt::sys::raw::syscall(number as u64, [a, b, c, 0, 0, 0, 0]) }.status
}

/// Any refusal as text, with what was tried.
pub fn why<T, E: Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// A condition that must hold.
pub fn expect(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(String::from(what)) }
}
