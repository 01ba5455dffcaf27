//! The measured calls, in assembly so that exactly one system call and the C call around it are counted.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering};
use nexus_abi::Sysno;

global_asm!(
    include_str!("measure.S"),
    null = const Sysno::null as u64,
    port_signal = const Sysno::port_signal as u64,
    vm_map = const Sysno::vm_map as u64,
    channel_call = const Sysno::channel_call as u64,
);

/// Argument registers a0 to a7, before a call and after it.
pub type Registers = [u64; 8];

/// Where one thread notes the counter for another.
static NOTED: AtomicU64 = AtomicU64::new(0);

macro_rules! measured {
    ($($name:ident $symbol:ident $start:ident $end:ident;)+) => {
        unsafe extern "C" {
            $(fn $symbol(arguments: *const u64, results: *mut u64) -> u64;
            safe static $start: u8;
            safe static $end: u8;)+
        }

        $(/// One measured call; `None` if a callee-saved register did not survive.
        ///
        /// # Safety
        /// As the system call with these arguments.
        pub unsafe fn $name(registers: &mut Registers) -> Option<u64> {
            let arguments = *registers;
            // SAFETY: eight words are read and written; what the call does is the caller's promise.
            let count = unsafe { $symbol(arguments.as_ptr(), registers.as_mut_ptr()) };
            (count != u64::MAX).then_some(count)
        })+

        /// The first instruction that counts and the first that does not, of a measured call by its row's name.
        pub fn marks(row: &str) -> Option<(u64, u64)> {
            let name = row.rsplit('.').next()?;
            $(if stringify!($name).trim_start_matches('w') == name {
                return Some((&raw const $start as u64, &raw const $end as u64));
            })+
            None
        }
    };
}

measured! {
    w0w measure_0w measure_0w_start measure_0w_end;
    w4w measure_4w measure_4w_start measure_4w_end;
    w6w measure_6w measure_6w_start measure_6w_end;
    w128b measure_128b measure_128b_start measure_128b_end;
    w960b measure_960b measure_960b_start measure_960b_end;
    w1cap measure_1cap measure_1cap_start measure_1cap_end;
    null measure_null measure_null_start measure_null_end;
    signal measure_signal measure_signal_start measure_signal_end;
    map measure_map measure_map_start measure_map_end;
}

/// The thread that lets go, and the one that runs next, of one row.
#[derive(Clone, Copy)]
pub struct Between {
    let_go: unsafe extern "C" fn(*const AtomicU64, u64, u64, u64, u64),
    take_over: unsafe extern "C" fn(*const AtomicU64, u64, u64, u64, u64, *mut u64),
    /// The first instruction that counts, of the one, and the first that does not, of the other.
    pub marks: (u64, u64),
}

macro_rules! between {
    ($($name:ident $let_go:ident $start:ident $take_over:ident $end:ident;)+) => {
        unsafe extern "C" {
            $(fn $let_go(noted: *const AtomicU64, a0: u64, a1: u64, number: u64, times: u64);
            fn $take_over(noted: *const AtomicU64, a0: u64, a1: u64, number: u64, times: u64, out: *mut u64);
            safe static $start: u8;
            safe static $end: u8;)+
        }

        $(/// The code of one row.
        pub fn $name() -> Between {
            let marks = (&raw const $start as u64, &raw const $end as u64);
            Between { let_go: $let_go, take_over: $take_over, marks }
        })+
    };
}

between! {
    signal_wake let_go_signal_wake let_go_signal_wake_start take_over_signal_wake take_over_signal_wake_end;
    send_wake let_go_send_wake let_go_send_wake_start take_over_send_wake take_over_send_wake_end;
    yields let_go_yield let_go_yield_start take_over_yield take_over_yield_end;
}

impl Between {
    /// Makes a call that uses no memory `times` times, each time noting the counter before it.
    pub fn give(&self, number: Sysno, a0: u64, a1: u64, times: usize) {
        NOTED.store(0, Ordering::Relaxed);
        // SAFETY: the calls used here (yield, signal, an empty send) take no address.
        unsafe { (self.let_go)(&NOTED, a0, a1, number as u64, times as u64) }
    }

    /// Makes a call that uses no memory once for each place of `counts`, and notes there how many instructions it is since
    /// the other thread noted the counter.
    pub fn take(&self, number: Sysno, a0: u64, a1: u64, counts: &mut [u64]) {
        let times = counts.len() as u64;
        // SAFETY: the calls used here (yield, a wait for an empty message) take no address; the slice is written whole.
        unsafe { (self.take_over)(&NOTED, a0, a1, number as u64, times, counts.as_mut_ptr()) }
    }
}
