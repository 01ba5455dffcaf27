//! Time as the stack has it: microseconds since reset.

use nexus_rt::abi::{NEVER, Ticks};
use nexus_rt::clock;

const MICROS: u64 = 1_000_000;

/// Now.
pub fn now() -> u64 {
    let (ticks, hz) = (clock::now(), clock::timebase());
    (ticks / hz) * MICROS + (ticks % hz) * MICROS / hz
}

/// A moment as a deadline: not before it.
pub fn ticks(moment: Option<u64>) -> Ticks {
    let Some(moment) = moment else { return NEVER };
    let hz = clock::timebase();
    let part = ((moment % MICROS) * hz).div_ceil(MICROS);
    (moment / MICROS).saturating_mul(hz).saturating_add(part)
}

/// The earlier of two moments.
pub fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
