//! What the console's driver was given and may not have sent yet. When it dies that is shown again: a line may be seen twice, and none is lost.

use alloc::collections::VecDeque;

/// Most records that are remembered, whatever a driver says. A driver that keeps more than these has to lose them.
pub const MAX_UNSENT: usize = 2048;

/// Lines that may not be sent yet, the oldest first: the number of each one's record, and its bytes.
#[derive(Debug, Default)]
pub struct Unsent {
    lines: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl Unsent {
    /// The driver took the line of a record. Of what it took, from anybody and in the order in which it came, the last `waiting` bytes are
    /// not sent yet.
    pub fn taken(&mut self, sequence: u64, bytes: usize, waiting: usize) {
        self.lines.push_back((sequence, bytes));
        self.bytes += bytes;
        while let Some(&(_, oldest)) = self.lines.front() {
            // What others gave it lies between, so that less of this waits than there could.
            let is_sent = self.bytes - oldest >= waiting;
            if !is_sent && self.lines.len() <= MAX_UNSENT {
                return;
            }
            self.lines.pop_front();
            self.bytes -= oldest;
        }
    }

    /// The driver died: the number of the first record that it may not have shown whole. Nothing is remembered any more.
    pub fn take_first(&mut self) -> Option<u64> {
        let first = self.lines.front().map(|line| line.0);
        *self = Unsent::default();
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first record that may be unsent after lines of 10 bytes each, the last of which left `waiting` bytes.
    fn first(lines: u64, waiting: usize) -> Option<u64> {
        let mut unsent = Unsent::default();
        for sequence in 0..lines {
            let all = (sequence as usize + 1) * 10;
            unsent.taken(sequence, 10, if sequence + 1 == lines { waiting } else { all });
        }
        unsent.take_first()
    }

    #[test]
    fn what_may_not_be_sent_begins_with_the_line_that_was_cut() {
        assert_eq!(first(0, 0), None);
        assert_eq!(first(5, 0), None, "all of it is sent");
        assert_eq!(first(5, 1), Some(4));
        assert_eq!(first(5, 10), Some(4), "not a byte of the last");
        assert_eq!(first(5, 11), Some(3), "and the end of the one before");
        assert_eq!(first(5, 50), Some(0));
        assert_eq!(first(5, usize::MAX), Some(0), "others' bytes wait too");
    }

    #[test]
    fn what_was_sent_once_stays_sent() {
        let mut unsent = Unsent::default();
        unsent.taken(7, 10, 10);
        unsent.taken(8, 10, 0);
        unsent.taken(9, 10, 30);
        assert_eq!(unsent.take_first(), Some(9));
        assert_eq!(unsent.take_first(), None, "a death is told once");
    }

    #[test]
    fn a_driver_that_never_sends_costs_a_bound() {
        let most = MAX_UNSENT as u64;
        assert_eq!(first(most, usize::MAX), Some(0));
        assert_eq!(first(most + 1, usize::MAX), Some(1));
    }
}
