//! Memory that a device may reach: who learns where it is, and where it goes when its driver dies.

use crate::probe;
use alloc::format;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_abi::{Error, Rights, Sysno};
use nexus_rt::owned::{Mmio, Pool};
use nexus_rt::{Handles, Owned, Vmo, sys};

const OP_TOUCH: u8 = 0xe6;
const PAGE: u64 = 4096;
const READ: Rights = Rights::READ;

/// A client of a driver gets memory of its pool and learns nothing of where it lies; what it holds is not given out again, and
/// goes back to the pool when it dies, cleared.
pub fn pool(bench: &Bench) -> Verdict {
    round(bench)?;
    let before = Account::take(bench)?;
    for _ in 0..bench.rounds() {
        round(bench)?;
    }
    before.unchanged(bench)
}

fn round(bench: &Bench) -> Verdict {
    // A grant: a pool of four pages, of which two vmos can be taken.
    let grant = why("split", bench.quota.split(1 + 4 + 2, 0))?;
    let pool = why("make a pool", Owned::<Pool>::create(&bench.machine, &grant, 4 * PAGE))?;
    let vmo = why("take", pool.take(2 * PAGE))?;
    why("its address", vmo.device_address())?;
    let lent = why("lend", vmo.lend())?;
    expect(lent.device_address().err() == Some(Error::AccessDenied), "a client was told an address")?;
    let rights = why("rights", vmo.rights())?;
    expect(!rights.intersects(Rights::SEAL | Rights::EXECUTE), "it can be sealed or executed")?;
    let plain = why("vmo", Owned::<Vmo>::create(bench.quota, PAGE))?;
    expect(plain.device_address().err() == Some(Error::AccessDenied), "ordinary memory has an address")?;

    // A client in another process writes to it, and keeps it when the driver has let go.
    let client = probe::start(bench)?;
    let mut room = [0; 8];
    let (length, _) = why("touch", client.call(&[OP_TOUCH], &mut Handles::one(lent), &mut room))?;
    expect(length == 1 && room[0] == 0, "the client was told an address")?;
    let info = why("info", vmo.info())?;
    expect((info.handles, info.mappings) == (1, 1), "not what the client holds is counted")?;
    drop(vmo);
    let state = why("pool", pool.info())?;
    expect((state.pages_free, state.vmos) == (2, 1), "what a client holds was given back")?;
    expect(pool.take(3 * PAGE).err() == Some(Error::QuotaExceeded), "it was given out again")?;
    let other = why("take the rest", pool.take(2 * PAGE))?;
    expect(pool.take(PAGE).err() == Some(Error::QuotaExceeded), "there is more than the pool has")?;
    drop(other);
    drop(client);
    let state = why("pool", pool.info())?;
    expect((state.pages_free, state.vmos) == (4, 0), "it did not come back")?;

    // What the client wrote is not seen by who comes next.
    let next = why("take all", pool.take(4 * PAGE))?;
    let mapping = why("map", next.map(bench.own, 0, 4 * PAGE, Rights::READ))?;
    let mut bytes = [0xff; 4096];
    for page in 0..4 {
        why("read", mapping.read(page * 4096, &mut bytes))?;
        expect(bytes.iter().all(|byte| *byte == 0), "it holds what another client wrote")?;
    }
    drop((mapping, next, pool, plain));
    why("give the grant back", grant.destroy())
}

/// No call takes a physical address but the one that mints windows, and that one takes none of memory: not where a pool lies, nor where
/// its neighbours do. What a pool tells of itself is inside it; what is mapped of it ends where it ends.
pub fn addresses(bench: &Bench) -> Verdict {
    addresses_once(bench)?;
    let before = Account::take(bench)?;
    addresses_once(bench)?;
    before.unchanged(bench)
}

fn addresses_once(bench: &Bench) -> Verdict {
    let pool = why("make a pool", Owned::<Pool>::create(&bench.machine, bench.quota, 4 * PAGE))?;
    let [a, b] = [why("take", pool.take(2 * PAGE))?, why("take", pool.take(2 * PAGE))?];
    let (first, second) = (why("where", a.device_address())?, why("where", b.device_address())?);
    expect(second == first + 2 * PAGE && first.is_multiple_of(PAGE), "they do not lie in one piece")?;
    for (what, base, bytes) in [
        ("the pool", first, 4 * PAGE),
        ("one page of it", second, PAGE),
        ("the page before it", first - PAGE, PAGE),
        ("the page after it", first + 4 * PAGE, PAGE),
        ("across its end", first + 3 * PAGE, 2 * PAGE),
    ] {
        let window = Owned::<Mmio>::mint(&bench.machine, bench.quota, base, bytes).map(|_| ());
        expect(window == Err(Error::AccessDenied), &format!("a window over {what}: {window:?}"))?;
    }
    // The address that a device knows it by means nothing to a process: neither as a place to map to nor as one to copy from.
    let map =
        |offset, bytes, at| sys::vm_map(bench.own.handle(), a.handle(), offset, bytes, at, READ).map(|_| ());
    for (what, offset, bytes) in [
        ("its neighbour", 2 * PAGE, PAGE),
        ("past its end", PAGE, 2 * PAGE),
        ("itself by address", first, PAGE),
        ("round to before it", 0u64.wrapping_sub(PAGE), PAGE),
    ] {
        let mapped = map(offset, bytes, 0);
        expect(mapped == Err(Error::Invalid), &format!("mapping {what}: {mapped:?}"))?;
    }
    let written = harness::refused(Sysno::console_write, [bench.kernel_console.handle().0.into(), first, 8]);
    expect(written == Error::BadAddress as u64, &format!("a copy from there: {written}"))?;
    // A handle without DMA is told nothing, and cannot get the right back.
    let lent = why("lend", a.lend())?;
    let all = lent.duplicate(Rights::DMA | Rights::READ).map(|_| ());
    expect(all == Err(Error::AccessDenied), &format!("asking the right back: {all:?}"))?;
    expect(lent.device_address().err() == Some(Error::AccessDenied), "a client was told an address")?;
    let from_weak = why("duplicate", pool.duplicate(Rights::INSPECT))?.take(PAGE).map(|_| ());
    expect(from_weak == Err(Error::AccessDenied), &format!("memory of a pool without DMA: {from_weak:?}"))
}
