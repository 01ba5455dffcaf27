//! What each hart has of its own: a stack with a guard page below it, a second one for the moment when the
//! first overflows, and at the top of the first the `Local` that `tp` points to in the kernel.
//!
//! A `Local` is written by its own hart, and by the boot hart before its own hart starts; core's `Hart` is part of it, so
//! that the trap code finds both from one register.

use crate::cpu;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, AtomicUsize};
use neuron_core::Hart;
use nexus_abi::bounds::{MAX_HARTS, PAGE_SIZE};

/// Bytes of a kernel stack.
pub const STACK_BYTES: usize = 16384;
/// Bytes of the stack on which a fault of the kernel is reported.
const EMERGENCY_BYTES: usize = 2 * PAGE_SIZE;
/// Bytes from one hart's stacks to the next one's.
pub const SLOT_BYTES: usize = size_of::<Slot>();
/// How far the top of the emergency stack is below the `Local`.
pub const EMERGENCY_BELOW_LOCAL: usize = STACK_BYTES - size_of::<Local>() + PAGE_SIZE;

/// What a hart knows of itself. The assembler uses it by offset.
#[repr(C, align(16))]
pub struct Local {
    /// Where the trap entry puts the first register it needs.
    pub scratch: AtomicUsize,
    /// The kernel's number of this hart. Set before the rest.
    pub id: AtomicUsize,
    /// The thread's `tp` during a light system call.
    pub user_tp: AtomicUsize,
    /// The thread's `sp`, likewise.
    pub user_sp: AtomicUsize,
    /// The thread's `ra`, likewise.
    pub user_ra: AtomicUsize,
    /// Address of the context whose floating-point registers are in the hart.
    pub fp_owner: AtomicUsize,
    /// What `Context::fp_live` is when this hart saved or loaded it last.
    pub fp_tag: AtomicU64,
    /// Core's part.
    pub hart: Hart,
}

#[repr(C, align(4096))]
struct Slot {
    guard_low: [u8; PAGE_SIZE],
    emergency: [u8; EMERGENCY_BYTES],
    guard: [u8; PAGE_SIZE],
    stack: [u8; STACK_BYTES],
}

/// The stacks of all harts.
#[repr(transparent)]
pub struct Stacks(UnsafeCell<[Slot; MAX_HARTS]>);

// SAFETY: only addresses are taken from it; each hart uses its own slot by its stack pointer.
unsafe impl Sync for Stacks {}

/// Not cleared at boot: a stack is written before it is read.
#[unsafe(link_section = ".bss.stacks")]
pub static STACKS: Stacks = Stacks(UnsafeCell::new(
    [const { Slot { guard_low: [0; _], emergency: [0; _], guard: [0; _], stack: [0; _] } }; MAX_HARTS],
));

impl Stacks {
    fn slot(&self, id: usize) -> usize {
        assert!(id < MAX_HARTS);
        self.0.get() as usize + id * SLOT_BYTES
    }

    /// The addresses of the pages that must not be mapped.
    pub fn guards(&self) -> impl Iterator<Item = usize> {
        (0..MAX_HARTS).flat_map(|id| {
            let slot = self.slot(id);
            [slot + core::mem::offset_of!(Slot, guard_low), slot + core::mem::offset_of!(Slot, guard)]
        })
    }
}

/// Makes the `Local` of every hart, and answers core's part of each.
///
/// # Safety
/// Only the boot hart may run, and this once.
pub unsafe fn make_locals() -> [&'static Hart; MAX_HARTS] {
    core::array::from_fn(|id| {
        let address = (STACKS.slot(id) + SLOT_BYTES - size_of::<Local>()) as *mut Local;
        // SAFETY: the top of each stack is set aside for its `Local`; nobody else writes it now. The boot hart's
        // own is seen through `local` as well, as atomics only, and keeps its number.
        unsafe {
            address.write(Local::new(id));
            &(*address).hart
        }
    })
}

/// The calling hart's `Local`.
#[inline(always)]
pub fn local() -> &'static Local {
    // SAFETY: boot.S points `tp` at the hart's own `Local` before any Rust code runs, and the trap entry again.
    unsafe { &*(cpu::thread_pointer() as *const Local) }
}

impl Local {
    fn new(id: usize) -> Local {
        Local {
            scratch: AtomicUsize::new(0),
            id: AtomicUsize::new(id),
            user_tp: AtomicUsize::new(0),
            user_sp: AtomicUsize::new(0),
            user_ra: AtomicUsize::new(0),
            fp_owner: AtomicUsize::new(0),
            fp_tag: AtomicU64::new((id as u64 + 1) << 8 | 1),
            hart: Hart::new(id as u32),
        }
    }
}
