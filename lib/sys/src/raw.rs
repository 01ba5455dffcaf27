//! The one place where a program enters the kernel: inline assembly and the untyped stubs made from the table
//! in `nexus-abi`. Nothing here interprets a result; every pointer that goes in is the caller's promise.

use nexus_abi::bounds::REGISTER_WORDS;
use nexus_abi::{Delivery, Error, Identity, Sysno, Tag};

/// What the kernel left in the registers after an ordinary call: `a0` to `a2`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// 0, or the number of an error.
    pub status: u64,
    /// The results.
    pub results: [u64; 2],
}

/// Keeps accesses to memory and to device registers before it from being seen after those behind it, by devices too.
#[inline(always)]
pub fn device_fence() {
    #[cfg(target_arch = "riscv64")]
    // SAFETY: it orders accesses and does nothing else. The compiler must not move accesses across it, so it is not `nomem`.
    unsafe {
        core::arch::asm!("fence iorw, iorw", options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "riscv64"))]
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}

/// Makes any system call with any seven arguments.
///
/// # Safety
/// The kernel may write where the arguments point, unmap memory, or start a thread: the caller answers for
/// what the call does to this program's memory.
#[cfg(target_arch = "riscv64")]
#[inline(always)]
pub unsafe fn syscall(number: u64, arguments: [u64; 7]) -> Outcome {
    let (status, first, second);
    // SAFETY: every register that the kernel does not preserve is declared clobbered (it keeps `ra` and floating-point
    // state); what the call does to memory is the caller's promise.
    unsafe {
        core::arch::asm!(
            "ecall",
            inlateout("t0") number => _,
            inlateout("a0") arguments[0] => status,
            inlateout("a1") arguments[1] => first,
            inlateout("a2") arguments[2] => second,
            inlateout("a3") arguments[3] => _,
            inlateout("a4") arguments[4] => _,
            inlateout("a5") arguments[5] => _,
            inlateout("a6") arguments[6] => _,
            lateout("a7") _, lateout("t1") _, lateout("t2") _, lateout("t3") _, lateout("t4") _, lateout("t5") _, lateout("t6") _,
            options(nostack),
        );
    }
    Outcome { status, results: [first, second] }
}

/// There is no kernel below a host program: every call answers `BadSyscall`, so that code which only links
/// this crate can be tested on the host.
///
/// # Safety
/// None needed; the signature is that of the real one.
#[cfg(not(target_arch = "riscv64"))]
pub unsafe fn syscall(_number: u64, _arguments: [u64; 7]) -> Outcome {
    Outcome { status: Error::BadSyscall as u64, results: [0; 2] }
}

/// Makes the calls `port_signal` and `thread_exit`, one right after the other and with registers alone.
#[cfg(target_arch = "riscv64")]
pub fn signal_and_exit(port: u64, bits: u64) -> ! {
    // SAFETY: neither call gets an address, and the second does not return. Should it all the same, it is made
    // again: there is no memory that could be relied on any more.
    unsafe {
        core::arch::asm!(
            "ecall",
            "1:",
            "li t0, {exit}",
            "li a0, 0",
            "li a1, 0",
            "ecall",
            "j 1b",
            exit = const Sysno::thread_exit as u64,
            in("t0") Sysno::port_signal as u64,
            in("a0") port,
            in("a1") bits,
            options(noreturn, nostack),
        );
    }
}

/// The host's stand-in: there is no thread of the kernel's to end.
#[cfg(not(target_arch = "riscv64"))]
pub fn signal_and_exit(_port: u64, _bits: u64) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// What a message call takes, in the order of the register plan in `nexus_abi::Tag`.
#[derive(Clone, Copy, Debug)]
pub struct MessageIn {
    /// `a0`: endpoint or port.
    pub handle: u64,
    /// `a1`.
    pub tag: Tag,
    /// `a2` to `a7`.
    pub words: [u64; REGISTER_WORDS],
    /// `t1`: address of the byte buffer.
    pub bytes: u64,
    /// `t2`: address of the handle buffer.
    pub handles: u64,
    /// `t3`: deadline in ticks.
    pub deadline: u64,
    /// `t4`: reply token.
    pub token: u64,
}

/// What a message call leaves, in the order of the register plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MessageOut {
    /// `a0`: 0, or the number of an error.
    pub status: u64,
    /// `a1`.
    pub tag: Tag,
    /// `a2` to `a7`.
    pub words: [u64; REGISTER_WORDS],
    /// `t1`: key of the binding.
    pub key: u64,
    /// `t2`: who sent it.
    pub sender: Identity,
    /// `t3`: reply token, 0 when no answer is expected.
    pub token: u64,
    /// `t4`: signal bits of an event.
    pub signals: u64,
}

