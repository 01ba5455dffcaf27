//! Calls to the firmware below the kernel (RISC-V SBI 1.0). Only extensions that OpenSBI 1.1 has.

use core::arch::asm;

const LEGACY_PUTCHAR: usize = 0x01;
const TIME: usize = 0x5449_4d45;
const IPI: usize = 0x0073_5049;
const RFENCE: usize = 0x5246_4e43;
const HSM: usize = 0x0048_534d;
const SRST: usize = 0x5352_5354;

/// A set of harts as firmware wants it: hart id of bit 0, and the bits.
#[derive(Clone, Copy)]
pub struct Harts {
    /// Hart id that bit 0 stands for.
    pub base: u64,
    /// One bit a hart.
    pub bits: u64,
}

/// How the machine ends.
#[derive(Clone, Copy)]
pub enum Reset {
    /// Powered off.
    Shutdown,
    /// Started anew.
    Reboot,
}

fn call(extension: usize, function: usize, arguments: [u64; 5]) -> Result<usize, isize> {
    let (error, value): (isize, usize);
    // SAFETY: firmware keeps every register but a0 and a1, and no function called here touches memory of
    // the kernel. It may order memory, so `nomem` is not claimed.
    unsafe {
        asm!(
            "ecall",
            inlateout("a0") arguments[0] => error,
            inlateout("a1") arguments[1] => value,
            in("a2") arguments[2],
            in("a3") arguments[3],
            in("a4") arguments[4],
            in("a6") function,
            in("a7") extension,
            options(nostack),
        );
    }
    if error == 0 { Ok(value) } else { Err(error) }
}

/// Raises this hart's timer interrupt at `time`, and clears it until then.
pub fn set_timer(time: u64) {
    // Cannot fail: it has no argument that could be wrong.
    let _ = call(TIME, 0, [time, 0, 0, 0, 0]);
}

/// Raises the software interrupt of other harts.
pub fn send_ipi(harts: Harts) -> Result<usize, isize> {
    call(IPI, 0, [harts.bits, harts.base, 0, 0, 0])
}

/// `fence.i` on other harts.
pub fn remote_fence_code(harts: Harts) -> Result<usize, isize> {
    call(RFENCE, 0, [harts.bits, harts.base, 0, 0, 0])
}

/// `sfence.vma` of one address space on other harts; `bytes` `u64::MAX` means all of it.
pub fn remote_fence_asid(harts: Harts, start: u64, bytes: u64, asid: u16) -> Result<usize, isize> {
    call(RFENCE, 2, [harts.bits, harts.base, start, bytes, asid.into()])
}

/// Starts a stopped hart at a physical address.
pub fn start_hart(hart: u64, at: u64) -> Result<usize, isize> {
    call(HSM, 0, [hart, at, 0, 0, 0])
}

/// Asks for the end of the machine; returns only if firmware cannot.
pub fn reset(kind: Reset, failed: bool) {
    let _ = call(SRST, 0, [kind as u64, failed.into(), 0, 0, 0]);
}

/// Writes a byte where firmware writes its own messages.
pub fn putchar(byte: u8) {
    let _ = call(LEGACY_PUTCHAR, 0, [byte.into(), 0, 0, 0, 0]);
}
