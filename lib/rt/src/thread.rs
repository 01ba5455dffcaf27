//! Threads of this process: each with a stack of its own, between pages that are never mapped.
//!
//! What must never happen: a stack that is given back while its thread can still touch it. So the last thing that a
//! thread does on its stack lies before the signal that it has ended; after it there are only registers.

use crate::memory::Mapping;
use crate::owned::{Owned, Port, Thread, Vmo};
use crate::startup;
use crate::sys;
use alloc::boxed::Box;
use alloc::sync::Arc;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Handle, NEVER, Rights};
use spin::Mutex;

/// Bytes of a thread's stack.
pub const STACK_BYTES: u64 = 16 * PAGE_SIZE as u64;

/// The user bit of the thread's port that says that it has ended.
const ENDED: u32 = 1 << 16;

/// What a thread begins with: the function, which leaves its result where the joiner finds it, and what to signal.
struct Start {
    run: Box<dyn FnOnce() + Send>,
    port: Handle,
}

/// A thread that can be waited for. Dropping this lets the thread go on by itself; its stack then stays mapped for
/// as long as the process lives.
#[derive(Debug)]
pub struct JoinHandle<T> {
    result: Arc<Mutex<Option<T>>>,
    running: Option<(Mapping, Owned<Port>)>,
}

/// Starts a thread at `priority`, at most that of the process. A panic in it ends the process, as any panic does.
pub fn spawn<T, F>(priority: u8, function: F) -> Result<JoinHandle<T>, Error>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let quota = startup::own_quota().ok_or(Error::BadHandle)?;
    let process = startup::own_process().ok_or(Error::BadHandle)?;
    // The kernel leaves an unmapped page on each side of memory whose place it chooses: the guards of the stack.
    let memory = Owned::<Vmo>::create(quota, STACK_BYTES)?;
    let stack = memory.map(process, 0, STACK_BYTES, Rights::READ | Rights::WRITE)?;
    let port = Owned::<Port>::create(quota)?;
    let thread = Owned::<Thread>::create(process, quota, priority as u64)?;
    let result = Arc::new(Mutex::new(None));
    let place = result.clone();
    let run = Box::new(move || *place.lock() = Some(function()));
    let start = Box::into_raw(Box::new(Start { run, port: port.handle() }));
    let top = stack.address() + STACK_BYTES;
    // SAFETY: `begin` never returns, and nothing else uses the stack: its mapping is in the handle, whose `join` takes
    // it down only after the thread said that it needs it no more.
    let begun = unsafe {
        sys::thread_start(thread.handle(), begin as *const () as u64, top, start as u64, Handle::NONE)
    };
    match begun {
        Ok(()) => Ok(JoinHandle { result, running: Some((stack, port)) }),
        Err(error) => {
            // SAFETY: the thread did not start, so this is still the only pointer to it.
            drop(unsafe { Box::from_raw(start) });
            Err(error)
        }
    }
}

/// The first function of every thread.
extern "C" fn begin(start: *mut Start) -> ! {
    // SAFETY: `spawn` made it for this thread alone.
    let Start { run, port } = *unsafe { Box::from_raw(start) };
    run();
    sys::thread_exit_after(port, ENDED)
}

impl<T> JoinHandle<T> {
    /// Waits until the thread has ended, and answers its result. `None` only if the kernel refuses the wait.
    pub fn join(mut self) -> Option<T> {
        let (stack, port) = self.running.take()?;
        let ended = sys::reply_and_wait_words(port.handle(), 0, 0, Default::default(), NEVER);
        if ended.is_err() {
            // Whether the thread still runs is not known.
            core::mem::forget((stack, port));
            return None;
        }
        drop((stack, port));
        self.result.lock().take()
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        // The thread goes on: neither its stack nor the port that it will signal may go.
        core::mem::forget(self.running.take());
    }
}
