//! `recordd`: keeps under `/state` what a machine knew when it ended: the end of its log, and a record of each process that faulted.
//!
//! It is told of new records by the log, and asks the supervisor for faults then; nobody waits for it. What must never happen: what it writes makes it write
//! again, so it says nothing about what it keeps.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod shelf;

use alloc::collections::BTreeMap;
use alloc::string::String;

use nexus_records::{Crash, Entry};
use nexus_rt::abi::{Error as Refused, NEVER, Ticks};
use nexus_rt::api::{log, news, supervise, time};
use nexus_rt::channel::end;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{CallError, Fixed, Sender};
use nexus_rt::{Channel, End, Incoming, Owned, Server, Startup, clock, error, warn};
use recordd::keeper::Keeper;
use shelf::State;

nexus_rt::main!(run);

/// Exit codes: a grant is missing, the kernel refused what it cannot do without.
const NO_GRANT: u64 = 3;
const REFUSED: u64 = 4;

/// How long records are gathered before they are written.
const GATHER_MS: u64 = 1_000;

/// How long `/state` and the log are left alone after they did not do what was asked, at first and at most.
const PAUSE_MS: u64 = 2_000;
const MAX_PAUSE_MS: u64 = 60_000;

/// What this end of the channel for news can receive: one message says it.
const NEWS_END: End = end(1, news::REQUEST_ROOM);

struct Recorder {
    log: log::Client<Service>,
    time: time::Client<Service>,
    supervisor: supervise::Client<Fixed<Owned<Channel>>>,
    state: State,
    keeper: Keeper,
    /// Names by service id.
    names: BTreeMap<u32, String>,
    /// The next record, once it is known how far an earlier keeper came.
    next: Option<u64>,
    next_fault: u32,
    /// Key of the channel over which the log tells of new records.
    news: Option<u64>,
    /// When to write what waits, or to ask again.
    due: Ticks,
    pause_ms: u64,
}

