//! `logd`: takes records from every process, keeps the newest, and prints them to the console.
//!
//! It calls nobody but the console's driver, which answers at once, so whoever logs cannot be held up by it. What that driver had taken and not sent
//! when it died is shown by the next one.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use logd::kernel::{self, Seen};
use logd::rate::{Limiter, Verdict};
use logd::record::{Record, harmless, mark};
use logd::ring::Ring;
use logd::unsent::Unsent;
use nexus_abi::{Error, Identity, NEVER, Signals, Ticks};
use nexus_rt::api::log::{self, Level, MAX_KEPT, MAX_TEXT, Purpose, ReadReply};
use nexus_rt::api::{console, introduce, news};
use nexus_rt::channel::end;
use nexus_rt::owned::Resource;
use nexus_rt::wire::{Bytes, CallError, Fixed, Held, SendError, Sender, Text, kinds};
use nexus_rt::{Any, Channel, End, Incoming, Owned, Server, Startup, clock};

nexus_rt::main!(run);

/// Exit code when a grant is missing.
const NO_GRANT: u64 = 3;

/// Exit code when the kernel refused what `logd` cannot do without.
const REFUSED: u64 = 4;

/// How long dropped records wait to be told when their source went silent.
const SETTLE_MS: u64 = 1000;

/// How long a console that takes nothing is left alone.
const SHOW_MS: u64 = 20;

/// How long the console's next driver is waited for before the kernel shows what there is. The kernel cannot wait for a port that takes nothing.
const NEXT_DRIVER_MS: u64 = 3000;

/// Longest line: a name, a mark and a text, what could not be shown before, and the end of one that was cut.
const MAX_LINE: usize = MAX_KEPT + 128;
const _: () = assert!(MAX_LINE <= console::MAX_WRITE);

/// Most service ids whose names are known and that have an allowance of their own.
const MAX_SOURCES: usize = 256;

/// Most who are told of new records.
const MAX_WATCHERS: usize = 8;

/// Key under which the kernel tells that it has a record.
const KERNEL_KEY: u64 = 1;

/// Who the kernel is.
const KERNEL: Identity = Identity { service: 0, generation: 0 };

/// What this end of a channel can receive from a reader: calls only.
const READERS: End = end(0, log::REQUEST_ROOM);

/// What is known of one service id.
#[derive(Debug)]
struct Source {
    name: String,
    limiter: Limiter,
}

/// The log itself.
struct Log {
    ring: Ring,
    sources: BTreeMap<u32, Source>,
    /// For ids that nobody introduced.
    others: Limiter,
    /// Keys of the channels that processes were handed at start: they can only be written to.
    handed: BTreeSet<u64>,
    /// Who is told of new records.
    watchers: Vec<news::Client<Fixed<Owned<Channel>>>>,
    console: Option<Owned<Resource>>,
    /// The console's driver, once it has taken the console over from the kernel.
    driver: Option<console::Client<Fixed<Owned<Channel>>>>,
    /// When it need not be waited for any more.
    next_driver: Ticks,
    /// The number of the first record that was not shown yet.
    unshown: u64,
    /// What the driver may not have sent yet.
    unsent: Unsent,
    /// Whether a driver may have died in the middle of a line.
    cut: bool,
    records: Option<Owned<Resource>>,
    seen: Seen,
    /// This process.
    own: Identity,
    supervisor: Option<u32>,
}

fn run(mut startup: Startup) -> u64 {
    let (Some(quota), Some(control)) = (startup.quota(), startup.take("control")) else {
        return NO_GRANT;
    };
    let own = startup.process().and_then(|own| own.info().ok()).map_or(KERNEL, |info| info.identity);
    let mut log = Log {
        ring: Ring::default(),
        sources: BTreeMap::new(),
        others: Limiter::new(clock::now()),
        handed: BTreeSet::new(),
        watchers: Vec::new(),
        console: startup.take("console"),
        driver: None,
        next_driver: 0,
        unshown: 0,
        unsent: Unsent::default(),
        cut: false,
        records: startup.take("kernel-records"),
        seen: Seen::default(),
        own,
        supervisor: None,
    };
    let served = Server::new(quota).and_then(|mut server| {
        let control = server.attach(control)?;
        // A missing `samgrd` is no reason not to log; the name is registered when it comes up.
        if let Err(error) = server.provide(quota, "log", READERS) {
            log.own(&format!("cannot provide `log`: {error:?}"));
        }
        if let Some(records) = &log.records {
            server.watch(records, KERNEL_KEY, Signals::RECORD)?;
        }
        log.kernel();
        startup.ready();
        log.serve(&mut server, control)
    });
    match served {
        Ok(()) => 0,
        Err(_) => REFUSED,
    }
}

