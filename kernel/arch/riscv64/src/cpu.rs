//! The instructions that Rust has no word for, one function each. Nothing here decides anything.

use core::arch::asm;

/// Supervisor software interrupt, as a bit of `sip` and `sie`.
pub const SOFTWARE: usize = 1 << 1;
/// Supervisor timer interrupt, likewise.
pub const TIMER: usize = 1 << 5;

macro_rules! read_csr {
    ($name:literal) => {{
        let value: usize;
        // SAFETY: reading this register has no effect on memory.
        unsafe { asm!(concat!("csrr {}, ", $name), out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }};
}

/// The `time` counter.
#[inline(always)]
pub fn time() -> u64 {
    read_csr!("time") as u64
}

/// Raises this hart's timer interrupt from `at` on, and clears it until then.
#[inline(always)]
pub fn set_deadline(at: u64) {
    // SAFETY: it decides when an interrupt waits, and nothing else. The register is `stimecmp`, which not every assembler knows.
    unsafe { asm!("csrw 0x14d, {}", in(reg) at, options(nostack)) };
}

/// The address space of this hart.
#[inline(always)]
pub fn satp() -> u64 {
    read_csr!("satp") as u64
}

/// Supervisor external interrupt, likewise.
pub const EXTERNAL: usize = 1 << 9;

/// Which enabled interrupts wait.
#[inline(always)]
pub fn pending() -> usize {
    read_csr!("sip") & (SOFTWARE | TIMER | EXTERNAL)
}

/// Clears the software interrupt.
#[inline(always)]
pub fn clear_software() {
    // SAFETY: what it stood for is looked at after this, so no wake-up is lost; memory is not concerned.
    unsafe { asm!("csrc sip, {}", in(reg) SOFTWARE, options(nostack)) };
}

/// Lets the three interrupts be taken in user mode and wake `wait`.
pub fn enable_interrupts() {
    // SAFETY: the trap vector is set (boot.S), and supervisor mode itself keeps SIE clear.
    unsafe { asm!("csrw sie, {}", in(reg) SOFTWARE | TIMER | EXTERNAL, options(nostack)) };
}

/// Sleeps until an enabled interrupt waits; it is not taken here.
pub fn wait() {
    // SAFETY: the kernel runs with SIE clear, so waiting changes nothing but time.
    unsafe { asm!("wfi", options(nostack)) };
}

/// Sleeps for ever.
pub fn park() -> ! {
    // SAFETY: as in `wait`; with nothing enabled no interrupt wakes it for long.
    unsafe { asm!("csrw sie, zero", options(nostack)) };
    loop {
        wait();
    }
}

/// The address of this hart's `Local`.
#[inline(always)]
pub fn thread_pointer() -> usize {
    let value: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mv {}, tp", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Switches the address space.
///
/// # Safety
/// The kernel's half must be the same as now.
#[inline(always)]
pub unsafe fn set_satp(satp: u64) {
    // SAFETY: the caller's promise: the code that runs stays mapped.
    unsafe { asm!("csrw satp, {}", in(reg) satp, options(nostack)) };
}

/// Drops every translation that this hart remembers, and orders page table stores before later accesses.
pub fn fence_all() {
    // SAFETY: forgetting translations is always sound.
    unsafe { asm!("sfence.vma", options(nostack)) };
}

/// Drops the translations of one address space on this hart.
pub fn fence_asid(asid: u16) {
    // SAFETY: as above.
    unsafe { asm!("sfence.vma zero, {}", in(reg) asid, options(nostack)) };
}

/// Drops the translation of one page of one address space on this hart.
pub fn fence_page(asid: u16, address: u64) {
    // SAFETY: as above.
    unsafe { asm!("sfence.vma {}, {}", in(reg) address, in(reg) asid, options(nostack)) };
}

/// Makes this hart's instruction fetches see every store it has seen.
pub fn fence_code() {
    // SAFETY: an ordering instruction.
    unsafe { asm!("fence.i", options(nostack)) };
}

/// Orders all earlier memory and device accesses before all later ones.
pub fn fence() {
    // SAFETY: an ordering instruction.
    unsafe { asm!("fence iorw, iorw", options(nostack)) };
}
