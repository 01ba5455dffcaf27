//! What tells waiting from work: a thread of the lowest priority that counts its rounds. Under exact counting an idle machine's clock would
//! jump to the next deadline; with this it goes on, and what was waited is taken off again.
//!
//! In assembly, so that a round is a known number of instructions.

use alloc::string::String;
use alloc::sync::Arc;
use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use nexus_abi::Sysno;
use nexus_rt::thread::{self, JoinHandle};
use nexus_rt::{Owned, PortKind};

global_asm!(include_str!("spin.S"), reply_and_wait = const Sysno::reply_and_wait as u64);

unsafe extern "C" {
    fn bench_spin(place: *const Place);
    fn bench_await(place: *const Place, port: u64, status: *mut u64) -> u64;
}

/// Instructions of a round.
const ROUND: u64 = 6;

/// Its priority: below everybody's.
const PRIORITY: u8 = 1;

/// What the thread writes, and what it looks at.
#[derive(Debug, Default)]
#[repr(C)]
struct Place {
    rounds: AtomicU64,
    noted: AtomicU64,
    stop: AtomicBool,
}

/// The thread.
pub struct Spin {
    place: Arc<Place>,
    thread: Option<JoinHandle<()>>,
}

/// The counter of instructions.
fn counter() -> u64 {
    let count;
    // SAFETY: reads a counter that programs may read.
    unsafe { asm!("rdinstret {}", out(reg) count, options(nomem, nostack)) };
    count
}

impl Spin {
    /// From now on.
    pub fn begin() -> Result<Spin, String> {
        let place = Arc::<Place>::default();
        let seen = place.clone();
        // SAFETY: the place lives as long as the closure, and only atomics are in it.
        let spin = move || unsafe { bench_spin(Arc::as_ptr(&seen)) };
        let thread = thread::spawn(PRIORITY, spin).map_err(|error| alloc::format!("a thread: {error:?}"))?;
        Ok(Spin { place, thread: Some(thread) })
    }

    /// How many instructions `work` takes, everybody's, without what the machine only waited.
    pub fn count<T>(&self, work: impl FnOnce() -> T) -> (u64, T) {
        let (rounds, begun) = (self.place.rounds.load(Ordering::Relaxed), counter());
        let answer = work();
        let took = counter() - begun;
        let waited = (self.place.rounds.load(Ordering::Relaxed) - rounds) * ROUND;
        (took.saturating_sub(waited), answer)
    }

    /// Waits at a port for an event; how many instructions came between what this thread was doing and the first one of the caller.
    /// `None` when this thread did nothing in between, because the event was there already.
    pub fn until_event(&self, port: &Owned<PortKind>) -> Result<Option<u64>, String> {
        let before = self.place.rounds.load(Ordering::Relaxed);
        let mut status = 0;
        // SAFETY: the place lives, and the status is written once; no address goes into the kernel.
        let count = unsafe { bench_await(Arc::as_ptr(&self.place), port.handle().0.into(), &mut status) };
        // In the round that goes on when the thread comes to run again nothing was noted yet.
        let ran = self.place.rounds.load(Ordering::Relaxed) > before + 1;
        if status == 0 { Ok(ran.then_some(count)) } else { Err(alloc::format!("a wait: status {status}")) }
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        self.place.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}
