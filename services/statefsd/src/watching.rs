//! Who watches, by connection, and where each is told. What happened is with the rules; a watch lives no longer than its connection.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state;
use nexus_rt::wire::Sender;
use nexus_rt::{Channel, Owned};
use nexus_state::rules::Event;

/// Whose a watch is, and where it is told.
struct Watcher {
    key: u64,
    service: u32,
    news: Owned<Channel>,
}

/// Those that watch, by what their watches are called.
#[derive(Default)]
pub struct Watching(BTreeMap<u64, Watcher>);

impl Watching {
    /// A client watches from now on.
    pub fn begin(&mut self, watch: u64, sender: Sender, news: Owned<Channel>) {
        self.0.insert(watch, Watcher { key: sender.key, service: sender.identity.service, news });
    }

    /// A watch ends; whose it was.
    pub fn end(&mut self, watch: u64) -> Option<u32> {
        self.0.remove(&watch).map(|watcher| watcher.service)
    }

    /// The watches of a connection.
    pub fn of(&self, key: u64) -> Vec<u64> {
        self.0.iter().filter(|(_, watcher)| watcher.key == key).map(|(watch, _)| *watch).collect()
    }

    /// Where these watches are told.
    pub fn places(&self, watches: Vec<u64>) -> Vec<(u64, &Owned<Channel>)> {
        watches.into_iter().filter_map(|watch| Some((watch, &self.0.get(&watch)?.news))).collect()
    }
}

/// An event as the interface has it, with the path that it is about.
pub fn happened(event: Option<Event>) -> (state::Event, String) {
    match event {
        None => (state::Event::None, String::new()),
        Some(Event::Resync) => (state::Event::Resync, String::new()),
        Some(Event::Changed(path)) => (state::Event::Changed, String::from(path.as_str())),
    }
}
