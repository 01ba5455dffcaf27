//! Why work is to stop: Ctrl-C, TERM, HUP, or an output that nobody reads any more. Noted, never acted on in a
//! handler: whoever waits looks here often and ends what it started. A second Ctrl-C ends `nx` at once, and the
//! machine with it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::exit::{Exit, Failure};

/// Not the number of a signal: the output is gone.
const OUTPUT_GONE: usize = usize::MAX;

#[derive(Default)]
struct Noted {
    any: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

static NOTED: OnceLock<Noted> = OnceLock::new();

/// Begins to note signals.
pub fn listen() {
    let noted = NOTED.get_or_init(Noted::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Registering fails only for signals that cannot be caught.
        let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&noted.any));
        let _ = signal_hook::flag::register(signal, Arc::clone(&noted.any));
        let _ = signal_hook::flag::register_usize(signal, Arc::clone(&noted.which), signal as usize);
    }
}

/// Whether there is a reason to stop. Also looks whether anybody still reads the output: who is silent for long would
/// not notice by writing.
pub fn seen() -> bool {
    let Some(noted) = NOTED.get() else { return false };
    if !noted.any.load(Ordering::Relaxed) {
        let stdout = std::io::stdout();
        let mut output = [PollFd::new(&stdout, PollFlags::empty())];
        let looked = poll(&mut output, Some(&Timespec::default()));
        if looked.is_ok() && output[0].revents().contains(PollFlags::ERR) {
            output_gone();
        }
    }
    noted.any.load(Ordering::Relaxed)
}

/// Notes that whoever read the output went away (`nx run | head`): going on would be work for nobody.
pub fn output_gone() {
    let noted = NOTED.get_or_init(Noted::default);
    noted.which.store(OUTPUT_GONE, Ordering::Relaxed);
    noted.any.store(true, Ordering::Relaxed);
}

/// Forgets a Ctrl-C, and only that: it ended one command at the prompt, not the prompt. Whether there was one.
pub fn forgive() -> bool {
    let Some(noted) = NOTED.get() else { return false };
    let was = noted.which.compare_exchange(SIGINT as usize, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if was {
        noted.any.store(false, Ordering::Relaxed);
    }
    was
}

/// The failure of work that was stopped; `state` says what was left in order.
pub fn failure(state: &str) -> Failure {
    let which = NOTED.get().map_or(0, |noted| noted.which.load(Ordering::Relaxed));
    let why = match i32::try_from(which) {
        Ok(SIGTERM) => "told to end (TERM)",
        Ok(SIGHUP) => "the terminal is gone (HUP)",
        Err(_) => "nobody reads the output any more",
        Ok(_) => "interrupted",
    };
    Failure::new(Exit::Interrupted, format!("{why}; {state}"), "")
}
