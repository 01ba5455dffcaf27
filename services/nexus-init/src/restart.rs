//! When a process that ended is started again: by its rule, after a pause that doubles with each end in a row,
//! and not for ever.

use nexus_abi::{ExitCause, ExitRecord};
use nexus_registry::Restart;

/// Longest pause, in milliseconds.
pub const MAX_PAUSE_MS: u64 = 10_000;

/// A process that did its job this long, in milliseconds, begins a new row of restarts.
pub const STABLE_MS: u64 = 10_000;

/// What to do about a process that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing: it is done.
    Rest,
    /// Start it again after this pause.
    Again {
        /// Milliseconds.
        pause_ms: u64,
    },
    /// It has been started again too often.
    GiveUp,
}

/// What the registry says about restarting one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// When.
    pub when: Restart,
    /// Pause before the first restart of a row, in milliseconds.
    pub backoff_ms: u32,
    /// Restarts in a row before giving up.
    pub max_restarts: u16,
}

/// The ends in a row of one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Row {
    restarts: u16,
}

impl Row {
    /// Decides about an end. `failed` tells whether it was one that `on-failure` means, `ran_ms` how long the process
    /// did its job.
    pub fn ended(&mut self, rule: Rule, failed: bool, ran_ms: u64) -> Next {
        let again = match rule.when {
            Restart::Never => false,
            Restart::OnFailure => failed,
            Restart::Always => true,
        };
        if !again {
            return Next::Rest;
        }
        if ran_ms >= STABLE_MS {
            self.restarts = 0;
        }
        if self.restarts >= rule.max_restarts {
            return Next::GiveUp;
        }
        let doublings = u32::from(self.restarts).min(32);
        let pause_ms = (u64::from(rule.backoff_ms) << doublings).min(MAX_PAUSE_MS);
        self.restarts += 1;
        Next::Again { pause_ms }
    }
}

/// Whether an end is a failure: anything but exiting with code 0.
pub fn is_failure(record: &ExitRecord) -> bool {
    match ExitCause::from_raw(record.cause) {
        Some(ExitCause::Exited) => record.code != 0,
        Some(ExitCause::Faulted | ExitCause::Killed | ExitCause::Revoked) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: Restart) -> Rule {
        Rule { when, backoff_ms: 100, max_restarts: 3 }
    }

    #[test]
    fn the_pause_doubles_and_the_row_ends() {
        let mut row = Row::default();
        let next = [0; 4].map(|_| row.ended(rule(Restart::Always), false, 0));
        let again = |pause_ms| Next::Again { pause_ms };
        assert_eq!(next, [again(100), again(200), again(400), Next::GiveUp]);
    }

    #[test]
    fn a_process_that_held_out_begins_a_new_row() {
        let mut row = Row::default();
        for _ in 0..3 {
            row.ended(rule(Restart::Always), true, STABLE_MS - 1);
        }
        assert_eq!(row.ended(rule(Restart::Always), true, STABLE_MS), Next::Again { pause_ms: 100 });
        let mut row = Row { restarts: 3 };
        assert_eq!(row.ended(rule(Restart::Always), true, STABLE_MS - 1), Next::GiveUp);
    }

    #[test]
    fn each_rule_means_what_it_says() {
        let once = |when, failed| Row::default().ended(rule(when), failed, 0);
        assert_eq!(once(Restart::Never, true), Next::Rest);
        assert_eq!(once(Restart::OnFailure, false), Next::Rest);
        assert_eq!(once(Restart::OnFailure, true), Next::Again { pause_ms: 100 });
        assert_eq!(once(Restart::Always, false), Next::Again { pause_ms: 100 });
    }

    #[test]
    fn no_pause_is_longer_than_the_bound() {
        let rule = Rule { when: Restart::Always, backoff_ms: u32::MAX, max_restarts: u16::MAX };
        let mut row = Row::default();
        for _ in 0..100 {
            assert_eq!(row.ended(rule, true, 0), Next::Again { pause_ms: MAX_PAUSE_MS });
        }
    }
}
