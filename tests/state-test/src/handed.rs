//! Values in memory that goes with the message: at each bound through the library that chooses, and by hand with memory that is not what the message says, or
//! that is taken back while `statefsd` copies it.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use nexus_rt::abi::Rights;
use nexus_rt::abi::bounds::{MAX_MAPPINGS, PAGE_SIZE};
use nexus_rt::api::state::{Error, MAX_DATA, MAX_HANDED};
use nexus_rt::api::supervise;
use nexus_rt::channel::end;
use nexus_rt::wire::{CallError, Fault, Fixed, Held, Room, kinds};
use nexus_rt::{Any, Channel, End, Owned, READ_WRITE, Server, Vmo, clock, thread};
use statefsd::changes;

use crate::{Test, Verdict, text, why};

const PATH: &str = "app/test/handed";

/// Priority of the thread that takes memory back: that of the client.
const PRIORITY: u8 = 10;

/// Puts and reads, of which each hands memory over: more of them than `statefsd` may have handles or mappings.
const ROUNDS: usize = 150;
const _: () = assert!(3 * ROUNDS > HANDLES && 3 * ROUNDS > MAX_MAPPINGS);

/// Handles that it may have (`system.toml`).
const HANDLES: usize = 128;

fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 253 + seed) as u8).collect()
}

/// What goes with a message, with these rights of it.
fn lent(memory: &Owned<Vmo>, rights: Rights) -> Verdict<Held<Owned<Any>, kinds::Vmo>> {
    Ok(why("a handle", memory.duplicate(rights | Rights::TRANSFER))?.into())
}

/// The server did not even look at it.
fn malformed<T>(what: &str, outcome: Result<T, CallError<Error>>) -> Verdict {
    match outcome.map(drop) {
        Err(CallError::Protocol(Fault::Refused)) => Ok(()),
        other => Err(format!("{what}: {other:?}")),
    }
}

impl Test {
    fn memory(&self, bytes: usize) -> Verdict<Owned<Vmo>> {
        why("memory", Owned::<Vmo>::create(self.quota, bytes as u64))
    }

    /// How often `statefsd` was started.
    fn starts(&self) -> Verdict<u32> {
        let mut init = supervise::Client::new(Fixed::new(&*self.supervisor));
        for index in 0.. {
            let stat = why("statefsd", init.stat(index))?;
            if stat.name.get() == "statefsd" {
                return Ok(stat.starts);
            }
        }
        Err("there is no statefsd".into())
    }

    /// All of it.
    pub fn handed(&mut self) -> Verdict {
        for length in [MAX_DATA, MAX_DATA + 1, PAGE_SIZE + 1, MAX_HANDED - 1, MAX_HANDED, MAX_HANDED + 1] {
            let data = pattern(length, length);
            why("put", self.put(PATH, &data))?;
            let (found, stat) = why("get", self.get(PATH))?;
            if found != data || stat.length != length as u64 {
                return Err(format!("{length} bytes are {} others", found.len()));
            }
        }
        let mut all = Vec::new();
        for number in 0..20 {
            changes::write(&format!("{PATH}-{number}"), Some(&pattern(900, number)), &mut all);
        }
        why("a batch of more than a message", self.keep.batch(&all, true))?;
        self.expect(&format!("{PATH}-19"), &pattern(900, 19))?;
        all.clear();
        (0..20).for_each(|number| changes::write(&format!("{PATH}-{number}"), None, &mut all));
        why("a batch that takes them away", self.keep.batch(&all, false))?;
        all.resize(MAX_HANDED + 1, 0);
        Test::refused("a batch of too much", self.keep.batch(&all, false), Error::TooLarge)?;

        why("put", self.put(PATH, b"as it was"))?;
        self.hostile()?;
        self.expect(PATH, b"as it was")?;
        self.nothing_stays()?;
        why("delete", self.state.delete(text(PATH))).map(drop)
    }

