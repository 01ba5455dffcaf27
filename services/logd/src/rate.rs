//! How much one source may say: so many records at once, and so many a second after that. What is beyond is
//! counted, and told in one record when there is room again.

use nexus_abi::Ticks;

/// Records that a source may send at once.
pub const BURST: u64 = 256;

/// Records a second after that.
pub const PER_SECOND: u64 = 200;

/// One source's allowance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limiter {
    tokens: u64,
    refilled: Ticks,
    dropped: u64,
}

/// What is to be done with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Keep it; before it, that many were dropped.
    Keep {
        /// Records dropped since the last one kept.
        dropped: u64,
    },
    /// Drop it.
    Drop,
}

impl Limiter {
    /// A full allowance.
    pub fn new(now: Ticks) -> Limiter {
        Limiter { tokens: BURST, refilled: now, dropped: 0 }
    }

    fn refill(&mut self, now: Ticks, hz: u64) {
        let step = (hz / PER_SECOND).max(1);
        let earned = now.saturating_sub(self.refilled) / step;
        self.tokens = self.tokens.saturating_add(earned).min(BURST);
        // What is left of a step is not lost.
        self.refilled = self.refilled.saturating_add(earned.saturating_mul(step));
    }

    /// Decides about one record.
    pub fn admit(&mut self, now: Ticks, hz: u64) -> Verdict {
        self.refill(now, hz);
        if self.tokens == 0 {
            self.dropped += 1;
            return Verdict::Drop;
        }
        self.tokens -= 1;
        Verdict::Keep { dropped: core::mem::take(&mut self.dropped) }
    }

    /// Takes the count of dropped records when there is room to tell it.
    pub fn settle(&mut self, now: Ticks, hz: u64) -> Option<u64> {
        self.refill(now, hz);
        if self.dropped == 0 || self.tokens == 0 {
            return None;
        }
        self.tokens -= 1;
        Some(core::mem::take(&mut self.dropped))
    }

    /// Whether dropped records wait to be told.
    pub fn owes(&self) -> bool {
        self.dropped > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 1_000_000;

    #[test]
    fn a_burst_passes_and_one_more_does_not() {
        let mut limiter = Limiter::new(0);
        for _ in 0..BURST {
            assert_eq!(limiter.admit(0, HZ), Verdict::Keep { dropped: 0 });
        }
        assert_eq!(limiter.admit(0, HZ), Verdict::Drop);
        assert_eq!(limiter.admit(0, HZ), Verdict::Drop);
        let later = HZ / PER_SECOND;
        assert_eq!(limiter.admit(later, HZ), Verdict::Keep { dropped: 2 });
        assert_eq!(limiter.admit(later, HZ), Verdict::Drop);
    }

    #[test]
    fn a_flood_that_stopped_is_told_once() {
        let mut limiter = Limiter::new(0);
        for _ in 0..BURST + 10 {
            limiter.admit(0, HZ);
        }
        assert!(limiter.owes());
        assert_eq!(limiter.settle(0, HZ), None, "no room yet");
        assert_eq!(limiter.settle(HZ, HZ), Some(10));
        assert_eq!(limiter.settle(2 * HZ, HZ), None);
        assert!(!limiter.owes());
    }

    #[test]
    fn parts_of_a_step_add_up() {
        let mut limiter = Limiter::new(0);
        for _ in 0..BURST {
            limiter.admit(0, HZ);
        }
        let step = HZ / PER_SECOND;
        assert_eq!(limiter.admit(step - 1, HZ), Verdict::Drop);
        assert_eq!(limiter.admit(step, HZ), Verdict::Keep { dropped: 1 });
    }
}