fn run(mut startup: Startup) -> u64 {
    let Some(supervisor) = startup.take("supervise") else { return NO_GRANT };
    match serve(&startup, supervisor) {
        Ok(()) => 0,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

fn serve(startup: &Startup, supervisor: Owned<Channel>) -> Result<(), Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let own = startup.process().ok_or(Refused::NotFound)?.info()?.identity.service;
    let mut supervisor = supervise::Client::new(Fixed::new(supervisor));
    let (names, first) = processes(&mut supervisor, own);
    let mut server = Server::new(quota)?;
    server.keep_up()?;
    let mut recorder = Recorder {
        log: log::Client::new(Service("log")),
        time: time::Client::new(Service("time")),
        supervisor,
        state: State::default(),
        keeper: Keeper::new(first, clock::timebase()),
        names,
        next: None,
        next_fault: 0,
        news: None,
        due: clock::in_millis(GATHER_MS),
        pause_ms: PAUSE_MS,
    };
    startup.ready();
    loop {
        match server.next(recorder.due)? {
            Incoming::Message(message) | Incoming::Call(message) => {
                server.serve(message, |_, sender, packet| news::dispatch(&mut Bell, sender, packet));
                recorder.rung();
            }
            // The log ended, and what it kept with it. The next one counts from 0.
            Incoming::Gone { key } if recorder.news.take_if(|news| *news == key).is_some() => {
                recorder.next = recorder.next.map(|_| 0);
                recorder.due = clock::now();
            }
            Incoming::TimedOut => recorder.work(&mut server, quota),
            Incoming::Gone { .. } | Incoming::Event { .. } => {}
        }
    }
}

/// The name of each service, and whether this is the first instance of this process since the machine was switched on.
fn processes(
    supervisor: &mut supervise::Client<Fixed<Owned<Channel>>>,
    own: u32,
) -> (BTreeMap<u32, String>, bool) {
    let (mut names, mut first) = (BTreeMap::new(), true);
    for index in 0..=u16::MAX {
        let Ok(process) = supervisor.stat(index) else { break };
        names.insert(process.service, String::from(process.name.get()));
        if process.service == own {
            first = process.starts <= 1;
        }
    }
    (names, first)
}

/// News have nothing to say but that they came.
struct Bell;

impl news::Server for Bell {
    fn added(&mut self, _sender: Sender) {}
}

impl Recorder {
    /// The log has something new: it is fetched a little later, together with what comes until then.
    fn rung(&mut self) {
        if self.due == NEVER {
            self.due = clock::in_millis(GATHER_MS);
        }
    }

    /// Fetches and writes; what does not succeed is tried again later.
    fn work(&mut self, server: &mut Server, quota: &Owned<nexus_rt::QuotaKind>) {
        self.due = NEVER;
        let done = self.watch(server, quota) && self.begin() && self.fetch();
        self.faults();
        let saved = !self.keeper.waits() || self.keeper.save(&mut self.state).is_ok();
        if done && saved {
            self.pause_ms = PAUSE_MS;
        } else {
            self.due = clock::in_millis(self.pause_ms);
            self.pause_ms = (self.pause_ms * 2).min(MAX_PAUSE_MS);
        }
    }

    /// Has the log tell of new records.
    fn watch(&mut self, server: &mut Server, quota: &Owned<nexus_rt::QuotaKind>) -> bool {
        if self.news.is_some() {
            return true;
        }
        let made = Owned::<Channel>::create(quota, NEWS_END, End::default());
        let Ok((key, theirs)) = made.and_then(|(mine, theirs)| Ok((server.attach(mine)?, theirs))) else {
            return false;
        };
        let watched = self.log.watch(theirs.into()).is_ok();
        if watched {
            self.news = Some(key)
        } else {
            server.detach(key)
        }
        watched
    }

    /// Finds out which record is the next: the first, or the one behind those that an earlier keeper wrote, if the log still has these.
    fn begin(&mut self) -> bool {
        if self.next.is_some() {
            return true;
        }
        let Ok(last) = self.keeper.last(&mut self.state) else { return false };
        self.next = match last {
            Some(last) => match self.log.read(last.sequence) {
                Ok(record) if (record.sequence, record.time) == (last.sequence, last.time) => {
                    Some(last.sequence + 1)
                }
                Ok(_) | Err(CallError::Service(log::Error::NotFound)) => Some(0),
                Err(_) => None,
            },
            None => Some(0),
        };
        self.next.is_some()
    }

    /// Takes over what the log has.
    fn fetch(&mut self) -> bool {
        let Some(next) = &mut self.next else { return false };
        loop {
            match self.log.read(*next) {
                Ok(record) => {
                    *next = record.sequence + 1;
                    let name = match (record.service, self.names.get(&record.service)) {
                        (_, Some(name)) => name.clone(),
                        (0, None) => String::from("kernel"),
                        (other, None) => alloc::format!("service {other}"),
                    };
                    self.keeper.log(Entry {
                        sequence: record.sequence,
                        time: record.time,
                        service: record.service,
                        generation: record.generation,
                        level: record.level as u8,
                        purpose: record.purpose as u8,
                        name,
                        text: String::from(record.text.get()),
                    });
                }
                Err(CallError::Service(log::Error::NotFound)) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Takes over what the supervisor knows of faults.
    fn faults(&mut self) {
        while let Ok(fault) = self.supervisor.fault(self.next_fault) {
            if fault.number > self.next_fault {
                warn!(
                    "{} faults before number {} are not known any more",
                    fault.number - self.next_fault,
                    fault.number
                );
            }
            self.next_fault = fault.number + 1;
            let hz = clock::timebase().max(1);
            let unix = self.time.now().map_or(0, |now| {
                (now.unix_ns / 1_000_000_000).saturating_sub(now.ticks.saturating_sub(fault.time) / hz)
            });
            let crash = Crash {
                time: fault.time,
                hz,
                unix,
                code: fault.code,
                pc: fault.pc,
                address: fault.address,
                registers: fault.registers,
                image: fault.image,
                service: fault.service,
                generation: fault.generation,
                name: String::from(fault.name.get()),
                program: String::from(fault.program.get()),
            };
            self.keeper.crash(fault.number, crash);
        }
    }
}
