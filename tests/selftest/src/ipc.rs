//! Channels between two processes: creation, every size at its bounds, handles, back-pressure, and nothing left over.

use alloc::format;
use alloc::vec::Vec;

use nexus_abi::{Error, NOW, Rights};
use nexus_rt::{CallError, Channel, End, Handles, Owned, Vmo, clock};

use crate::peer::Peer;
use crate::{Bench, Verdict, expect, why};

const OP_USE: u8 = 0xf1;
const OP_DRAIN: u8 = 0xf2;
/// Pages of a peer that only talks.
const SMALL: u64 = 400;

/// A channel whose other end a peer holds carries a word there and back.
pub fn create(bench: &Bench) -> Verdict {
    let peer = Peer::start(bench, SMALL)?;
    let mut room = [0; 8];
    let (length, _) = why("call", peer.call(b"hello", &mut Handles::new(), &mut room))?;
    expect(&room[..length] == b"hello", "the echo differs")?;
    bench.say("SELFTEST: ipc v1 channel create ok");
    Ok(())
}

/// Both ways of sending, at each size where something changes, and one past the largest.
pub fn send_receive(bench: &Bench) -> Verdict {
    let peer = Peer::start(bench, SMALL)?;
    for size in [0, 1, 48, 49, 4095, 4096] {
        let message: Vec<u8> = (0..size).map(|n| (n * 31 + size) as u8 & 0x7f).collect();
        let mut room = [0xee; 4096];
        let (length, _) = why("call", peer.call(&message, &mut Handles::new(), &mut room))?;
        expect(room[..length] == message[..], "the answer differs from the call")?;
        why("send", peer.channel.send(&message, &mut Handles::new(), NOW))?;
        let mut room = [0xee; 4096];
        let length = loop {
            match peer.channel.receive(&mut room) {
                Ok(answer) => break answer.bytes.len(),
                Err(Error::WouldBlock) => nexus_rt::sys::thread_yield(),
                Err(error) => return Err(format!("receive: {error:?}")),
            }
        };
        expect(room[..length] == message[..], "the message back differs from the one sent")?;
        bench.say(&format!("SELFTEST: ipc v1 sendrecv ok bytes={size}"));
    }
    let small = End { depth: 1, bytes: 64, handles: 0 };
    let (end, _other) = why("channel", Owned::<Channel>::create(bench.quota, small, small))?;
    expect(end.send(&[0; 64], &mut Handles::new(), NOW).is_ok(), "64 bytes into 64")?;
    let refused = end.send(&[0; 65], &mut Handles::new(), NOW);
    expect(refused == Err(Error::TooLarge), "65 bytes into 64")
}

/// One and eight vmos move to the peer with fewer rights than they had, are used there, and come back.
pub fn transfer(bench: &Bench) -> Verdict {
    let peer = Peer::start(bench, SMALL)?;
    for count in [1usize, 8] {
        let mut handles = Handles::new();
        let mut expected = 0u8;
        for n in 0..count {
            let vmo = why("vmo", Owned::<Vmo>::create(bench.quota, 4096))?;
            let value = 10 * count as u8 + n as u8;
            let mapping = why("map", vmo.map(bench.own, 0, 4096, Rights::READ | Rights::WRITE))?;
            why("write", mapping.write(0, &[value]))?;
            expected = expected.wrapping_add(value);
            let less = why("dup", vmo.duplicate(Rights::READ | Rights::TRANSFER))?;
            handles.push(less).map_err(|_| "too many handles")?;
        }
        let mut room = [0; 8];
        let (length, mut back) = why("call", peer.call(&[OP_USE], &mut handles, &mut room))?;
        expect(room[..length] == [expected, count as u8], "the peer saw other memory or could write")?;
        expect(back.len() == count, "not every handle came back")?;
        for n in 0..count {
            let vmo: Owned<Vmo> = why("typed", back.take_typed(n))?;
            let rights = why("rights", vmo.rights())?;
            expect(rights == Rights::READ | Rights::TRANSFER, "rights changed on the way")?;
        }
        bench.say(&format!("SELFTEST: ipc v1 capxfer ok n={count}"));
    }
    Ok(())
}

/// A queue at its bound and one past it; another channel goes on; the peer finds all that was accepted, and no more.
pub fn back_pressure(bench: &Bench) -> Verdict {
    let peer = Peer::start(bench, SMALL)?;
    let end = End { depth: 4, bytes: 8, handles: 0 };
    let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, end, end))?;
    for n in 1..=4 {
        why("send", near.send(&[n], &mut Handles::new(), NOW))?;
    }
    let full = near.send(&[5], &mut Handles::new(), NOW);
    expect(full == Err(Error::WouldBlock), "one past the bound was not refused")?;
    let late = near.send(&[5], &mut Handles::new(), clock::in_millis(2));
    expect(late == Err(Error::TimedOut), "a waiting send did not time out")?;
    let mut room = [0; 8];
    let (length, _) = why("other channel", peer.call(b"still", &mut Handles::new(), &mut room))?;
    expect(&room[..length] == b"still", "the other channel was affected")?;
    let (length, _back) = why("drain", peer.call(&[OP_DRAIN], &mut Handles::one(far), &mut room))?;
    expect(room[..length] == [4, 10], "the peer found other messages than were accepted")?;
    why("send after the drain", near.send(&[6], &mut Handles::new(), NOW))?;
    bench.say("SELFTEST: ipc v1 backpressure ok");
    Ok(())
}

/// A peer that lives, talks and is revoked a hundred times leaves every charge as it was.
pub fn nothing_leaks(bench: &Bench) -> Verdict {
    const ROUNDS: usize = 100;
    drop(Peer::start(bench, SMALL)?);
    let before = (why("info", bench.quota.info())?, why("stats", bench.stats.stats())?.frames_free);
    for _ in 0..ROUNDS {
        let mut peer = Peer::start(bench, SMALL)?;
        let mut room = [0; 64];
        why("call", peer.call(&[7; 49], &mut Handles::new(), &mut room))?;
        // A kill is over when it is signalled: on another hart the peer may answer until then.
        why("kill", peer.process.kill())?;
        peer.wait_end()?;
        let channel = &peer.channel;
        let dead = channel.call(b"?", &mut Handles::new(), &mut room, 0, clock::in_millis(1000)).err();
        expect(dead == Some(CallError::ServerDied), "a dead server still answers")?;
    }
    let after = (why("info", bench.quota.info())?, why("stats", bench.stats.stats())?.frames_free);
    expect(before == after, &format!("before {before:?}, after {after:?}"))
}
