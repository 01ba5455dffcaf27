//! Runs every device test, in order, and ends the machine with the sum. Its own tests are the proofs of gate 1 and of the
//! services; each other driver is a library of its own (`tests/objects`, `tests/hostile`, `tests/storm`, `tests/restarts`,
//! `tests/offsets`). A line is printed only after another process has shown that it is true.
//!
//! It writes to the console past the log, so that nothing is lost when it ends the machine with the result.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod echo;
mod ipc;
mod log;
mod share;
mod threads;

use alloc::format;
use harness::{Bench, Program, Test, Verdict, Wish, expect, why};
use nexus_rt::Startup;

nexus_rt::main!(run);

/// The proofs of gate 1, and what services promise.
const OWN: &[Test] = &[
    ("selftest.channel_create", ipc::create),
    ("selftest.sendrecv", ipc::send_receive),
    ("selftest.alignments", ipc::alignments),
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

/// Every driver's tests, in the order in which they run.
const DRIVERS: &[&[Test]] =
    &[OWN, devices::TESTS, hostile::TESTS, objects::TESTS, storm::TESTS, restarts::TESTS];

/// Drivers that count instructions, which is exact on one hart alone, and which a host has none of.
#[cfg(target_os = "none")]
const EXACT_DRIVERS: &[&[Test]] = &[objects::ORDERED_TESTS, offsets::TESTS];
#[cfg(not(target_os = "none"))]
const EXACT_DRIVERS: &[&[Test]] = &[];

/// The storm alone.
const STORM: &[&[Test]] = &[storm::TESTS];

/// A peer with this many pages, which only talks.
fn start_peer(bench: &Bench, pages: u64) -> Result<Program, alloc::string::String> {
    Program::start(bench, &Wish::plain("selftest-peer", pages))
}

fn run(mut startup: Startup) -> u64 {
    let Some(bench) = Bench::new(&mut startup) else { return 3 };
    startup.ready();
    let (mut passed, mut failed) = (0, 0);
    let exact = bench.stats.stats().is_ok_and(|stats| stats.harts == 1);
    let (drivers, more) = if bench.storm { (STORM, [].as_slice()) } else { (DRIVERS, EXACT_DRIVERS) };
    for tests in drivers.iter().chain(more.iter().filter(|_| exact)) {
        let (good, bad) = bench.run(tests);
        passed += good;
        failed += bad;
    }
    bench.say(&format!("TESTS {passed} passed, {failed} failed"));
    // What was said is to be seen before the machine ends.
    let _ = bench.console.drain();
    let _ = bench.reset.reset((failed != 0) as u64);
    4
}
