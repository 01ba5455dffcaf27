//! The rows: each makes its call often enough to be warm, then counts it, and checks what came back.

use crate::measure::{self, Between, Registers};
use crate::{Report, faults};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{NEVER, Rights, Signals, Sysno, Tag};
use nexus_rt::{
    Channel, End, Handles, IdentityKind, Owned, PortKind, QuotaKind, Startup, Vmo, samgr, sys, thread,
};

/// Calls before counting begins.
const WARM: usize = 16;
/// Calls that count.
const COUNTED: usize = 200;
/// Rounds of a row before it is given up that no two of them in a row agree.
const ROUNDS: usize = 20;

/// Done, or why not.
pub type Step = Result<(), String>;

/// The result with what was tried when it failed.
pub fn why<T, E: core::fmt::Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// Makes a call `WARM` times, then `COUNTED` times with its count kept, until that agrees.
fn repeat(mut call: impl FnMut() -> Result<u64, String>) -> Result<Vec<u64>, String> {
    agreed(|| {
        for _ in 0..WARM {
            call()?;
        }
        (0..COUNTED).map(|_| call()).collect()
    })
}

/// Takes a row until two rounds in a row have the same counts. Disk and console answer when the host likes, also in the middle of a call that is
/// being counted: such a round has a count that the next one has not. What the kernel itself does now and then is in every round.
pub fn agreed(mut round: impl FnMut() -> Result<Vec<u64>, String>) -> Result<Vec<u64>, String> {
    let mut last = Vec::new();
    for _ in 0..ROUNDS {
        let mut counts = round()?;
        counts.sort_unstable();
        if counts == last {
            return Ok(counts);
        }
        last = counts;
    }
    Err(format!("no two rounds of {ROUNDS} agree: {last:?}"))
}

/// Every row.
pub fn all(startup: &Startup, identity: Option<&Owned<IdentityKind>>, report: &mut Report) -> Step {
    let quota = startup.quota().ok_or("no quota")?;
    let channel = why("connect", samgr::connect("bench-echo"))?;
    round_trips(quota, &channel, report)?;
    system_calls(startup, quota, report)?;
    between_threads(quota, report)?;
    faults::row(startup, quota, identity.ok_or("no identity")?, report)
}

/// Tells the server which loop to run.
pub fn mode(channel: &Owned<Channel>, letter: u8) -> Step {
    let mut request = [0; 2000];
    request[0] = letter;
    why("mode", channel.call(&request, &mut Handles::new(), &mut [], 0, NEVER)).map(|_| ())
}

fn counted(count: Option<u64>, registers: &Registers, sizes: u64) -> Result<u64, String> {
    if registers[0] != 0 || registers[1] & Tag::SIZES != sizes {
        return Err(format!("answer {:#x} {:#x}, not {sizes:#x}", registers[0], registers[1]));
    }
    count.ok_or_else(|| "a callee-saved register did not survive".into())
}

fn round_trips(quota: &Owned<QuotaKind>, channel: &Owned<Channel>, report: &mut Report) -> Step {
    let endpoint = channel.handle().0 as u64;
    mode(channel, b'w')?;
    type Measured = unsafe fn(&mut Registers) -> Option<u64>;
    let rows: [(&str, usize, Measured); 3] = [
        ("ipc.round_trip.0w", 0, measure::w0w),
        ("ipc.round_trip.4w", 4, measure::w4w),
        ("ipc.round_trip.6w", 6, measure::w6w),
    ];
    for (name, words, call) in rows {
        let mut next = 1;
        let mut counts = repeat(|| {
            let tag = Tag::new(words * 8, 0).0;
            let mut registers = [endpoint, tag, next, next + 1, next + 2, next + 3, next + 4, next + 5];
            let sent = registers;
            // SAFETY: the message and its answer travel in registers.
            let count = unsafe { call(&mut registers) };
            next += 7;
            if registers[2..2 + words] != sent[2..2 + words] || registers[2 + words..].iter().any(|w| *w != 0)
            {
                return Err(format!("{name}: {registers:x?} came back for {sent:x?}"));
            }
            counted(count, &registers, tag)
        })?;
        done(name, report, &mut counts);
    }

    mode(channel, b'b')?;
    let rows: [(&str, usize, Measured); 2] =
        [("ipc.round_trip.128b", 128, measure::w128b), ("ipc.round_trip.960b", 960, measure::w960b)];
    for (name, bytes, call) in rows {
        let mut buffer = vec![0x5a_u8; bytes];
        let mut counts = repeat(|| {
            buffer[bytes - 1] = buffer[bytes - 1].wrapping_add(1);
            let last = buffer[bytes - 1];
            let tag = Tag::new(bytes, 0).with_room(bytes, 0).0;
            let mut registers = [endpoint, tag, buffer.as_mut_ptr() as u64, 0, 0, 0, 0, 0];
            // SAFETY: the buffer has as many bytes as the tag says, both ways.
            let count = unsafe { call(&mut registers) };
            if buffer[bytes - 1] != last || buffer[0] != 0x5a {
                return Err(format!("{name}: other bytes came back"));
            }
            counted(count, &registers, tag & Tag::SIZES)
        })?;
        done(name, report, &mut counts);
    }

    // The capability goes with one call and comes back with the answer to the next: one is moved each time.
    mode(channel, b'c')?;
    let vmo = why("vmo", Owned::<Vmo>::create(quota, 4096))?;
    let mut handles = [vmo.into_handle().0];
    let mut out = true;
    let mut counts = repeat(|| {
        let (sent, back) = (out as usize, !out as usize);
        let tag = Tag::new(0, sent).with_room(0, 1).0;
        let mut registers = [endpoint, tag, 0, handles.as_mut_ptr() as u64, 0, 0, 0, 0];
        // SAFETY: the buffer has room for the one handle that goes or comes.
        let count = unsafe { measure::w1cap(&mut registers) };
        out = !out;
        counted(count, &registers, Tag::new(0, back).0)
    })?;
    if out {
        let back: Owned<Vmo> = Owned::from_handle(nexus_abi::Handle(handles[0]));
        why("the capability that came back", back.info())?;
    }
    done("ipc.round_trip.1cap", report, &mut counts);
    Ok(())
}

