//! The disk through its driver: what is written is read back, transfers outside are refused, and a driver that is killed in the
//! middle of a request loses nothing that it had answered.

use crate::awake::Awake;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::{Error as Refused, Rights};
use nexus_rt::api::block::{self, Error, Transfer};
use nexus_rt::api::disk;
use nexus_rt::memory::Mapping;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{CallError, Fixed, Text};
use nexus_rt::{Channel, Owned, Vmo};

/// Bytes of shared memory: 16 sectors.
const SHARED: u32 = 8192;
const SECTOR: u64 = 512;

/// A session with the whole disk, and the memory that it shares.
pub struct Session {
    block: block::Client<Fixed<Owned<Channel>>>,
    memory: Owned<Vmo>,
    mapping: Mapping,
}

fn name(partition: &str) -> Result<Text<'_, { disk::MAX_NAME }>, String> {
    Text::new(partition).map_err(|_| String::from("the name is too long"))
}

fn at(sector: u64, offset: u32, count: u32) -> Transfer {
    Transfer { sector, offset, count }
}

impl Session {
    /// Opens the disk.
    pub fn open(bench: &Bench) -> Result<Session, String> {
        let opened = why("open", disk::Client::new(Service("disk")).open(name("*")?))?;
        let mut block = block::Client::new(Fixed::new(Owned::from(opened.channel)));
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

/// What is written and flushed is read back, at both ends of the disk.
pub fn readback(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut session = Session::open(bench)?;
    let sectors = why("info", session.block.info())?.sectors;
    expect(sectors * SECTOR == 64 << 20, &format!("{sectors} sectors"))?;
    for (seed, sector) in [(3, 0), (5, 1000), (7, sectors - 8)] {
        why("write", session.write(sector, seed))?;
    }
    why("flush", session.block.flush())?;
    let mut second = Session::open(bench)?;
    for (seed, sector) in [(3, 0), (5, 1000), (7, sectors - 8)] {
        expect(second.read(sector)? == pattern(seed), &format!("sector {sector} reads otherwise"))?;
    }
    bench.say("SELFTEST: blk readback ok");
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
    let other = disk::Client::new(Service("disk")).open(name("state")?).map(|_| ());
    let refused = other == Err(CallError::Service(disk::Error::PermissionDenied));
    expect(refused, &format!("another's partition: {other:?}"))?;
    expect(Session::open(bench)?.read(2000)? == pattern(9), "sector 2000 reads otherwise")
}
