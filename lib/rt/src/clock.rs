//! Time, in ticks of the machine's counter. Deadlines are points in time: a retry keeps the first one.

use core::sync::atomic::{AtomicU64, Ordering};
use nexus_abi::{NEVER, NOW, Ticks};

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
    ticks_of(ms, timebase())
}

/// In 64 bits: this is part of every call. Where the product leaves the range, whole seconds are exact enough.
fn ticks_of(ms: u64, hz: u64) -> Ticks {
    match ms.checked_mul(hz) {
        Some(product) => product / 1000,
        None => (ms / 1000).saturating_mul(hz),
    }
}

/// The deadline that many milliseconds from now.
pub fn in_millis(ms: u64) -> Ticks {
    now().saturating_add(millis(ms))
}

/// The deadline of a call that may take `ms` milliseconds: [`NOW`] for 0, and never `NEVER`.
pub fn within(ms: u32) -> Ticks {
    deadline(now(), timebase(), ms)
}

fn deadline(now: Ticks, hz: u64, ms: u32) -> Ticks {
    if ms == 0 {
        return NOW;
    }
    now.saturating_add(ticks_of(u64::from(ms), hz)).clamp(NOW + 1, NEVER - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_past_the_range_is_for_ever() {
        assert_eq!(millis(1000), timebase());
        assert_eq!(millis(u64::MAX), NEVER);
    }

    #[test]
    fn deadlines_neither_wrap_nor_become_never() {
        assert_eq!(deadline(5, 10_000_000, 0), NOW);
        assert_eq!(deadline(5, 10_000_000, 1), 10_005);
        assert_eq!(deadline(0, 1, 1), 1, "shorter than a tick");
        assert_eq!(deadline(u64::MAX - 3, 10_000_000, u32::MAX), NEVER - 1);
        assert_eq!(deadline(7, u64::MAX, u32::MAX), NEVER - 1);
    }
}
