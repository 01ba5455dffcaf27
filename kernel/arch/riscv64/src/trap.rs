//! What a trap means (`trap.S` has the way in and out), and what a hart does between two threads.

use crate::cpu;
use crate::hart::{EMERGENCY_BELOW_LOCAL, Local};
use crate::panic::on_kernel_trap;
use crate::platform::kernel;
use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::Ordering::Relaxed;
use neuron_core::context::Context;
use neuron_core::{HandOver, Hart, Next};
use nexus_abi::Sysno;

/// `sstatus.FS`: all ones is dirty.
pub const FS: usize = 3 << 13;
const FS_INITIAL: usize = 1 << 13;

const INTERRUPT: u64 = 1 << 63;
const SOFTWARE: u64 = INTERRUPT | 1;
const TIMER: u64 = INTERRUPT | 5;
const EXTERNAL: u64 = INTERRUPT | 9;
const ILLEGAL_INSTRUCTION: u64 = 2;

global_asm!(
    include_str!("trap.S"),
    local_scratch = const offset_of!(Local, scratch),
    local_user_tp = const offset_of!(Local, user_tp),
    local_user_sp = const offset_of!(Local, user_sp),
    local_second = const offset_of!(Local, second),
    local_context = const offset_of!(Local, hart) + offset_of!(Hart, context),
    local_resched = const offset_of!(Local, hart) + offset_of!(Hart, resched),
    local_fp_owner = const offset_of!(Local, fp_owner),
    local_fp_tag = const offset_of!(Local, fp_tag),
    light = const neuron_core::LIGHT,
    channel_call = const Sysno::channel_call as u64,
    reply_and_wait = const Sysno::reply_and_wait as u64,
    on_call = sym on_call,
    on_reply = sym on_reply,
    context_fp_live = const offset_of!(Context, fp_live),
    context_fcsr = const offset_of!(Context, fcsr),
    context_f = const offset_of!(Context, f),
    emergency_below_local = const EMERGENCY_BELOW_LOCAL,
    fs = const FS,
    fs_initial = const FS_INITIAL,
    on_light = sym on_light,
    on_syscall = sym on_syscall,
    on_resched = sym on_resched,
    on_trap = sym on_trap,
    on_kernel_trap = sym on_kernel_trap,
);
// trap.S stores the first register it frees without an offset to spare, and its fences on a reservation likewise.
const _: () = assert!(offset_of!(Local, scratch) == 0);

unsafe extern "C" {
    fn to_user() -> !;
}

/// Answers in `a0` and `a1`.
#[repr(C)]
struct Answer {
    error: u64,
    result: u64,
}

/// A light system call, its arguments still in their registers.
extern "C" fn on_light(
    a0: u64,
    a1: u64,
    a2: u64,
    a3: u64,
    a4: u64,
    a5: u64,
    local: &'static Local,
    number: u64,
) -> Answer {
    let outcome = kernel().light(&local.hart, number, [a0, a1, a2, a3, a4, a5]);
    local.second.store(outcome.results[1], Relaxed);
    Answer { error: outcome.error, result: outcome.results[0] }
}

/// The fast path of `channel_call`. Returns if it cannot be taken.
extern "C" fn on_call(handle: u64, tag: u64, deadline: u64, local: &'static Local) {
    if let Some(over) = kernel().fast_call(&local.hart, handle, tag, deadline) {
        hand_over(over)
    }
}

/// The fast path of `reply_and_wait`, likewise.
extern "C" fn on_reply(handle: u64, tag: u64, deadline: u64, local: &'static Local, token: u64) {
    if let Some(over) = kernel().fast_reply(&local.hart, handle, tag, deadline, token) {
        hand_over(over)
    }
}

#[inline(always)]
fn hand_over(over: HandOver) -> ! {
    // SAFETY: the thread of this context has been made current and its address space is loaded. Nothing on this stack
    // is used again.
    unsafe {
        asm!(
            "j hand_over",
            in("t6") over.context,
            in("a1") over.tag,
            in("a2") over.words[0],
            in("a3") over.words[1],
            in("a4") over.words[2],
            in("a5") over.words[3],
            in("a6") over.words[4],
            in("a7") over.words[5],
            in("t1") over.key,
            in("t2") over.identity,
            in("t3") over.token,
            options(noreturn)
        )
    }
}

/// A heavy system call: every register has been saved.
extern "C" fn on_syscall(local: &'static Local) {
    kernel().syscall(&local.hart);
    choose(&local.hart);
}

/// The end of a system call after which somebody else may have to run.
extern "C" fn on_resched(local: &'static Local) {
    choose(&local.hart);
}

extern "C" fn on_trap(local: &'static Local, scause: u64, stval: u64) {
    let hart = &local.hart;
    match scause {
        TIMER => kernel().timer(hart),
        SOFTWARE => {
            cpu::clear_software();
            kernel().kicked(hart);
        }
        EXTERNAL => kernel().external(hart),
        // A thread's first floating-point instruction finds them off. An instruction that is illegal for
        // another reason traps a second time.
        ILLEGAL_INSTRUCTION if give_fp(hart) => return,
        _ if scause & INTERRUPT != 0 => panic!("interrupt {scause:#x} was never enabled"),
        _ => kernel().fault(hart, scause, stval),
    }
    choose(hart);
}

/// Gives the current thread zeroed floating-point registers; false if it has some.
fn give_fp(hart: &Hart) -> bool {
    // SAFETY: the trap came from a thread, so the pointer is its context's, which this hart owns.
    let context = unsafe { &*(hart.context.load(Relaxed) as *const Context) };
    if context.fp_live.load(Relaxed) != 0 {
        return false;
    }
    context.f.iter().for_each(|f| f.store(0, Relaxed));
    context.fcsr.store(0, Relaxed);
    context.fp_live.store(1, Relaxed);
    true
}

/// Sleeps until there is a thread to run.
fn choose(hart: &Hart) {
    while kernel().dispatch(hart) == Next::Idle {
        cpu::wait();
        let pending = cpu::pending();
        if pending & cpu::SOFTWARE != 0 {
            cpu::clear_software();
            kernel().kicked(hart);
        }
        if pending & cpu::TIMER != 0 {
            kernel().timer(hart);
        }
        if pending & cpu::EXTERNAL != 0 {
            kernel().external(hart);
        }
    }
}

/// Runs threads on this hart from now on.
pub fn run(local: &'static Local) -> ! {
    cpu::enable_interrupts();
    choose(&local.hart);
    // SAFETY: a thread has been chosen, which is all that the way out needs; nothing on this stack is used again.
    unsafe { to_user() }
}
