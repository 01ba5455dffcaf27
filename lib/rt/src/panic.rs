//! The end of a program that broke its own rules: it says where, and its process ends.

use core::panic::PanicInfo;

/// Exit code of a process that panicked.
const PANIC_EXIT: u64 = 101;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    log::error!("{info}");
    nexus_sys::process_exit(PANIC_EXIT)
}
