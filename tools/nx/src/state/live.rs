//! The running system as a place: `statefsd` is asked over the link, through `diagd`, and lets it do what the registry of its image declares.
//! What is put is charged to `diagd`, for nobody can store in another's name. What lies under `keystore`, and what is sealed, is not shown.

use std::thread::sleep;
use std::time::Duration;

use nexus_api::state::{Client, Error, MAX_DATA, Receipt};
use nexus_state::rules::Path;
use nexus_wire::{Bytes, CallError, Fault, Text};

use super::carry::hex;
use super::place::{Charge, Health, Known, Looked, Place, Put};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;
use crate::link::{self, Again};

/// How often a long value that is changed while it is read is read again.
const MAX_READS: usize = 5;

/// How long it is left alone while it looks at every page.
const GLANCE: Duration = Duration::from_millis(20);

/// The system.
pub struct Live {
    state: Client<Again>,
    /// Whether what is sound is read, of a store that is out of order.
    salvages: bool,
}

impl Live {
    /// The system that runs here; with several, the one of this name.
    pub fn connect(house: &House, name: Option<&str>) -> Outcome<Live> {
        Ok(Live { state: Client::new(Again::new(link::line(house, name)?)), salvages: false })
    }

    fn store(&mut self, put: &Put) -> Result<Receipt, CallError<Error>> {
        let too_long = |_| CallError::Service(Error::TooLarge);
        if let Ok(data) = Bytes::new(&put.bytes) {
            return self.state.put(false, text(&put.path), data).map(|reply| reply.receipt);
        }
        let upload = self.state.upload(put.bytes.len() as u64, text(&put.path))?.upload;
        for part in put.bytes.chunks(MAX_DATA) {
            self.state.more(upload, Bytes::new(part).map_err(too_long)?)?;
        }
        self.state.publish(upload).map(|reply| reply.receipt)
    }

    /// A value, unless it is changed meanwhile.
    fn read(&mut self, path: &Path) -> Result<Option<Vec<u8>>, CallError<Error>> {
        let (mut bytes, mut version) = (Vec::new(), None);
        loop {
            let from = bytes.len() as u64;
            let (stat, data) = if self.salvages {
                self.state.salvaged(from, text(path)).map(|reply| (reply.stat, reply.data.get()))?
            } else {
                self.state.get(from, text(path)).map(|reply| (reply.stat, reply.data.get()))?
            };
            if *version.get_or_insert(stat.version) != stat.version {
                return Ok(None);
            }
            bytes.extend_from_slice(data);
            if bytes.len() as u64 >= stat.length {
                return Ok(Some(bytes));
            }
            if data.is_empty() {
                return Err(CallError::Protocol(Fault::Malformed));
            }
        }
    }
}

/// A path is short enough.
fn text<const N: usize>(path: &Path) -> Text<'_, N> {
    Text::cut(path.as_str())
}

/// What came of something, or a failure that says so.
fn done<T>(outcome: Result<T, CallError<Error>>, what: &str) -> Outcome<T> {
    outcome.map_err(|error| {
        if interrupt::seen() {
            return interrupt::failure("the system goes on");
        }
        let away = |words: &str| {
            Failure::new(Exit::NoSystem, format!("{what}: {words}"), "nx ps shows whether it runs")
        };
        match error {
            CallError::Service(Error::PermissionDenied) => Failure::new(
                Exit::Failed,
                format!("{what}: this image does not allow that"),
                "the registry decides; an image that allows it: ./nx run --variant dev",
            ),
            CallError::Service(error) => Failure::new(
                Exit::Failed,
                format!("{what}: {error:?}"),
                "docs/state-errors.md has a row for each error",
            ),
            CallError::ServerDied => {
                away("the service that knows ended, or is not there; whether it was done is not known")
            }
            CallError::TimedOut => away("no answer; whether it was done is not known"),
            CallError::Protocol(fault) => Failure::new(
                Exit::NoSystem,
                format!("{what}: the system speaks another language ({fault:?})"),
                "this nx and that system are of different versions: nx run of this tree",
            ),
        }
    })
}

impl Place for Live {
    fn command(&self) -> String {
        String::from("nx state")
    }

