//! The saved registers of a thread that is not running. The trap code of the architecture stores and loads them
//! by offset, so their layout is part of its contract (`offset_of!` there, asserted here).

use crate::sync::{AtomicU64, Ordering::Relaxed};

/// User registers of a thread. `x[0]` is the program counter; `x[1]` to `x[31]` are x1 to x31.
#[repr(C)]
pub struct Context {
    /// Program counter, then x1 to x31.
    pub x: [AtomicU64; 32],
    /// 1 when `f` and `fcsr` hold state that must be loaded before the thread runs.
    pub fp_live: AtomicU64,
    /// Floating-point control and status.
    pub fcsr: AtomicU64,
    /// f0 to f31.
    pub f: [AtomicU64; 32],
}

/// Register numbers by their ABI names.
pub mod reg {
    /// Program counter slot.
    pub const PC: usize = 0;
    /// Return address.
    pub const RA: usize = 1;
    /// Stack pointer.
    pub const SP: usize = 2;
    /// Temporaries t0 to t6 are x5, x6, x7, x28, x29, x30, x31.
    pub const T: [usize; 7] = [5, 6, 7, 28, 29, 30, 31];
    /// Argument registers a0 to a7 are x10 to x17.
    pub const A0: usize = 10;
}

impl Context {
    /// Register `n`, or the program counter for 0.
    #[inline]
    pub fn get(&self, n: usize) -> u64 {
        self.x[n].load(Relaxed)
    }

    /// Sets register `n`.
    #[inline]
    pub fn set(&self, n: usize, value: u64) {
        self.x[n].store(value, Relaxed);
    }
}

const _: () = {
    assert!(core::mem::offset_of!(Context, fp_live) == 256);
    assert!(core::mem::offset_of!(Context, f) == 272);
};
