//! The disk through its driver: what is written is read back, transfers outside are refused, and a driver that is killed in the
//! middle of a request loses nothing that it had answered.

use crate::awake::Awake;
use crate::logged::Mark;
use crate::restarts::back;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::{Error as Refused, NEVER, Rights};
use nexus_rt::api::block::{self, Error, Transfer};
use nexus_rt::api::disk;
use nexus_rt::memory::Mapping;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{CallError, Fixed, Text};
use nexus_rt::{CallError as TransportError, Channel, Handles, Owned, Vmo};

/// Service ids of `virtioblkd`, of `keystored` and of this process.
const VIRTIOBLKD: u32 = 7;
const KEYSTORED: u32 = 14;
const SELFTEST: u32 = 65_536;

/// Bytes of shared memory: 16 sectors.
const SHARED: u32 = 8192;

/// The partition that tests may write, and its sectors, as `tools/nx/src/machine/disk.rs` makes it.
pub const SCRATCH: &str = "scratch";
const FIRST: u64 = 2048;
pub const SECTORS: u64 = 8192;

/// Sectors of the disk of test machines: 64 MiB.
const DISK_SECTORS: u64 = 131_072;

/// A session with a partition, and the memory that it shares.
pub struct Session {
    block: block::Client<Fixed<Owned<Channel>>>,
    memory: Owned<Vmo>,
    mapping: Mapping,
}

fn name(partition: &str) -> Result<Text<'_, { disk::MAX_NAME }>, String> {
    Text::new(partition).map_err(|_| String::from("the name is too long"))
}

fn channel(partition: &str) -> Result<Owned<Channel>, String> {
    Ok(Owned::from(why("open", disk::Client::new(Service("disk")).open(name(partition)?))?.channel))
}

fn at(sector: u64, offset: u32, count: u32) -> Transfer {
    Transfer { sector, offset, count }
}

impl Session {
    /// Opens the partition for tests.
    pub fn open(bench: &Bench) -> Result<Session, String> {
        Session::of(bench, SCRATCH)
    }

    /// Opens a partition by its name; `*` is the whole disk.
    pub fn of(bench: &Bench, partition: &str) -> Result<Session, String> {
        let mut block = block::Client::new(Fixed::new(channel(partition)?));
        let memory: Owned<Vmo> = why("share", block.share(SHARED))?.memory.into();
        let mapping = why("map", memory.map(bench.own, 0, SHARED.into(), Rights::READ | Rights::WRITE))?;
        Ok(Session { block, memory, mapping })
    }

    /// Writes a pattern to 8 sectors.
    pub fn write(&mut self, sector: u64, seed: u8) -> Result<(), CallError<Error>> {
        let bytes = pattern(seed);
        // The mapping is as long as the pattern.
        let _ = self.mapping.write(0, &bytes);
        self.block.write(at(sector, 0, 8))
    }

    /// What 8 sectors hold.
    pub fn read(&mut self, sector: u64) -> Result<Vec<u8>, String> {
        why("clear", self.mapping.write(4096, &[0xee; 4096]))?;
        why("read", self.block.read(at(sector, 4096, 8)))?;
        let mut bytes = vec![0; 4096];
        why("copy", self.mapping.read(4096, &mut bytes))?;
        Ok(bytes)
    }
}

/// 8 sectors that differ from each other and with the seed.
pub fn pattern(seed: u8) -> Vec<u8> {
    (0..4096usize).map(|n| (n / 512 * 31 + n).wrapping_mul(usize::from(seed) | 1) as u8).collect()
}

/// What is written and flushed is read back, at both ends of the partition.
pub fn readback(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut session = Session::open(bench)?;
    let places = [(3, 0), (5, 1000), (7, SECTORS - 8)];
    for (seed, sector) in places {
        why("write", session.write(sector, seed))?;
    }
    why("flush", session.block.flush())?;
    let mut second = Session::open(bench)?;
    for (seed, sector) in places {
        expect(second.read(sector)? == pattern(seed), &format!("sector {sector} reads otherwise"))?;
    }
    bench.say("SELFTEST: blk readback ok");
    Ok(())
}

