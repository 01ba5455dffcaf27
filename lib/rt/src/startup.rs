//! How a program gets what it was granted. Its first thread starts with one handle, the bootstrap endpoint, whose
//! other end is held by whoever started it (`nexus-init`, or a test's driver).
//!
//! The interface `start` says what the program asks there: for its grants one by one, and, once, to be known as
//! ready. What it is sent there later (interface `renew`) replaces a channel whose server died: `log`, `samgrd`.
//!
//! Nothing here invents a grant: what was not handed over does not exist.

use crate::channel::end;
use crate::owned::{Any, Channel, ObjectKind, Owned, Port, Process, Quota};
use crate::{clock, logging, transport};
use nexus_abi::{Error, Signals, Ticks};
use nexus_api::{renew, start};
use nexus_wire::{CallError, Fixed, Held, Outcome, Packet, Sender, Text, kinds};
use spin::{Mutex, Once};

/// Longest name of a grant.
pub const MAX_NAME: usize = start::MAX_NAME;

/// Most grants of one program.
pub const MAX_GRANTS: usize = 32;

/// Longest arguments of a program, in bytes.
pub const MAX_ARGS: usize = start::MAX_ARGS;

/// What the program's end of the bootstrap channel can receive.
pub const PROGRAM_END: crate::End = end(4, renew::REQUEST_ROOM);

/// What the starter's end can receive: calls only.
pub const STARTER_END: crate::End = end(0, start::REQUEST_ROOM);

/// Name of the log channel.
pub const LOG: &str = "log";
/// Name of the channel to the service registry.
pub const SAMGRD: &str = "samgrd";
/// Name of the program's own process (MAP at least; MANAGE to make threads).
pub const PROCESS: &str = "process";
/// Name of the program's own quota (CHARGE at least).
pub const QUOTA: &str = "quota";

/// Exit code of a program that was not told its grants.
const NO_START_EXIT: u64 = 102;

static BOOTSTRAP: Mutex<Option<Owned<Channel>>> = Mutex::new(None);
static SPARE_LOG: Mutex<Option<Owned<Channel>>> = Mutex::new(None);
static SPARE_SAMGRD: Mutex<Option<Owned<Channel>>> = Mutex::new(None);
static OWN_PROCESS: Once<Owned<Process>> = Once::new();
static OWN_QUOTA: Once<Owned<Quota>> = Once::new();

#[derive(Debug)]
struct Grant {
    name: [u8; MAX_NAME],
    length: usize,
    handle: Owned<Any>,
}

/// What the program was granted, by name.
#[derive(Debug)]
pub struct Startup {
    grants: [Option<Grant>; MAX_GRANTS],
    args: [u8; MAX_ARGS],
    args_length: usize,
}

impl Startup {
    fn empty() -> Startup {
        Startup { grants: [const { None }; MAX_GRANTS], args: [0; MAX_ARGS], args_length: 0 }
    }

    fn add(&mut self, name: &[u8], handle: Owned<Any>) -> Result<(), Error> {
        let mut grant = Grant { name: [0; MAX_NAME], length: name.len(), handle };
        grant.name.get_mut(..name.len()).ok_or(Error::Invalid)?.copy_from_slice(name);
        let free = self.grants.iter_mut().find(|slot| slot.is_none()).ok_or(Error::NoSpace)?;
        *free = Some(grant);
        Ok(())
    }

    /// Takes a grant, once. `None` when it was not granted, was taken, or is of another kind.
    pub fn take<K: ObjectKind>(&mut self, name: &str) -> Option<Owned<K>> {
        let matches =
            |slot: &&mut Option<Grant>| slot.as_ref().is_some_and(|g| &g.name[..g.length] == name.as_bytes());
        let grant = self.grants.iter_mut().find(matches)?.take()?;
        grant.handle.typed().ok()
    }

    /// The program's arguments; empty when they are not UTF-8.
    pub fn args(&self) -> &str {
        core::str::from_utf8(&self.args[..self.args_length]).unwrap_or("")
    }

