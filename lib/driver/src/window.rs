//! The window of a driver process: registers mapped by a grant.
//!
//! The mapping checks each offset. Fences keep a device from seeing a register written before the memory that it stands for, and
//! this process from reading memory before the register that told it to.

use crate::{Fault, Registers};
use nexus_rt::memory::{Mapping, Word};
use nexus_rt::sys::device_fence;

fn load<W: Word>(window: &Mapping, offset: usize) -> Result<W, Fault> {
    let value = window.load(offset).map_err(|_| Fault::Outside);
    device_fence();
    value
}

fn store<W: Word>(window: &Mapping, offset: usize, value: W) -> Result<(), Fault> {
    device_fence();
    window.store(offset, value).map_err(|_| Fault::Outside)
}

impl Registers for Mapping {
    fn load8(&self, offset: usize) -> Result<u8, Fault> {
        load(self, offset)
    }
    fn load16(&self, offset: usize) -> Result<u16, Fault> {
        load(self, offset)
    }
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        load(self, offset)
    }
    fn store8(&self, offset: usize, value: u8) -> Result<(), Fault> {
        store(self, offset, value)
    }
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        store(self, offset, value)
    }
}
