//! What the vault is in: a flash with blocks that are erased whole, and words that are programmed once.

/// Why the flash did not do something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is no such place.
    Outside,
    /// It said that it failed, or that it is protected.
    Refused,
    /// It did not say that it was done for too long.
    Stuck,
    /// What it has now is not what was programmed.
    Wrong,
}

/// A flash.
pub trait Flash {
    /// Bytes of a block.
    fn block(&self) -> usize;

    /// Reads from a place in a block.
    fn read(&mut self, block: usize, at: usize, out: &mut [u8]) -> Result<(), Fault>;

    /// Makes every byte of a block 0xff. A cut leaves any of it undone.
    fn erase(&mut self, block: usize) -> Result<(), Fault>;

    /// Programs erased bytes, whole words of 4 in their order. A cut leaves the first of them, and any bits of the next one.
    fn program(&mut self, block: usize, at: usize, bytes: &[u8]) -> Result<(), Fault>;
}
