//! What clients asked for: sessions, each with one range of sectors and one piece of shared memory; calls, each of several
//! requests; and who is answered when. Everything is bounded, and each transfer is checked before the first is begun.
//!
//! A device that lies or is late is reset; whoever had a request there is told that it failed, and those who wait go on. After a few
//! faults without a success between them it is given up.

use crate::disk::{Disk, Done, Kind, Request, SECTOR};
use crate::search::{Found, Search};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use alloc::vec::{Drain, Vec};
use core::mem;
use nexus_driver::{Fault, Memory, Pool, Registers};
use nexus_rt::api::block::{Error, MAX_BUFFER, MAX_TRANSFERS, Transfer};

/// Most sessions at a time.
pub const MAX_SESSIONS: usize = 16;

/// Sessions that one service may have. No more services are listed than have so many each (`rules.rs`).
pub const MAX_OPEN: usize = 4;

/// Most calls of one session that are not answered yet.
pub const MAX_CALLS: usize = 4;

/// Faults without a success between them before the device is given up.
pub const MAX_FAULTS: u32 = 5;

/// The name of the whole disk.
pub const WHOLE: &str = "*";

/// What the search's own requests are known by.
const SEARCH: u64 = 0;

/// A range of sectors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first.
    pub first: u64,
    /// How many.
    pub sectors: u64,
}

#[derive(Debug)]
struct Session<M> {
    opener: u32,
    range: Range,
    buffer: Option<Rc<M>>,
    calls: usize,
}

#[derive(Debug)]
struct Call<P> {
    promise: P,
    session: u64,
    left: usize,
    failed: bool,
    flush: bool,
}

/// The driver's logic. `P` is what an answer is owed by.
#[derive(Debug)]
pub struct Service<R, M, P> {
    disk: Disk<R, M>,
    search: Option<Search<M>>,
    found: Option<Found>,
    sessions: BTreeMap<u64, Session<M>>,
    calls: BTreeMap<u64, Call<P>>,
    next_call: u64,
    waiting: VecDeque<Request<M>>,
    finished: Vec<(P, Result<(), Error>)>,
    /// Room for what one interrupt brings; empty between two.
    given_back: Vec<Done>,
    /// How long the device may have a request, in ticks.
    patience: u64,
    faults: u32,
    last_fault: Option<Fault>,
}

impl<R: Registers, M: Memory, P> Service<R, M, P> {
    /// Brings the device up and begins to look for partitions.
    pub fn begin(
        mut disk: Disk<R, M>,
        pool: &mut impl Pool<Memory = M>,
        patience: u64,
        now: u64,
    ) -> Result<Service<R, M, P>, Fault> {
        disk.bring_up()?;
        let search = match Search::begin(disk.sectors(), pool) {
            Ok(search) => search,
            Err(fault) => {
                disk.bring_down()?;
                return Err(fault);
            }
        };
        let mut service = Service {
            disk,
            search: Some(search),
            found: None,
            sessions: BTreeMap::new(),
            calls: BTreeMap::new(),
            next_call: SEARCH + 1,
            waiting: VecDeque::new(),
            finished: Vec::new(),
            given_back: Vec::new(),
            patience,
            faults: 0,
            last_fault: None,
        };
        service.go_on_searching();
        service.pump(now);
        Ok(service)
    }

    /// The device.
    pub fn disk(&self) -> &Disk<R, M> {
        &self.disk
    }

    /// What partitions there are, once that is known.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// The last fault of the device, once.
    pub fn take_fault(&mut self) -> Option<Fault> {
        self.last_fault.take()
    }

    /// Whether the device was given up: nothing will be answered but errors.
    pub fn gave_up(&self) -> bool {
        self.faults > MAX_FAULTS
    }

