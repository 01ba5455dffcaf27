//! A window of device registers.

use crate::Fault;

/// A window of device registers. Every offset is checked; an access has exactly the width that it is written with, happens once,
/// and stays in order with accesses to pool memory around it.
pub trait Registers {
    /// Reads a byte.
    fn load8(&self, offset: usize) -> Result<u8, Fault>;

    /// Reads two bytes at an even offset.
    fn load16(&self, offset: usize) -> Result<u16, Fault>;

    /// Reads four bytes at an offset that is a multiple of four.
    fn load32(&self, offset: usize) -> Result<u32, Fault>;

    /// Writes a byte.
    fn store8(&self, offset: usize, value: u8) -> Result<(), Fault>;

    /// Writes four bytes at an offset that is a multiple of four.
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault>;
}

impl<R: Registers> Registers for &R {
    fn load8(&self, offset: usize) -> Result<u8, Fault> {
        (**self).load8(offset)
    }
    fn load16(&self, offset: usize) -> Result<u16, Fault> {
        (**self).load16(offset)
    }
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        (**self).load32(offset)
    }
    fn store8(&self, offset: usize, value: u8) -> Result<(), Fault> {
        (**self).store8(offset, value)
    }
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        (**self).store32(offset, value)
    }
}
