//! Puts that take longer than they may: the first of them is told, then no more until one is in time again, so that a slow disk does not fill the log.

/// Most milliseconds from a put's arrival to its answer, flush included.
pub const BUDGET_MS: u64 = 250;

/// One that was late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Late {
    /// The service that put.
    pub service: u32,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

/// Who looks at the clock.
pub struct Watch {
    clock: fn() -> u64,
    is_late: bool,
    told: Option<Late>,
}

impl Watch {
    /// By a clock in milliseconds.
    pub fn new(clock: fn() -> u64) -> Watch {
        Watch { clock, is_late: false, told: None }
    }

    /// The time.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// A put that arrived at `begun` is about to be answered.
    pub fn done(&mut self, service: u32, begun: u64) {
        let took_ms = self.now().saturating_sub(begun);
        let is_late = took_ms > BUDGET_MS;
        if is_late && !self.is_late {
            self.told = Some(Late { service, took_ms });
        }
        self.is_late = is_late;
    }

    /// The first late put since one was in time, once.
    pub fn take(&mut self) -> Option<Late> {
        self.told.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::{AtomicU64, Ordering};

    static NOW: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn a_late_put_is_told_once_until_one_is_in_time() {
        let mut watch = Watch::new(|| NOW.load(Ordering::Relaxed));
        let mut put = |took| {
            let begun = watch.now();
            NOW.fetch_add(took, Ordering::Relaxed);
            watch.done(7, begun);
            watch.take().map(|late| late.took_ms)
        };
        assert_eq!(put(0), None);
        assert_eq!(put(BUDGET_MS), None, "all of the budget");
        assert_eq!(put(BUDGET_MS + 1), Some(BUDGET_MS + 1));
        assert_eq!(put(9 * BUDGET_MS), None, "still late");
        assert_eq!(put(1), None);
        assert_eq!(put(2 * BUDGET_MS), Some(2 * BUDGET_MS));
    }
}
