//! The end of the machine: through the test device, whose code becomes the exit status of an emulator, or
//! through firmware where there is none.

use crate::cell::Once;
use crate::cpu;
use crate::mmio::Window;
use crate::sbi;

const PASS: u32 = 0x5555;
const FAIL: u32 = 0x3333;
const RESTART: u32 = 0x7777;
/// `machine_reset`'s code for a restart; below it are failures, 0 is a good end.
const CODE_RESTART: u64 = 0x8000;
/// The code of a kernel panic.
pub const CODE_PANIC: u64 = 0x7f;

static TEST: Once<Window> = Once::new();

/// Ends the machine through this device. Only the boot hart calls it, once.
pub fn use_test_device(window: Window) {
    TEST.set(window);
}

/// Ends or restarts the machine.
pub fn reset(code: u64) -> ! {
    cpu::fence();
    if let Some(test) = TEST.get() {
        test.write32(
            0,
            match code {
                0 => PASS,
                CODE_RESTART => RESTART,
                code => (code as u32 & 0x7fff) << 16 | FAIL,
            },
        );
        cpu::fence();
    }
    match code {
        0 => sbi::reset(sbi::Reset::Shutdown, false),
        CODE_RESTART => sbi::reset(sbi::Reset::Reboot, false),
        _ => sbi::reset(sbi::Reset::Shutdown, true),
    }
    cpu::park()
}
