//! What an attack works with: the handles of this process, system calls whose answers are noted, and the objects to
//! attack, made from a small quota so that nothing here touches what this program itself lives on.

use crate::record;
use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use nexus_abi::{Error, Handle, Kind, Rights, Signals, Sysno, Tag};
use nexus_rt::sys;
use nexus_rt::sys::raw::{MessageIn, MessageOut};
use nexus_rt::{IdentityKind, Owned, PortKind, ResourceKind, Startup, clock};

/// What came of an attack: nothing, or what did not end as it must.
pub type Verdict = Result<(), String>;

/// Pages of the quota that most attacks work with.
const SPARE_PAGES: u64 = 700;
/// How long anything here may take before it counts as a hang.
const PATIENCE_MS: u64 = 5_000;
/// Room in the handle table of this process.
pub const OWN_HANDLES: usize = 64;
/// Room in the handle table of a process that an attack makes.
pub const VICTIM_HANDLES: u64 = 8;

/// The handles of this process.
#[derive(Clone, Copy)]
pub struct Lab {
    /// This process.
    pub own: u64,
    /// Its quota.
    pub quota: u64,
    /// A quota split off it, for what attacks make.
    pub spare: u64,
    /// Who this process is.
    pub identity: u64,
    /// What mints identities.
    pub minter: u64,
    /// The root resource with MINT: what mints windows, interrupts and pools.
    pub machine: u64,
    /// The root resource with INSPECT alone.
    pub counters: u64,
    /// Batches of random calls that were made.
    pub batches: u64,
}

/// What an attack could leave behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    own_pages: u64,
    own_objects: u64,
    spare_pages: u64,
    spare_objects: u64,
    cpu: u64,
    threads: u32,
    handles: u32,
    mappings: u32,
}

fn kept<K>(handle: Owned<K>) -> u64
where
    K: nexus_rt::owned::ObjectKind,
{
    handle.into_handle().0.into()
}

impl Lab {
    /// Takes what the driver gave.
    pub fn new(startup: &mut Startup) -> Option<Lab> {
        let quota = startup.quota()?;
        Some(Lab {
            own: startup.process()?.handle().0.into(),
            quota: quota.handle().0.into(),
            spare: kept(quota.split(SPARE_PAGES, 0).ok()?),
            identity: kept(startup.take::<IdentityKind>("identity")?),
            minter: kept(startup.take::<IdentityKind>("minter")?),
            machine: kept(startup.take::<ResourceKind>("machine")?),
            counters: kept(startup.take::<ResourceKind>("counters")?),
            batches: 0,
        })
    }

    /// The account now, once every thread of an attack has left the kernel.
    pub fn account(&self) -> Result<Account, String> {
        loop {
            let own = must("own process", sys::process_info(Handle(self.own as u32)))?;
            if own.threads > 1 {
                sys::thread_yield();
                continue;
            }
            let quota = must("own quota", sys::quota_info(Handle(self.quota as u32)))?;
            let spare = must("spare quota", sys::quota_info(Handle(self.spare as u32)))?;
            return Ok(Account {
                own_pages: quota.pages_used,
                own_objects: quota.objects,
                spare_pages: spare.pages_used,
                spare_objects: spare.objects,
                cpu: quota.cpu_used + spare.cpu_used,
                threads: own.threads,
                handles: own.handles,
                mappings: own.mappings,
            });
        }
    }

    /// A fresh object of a kind with every right; for a channel its first end, with the other in the second place.
    pub fn make(&self, kind: Kind) -> Result<[u64; 2], String> {
        let quota = self.spare;
        let made = match kind {
            Kind::Process => call(Sysno::process_create, &[quota, self.identity, VICTIM_HANDLES, 10, 0]),
            Kind::Thread => {
                let process = self.make(Kind::Process)?[0];
                let thread = must("thread", call(Sysno::thread_create, &[process, quota, 5]))?[0];
                return Ok([thread, process]);
            }
            Kind::Channel => call(Sysno::channel_create, &[quota, END, END]),
            Kind::Port => call(Sysno::port_create, &[quota]),
            Kind::Vmo => call(Sysno::vmo_create, &[quota, 4096]),
            Kind::Timer => call(Sysno::timer_create, &[quota]),
            Kind::Quota => call(Sysno::quota_create, &[quota, 0, 0]),
            Kind::Identity => call(Sysno::identity_create, &[self.minter, quota, 77]),
            Kind::Mmio => call(Sysno::mmio_create, &[self.machine, quota, NO_DEVICE, 4096]),
            Kind::Irq => call(Sysno::irq_create, &[self.machine, quota, NO_SOURCE]),
            Kind::Pool => call(Sysno::pool_create, &[self.machine, quota, 4096]),
            Kind::Resource => call(Sysno::handle_dup, &[self.counters, Rights::INSPECT.bits().into()]),
        };
        must("make an object", made)
    }

