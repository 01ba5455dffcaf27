//! The search for a table, as steps: which sectors are to be read next, until there is an answer.

use crate::SECTOR;
use crate::table::{Damage, Header, Partition, partitions};
use alloc::vec::Vec;

/// Sectors that are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Need {
    /// The first.
    pub sector: u64,
    /// How many: at least one, at most [`MAX_ENTRY_SECTORS`](crate::MAX_ENTRY_SECTORS).
    pub count: u64,
}

/// How a search goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// These sectors are to be read and given to [`Scan::feed`], or [`Scan::failed`] is to be told.
    Read(Need),
    /// The partitions, and whether the table at the back had to be taken.
    Found(Vec<Partition>, bool),
    /// The disk has no table that can be believed; this is what is wrong with the one at the front.
    Nothing(Damage),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header { back: bool },
    Entries { back: bool, header: Header },
}

/// A search.
#[derive(Clone, Debug)]
pub struct Scan {
    disk: u64,
    state: State,
    front: Damage,
}

impl Scan {
    /// Begins a search on a disk of that many sectors.
    pub fn begin(disk: u64) -> (Scan, Step) {
        let scan = Scan { disk, state: State::Header { back: false }, front: Damage::None };
        // A front header, a back header and one sector between them are the least.
        let step = if disk < 3 { Step::Nothing(Damage::None) } else { scan.need() };
        (scan, step)
    }

    fn need(&self) -> Step {
        Step::Read(match self.state {
            State::Header { back: false } => Need { sector: 1, count: 1 },
            State::Header { back: true } => Need { sector: self.disk - 1, count: 1 },
            State::Entries { header, .. } => Need { sector: header.entries, count: header.entry_sectors },
        })
    }

    /// Goes on with what was read. (Fewer bytes than were asked for count as damage.)
    pub fn feed(&mut self, bytes: &[u8]) -> Step {
        match self.state {
            State::Header { back } => {
                let here = if back { self.disk - 1 } else { 1 };
                let sector = bytes.first_chunk::<SECTOR>().ok_or(Damage::Header);
                match sector.and_then(|sector| Header::read(sector, here, self.disk)) {
                    Ok(header) => {
                        self.state = State::Entries { back, header };
                        self.need()
                    }
                    Err(damage) => self.damaged(back, damage),
                }
            }
            State::Entries { back, header } => match partitions(&header, bytes) {
                Ok(found) => Step::Found(found, back),
                Err(damage) => self.damaged(back, damage),
            },
        }
    }

    /// The sectors could not be read.
    pub fn failed(&mut self) -> Step {
        let (State::Header { back } | State::Entries { back, .. }) = self.state;
        self.damaged(back, Damage::Checksum)
    }

    fn damaged(&mut self, back: bool, damage: Damage) -> Step {
        if back {
            return Step::Nothing(self.front);
        }
        self.front = damage;
        self.state = State::Header { back: true };
        self.need()
    }
}
