//! A disk with two partitions, and a driver with clients on it.

#![allow(dead_code, reason = "each test program uses a part of it")]

use crc::{CRC_32_ISO_HDLC, Crc};
use fake_virtio::models::Block;
use fake_virtio::{FakeMemory, FakeRegisters, Mischief, World};
use nexus_driver::{Memory, Pool};
use nexus_rt::api::block::{Error, Transfer};
use virtioblkd::disk::{Disk, Kind};
use virtioblkd::service::{Range, Service};

pub const SECTOR: usize = 512;
pub const SECTORS: usize = 400;
pub const PATIENCE: u64 = 100;
pub const PAGES: usize = 64;

/// The partitions: first sector, how many.
pub const STATE: Range = Range { first: 34, sectors: 100 };
pub const OTHER: Range = Range { first: 134, sectors: 200 };

pub type Subject = Service<FakeRegisters, FakeMemory, u32>;

/// What a disk with those partitions holds.
pub fn partitioned() -> Vec<u8> {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut entries = vec![0u8; 32 * SECTOR];
    for (index, (range, name)) in [(STATE, "state"), (OTHER, "other")].into_iter().enumerate() {
        let entry = &mut entries[128 * index..128 * (index + 1)];
        entry[..16].fill(0xa0);
        entry[16..32].fill(1 + index as u8);
        entry[32..40].copy_from_slice(&range.first.to_le_bytes());
        entry[40..48].copy_from_slice(&(range.first + range.sectors - 1).to_le_bytes());
        for (index, unit) in name.encode_utf16().enumerate() {
            entry[56 + 2 * index..58 + 2 * index].copy_from_slice(&unit.to_le_bytes());
        }
    }
    let mut header = vec![0u8; SECTOR];
    header[..8].copy_from_slice(b"EFI PART");
    header[8..12].copy_from_slice(&0x1_0000u32.to_le_bytes());
    header[12..16].copy_from_slice(&92u32.to_le_bytes());
    for (at, value) in [(24, 1), (32, SECTORS as u64 - 1), (40, 34), (48, SECTORS as u64 - 34), (72, 2)] {
        header[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
    }
    for (at, value) in [(80, 128), (84, 128), (88, crc.checksum(&entries))] {
        header[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    let checksum = crc.checksum(&header[..92]);
    header[16..20].copy_from_slice(&checksum.to_le_bytes());
    let mut disk = vec![0u8; SECTORS * SECTOR];
    disk[SECTOR..2 * SECTOR].copy_from_slice(&header);
    disk[2 * SECTOR..34 * SECTOR].copy_from_slice(&entries);
    disk
}

pub fn world(seed: u64, mischief: Mischief) -> World {
    World::new(Block::of(partitioned()), PAGES, seed, mischief)
}

pub fn start(world: &World) -> Option<Subject> {
    let disk = Disk::new(world.registers(), &mut world.pool()).ok()?;
    Service::begin(disk, &mut world.pool(), PATIENCE, 0).ok()
}

/// Lets device and driver go on until nothing more happens by itself.
pub fn settle(world: &World, subject: &mut Subject, now: u64) {
    for _ in 0..200 {
        if !world.work() {
            break;
        }
        subject.interrupt(now);
    }
}

/// A driver that has found the partitions.
pub fn ready(world: &World) -> Subject {
    let mut subject = start(world).expect("the driver comes up");
    settle(world, &mut subject, 0);
    assert_eq!((subject.partition("state"), subject.partition("other")), (Some(STATE), Some(OTHER)));
    subject
}

/// Shares memory with a session.
pub fn share(world: &World, subject: &mut Subject, key: u64, pages: usize) -> Result<(), Error> {
    subject.may_share(key, pages * 4096)?;
    let memory = world.pool().allocate(pages * 4096).map_err(|_| Error::QuotaExceeded)?;
    subject.share(key, memory);
    Ok(())
}

/// One transfer.
pub fn transfer(sector: u64, count: u32, offset: usize) -> Transfer {
    Transfer { sector, offset: offset as u32, count }
}

/// Memory of a test: what a client sees of the buffer that it shares.
pub struct Client {
    pub memory: std::rc::Rc<FakeMemory>,
    pub key: u64,
}

impl Client {
    /// Fills sectors of the memory with a byte.
    pub fn fill(&self, offset: usize, sectors: usize, byte: u8) {
        self.memory.write(offset, &vec![byte; sectors * SECTOR]).expect("inside");
    }

    /// The same with the first sectors, if the driver lives.
    pub fn try_fill(&self, sectors: usize, byte: u8) -> bool {
        self.memory.write(0, &vec![byte; sectors * SECTOR]).is_ok()
    }

    /// Whether sectors of the memory hold a byte, all of them.
    pub fn holds(&self, offset: usize, sectors: usize, byte: u8) -> bool {
        let mut bytes = vec![0; sectors * SECTOR];
        self.memory.read(offset, &mut bytes).expect("inside");
        bytes.iter().all(|b| *b == byte)
    }
}

/// A session with memory that the test can look into.
pub fn client(world: &World, subject: &mut Subject, key: u64, range: Range, pages: usize) -> Client {
    subject.open(key, 7, range);
    subject.may_share(key, pages * 4096).expect("nothing is shared yet");
    let memory = world.pool().allocate(pages * 4096).expect("there is memory");
    subject.share(key, memory);
    Client { memory: subject.memory(key).expect("it is shared"), key }
}

/// Makes one call and lets it end.
pub fn call(
    world: &World,
    subject: &mut Subject,
    key: u64,
    kind: Kind,
    transfers: &[Transfer],
    flush: bool,
) -> Result<(), Error> {
    subject.transfer(key, kind, transfers, flush, 7, 0)?;
    settle(world, subject, 0);
    let mut finished = subject.take_finished().collect::<Vec<_>>();
    assert_eq!(finished.len(), 1, "one call, one answer");
    let (promise, result) = finished.remove(0);
    assert_eq!(promise, 7);
    result
}
