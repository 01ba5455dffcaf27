//! The channels over which this process speaks to the three authorities that every other process depends on: it
//! hands `logd` and `samgrd` the other ends of each process's channels, and asks `execd` for processes.

use alloc::vec::Vec;
use nexus_abi::bounds::MAX_MESSAGE_BYTES;
use nexus_abi::{Error, Rights, Ticks};
use nexus_registry::Process;
use nexus_rt::logging::LOG_END;
use nexus_rt::{
    CallError, Channel, End, Handles, IdentityKind, Limits, Owned, ProcessKind, QuotaKind, clock, samgr,
};
use nexus_spawn::wire::{self, Failure};

/// How long an authority may leave this process waiting.
const PATIENCE_MS: u64 = 2_000;

/// What `logd`'s and `samgrd`'s ends of the control channels can receive.
const HANDED: End = End { depth: 32, bytes: 4 + nexus_registry::MAX_NAME as u16, handles: 1 };

/// What `execd`'s end can receive.
const ASKED: End = End { depth: 0, bytes: wire::REQUEST_BYTES as u16, handles: 3 };

/// What `samgrd`'s end of a process's channel can receive.
const SESSION_END: End = End { depth: 0, bytes: samgr::REQUEST_BYTES as u16, handles: 1 };

const _: () = assert!(samgr::REQUEST_BYTES <= MAX_MESSAGE_BYTES);

/// The authorities with a control channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// `logd`.
    Log,
    /// `execd`.
    Spawn,
    /// `samgrd`.
    Services,
}

impl Authority {
    /// The authority of a process, if it has a control channel.
    pub fn of(process: &Process<'_>) -> Option<Authority> {
        match process.authority {
            "log" => Some(Authority::Log),
            "spawn" => Some(Authority::Spawn),
            "services" => Some(Authority::Services),
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
}

fn patience() -> Ticks {
    clock::in_millis(PATIENCE_MS)
}

impl Controls {
    fn of(&mut self, authority: Authority) -> &mut Control {
        match authority {
            Authority::Log => &mut self.log,
            Authority::Spawn => &mut self.spawn,
            Authority::Services => &mut self.services,
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
    ) -> Result<Option<Owned<Channel>>, Error> {
        let Some(control) = Self::channel(&self.log) else { return Ok(None) };
        let (its, theirs) = Owned::<Channel>::create(quota, End::default(), LOG_END)?;
        let mut introduction = Vec::from(process.id.to_le_bytes());
        introduction.extend_from_slice(process.name.as_bytes());
        control.send(&introduction, &mut Handles::one(theirs), patience())?;
        Ok(Some(its))
    }

    /// A channel to `samgrd` for a process: its end. `None` while there is no `samgrd`.
    pub fn session(&self, quota: &Owned<QuotaKind>) -> Result<Option<Owned<Channel>>, Error> {
        let Some(control) = Self::channel(&self.services) else { return Ok(None) };
        let (its, theirs) = Owned::<Channel>::create(quota, End::default(), SESSION_END)?;
        control.send(&[], &mut Handles::one(theirs), patience())?;
        Ok(Some(its))
    }

    /// Asks `execd` for a process.
    pub fn spawn(
        &self,
        process: &Process<'_>,
        quota: &Owned<QuotaKind>,
        identity: &Owned<IdentityKind>,
        bootstrap: Owned<Channel>,
    ) -> Result<Owned<ProcessKind>, SpawnRefused> {
        let control = Self::channel(&self.spawn).ok_or(SpawnRefused::Call(CallError::ServerDied))?;
        let limits = Limits { handles: process.handles, priority: process.priority, cpu: process.cpu };
        let request = wire::encode(limits, process.program).ok_or(Error::Invalid)?;
        let mut handles = Handles::one(quota.duplicate(Rights::CHARGE | Rights::TRANSFER | Rights::INSPECT)?);
        let identity = identity.duplicate(Rights::USE | Rights::TRANSFER | Rights::INSPECT)?;
        handles.push(identity).map_err(|_| Error::Invalid)?;
        handles.push(bootstrap).map_err(|_| Error::Invalid)?;
        let mut room = [0; 8];
        let mut answer = control.call(&request, &mut handles, &mut room, 1, patience())?;
        match answer.bytes.try_into().map(u64::from_le_bytes) {
            Ok(0) => Ok(answer.handles.take_typed(0)?),
            Ok(status) => Err(SpawnRefused::Failed(Failure::from_raw(status).ok_or(Error::Invalid)?)),
            Err(_) => Err(Error::Invalid.into()),
        }
    }
}

/// Why there is no process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpawnRefused {
    /// `execd` could not be asked.
    Call(CallError),
    /// `execd` refused.
    Failed(Failure),
    /// It was made here, which failed.
    Here(nexus_spawn::SpawnError),
}

impl From<CallError> for SpawnRefused {
    fn from(error: CallError) -> Self {
        SpawnRefused::Call(error)
    }
}

impl From<Error> for SpawnRefused {
    fn from(error: Error) -> Self {
        SpawnRefused::Call(CallError::Refused(error))
    }
}
