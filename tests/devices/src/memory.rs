//! Memory that a device may reach: who learns where it is, and where it goes when its driver dies.

use crate::probe;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_abi::{Error, Rights};
use nexus_rt::owned::Pool;
use nexus_rt::{Handles, Owned, Vmo};

const OP_TOUCH: u8 = 0xe6;
const PAGE: u64 = 4096;

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
