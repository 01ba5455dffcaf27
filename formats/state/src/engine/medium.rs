//! What the store lies on: sectors that are read, written and flushed.

/// How a medium fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It could not be read or written.
    Io,
    /// It can only be read.
    ReadOnly,
    /// The place is not on it.
    Outside,
}

/// A medium. Places and lengths are whole sectors.
pub trait Medium {
    /// Bytes that it has.
    fn size(&mut self) -> Result<u64, Fault>;

    /// Reads what was last written.
    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault>;

    /// Writes. A power cut before the next flush may leave any sectors of it, in any order.
    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault>;

    /// Returns when everything written before survives a power cut. A failure means that none of it may be counted on.
    fn flush(&mut self) -> Result<(), Fault>;
}
