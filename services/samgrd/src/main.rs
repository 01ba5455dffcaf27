//! `samgrd`: registers services and connects clients to them, along the edges that the registry declares and no
//! others.
//!
//! It calls nobody. A connection is charged to a small quota of the client's session, so that one client cannot
//! take another's; when a session ends, its quota goes with the last connection made from it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};
use nexus_abi::{Error, Identity, NEVER, NOW, Rights};
use nexus_registry::{EdgeKind, Registry};
use nexus_rt::samgr::{Denial, OP_CONNECT, OP_HELLO, OP_REGISTER, decode};
use nexus_rt::server::Message;
use nexus_rt::{
    Channel, End, Handles, Incoming, Owned, ProcessKind, QuotaKind, Server, Startup, Vmo, audit, info, warn,
};
use samgrd::{Directory, Standing, Waiting};

nexus_rt::main!(run);

/// Exit code when a grant is missing or is not what it should be.
const NO_GRANT: u64 = 3;

/// Exit code when the kernel refused what `samgrd` cannot do without.
const REFUSED: u64 = 4;

/// Pages of the connections that one client's session has at a time: one for each service it calls, three for
/// each it sends to.
const SESSION_PAGES: u64 = 16;

/// What a service's end can receive from a client that calls.
const CALLED: End = End { depth: 0, bytes: MAX_MESSAGE_BYTES as u16, handles: MAX_MESSAGE_HANDLES as u16 };

/// What a service's end can receive from a client that only sends.
const SENT_TO: End = End { depth: 16, bytes: 256, handles: 1 };

struct Samgr {
    directory: Directory<'static>,
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
                Incoming::Message(mut message) if message.key == control => {
                    if let Ok(session) = message.handles.take_typed(0) {
                        server.attach(session)?;
                    }
                }
                Incoming::Call(message) => self.answer(&mut server, message)?,
                // The supervisor's end is gone: a new supervisor starts a new `samgrd`.
                Incoming::Gone { key } if key == control => return Ok(()),
                Incoming::Gone { key } => self.forget(key),
                Incoming::Message(_) | Incoming::Event { .. } | Incoming::TimedOut => {}
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

    fn answer(&mut self, server: &mut Server, message: Message) -> Result<(), Error> {
        let token = message.token;
        let outcome = match decode(server.bytes(&message)) {
            Some((OP_CONNECT, name)) => {
                let connected = self.directory.connect(message.sender, name);
                if let Err(denial) = connected {
                    let client = self.directory.name_of(message.sender.service);
                    audit!("{client}: connecting to `{name}` refused: {denial:?}");
                }
                self.connect(server, &message, connected)
            }
            Some((OP_REGISTER, name)) => {
                let allowed = self.directory.may_register(message.sender, name);
                let claimant = self.directory.name_of(message.sender.service);
                match allowed {
                    Ok(_) => info!("`{name}` is provided by {claimant}"),
                    Err(denial) => audit!("{claimant}: registering `{name}` refused: {denial:?}"),
                }
                self.register(server, message, allowed)
            }
            Some((OP_HELLO, _)) => Ok(Some(Handles::new())),
            _ => Err(Denial::Invalid),
        };
        match outcome {
            Ok(Some(handles)) => server.reply(token, &0u64.to_le_bytes(), handles),
            Ok(None) => Ok(()),
            Err(denial) => refuse(server, token, denial),
        }
    }

    /// Connects, or lets the call wait for the service (no answer yet).
    fn connect(
        &mut self,
        server: &mut Server,
        message: &Message,
        connected: Result<(Standing, EdgeKind), Denial>,
    ) -> Result<Option<Handles>, Denial> {
        match connected? {
            (Standing::Registered { intake }, kind) => self.join(server, message.key, intake, kind).map(Some),
            (Standing::Absent { service }, kind) => {
                let call = Waiting { service, client: message.key, token: message.token, kind };
                if let Some(oldest) = self.directory.wait(call) {
                    refuse(server, oldest.token, Denial::NotReady).map_err(|_| Denial::Invalid)?;
                }
                Ok(None)
            }
        }
    }

    /// Makes a channel, gives one end to the service, and answers with the other.
    fn join(&mut self, server: &Server, client: u64, intake: u64, kind: EdgeKind) -> Result<Handles, Denial> {
        let quota = match self.sessions.entry(client) {
            alloc::collections::btree_map::Entry::Occupied(session) => session.into_mut(),
            alloc::collections::btree_map::Entry::Vacant(free) => {
                let session = self.quota.split(SESSION_PAGES, 0);
                free.insert(session.map_err(|_| Denial::QuotaExceeded)?)
            }
        };
        let end = match kind {
            EdgeKind::Call => CALLED,
            EdgeKind::Send => SENT_TO,
        };
        let made = Owned::<Channel>::create(quota, end, End::default());
        let (theirs, mine) = made.map_err(|_| Denial::QuotaExceeded)?;
        let provider = server.endpoint(intake).ok_or(Denial::NotReady)?;
        // A service that does not take its clients has a full queue: `samgrd` does not wait for it.
        provider.send(&[], &mut Handles::one(theirs), NOW).map_err(|_| Denial::NotReady)?;
        Ok(Handles::one(mine))
    }

    fn register(
        &mut self,
        server: &mut Server,
        mut message: Message,
        allowed: Result<usize, Denial>,
    ) -> Result<Option<Handles>, Denial> {
        let service = allowed?;
        let intake = message.handles.take_typed(0).map_err(|_| Denial::Invalid)?;
        let intake = server.attach(intake).map_err(|_| Denial::Invalid)?;
        for waiting in self.note(service, message.sender, intake) {
            let outcome = self.join(server, waiting.client, intake, waiting.kind);
            let answered = match outcome {
                Ok(handles) => server.reply(waiting.token, &0u64.to_le_bytes(), handles),
                Err(denial) => refuse(server, waiting.token, denial),
            };
            if let Err(error) = answered {
                warn!("a client that waited could not be answered: {error:?}");
            }
        }
        Ok(Some(Handles::new()))
    }

    fn note(&mut self, service: usize, sender: Identity, intake: u64) -> alloc::vec::Vec<Waiting> {
        self.directory.register(service, sender, intake)
    }
}

fn refuse(server: &mut Server, token: u64, denial: Denial) -> Result<(), Error> {
    server.reply(token, &(denial as u64).to_le_bytes(), Handles::new())
}
