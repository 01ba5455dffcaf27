//! Registers across the kernel: what a call leaves in each, what an interrupt changes (nothing), and what a thread finds
//! in them when it begins.

use crate::lab::{Lab, Verdict, call, close, expect, in_good_time, must};
use crate::pointers::Opened;
use crate::record;
use alloc::boxed::Box;
use alloc::format;
#[cfg(target_arch = "riscv64")]
use core::arch::global_asm;
use nexus_abi::{Error, Kind, NEVER, NOW, Sysno, Tag};
use nexus_rt::{clock, thread};

#[cfg(target_arch = "riscv64")]
global_asm!(include_str!("registers.S"), exit = const Sysno::thread_exit as u64);

#[cfg(target_arch = "riscv64")]
unsafe extern "C" {
    fn registers_call(values: *const Words, found: *mut Words);
    fn registers_spin(values: *const Words, found: *mut Words);
    fn registers_float(values: *const Words, found: *mut Words);
    fn registers_born();
}

#[cfg(not(target_arch = "riscv64"))]
mod stand_in {
    use super::Words;
    pub unsafe extern "C" fn registers_call(_: *const Words, _: *mut Words) {}
    pub unsafe extern "C" fn registers_spin(_: *const Words, _: *mut Words) {}
    pub unsafe extern "C" fn registers_float(_: *const Words, _: *mut Words) {}
    pub unsafe extern "C" fn registers_born() {}
}
#[cfg(not(target_arch = "riscv64"))]
use stand_in::*;

/// x0 to x31, f0 to f31, fcsr, and a word that says that they were stored.
type Words = [u64; 66];
/// What the assembly does with them.
type Routine = unsafe extern "C" fn(*const Words, *mut Words);

