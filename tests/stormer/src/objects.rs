//! Objects that are made, used and ended: memory, timers, quotas, processes, threads.

use crate::PRIORITY;
use crate::client::Client;
use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use nexus_abi::{Error, NEVER, Rights, Signals};
use nexus_rt::{Channel, End, Owned, PortKind, TimerKind, Vmo, clock, sys, thread};
use storm::{PATIENCE_MS, Random};

fn must<T, E: Debug>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// One of them.
pub fn one(client: &Client, random: &mut Random) -> Result<(), String> {
    // What fences every hart is rarer: a host with fewer processors than harts takes long for that.
    match random.below(12) {
        0..3 => timer(client, random),
        3 => memory(client, random),
        4 => quota(client),
        5 => process(client),
        6 => joined(random.below(1000)),
        _ => {
            sys::thread_yield();
            Ok(())
        }
    }
}

/// A timer comes, not before its time.
fn timer(client: &Client, random: &mut Random) -> Result<(), String> {
    let port = must("port", Owned::<PortKind>::create(client.quota))?;
    let timer = must("timer", Owned::<TimerKind>::create(client.quota))?;
    must("bind", port.bind(&timer, 7, Signals::EXPIRED))?;
    let at = clock::now() + clock::timebase() * random.below(300) / 1_000_000;
    must("set", timer.set(at))?;
    let came = sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], clock::in_millis(PATIENCE_MS));
    let came = must("the timer did not come", came.map_err(|refusal| refusal.error))?;
    match (came.key, came.signals) {
        (7, signals) if signals == Signals::EXPIRED.bits() as u64 && clock::now() >= at => Ok(()),
        other => Err(format!("a timer came as {other:?}")),
    }
}

/// Memory is zeroed at first, and holds what is written.
fn memory(client: &Client, random: &mut Random) -> Result<(), String> {
    const PAGE: u64 = 4096;
    let pages = 1 + random.below(3);
    let vmo = must("vmo", Owned::<Vmo>::create(client.quota, pages * PAGE))?;
    let access = Rights::READ | Rights::WRITE;
    let first = must("map", vmo.map(client.own, 0, pages * PAGE, access))?;
    let second = must("map again", vmo.map(client.own, 0, pages * PAGE, Rights::READ))?;
    for page in 0..pages as usize {
        let at = page * PAGE as usize + 8 * random.below(500) as usize;
        let value = random.below(u64::MAX);
        if must("load", second.load::<u64>(at))? != 0 {
            return Err(String::from("fresh memory is not zero"));
        }
        must("store", first.store::<u64>(at, value))?;
        if must("load", second.load::<u64>(at))? != value {
            return Err(String::from("memory that is mapped twice differs"));
        }
    }
    Ok(())
}

/// What is charged to a quota goes with it.
fn quota(client: &Client) -> Result<(), String> {
    const BOTH: End = End { depth: 2, bytes: 64, handles: 1 };
    let quota = must("split", client.quota.split(20, 0))?;
    let port = must("port", Owned::<PortKind>::create(&quota))?;
    let vmo = must("vmo", Owned::<Vmo>::create(&quota, 8192))?;
    let mapping = must("map", vmo.map(client.own, 0, 8192, Rights::READ | Rights::WRITE))?;
    must("store", mapping.store::<u64>(0, 1))?;
    let (near, far) = must("channel", Owned::<Channel>::create(&quota, BOTH, BOTH))?;
    must("send", near.send(&[1, 2, 3], &mut nexus_rt::Handles::new(), NEVER))?;
    must("bind", port.bind(&far, 1, Signals::READABLE))?;
    must("destroy", quota.destroy())?;
    let left = [port.signal(1 << 16).err(), near.receive(&mut [0; 64]).err(), vmo.info().err()];
    if left != [Some(Error::BadHandle); 3] {
        return Err(format!("of a quota that is gone there is left: {left:?}"));
    }
    Ok(())
}

/// A process that never runs is killed, and says so.
fn process(client: &Client) -> Result<(), String> {
    let quota = must("split", client.quota.split(20, 0))?;
    let port = must("port", Owned::<PortKind>::create(client.quota))?;
    let made = sys::process_create(quota.handle(), client.identity, 8, PRIORITY as u64, 0);
    let process = Owned::<nexus_rt::ProcessKind>::from_handle(must("process", made)?);
    must("watch", port.bind(&process, 9, Signals::TERMINATED))?;
    let thread = must("thread", sys::thread_create(process.handle(), quota.handle(), 1))?;
    must("close", sys::handle_close(thread))?;
    must("kill", process.kill())?;
    let came = sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], clock::in_millis(PATIENCE_MS));
    let came = must("a process did not end", came.map_err(|refusal| refusal.error))?;
    if (came.key, came.signals) != (9, Signals::TERMINATED.bits() as u64) {
        return Err(format!("a death came as {:?}", (came.key, came.signals)));
    }
    must("destroy", quota.destroy())
}

/// A thread comes and goes.
fn joined(number: u64) -> Result<(), String> {
    let joined = must("spawn", thread::spawn(PRIORITY, move || number + 1))?.join();
    if joined == Some(number + 1) { Ok(()) } else { Err(format!("a thread answered {joined:?}")) }
}
