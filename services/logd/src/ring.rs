//! The newest records, within a bound of memory: an old one makes room for a new one.

use crate::record::Record;
use alloc::collections::VecDeque;

/// Most bytes that kept records take, their texts included.
pub const MAX_BYTES: usize = 256 << 10;

/// What one record takes beside its text.
pub const RECORD_COST: usize = 96;

/// Records in order, the oldest first.
#[derive(Debug, Default)]
pub struct Ring {
    records: VecDeque<Record>,
    bytes: usize,
    next: u64,
}

fn cost(record: &Record) -> usize {
    RECORD_COST + record.text.len()
}

impl Ring {
    /// The number of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Keeps a record, whose number it sets.
    pub fn push(&mut self, mut record: Record) {
        record.sequence = self.next;
        self.next += 1;
        self.bytes += cost(&record);
        self.records.push_back(record);
        while self.bytes > MAX_BYTES {
            match self.records.pop_front() {
                Some(oldest) => self.bytes -= cost(&oldest),
                None => self.bytes = 0,
            }
        }
    }

    /// The kept records from number `sequence` on.
    pub fn from(&self, sequence: u64) -> impl Iterator<Item = &Record> {
        let start = self.records.partition_point(|record| record.sequence < sequence);
        self.records.range(start..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use nexus_abi::Identity;
    use nexus_rt::api::log::{Level, Purpose};

    fn record(text: &str) -> Record {
        Record {
            sequence: 0,
            time: 0,
            source: Identity::default(),
            level: Level::Info,
            purpose: Purpose::Text,
            text: String::from(text),
        }
    }

    #[test]
    fn the_oldest_makes_room_and_numbers_go_on() {
        let mut ring = Ring::default();
        let fit = MAX_BYTES / (RECORD_COST + 4);
        for _ in 0..fit {
            ring.push(record("text"));
        }
        assert_eq!(ring.from(0).next().map(|r| r.sequence), Some(0), "the bound itself is kept");
        ring.push(record("text"));
        assert_eq!(ring.from(0).next().map(|r| r.sequence), Some(1));
        assert_eq!(ring.from(0).last().map(|r| r.sequence), Some(fit as u64));
        assert_eq!(ring.from(0).count(), fit);
    }

    #[test]
    fn reading_goes_on_where_it_stopped() {
        let mut ring = Ring::default();
        for text in ["a", "b", "c"] {
            ring.push(record(text));
        }
        let texts = |from| ring.from(from).map(|r| r.text.as_str()).collect::<alloc::vec::Vec<_>>();
        assert_eq!(texts(1), ["b", "c"]);
        assert!(texts(3).is_empty());
        assert!(texts(u64::MAX).is_empty());
    }
}
