//! The rows of `/state`. The disk has a store already, made on the host (`tools/nx/src/bench/state.rs`): `app/bench/count` says how many
//! keys lie under `app/bench/key`. The same rules and engine over memory alone tell what the messages and the disk add.

use crate::rows::{WARM, process};
use crate::spin::Spin;
use crate::{Report, Step, why};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nexus_rt::api::state::{Client, Error, HealthReply, MAX_DATA, Receipt};
use nexus_rt::api::supervise;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Fixed, Text};
use nexus_rt::{Channel, Owned};
use nexus_state::engine::{Fault, Medium, PAGE, Shape, Store};
use nexus_state::rules::{Access, Path, State};
use statefsd::changes;

/// Bytes of a value, and of one in a batch: so long that one message holds the batch.
const VALUE: usize = 400;
const IN_A_BATCH: usize = 32;
const BATCH: usize = 64;

/// Durable puts that count: more than fit into a half of the log, so that a checkpoint or two are among them.
const PUTS: usize = 512;
/// Batches, and values that are read.
const BATCHES: usize = 100;
const GETS: usize = 200;
/// Restarts, and durable puts before each, so that each finds another log.
const RESTARTS: usize = 8;
const BETWEEN: usize = 37;

/// A long value, and how many of them are put and read.
const LONG: usize = 64 << 10;
const LONGS: usize = 64;

/// How many keys there are where the plain rows are taken; elsewhere the number stands behind the row's name.
const USUAL: usize = 1000;

/// Pages of the store in memory: a log as long as that on the disk of 64 MiB, and room for what is put.
const BARE: Shape = Shape { pages: 400, log_pages: 128 };

/// A key that is there, or is put anew.
fn key(number: usize) -> String {
    format!("app/bench/key/{number:06}")
}

/// The client and what it counts with.
struct Bench<'a> {
    state: Client<Service>,
    spin: Spin,
    supervisor: &'a Owned<Channel>,
    keys: usize,
    next: usize,
}

/// Every row.
pub fn all(supervisor: &Owned<Channel>, report: &mut Report) -> Step {
    let (spin, mut state) = (Spin::begin()?, Client::new(Service("state")));
    let count = first(&mut state)?;
    let count = core::str::from_utf8(&count).ok().and_then(|text| text.parse().ok());
    let keys: usize = count.ok_or("the count is no number")?;
    let mut bench = Bench { state, spin, supervisor, keys, next: 0 };
    if keys >= USUAL {
        bench.gets(report)?;
        bench.puts(report)?;
    }
    if keys == USUAL {
        bench.batches(report)?;
        bench.longs(report)?;
        bench.bare(report)?;
    }
    bench.mounts(report)
}

/// The count. As long as nobody spun, the clock of the idle machine went faster than its disk, which may have been given up once for that.
fn first(state: &mut Client<Service>) -> Result<Vec<u8>, String> {
    let mut read = || state.get(0, Text::cut("app/bench/count")).map(|reply| reply.data.get().to_vec());
    match read() {
        Err(CallError::Service(Error::Io)) => why("the count", read()),
        other => why("the count", other),
    }
}

