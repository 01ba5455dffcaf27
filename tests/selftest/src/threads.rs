//! Threads of one process: they run beside each other, give their result to whoever joins them, and leave nothing
//! behind. One waits in a call that the server answers only when another thread has it released.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use nexus_rt::api::echo::Client;
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;
use nexus_rt::{clock, thread};

use crate::{Bench, Verdict, expect, why};

const THREADS: u64 = 4;
const PRIORITY: u8 = 10;
/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;

static SUM: AtomicU64 = AtomicU64::new(0);

/// Spawns, joins, and uses more of the stack than a page.
pub fn join(_bench: &Bench) -> Verdict {
    let mut threads = Vec::new();
    for number in 0..THREADS {
        let work = move || {
            let deep = [number; 1024];
            SUM.fetch_add(core::hint::black_box(&deep).iter().sum(), Ordering::Relaxed);
            number * number
        };
        threads.push(why("spawn", thread::spawn(PRIORITY, work))?);
    }
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
    expect(results == [Some(0), Some(1), Some(4), Some(9)], "a result is not the thread's own")?;
    expect(SUM.load(Ordering::Relaxed) == 1024 * 6, "a thread did not do its work")
}

/// Threads that come and go leave every charge as it was.
pub fn nothing_leaks(bench: &Bench) -> Verdict {
    let rounds = bench.rounds().max(100);
    let round = || -> Verdict {
        let joined = why("spawn", thread::spawn(PRIORITY, || 7))?.join();
        expect(joined == Some(7), "the thread's result is another")
    };
    round()?;
    let before = settled(bench)?;
    for _ in 0..rounds {
        round()?;
    }
    let after = settled(bench)?;
    expect(before == after, "threads that are gone are still charged for")
}

/// Pages and objects of this process once the last joined thread has left the kernel, which takes it a moment after
/// it has said that it ended.
fn settled(bench: &Bench) -> Result<(u64, u64), String> {
    while why("process", bench.own.info())?.threads > 1 {
        nexus_rt::sys::thread_yield();
    }
    let charged = why("quota", bench.quota.info())?;
    Ok((charged.pages_used, charged.objects))
}

/// A thread waits in a call until this one has it released.
pub fn release(_bench: &Bench) -> Verdict {
    const MARK: u32 = 77;
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        let wait = || Client::new(Service("echo")).wait(MARK).map(|reply| reply.released);
        let waiting = why("spawn", thread::spawn(PRIORITY, wait))?;
        let mut echo = Client::new(Service("echo"));
        // The other thread's call comes before or after this one.
        let patience = clock::in_millis(PATIENCE_MS);
        while why("release", echo.release(MARK))?.released == 0 {
            expect(clock::now() < patience, "the waiting call never arrived")?;
        }
        match waiting.join() {
            Some(Ok(1)) => return Ok(()),
            // A host that has no time lets the deadline pass between the two calls.
            Some(Err(CallError::TimedOut)) => {}
            other => return Err(format!("the call that was kept was answered so: {other:?}")),
        }
    }
    Err("each of the waiting calls timed out".into())
}
