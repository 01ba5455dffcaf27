//! What the newest faults were, for whoever keeps them: so many, the oldest go first. Nobody is waited for.

use alloc::collections::VecDeque;
use nexus_abi::{ExitCause, ExitRecord, Ticks};

/// Faults that are known.
pub const MAX_FAULTS: usize = 16;

/// A fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Counted since the machine was switched on.
    pub number: u32,
    /// When its end was seen.
    pub time: Ticks,
    /// The place of the process in the registry.
    pub index: usize,
    /// What the kernel says.
    pub record: ExitRecord,
}

/// The newest faults.
#[derive(Debug, Default)]
pub struct Faults {
    known: VecDeque<Fault>,
    next: u32,
}

impl Faults {
    /// A process ended; if it faulted, that is known from now on.
    pub fn ended(&mut self, index: usize, time: Ticks, record: &ExitRecord) {
        if ExitCause::from_raw(record.cause) != Some(ExitCause::Faulted) {
            return;
        }
        if self.known.len() == MAX_FAULTS {
            self.known.pop_front();
        }
        self.known.push_back(Fault { number: self.next, time, index, record: *record });
        self.next = self.next.saturating_add(1);
    }

    /// The oldest one that is known from this number on.
    pub fn from(&self, number: u32) -> Option<&Fault> {
        self.known.iter().find(|fault| fault.number >= number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::Identity;

    fn record(cause: u32) -> ExitRecord {
        let identity = Identity::default();
        ExitRecord { cause, identity, reserved: 0, code: 13, pc: 1, address: 2, registers: [0; 31] }
    }

    #[test]
    fn faults_are_known_within_a_bound_and_other_ends_are_not() {
        let mut faults = Faults::default();
        for cause in [1, 3, 4, 99] {
            faults.ended(0, 1, &record(cause));
        }
        assert_eq!(faults.from(0), None);
        for index in 0..MAX_FAULTS {
            faults.ended(index, 1, &record(2));
        }
        assert_eq!(faults.from(0).map(|fault| fault.number), Some(0));
        faults.ended(7, 1, &record(2));
        assert_eq!(faults.from(0).map(|fault| fault.number), Some(1), "the oldest made room");
        let newest = faults.from(MAX_FAULTS as u32);
        assert_eq!(newest.map(|fault| (fault.number, fault.index)), Some((MAX_FAULTS as u32, 7)));
        assert_eq!(faults.from(MAX_FAULTS as u32 + 1), None);
    }
}