    /// Tells the starter that the program does its job from now on.
    pub fn ready(&self) {
        let bootstrap = BOOTSTRAP.lock();
        if let Some(endpoint) = bootstrap.as_ref() {
            // A starter that is gone takes its programs along; there is nobody else to tell.
            let _ = start::Client::new(Fixed::new(endpoint)).ready();
        }
    }

    /// The program's own process.
    pub fn process(&self) -> Option<&'static Owned<Process>> {
        own_process()
    }

    /// The quota that the program's objects are charged to.
    pub fn quota(&self) -> Option<&'static Owned<Quota>> {
        own_quota()
    }
}

/// The program's own process, to map memory in; if it was granted (`nexus-init` grants it to all).
pub fn own_process() -> Option<&'static Owned<Process>> {
    OWN_PROCESS.get()
}

/// The quota that the program's objects are charged to; if it was granted (`nexus-init` grants it to all).
pub fn own_quota() -> Option<&'static Owned<Quota>> {
    OWN_QUOTA.get()
}

/// Gives the runtime what it charges memory to. [`run`] does so for every program but the first.
pub fn adopt(process: Owned<Process>, quota: Owned<Quota>) {
    let process = OWN_PROCESS.call_once(|| process);
    let quota = OWN_QUOTA.call_once(|| quota);
    #[cfg(target_os = "none")]
    crate::heap::set_source(process.handle(), quota.handle());
    #[cfg(not(target_os = "none"))]
    let _ = (process, quota);
}

fn fetch(bootstrap: &Owned<Channel>, startup: &mut Startup) -> Result<(), CallError<start::Error>> {
    let mut starter = start::Client::new(Fixed::new(bootstrap));
    loop {
        match starter.grant() {
            Ok(grant) => startup
                .add(grant.name.as_bytes(), grant.handle.into())
                .map_err(|error| CallError::Protocol(nexus_wire::Fault::Kernel(error)))?,
            Err(CallError::Service(start::Error::NotFound)) => break,
            Err(other) => return Err(other),
        }
    }
    let args = starter.arguments()?.text;
    startup.args[..args.len()].copy_from_slice(args.as_bytes());
    startup.args_length = args.len();
    Ok(())
}

/// What [`first!`](crate::first) makes of the first program, which the kernel starts: it gets its bootstrap endpoint and no more.
pub fn run_first(main: fn(Owned<Channel>) -> u64, bootstrap: u64) -> ! {
    crate::sys::process_exit(main(Owned::from_handle(nexus_abi::Handle(bootstrap as u32))))
}

/// What [`main!`](crate::main) makes of a program: gets the grants, sets up heap and log, runs `main` and exits.
pub fn run(main: fn(Startup) -> u64, argument: u64, bootstrap: u64) -> ! {
    clock::set_timebase(argument);
    let endpoint = Owned::from_handle(nexus_abi::Handle(bootstrap as u32));
    let mut startup = Startup::empty();
    if fetch(&endpoint, &mut startup).is_err() {
        crate::sys::process_exit(NO_START_EXIT);
    }
    *BOOTSTRAP.lock() = Some(endpoint);
    if let (Some(process), Some(quota)) = (startup.take(PROCESS), startup.take(QUOTA)) {
        adopt(process, quota);
    }
    logging::set_channel(startup.take(LOG));
    *SPARE_SAMGRD.lock() = startup.take(SAMGRD);
    crate::sys::process_exit(main(startup))
}

/// Takes the channels that came over the bootstrap endpoint since the last look.
pub(crate) fn pump() {
    let Some(bootstrap) = BOOTSTRAP.try_lock() else { return };
    let Some(endpoint) = bootstrap.as_ref() else { return };
    let mut buffer = [0; renew::BUFFER_BYTES];
    let mut packet = Packet::new(&mut buffer);
    while let Ok(sender) = transport::receive(endpoint, &mut packet) {
        // Its end receives nothing larger, and what is no such message is dropped.
        let _ = renew::dispatch(&mut Renewal::default(), sender, &mut packet);
    }
}

