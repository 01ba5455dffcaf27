//! Destroying a quota destroys what was charged to it wherever its handles are, and nothing else.

use alloc::format;
use harness::{Bench, Program, Verdict, Wish, expect, why};
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, ExitCause, NOW, Rights};
use nexus_rt::copier::{Copier, GRAIN};
use nexus_rt::{CallError, Channel, End, Handles, Owned, QuotaKind, READ_WRITE, Vmo, sys};

use crate::clean;

const PAGE: u64 = PAGE_SIZE as u64;
const HOLDS: End = End { depth: 2, bytes: 8, handles: 2 };
/// The peer's operation that keeps a mapping (`tests/selftest-peer`).
const OP_CONSUME: u8 = 0xf4;
/// Message to the peer: it writes to the mapping that it kept.
const OP_TRESPASS: u8 = 0xf5;

fn vmo(quota: &Owned<QuotaKind>) -> Result<Owned<Vmo>, alloc::string::String> {
    why("vmo", Owned::<Vmo>::create(quota, PAGE))
}

/// Handles in queues: those of a destroyed quota's objects arrive stale, those in the queue of a destroyed channel are closed.
pub fn queues(bench: &Bench) -> Verdict {
    clean(bench, || {
        let doomed = why("split", bench.quota.split(50, 0))?;
        let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, HOLDS, HOLDS))?;
        let mut handles = Handles::one(vmo(&doomed)?);
        handles.push(vmo(bench.quota)?).map_err(|_| "too many handles")?;
        why("send", near.send(b"both", &mut handles, NOW))?;

        let (inside, _other) = why("channel", Owned::<Channel>::create(&doomed, HOLDS, HOLDS))?;
        let before = why("quota", bench.quota.info())?;
        why("send", inside.send(b"one", &mut Handles::one(vmo(bench.quota)?), NOW))?;
        let pages = doomed.info().map(|info| info.pages_used);
        why("destroy", doomed.destroy())?;

        let after = why("quota", bench.quota.info())?;
        // The quota and its own page are back, and the vmo that was in the channel's queue is gone.
        expect(
            after.pages_used + 51 == before.pages_used,
            &format!("{after:?} after {before:?}, {pages:?}"),
        )?;
        let stale = inside.send(b"x", &mut Handles::new(), NOW).err();
        expect(stale == Some(Error::BadHandle), &format!("a channel of the destroyed quota: {stale:?}"))?;

        let mut room = [0; 8];
        let mut message = why("receive", far.receive(&mut room))?;
        expect(message.bytes == b"both" && message.handles.len() == 2, "the message is not whole")?;
        let gone = message.handles.take(0).ok_or("no first handle")?;
        let info = sys::handle_info(gone.handle()).err();
        expect(info == Some(Error::BadHandle), &format!("a handle to a destroyed object: {info:?}"))?;
        let kept: Owned<Vmo> = why("the other handle", message.handles.take_typed(1))?;
        why("the other object", kept.info()).map(|_| ())
    })
}

