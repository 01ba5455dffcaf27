//! With instructions counted exactly, the clock of an idle machine jumps to the next deadline: a disk, which is as slow as the host, would
//! come too late for every driver that waits with one. A thread that has nothing to do keeps the clock at the pace of instructions.

use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use harness::why;
use nexus_rt::thread::{self, JoinHandle};

/// Its priority: below everybody's.
const PRIORITY: u8 = 1;

/// The machine is not idle while this is there.
pub struct Awake {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Awake {
    /// From now on.
    pub fn keep() -> Result<Awake, String> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let spin = move || {
            while !seen.load(Ordering::Relaxed) {
                nexus_rt::sys::thread_yield();
            }
        };
        Ok(Awake { stop, thread: Some(why("a thread", thread::spawn(PRIORITY, spin))?) })
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}