const T: [usize; 7] = [5, 6, 7, 28, 29, 30, 31];
const A: usize = 10;
/// What a C function keeps, and ra and gp; sp and tp are checked by the routine.
const KEPT: [usize; 14] = [1, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
const F: usize = 32;
const FCSR: usize = 64;
const DONE: usize = 65;

fn pattern(seed: u64) -> Words {
    core::array::from_fn(|n| 0x5eed_0000_0000_0000 | seed << 32 | (n as u64) << 8 | 0x5a)
}

fn run(routine: Routine, values: &Words) -> Words {
    let mut found = [0; 66];
    // SAFETY: the routine reads the words and writes as many; what it calls was chosen so that it touches no other memory of
    // this program's.
    unsafe { routine(values, &mut found) };
    found
}

/// A call with a pattern in every register that is no argument; `results` are the registers that may come back other than 0.
fn clean(what: &str, arguments: &[(usize, u64)], results: &[usize]) -> Result<u64, alloc::string::String> {
    let mut values = pattern(1);
    arguments.iter().for_each(|(register, value)| values[*register] = *value);
    let found = run(registers_call, &values);
    record::note(values[T[0]], found[A]);
    for register in KEPT {
        expect(found[register] == values[register], &format!("{what}: x{register} did not survive"))?;
    }
    expect(found[2] == 0, &format!("{what}: sp did not survive"))?;
    for register in T.into_iter().chain(A + 1..A + 8) {
        let is_clean = found[register] == 0 || results.contains(&register);
        expect(is_clean, &format!("{what}: x{register} came back {:#x}", found[register]))?;
    }
    Ok(found[A])
}

/// Every call that comes back, with what it answers when it is refused and when it is not.
pub fn calls(lab: &mut Lab) -> Verdict {
    // Refused: nothing but the error, in a0.
    for info in Sysno::TABLE.iter().filter(|info| info.number != Sysno::thread_exit) {
        let number = info.number as u64;
        clean(info.name, &[(T[0], number), (A, 0), (T[3], NOW), (T[4], 0)], &[])?;
    }
    let unknown = clean("an unknown call", &[(T[0], 60), (A, 0)], &[])?;
    expect(unknown == Error::BadSyscall as u64, "an unknown call was known")?;
    let unknown = clean("a number past every table", &[(T[0], u64::MAX), (A, 0)], &[])?;
    expect(unknown == Error::BadSyscall as u64, "an unknown call was known")?;
    // Granted: the results, and nothing else.
    let made = lab.make(Kind::Channel)?;
    let port = lab.make(Kind::Port)?[0];
    must("bind", call(Sysno::port_bind, &[port, made[1], 5, 1]))?;
    let number = |number: Sysno| (T[0], number as u64);
    let empty = (A + 1, Tag::new(0, 0).0);
    let granted = |what: &str, arguments: &[(usize, u64)], results: &[usize]| {
        let status = clean(what, arguments, results)?;
        expect(status == 0, &format!("{what}: refused with {status}"))
    };
    granted("yield", &[number(Sysno::thread_yield)], &[])?;
    granted("null", &[number(Sysno::null)], &[])?;
    let words = [(A + 1, Tag::new(16, 0).0)];
    granted("send", &[number(Sysno::channel_send), (A, made[0]), words[0], (T[3], NOW)], &[])?;
    let got = [A + 1, A + 2, A + 3, T[1], T[2]];
    granted("receive", &[number(Sysno::channel_recv), (A, made[1]), empty], &got)?;
    granted("send", &[number(Sysno::channel_send), (A, made[0]), words[0], (T[3], NOW)], &[])?;
    let wait = [number(Sysno::reply_and_wait), (A, port), empty, (T[3], NOW), (T[4], 0)];
    granted("wait", &wait, &got)?;
    granted("signal", &[number(Sysno::port_signal), (A, port), (A + 1, 1 << 16)], &[])?;
    granted("wait for a signal", &wait, &[A + 1, T[4]])?;
    let status = in_good_time(|deadline| {
        let late = [number(Sysno::reply_and_wait), (A, port), empty, (T[3], deadline), (T[4], 0)];
        match clean("wait too long", &late, &[]) {
            Ok(status) if status == Error::WouldBlock as u64 => Err(Error::WouldBlock),
            other => Ok(other),
        }
    });
    let timed_out = Error::TimedOut as u64;
    expect(status == Ok(Ok(timed_out)), "nothing came, and no time passed")?;
    close(made[0])?;
    close(made[1])?;
    close(port)?;
    answers(lab)
}

/// Calls and answers between two threads, on whichever way they take, with interrupts between.
fn answers(lab: &Lab) -> Verdict {
    let mut server = Opened::make(lab)?;
    let reply = [(T[0], Sysno::channel_reply as u64), (A, 0), (A + 1, 0), (T[4], server.token)];
    let status = clean("reply", &reply, &[])?;
    expect(status == 0, "the answer was refused")?;
    server.joined()?;
    for by_reply in [false, true] {
        let [near, far] = lab.make(Kind::Channel)?;
        let port = lab.make(Kind::Port)?[0];
        must("bind", call(Sysno::port_bind, &[port, far, 5, 1]))?;
        let serving = must("thread", thread::spawn(5, move || serve(port, by_reply)))?;
        for round in 0..3u64 {
            // So that an interrupt has saved what the call must not bring back.
            if round == 0 {
                let mut values = pattern(2);
                values[31] = clock::in_millis(SPIN_MS);
                run(registers_spin, &values);
            }
            let number = (T[0], Sysno::channel_call as u64);
            let arguments = [number, (A, near), (A + 1, Tag::new(8, 0).0), (A + 2, round), (T[3], NEVER)];
            let status = clean("call", &arguments, &[A + 1, A + 2, T[2]])?;
            expect(status == 0, &format!("the call was refused with {status}"))?;
        }
        expect(serving.join() == Some(true), "the server saw something else")?;
        [near, far, port].into_iter().try_for_each(close)?;
    }
    Ok(())
}

/// Answers three calls, by one call that waits for the next or by two, and looks at every register.
fn serve(port: u64, by_reply: bool) -> bool {
    let results = [A + 1, A + 2, T[1], T[2], T[3]];
    let mut token = 0;
    for _ in 0..3 {
        let number = (T[0], Sysno::reply_and_wait as u64);
        let wait = [number, (A, port), (A + 1, Tag::new(8, 0).0), (A + 2, 6), (T[3], NEVER), (T[4], token)];
        let mut values = pattern(3);
        wait.iter().for_each(|(register, value)| values[*register] = *value);
        let found = run(registers_call, &values);
        record::note(values[T[0]], found[A]);
        let mut cleared = T.into_iter().chain(A..A + 8).filter(|n| !results.contains(n));
        if !cleared.all(|n| found[n] == 0) || KEPT.iter().any(|n| found[*n] != values[*n]) {
            return false;
        }
        token = found[T[3]];
        if by_reply {
            let reply = [(T[0], Sysno::channel_reply as u64), (A, 0), (A + 1, 0), (T[4], token)];
            if clean("reply", &reply, &[]) != Ok(0) {
                return false;
            }
            token = 0;
        }
    }
    token == 0
        || clean("reply", &[(T[0], Sysno::channel_reply as u64), (A, 0), (A + 1, 0), (T[4], token)], &[])
            == Ok(0)
}

/// How long to spin so that others have run in between: more than a slice.
const SPIN_MS: u64 = 11;

fn spun(seed: u64, float: bool) -> Verdict {
    let mut values = pattern(seed);
    values[31] = clock::in_millis(SPIN_MS);
    // Rounding mode and flags of its own, as many bits as there are.
    values[FCSR] = seed & 1 | (seed & 3) << 5;
    let found = run(if float { registers_float } else { registers_spin }, &values);
    let same = (1..30).filter(|n| ![2, 4].contains(n)).all(|n| found[n] == values[n]);
    expect(same && found[31] == values[31] && found[2] == 0, "an interrupt changed a register")?;
    expect(!float || found[F..DONE] == values[F..DONE], "an interrupt changed floating-point state")
}

/// Threads that spin beside each other, each with a pattern of its own, some with floating point.
pub fn interrupts(_lab: &mut Lab) -> Verdict {
    let mut threads = alloc::vec::Vec::new();
    for seed in 4..8 {
        threads.push(must("thread", thread::spawn(10, move || spun(seed, seed % 2 == 0)))?);
    }
    spun(9, true)?;
    for thread in threads {
        thread.join().unwrap_or_else(|| Err("a thread could not be waited for".into()))?;
    }
    Ok(())
}

/// A thread that begins while others have patterns in every register, in memory where such threads have been before: it
/// finds nothing but its stack and its arguments.
pub fn born(lab: &mut Lab) -> Verdict {
    spun(5, true)?;
    let before = must("thread", thread::spawn(10, || spun(6, true)))?;
    before.join().unwrap_or_else(|| Err("a thread could not be waited for".into()))?;
    let beside = must("thread", thread::spawn(10, || spun(7, true)))?;
    let found: &mut Words = Box::leak(Box::new([u64::MAX; 66]));
    let place = found.as_mut_ptr() as u64;
    found[DONE] = 0;
    let stack = 0x7777_7770;
    let born = must("thread", call(Sysno::thread_create, &[lab.own, lab.spare, 10]))?[0];
    let entry = registers_born as *const () as u64;
    must("start", call(Sysno::thread_start, &[born, entry, stack, place, 0]))?;
    let patience = clock::in_millis(2000);
    // SAFETY: `found` is written by the thread until its last word says that it is done, and read here as bytes of memory.
    let read = |n: usize| unsafe { core::ptr::read_volatile((place as *const u64).add(n)) };
    while read(DONE) != 1 {
        expect(clock::now() < patience, "the thread did not run")?;
        nexus_rt::sys::thread_yield();
    }
    let odd = (1..DONE).find(|n| read(*n) != 0 && *n != 2 && *n != A);
    expect(read(2) == stack && read(A) == place, "not the stack or the argument that was asked for")?;
    expect(odd.is_none(), &format!("a thread began with {odd:?} not 0"))?;
    beside.join().unwrap_or_else(|| Err("a thread could not be waited for".into()))?;
    // SAFETY: the thread that wrote there has said that it is done, so this is the only reference.
    drop(unsafe { Box::from_raw(place as *mut Words) });
    close(born)
}
