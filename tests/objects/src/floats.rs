//! Floating-point registers belong to their thread: across system calls, calls to another process that has some of its own,
//! preemption, and harts; and a new thread finds nothing in them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use floats::Between;
use harness::{Bench, Program, Verdict, Wish, expect, why};
use nexus_abi::bounds::REGISTER_BYTES;
use nexus_abi::{Handle, Tag};
use nexus_rt::channel::to_words;
use nexus_rt::sys::{self, Area};
use nexus_rt::{clock, thread};

use crate::PATIENCE_MS;

/// The peer's operation: holds a pattern (`tests/selftest-peer`).
const OP_FLOAT: u8 = 0xf6;
/// Pages of a peer.
const PAGES: u64 = 400;
const PRIORITY: u8 = 10;
const YIELDS: u64 = 500;
const CALLS: u64 = 200;
/// Turns of two instructions each, longer together than a slice of 10 ms takes.
const WORK: u64 = 6_000_000;
const WORKS: u64 = 2;

/// A thread's own pattern: the upper half tells whose it is.
const fn pattern(number: u64) -> u64 {
    0x4000_0000_0000_0000 | number << 40
}

/// Has the other process hold a pattern; it answers what it found changed, and what it found at first.
fn peer_holds(peer: Handle, number: u64) -> Found {
    let mut request = [0; 17];
    request[0] = OP_FLOAT;
    request[1..9].copy_from_slice(&pattern(number).to_le_bytes());
    request[9..].copy_from_slice(&YIELDS.to_le_bytes());
    let tag = Tag::new(request.len(), 0).with_room(REGISTER_BYTES, 0);
    let mut area = Area { bytes: &mut [], handles: &mut [] };
    let deadline = clock::in_millis(PATIENCE_MS);
    let answer = sys::call(peer, tag, to_words(&request), &mut area, deadline);
    let answer = answer.map_err(|refusal| format!("call: {:?}", refusal.error))?;
    expect(answer.tag.bytes() == 16, "another answer")?;
    Ok((answer.words[0], answer.words[1]))
}

/// What a thread found: registers changed, and what was in them when it began.
type Found = Result<(u64, u64), String>;

/// Everybody at once, each with a pattern of its own.
pub fn never_mix(bench: &Bench) -> Verdict {
    let mut peers = Vec::new();
    let mut threads = Vec::new();
    let mut number = 0;
    let mut spawn = |threads: &mut Vec<_>, work: Box<dyn FnOnce(u64) -> Found + Send>| -> Verdict {
        number += 1;
        let own = number;
        threads.push(why("spawn", thread::spawn(PRIORITY, move || work(own)))?);
        Ok(())
    };
    let holds = |between, rounds| {
        Box::new(move |own| {
            let first = floats::leftovers();
            Ok((floats::hold(pattern(own), rounds, between), first))
        })
    };
    for _ in 0..2 {
        let peer = Program::start(bench, &Wish::plain("selftest-peer", PAGES))?;
        let end = peer.channel.handle();
        // From now on the peer's thread has registers to lose.
        let (changed, first) = peer_holds(end, 99)?;
        expect((changed, first) == (0, 0), &format!("the peer: {changed} changed, {first:#x} at first"))?;
        spawn(&mut threads, Box::new(move |own| peer_holds(end, own)))?;
        spawn(&mut threads, holds(Between::Call(end), CALLS))?;
        peers.push(peer);
    }
    for _ in 0..2 {
        spawn(&mut threads, holds(Between::Yield, YIELDS))?;
        spawn(&mut threads, holds(Between::Work(WORK), WORKS))?;
    }
    for (place, thread) in threads.into_iter().enumerate() {
        let (changed, first) = thread.join().ok_or("a thread ended otherwise")??;
        // The peers' threads have their own pattern from before.
        let fresh = first == 0 || first & 0x4000_0000_0000_0000 != 0 && place % 2 == 0 && place < 4;
        expect(changed == 0 && fresh, &format!("thread {place}: {changed} changed, {first:#x} at first"))?;
    }
    drop(peers);
    Ok(())
}
