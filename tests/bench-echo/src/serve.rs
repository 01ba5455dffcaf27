//! The measured loops, in assembly so that nothing but the system call and what it needs is counted.

use core::arch::global_asm;
use nexus_abi::{Sysno, Tag};

global_asm!(include_str!("loop.S"), reply_and_wait = const Sysno::reply_and_wait as u64);

unsafe extern "C" {
    fn bench_serve_words(port: u64) -> u64;
    fn bench_serve_all(port: u64, room: u64, bytes: *mut u8, handles: *mut u32, flip: u64) -> u64;
}

/// Answers what travels in registers until something else comes.
pub fn words(port: u64) {
    // SAFETY: no address goes into the kernel; the function keeps the C calling convention.
    unsafe { bench_serve_words(port) };
}

/// Answers what fits `bytes` (and one handle, with `flip` by an answer that has one where the message had none and the
/// other way round) until something else comes.
pub fn all(port: u64, bytes: &mut [u8], flip: bool) {
    let mut handles = [0; 1];
    let room = Tag::new(0, 0).with_room(bytes.len(), flip as usize);
    // SAFETY: the room told is that of the two buffers; the function keeps the C calling convention.
    unsafe { bench_serve_all(port, room.0, bytes.as_mut_ptr(), handles.as_mut_ptr(), (flip as u64) << 16) };
}
