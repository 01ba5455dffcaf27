//! Channels between two processes: creation, every size at its bounds, handles, back-pressure, and nothing left over.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Tag};
use nexus_rt::sys::{self, Area};
use nexus_rt::{CallError, Channel, End, Handles, Owned, Vmo, clock};

use harness::Account;

use crate::{Bench, Program, Verdict, expect, start_peer, why};

const OP_USE: u8 = 0xf1;
const OP_DRAIN: u8 = 0xf2;
const OP_HOLD: u8 = 0xf7;
const OP_SERVE: u8 = 0xf8;
const OP_CALL: u8 = 0xf9;
/// Pages of a peer that only talks.
const SMALL: u64 = 400;

/// A channel whose other end a peer holds carries a word there and back.
pub fn create(bench: &Bench) -> Verdict {
    let peer = start_peer(bench, SMALL)?;
    let mut room = [0; 8];
    let (length, _) = why("call", peer.call(b"hello", &mut Handles::new(), &mut room))?;
    expect(&room[..length] == b"hello", "the echo differs")?;
    bench.say("SELFTEST: ipc v1 channel create ok");
    Ok(())
}

/// Both ways of sending, at each size where something changes, and one past the largest.
pub fn send_receive(bench: &Bench) -> Verdict {
    let peer = start_peer(bench, SMALL)?;
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
                Err(Error::WouldBlock) => sys::thread_yield(),
                Err(error) => return Err(format!("receive: {error:?}")),
            }
        };
        expect(room[..length] == message[..], "the message back differs from the one sent")?;
        bench.say(&format!("SELFTEST: ipc v1 sendrecv ok bytes={size}"));
    }
    // One past what any message can have. The kernel says so, whatever the library would: the area is large enough.
    const PAST: usize = MAX_MESSAGE_BYTES + 1;
    let mut bytes = [0; PAST];
    let mut area = Area { bytes: &mut bytes, handles: &mut [] };
    let refused = sys::send(peer.channel.handle(), Tag::new(PAST, 0), [0; 6], &mut area, NOW);
    expect(refused == Err(Error::Invalid), "4097 bytes were not refused")?;
    let mut room = [0; 8];
    let (length, _) = why("call", peer.call(b"after", &mut Handles::new(), &mut room))?;
    expect(&room[..length] == b"after", "something of the refused message arrived")?;
    let nothing = peer.channel.receive(&mut room).map(|_| ());
    expect(nothing == Err(Error::WouldBlock), "the peer had something to send back")?;

    let small = End { depth: 1, bytes: 64, handles: 0 };
    let (end, _other) = why("channel", Owned::<Channel>::create(bench.quota, small, small))?;
    expect(end.send(&[0; 64], &mut Handles::new(), NOW).is_ok(), "64 bytes into 64")?;
    let refused = end.send(&[0; 65], &mut Handles::new(), NOW);
    expect(refused == Err(Error::TooLarge), "65 bytes into 64")
}

/// Whatever the alignment of the sender's bytes and of the receiver's room, each byte arrives in its place and none beside it.
pub fn alignments(bench: &Bench) -> Verdict {
    const GUARD: u8 = 0xee;
    let end = End { depth: 1, bytes: MAX_MESSAGE_BYTES as u16, handles: 0 };
    let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, end, end))?;
    let source: Vec<u64> =
        (0..=MAX_MESSAGE_BYTES as u64 / 8).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let bytes: Vec<u8> = source.iter().flat_map(|word| word.to_le_bytes()).collect();
    // Up to 48 bytes go in registers.
    let sizes = (49..97).chain(MAX_MESSAGE_BYTES - 17..=MAX_MESSAGE_BYTES);
    for (size, from, to) in sizes.flat_map(|size| (0..64).map(move |both| (size, both / 8, both % 8))) {
        let sent = &bytes[from..from + size];
        why("send", near.send(sent, &mut Handles::new(), NOW))?;
        let mut room = Vec::from([GUARD; MAX_MESSAGE_BYTES + 16]);
        let length = why("receive", far.receive(&mut room[to..to + size]))?.bytes.len();
        let beside = room[..to].iter().chain(&room[to + size..]).all(|byte| *byte == GUARD);
        let whole = length == size && room[to..to + size] == *sent;
        expect(whole && beside, &format!("{size} bytes from {from} to {to} past a word"))?;
    }
    handle_alignments(bench)
}

