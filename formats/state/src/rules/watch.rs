//! Who wants to know what changed. Each has room for so many events; when there are more, it is told once to look for itself.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::{Error, Path};

/// Most watches at a time, and of one service.
pub const MAX_WATCHES: usize = 64;
/// See [`MAX_WATCHES`].
pub const MAX_WATCHES_EACH: usize = 16;

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

/// The watches. They outlive the state that they are of: what is mounted again may be another one, which each of them is told.
#[derive(Default)]
pub struct Watches {
    all: BTreeMap<u64, Watch>,
    last: u64,
    /// Those with something new since all of it was fetched.
    rung: BTreeSet<u64>,
}

impl Watches {
    /// Begins one.
    pub fn add(&mut self, service: u32, prefix: &str) -> Result<u64, Error> {
        let own = self.all.values().filter(|watch| watch.service == service).count();
        if self.all.len() == MAX_WATCHES || own == MAX_WATCHES_EACH {
            return Err(Error::QuotaExceeded);
        }
        self.last += 1;
        self.all.insert(self.last, Watch { service, prefix: prefix.into(), events: VecDeque::new() });
        Ok(self.last)
    }

    /// Ends one.
    pub fn remove(&mut self, service: u32, watch: u64) -> Result<(), Error> {
        self.mine(service, watch)?;
        self.all.remove(&watch);
        self.rung.remove(&watch);
        Ok(())
    }

    fn mine(&mut self, service: u32, watch: u64) -> Result<&mut Watch, Error> {
        self.all.get_mut(&watch).filter(|found| found.service == service).ok_or(Error::NotFound)
    }

    /// Its next event, if there is one.
    pub fn take(&mut self, service: u32, watch: u64) -> Result<Option<Event>, Error> {
        self.mine(service, watch).map(|watch| watch.events.pop_front())
    }

    /// Tells those who may know. The same path is told once until it is fetched.
    pub fn changed(&mut self, path: &Path, may_know: impl Fn(u32) -> bool) {
        let event = Event::Changed(path.clone());
        for (id, watch) in self.all.iter_mut().filter(|(_, watch)| path.is_under(&watch.prefix)) {
            if !may_know(watch.service)
                || watch.events.contains(&event)
                || watch.events.back() == Some(&Event::Resync)
            {
                continue;
            }
            if watch.events.is_empty() {
                self.rung.insert(*id);
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
        for (id, watch) in &mut self.all {
            watch.events.clear();
            watch.events.push_back(Event::Resync);
            self.rung.insert(*id);
        }
    }

    /// Those that have something where they had nothing, since this was last asked.
    pub fn rung(&mut self) -> Vec<u64> {
        core::mem::take(&mut self.rung).into_iter().collect()
    }
}
