//! The channels over which this process speaks to the authorities that every other process depends on: it
//! hands `logd`, `samgrd` and `uartd` the other ends of each process's channels, and asks `execd` for processes.

use nexus_abi::{Error, Rights};
use nexus_registry::Process;
use nexus_rt::api::{console, exec, introduce, samgr};
use nexus_rt::channel::end;
use nexus_rt::logging::LOG_END;
use nexus_rt::wire::{CallError, Fixed, SendError, Text};
use nexus_rt::{Channel, End, IdentityKind, Owned, ProcessKind, QuotaKind};

/// What `logd`'s and `samgrd`'s ends of the control channels can receive.
const HANDED: End = end(32, introduce::REQUEST_ROOM);

/// What `execd`'s end can receive.
const ASKED: End = end(0, exec::REQUEST_ROOM);

/// What the console's driver's end of a channel can receive.
const CONSOLE_END: End = end(0, console::REQUEST_ROOM);

/// What `samgrd`'s end of a process's channel can receive.
const SESSION_END: End = end(0, samgr::REQUEST_ROOM);

const _: () = assert!(introduce::MAX_NAME >= nexus_registry::MAX_NAME);
const _: () = assert!(exec::MAX_NAME >= nexus_registry::MAX_NAME);

/// The authorities that this process has something to do with besides starting them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// `logd`.
    Log,
    /// `execd`.
    Spawn,
    /// `samgrd`.
    Services,
    /// `uartd`.
    Console,
    /// `policyd`, which calls nobody and is called along declared edges: it has no control channel.
    Policy,
}

impl Authority {
    /// The authority of a process, if it is one of these.
    pub fn of(process: &Process<'_>) -> Option<Authority> {
        match process.authority {
            "log" => Some(Authority::Log),
            "spawn" => Some(Authority::Spawn),
            "services" => Some(Authority::Services),
            "uart-driver" => Some(Authority::Console),
            "policy" => Some(Authority::Policy),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct Control {
    channel: Option<Owned<Channel>>,
    up: bool,
}

/// The control channels.
#[derive(Debug, Default)]
pub struct Controls {
    log: Control,
    spawn: Control,
    services: Control,
    console: Control,
    policy: Control,
}

impl Controls {
    fn of(&mut self, authority: Authority) -> &mut Control {
        match authority {
            Authority::Log => &mut self.log,
            Authority::Spawn => &mut self.spawn,
            Authority::Services => &mut self.services,
            Authority::Console => &mut self.console,
            Authority::Policy => &mut self.policy,
        }
    }

    /// Makes the control channel of an authority that is being started; answers its end.
    pub fn open(&mut self, authority: Authority, quota: &Owned<QuotaKind>) -> Result<Owned<Channel>, Error> {
        let end = if authority == Authority::Spawn { ASKED } else { HANDED };
        let (mine, its) = Owned::<Channel>::create(quota, End::default(), end)?;
        *self.of(authority) = Control { channel: Some(mine), up: false };
        Ok(its)
    }

    /// The authority does its job from now on.
    pub fn up(&mut self, authority: Authority) {
        self.of(authority).up = true;
    }

    /// The authority ended.
    pub fn down(&mut self, authority: Authority) {
        *self.of(authority) = Control::default();
    }

    fn channel(control: &Control) -> Option<&Owned<Channel>> {
        control.channel.as_ref().filter(|_| control.up)
    }

    /// A log channel for a process: its end. `None` while there is no `logd`.
    pub fn log_for(
        &self,
        process: &Process<'_>,
        quota: &Owned<QuotaKind>,
    ) -> Result<Option<Owned<Channel>>, Refused> {
        hand_over(&self.log, process, quota, LOG_END)
    }

    /// A channel to `samgrd` for a process: its end. `None` while there is no `samgrd`.
    pub fn session_for(
        &self,
        process: &Process<'_>,
        quota: &Owned<QuotaKind>,
    ) -> Result<Option<Owned<Channel>>, Refused> {
        hand_over(&self.services, process, quota, SESSION_END)
    }

    /// A channel to the console's driver for a process: its end. `None` while there is no driver.
    pub fn console_for(
        &self,
        process: &Process<'_>,
        quota: &Owned<QuotaKind>,
    ) -> Result<Option<Owned<Channel>>, Refused> {
        hand_over(&self.console, process, quota, CONSOLE_END)
    }

    /// Gives `logd`, if it is there, its channel to the console's driver.
    pub fn give_console(&self, channel: Owned<Channel>) -> Result<(), SendError> {
        let Some(control) = Self::channel(&self.log) else { return Ok(()) };
        introduce::Client::new(Fixed::new(control)).console(channel.into())
    }

    /// Tells `samgrd`, if it is there, that a process will not come.
    pub fn tell_absent(&self, process: &Process<'_>) -> Result<(), SendError> {
        let Some(control) = Self::channel(&self.services) else { return Ok(()) };
        introduce::Client::new(Fixed::new(control)).absent(process.id)
    }

    /// Asks `execd` for a process.
    pub fn spawn(
        &self,
        process: &Process<'_>,
        quota: &Owned<QuotaKind>,
        identity: &Owned<IdentityKind>,
        bootstrap: Owned<Channel>,
    ) -> Result<Owned<ProcessKind>, Refused> {
        let control = Self::channel(&self.spawn).ok_or(Refused::Spawn(CallError::ServerDied))?;
        let quota = quota.duplicate(Rights::CHARGE | Rights::TRANSFER | Rights::INSPECT)?;
        let identity = identity.duplicate(Rights::USE | Rights::TRANSFER | Rights::INSPECT)?;
        let made = exec::Client::new(Fixed::new(control)).spawn(
            process.handles,
            process.cpu,
            process.priority,
            quota.into(),
            identity.into(),
            bootstrap.into(),
            Text::new(process.program).map_err(|_| Error::Invalid)?,
        );
        made.map(|reply| reply.process.into()).map_err(Refused::Spawn)
    }
}

/// Makes a channel of which an authority gets one end, and a process the other.
fn hand_over(
    control: &Control,
    process: &Process<'_>,
    quota: &Owned<QuotaKind>,
    receives: End,
) -> Result<Option<Owned<Channel>>, Refused> {
    let Some(control) = Controls::channel(control) else { return Ok(None) };
    let (its, theirs) = Owned::<Channel>::create(quota, End::default(), receives)?;
    let name = Text::new(process.name).map_err(|_| Error::Invalid)?;
    let sent = introduce::Client::new(Fixed::new(control)).process(process.id, theirs.into(), name);
    match sent {
        Ok(()) => Ok(Some(its)),
        Err(why) => Err(Refused::Introduction(why)),
    }
}

/// Why there is no process, or no channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// `execd` could not be asked, or refused.
    Spawn(CallError<exec::Error>),
    /// `logd` or `samgrd` could not be told.
    Introduction(SendError),
    /// The process was to be made here, which failed.
    Here(nexus_spawn::SpawnError),
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused::Kernel(error)
    }
}
