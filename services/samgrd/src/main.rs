//! `samgrd`: registers services and connects clients to them, along the edges that the registry declares and no
//! others.
//!
//! It calls nobody. A connection is charged to a small quota of the client's session, which is put by when the session begins, so that one
//! client cannot take another's; when a session ends, its quota goes with the last connection made from it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use nexus_abi::{Error, NEVER, Rights};
use nexus_registry::{EdgeKind, Registry};
use nexus_rt::api::samgr::{self, ConnectPromise, ConnectReply, Error as Denial, MAX_NAME};
use nexus_rt::api::{intake, introduce};
use nexus_rt::wire::{Fixed, Held, SendError, Sender, Text, kinds};
use nexus_rt::{
    Any, Channel, End, Incoming, Owned, ProcessKind, QuotaKind, Server, Startup, Vmo, audit, info, warn,
};
use samgrd::{Directory, Intake, Standing, Waiting};

nexus_rt::main!(run);

/// Exit code when a grant is missing or is not what it should be.
const NO_GRANT: u64 = 3;

/// Exit code when the kernel refused what `samgrd` cannot do without.
const REFUSED: u64 = 4;

/// Pages of the connections that one client's session has at a time: one for each service it calls, more for each
/// that it sends to, for the queue.
const SESSION_PAGES: u64 = 16;

struct Samgr {
    directory: Directory<'static, ConnectPromise>,
    quota: &'static Owned<QuotaKind>,
    sessions: BTreeMap<u64, Owned<QuotaKind>>,
}

fn run(mut startup: Startup) -> u64 {
    let (Some(quota), Some(own)) = (startup.quota(), startup.process()) else { return NO_GRANT };
    let (Some(vmo), Some(control)) = (startup.take("registry"), startup.take("control")) else {
        return NO_GRANT;
    };
    let Some(registry) = read_registry(&vmo, own) else { return NO_GRANT };
    let samgr = Samgr { directory: Directory::new(registry), quota, sessions: BTreeMap::new() };
    match samgr.serve(control, &startup) {
        Ok(()) => 0,
        Err(_) => REFUSED,
    }
}

/// The registry as the supervisor hands it over: its length (`u64`), then the table, in sealed memory.
fn read_registry(vmo: &Owned<Vmo>, own: &Owned<ProcessKind>) -> Option<Registry<'static>> {
    let size = vmo.info().ok()?.size;
    // It is needed for as long as the process lives.
    let mapping = Box::leak(Box::new(vmo.map(own, 0, size, Rights::READ).ok()?));
    let (length, table) = mapping.sealed_bytes()?.split_first_chunk::<8>()?;
    Registry::parse(table.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?).ok()
}

impl Samgr {
    fn serve(mut self, control: Owned<Channel>, startup: &Startup) -> Result<(), Error> {
        let mut server = Server::new(self.quota)?;
        let control = server.attach(control)?;
        startup.ready();
        loop {
            match server.next(NEVER)? {
                Incoming::Message(message) | Incoming::Call(message) if message.key == control => {
                    server.serve(message, |server, sender, packet| {
                        introduce::dispatch(&mut Desk { samgr: &mut self, server }, sender, packet)
                    });
                }
                Incoming::Message(message) | Incoming::Call(message) => {
                    server.serve(message, |server, sender, packet| {
                        samgr::dispatch(&mut Desk { samgr: &mut self, server }, sender, packet)
                    });
                }
                // The supervisor's end is gone: a new supervisor starts a new `samgrd`.
                Incoming::Gone { key } if key == control => return Ok(()),
                Incoming::Gone { key } => self.forget(key),
                Incoming::Event { .. } | Incoming::TimedOut => {}
            }
        }
    }

    fn forget(&mut self, key: u64) {
        self.sessions.remove(&key);
        if let Some((name, provider)) = self.directory.gone(key) {
            let provider = self.directory.name_of(provider.service);
            info!("`{name}` is free: {provider} is gone");
        }
    }

    /// The quota that the connections of a client's session are charged to, which is there as long as the client.
    fn session(&self, client: u64) -> Result<&Owned<QuotaKind>, Denial> {
        self.sessions.get(&client).ok_or(Denial::QuotaExceeded)
    }

    /// Puts room by for the connections of a client.
    fn begin(&mut self, client: u64) -> Result<(), Error> {
        let session = self.quota.split(SESSION_PAGES, 0)?;
        self.sessions.insert(client, session);
        Ok(())
    }
}

/// A refusal of the kernel as the client is told.
fn told(error: Error) -> Denial {
    match error {
        Error::QuotaExceeded => Denial::QuotaExceeded,
        other => {
            warn!("a connection could not be made: {other:?}");
            Denial::Kernel
        }
    }
}

/// Where one message is handled.
struct Desk<'a> {
    samgr: &'a mut Samgr,
    server: &'a mut Server,
}