    fn list(&mut self, prefix: &str) -> Outcome<Vec<Known>> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let next = if self.salvages {
                let reply = self.state.salvage(Text::cut(&after));
                reply.map(|reply| (reply.found, reply.stat, reply.path.get().to_string()))
            } else {
                let reply = self.state.next(Text::cut(prefix), Text::cut(&after));
                reply.map(|reply| (reply.found, reply.stat, reply.path.get().to_string()))
            };
            let (found, stat, path) = done(next, "the values")?;
            if path.is_empty() {
                return Ok(all);
            }
            after = path;
            if found {
                let malformed = |_| CallError::Protocol(Fault::Malformed);
                let path = done(Path::new(&after).map_err(malformed), "the values")?;
                // What is sealed is not shown to others than its keeper.
                let (owner, version) = (stat.owner, stat.version);
                all.push(Known { path, bytes: stat.length, owner, version, sealed: false });
            }
        }
    }

    fn get(&mut self, path: &Path) -> Outcome<Vec<u8>> {
        for _ in 0..MAX_READS {
            if let Some(bytes) = done(self.read(path), path.as_str())? {
                return Ok(bytes);
            }
        }
        let what = format!("{}: it changes faster than it can be read", path.as_str());
        Err(Failure::new(Exit::Failed, what, "ask again"))
    }

    fn put(&mut self, values: &[Put]) -> Outcome<usize> {
        let (mut count, mut last, mut denied) = (0, None, None);
        for value in values {
            let stored = self.store(value);
            let is_denied = matches!(stored, Err(CallError::Service(Error::PermissionDenied)));
            match done(stored, value.path.as_str()) {
                Ok(receipt) => {
                    last = Some(receipt);
                    count += 1;
                }
                Err(failure) if is_denied => drop(denied.get_or_insert(failure)),
                Err(failure) => return Err(failure),
            }
        }
        match (last, denied) {
            (Some(receipt), _) => done(self.state.sync(receipt), "the last of them")?,
            (None, Some(failure)) => return Err(failure),
            (None, None) => {}
        }
        Ok(count)
    }

    fn remove(&mut self, path: &Path) -> Outcome {
        let receipt = done(self.state.delete(text(path)), path.as_str())?.receipt;
        done(self.state.sync(receipt), path.as_str())
    }

    fn health(&mut self) -> Outcome<Health> {
        let mut snapshots = Vec::new();
        let health = done(self.state.health(), "the store")?;
        let fault =
            Error::ALL.iter().find(|error| **error as u16 == health.fault).map(|error| format!("{error:?}"));
        while fault.is_none() && snapshots.len() <= u8::MAX.into() {
            match self.state.point(snapshots.len() as u8) {
                Ok(reply) => snapshots.push(reply.name.get().to_string()),
                Err(CallError::Service(Error::NotFound)) => break,
                Err(error) => return done(Err(error), "the snapshots"),
            }
        }
        Ok(Health {
            store: hex(&health.store),
            generation: health.generation,
            keys: health.keys,
            pages: health.pages,
            free: health.free,
            fault,
            snapshots,
            lost: health.lost,
        })
    }

    fn charges(&mut self) -> Outcome<Vec<Charge>> {
        let (mut all, mut from) = (Vec::new(), Some(0));
        while let Some(next) = from {
            match self.state.charge(next) {
                Ok(reply) => {
                    let limit = Some((reply.soft, reply.hard));
                    all.push(Charge { owner: reply.service, charged: reply.used, limit });
                    from = reply.service.checked_add(1);
                }
                Err(CallError::Service(Error::NotFound)) => break,
                Err(error) => return done(Err(error), "the charges"),
            }
        }
        Ok(all)
    }

    fn check(&mut self, repair: bool) -> Outcome<Looked> {
        done(self.state.check(repair), "the store")?;
        let reply = loop {
            match self.state.checked() {
                Err(CallError::Service(Error::Busy)) if !interrupt::seen() => sleep(GLANCE),
                // Who looked has ended, and the next one has not.
                Err(CallError::Service(Error::NotFound)) => {
                    break done(Err(CallError::ServerDied), "the store")?;
                }
                other => break done(other, "the store")?,
            }
        };
        let mended = (reply.mended > 0).then(|| format!("{} parts", reply.mended));
        let mut damage: Vec<String> = reply.findings.get().lines().map(String::from).collect();
        if reply.damaged as usize > damage.len() {
            damage.push(format!("and {} more", reply.damaged as usize - damage.len()));
        }
        Ok(Looked {
            keys: reply.keys,
            pages: reply.pages,
            lost: reply.lost,
            unmapped: reply.unmapped,
            mended: mended.into_iter().collect(),
            damage,
        })
    }

    fn forget(&mut self) -> Outcome {
        done(self.state.dismiss(), "what was lost")
    }

    fn salvage(&mut self) -> Outcome<Vec<String>> {
        self.salvages = self.health()?.fault.is_some();
        let damage = self.check(false)?.damage;
        if self.salvages || damage.is_empty() {
            return Ok(damage);
        }
        // It is served, and goes on changing: nothing of it can be read as if it had been repaired.
        Err(Failure::new(
            Exit::Failed,
            "a part of what is stored is damaged, and everything else is served",
            "what is damaged is taken out and named, and the rest can be saved then: nx state fsck --repair",
        ))
    }

    fn reset(&mut self) -> Outcome<String> {
        done(self.state.reset(), "the store")?;
        Ok(self.health()?.store)
    }
}