/// Keeps channels that come over the bootstrap endpoint until they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    /// Whether one to `samgrd` was among them.
    samgrd: bool,
}

impl renew::Server<Owned<Any>> for Renewal {
    fn replace(
        &mut self,
        _sender: Sender,
        channel: Held<Owned<Any>, kinds::Channel>,
        name: Text<'_, { renew::MAX_NAME }>,
    ) {
        let place = match name.get() {
            LOG => &SPARE_LOG,
            SAMGRD => &SPARE_SAMGRD,
            _ => return,
        };
        self.samgrd |= name.get() == SAMGRD;
        if let Some(mut spare) = place.try_lock() {
            *spare = Some(channel.into());
        }
    }
}

/// Takes a message that came over the bootstrap endpoint; answers whether it brought a channel to a new `samgrd`.
pub(crate) fn renewed(sender: Sender, packet: &mut Packet<'_, Owned<Any>>) -> (Outcome, bool) {
    let mut renewal = Renewal::default();
    let outcome = renew::dispatch(&mut renewal, sender, packet);
    (outcome, renewal.samgrd)
}

/// The channel to a new `logd`, if there is one.
pub(crate) fn replacement_log() -> Option<Owned<Channel>> {
    pump();
    SPARE_LOG.try_lock()?.take()
}

/// The channel to `samgrd`, if a new one came (the first one too).
pub(crate) fn replacement_samgrd() -> Option<Owned<Channel>> {
    pump();
    SPARE_SAMGRD.try_lock()?.take()
}

/// Waits until a channel to `samgrd` is there or something comes over the bootstrap endpoint, and takes it. `Busy` when a server's port does the
/// waiting (see [`Server::provide`](crate::Server::provide)).
pub(crate) fn wait_for_replacement(deadline: Ticks) -> Result<(), Error> {
    pump();
    if SPARE_SAMGRD.lock().is_some() {
        return Ok(());
    }
    let port = Owned::<Port>::create(own_quota().ok_or(Error::BadHandle)?)?;
    bind_bootstrap(&port, 1)?;
    // The message must not be taken by the wait, which has no room for it: it stays, and `pump` takes it.
    let waited = crate::sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], deadline);
    if let Some(endpoint) = BOOTSTRAP.lock().as_ref() {
        let _ = port.unbind(endpoint);
    }
    match waited.map_err(|refusal| refusal.error) {
        Ok(_) | Err(Error::BufferTooSmall) => {
            pump();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Lets messages on the bootstrap endpoint arrive at a port.
pub(crate) fn bind_bootstrap(port: &Owned<Port>, key: u64) -> Result<(), Error> {
    let bootstrap = BOOTSTRAP.lock();
    port.bind(bootstrap.as_ref().ok_or(Error::PeerClosed)?, key, Signals::READABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::Handle;

    #[test]
    fn as_many_grants_as_there_is_room_for_and_no_more() {
        let mut startup = Startup::empty();
        for number in 0..MAX_GRANTS as u32 {
            assert_eq!(startup.add(b"x", Owned::from_handle(Handle(number + 1))), Ok(()));
        }
        assert_eq!(startup.add(b"x", Owned::from_handle(Handle(99))), Err(Error::NoSpace));
    }

    #[test]
    fn a_grant_is_found_by_its_name_and_taken_once() {
        let mut startup = Startup::empty();
        assert_eq!(startup.add(&[b'n'; MAX_NAME + 1], Owned::from_handle(Handle(1))), Err(Error::Invalid));
        assert_eq!(startup.add(b"a", Owned::from_handle(Handle(7))), Ok(()));
        assert!(startup.take::<Any>("b").is_none());
        assert_eq!(
            startup.take::<Any>("a").map(Owned::into_handle),
            None,
            "the host's kernel knows no handle"
        );
        assert!(startup.grants.iter().all(Option::is_none), "taken");
    }
}