/// Likewise the handles of a message: the shortest copies there are, four bytes each, at even and odd places.
fn handle_alignments(bench: &Bench) -> Verdict {
    const GUARD: Handle = Handle(0xeeee_eeee);
    let end = End { depth: 1, bytes: 0, handles: MAX_MESSAGE_HANDLES as u16 };
    let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, end, end))?;
    let vmo = why("vmo", Owned::<Vmo>::create(bench.quota, 4096))?;
    for (count, from, to) in
        (0..=MAX_MESSAGE_HANDLES).flat_map(|count| (0..4).map(move |both| (count, both / 2, both % 2)))
    {
        let (mut out, mut room) = ([GUARD; MAX_MESSAGE_HANDLES + 2], [GUARD; MAX_MESSAGE_HANDLES + 2]);
        for place in &mut out[from..from + count] {
            *place = why("duplicate", vmo.duplicate(Rights::TRANSFER))?.into_handle();
        }
        let mut area = Area { bytes: &mut [], handles: &mut out[from..from + count] };
        why("send", sys::send(near.handle(), Tag::new(0, count), [0; 6], &mut area, NOW))?;
        let mut area = Area { bytes: &mut [], handles: &mut room[to..to + count] };
        let tag = Tag::default().with_room(0, count);
        let arrived = sys::recv(far.handle(), tag, &mut area).map_err(|refusal| refusal.error);
        let arrived = why("receive", arrived)?.tag.handles();
        let beside = room[..to].iter().chain(&room[to + count..]).all(|handle| *handle == GUARD);
        let whole = room[to..to + count].iter().all(|handle| sys::handle_info(*handle).is_ok());
        expect(arrived == count && whole && beside, &format!("{count} handles from {from} to {to}"))?;
        room[to..to + count].iter().for_each(|handle| drop(Owned::<Vmo>::from_handle(*handle)));
    }
    Ok(())
}

/// One and eight vmos go to the peer, are used there and come back: moved as they are, which ends the sender's handle, and
/// duplicated with fewer rights, of which the peer can use no more. Nine are refused.
pub fn transfer(bench: &Bench) -> Verdict {
    let peer = start_peer(bench, SMALL)?;
    for count in [1usize, 8] {
        moved(bench, &peer, count)?;
        diminished(bench, &peer, count)?;
        bench.say(&format!("SELFTEST: ipc v1 capxfer ok n={count}"));
    }
    let vmo = why("vmo", Owned::<Vmo>::create(bench.quota, 4096))?;
    let mut nine = [vmo.handle(); MAX_MESSAGE_HANDLES + 1];
    let mut area = Area { bytes: &mut [], handles: &mut nine };
    let tag = Tag::new(0, MAX_MESSAGE_HANDLES + 1);
    let refused = sys::send(peer.channel.handle(), tag, [0; 6], &mut area, NOW);
    expect(refused == Err(Error::Invalid), "9 handles were not refused")?;
    why("the handle after the refusal", vmo.info()).map(|_| ())
}

/// Fills a fresh vmo's first byte.
fn filled(bench: &Bench, value: u8) -> Result<Owned<Vmo>, String> {
    let vmo = why("vmo", Owned::<Vmo>::create(bench.quota, 4096))?;
    let mapping = why("map", vmo.map(bench.own, 0, 4096, Rights::READ | Rights::WRITE))?;
    why("write", mapping.write(0, &[value]))?;
    Ok(vmo)
}

