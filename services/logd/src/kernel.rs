//! The kernel's records: what it saw and nobody asked about. It keeps the last few; which of them are new, and how many went by
//! unseen, follows from their numbers.

use alloc::vec::Vec;
use nexus_abi::bounds::KERNEL_RECORDS;
use nexus_abi::{KernelRecord, KernelRecords, RecordKind};

/// What a record says.
pub fn text(record: &KernelRecord) -> &'static str {
    match RecordKind::from_raw(record.kind) {
        Some(RecordKind::MmioOutside) => "mmio denied (outside window)",
        Some(RecordKind::MmioExecute) => "mmio denied (exec attempt)",
        None => "something that this log does not know",
    }
}

/// Which records were seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen(u64);

impl Seen {
    /// The records that were not seen before, oldest first, and how many before these are lost.
    pub fn take(&mut self, records: &KernelRecords) -> (u64, Vec<KernelRecord>) {
        let total = records.total.max(self.0);
        let oldest = total.saturating_sub(KERNEL_RECORDS as u64).max(self.0);
        let lost = oldest - self.0;
        self.0 = total;
        let new = (oldest..total).map(|number| records.records[number as usize % KERNEL_RECORDS]);
        (lost, new.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel after `total` records, each with its number as address.
    fn kernel(total: u64) -> KernelRecords {
        let mut records = KernelRecords { total, ..KernelRecords::default() };
        for number in 0..total {
            records.records[number as usize % KERNEL_RECORDS].address = number;
        }
        records
    }

    #[test]
    fn each_record_is_taken_once_and_the_lost_are_counted() {
        let mut seen = Seen::default();
        let mut take = |total| {
            let (lost, new) = seen.take(&kernel(total));
            (lost, new.iter().map(|record| record.address).collect::<Vec<_>>())
        };
        assert_eq!(take(0), (0, Vec::new()));
        assert_eq!(take(2), (0, Vec::from([0, 1])));
        assert_eq!(take(2), (0, Vec::new()));
        assert_eq!(take(10), (0, (2..10).collect()), "as many as are kept");
        assert_eq!(take(19), (1, (11..19).collect()), "one past that");
        assert_eq!(take(1000), (973, (992..1000).collect()));
    }

    #[test]
    fn a_record_says_what_happened() {
        let text = |kind| text(&KernelRecord { kind, ..KernelRecord::default() });
        assert_eq!(text(1), "mmio denied (outside window)");
        assert_eq!(text(2), "mmio denied (exec attempt)");
        assert_eq!(text(0), "something that this log does not know");
    }
}