impl Log {
    fn serve(&mut self, server: &mut Server, control: u64) -> Result<(), Error> {
        loop {
            let deadline = if self.unshown < self.ring.next_sequence() {
                clock::in_millis(SHOW_MS)
            } else if self.owes() {
                clock::in_millis(SETTLE_MS)
            } else {
                NEVER
            };
            match server.next(deadline)? {
                Incoming::Message(message) | Incoming::Call(message) if message.key == control => {
                    server.serve(message, |server, sender, packet| {
                        introduce::dispatch(&mut Introduction { log: self, server }, sender, packet)
                    });
                }
                Incoming::Message(message) | Incoming::Call(message) => {
                    let sender = message.sender;
                    let served =
                        server.serve(message, |_, sender, packet| log::dispatch(self, sender, packet));
                    if !served {
                        self.own(&format!("{}: sent no record", self.name(sender)));
                    }
                }
                // The supervisor's end is gone: the system ends, or a new supervisor starts a new `logd`.
                Incoming::Gone { key } if key == control => return Ok(()),
                Incoming::Gone { key } => {
                    self.handed.remove(&key);
                }
                Incoming::Event { key: KERNEL_KEY, .. } => self.kernel(),
                Incoming::Event { .. } => {}
                Incoming::TimedOut => {
                    self.show();
                    self.settle();
                }
            }
        }
    }

    fn keep(&mut self, source: Identity, level: Level, purpose: Purpose, text: String) {
        let time = clock::now();
        self.ring.push(Record { sequence: 0, time, source, level, purpose, text });
        self.show();
        // A full queue says already that there is something new.
        self.watchers.retain_mut(|watcher| watcher.added() != Err(SendError::ServerDied));
    }

    /// Shows what was not shown yet, as long as the console takes it. What it does not take stays, and is tried again.
    fn show(&mut self) {
        loop {
            let Some(record) = self.ring.from(self.unshown).next() else { return };
            let (sequence, missed) = (record.sequence, record.sequence - self.unshown);
            let line = match record.purpose {
                Purpose::Ready => format!("{}: ready\n", record.text),
                Purpose::Audit => format!("{}: audit: {}\n", self.name(record.source), record.text),
                Purpose::Text => {
                    format!("{}: {}{}\n", self.name(record.source), mark(record.level), record.text)
                }
            };
            let line = match missed {
                0 => line,
                _ => format!("logd: warning: {missed} records could not be shown\n{line}"),
            };
            let line = if self.cut { format!("\n{line}") } else { line };
            let Some(waiting) = self.print(line.as_bytes()) else { return };
            self.unsent.taken(sequence, line.len(), waiting);
            self.unshown = sequence + 1;
            self.cut = false;
        }
    }

    /// Writes a line to the console, whoever has it; answers how many bytes wait to be sent there. `None` when it was not taken.
    fn print(&mut self, line: &[u8]) -> Option<usize> {
        if let (Some(driver), Ok(line)) = (self.driver.as_mut(), Bytes::new(line)) {
            match driver.write(line) {
                Ok(reply) => return Some(reply.waiting as usize),
                Err(CallError::ServerDied) => self.driver_died(),
                Err(CallError::Service(_) | CallError::TimedOut | CallError::Protocol(_)) => {}
            }
            return None;
        }
        if clock::now() < self.next_driver {
            return None;
        }
        self.console.as_ref()?.console_write(line).ok().map(|()| 0)
    }

    /// The kernel has the console again, until there is a new driver; what the old one may not have sent is to be shown again.
    fn driver_died(&mut self) {
        self.driver = None;
        self.next_driver = clock::in_millis(NEXT_DRIVER_MS);
        if let Some(first) = self.unsent.take_first() {
            self.unshown = self.unshown.min(first);
            self.cut = true;
        }
    }

    /// What the kernel recorded since the last look.
    fn kernel(&mut self) {
        let Some(Ok(records)) = self.records.as_ref().map(|resource| resource.records()) else { return };
        let (lost, new) = self.seen.take(&records);
        if lost > 0 {
            self.keep(KERNEL, Level::Warn, Purpose::Text, format!("{lost} records dropped"));
        }
        for record in new {
            self.keep(KERNEL, Level::Info, Purpose::Text, String::from(kernel::text(&record)));
            let about = format!("that was {}, address {:#x}", self.name(record.identity), record.address);
            self.keep(KERNEL, Level::Info, Purpose::Text, about);
        }
    }

    /// A record of `logd`'s own.
    fn own(&mut self, text: &str) {
        self.keep(self.own, Level::Warn, Purpose::Text, String::from(text));
    }