/// A process whose memory belongs to a quota that is destroyed faults at the next touch; one that is charged to it ends.
pub fn processes(bench: &Bench) -> Verdict {
    clean(bench, || {
        let lender = why("split", bench.quota.split(10, 0))?;
        let mut peer = Program::start(bench, &Wish::plain("selftest-peer", 400))?;
        let lent = why("vmo", Owned::<Vmo>::create(&lender, PAGE))?.into_sealed();
        let mut room = [0; 64];
        // It maps what it is told to, of the size that it is told; and keeps it.
        let refused = peer.call(&[OP_CONSUME], &mut Handles::one(why("seal", lent)?), &mut room);
        expect(refused.is_err(), "8 MiB of one page were mapped")?;
        let record = peer.wait_end()?;
        expect(record.cause == ExitCause::Exited as u32, &format!("{record:?}"))?;
        drop(peer);

        let large = why("split", bench.quota.split(2100, 0))?;
        let mut peer = Program::start(bench, &Wish::plain("selftest-peer", 400))?;
        let lent = why("vmo", Owned::<Vmo>::create(&large, 8 << 20))?;
        let read = Rights::READ | Rights::DUPLICATE | Rights::TRANSFER | Rights::INSPECT | Rights::SEAL;
        let shared = why("dup", lent.duplicate(read))?;
        drop(lent);
        why("seal", shared.seal())?;
        why("consume", peer.call(&[OP_CONSUME], &mut Handles::one(shared), &mut room))?;
        why("destroy", large.destroy())?;
        why("send", peer.channel.send(&[OP_TRESPASS], &mut Handles::new(), NOW))?;
        let record = peer.wait_end()?;
        let faulted = record.cause == ExitCause::Faulted as u32 && record.address >= PAGE;
        expect(faulted, &format!("a touch of memory that is gone: {record:?}"))?;
        drop(peer);

        let mut living = Program::start(bench, &Wish::plain("selftest-peer", 400))?;
        let (length, _) = why("call", living.call(b"alive", &mut Handles::new(), &mut room))?;
        expect(&room[..length] == b"alive", "the peer does not live")?;
        living.revoke()?;
        let stale = living.process.info().err();
        expect(stale == Some(Error::BadHandle), &format!("a process of the destroyed quota: {stale:?}"))?;
        let dead = living.call(b"alive", &mut Handles::new(), &mut room).err();
        expect(dead == Some(CallError::ServerDied), &format!("it still answers: {dead:?}"))?;
        why("destroy", lender.destroy())
    })
}

/// Who copies memory that others handed over does not die of it when that is taken back: neither copy is made, and the next one is.
pub fn copies(bench: &Bench) -> Verdict {
    // Two whole messages and a piece of one.
    const BYTES: usize = 2 * PAGE as usize + GRAIN;
    clean(bench, || {
        let copier = why("copier", Copier::new(bench.quota))?;
        let doomed = why("split", bench.quota.split(10, 0))?;
        let map = |quota: &Owned<QuotaKind>, access| {
            let memory = why("vmo", Owned::<Vmo>::create(quota, BYTES as u64))?;
            why("map", memory.map(bench.own, 0, 3 * PAGE, access))
        };
        let (lent, kept) = (map(&doomed, READ_WRITE)?, map(bench.quota, READ_WRITE)?);
        let pattern: alloc::vec::Vec<u8> = (0..BYTES).map(|at| (at * 7 + at / 251) as u8).collect();
        for memory in [&lent, &kept] {
            let mut back = alloc::vec![0; BYTES];
            why("write", copier.write(memory, &pattern))?;
            why("read", copier.read(memory, &mut back))?;
            expect(back == pattern, "another pattern came back")?;
            let mut last = [1; GRAIN];
            why("read", memory.read(BYTES, &mut last))?;
            expect(last == [0; GRAIN], "more was written")?;
        }
        let odd = (copier.read(&kept, &mut [0; GRAIN + 1]), copier.write(&kept, &[0; GRAIN - 1]));
        expect(odd == (Err(Error::Invalid), Err(Error::Invalid)), &format!("no whole grains: {odd:?}"))?;
        let long = alloc::vec![0; 3 * PAGE as usize + GRAIN];
        expect(copier.write(&kept, &long) == Err(Error::Invalid), "more than the mapping has")?;
        why("write", copier.write(&kept, &pattern))?;

        why("destroy", doomed.destroy())?;
        let gone = (copier.read(&lent, &mut [0; GRAIN]), copier.write(&lent, &[0; GRAIN]));
        expect(gone == (Err(Error::BadAddress), Err(Error::BadAddress)), &format!("what is gone: {gone:?}"))?;
        let mut back = alloc::vec![0; BYTES];
        why("read what is there", copier.read(&kept, &mut back))?;
        expect(back == pattern, "the copies before left something behind")?;

        let read_only = map(bench.quota, Rights::READ)?;
        let denied = copier.write(&read_only, &[0; GRAIN]);
        expect(denied == Err(Error::AccessDenied), &format!("memory that is read alone: {denied:?}"))?;
        why("read", copier.read(&kept, &mut [0; GRAIN]))
    })
}