    /// Memory that is too small, cannot be read or written, is no memory, or is gone.
    fn hostile(&mut self) -> Verdict {
        let page = self.memory(PAGE_SIZE)?;
        let (path, bytes) = (|| text(PATH), PAGE_SIZE as u32);
        let too_large = MAX_HANDED as u32 + 1;
        for (length, error) in
            [(bytes + 1, Error::Invalid), (too_large, Error::TooLarge), (u32::MAX, Error::TooLarge)]
        {
            let put = self.state.put_from(false, length, lent(&page, Rights::READ)?, path());
            Test::refused("a put of more than the memory has", put, error)?;
            let get = self.state.get_into(0, length, lent(&page, READ_WRITE)?, path());
            Test::refused("a get into more than the memory has", get, error)?;
            let batch = self.state.batch_from(false, length, lent(&page, Rights::READ)?);
            Test::refused("a batch of more than the memory has", batch, error)?;
        }
        let blind = self.state.put_from(false, bytes, lent(&page, Rights::empty())?, path());
        malformed("memory that cannot be read", blind)?;
        let fixed = self.state.get_into(0, bytes, lent(&page, Rights::READ)?, path());
        malformed("memory that cannot be written", fixed)?;
        let room = Room { bytes: 64, handles: 0 };
        let channel = Owned::<Channel>::create(self.quota, end(1, room), End::default());
        let other = why("a channel", channel)?.0;
        let put = self.state.put_from(false, bytes, Held::assume(other.any()), path());
        malformed("what is no memory", put)?;
        // What is sealed can be read, by whoever says so.
        let sealed = why("seal", self.memory(PAGE_SIZE)?.into_sealed())?;
        why("put what is sealed", self.state.put_from(false, 9, lent(&sealed, Rights::READ)?, path()))?;
        self.expect(PATH, &[0; 9])?;
        why("put", self.put(PATH, b"as it was"))?;

        let doomed = why("a quota", self.quota.split(20, 0))?;
        let gone = why("memory", Owned::<Vmo>::create(&doomed, PAGE_SIZE as u64))?;
        let handle = lent(&gone, Rights::READ)?;
        why("destroy", doomed.destroy())?;
        match self.state.put_from(false, bytes, handle, path()).map(drop) {
            Err(CallError::Protocol(_)) => Ok(()),
            other => Err(format!("memory that is gone: {other:?}")),
        }
    }

    /// `statefsd` keeps nothing of what it was handed, or it could not take more.
    fn nothing_stays(&mut self) -> Verdict {
        let page = self.memory(PAGE_SIZE)?;
        for _ in 0..ROUNDS {
            let (put, get) = (lent(&page, Rights::READ)?, lent(&page, READ_WRITE)?);
            why("put", self.state.put_from(false, 9, put, text(PATH)))?;
            why("get", self.state.get_into(0, 64, get, text(PATH)))?;
            let none = self.state.get_into(0, 64, lent(&page, READ_WRITE)?, text("app/test/no"));
            Test::refused("none", none, Error::NotFound)?;
        }
        why("put", self.put(PATH, b"as it was")).map(drop)
    }

    /// Memory is taken back so many times while it is copied, or just before or after; the machine has a hart for each of the two. `statefsd` lives through it,
    /// and what it calls done is there whole.
    pub fn taken_back(&mut self, values: usize) -> Verdict {
        let before = self.starts()?;
        let mut outcomes = [0; 3];
        for number in 0..values {
            let quota = why("a quota", self.quota.split(40, 0))?;
            let memory = why("memory", Owned::<Vmo>::create(&quota, MAX_HANDED as u64))?;
            let handle = lent(&memory, READ_WRITE)?;
            let (now, own) = (Arc::new(AtomicUsize::new(0)), self.quota);
            let seen = now.clone();
            let thread = thread::spawn(PRIORITY, move || -> Verdict {
                let mut pause = why("a server to wait at", Server::new(own))?;
                while seen.load(Ordering::Acquire) == 0 {
                    why("a pause", pause.next(nexus_rt::abi::NOW))?;
                }
                // Moments that lie further and further into the call.
                let until = clock::now() + (number as u64 % 64) * clock::timebase() / 500_000;
                while clock::now() < until {}
                why("destroy", quota.destroy())
            });
            let thread = why("a thread", thread)?;
            now.store(1, Ordering::Release);
            let length = MAX_HANDED as u32;
            let done = if number % 2 == 0 {
                self.state.put_from(false, length, handle, text(PATH)).map(drop)
            } else {
                self.state.get_into(0, length, handle, text(PATH)).map(drop)
            };
            thread.join().ok_or("the thread ended otherwise")??;
            outcomes[match done {
                Ok(()) => 0,
                Err(CallError::Service(Error::Invalid)) => 1,
                Err(CallError::Protocol(_)) => 2,
                // Nothing was put yet.
                Err(CallError::Service(Error::NotFound)) => 2,
                other => return why("a value whose memory is taken back", other),
            }] += 1;
            if let Ok((bytes, _)) = self.get(PATH)
                && (bytes.len() != MAX_HANDED || bytes.iter().any(|byte| *byte != 0))
            {
                return Err(format!("{} bytes are there that nobody put", bytes.len()));
            }
        }
        let starts = self.starts()?;
        if starts != before {
            return Err(format!("statefsd was started {starts} times, {before} before"));
        }
        let [done, taken, sooner] = outcomes;
        self.say(&format!("TAKEN done={done} taken={taken} sooner={sooner}"));
        self.say(&format!("SELFTEST: statefs taken back ok n={values}"));
        Ok(())
    }
}
