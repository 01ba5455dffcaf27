//! Drivers are killed and come back: their clients see the server die and go on, and nothing grows.

use alloc::format;
use alloc::string::String;
use harness::{Bench, Verdict, expect, why};
use nexus_rt::api::random;
use nexus_rt::api::supervise::State;
use nexus_rt::clock;
use nexus_rt::samgr::Service;
use nexus_rt::wire::Text;

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
const KILLS: u32 = 20;
const KILLS_FULL: u32 = 500;

/// How long a driver may take to be back.
const PATIENCE_MS: u64 = 10_000;

/// What is known of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    index: u16,
    generation: u32,
    state: State,
    /// What must not grow.
    pages: u64,
    handles: u32,
}

fn find(bench: &Bench, name: &str) -> Result<Known, String> {
    let mut init = bench.supervisor();
    for index in 0.. {
        let stat = why(name, init.stat(index))?;
        if stat.name.get() == name {
            let (generation, state, pages, handles) = (stat.generation, stat.state, stat.pages, stat.handles);
            return Ok(Known { index, generation, state, pages, handles });
        }
    }
    Err(format!("there is no {name}"))
}

/// Waits until another instance than `before` does its job.
fn back(bench: &Bench, name: &str, before: u32) -> Result<Known, String> {
    let deadline = clock::in_millis(PATIENCE_MS);
    while clock::now() < deadline {
        let known = find(bench, name)?;
        if known.generation != before && known.state == State::Ready {
            return Ok(known);
        }
        nexus_rt::sys::thread_yield();
    }
    Err(format!("{name} did not come back"))
}

/// Kills a driver again and again, with `use_it` before and after each time; what is charged to it, what the machine has left
/// and how many handles it holds are as after the first time.
fn kill_again_and_again(bench: &Bench, name: &str, use_it: impl Fn() -> Verdict) -> Verdict {
    let mut settled = None;
    for round in 0..if bench.full { KILLS_FULL } else { KILLS } {
        use_it()?;
        let before = find(bench, name)?;
        why("kill", bench.supervisor().kill(why("name", Text::new(name))?))?;
        let after = back(bench, name, before.generation)?;
        use_it()?;
        let now = find(bench, name)?;
        let frames = why("stats", bench.stats.stats())?.frames_free;
        let counted = (now.pages, now.handles, frames);
        expect(after.generation > before.generation, "an old generation came back")?;
        // The first rounds make the heaps of those around it grow.
        match settled {
            Some(then) if then != counted => {
                return Err(format!("{name}, round {round}: {counted:?} after {then:?}"));
            }
            _ if round < 3 => {}
            _ => settled = Some(counted),
        }
    }
    Ok(())
}

/// Each driver is killed and restarted; charges and slots are unchanged.
pub fn restart(bench: &Bench) -> Verdict {
    kill_again_and_again(bench, "rngd", || random(bench))?;
    bench.say("SELFTEST: driver restart ok");
    Ok(())
}
