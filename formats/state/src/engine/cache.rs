//! Pages that were read or written lately, checked already. It never holds more than its bound.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;

use super::PAGE;

/// The bytes of a page.
pub type Bytes = Rc<[u8; PAGE]>;

struct Slot {
    page: u32,
    checksum: u64,
    used: bool,
    bytes: Bytes,
}

/// The cache: when it is full, the first page goes that was not used since the hand came by.
pub struct Cache {
    slots: Vec<Slot>,
    index: BTreeMap<u32, usize>,
    hand: usize,
    most: usize,
}

impl Cache {
    /// A cache of at most so many pages, at least one.
    pub fn new(most: usize) -> Cache {
        Cache { slots: Vec::new(), index: BTreeMap::new(), hand: 0, most: most.max(1) }
    }

    /// The page, if it is here with this checksum.
    pub fn get(&mut self, page: u32, checksum: u64) -> Option<Bytes> {
        let slot = &mut self.slots[*self.index.get(&page)?];
        slot.used = true;
        (slot.checksum == checksum).then(|| slot.bytes.clone())
    }

    /// Keeps a page in place of what was known of it.
    pub fn put(&mut self, page: u32, checksum: u64, bytes: Bytes) {
        let slot = Slot { page, checksum, used: false, bytes };
        if let Some(at) = self.index.get(&page) {
            self.slots[*at] = slot;
        } else if self.slots.len() < self.most {
            self.index.insert(page, self.slots.len());
            self.slots.push(slot);
        } else {
            while core::mem::take(&mut self.slots[self.hand].used) {
                self.hand = (self.hand + 1) % self.most;
            }
            self.index.remove(&self.slots[self.hand].page);
            self.index.insert(page, self.hand);
            self.slots[self.hand] = slot;
            self.hand = (self.hand + 1) % self.most;
        }
    }
}
