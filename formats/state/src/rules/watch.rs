//! Who wants to know what changed. Each has room for so many events; when there are more, it is told once to look for itself.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

use super::{Error, Path};

/// Most watches at a time.
pub const MAX_WATCHES: usize = 64;

/// Most events that wait for one watch.
pub const MAX_EVENTS: usize = 32;

/// What a watch is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The path has another value, or none any more.
    Changed(Path),
    /// More happened than there was room for, or everything changed.
    Resync,
}

#[derive(Default)]
struct Watch {
    service: u32,
    prefix: String,
    events: VecDeque<Event>,
}

/// The watches.
#[derive(Default)]
pub struct Watches {
    all: BTreeMap<u64, Watch>,
    last: u64,
}

impl Watches {
    pub fn add(&mut self, service: u32, prefix: &str) -> Result<u64, Error> {
        if self.all.len() == MAX_WATCHES {
            return Err(Error::QuotaExceeded);
        }
        self.last += 1;
        self.all.insert(self.last, Watch { service, prefix: prefix.into(), events: VecDeque::new() });
        Ok(self.last)
    }

    pub fn remove(&mut self, service: u32, watch: u64) -> Result<(), Error> {
        self.mine(service, watch)?;
        self.all.remove(&watch);
        Ok(())
    }

    fn mine(&mut self, service: u32, watch: u64) -> Result<&mut Watch, Error> {
        self.all.get_mut(&watch).filter(|found| found.service == service).ok_or(Error::NotFound)
    }

    pub fn take(&mut self, service: u32, watch: u64) -> Result<Option<Event>, Error> {
        self.mine(service, watch).map(|watch| watch.events.pop_front())
    }

    /// Tells those who may know. The same path is told once until it is fetched.
    pub fn changed(&mut self, path: &Path, may_know: impl Fn(u32) -> bool) {
        let event = Event::Changed(path.clone());
        for watch in self.all.values_mut().filter(|watch| path.is_under(&watch.prefix)) {
            if !may_know(watch.service)
                || watch.events.contains(&event)
                || watch.events.back() == Some(&Event::Resync)
            {
                continue;
            }
            if watch.events.len() == MAX_EVENTS {
                watch.events.clear();
                watch.events.push_back(Event::Resync);
            } else {
                watch.events.push_back(event.clone());
            }
        }
    }

    /// Everything changed.
    pub fn resync(&mut self) {
        for watch in self.all.values_mut() {
            watch.events.clear();
            watch.events.push_back(Event::Resync);
        }
    }
}
