//! A partition as a program uses it: opened by name, read and written in whole sectors, opened anew after the driver died.
//!
//! Reading, writing the same bytes to the same place, and flushing can be done twice, so they are repeated when the driver dies in the
//! middle. (A new driver flushes what the old one wrote too: the device has it, not the driver.) What must never happen: a write that
//! was not answered is taken for done.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

use nexus_rt::api::block::{self, Direction, MAX_BUFFER, MAX_TRANSFERS, SECTOR_BYTES, Transfer};
use nexus_rt::api::disk;
use nexus_rt::memory::Mapping;
use nexus_rt::owned::{Channel, Owned, Vmo};
use nexus_rt::samgr::Service;
use nexus_rt::wire::{CallError, Fixed, Text};
use nexus_rt::{READ_WRITE, startup};

/// Times that a request is made before its partition counts as gone.
pub const MAX_TRIES: usize = 3;

/// Why it was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The partition cannot be opened.
    Open(CallError<disk::Error>),
    /// The request was refused, or the driver died each time.
    Request(CallError<block::Error>),
    /// The bytes are no whole number of sectors, or more than are moved at once.
    Size,
    /// The memory that is shared with the driver cannot be used.
    Memory(nexus_rt::abi::Error),
}

/// A partition.
pub struct Partition {
    name: &'static str,
    disk: disk::Client<Service>,
    bytes: usize,
    open: Option<Open>,
}

struct Open {
    block: block::Client<Fixed<Owned<Channel>>>,
    memory: Mapping,
    sectors: u64,
    read_only: bool,
}

impl Partition {
    /// The partition of that name (`*`: the whole disk), with memory to move so many bytes at once. It is opened when it is first used.
    pub fn new(name: &'static str, bytes: usize) -> Partition {
        Partition {
            name,
            disk: disk::Client::new(Service("disk")),
            bytes: bytes.clamp(1, MAX_BUFFER),
            open: None,
        }
    }

    fn open(&mut self) -> Result<&mut Open, Error> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.fresh()?,
        };
        Ok(self.open.insert(open))
    }

    fn fresh(&mut self) -> Result<Open, Error> {
        let opened = self.disk.open(Text::cut(self.name)).map_err(Error::Open)?;
        let mut block = block::Client::new(Fixed::new(Owned::<Channel>::from(opened.channel)));
        let block::InfoReply { sectors, read_only } = block.info().map_err(Error::Request)?;
        let shared = block.share(self.bytes as u32).map_err(Error::Request)?;
        let memory: Owned<Vmo> = shared.memory.into();
        let process = startup::own_process().ok_or(Error::Memory(nexus_rt::abi::Error::BadHandle))?;
        let size = memory.info().map_err(Error::Memory)?.size;
        let memory = memory.map(process, 0, size, READ_WRITE).map_err(Error::Memory)?;
        Ok(Open { block, memory, sectors, read_only })
    }

    /// Makes a request, on a partition that is opened anew when the driver turns out dead.
    fn persist<T>(&mut self, mut request: impl FnMut(&mut Open) -> Result<T, Error>) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            let outcome = self.open().and_then(&mut request);
            let died = matches!(outcome, Err(Error::Request(CallError::ServerDied)));
            if died {
                self.open = None;
            }
            if !died || tries == MAX_TRIES {
                return outcome;
            }
            tries += 1;
        }
    }

    /// How many sectors it has, and whether it can only be read.
    pub fn info(&mut self) -> Result<(u64, bool), Error> {
        self.open().map(|open| (open.sectors, open.read_only))
    }

    /// Reads sectors from `sector` on, as many as fill `out`.
    pub fn read(&mut self, sector: u64, out: &mut [u8]) -> Result<(), Error> {
        let transfer = self.transfer(sector, out.len())?;
        self.persist(|open| {
            open.block.read(transfer).map_err(Error::Request)?;
            open.memory.read(0, out).map_err(Error::Memory)
        })
    }

    /// Writes sectors from `sector` on. They are safe from a power cut only after [`Partition::flush`].
    pub fn write(&mut self, sector: u64, data: &[u8]) -> Result<(), Error> {
        let transfer = self.transfer(sector, data.len())?;
        self.persist(|open| {
            open.memory.write(0, data).map_err(Error::Memory)?;
            open.block.write(transfer).map_err(Error::Request)
        })
    }

    /// Writes pieces of one sector or more each, to different places, and flushes after the last, all in one request.
    /// Each piece is a first sector and its bytes; together at most as many bytes as are moved at once.
    pub fn write_batch(&mut self, pieces: &[(u64, &[u8])]) -> Result<(), Error> {
        let count = u16::try_from(pieces.len()).map_err(|_| Error::Size)?;
        let mut transfers = [Transfer { sector: 0, offset: 0, count: 0 }; MAX_TRANSFERS];
        if pieces.len() > MAX_TRANSFERS {
            return Err(Error::Size);
        }
        let mut offset = 0;
        for (place, (sector, data)) in transfers.iter_mut().zip(pieces) {
            let transfer = self.transfer(*sector, data.len())?;
            *place = Transfer { offset: offset as u32, ..transfer };
            offset += data.len();
        }
        if offset > self.bytes {
            return Err(Error::Size);
        }
        self.persist(|open| {
            let mut at = 0;
            for (_, data) in pieces {
                open.memory.write(at, data).map_err(Error::Memory)?;
                at += data.len();
            }
            open.block.batch(Direction::Write, true, count, transfers).map_err(Error::Request)
        })
    }

    /// Returns when everything written before is safe from a power cut.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.persist(|open| open.block.flush().map_err(Error::Request))
    }

    fn transfer(&self, sector: u64, bytes: usize) -> Result<Transfer, Error> {
        let whole = bytes.is_multiple_of(SECTOR_BYTES) && (1..=self.bytes).contains(&bytes);
        let count = u32::try_from(bytes / SECTOR_BYTES).map_err(|_| Error::Size)?;
        if whole { Ok(Transfer { sector, offset: 0, count }) } else { Err(Error::Size) }
    }
}
