//! A service that keeps its state in `/state`: it counts how often it was started, through restarts and power cuts. The example of
//! `docs/how-to-keep-state.md`; `./nx test reboots` reads its word on each machine.
//!
//! What must never happen: it says a number that is not kept.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use nexus_keep::State;
use nexus_rt::api::state::Error;
use nexus_rt::wire::CallError;
use nexus_rt::{Startup, error, info};

nexus_rt::main!(run);

/// Where the number is. The registry lets this process write under `app/counter`, and nobody else.
const STARTS: &str = "app/counter/starts";

fn run(startup: Startup) -> u64 {
    match count() {
        Ok(starts) => info!("start {starts}"),
        Err(why) => {
            error!("the number of starts is not kept: {why:?}");
            return 3;
        }
    }
    startup.ready();
    0
}

/// Counts this start; when it answers, the number survives a power cut.
fn count() -> Result<u64, CallError<Error>> {
    let mut state = State::new();
    let before = match state.get(STARTS) {
        // A value of another length was not put by this program.
        Ok((bytes, _)) => bytes.try_into().map(u64::from_le_bytes).unwrap_or(0),
        Err(CallError::Service(Error::NotFound)) => 0,
        Err(other) => return Err(other),
    };
    let now = (before + 1).to_le_bytes();
    loop {
        // `true`: answer only when it is safe.
        match state.put(STARTS, &now, true) {
            Ok(_) => return Ok(before + 1),
            // Whether it was done is not known; to put the same again is right either way.
            Err(CallError::ServerDied) => {}
            Err(other) => return Err(other),
        }
    }
}