/// A partition is opened by its name, reaches its own sectors and no other, and only by whom the registry names for it.
pub fn partitions(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut scratch = Session::open(bench)?;
    let mut whole = Session::of(bench, "*")?;
    for (session, sectors) in [(&mut scratch, SECTORS), (&mut whole, DISK_SECTORS)] {
        let has = why("info", session.block.info())?.sectors;
        expect(has == sectors, &format!("{has} sectors"))?;
    }
    let around = |whole: &mut Session| -> Result<[Vec<u8>; 2], String> {
        Ok([whole.read(FIRST - 8)?, whole.read(FIRST + SECTORS)?])
    };
    let before = around(&mut whole)?;
    for (seed, sector) in [(13, 0), (17, SECTORS - 8)] {
        why("write", scratch.write(sector, seed))?;
        expect(whole.read(FIRST + sector)? == pattern(seed), "it begins at another sector")?;
    }
    for (what, sector) in
        [("one past its end", SECTORS - 7), ("after its end", SECTORS), ("round to before it", u64::MAX)]
    {
        let write = scratch.write(sector, 19);
        expect(write == Err(CallError::Service(Error::Invalid)), &format!("writing {what}: {write:?}"))?;
    }
    expect(around(&mut whole)? == before, "what lies around it was written")?;
    let open = |partition: &str| -> Result<_, String> {
        Ok(disk::Client::new(Service("disk")).open(name(partition)?).map(|_| ()))
    };
    // The registry lets this process open `missing`, which no disk has, and not `state`, which this one has.
    for (partition, refusal) in [
        ("missing", disk::Error::NotFound),
        ("state", disk::Error::PermissionDenied),
        ("scratc", disk::Error::PermissionDenied),
        ("scratch ", disk::Error::PermissionDenied),
        ("", disk::Error::PermissionDenied),
    ] {
        let mark = Mark::now()?;
        let answer = open(partition)?;
        expect(answer == Err(CallError::Service(refusal)), &format!("`{partition}`: {answer:?}"))?;
        if refusal == disk::Error::PermissionDenied {
            let record = format!("partition `{partition}` denied to service {SELFTEST}");
            mark.wait_for(&record, |said| said.service == VIRTIOBLKD && said.audit && said.text == record)?;
        }
    }
    Ok(())
}

/// What a client may not ask for is refused, and costs nobody else anything.
pub fn refusals(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut session = Session::open(bench)?;
    let sectors = why("info", session.block.info())?.sectors;
    for (what, transfer) in [
        ("no sector", at(0, 0, 0)),
        ("more than is shared", at(0, 0, 17)),
        ("memory outside", at(0, SHARED, 1)),
        ("half outside", at(0, SHARED - 512, 2)),
        ("a wrapping offset", at(0, u32::MAX - 511, 2)),
        ("an odd offset", at(0, 1, 1)),
        ("past the end", at(sectors, 0, 1)),
        ("half past the end", at(sectors - 1, 0, 2)),
        ("a wrapping sector", at(u64::MAX, 0, 2)),
        ("as many as there can be", at(0, 0, u32::MAX)),
    ] {
        let read = session.block.read(transfer);
        expect(read == Err(CallError::Service(Error::Invalid)), &format!("reading {what}: {read:?}"))?;
        let write = session.block.write(transfer);
        expect(write == Err(CallError::Service(Error::Invalid)), &format!("writing {what}: {write:?}"))?;
    }
    let again = session.block.share(SHARED).map(|_| ());
    expect(again == Err(CallError::Service(Error::Exists)), &format!("sharing twice: {again:?}"))?;
    let sealed = session.memory.seal();
    expect(sealed == Err(Refused::AccessDenied), &format!("sealing it: {sealed:?}"))?;
    let address = session.memory.device_address();
    expect(address == Err(Refused::AccessDenied), &format!("asking where it is: {address:?}"))?;
    // Memory that is unmapped and let go of meanwhile is the driver's still.
    why("write", session.write(2000, 9))?;
    let Session { mut block, memory, mapping } = session;
    drop((memory, mapping));
    why("read into it", block.read(at(2000, 0, 8)))?;
    drop(block);
    not_its_own(bench)?;
    expect(Session::open(bench)?.read(2000)? == pattern(9), "sector 2000 reads otherwise")
}

