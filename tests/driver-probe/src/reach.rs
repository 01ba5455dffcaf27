//! Reaching where it must not be possible. Each of these ends the process, or is refused by the kernel.

use nexus_abi::{Error, Handle, Sysno, Topic};
use nexus_rt::sys::raw;

/// Reads a byte. Comes back only if the kernel let it, which the driver then notices.
pub fn read(address: u64) {
    // SAFETY: nothing is mapped at this address of the device range: the read faults and the process ends, or the test that
    // expects the fault fails.
    let _ = unsafe { core::ptr::read_volatile(address as *const u8) };
}

/// Jumps to an address, likewise.
pub fn execute(address: u64) {
    // SAFETY: nothing that can be executed is mapped at this address: the jump faults and the process ends, or the test that
    // expects the fault fails.
    let code: extern "C" fn() = unsafe { core::mem::transmute(address as usize) };
    code();
}

/// Has the kernel write to and read from an address, in two ways; how many of these are refused as bad addresses.
pub fn pointers(own: Handle, address: u64) -> u8 {
    // SAFETY: the address is in a window of this process, to whose registers no reference exists.
    let info = unsafe {
        raw::syscall(Sysno::object_info as u64, [own.0 as u64, Topic::Process as u64, address, 32, 0, 0, 0])
    };
    let straddling = nexus_abi::bounds::DEVICE_START - 8;
    // SAFETY: the range begins where nothing is mapped and ends among windows.
    let half = unsafe {
        raw::syscall(
            Sysno::object_info as u64,
            [own.0 as u64, Topic::Process as u64, straddling, 32, 0, 0, 0],
        )
    };
    [info, half].iter().filter(|outcome| outcome.status == Error::BadAddress as u64).count() as u8
}
