//! What a trap means (`trap.S` has the way in and out), and what a hart does between two threads.

use crate::cpu;
use crate::hart::{EMERGENCY_BELOW_LOCAL, Local, local};
use crate::panic::on_kernel_trap;
use crate::platform::kernel;
use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::Ordering::Relaxed;
use neuron_core::context::{Context, reg};
use neuron_core::{BYTES, Else, HANDLE, HandOver, Hart, LIGHT, Next};
use nexus_abi::bounds::REGISTER_WORDS;
use nexus_abi::{Sysno, Tag};

/// `sstatus.FS`: all ones is dirty.
pub const FS: usize = 3 << 13;
const FS_INITIAL: usize = 1 << 13;

/// `sstatus.SPP`: the trap came from the kernel.
const SPP: usize = 1 << 8;

const INTERRUPT: u64 = 1 << 63;
const SOFTWARE: u64 = INTERRUPT | 1;
const TIMER: u64 = INTERRUPT | 5;
const EXTERNAL: u64 = INTERRUPT | 9;
const ILLEGAL_INSTRUCTION: u64 = 2;

global_asm!(
    include_str!("trap.S"),
    local_scratch = const offset_of!(Local, scratch),
    local_user_tp = const offset_of!(Local, user_tp),
    local_user_ra = const offset_of!(Local, user_ra),
    local_user_sp = const offset_of!(Local, user_sp),
    local_context = const offset_of!(Local, hart) + offset_of!(Hart, thread),
    local_resched = const offset_of!(Local, hart) + offset_of!(Hart, resched),
    local_fp_owner = const offset_of!(Local, fp_owner),
    local_fp_tag = const offset_of!(Local, fp_tag),
    light_table = sym LIGHT_TABLE,
    numbers = const Sysno::TABLE.len(),
    spp = const SPP,
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
    on_syscall = sym on_syscall,
    on_resched = sym on_resched,
    on_trap = sym on_trap,
    on_kernel_trap = sym on_kernel_trap,
);
// trap.S stores the first register it frees without an offset to spare.
const _: () = assert!(offset_of!(Local, scratch) == 0);
// It tells the two calls of the fast path from the rest by numbers that need no register.
const _: () = assert!(Sysno::channel_call as u64 == 0 && Sysno::reply_and_wait as u64 == 1);

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
extern "C" fn on_light<const NUMBER: u64>(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> Answer {
    let outcome = kernel().light(&local().hart, NUMBER, [a0, a1, a2, a3, a4, a5]);
    Answer { error: outcome.error, result: outcome.results[0] }
}

/// What makes a light system call; none for the others.
type Light = Option<extern "C" fn(u64, u64, u64, u64, u64, u64) -> Answer>;

macro_rules! light_table {
    ($($number:literal $name:ident $arguments:tt -> $results:tt $errors:tt $doc:literal;)+) => {
        [$(if LIGHT >> $number & 1 == 1 { Some(on_light::<$number>) } else { None }),+]
    };
}

/// The dispatch table of the light system calls, by number.
static LIGHT_TABLE: [Light; Sysno::TABLE.len()] = nexus_abi::with_syscalls!(light_table);

/// The fast path of `channel_call`: the words stay in the registers that they came in. Returns if it cannot be taken.
extern "C" fn on_call(handle: u64, tag: u64, a2: u64, a3: u64, a4: u64, a5: u64, a6: u64, a7: u64) {
    let hart = &local().hart;
    let words = [a2, a3, a4, a5, a6, a7];
    match kernel().fast_call(hart, handle, tag) {
        Ok(over) => hand_over(over, words),
        Err(what) => {
            put_back(hart, handle, words);
            match what {
                Else::Slow => {}
                Else::Carry if Tag(tag).handles() == 0 => on_long_call::<BYTES>(hart, tag),
                Else::Carry => on_long_call::<HANDLE>(hart, tag),
            }
        }
    }
}

/// The same for a message that is more than registers.
#[inline(never)]
fn on_long_call<const LOAD: bool>(hart: &Hart, tag: u64) {
    if let Some((over, words)) = kernel().carry_call::<LOAD>(hart, tag) {
        hand_over(over, words)
    }
}

/// The fast path of `reply_and_wait`, likewise.
extern "C" fn on_reply(handle: u64, tag: u64, a2: u64, a3: u64, a4: u64, a5: u64, a6: u64, a7: u64) {
    let hart = &local().hart;
    let words = [a2, a3, a4, a5, a6, a7];
    match kernel().fast_reply(hart, handle, tag) {
        Some(over) => hand_over(over, words),
        None => {
            put_back(hart, handle, words);
            match Tag(tag).handles() {
                0 => on_long_reply::<BYTES>(hart, handle, tag),
                _ => on_long_reply::<HANDLE>(hart, handle, tag),
            }
        }
    }
}

/// The same for an answer that is more than registers.
#[inline(never)]
fn on_long_reply<const LOAD: bool>(hart: &Hart, handle: u64, tag: u64) {
    if let Some((over, words)) = kernel().carry_reply::<LOAD>(hart, handle, tag) {
        hand_over(over, words)
    }
}

/// Saves the arguments that the trap code left in registers.
#[inline(always)]
fn put_back(hart: &Hart, handle: u64, words: [u64; REGISTER_WORDS]) {
    let context = &hart.current().context;
    context.set(reg::A0, handle);
    for (n, word) in words.into_iter().enumerate() {
        context.set(reg::A0 + 2 + n, word);
    }
}

/// Leaves for the thread that the fast path chose.
#[inline(always)]
fn hand_over(over: HandOver, words: [u64; REGISTER_WORDS]) -> ! {
    // SAFETY: the context belongs to the hart's current thread, whose address space is loaded; nothing on this stack is
    // used again.
    unsafe {
        asm!(
            "j hand_over",
            in("t6") over.context,
            in("a1") over.tag,
            in("a2") words[0],
            in("a3") words[1],
            in("a4") words[2],
            in("a5") words[3],
            in("a6") words[4],
            in("a7") words[5],
            in("t1") over.key,
            in("t2") over.identity,
            in("t3") over.token,
            options(noreturn)
        )
    }
}

/// A heavy system call: every register has been saved.
extern "C" fn on_syscall(local: &'static Local) {
    let hart = &local.hart;
    kernel().syscall(hart);
    // Without a reason to look further the current thread goes on.
    if hart.resched.get() != 0 || hart.thread.find().is_none() {
        leave(hart);
    }
}

/// The end of a system call after which somebody else may have to run.
extern "C" fn on_resched(local: &'static Local) {
    leave(&local.hart);
}

/// Decides who runs next.
#[inline(always)]
fn leave(hart: &Hart) {
    if !kernel().switch_at_once(hart) {
        choose(hart);
    } else if let Some(bits) = kernel().take_event(hart) {
        tell(hart, bits)
    }
}

/// Leaves for the current thread, which is told signal bits and nothing else.
#[inline(always)]
fn tell(hart: &Hart, bits: u64) -> ! {
    let context = core::ptr::from_ref(hart.current()).addr();
    // SAFETY: as in `hand_over`.
    unsafe { asm!("j tell", in("t6") context, in("t4") bits, options(noreturn)) }
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
    let context = &hart.current().context;
    if context.fp_live.load(Relaxed) != 0 {
        return false;
    }
    context.f.iter().for_each(|f| f.store(0, Relaxed));
    context.fcsr.store(0, Relaxed);
    context.fp_live.store(1, Relaxed);
    hart.use_floating_point();
    true
}

/// Sleeps until there is a thread to run.
#[inline(never)]
fn choose(hart: &Hart) {
    while kernel().dispatch(hart) == Next::Idle {
        cpu::wait();
        kernel().serve(hart);
    }
}

/// Runs threads on this hart from now on.
pub fn run(local: &'static Local) -> ! {
    cpu::enable_interrupts();
    choose(&local.hart);
    // SAFETY: a thread has been chosen, which is all that the way out needs; nothing on this stack is used again.
    unsafe { to_user() }
}