fn moved(bench: &Bench, peer: &Program, count: usize) -> Verdict {
    let (mut handles, mut before, mut expected) = (Handles::new(), Vec::new(), 0u8);
    for n in 0..count {
        let value = 20 * count as u8 + n as u8;
        let vmo = filled(bench, value)?;
        expected = expected.wrapping_add(value);
        before.push(vmo.handle());
        handles.push(vmo).map_err(|_| "too many handles")?;
    }
    let mut room = [0; 8];
    let (length, mut back) = why("call", peer.call(&[OP_USE], &mut handles, &mut room))?;
    expect(room[..length] == [expected, 0], "the peer saw other memory or could not write")?;
    for handle in before {
        let stale = sys::handle_info(handle).err();
        expect(stale == Some(Error::BadHandle), "the handle that was moved still answers")?;
    }
    for n in 0..count {
        let vmo: Owned<Vmo> = why("typed", back.take_typed(n))?;
        let rights = why("rights", vmo.rights())?;
        expect(rights == Kind::Vmo.all_rights() - Rights::DMA, "rights changed on the way")?;
    }
    Ok(())
}

fn diminished(bench: &Bench, peer: &Program, count: usize) -> Verdict {
    let mut handles = Handles::new();
    let mut expected = 0u8;
    for n in 0..count {
        let value = 10 * count as u8 + n as u8;
        let vmo = filled(bench, value)?;
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
    Ok(())
}

/// A queue of a server at its bound and one past it: whoever filled it is refused or waits in vain, while the server goes on for its other
/// clients, a process of its own among them. Then the server finds all that was accepted, and no more.
pub fn back_pressure(bench: &Bench) -> Verdict {
    let server = start_peer(bench, SMALL)?;
    let other = start_peer(bench, SMALL)?;
    let mut room = [0; 8];
    let end = End { depth: 4, bytes: 8, handles: 0 };
    let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, end, end))?;
    why("hold", server.call(&[OP_HOLD], &mut Handles::one(far), &mut room))?;
    let (its, served) = why("channel", Owned::<Channel>::create(bench.quota, end, end))?;
    why("serve", server.call(&[OP_SERVE], &mut Handles::one(served), &mut room))?;

    for n in 1..=4 {
        why("send", near.send(&[n], &mut Handles::new(), NOW))?;
    }
    let full = near.send(&[5], &mut Handles::new(), NOW);
    expect(full == Err(Error::WouldBlock), "one past the bound was not refused")?;
    // On a busy machine 2 ms may be over before the call is made; then the answer is as at once.
    let late = (1..12)
        .map(|n| near.send(&[5], &mut Handles::new(), clock::in_millis(1 << n)))
        .find(|late| *late != Err(Error::WouldBlock))
        .unwrap_or(full);
    expect(late == Err(Error::TimedOut), "a waiting send did not time out")?;
    let (length, _) = why("own channel", server.call(b"still", &mut Handles::new(), &mut room))?;
    expect(&room[..length] == b"still", "another channel of the same two was affected")?;
    let request = [&[OP_CALL], &b"too"[..]].concat();
    let (length, _its) = why("other process", other.call(&request, &mut Handles::one(its), &mut room))?;
    expect(&room[..length] == b"too", "another client of the server was affected")?;
    let refused = near.send(&[5], &mut Handles::new(), NOW);
    expect(refused == Err(Error::WouldBlock), "the queue was not full all the time")?;

    let (length, _) = why("drain", server.call(&[OP_DRAIN], &mut Handles::new(), &mut room))?;
    expect(room[..length] == [4, 10], "the server found other messages than were accepted")?;
    why("send after the drain", near.send(&[6], &mut Handles::new(), NOW))?;
    bench.say("SELFTEST: ipc v1 backpressure ok");
    Ok(())
}

/// A peer that lives, talks and is revoked, again and again, leaves every charge as it was.
pub fn nothing_leaks(bench: &Bench) -> Verdict {
    let rounds = bench.rounds().max(100);
    drop(start_peer(bench, SMALL)?);
    let before = Account::take(bench)?;
    for _ in 0..rounds {
        let mut peer = start_peer(bench, SMALL)?;
        let mut room = [0; 64];
        why("call", peer.call(&[7; 49], &mut Handles::new(), &mut room))?;
        // A kill is over when it is signalled: on another hart the peer may answer until then.
        why("kill", peer.process.kill())?;
        peer.wait_end()?;
        let channel = &peer.channel;
        let dead = channel.call(b"?", &mut Handles::new(), &mut room, 0, clock::in_millis(1000)).err();
        expect(dead == Some(CallError::ServerDied), "a dead server still answers")?;
    }
    before.unchanged(bench)
}