    fn name(&self, source: Identity) -> String {
        match self.sources.get(&source.service) {
            Some(known) => known.name.clone(),
            None if source == KERNEL => String::from("kernel"),
            None if source == self.own => String::from("logd"),
            None => format!("service {}", source.service),
        }
    }

    fn owes(&self) -> bool {
        self.others.owes() || self.sources.values().any(|source| source.limiter.owes())
    }

    /// Tells what was dropped of sources that went silent.
    fn settle(&mut self) {
        let (now, hz) = (clock::now(), clock::timebase());
        let mut told = Vec::new();
        for (service, source) in &mut self.sources {
            if let Some(dropped) = source.limiter.settle(now, hz) {
                told.push((*service, dropped));
            }
        }
        if let Some(dropped) = self.others.settle(now, hz) {
            told.push((u32::MAX, dropped));
        }
        for (service, dropped) in told {
            let source = Identity { service, generation: 0 };
            self.keep(source, Level::Warn, Purpose::Text, format!("{dropped} records dropped"));
        }
    }
}

impl log::Server<Owned<Any>> for Log {
    fn permits(&mut self, sender: Sender, permission: &'static str) -> bool {
        let permitted = !self.handed.contains(&sender.key);
        if !permitted {
            let text = format!("{permission} denied to {}", self.name(sender.identity));
            self.keep(self.own, Level::Info, Purpose::Audit, text);
        }
        permitted
    }

    /// Keeps and prints a record, within its source's allowance.
    fn record(
        &mut self,
        sender: Sender,
        level: Level,
        purpose: Purpose,
        dropped: u16,
        text: Text<'_, MAX_TEXT>,
    ) {
        let source = sender.identity;
        let limiter = match self.sources.get_mut(&source.service) {
            Some(known) => &mut known.limiter,
            None => &mut self.others,
        };
        let Verdict::Keep { dropped: denied } = limiter.admit(clock::now(), clock::timebase()) else {
            return;
        };
        let lost = denied + u64::from(dropped);
        if lost > 0 {
            self.keep(source, Level::Warn, Purpose::Text, format!("{lost} records dropped"));
        }
        // Only the supervisor sees a process become ready; from others it is a text like any.
        let purpose = match purpose {
            Purpose::Ready if self.supervisor != Some(source.service) => Purpose::Text,
            purpose => purpose,
        };
        self.keep(source, level, purpose, harmless(text.get()));
    }

    fn read(&mut self, _sender: Sender, from: u64) -> Result<ReadReply<'_>, log::Error> {
        let record = self.ring.from(from).next().ok_or(log::Error::NotFound)?;
        Ok(ReadReply {
            sequence: record.sequence,
            time: record.time,
            service: record.source.service,
            generation: record.source.generation,
            level: record.level,
            purpose: record.purpose,
            text: Text::<MAX_KEPT>::cut(&record.text),
        })
    }

    fn watch(&mut self, _sender: Sender, news: Held<Owned<Any>, kinds::Channel>) -> Result<(), log::Error> {
        if self.watchers.len() == MAX_WATCHERS {
            return Err(log::Error::QuotaExceeded);
        }
        self.watchers.push(news::Client::new(Fixed::new(news.into())));
        Ok(())
    }
}

/// The supervisor hands over the log channel of a process.
struct Introduction<'a> {
    log: &'a mut Log,
    server: &'a mut Server,
}

impl introduce::Server<Owned<Any>> for Introduction<'_> {
    fn process(
        &mut self,
        sender: Sender,
        service: u32,
        channel: Held<Owned<Any>, kinds::Channel>,
        name: Text<'_, { introduce::MAX_NAME }>,
    ) {
        let log = &mut *self.log;
        log.supervisor = Some(sender.identity.service);
        if log.sources.len() < MAX_SOURCES {
            let limiter = Limiter::new(clock::now());
            log.sources.entry(service).or_insert(Source { name: String::from(name.get()), limiter });
        }
        match self.server.attach(channel.into()) {
            Ok(key) => {
                log.handed.insert(key);
            }
            Err(error) => log.own(&format!("the log channel of {} is refused: {error:?}", name.get())),
        }
    }

    /// `logd` keeps no channel to a process that will not come.
    fn absent(&mut self, _sender: Sender, _service: u32) {}

    fn console(&mut self, _sender: Sender, channel: Held<Owned<Any>, kinds::Channel>) {
        // There is a new one when the old one is dead, whether that was noticed or not.
        self.log.driver_died();
        self.log.driver = Some(console::Client::new(Fixed::new(channel.into())));
        self.log.show();
    }
}
