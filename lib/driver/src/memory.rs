//! Memory that a device can reach. It comes from the pool of the driver's grant and from nowhere else; the device may
//! change it at any moment, so nothing here makes a reference into it.

use crate::Fault;

/// Bytes of a page: pools give whole ones.
pub const PAGE: usize = 4096;

/// A contiguous piece of pool memory. Offsets are checked; numbers lie at multiples of their size and are read and written at once.
pub trait Memory {
    /// Where the device finds its first byte.
    fn device_address(&self) -> u64;

    /// Its size in bytes, a whole number of pages.
    fn len(&self) -> usize;

    /// Whether it has no byte (no pool gives such memory).
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a number of two bytes.
    fn load16(&self, offset: usize) -> Result<u16, Fault>;

    /// Reads a number of four bytes.
    fn load32(&self, offset: usize) -> Result<u32, Fault>;

    /// Writes a number of two bytes.
    fn store16(&self, offset: usize, value: u16) -> Result<(), Fault>;

    /// Writes a number of four bytes.
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault>;

    /// Writes a number of eight bytes.
    fn store64(&self, offset: usize, value: u64) -> Result<(), Fault>;

    /// Copies bytes out.
    fn read(&self, offset: usize, out: &mut [u8]) -> Result<(), Fault>;

    /// Copies bytes in.
    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Fault>;
}

/// Where pool memory comes from.
pub trait Pool {
    /// Its pieces. A piece that is dropped goes back to the pool; while the device may still use it, it must be kept.
    type Memory: Memory;

    /// Takes zeroed memory of at least `bytes` bytes, rounded up to whole pages.
    fn allocate(&mut self, bytes: usize) -> Result<Self::Memory, Fault>;
}
