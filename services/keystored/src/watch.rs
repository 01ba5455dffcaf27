//! Watches what is sealed, so that how far it has come is written down soon after it changed. One word is told until all that happened was fetched.
//!
//! What must never happen: something changed, and nobody will be told of it.

use alloc::vec::Vec;

/// What is watched, of the state authority.
pub trait Events {
    /// Begins to watch a prefix; answers the key under which words come, and what the watch is called.
    fn watch(&mut self, prefix: &str) -> Option<(u64, u64)>;
    /// Whether there was one more event; nothing, when that cannot be known now.
    fn event(&mut self, watch: u64) -> Option<bool>;
    /// Ends a watch.
    fn end(&mut self, key: u64);
}

/// Most events that are fetched of one watch at a time: what comes while they are fetched rings again.
const MAX_EVENTS: usize = 64;

/// The watches, and when what they told of is to be written down.
pub struct Watch {
    /// How long that is put off after the first word, in ticks.
    pause: u64,
    /// Each: the key under which words come, and what it is called.
    all: Vec<(u64, u64)>,
    due: Option<u64>,
}

impl Watch {
    /// Nothing is watched yet.
    pub fn new(pause: u64) -> Watch {
        Watch { pause, all: Vec::new(), due: None }
    }

    /// Whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Begins to watch these, as far as that is let. What was changed before is to be written down too.
    pub fn begin<'a>(&mut self, prefixes: impl Iterator<Item = &'a str>, events: &mut impl Events, now: u64) {
        self.all.extend(prefixes.filter_map(|prefix| events.watch(prefix)));
        if !self.all.is_empty() {
            self.told(now);
        }
    }

    /// Whether a word under this key is of what is watched.
    pub fn is_mine(&self, key: u64) -> bool {
        self.all.iter().any(|(mine, _)| *mine == key)
    }

    /// Something happened.
    pub fn told(&mut self, now: u64) {
        self.due.get_or_insert(now.saturating_add(self.pause));
    }

    /// When there is something to be written down.
    pub fn due(&self) -> Option<u64> {
        self.due
    }

    /// Whether it is time to write down what happened: it was fetched, so that whatever happens from now on is told anew. What cannot be fetched now is
    /// tried again later.
    pub fn take(&mut self, events: &mut impl Events, now: u64) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        let mut fetch = |watch| {
            (0..MAX_EVENTS).try_for_each(|_| match events.event(watch) {
                Some(true) => Ok(()),
                Some(false) => Err(true),
                None => Err(false),
            })
        };
        if !self.all.iter().all(|(_, watch)| fetch(*watch) == Err(true)) {
            self.told(now);
            return false;
        }
        true
    }

    /// The state authority is gone, and what it watched with it.
    pub fn lost(&mut self, events: &mut impl Events) {
        self.all.drain(..).for_each(|(key, _)| events.end(key));
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of two watches, or an authority that does not answer.
    #[derive(Default)]
    struct Fake {
        waiting: [usize; 2],
        is_away: bool,
        ended: Vec<u64>,
    }

    impl Events for Fake {
        fn watch(&mut self, prefix: &str) -> Option<(u64, u64)> {
            (prefix != "denied").then_some((prefix.len() as u64, if prefix == "a" { 0 } else { 1 }))
        }

        fn event(&mut self, watch: u64) -> Option<bool> {
            let waiting = &mut self.waiting[watch as usize];
            let is_one = *waiting > 0;
            *waiting -= usize::from(is_one);
            (!self.is_away).then_some(is_one)
        }

        fn end(&mut self, key: u64) {
            self.ended.push(key);
        }
    }

    #[test]
    fn what_happened_is_fetched_once_and_nothing_is_forgotten() {
        let (mut watch, mut fake) = (Watch::new(100), Fake::default());
        watch.begin(["denied"].into_iter(), &mut fake, 0);
        assert!(watch.is_empty() && watch.due().is_none());
        watch.begin(["a", "denied", "bb"].into_iter(), &mut fake, 7);
        assert!(watch.is_mine(1) && watch.is_mine(2) && !watch.is_mine(6));
        assert_eq!(watch.due(), Some(107), "what was before it was watched");
        assert!(!watch.take(&mut fake, 106) && watch.take(&mut fake, 107) && watch.due().is_none());
        // The first word counts, and later ones put nothing off.
        watch.told(200);
        watch.told(290);
        fake.waiting = [3, MAX_EVENTS - 1];
        assert!(watch.take(&mut fake, 300) && fake.waiting == [0, 0]);
        assert!(!watch.take(&mut fake, 10_000), "nothing happened since");
        // More than is fetched at a time, and an authority that does not answer: once more, later.
        watch.told(400);
        fake.waiting = [0, MAX_EVENTS];
        assert!(!watch.take(&mut fake, 500) && watch.due() == Some(600));
        fake.is_away = true;
        assert!(!watch.take(&mut fake, 600) && watch.due() == Some(700));
        fake.is_away = false;
        assert!(watch.take(&mut fake, 700));
        watch.told(800);
        watch.lost(&mut fake);
        assert!(watch.is_empty() && watch.due().is_none() && fake.ended == [1, 2]);
    }
}
