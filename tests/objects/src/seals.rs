//! `vmo_seal`: only memory that nobody can write can be made immutable, and then nobody ever can.

use alloc::format;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, NOW, Rights};
use nexus_rt::{Channel, End, Handles, Owned, Vmo};

use crate::clean;

const PAGE: u64 = PAGE_SIZE as u64;
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
const HOLDS: End = End { depth: 1, bytes: 0, handles: 1 };

/// A handle to fresh memory that cannot write, and one that can.
fn pair(bench: &Bench) -> Result<(Owned<Vmo>, Owned<Vmo>), alloc::string::String> {
    let writable = why("vmo", Owned::<Vmo>::create(bench.quota, PAGE))?;
    let plain = why("dup", writable.duplicate(why("rights", writable.rights())? - Rights::WRITE))?;
    Ok((plain, writable))
}

fn refused(vmo: &Owned<Vmo>, because: &str) -> Verdict {
    let sealed = vmo.seal();
    expect(sealed == Err(Error::Sealed), &format!("sealing with {because}: {sealed:?}"))
}

/// A writable handle, one in a queue, and a writable mapping each forbid it, for as long as they are there.
pub fn writable(bench: &Bench) -> Verdict {
    clean(bench, || {
        let (vmo, writable) = pair(bench)?;
        refused(&vmo, "a writable handle")?;
        drop(writable);
        why("seal", vmo.seal())?;

        let (vmo, writable) = pair(bench)?;
        let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, HOLDS, HOLDS))?;
        why("send", near.send(&[], &mut Handles::one(writable), NOW))?;
        refused(&vmo, "a writable handle on its way")?;
        let mut message = why("receive", far.receive(&mut []))?;
        refused(&vmo, "a writable handle that has arrived")?;
        let arrived: Owned<Vmo> = why("handle", message.handles.take_typed(0))?;
        why("send it on", far.send(&[], &mut Handles::one(arrived), NOW))?;
        refused(&vmo, "a writable handle on its way back")?;
        // It is closed with the queue that it is in.
        drop((near, far));
        why("seal", vmo.seal())?;

        let (vmo, writable) = pair(bench)?;
        let mapping = why("map", writable.map(bench.own, 0, PAGE, READ_WRITE))?;
        drop(writable);
        refused(&vmo, "a writable mapping")?;
        drop(mapping);
        let reading = why("map", vmo.map(bench.own, 0, PAGE, Rights::READ))?;
        why("seal beside a mapping that reads", vmo.seal())?;
        let mut first = [0xee];
        why("read", reading.read(0, &mut first))?;
        expect(first == [0], "fresh memory is not 0")
    })
}

/// Sealed memory is read and executed and never written; unsealed memory is never executed.
pub fn immutable(bench: &Bench) -> Verdict {
    const EXECUTE: Rights = Rights::READ.union(Rights::EXECUTE);
    clean(bench, || {
        let (vmo, writable) = pair(bench)?;
        let mapping = why("map", writable.map(bench.own, 0, PAGE, READ_WRITE))?;
        why("write", mapping.write(0, &[42]))?;
        for handle in [&vmo, &writable] {
            let executed = handle.map(bench.own, 0, PAGE, EXECUTE).err();
            expect(
                executed == Some(Error::AccessDenied),
                &format!("executing what can be written: {executed:?}"),
            )?;
        }
        drop((mapping, writable));
        why("seal", vmo.seal())?;
        refused(&vmo, "the seal that is there")?;
        let written = vmo.map(bench.own, 0, PAGE, READ_WRITE).err();
        expect(written == Some(Error::AccessDenied), &format!("writing sealed memory: {written:?}"))?;
        let more = vmo.duplicate(READ_WRITE).err();
        expect(more == Some(Error::AccessDenied), &format!("a right that the handle lacks: {more:?}"))?;
        let both = vmo.map(bench.own, 0, PAGE, READ_WRITE | Rights::EXECUTE).err();
        expect(both == Some(Error::Invalid), &format!("writing and executing: {both:?}"))?;
        drop(why("execute", vmo.map(bench.own, 0, PAGE, EXECUTE))?);
        let weak = why("dup", vmo.duplicate(Rights::READ))?;
        let executed = weak.map(bench.own, 0, PAGE, EXECUTE).err();
        expect(executed == Some(Error::AccessDenied), &format!("executing without the right: {executed:?}"))?;
        let mut first = [0];
        why("read", why("map", weak.map(bench.own, 0, PAGE, Rights::READ))?.read(0, &mut first))?;
        expect(first == [42], "the memory changed")
    })
}