    /// Answers that are owed now.
    pub fn take_finished(&mut self) -> Drain<'_, (P, Result<(), Error>)> {
        self.finished.drain(..)
    }

    /// The sectors of a partition. `None` when there is none of that name, or more than one.
    pub fn partition(&self, name: &str) -> Option<Range> {
        if name == WHOLE {
            return Some(Range { first: 0, sectors: self.disk.sectors() });
        }
        let Some(Found::Table(partitions, _)) = &self.found else { return None };
        let mut named = partitions.iter().filter(|partition| partition.name == name);
        match (named.next(), named.next()) {
            (Some(one), None) => Some(Range { first: one.first, sectors: one.sectors }),
            _ => None,
        }
    }

    /// Whether that service may open one more session.
    pub fn has_room(&self, opener: u32) -> bool {
        self.sessions.values().filter(|session| session.opener == opener).count() < MAX_OPEN
    }

    /// Opens a session of that service under a key. Its range ends with the disk at the latest.
    pub fn open(&mut self, key: u64, opener: u32, range: Range) {
        self.sessions.insert(key, Session { opener, range, buffer: None, calls: 0 });
    }

    /// Closes it. What the device has of it goes on to its end; what waits is dropped.
    pub fn close(&mut self, key: u64) {
        self.sessions.remove(&key);
        let calls: Vec<u64> =
            self.calls.iter().filter(|(_, call)| call.session == key).map(|(id, _)| *id).collect();
        for id in calls {
            self.calls.remove(&id);
            self.waiting.retain(|request| request.id != id);
        }
    }

    /// The session's range.
    pub fn range(&self, key: u64) -> Option<Range> {
        self.sessions.get(&key).map(|session| session.range)
    }

    /// The service that opened the session.
    pub fn opener(&self, key: u64) -> Option<u32> {
        self.sessions.get(&key).map(|session| session.opener)
    }

    /// Whether memory of that many bytes may be made for a session.
    pub fn may_share(&self, key: u64, bytes: usize) -> Result<(), Error> {
        let session = self.sessions.get(&key).ok_or(Error::Invalid)?;
        if session.buffer.is_some() {
            return Err(Error::Exists);
        }
        if (1..=MAX_BUFFER).contains(&bytes) { Ok(()) } else { Err(Error::Invalid) }
    }

    /// Memory that the session's client shares from now on.
    pub fn share(&mut self, key: u64, memory: M) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.buffer = Some(Rc::new(memory));
        }
    }

    /// The memory that the session shares, if it does.
    pub fn memory(&self, key: u64) -> Option<Rc<M>> {
        self.sessions.get(&key)?.buffer.clone()
    }

    /// Begins transfers, and a flush after them. Nothing has begun when this answers an error.
    pub fn transfer(
        &mut self,
        key: u64,
        kind: Kind,
        transfers: &[Transfer],
        flush: bool,
        promise: P,
        now: u64,
    ) -> Result<(), Error> {
        if transfers.len() > MAX_TRANSFERS || (transfers.is_empty() && !flush) {
            return Err(Error::Invalid);
        }
        if self.gave_up() {
            return Err(Error::Io);
        }
        let session = self.sessions.get_mut(&key).ok_or(Error::Invalid)?;
        if session.calls == MAX_CALLS {
            return Err(Error::NotReady);
        }
        let id = self.next_call;
        let before = self.waiting.len();
        let mut checked = transfers.iter().try_for_each(|transfer| {
            self.waiting.push_back(request(session, kind, transfer, id)?);
            Ok(())
        });
        if kind == Kind::Write && !transfers.is_empty() && self.disk.is_read_only() {
            checked = checked.and(Err(Error::ReadOnly));
        }
        if checked.is_err() {
            self.waiting.truncate(before);
            return checked;
        }
        self.next_call += 1;
        session.calls += 1;
        let call = Call { promise, session: key, left: transfers.len(), failed: false, flush };
        self.calls.insert(id, call);
        self.advance(id);
        self.pump(now);
        Ok(())
    }

    /// Ends a call that has nothing left to wait for, or begins its flush.
    fn advance(&mut self, id: u64) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.left == 0) else { return };
        if mem::take(&mut call.flush) && !call.failed && self.disk.needs_flush() {
            call.left = 1;
            self.waiting.push_back(Request {
                kind: Kind::Flush,
                sector: 0,
                count: 0,
                buffer: None,
                offset: 0,
                id,
            });
            return;
        }
        if let Some(call) = self.calls.remove(&id) {
            if let Some(session) = self.sessions.get_mut(&call.session) {
                session.calls -= 1;
            }
            self.finished.push((call.promise, if call.failed { Err(Error::Io) } else { Ok(()) }));
        }
    }

    fn done(&mut self, done: Done) {
        if done.id == SEARCH {
            if let Some(search) = &mut self.search {
                search.read(done.good);
            }
            self.go_on_searching();
        } else if let Some(call) = self.calls.get_mut(&done.id) {
            call.left -= 1;
            call.failed |= !done.good;
            self.advance(done.id);
        }
    }

    fn go_on_searching(&mut self) {
        let Some(search) = &self.search else { return };
        match (search.request(SEARCH), search.found()) {
            (Some(request), _) => self.waiting.push_back(request),
            (None, found) => {
                self.found = found;
                self.search = None;
            }
        }
    }

    /// Hands the device what waits, as far as it has room.
    fn pump(&mut self, now: u64) {
        while !self.gave_up() {
            let Some(next) = self.waiting.front() else { break };
            match self.disk.submit(next, now) {
                Ok(()) => {
                    self.waiting.pop_front();
                }
                Err(Fault::Full) => break,
                Err(fault) => self.fault(fault),
            }
        }
        if !self.gave_up()
            && let Err(fault) = self.disk.tell()
        {
            self.fault(fault);
            self.pump(now);
        }
    }

    /// The device interrupted.
    pub fn interrupt(&mut self, now: u64) {
        if self.gave_up() {
            return;
        }
        let mut given_back = mem::take(&mut self.given_back);
        let outcome = self.disk.interrupt(&mut given_back);
        if given_back.iter().any(|done| done.good) {
            self.faults = 0;
        }
        given_back.drain(..).for_each(|done| self.done(done));
        self.given_back = given_back;
        if let Err(fault) = outcome {
            self.fault(fault);
        }
        self.pump(now);
    }

    /// Resets the device; whoever had a request there is told that it failed. A device that does not come up again counts as
    /// one more fault, until it is given up, and with it everything that waits.
    fn fault(&mut self, fault: Fault) {
        let mut fault = Some(fault);
        while let Some(why) = fault {
            self.faults += 1;
            self.last_fault = Some(why);
            let lost = self.disk.abandon();
            lost.into_iter().for_each(|id| self.done(Done { id, good: false }));
            if self.gave_up() {
                // It shall write nowhere any more. If it does not obey, its memory stays taken.
                let _ = self.disk.bring_down();
                self.search = None;
                for request in mem::take(&mut self.waiting) {
                    self.done(Done { id: request.id, good: false });
                }
                // A failed call begins no flush, so that nothing waits again.
                return;
            }
            fault = self.disk.bring_up().err();
        }
    }

    /// When [`Service::tick`] is to be called, if the device has not interrupted before.
    pub fn deadline(&self) -> Option<u64> {
        if self.gave_up() {
            None
        } else {
            self.disk.oldest().map(|since| since.saturating_add(self.patience))
        }
    }

    /// A deadline may have passed: then the device is late.
    pub fn tick(&mut self, now: u64) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.fault(Fault::Late);
            self.pump(now);
        }
    }
}

/// A transfer as a request to the device, if it lies inside the session's range and memory.
fn request<M: Memory>(
    session: &Session<M>,
    kind: Kind,
    transfer: &Transfer,
    id: u64,
) -> Result<Request<M>, Error> {
    let buffer = session.buffer.as_ref().ok_or(Error::Invalid)?;
    let (count, offset) = (u64::from(transfer.count), u64::from(transfer.offset));
    let end = transfer.sector.checked_add(count).ok_or(Error::Invalid)?;
    let fits = offset + count * SECTOR <= buffer.len() as u64;
    if count == 0 || end > session.range.sectors || !fits || !offset.is_multiple_of(SECTOR) {
        return Err(Error::Invalid);
    }
    let sector = session.range.first.checked_add(transfer.sector).ok_or(Error::Invalid)?;
    let (buffer, offset) = (Some(buffer.clone()), offset as usize);
    Ok(Request { kind, sector, count, buffer, offset, id })
}