/// Pages that this process shares with the driver at most, as the registry says, and pieces.
const SHARE_PAGES: u32 = 16;
const SHARE_PIECES: usize = 4;

/// Who takes all the memory that it can, and keeps it beyond its sessions and the driver's death, takes nobody else's.
pub fn shares(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let take = |pages: u32| -> Result<_, String> {
        let mut block = block::Client::new(Fixed::new(channel(SCRATCH)?));
        Ok(block.share(pages << 12).map(|shared| (block, Owned::<Vmo>::from(shared.memory))))
    };
    let refused = |pages: u32, what: &str| -> Verdict {
        let answer = take(pages)?.map(|_| ());
        let due = Err(CallError::Service(Error::QuotaExceeded));
        expect(answer == due, &format!("{pages} more pages {what}: {answer:?}"))
    };
    // All of it, and a page more; what is let go of can be taken again.
    let (session, most) = why("most", take(SHARE_PAGES - 1)?)?;
    let last = why("the last page", take(1)?)?;
    refused(1, "than its share")?;
    drop(last);
    let (_, last) = why("a page that was let go of", take(1)?)?;
    // What is kept without its session counts still, for the next driver too.
    drop(session);
    refused(1, "than what is kept")?;
    restart(bench, "virtioblkd")?;
    refused(1, "than what was kept")?;
    // Another client that is started anew gets what it shares with the driver. Whoever waits for it has done so before the next test begins.
    let mark = Mark::now()?;
    restart(bench, "statefsd")?;
    let open = "the key of the device is there";
    mark.wait_for(open, |said| said.service == KEYSTORED && said.text == open)?;
    drop((most, last));
    // Pieces are counted like pages.
    let mut kept = Vec::new();
    for _ in 0..SHARE_PIECES {
        kept.push(why("a piece", take(1)?)?.1);
    }
    refused(1, "than its pieces")?;
    drop(kept);
    why("all of it", take(SHARE_PAGES)?).map(|_| ())
}

fn restart(bench: &Bench, name: &str) -> Verdict {
    let before = bench.kill(name)?;
    back(bench, name, before.generation).map(|_| ())
}

/// Memory comes from the driver and from nobody else: a client can hand it none, and no transfer names another client's.
fn not_its_own(bench: &Bench) -> Verdict {
    let endpoint = channel(SCRATCH)?;
    let mine = why("vmo", Owned::<Vmo>::create(bench.quota, SHARED.into()))?;
    let mut handles = Handles::one(mine);
    let answer = endpoint.call(&[0; 24], &mut handles, &mut [0; 64], 0, NEVER).map(|_| ());
    expect(
        answer == Err(TransportError::Refused(Refused::TooLarge)),
        &format!("handing it memory: {answer:?}"),
    )?;
    why("the memory that stayed", why("typed", handles.take_typed::<Vmo>(0))?.info())?;
    let mut block = block::Client::new(Fixed::new(endpoint));
    let none = block.read(at(0, 0, 1));
    expect(none == Err(CallError::Service(Error::Invalid)), &format!("without shared memory: {none:?}"))?;
    for bytes in [0, block::MAX_BUFFER as u32 + 1, u32::MAX] {
        let shared = block.share(bytes).map(|_| ());
        expect(
            shared == Err(CallError::Service(Error::Invalid)),
            &format!("sharing {bytes} bytes: {shared:?}"),
        )?;
    }
    // Two clients at once: each transfer lands in the memory of who asked.
    let (mut one, mut other) = (Session::open(bench)?, Session::open(bench)?);
    why("write", one.write(3000, 21))?;
    why("write", other.write(3008, 23))?;
    expect(one.read(3000)? == pattern(21) && other.read(3008)? == pattern(23), "it reads otherwise")?;
    let mut bytes = vec![0; 4096];
    why("copy", one.mapping.read(4096, &mut bytes))?;
    expect(bytes == pattern(21), "another's transfer landed here")
}
