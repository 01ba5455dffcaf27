//! `/state` as a program uses it: a value, however long, is one put and one get.
//!
//! Up to `MAX_DATA` bytes go in the message, up to `MAX_HANDED` in memory that goes with it, and more in pieces that are published at once. What must
//! never happen: a value is put in part, parts of two values are answered as one, or memory is used again that a server may still look at.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

use nexus_rt::abi::{self, Rights};
use nexus_rt::api::state::{Client, Error, MAX_BATCH, MAX_DATA, MAX_HANDED, MAX_PATH, Receipt, Stat};
use nexus_rt::memory::Mapping;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Fault, Text};
use nexus_rt::{Owned, READ_WRITE, Vmo, startup};

/// Times that a value is read which changes while it is read, or whose server dies meanwhile.
pub const MAX_READS: usize = 5;

/// What came of it.
pub type Outcome<T> = Result<T, CallError<Error>>;

/// A client of `/state`. It makes memory to hand over when a value needs it, at most `MAX_HANDED` bytes of the process's own quota, and keeps it.
pub struct State {
    client: Client<Service>,
    memory: Option<Memory>,
}

struct Memory {
    vmo: Owned<Vmo>,
    mapping: Mapping,
}

fn kernel(error: abi::Error) -> CallError<Error> {
    CallError::Protocol(Fault::Kernel(error))
}

fn text(path: &str) -> Outcome<Text<'_, MAX_PATH>> {
    // As the server would say of it.
    Text::new(path).map_err(|_| CallError::Service(Error::Invalid))
}

impl Default for State {
    fn default() -> State {
        State::new()
    }
}

impl State {
    /// It connects when it is first used.
    pub fn new() -> State {
        State { client: Client::new(Service("state")), memory: None }
    }

    /// The interface itself, for everything else.
    pub fn client(&mut self) -> &mut Client<Service> {
        &mut self.client
    }

    /// Gives a path a value, of at most 16 MiB. `durable`: it survives a power cut when this returns. When the server dies on the way it was done or not.
    pub fn put(&mut self, path: &str, bytes: &[u8], durable: bool) -> Outcome<Receipt> {
        let path = text(path)?;
        if let Ok(data) = Bytes::new(bytes) {
            return self.client.put(durable, path, data).map(|reply| reply.receipt);
        }
        if bytes.len() > MAX_HANDED {
            return self.upload(path, bytes, durable);
        }
        let memory = self.filled(bytes)?;
        let put = self.client.put_from(durable, bytes.len() as u32, memory.into(), path);
        self.answered(put).map(|reply| reply.receipt)
    }

    /// Makes changes, all or none: written one behind the other as the interface's `batch` says, at most `MAX_HANDED` bytes.
    pub fn batch(&mut self, changes: &[u8], durable: bool) -> Outcome<Receipt> {
        if changes.len() <= MAX_BATCH {
            let changes = Bytes::new(changes).unwrap_or_default();
            return self.client.batch(durable, changes).map(|reply| reply.receipt);
        }
        let memory = self.filled(changes)?;
        let batch = self.client.batch_from(durable, changes.len() as u32, memory.into());
        self.answered(batch).map(|reply| reply.receipt)
    }

    /// The value of a path, and what is known of it. `Busy` when it changes faster than it can be read, `ServerDied` when the last server did so too.
    pub fn get(&mut self, path: &str) -> Outcome<(Vec<u8>, Stat)> {
        let path = text(path)?;
        let mut last = CallError::Service(Error::Busy);
        for _ in 0..MAX_READS {
            last = match self.read(path) {
                Ok(Some(whole)) => return Ok(whole),
                Ok(None) => CallError::Service(Error::Busy),
                Err(CallError::ServerDied) => CallError::ServerDied,
                Err(other) => return Err(other),
            }
        }
        Err(last)
    }

    /// A value, unless another one is there before its end is read.
    fn read(&mut self, path: Text<'_, MAX_PATH>) -> Outcome<Option<(Vec<u8>, Stat)>> {
        let reply = self.client.get(0, path)?;
        let (mut bytes, stat) = (reply.data.get().to_vec(), reply.stat);
        let length = usize::try_from(stat.length).map_err(|_| CallError::Service(Error::TooLarge))?;
        while bytes.len() < length {
            let room = (length - bytes.len()).min(MAX_HANDED);
            let memory = self.memory(room)?.vmo.duplicate(READ_WRITE | Rights::TRANSFER).map_err(kernel)?;
            let part = self.client.get_into(bytes.len() as u64, room as u32, memory.into(), path);
            let part = self.answered(part)?;
            let count = part.length as usize;
            if part.stat.version != stat.version {
                return Ok(None);
            }
            if !(1..=room).contains(&count) {
                return Err(CallError::Protocol(Fault::Malformed));
            }
            let from = bytes.len();
            bytes.resize(from + count, 0);
            self.memory(room)?.mapping.read(0, &mut bytes[from..]).map_err(kernel)?;
        }
        Ok(Some((bytes, stat)))
    }

    /// A value in pieces, which nobody sees before all of them have come.
    fn upload(&mut self, path: Text<'_, MAX_PATH>, bytes: &[u8], durable: bool) -> Outcome<Receipt> {
        let upload = self.client.upload(bytes.len() as u64, path)?.upload;
        for part in bytes.chunks(MAX_DATA) {
            self.client.more(upload, Bytes::new(part).unwrap_or_default())?;
        }
        let receipt = self.client.publish(upload)?.receipt;
        if durable {
            self.client.sync(receipt)?;
        }
        Ok(receipt)
    }

    /// What came of a call that memory went with. Unless the server answered, it may still look at the memory, which is left to it then.
    fn answered<T>(&mut self, outcome: Outcome<T>) -> Outcome<T> {
        if !matches!(outcome, Ok(_) | Err(CallError::Service(_))) {
            self.memory = None;
        }
        outcome
    }

    /// Memory that has these bytes, to be handed over: whoever gets it can read it.
    fn filled(&mut self, bytes: &[u8]) -> Outcome<Owned<Vmo>> {
        if bytes.len() > MAX_HANDED {
            return Err(CallError::Service(Error::TooLarge));
        }
        let memory = self.memory(bytes.len())?;
        memory.mapping.write(0, bytes).map_err(kernel)?;
        memory.vmo.duplicate(Rights::READ | Rights::TRANSFER).map_err(kernel)
    }

    /// Memory of at least so many bytes.
    fn memory(&mut self, bytes: usize) -> Outcome<&mut Memory> {
        let memory = match self.memory.take().filter(|memory| memory.mapping.len() >= bytes) {
            Some(memory) => memory,
            None => Memory::new(bytes).map_err(kernel)?,
        };
        Ok(self.memory.insert(memory))
    }
}

impl Memory {
    fn new(bytes: usize) -> Result<Memory, abi::Error> {
        let whole = bytes.next_multiple_of(abi::bounds::PAGE_SIZE) as u64;
        let quota = startup::own_quota().ok_or(abi::Error::BadHandle)?;
        let process = startup::own_process().ok_or(abi::Error::BadHandle)?;
        let vmo = Owned::<Vmo>::create(quota, whole)?;
        let mapping = vmo.map(process, 0, whole, READ_WRITE)?;
        Ok(Memory { vmo, mapping })
    }
}
