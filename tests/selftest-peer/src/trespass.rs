//! The one wild write: to memory that is mapped read-only, so that its fault can be seen. It must end the process.

/// Writes a byte to `address`. Comes back only if the kernel let it, which the driver then notices.
pub fn write_to(address: u64) {
    // SAFETY: the address is that of a read-only mapping which this process never writes otherwise; either the
    // write faults and the process ends, or the test that expects the fault fails.
    unsafe { core::ptr::write_volatile(address as *mut u8, 0) };
}
