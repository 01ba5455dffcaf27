//! The service registry's client: connecting to a service by its declared name, and providing one.
//!
//! `samgrd` decides from the kernel's sender identity; nothing sent here is a proof of anything. No lock is held
//! while anyone is waited for.

use crate::owned::{Channel, Owned};
use crate::sys::End;
use crate::transport::Shared;
use crate::{clock, startup};
use alloc::sync::Arc;
use nexus_abi::Error;
use nexus_api::{intake, samgr};
use nexus_wire::{CallError, Connector, Failure, Fault, Text};
use spin::Mutex;

/// What a provider's end of its intake channel can receive: clients' endpoints, one a message.
pub const INTAKE_END: End = crate::channel::end(16, intake::REQUEST_ROOM);

/// How long a `samgrd` that is being restarted is waited for.
const RESTART_MS: u32 = 5_000;

/// Why there is no connection.
pub type ConnectError = CallError<samgr::Error>;

static SESSION: Mutex<Option<Arc<Owned<Channel>>>> = Mutex::new(None);

/// Finds the channel to `samgrd`, a new one when the last was dead.
#[derive(Debug, Default)]
struct Sessions {
    last: Option<Shared>,
}

impl Sessions {
    /// A channel other than the one that turned out dead.
    fn current(&mut self) -> Option<Shared> {
        // A channel that came later is one to a later `samgrd`: what is held may be dead already.
        let new = startup::replacement_samgrd();
        let mut session = SESSION.lock();
        if let Some(new) = new {
            *session = Some(Arc::new(new));
        }
        let dead = self.last.take();
        session.take_if(|held| dead.is_some_and(|dead| Arc::ptr_eq(&dead.0, held)));
        self.last = session.clone().map(Shared);
        self.last.clone()
    }
}

impl Connector for Sessions {
    type Transport = Shared;

    fn connect(&mut self) -> Result<Shared, Failure> {
        let deadline = clock::within(RESTART_MS);
        loop {
            if let Some(session) = self.current() {
                return Ok(session);
            }
            startup::wait_for_replacement(deadline).map_err(|error| match error {
                Error::TimedOut => Failure::TimedOut,
                // Nobody would bring another one, or a server's port brings it: see `Server::provide`.
                _ => Failure::ServerDied,
            })?;
        }
    }
}

fn checked(name: &str) -> Result<Text<'_, { samgr::MAX_NAME }>, ConnectError> {
    Text::new(name).map_err(|_| CallError::Service(samgr::Error::Invalid))
}

/// Connects to a service. While the service, or `samgrd` itself, is being restarted, it waits, but not for ever.
pub fn connect(name: &str) -> Result<Owned<Channel>, ConnectError> {
    let name = checked(name)?;
    samgr::Client::new(Sessions::default()).connect(name).map(|reply| reply.channel.into())
}

/// Registers this process as the provider of `name`; clients' endpoints, which can receive what `receives` says,
/// arrive at the other end of `intake`.
pub fn register(name: &str, receives: End, intake: Owned<Channel>) -> Result<(), ConnectError> {
    let name = checked(name)?;
    let mut samgrd = samgr::Client::new(Sessions::default());
    // An end that is on its way to `samgrd` takes no handles; and this finds out whether the channel is dead
    // before a handle is lost with it.
    samgrd.hello()?;
    samgrd.register(receives.depth, receives.bytes, receives.handles, intake.into(), name)
}

/// Where a generated client gets its connections to a service from: `echo::Client::new(Service("echo"))`. After
/// a restart of the service, or of `samgrd`, it gets new ones.
#[derive(Clone, Copy, Debug)]
pub struct Service(pub &'static str);

impl Connector for Service {
    type Transport = Owned<Channel>;

    fn connect(&mut self) -> Result<Owned<Channel>, Failure> {
        connect(self.0).map_err(|error| match error {
            // Nobody will ever provide a service whose device is not there.
            CallError::Service(
                samgr::Error::PermissionDenied | samgr::Error::Invalid | samgr::Error::NotFound,
            ) => Failure::Protocol(Fault::Denied),
            // Its quota may be given back, its queue may be emptied: another try may succeed.
            CallError::Service(
                samgr::Error::Exists
                | samgr::Error::QuotaExceeded
                | samgr::Error::NotReady
                | samgr::Error::Kernel,
            )
            | CallError::ServerDied => Failure::ServerDied,
            CallError::TimedOut => Failure::TimedOut,
            CallError::Protocol(fault) => Failure::Protocol(fault),
        })
    }
}