impl MessageOut {
    /// What this is.
    pub fn delivery(&self) -> Delivery {
        Delivery::of(self.token, self.signals)
    }
}

/// Makes a message call.
///
/// # Safety
/// `bytes` and `handles` must be valid for the sizes and for the room that the tag tells, or not be used
/// because the tag asks for neither.
#[cfg(target_arch = "riscv64")]
#[inline(always)]
pub unsafe fn message(number: Sysno, m: MessageIn) -> MessageOut {
    let (status, tag, key, sender, token, signals): (u64, u64, u64, u64, u64, u64);
    let mut words = m.words;
    // SAFETY: as in `syscall`; the buffers are the caller's promise.
    unsafe {
        core::arch::asm!(
            "ecall",
            inlateout("t0") number as u64 => _,
            inlateout("a0") m.handle => status,
            inlateout("a1") m.tag.0 => tag,
            inlateout("a2") words[0],
            inlateout("a3") words[1],
            inlateout("a4") words[2],
            inlateout("a5") words[3],
            inlateout("a6") words[4],
            inlateout("a7") words[5],
            inlateout("t1") m.bytes => key,
            inlateout("t2") m.handles => sender,
            inlateout("t3") m.deadline => token,
            inlateout("t4") m.token => signals,
            lateout("t5") _, lateout("t6") _,
            options(nostack),
        );
    }
    MessageOut { status, tag: Tag(tag), words, key, sender: Identity::from_raw(sender), token, signals }
}

/// The host's stand-in: see [`syscall`].
///
/// # Safety
/// None needed; the signature is that of the real one.
#[cfg(not(target_arch = "riscv64"))]
pub unsafe fn message(_number: Sysno, _m: MessageIn) -> MessageOut {
    MessageOut { status: Error::BadSyscall as u64, ..MessageOut::default() }
}

/// The machine's `time` counter.
#[cfg(target_arch = "riscv64")]
#[inline(always)]
pub fn ticks() -> u64 {
    let now: u64;
    // SAFETY: reads a counter that user mode may read; touches nothing else.
    unsafe { core::arch::asm!("rdtime {}", out(reg) now, options(nomem, nostack, preserves_flags)) }
    now
}

/// The host's stand-in: time stands still.
#[cfg(not(target_arch = "riscv64"))]
pub fn ticks() -> u64 {
    0
}

/// An ordinary call's outcome as a `Result`. A number that is neither 0 nor an error of this contract can
/// only come from a newer kernel; it is reported as `BadSyscall`.
#[inline(always)]
pub(crate) fn check(status: u64) -> Result<(), Error> {
    if status == 0 { Ok(()) } else { Err(Error::from_raw(status).unwrap_or(Error::BadSyscall)) }
}

macro_rules! stub {
    // The message calls use more registers than the ordinary convention: `message` makes them.
    (channel_send $($rest:tt)*) => {};
    (channel_recv $($rest:tt)*) => {};
    (channel_call $($rest:tt)*) => {};
    (channel_reply $($rest:tt)*) => {};
    (reply_and_wait $($rest:tt)*) => {};
    ($name:ident ($($arg:ident),*) -> ($($result:ident),*) $doc:literal) => {
        #[doc = $doc]
        ///
        /// # Safety
        /// Addresses must be valid for what the call does there; see [`syscall`].
        #[inline(always)]
        pub unsafe fn $name($($arg: u64),*) -> Result<stub!(@type $($result)*), Error> {
            let given: &[u64] = &[$($arg),*];
            let mut arguments = [0; 7];
            let mut i = 0;
            while i < given.len() {
                arguments[i] = given[i];
                i += 1;
            }
            // SAFETY: the caller's promise.
            let outcome = unsafe { syscall(Sysno::$name as u64, arguments) };
            check(outcome.status)?;
            Ok(stub!(@value outcome $($result)*))
        }
    };
    (@type) => { () };
    (@type $a:ident) => { u64 };
    (@type $a:ident $b:ident) => { (u64, u64) };
    (@value $o:ident) => { () };
    (@value $o:ident $a:ident) => { $o.results[0] };
    (@value $o:ident $a:ident $b:ident) => { ($o.results[0], $o.results[1]) };
}

macro_rules! stubs {
    ($($number:literal $name:ident ($($arg:ident),*) -> ($($result:ident),*) [$($error:ident)*] $doc:literal;)+) => {
        $(stub!($name ($($arg),*) -> ($($result),*) $doc);)+
    };
}

nexus_abi::with_syscalls!(stubs);
