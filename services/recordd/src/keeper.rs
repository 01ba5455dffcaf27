//! The records that wait to be kept, and those that are: so many and no more, the oldest go first.
//!
//! Nothing here waits. What cannot be kept now waits within a bound and is tried again; every write can be done twice. What must never happen:
//! records of an earlier boot are taken for this one's, or more is stored than the bounds say.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use nexus_records::{Crash, Entry, Segment, paths};

/// Boots whose logs are kept besides this one's.
pub const BOOTS: u32 = 3;

/// Parts of one boot's log that are kept.
pub const SEGMENTS: u32 = 20;

/// Crash records that are kept.
pub const CRASHES: usize = 32;

/// Crash records that wait to be kept.
pub const WAITING: usize = 16;

/// Where it is kept.
pub trait Shelf {
    /// Why something was not done: it is tried again later.
    type Error;

    /// The paths under a prefix, in order.
    fn list(&mut self, prefix: &str) -> Result<Vec<String>, Self::Error>;

    /// A value; nothing if there is none.
    fn get(&mut self, path: &str) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Gives a path a value, which survives a power cut then.
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Takes a value away; none is as well.
    fn delete(&mut self, path: &str) -> Result<(), Self::Error>;
}

/// This boot, once the shelf was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Boot {
    number: u32,
    /// The part of the log that is written to.
    segment: u32,
}

/// The keeper.
#[derive(Debug)]
pub struct Keeper {
    hz: u64,
    /// Whether this is the first one of this boot.
    first: bool,
    boot: Option<Boot>,
    /// Parts that are full and not written yet.
    full: VecDeque<Segment>,
    now: Segment,
    /// Whether there is something in `now` that is not written.
    unwritten: bool,
    /// Crashes that are not written yet, by their number in this boot.
    crashes: VecDeque<(u32, Crash)>,
}

impl Keeper {
    /// Nothing is kept yet. `first`: whether there was none before in this boot; `hz`: ticks a second.
    pub fn new(first: bool, hz: u64) -> Keeper {
        let now = Segment::new(hz);
        Keeper {
            hz,
            first,
            boot: None,
            full: VecDeque::new(),
            now,
            unwritten: false,
            crashes: VecDeque::new(),
        }
    }

    /// A log record is to be kept.
    pub fn log(&mut self, entry: Entry) {
        self.unwritten = true;
        if let Some(entry) = self.now.push(entry) {
            self.full.push_back(core::mem::replace(&mut self.now, Segment::new(self.hz)));
            // An empty part has room for any record.
            self.now.push(entry);
            if self.full.len() > SEGMENTS as usize {
                self.full.pop_front();
            }
        }
    }

    /// A crash is to be kept: the one with this number in this boot.
    pub fn crash(&mut self, number: u32, crash: Crash) {
        self.crashes.push_back((number, crash));
        if self.crashes.len() > WAITING {
            self.crashes.pop_front();
        }
    }

    /// Whether something waits to be written.
    pub fn waits(&self) -> bool {
        self.unwritten || !self.full.is_empty() || !self.crashes.is_empty()
    }

    /// The newest record of this boot that an earlier keeper wrote, if there was one: the log goes on behind it.
    pub fn last<S: Shelf>(&mut self, shelf: &mut S) -> Result<Option<Entry>, S::Error> {
        let Boot { number, segment } = self.open(shelf)?;
        let Some(before) = segment.checked_sub(1).filter(|_| !self.first) else { return Ok(None) };
        let bytes = shelf.get(&paths::log(number, before))?;
        Ok(bytes.and_then(|bytes| Segment::decode(&bytes)?.entries.pop()))
    }

    /// Finds out which boot this is, and lets go what is too old.
    fn open<S: Shelf>(&mut self, shelf: &mut S) -> Result<Boot, S::Error> {
        if let Some(boot) = self.boot {
            return Ok(boot);
        }
        let logs: Vec<(u32, u32)> =
            shelf.list(paths::LOG)?.iter().filter_map(|path| paths::read_log(path)).collect();
        let crashes = shelf.list(paths::CRASH)?;
        let crashed = crashes.iter().filter_map(|path| paths::read_crash(path)).map(|(boot, _)| boot).max();
        let newest = logs.last().map(|(boot, _)| *boot).max(crashed);
        let boot = match newest {
            Some(newest) if !self.first => {
                let mine = logs.iter().filter(|(boot, _)| *boot == newest).map(|(_, segment)| *segment).max();
                Boot { number: newest, segment: mine.map_or(0, |last| last.saturating_add(1)) }
            }
            newest => Boot { number: newest.map_or(1, |newest| newest.saturating_add(1)), segment: 0 },
        };
        let boots: BTreeSet<u32> =
            logs.iter().map(|(boot, _)| *boot).filter(|known| *known != boot.number).collect();
        let surplus = boots.len().saturating_sub(BOOTS as usize);
        let gone: BTreeSet<u32> = boots.into_iter().take(surplus).collect();
        for (boot, segment) in logs.iter().filter(|(boot, _)| gone.contains(boot)) {
            shelf.delete(&paths::log(*boot, *segment))?;
        }
        self.boot = Some(boot);
        Ok(boot)
    }

    /// Writes what waits. After an error everything that is not written waits still.
    pub fn save<S: Shelf>(&mut self, shelf: &mut S) -> Result<(), S::Error> {
        let mut boot = self.open(shelf)?;
        while let Some(full) = self.full.front() {
            write(shelf, boot, full)?;
            self.full.pop_front();
            boot.segment += 1;
            self.boot = Some(boot);
        }
        if self.unwritten {
            write(shelf, boot, &self.now)?;
            self.unwritten = false;
        }
        while let Some((number, crash)) = self.crashes.front() {
            shelf.put(&paths::crash(boot.number, *number), &crash.encode())?;
            let kept = shelf.list(paths::CRASH)?;
            for old in kept.iter().take(kept.len().saturating_sub(CRASHES)) {
                shelf.delete(old)?;
            }
            self.crashes.pop_front();
        }
        Ok(())
    }
}

/// Writes a part of the log, and lets the one go that it makes too old.
fn write<S: Shelf>(shelf: &mut S, boot: Boot, segment: &Segment) -> Result<(), S::Error> {
    shelf.put(&paths::log(boot.number, boot.segment), &segment.encode())?;
    match boot.segment.checked_sub(SEGMENTS) {
        Some(old) => shelf.delete(&paths::log(boot.number, old)),
        None => Ok(()),
    }
}
