//! Device registers. A window is made once, from the device tree, and every access is inside it.

use core::ptr;

/// A run of device registers, mapped into the kernel.
#[derive(Clone, Copy)]
pub struct Window {
    base: usize,
    bytes: usize,
}

impl Window {
    /// The registers at `base`.
    ///
    /// # Safety
    /// `base` must be mapped for `bytes` bytes as device memory, for ever, and belong to no Rust object.
    pub unsafe fn new(base: usize, bytes: usize) -> Window {
        Window { base, bytes }
    }

    fn at<T>(&self, offset: usize) -> *mut T {
        assert!(offset.is_multiple_of(size_of::<T>()) && offset + size_of::<T>() <= self.bytes);
        (self.base + offset) as *mut T
    }

    /// Reads a register of one byte.
    pub fn read8(&self, offset: usize) -> u8 {
        // SAFETY: inside the window (`at`), which the maker promised is device memory.
        unsafe { ptr::read_volatile(self.at(offset)) }
    }

    /// Reads a register of four bytes.
    pub fn read32(&self, offset: usize) -> u32 {
        // SAFETY: as above, and aligned as long as the base is.
        unsafe { ptr::read_volatile(self.at(offset)) }
    }

    /// Writes a register of one byte.
    pub fn write8(&self, offset: usize, value: u8) {
        // SAFETY: as above.
        unsafe { ptr::write_volatile(self.at(offset), value) }
    }

    /// Writes a register of four bytes.
    pub fn write32(&self, offset: usize, value: u32) {
        // SAFETY: as above.
        unsafe { ptr::write_volatile(self.at(offset), value) }
    }
}