impl Desk<'_> {
    /// Forgets providers whose intake was destroyed with their quota: when that came before their death was told, nothing is told
    /// about it any more, and their names would stay taken.
    fn forget_revoked(&mut self) {
        let dead = |key: &u64| self.server.endpoint(*key).is_none_or(|end| end.rights().is_err());
        let dead: Vec<u64> = self.samgr.directory.intakes().filter(dead).collect();
        for key in dead {
            self.server.detach(key);
            self.samgr.forget(key);
        }
    }

    /// Makes a channel, gives one end to the service, and answers with the other. `None` when the service has died
    /// and this process is yet to be told.
    fn join(
        &mut self,
        client: u64,
        intake: Intake,
        kind: EdgeKind,
    ) -> Result<Option<ConnectReply<Owned<Any>>>, Denial> {
        let end = intake.receives;
        if kind == EdgeKind::Send && end.depth == 0 {
            // Nothing that is sent could ever arrive.
            return Err(Denial::Invalid);
        }
        let made = Owned::<Channel>::create(self.samgr.session(client)?, end, End::default());
        let (theirs, mine) = made.map_err(told)?;
        let provider = self.server.endpoint(intake.key).ok_or(Denial::NotReady)?;
        // A service that does not take its clients has a full queue: `samgrd` does not wait for it.
        match intake::Client::new(Fixed::new(provider)).admit(theirs.into()) {
            Ok(()) => Ok(Some(ConnectReply { channel: mine.into() })),
            Err(SendError::ServerDied) => Ok(None),
            Err(SendError::QueueFull | SendError::Protocol(_)) => Err(Denial::NotReady),
        }
    }
}

impl samgr::Server<Owned<Any>> for Desk<'_> {
    fn connect(
        &mut self,
        sender: Sender,
        promise: ConnectPromise,
        name: Text<'_, MAX_NAME>,
    ) -> Result<Option<ConnectReply<Owned<Any>>>, Denial> {
        self.forget_revoked();
        let directory = &mut self.samgr.directory;
        let connected = directory.connect(sender.identity, name.get());
        if let Err(denial) = connected {
            let client = directory.name_of(sender.identity.service);
            audit!("{client}: connecting to `{}` refused: {denial:?}", name.get());
        }
        let Standing { service, intake, kind } = connected?;
        if let Some(intake) = intake
            && let Some(reply) = self.join(sender.key, intake, kind)?
        {
            return Ok(Some(reply));
        }
        let call = Waiting { service, client: sender.key, promise, kind };
        if let Some(oldest) = self.samgr.directory.wait(call) {
            oldest.promise.keep(self.server, Err(Denial::NotReady));
        }
        Ok(None)
    }

    fn register(
        &mut self,
        sender: Sender,
        depth: u16,
        bytes: u16,
        handles: u16,
        intake: Held<Owned<Any>, kinds::Channel>,
        name: Text<'_, MAX_NAME>,
    ) -> Result<(), Denial> {
        self.forget_revoked();
        let directory = &self.samgr.directory;
        let allowed = directory.may_register(sender.identity, name.get());
        let claimant = directory.name_of(sender.identity.service);
        match allowed {
            Ok(_) => info!("`{}` is provided by {claimant}", name.get()),
            Err(denial) => audit!("{claimant}: registering `{}` refused: {denial:?}", name.get()),
        }
        let service = allowed?;
        let key = self.server.attach(intake.into()).map_err(|_| Denial::Invalid)?;
        let intake = Intake { key, receives: End { depth, bytes, handles } };
        for waiting in self.samgr.directory.register(service, sender.identity, intake) {
            let joined = self.join(waiting.client, intake, waiting.kind);
            waiting.promise.keep(self.server, joined.and_then(|reply| reply.ok_or(Denial::NotReady)));
        }
        Ok(())
    }

    fn hello(&mut self, _sender: Sender) -> Result<(), Denial> {
        Ok(())
    }
}

impl introduce::Server<Owned<Any>> for Desk<'_> {
    fn process(
        &mut self,
        _sender: Sender,
        service: u32,
        channel: Held<Owned<Any>, kinds::Channel>,
        name: Text<'_, { introduce::MAX_NAME }>,
    ) {
        let is_client = self.samgr.directory.is_client(service);
        let begun = self.server.attach(channel.into()).and_then(|key| match is_client {
            true => self.samgr.begin(key).inspect_err(|_| self.server.detach(key)),
            false => Ok(()),
        });
        if let Err(error) = begun {
            warn!("the channel of {} is refused: {error:?}", name.get());
        }
    }

    fn absent(&mut self, _sender: Sender, service: u32) {
        for waiting in self.samgr.directory.absent(service) {
            waiting.promise.keep(self.server, Err(Denial::NotFound));
        }
    }

    /// It shows nothing.
    fn console(&mut self, _sender: Sender, _channel: Held<Owned<Any>, kinds::Channel>) {}
}