    /// Ends what [`Self::make`] made.
    pub fn end(&self, kind: Kind, made: [u64; 2]) -> Verdict {
        match kind {
            Kind::Process => self.end_process(made[0]),
            Kind::Thread => {
                self.end_process(made[1])?;
                close(made[0])
            }
            Kind::Channel => {
                close(made[0])?;
                close(made[1])
            }
            _ => close(made[0]),
        }
    }

    /// Kills a process and lets go of it once it has given everything back.
    pub fn end_process(&self, process: u64) -> Verdict {
        must("kill", call(Sysno::process_kill, &[process]))?;
        self.wait_end(process)?;
        close(process)
    }

    /// Waits until a process has given everything back. Waiting is not asking again and again: a process without
    /// threads is taken apart when nobody else has anything to do.
    pub fn wait_end(&self, process: u64) -> Verdict {
        let port = Owned::<PortKind>::from_handle(must("port", sys::port_create(Handle(self.spare as u32)))?);
        let process = Handle(process as u32);
        must("bind", sys::port_bind(port.handle(), process, 1, Signals::TERMINATED))?;
        let ended = sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], clock::in_millis(PATIENCE_MS));
        must("wait for the end", ended.map_err(|refusal| refusal.error)).map(|_| ())
    }
}

/// Where the machine has neither memory nor a device, and a source of interrupts that no device has.
pub const NO_DEVICE: u64 = 0x5000_0000;
/// See above.
pub const NO_SOURCE: u64 = 90;

/// What each end of a channel here can receive: two messages of 64 bytes and 8 handles.
pub const END: u64 = 2 | 64 << 16 | 8 << 32;

/// An ordinary system call.
pub fn call(number: Sysno, arguments: &[u64]) -> Result<[u64; 2], Error> {
    let mut all = [0; 7];
    all[..arguments.len()].copy_from_slice(arguments);
    let outcome = record::any(number as u64, all);
    match Error::from_raw(outcome.status) {
        None => Ok(outcome.results),
        Some(error) => Err(error),
    }
}

/// A message call of `handle` with a tag, everything else 0.
pub fn plain(handle: u64, tag: Tag) -> MessageIn {
    MessageIn { handle, tag, words: [0; 6], bytes: 0, handles: 0, deadline: 0, token: 0 }
}

/// A message call.
pub fn message(number: Sysno, m: MessageIn) -> Result<MessageOut, Error> {
    let out = record::message(number, m);
    match Error::from_raw(out.status) {
        None => Ok(out),
        Some(error) => Err(error),
    }
}

/// Closes a handle.
pub fn close(handle: u64) -> Verdict {
    must("close", call(Sysno::handle_close, &[handle])).map(|_| ())
}

/// What has to succeed.
pub fn must<T>(what: &str, result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

/// What has to be refused, and how.
pub fn refused<T: Debug>(what: &str, result: Result<T, Error>, expected: Error) -> Verdict {
    match result {
        Err(error) if error == expected => Ok(()),
        other => Err(format!("{what}: {other:?} instead of {expected:?}")),
    }
}

/// Most doublings of a deadline that had passed before the kernel saw it: of 1 ms, to some seconds.
const MOST_DOUBLINGS: u32 = 12;

/// Makes a call that waits until a deadline soon. On a busy machine so little time may be over before the call is made: then
/// it is made again with more.
pub fn in_good_time<T>(call: impl Fn(u64) -> Result<T, Error>) -> Result<T, Error> {
    let mut outcome = Err(Error::WouldBlock);
    for doubling in 0..MOST_DOUBLINGS {
        outcome = call(nexus_rt::clock::in_millis(1 << doubling));
        if !matches!(outcome, Err(Error::WouldBlock)) {
            break;
        }
    }
    outcome
}

/// A condition that must hold.
pub fn expect(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(String::from(what)) }
}
