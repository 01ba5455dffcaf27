//! Ctrl-C, TERM and HUP: noted, never acted on in a handler. Whoever waits looks here often and ends what it
//! started; a second Ctrl-C ends `nx` at once, and the machine with it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static SEEN: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Begins to note signals.
pub fn listen() {
    let seen = SEEN.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Registering fails only for signals that cannot be caught.
        let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(seen));
        let _ = signal_hook::flag::register(signal, Arc::clone(seen));
    }
}

/// Whether one came.
pub fn seen() -> bool {
    SEEN.get().is_some_and(|seen| seen.load(Ordering::Relaxed))
}
