//! `logd`: takes records from every process, keeps the newest, and prints them to the console.
//!
//! It calls nobody and waits for nobody, so whoever logs cannot be held up by it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use logd::rate::{Limiter, Verdict};
use logd::record::{Kind, Level, Received, Record, read};
use logd::ring::Ring;
use logd::wire;
use nexus_abi::{Error, Identity, NEVER};
use nexus_rt::owned::Resource;
use nexus_rt::server::Message;
use nexus_rt::{Handles, Incoming, Owned, Server, Startup, clock};

nexus_rt::main!(run);

/// Exit code when a grant is missing.
const NO_GRANT: u64 = 3;

/// Exit code when the kernel refused what `logd` cannot do without.
const REFUSED: u64 = 4;

/// How long dropped records wait to be told when their source went silent.
const SETTLE_MS: u64 = 1000;

/// Most service ids whose names are known and that have an allowance of their own.
const MAX_SOURCES: usize = 256;

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
    console: Option<Owned<Resource>>,
    supervisor: Option<u32>,
}

fn run(mut startup: Startup) -> u64 {
    let (Some(quota), Some(control)) = (startup.quota(), startup.take("control")) else {
        return NO_GRANT;
    };
    let mut log = Log {
        ring: Ring::default(),
        sources: BTreeMap::new(),
        others: Limiter::new(clock::now()),
        console: startup.take("console"),
        supervisor: None,
    };
    let served = Server::new(quota).and_then(|mut server| {
        let control = server.attach(control)?;
        // A missing `samgrd` is no reason not to log; the name is registered when it comes up.
        if let Err(error) = server.provide(quota, "log") {
            log.own(&format!("cannot provide `log`: {error:?}"));
        }
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
            let deadline = if self.owes() { clock::in_millis(SETTLE_MS) } else { NEVER };
            match server.next(deadline)? {
                Incoming::Message(message) if message.key == control => {
                    self.introduce(server, message)?;
                }
                Incoming::Message(message) => match read(server.bytes(&message)) {
                    Some(received) => self.take(message.sender, received),
                    None => self.own(&format!("{}: sent no record", self.name(message.sender))),
                },
                Incoming::Call(message) => self.answer(server, message)?,
                // The supervisor's end is gone: the system ends, or a new supervisor starts a new `logd`.
                Incoming::Gone { key } if key == control => return Ok(()),
                Incoming::Gone { .. } | Incoming::Event { .. } => {}
                Incoming::TimedOut => self.settle(),
            }
        }
    }

    /// The supervisor hands over the log channel of a process.
    fn introduce(&mut self, server: &mut Server, mut message: Message) -> Result<(), Error> {
        self.supervisor = Some(message.sender.service);
        let Some((service, name)) = wire::introduction(server.bytes(&message)) else {
            return Ok(());
        };
        if self.sources.len() < MAX_SOURCES {
            let limiter = Limiter::new(clock::now());
            self.sources.entry(service).or_insert(Source { name: String::from(name), limiter });
        }
        if let Ok(endpoint) = message.handles.take_typed(0) {
            server.attach(endpoint)?;
        }
        Ok(())
    }

    fn answer(&mut self, server: &mut Server, message: Message) -> Result<(), Error> {
        let records = match wire::read_request(server.bytes(&message)) {
            Some(from) => wire::pack(self.ring.from(from), message.room_bytes),
            None => Default::default(),
        };
        server.reply(message.token, &records, Handles::new())
    }

    /// Keeps and prints a record, within its source's allowance.
    fn take(&mut self, source: Identity, received: Received) {
        let limiter = match self.sources.get_mut(&source.service) {
            Some(known) => &mut known.limiter,
            None => &mut self.others,
        };
        let Verdict::Keep { dropped } = limiter.admit(clock::now(), clock::timebase()) else {
            return;
        };
        let lost = dropped + received.dropped as u64;
        if lost > 0 {
            self.keep(source, Level::Warn, Kind::Text, format!("{lost} records dropped"));
        }
        // Only the supervisor sees a process become ready; from others it is a text like any.
        let kind = match received.kind {
            Kind::Ready if self.supervisor != Some(source.service) => Kind::Text,
            kind => kind,
        };
        self.keep(source, received.level, kind, received.text);
    }

    fn keep(&mut self, source: Identity, level: Level, kind: Kind, text: String) {
        let line = match kind {
            Kind::Ready => format!("{text}: ready\n"),
            Kind::Audit => format!("{}: audit: {text}\n", self.name(source)),
            Kind::Text => format!("{}: {}{text}\n", self.name(source), level.mark()),
        };
        if let Some(console) = &self.console {
            // A console that a driver has taken over refuses; the record is kept all the same.
            let _ = console.console_write(line.as_bytes());
        }
        let time = clock::now();
        self.ring.push(Record { sequence: 0, time, source, level, kind, text });
    }

    /// A record of `logd`'s own.
    fn own(&mut self, text: &str) {
        self.keep(Identity::default(), Level::Warn, Kind::Text, String::from(text));
    }

    fn name(&self, source: Identity) -> String {
        match self.sources.get(&source.service) {
            Some(known) => known.name.clone(),
            None if source == Identity::default() => String::from("logd"),
            None => format!("service {}", source.service),
        }
    }

    fn owes(&self) -> bool {
        self.others.owes() || self.sources.values().any(|source| source.limiter.owes())
    }

    /// Tells what was dropped of sources that went silent.
    fn settle(&mut self) {
        let (now, hz) = (clock::now(), clock::timebase());
        let mut told = alloc::vec::Vec::new();
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
            self.keep(source, Level::Warn, Kind::Text, format!("{dropped} records dropped"));
        }
    }
}
