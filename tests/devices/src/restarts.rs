//! Drivers are killed and come back: their clients see the server die and go on, and nothing grows.

use crate::awake::Awake;
use crate::disk::{Session, pattern};
use alloc::format;
use alloc::string::String;
use harness::{Bench, Known, Verdict, expect, why};
use nexus_rt::api::random;
use nexus_rt::api::supervise::State;
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;
use nexus_rt::{clock, thread};

/// Random bytes come, and no two answers are alike.
pub fn random(_bench: &Bench) -> Verdict {
    let mut rng = random::Client::new(Service("random"));
    let mut last = [0; 32];
    for _ in 0..10 {
        let reply = why("random bytes", rng.fill(32))?;
        let bytes = reply.data.get();
        expect(bytes.len() == 32 && bytes != last, "not 32 bytes, or the same again")?;
        last.copy_from_slice(bytes);
    }
    Ok(())
}

/// How often each driver is killed.
fn kills(bench: &Bench) -> u32 {
    if bench.full { 500 } else { 20 }
}

/// Writes of a client that waits for its driver to be killed, at most; and the priority of the thread that makes them.
const WRITES: u32 = 100_000;
const PRIORITY: u8 = 10;

/// How long a driver may take to be back.
const PATIENCE_MS: u64 = 10_000;

/// Waits until another instance than `before` does its job.
pub fn back(bench: &Bench, name: &str, before: u32) -> Result<Known, String> {
    let deadline = clock::in_millis(PATIENCE_MS);
    while clock::now() < deadline {
        let known = bench.look(name)?;
        if known.generation != before && known.state == State::Ready {
            return Ok(known);
        }
        nexus_rt::sys::thread_yield();
    }
    Err(format!("{name} did not come back"))
}

/// What must not grow with the number of restarts: pages and handles of the driver, and what is taken of the machine's memory.
#[derive(Clone, Copy, Debug)]
struct Held {
    pages: u64,
    handles: u32,
    frames_left: u64,
}

impl Held {
    fn of(bench: &Bench, name: &str) -> Result<Held, String> {
        let Known { pages, handles, .. } = bench.look(name)?;
        Ok(Held { pages, handles, frames_left: bench.frames_left()? })
    }

    fn is_more_than(&self, other: &Held) -> bool {
        self.pages > other.pages || self.handles > other.handles || self.frames_left < other.frames_left
    }
}

/// Waits until no more is held than before: on several harts a driver may not have closed yet what its client let go of.
fn settle(bench: &Bench, name: &str, before: &Held) -> Result<Held, String> {
    let deadline = clock::in_millis(PATIENCE_MS);
    loop {
        let now = Held::of(bench, name)?;
        match now.is_more_than(before) {
            false => return Ok(now),
            true if clock::now() >= deadline => return Err(format!("{now:?} after {before:?}")),
            true => nexus_rt::sys::thread_yield(),
        }
    }
}

/// Kills a driver again and again, with `use_it` before and after each time; what is charged to it, what the machine has left
/// and how many handles it holds come back to the least of all rounds before.
pub fn kill_again_and_again(bench: &Bench, name: &str, use_it: impl Fn() -> Verdict) -> Verdict {
    let mut settled = None;
    for round in 0..kills(bench) {
        use_it()?;
        let before = bench.kill(name)?;
        let after = back(bench, name, before.generation)?;
        use_it()?;
        expect(after.generation > before.generation, "an old generation came back")?;
        // The first rounds make the heaps of those around it grow.
        settled = match settled {
            _ if round < 3 => None,
            None => Some(Held::of(bench, name)?),
            Some(least) => {
                Some(settle(bench, name, &least).map_err(|why| format!("{name}, round {round}: {why}"))?)
            }
        };
    }
    Ok(())
}

/// The driver is killed while a request is on its way: its client sees that, opens the disk anew and finds what was answered.
fn in_the_middle(bench: &Bench) -> Verdict {
    let mut died = 0;
    for round in 0..kills(bench) {
        let mut session = Session::open(bench)?;
        why("write", session.write(5000, round as u8))?;
        let before = bench.look("virtioblkd")?;
        let mut waiting = Session::open(bench)?;
        // Writes until the driver dies: the last one was done, or not, and whoever asked does it again.
        let writer = thread::spawn(PRIORITY, move || {
            (0..WRITES).map(|_| waiting.write(6000, round as u8)).find(|answer| answer.is_err())
        });
        let writer = why("a thread", writer)?;
        // Later in each round.
        (0..round).for_each(|_| nexus_rt::sys::thread_yield());
        bench.kill("virtioblkd")?;
        match writer.join() {
            Some(Some(Err(CallError::ServerDied))) => died += 1,
            other => return Err(format!("round {round}: {other:?}")),
        }
        let _ = back(bench, "virtioblkd", before.generation)?;
        let mut session = Session::open(bench)?;
        expect(session.read(5000)? == pattern(round as u8), "what was answered is lost")?;
        why("write again", session.write(6000, round as u8))?;
        expect(session.read(6000)? == pattern(round as u8), "sector 6000 reads otherwise")?;
    }
    expect(died == kills(bench), "not every writer saw its driver die")
}

/// Each driver is killed and restarted; charges and slots are unchanged.
pub fn restart(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    kill_again_and_again(bench, "rngd", || random(bench))?;
    kill_again_and_again(bench, "timed", || crate::time::time(bench))?;
    kill_again_and_again(bench, "virtioblkd", || {
        let mut session = Session::open(bench)?;
        why("write", session.write(4000, 11))?;
        expect(session.read(4000)? == pattern(11), "sector 4000 reads otherwise")
    })?;
    in_the_middle(bench)?;
    bench.say("SELFTEST: driver restart ok");
    Ok(())
}

/// So is the driver of the link, with nobody at the other end of it.
pub fn link(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    kill_again_and_again(bench, "diagd", || {
        expect(bench.look("diagd")?.state == State::Ready, "it does not do its job")
    })
}