fn done(name: &str, report: &mut Report, counts: &mut [u64]) {
    if let Some(marks) = measure::marks(name) {
        report.mark(name, marks);
    }
    report.figure(name, counts);
}

fn system_calls(startup: &Startup, quota: &Owned<QuotaKind>, report: &mut Report) -> Step {
    let mut counts = repeat(|| {
        let mut registers = [0; 8];
        // SAFETY: the call does nothing.
        let count = unsafe { measure::null(&mut registers) };
        counted(count, &registers, 0)
    })?;
    done("syscall.null", report, &mut counts);

    let port = why("port", Owned::<PortKind>::create(quota))?;
    let mut counts = repeat(|| {
        let mut registers = [port.handle().0 as u64, 1 << 16, 0, 0, 0, 0, 0, 0];
        // SAFETY: the call takes no address.
        let count = unsafe { measure::signal(&mut registers) };
        counted(count, &registers, 0)
    })?;
    done("port.signal", report, &mut counts);

    let own = startup.process().ok_or("no process")?;
    let vmo = why("vmo", Owned::<Vmo>::create(quota, 4096))?;
    let access = Rights::READ | Rights::WRITE;
    // Where the kernel would put two pages; the second stays, and keeps the page tables there.
    let pair = why("vmo", Owned::<Vmo>::create(quota, 8192))?;
    let at = why("map", sys::vm_map(own.handle(), pair.handle(), 0, 8192, 0, access))?;
    // SAFETY: nothing refers to it.
    why("unmap", unsafe { sys::vm_unmap(own.handle(), at) })?;
    why("map", sys::vm_map(own.handle(), pair.handle(), 0, 4096, at + 4096, access))?;
    let mut counts = repeat(|| {
        let (process, vmo) = (own.handle().0 as u64, vmo.handle().0 as u64);
        let mut registers = [process, vmo, 0, 4096, at, access.bits() as u64, 0, 0];
        // SAFETY: nothing else is mapped there, and nothing refers to what will be.
        let count = unsafe { measure::map_page(&mut registers) };
        if registers[1] != at {
            return Err(format!("mapped at {:#x}", registers[1]));
        }
        registers[1] = 0;
        let count = counted(count, &registers, 0);
        // SAFETY: nothing refers to it.
        why("unmap", unsafe { sys::vm_unmap(own.handle(), at) })?;
        count
    })?;
    done("vm.map_page", report, &mut counts);
    Ok(())
}

/// Rows where one thread's call lets another run: the one that takes over has the higher priority, but for the yield.
fn between_threads(quota: &'static Owned<QuotaKind>, report: &mut Report) -> Step {
    type Call = (Sysno, u64, u64);
    let pair = |code: Between, lower: u8, give: Call, take: Call| -> Result<Vec<u64>, String> {
        let taker = why(
            "thread",
            thread::spawn(10, move || {
                let mut counts = vec![0; WARM + COUNTED];
                code.take(take.0, take.1, take.2, &mut counts);
                counts.split_off(WARM)
            }),
        )?;
        let giver = why(
            "thread",
            thread::spawn(lower, move || {
                code.give(give.0, give.1, give.2, WARM + COUNTED + 1);
            }),
        )?;
        let counts = taker.join().ok_or("the thread ended otherwise")?;
        giver.join().ok_or("the thread ended otherwise")?;
        Ok(counts)
    };

    // Each round has objects of its own: what was given once too often must not be taken by the next.
    let code = measure::signal_wake();
    let mut counts = agreed(|| {
        let port = why("port", Owned::<PortKind>::create(quota))?;
        let raw = port.handle().0 as u64;
        pair(code, 9, (Sysno::port_signal, raw, 1 << 16), (Sysno::reply_and_wait, raw, 0))
    })?;
    report.mark("port.signal_wake", code.marks);
    report.figure("port.signal_wake", &mut counts);

    const BOTH: End = End { depth: 2, bytes: 48, handles: 0 };
    let code = measure::send_wake();
    let mut counts = agreed(|| {
        let (near, far) = why("channel", Owned::<Channel>::create(quota, BOTH, BOTH))?;
        let port = why("port", Owned::<PortKind>::create(quota))?;
        why("bind", port.bind(&far, 1, Signals::READABLE))?;
        let wait = (Sysno::reply_and_wait, port.handle().0 as u64, 0);
        pair(code, 9, (Sysno::channel_send, near.handle().0 as u64, 0), wait)
    })?;
    report.mark("ipc.send_wake", code.marks);
    report.figure("ipc.send_wake", &mut counts);

    let code = measure::yields();
    let yields = (Sysno::thread_yield, 0, 0);
    let mut counts = agreed(|| pair(code, 10, yields, yields))?;
    report.mark("sched.yield", code.marks);
    report.figure("sched.yield", &mut counts);
    Ok(())
}