impl Bench<'_> {
    /// A row's name on a store of so many keys.
    fn row(&self, name: &str) -> String {
        if self.keys == USUAL { format!("state.{name}") } else { format!("state.{name}.{}", self.keys) }
    }

    /// One of the keys; those that follow each other lie far apart.
    fn some(&mut self) -> String {
        self.next += 1;
        key(self.next * 7919 % self.keys)
    }

    fn health(&mut self) -> Result<HealthReply, String> {
        why("health", self.state.health())
    }

    fn put(&mut self) -> Result<u64, String> {
        let path = self.some();
        let data = vec![self.next as u8; VALUE];
        let (count, done) = self.spin.count(|| {
            let data = Bytes::new(&data).unwrap_or_default();
            self.state.put(true, Text::cut(&path), data).map(|reply| reply.receipt)
        });
        self.is_safe(why("put", done)?).map(|()| count)
    }

    /// What was acknowledged is safe, and not only done.
    fn is_safe(&mut self, receipt: Receipt) -> Step {
        let health = self.health()?;
        if health.safe >= receipt.generation { Ok(()) } else { Err(String::from("a put that is not safe")) }
    }

    fn gets(&mut self, report: &mut Report) -> Step {
        let mut counts = Vec::new();
        for _ in 0..GETS {
            let path = self.some();
            let (count, got) =
                self.spin.count(|| self.state.get(0, Text::cut(&path)).map(|reply| reply.data.len()));
            if why("get", got)? != VALUE {
                return Err(format!("{path} has another value"));
            }
            counts.push(count);
        }
        report.figure(&self.row("get"), "instructions", &mut counts);
        Ok(())
    }

    fn puts(&mut self, report: &mut Report) -> Step {
        for _ in 0..WARM {
            self.put()?;
        }
        let (before, mut counts) = (self.health()?, Vec::new());
        for _ in 0..PUTS {
            counts.push(self.put()?);
        }
        let after = self.health()?;
        let sum = counts.iter().sum();
        report.figure(&self.row("put_durable"), "instructions", &mut counts);
        report.share(&self.row("put_durable.mean"), "instructions", sum, PUTS);
        if self.keys == USUAL {
            report.share("state.put_durable.flushes", "flushes", after.flushes - before.flushes, PUTS);
            report.share("state.put_durable.written", "B", after.written - before.written, PUTS);
        }
        Ok(())
    }

    fn batches(&mut self, report: &mut Report) -> Step {
        let mut counts = Vec::new();
        for n in 0..WARM + BATCHES {
            let mut bytes = Vec::new();
            for place in 0..BATCH {
                let path = format!("app/bench/batch/{place:02}");
                changes::write(&path, Some(&[n as u8; IN_A_BATCH]), &mut bytes);
            }
            let data = why("a batch", Bytes::new(&bytes))?;
            let (count, done) = self.spin.count(|| self.state.batch(true, data).map(|reply| reply.receipt));
            self.is_safe(why("batch", done)?)?;
            if n >= WARM {
                counts.push(count);
            }
        }
        report.figure(&self.row("put_batch64"), "instructions", &mut counts);
        Ok(())
    }

    /// Values of 64 KiB, safe when answered: in memory that goes with the message, and in many messages.
    fn longs(&mut self, report: &mut Report) -> Step {
        let (mut keep, path) = (nexus_keep::State::new(), "app/bench/long");
        for (is_upload, row) in [(false, "put_64k"), (true, "put_64k.upload")] {
            let (mut sum, mut before) = (0, self.health()?);
            for n in 0..WARM + LONGS {
                let data = vec![n as u8; LONG];
                if n == WARM {
                    before = self.health()?;
                }
                let (count, done) = self.spin.count(|| match is_upload {
                    false => keep.put(path, &data, true),
                    true => self.state.upload(LONG as u64, Text::cut(path)).and_then(|reply| {
                        for part in data.chunks(MAX_DATA) {
                            self.state.more(reply.upload, Bytes::new(part).unwrap_or_default())?;
                        }
                        let receipt = self.state.publish(reply.upload)?.receipt;
                        self.state.sync(receipt).map(|()| receipt)
                    }),
                });
                self.is_safe(why("put", done)?)?;
                sum += if n >= WARM { count } else { 0 };
            }
            let after = self.health()?;
            report.share(&format!("state.{row}"), "instructions", sum, LONGS);
            report.share(&format!("state.{row}.flushes"), "flushes", after.flushes - before.flushes, LONGS);
            report.share(&format!("state.{row}.written"), "B", after.written - before.written, LONGS);
        }
        for (in_parts, row) in [(false, "state.get_64k"), (true, "state.get_64k.parts")] {
            let mut counts = Vec::new();
            for _ in 0..LONGS {
                let (count, found) = self.spin.count(|| match in_parts {
                    false => keep.get(path).map(|(bytes, _)| bytes.len()),
                    true => (0..LONG).step_by(MAX_DATA).try_fold(0, |sum, from| {
                        self.state.get(from as u64, Text::cut(path)).map(|reply| sum + reply.data.len())
                    }),
                });
                if why("get", found)? != LONG {
                    return Err(String::from("a long value is another"));
                }
                counts.push(count);
            }
            report.figure(row, "instructions", &mut counts);
        }
        why("delete", self.state.delete(Text::cut(path))).map(drop)
    }

    /// From the kill of `statefsd` to the first answer of the next one; at the end what it holds.
    fn mounts(&mut self, report: &mut Report) -> Step {
        let mut counts = Vec::new();
        for _ in 0..RESTARTS {
            for _ in 0..BETWEEN {
                self.put()?;
            }
            let (before, name) = (process(self.supervisor, "statefsd")?, why("name", Text::new("statefsd"))?);
            let (count, done) = self.spin.count(|| {
                why("kill", supervise::Client::new(Fixed::new(self.supervisor)).kill(name))?;
                why("health after the kill", self.state.health())
            });
            let (health, after) = (done?, process(self.supervisor, "statefsd")?);
            if after.starts != before.starts + 1 || health.fault != 0 || (health.keys as usize) < self.keys {
                return Err(format!("it was not restarted, or has not the keys: {health:?}"));
            }
            counts.push(count);
        }
        report.figure(&format!("state.mount.{}", self.keys), "instructions", &mut counts);
        for _ in 0..PUTS {
            self.put()?;
        }
        let held = process(self.supervisor, "statefsd")?.pages * PAGE as u64;
        report.figure(&format!("state.memory.{}", self.keys), "bytes", &mut [held]);
        Ok(())
    }

    /// The same puts into rules and engine over memory.
    fn bare(&mut self, report: &mut Report) -> Step {
        let rules = why("rules", Access::read("1::rw 1#1000000/1000000").ok_or("none"))?;
        let store =
            why("a store", Store::format(Memory(vec![0; BARE.pages as usize * PAGE]), BARE, [1; 16], 16))?;
        let mut state = why("rules", State::new(store, rules, 1))?;
        let (mut counts, data) = (Vec::new(), [7; VALUE]);
        for n in 0..WARM + PUTS / 2 {
            let path = why("a path", Path::new(&key(n % 100)))?;
            let (count, done) =
                self.spin.count(|| state.put(1, &path, &data).and_then(|done| state.sync(Some(done))));
            why("put", done)?;
            if n >= WARM {
                counts.push(count);
            }
        }
        report.figure("state.put_durable.bare", "instructions", &mut counts);
        Ok(())
    }
}

/// A medium that is only memory: what it costs is its copies.
struct Memory(Vec<u8>);

impl Memory {
    fn part(&mut self, at: u64, length: usize) -> Result<&mut [u8], Fault> {
        let at = usize::try_from(at).map_err(|_| Fault::Outside)?;
        self.0.get_mut(at..).and_then(|rest| rest.get_mut(..length)).ok_or(Fault::Outside)
    }
}

impl Medium for Memory {
    fn size(&mut self) -> Result<u64, Fault> {
        Ok(self.0.len() as u64)
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        out.copy_from_slice(self.part(at, out.len())?);
        Ok(())
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.part(at, data.len())?.copy_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
