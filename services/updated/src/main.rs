//! `updated`: keeps the boot control record. It writes down that a boot began, and that it is healthy once the supervisor says that everything does its job.
//!
//! There are no updates yet: the slots are kept as they are. What must never happen: a boot counts as healthy that nobody saw to be, or a record that cannot be read is
//! replaced as if there had been none.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use nexus_bootctl::{PATH, Record};
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::api::state::{self, Error};
use nexus_rt::api::supervise::{self, State};
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Fixed, Text};
use nexus_rt::{Channel, Incoming, Owned, Server, Startup, clock, error, info, warn};

nexus_rt::main!(run);

/// Exit codes: a grant is missing, the kernel refused what it cannot do without.
const NO_GRANT: u64 = 3;
const REFUSED: u64 = 4;

/// How long it waits before it asks again whether everything does its job, or tries again to store, at first and at most.
const PAUSE_MS: u64 = 50;
const MAX_PAUSE_MS: u64 = 5_000;

/// The place of the supervisor itself in the registry.
const SUPERVISOR: u16 = 0;

struct Boot {
    state: state::Client<Service>,
    supervisor: supervise::Client<Fixed<Owned<Channel>>>,
    /// Whether this process was started before in this boot, and the boot was begun then.
    again: bool,
    /// The record in which this boot is begun, once it is known; whether that is stored is another matter.
    begun: Option<Record>,
    /// The record as it is stored.
    record: Option<Record>,
}

/// Why there is nothing more to do.
enum End {
    /// The boot is healthy, and that is stored.
    Healthy,
    /// There is a record that cannot be read.
    Unreadable,
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
    let again = was_started(&mut supervisor, own);
    let mut boot =
        Boot { state: state::Client::new(Service("state")), supervisor, again, begun: None, record: None };
    let mut server = Server::new(quota)?;
    server.keep_up()?;
    startup.ready();
    let mut pause = PAUSE_MS;
    let mut until = clock::now();
    loop {
        // Nobody calls it, so all that comes is the time.
        let Incoming::TimedOut = server.next(until)? else { continue };
        match boot.advance() {
            Ok(Some(End::Healthy)) => until = NEVER,
            Ok(Some(End::Unreadable)) => {
                error!("the boot record cannot be read; it is left as it is, and this boot is not counted");
                until = NEVER;
            }
            Ok(None) => {
                until = clock::in_millis(pause);
                pause = (pause * 2).min(MAX_PAUSE_MS);
            }
            Err(why) => {
                warn!("the boot record is not stored yet: {why:?}");
                until = clock::in_millis(MAX_PAUSE_MS);
            }
        }
    }
}

/// Whether this is not the first instance of this process since the machine was switched on.
fn was_started(supervisor: &mut supervise::Client<Fixed<Owned<Channel>>>, own: u32) -> bool {
    (0..=u16::MAX)
        .map_while(|index| supervisor.stat(index).ok().map(|process| (process.service, process.starts)))
        .any(|(service, starts)| service == own && starts > 1)
}

impl Boot {
    /// Does what can be done now; nothing, as long as there is more to come.
    fn advance(&mut self) -> Result<Option<End>, CallError<Error>> {
        let record = match self.record {
            Some(record) => record,
            None => {
                let Some(record) = self.begin()? else { return Ok(Some(End::Unreadable)) };
                *self.record.insert(record)
            }
        };
        if record.is_healthy() {
            return Ok(Some(End::Healthy));
        }
        if !self.supervisor.stat(SUPERVISOR).is_ok_and(|own| own.state == State::Ready) {
            return Ok(None);
        }
        let healthy = record.healthy();
        self.store(healthy)?;
        self.record = Some(healthy);
        Ok(Some(End::Healthy))
    }

    /// Begins this boot, unless an earlier instance did; nothing if the record cannot be read.
    fn begin(&mut self) -> Result<Option<Record>, CallError<Error>> {
        if let Some(begun) = self.begun {
            // It may be stored already: once more does not count twice.
            self.store(begun)?;
            return Ok(Some(begun));
        }
        let before = match self.state.get(0, Text::cut(PATH)) {
            Ok(reply) => match Record::decode(reply.data.get()) {
                Ok(record) => record,
                Err(_) => return Ok(None),
            },
            Err(CallError::Service(Error::NotFound)) => Record::default(),
            Err(error) => return Err(error),
        };
        if self.again && before.begun > 0 {
            return Ok(Some(before));
        }
        let record = before.begin();
        self.begun = Some(record);
        self.store(record)?;
        if record.failed > 0 {
            warn!("boot {}; {} before it did not become healthy", record.begun, record.failed);
        } else {
            info!("boot {}", record.begun);
        }
        Ok(Some(record))
    }

    fn store(&mut self, record: Record) -> Result<(), CallError<Error>> {
        let bytes = record.encode();
        let data = Bytes::new(&bytes).map_err(|_| CallError::Service(Error::TooLarge))?;
        self.state.put(true, Text::cut(PATH), data).map(drop)
    }
}
