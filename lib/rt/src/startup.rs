//! How a program gets what it was granted. Its first thread starts with one handle, the bootstrap endpoint, whose
//! other end is held by whoever started it (`nexus-init`, or a test's driver).
//!
//! The program calls START on it until an answer has no handle: each answer brings up to eight, their names
//! in its bytes (a length byte and the name, each); the last one's bytes are the program's arguments. It calls READY once, when it does its job. Messages that
//! come to it later, a name and one handle each, replace a channel whose server died: `log`, `samgrd`.
//!
//! Nothing here invents a grant: what was not handed over does not exist.

use crate::channel::{Answer, CallError};
use crate::owned::{Any, Channel, Handles, ObjectKind, Owned, Port, Process, Quota};
use crate::{clock, logging};
use nexus_abi::bounds::MAX_MESSAGE_HANDLES;
use nexus_abi::{Error, NEVER, Signals, Ticks};
use spin::{Mutex, Once};

/// Call: the next handles, please.
pub const OP_START: u64 = 1;

/// Call: the program does its job from now on.
pub const OP_READY: u64 = 2;

/// Longest name of a grant.
pub const MAX_NAME: usize = 31;

/// Most grants of one program.
pub const MAX_GRANTS: usize = 32;

/// Longest arguments of a program, in bytes.
pub const MAX_ARGS: usize = 255;

/// Largest answer to START.
pub const MAX_START_BYTES: usize = MAX_MESSAGE_HANDLES * (MAX_NAME + 1);

/// What the program's end of the bootstrap channel can receive.
pub const PROGRAM_END: crate::End = crate::End { depth: 4, bytes: MAX_NAME as u16, handles: 1 };

/// What the starter's end can receive: calls only.
pub const STARTER_END: crate::End = crate::End { depth: 0, bytes: 48, handles: 0 };

/// Name of the log channel.
pub const LOG: &str = "log";
/// Name of the channel to the service registry.
pub const SAMGRD: &str = "samgrd";
/// Name of the program's own process (MAP at least).
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
            let _ = endpoint.call_words(8, [OP_READY, 0, 0, 0, 0, 0], NEVER);
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

/// Names and handles of one answer to START.
fn read_grants(startup: &mut Startup, mut answer: Answer<'_>) -> Result<(), Error> {
    let mut bytes = answer.bytes;
    for index in 0..answer.handles.len() {
        let (length, rest) = bytes.split_first().ok_or(Error::Invalid)?;
        let (name, rest) = rest.split_at_checked(*length as usize).ok_or(Error::Invalid)?;
        bytes = rest;
        startup.add(name, answer.handles.take(index).ok_or(Error::Invalid)?)?;
    }
    if bytes.is_empty() { Ok(()) } else { Err(Error::Invalid) }
}

/// One entry of the bytes of an answer to START.
pub fn write_name(name: &str, bytes: &mut [u8]) -> Option<usize> {
    let end = 1 + name.len();
    if name.len() > MAX_NAME {
        return None;
    }
    let place = bytes.get_mut(..end)?;
    place[0] = name.len() as u8;
    place[1..].copy_from_slice(name.as_bytes());
    Some(end)
}

fn fetch(bootstrap: &Owned<Channel>, startup: &mut Startup) -> Result<(), CallError> {
    loop {
        let mut room = [0; MAX_START_BYTES];
        let answer = bootstrap.call(
            &OP_START.to_le_bytes(),
            &mut Handles::new(),
            &mut room,
            MAX_MESSAGE_HANDLES,
            NEVER,
        )?;
        if answer.handles.is_empty() {
            let length = answer.bytes.len().min(MAX_ARGS);
            startup.args[..length].copy_from_slice(&answer.bytes[..length]);
            startup.args_length = length;
            return Ok(());
        }
        read_grants(startup, answer)?;
    }
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
    let mut room = [0; MAX_NAME];
    while let Ok(mut answer) = endpoint.receive(&mut room) {
        let Ok(channel) = answer.handles.take_typed(0) else { continue };
        accept(answer.bytes, channel);
    }
}

/// Keeps a channel that came over the bootstrap endpoint until it is asked for.
pub(crate) fn accept(name: &[u8], channel: Owned<Channel>) {
    let place = match name {
        name if name == LOG.as_bytes() => &SPARE_LOG,
        name if name == SAMGRD.as_bytes() => &SPARE_SAMGRD,
        _ => return,
    };
    if let Some(mut spare) = place.try_lock() {
        *spare = Some(channel);
    }
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

    fn answer<'a>(bytes: &'a [u8], count: u32) -> Answer<'a> {
        let mut handles = Handles::new();
        for number in 0..count {
            assert!(handles.push(Owned::<Any>::from_handle(Handle(number + 1))).is_ok());
        }
        Answer { bytes, handles }
    }

    #[test]
    fn names_and_handles_are_paired_in_order() {
        let mut bytes = [0; 64];
        let first = write_name("log", &mut bytes).unwrap();
        let second = write_name("samgrd", &mut bytes[first..]).unwrap();
        let mut startup = Startup::empty();
        read_grants(&mut startup, answer(&bytes[..first + second], 2)).unwrap();
        let named = |s: &Startup, i: usize| {
            let grant = s.grants[i].as_ref().unwrap();
            (grant.name[..grant.length].to_vec(), grant.handle.handle())
        };
        assert_eq!(named(&startup, 0), (b"log".to_vec(), Handle(1)));
        assert_eq!(named(&startup, 1), (b"samgrd".to_vec(), Handle(2)));
    }

    #[test]
    fn an_answer_whose_names_and_handles_do_not_match_is_refused() {
        let mut startup = Startup::empty();
        assert_eq!(read_grants(&mut startup, answer(b"\x03lo", 1)), Err(Error::Invalid));
        assert_eq!(read_grants(&mut startup, answer(b"", 1)), Err(Error::Invalid));
        assert_eq!(read_grants(&mut startup, answer(b"\x03logx", 1)), Err(Error::Invalid));
        let long = [&[MAX_NAME as u8 + 1][..], &[b'a'; MAX_NAME + 1]].concat();
        assert_eq!(read_grants(&mut startup, answer(&long, 1)), Err(Error::Invalid));
        let fits = [&[MAX_NAME as u8][..], &[b'a'; MAX_NAME]].concat();
        assert_eq!(read_grants(&mut startup, answer(&fits, 1)), Ok(()));
    }

    #[test]
    fn as_many_grants_as_there_is_room_for_and_no_more() {
        let mut startup = Startup::empty();
        for number in 0..MAX_GRANTS as u32 {
            assert_eq!(startup.add(b"x", Owned::from_handle(Handle(number + 1))), Ok(()));
        }
        assert_eq!(startup.add(b"x", Owned::from_handle(Handle(99))), Err(Error::NoSpace));
    }

    #[test]
    fn a_name_at_the_bound_is_written_and_a_longer_one_is_not() {
        let mut bytes = [0; 64];
        assert_eq!(write_name(&"n".repeat(MAX_NAME), &mut bytes), Some(MAX_NAME + 1));
        assert_eq!(write_name(&"n".repeat(MAX_NAME + 1), &mut bytes), None);
        assert_eq!(write_name("abc", &mut bytes[..3]), None);
    }
}
