//! The measured calls, in assembly so that exactly one system call and the C call around it are counted.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering};
use nexus_abi::{Handle, Sysno, Ticks};

global_asm!(
    include_str!("measure.S"),
    null = const Sysno::null as u64,
    port_signal = const Sysno::port_signal as u64,
    vm_map = const Sysno::vm_map as u64,
    channel_call = const Sysno::channel_call as u64,
    reply_and_wait = const Sysno::reply_and_wait as u64,
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
    map_page measure_map_page measure_map_page_start measure_map_page_end;
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

unsafe extern "C" {
    #[link_name = "fault_code"]
    safe static fault_code_begin: u8;
    safe static fault_code_at: u8;
    safe static fault_code_end: u8;
    safe static measure_fault_told: u8;
    fn measure_fault(noted: u64, port: u64, told: *mut Told, deadline: Ticks);
}

/// What came to a port, and how many instructions after a counter was noted.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Told {
    /// Status of the wait.
    pub status: u64,
    /// Key of what it came from.
    pub key: u64,
    /// Its signals.
    pub signals: u64,
    /// The instructions.
    pub count: u64,
}

/// The code of a process that faults.
pub fn fault_code() -> &'static [u8] {
    let begin = &raw const fault_code_begin;
    // SAFETY: between the two symbols lies code of this program, which nothing writes.
    unsafe { core::slice::from_raw_parts(begin, &raw const fault_code_end as usize - begin as usize) }
}

/// Where in it the instruction is that faults.
pub fn fault_at() -> u64 {
    &raw const fault_code_at as u64 - &raw const fault_code_begin as u64
}

/// The first instruction of whoever is told.
pub fn fault_told() -> u64 {
    &raw const measure_fault_told as u64
}

/// Waits at a port, until `deadline`, for a process that notes the counter in the word mapped at `noted`, and faults.
pub fn fault(noted: u64, port: Handle, deadline: Ticks) -> Told {
    let mut told = Told::default();
    // SAFETY: the caller's mapping has the word, `told` has room for the four that are written, and the wait uses no memory.
    unsafe { measure_fault(noted, port.0.into(), &raw mut told, deadline) };
    told
}
