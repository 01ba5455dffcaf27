//! The end of the kernel: one hart says why and ends the machine, the others stop.
//!
//! Nothing here takes a lock. A panic inside a panic ends the machine without another word.

use crate::hart::{self, STACKS};
use crate::{console, cpu, power};
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};
use nexus_abi::bounds::PAGE_SIZE;

/// The hart that panics, plus 1.
static OWNER: AtomicUsize = AtomicUsize::new(0);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let id = hart::local().id.load(Ordering::Relaxed);
    match OWNER.compare_exchange(0, id + 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => {}
        Err(owner) if owner == id + 1 => power::reset(power::CODE_PANIC),
        Err(_) => cpu::park(),
    }
    let mut out = console::seize();
    let _ = write!(out, "\nneuron: panic on hart {id}: {}", info.message());
    if let Some(place) = info.location() {
        let _ = write!(out, " ({}:{})", place.file(), place.line());
    }
    let _ = out.write_str("\n");
    power::reset(power::CODE_PANIC)
}

/// A trap that the kernel itself caused. Runs on the emergency stack.
pub extern "C" fn on_kernel_trap(scause: usize, sepc: usize, stval: usize, sp: usize) -> ! {
    if STACKS.guards().any(|guard| (guard..guard + PAGE_SIZE).contains(&stval)) {
        panic!("kernel stack overflow: pc {sepc:#x}, address {stval:#x}, sp {sp:#x}");
    }
    panic!("trap in the kernel: scause {scause:#x}, sepc {sepc:#x}, stval {stval:#x}, sp {sp:#x}");
}
