//! Time, in ticks of the machine's counter. Deadlines are points in time: a retry keeps the first one.

use core::sync::atomic::{AtomicU64, Ordering};
use nexus_abi::{NEVER, Ticks};

/// Ticks a second, told at start; what QEMU's `virt` has, until then.
static TIMEBASE: AtomicU64 = AtomicU64::new(10_000_000);

/// Sets what the kernel or the parent process told.
pub fn set_timebase(hz: u64) {
    if hz != 0 {
        TIMEBASE.store(hz, Ordering::Relaxed);
    }
}

/// Ticks a second.
pub fn timebase() -> u64 {
    TIMEBASE.load(Ordering::Relaxed)
}

/// Now.
pub fn now() -> Ticks {
    crate::sys::ticks()
}

/// So many milliseconds as ticks; what leaves the range becomes `NEVER`.
pub fn millis(ms: u64) -> Ticks {
    let ticks = ms as u128 * timebase() as u128 / 1000;
    u64::try_from(ticks).unwrap_or(NEVER)
}

/// The deadline that many milliseconds from now.
pub fn in_millis(ms: u64) -> Ticks {
    now().saturating_add(millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_past_the_range_is_for_ever() {
        assert_eq!(millis(1000), timebase());
        assert_eq!(millis(u64::MAX), NEVER);
    }
}
