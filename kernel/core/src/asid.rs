//! Address space identifiers: which are free. One is given out again only after `fence` on every hart that could
//! have used it; a machine with few of them gives the rest 0, which is flushed at each switch.

use crate::sync::{Cell64, Lock};

const WORDS: usize = 64;

/// The identifiers of the machine.
pub struct Asids {
    lock: Lock,
    count: u32,
    used: [Cell64; WORDS],
}

impl Asids {
    /// As many as `bits` can tell apart, 4,096 at most. 0 is kept for processes without one of their own.
    pub fn new(bits: u32) -> Asids {
        let used = core::array::from_fn(|word| Cell64::new((word == 0) as u64));
        Asids { lock: Lock::new(), count: (1 << bits.min(16)).min(WORDS as u32 * 64), used }
    }

    /// A free identifier, or 0.
    pub fn take(&self) -> u32 {
        let _held = self.lock.hold();
        for (n, word) in self.used.iter().enumerate() {
            let bit = word.get().trailing_ones();
            let asid = n as u32 * 64 + bit;
            if bit < 64 {
                if asid >= self.count {
                    return 0;
                }
                word.set(word.get() | 1 << bit);
                return asid;
            }
        }
        0
    }

    /// Gives one back, after the fence.
    pub fn give(&self, asid: u32) {
        let _held = self.lock.hold();
        if asid != 0 && asid < self.count {
            let word = &self.used[asid as usize / 64];
            word.set(word.get() & !(1 << (asid % 64)));
        }
    }
}
