//! A client of `/state` that a disk goes through several machines with. Each machine looks whether everything is there that the ones
//! before it were promised, does its share, and ends without a word to anybody. What else it can do, a value on the disk tells it to.
//!
//! A proof line is printed only after `statefsd` answered what it says; what lasts is read back on another machine.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod cuts;
mod handed;
mod keeper;
mod load;
mod media;
mod sealed;
mod work;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use nexus_rt::api::state::{Client, Error, MAX_DATA, Receipt, Stat};
use nexus_rt::api::{keys, supervise};
use nexus_rt::console::Console;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Fixed, Text};
use nexus_rt::{Channel, Owned, PortKind, QuotaKind, ResourceKind, Startup, clock, sys};

nexus_rt::main!(run);

/// What came of something: done, or what went wrong.
type Verdict<T = ()> = Result<T, String>;

/// The test.
struct Test {
    console: Console,
    supervisor: Arc<Owned<Channel>>,
    state: Client<Service>,
    /// The same with values of any length.
    keep: nexus_keep::State,
    keys: keys::Client<Service>,
    quota: &'static Owned<QuotaKind>,
    /// Nothing ever comes here.
    silence: Owned<PortKind>,
}

/// How long it looks away before it looks again.
const PAUSE_MS: u64 = 50;

fn why<T, E: Debug>(what: &str, result: Result<T, E>) -> Verdict<T> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

fn text<const N: usize>(text: &str) -> Text<'_, N> {
    Text::cut(text)
}

fn run(mut startup: Startup) -> u64 {
    let (Some(reset), Some(supervisor)) =
        (startup.take::<ResourceKind>("reset"), startup.take::<Channel>("supervise"))
    else {
        return 3;
    };
    let Some(quota) = startup.quota() else { return 3 };
    let Ok(silence) = Owned::<PortKind>::create(quota) else { return 4 };
    startup.ready();
    let (state, keys) = (Client::new(Service("state")), keys::Client::new(Service("keys")));
    let supervisor = Arc::new(supervisor);
    let keep = nexus_keep::State::new();
    let mut test = Test { console: Console::default(), supervisor, state, keep, keys, quota, silence };
    let outcome = match startup.args() {
        "" => test.told(),
        count => test.row(count),
    };
    if let Err(reason) = &outcome {
        test.say(&format!("TEST state FAILED: {reason}"));
    }
    let _ = test.console.drain();
    let _ = reset.reset(u64::from(outcome.is_err()));
    4
}

/// Where it stands what to do; without it everything is done that one machine does.
const MODE: &str = "app/test/mode";

impl Test {
    /// What the disk says; one that cannot be read is looked at as a medium.
    fn told(&mut self) -> Verdict {
        let mode = match self.get(MODE) {
            Ok((mode, _)) => mode,
            Err(CallError::Service(Error::NotFound | Error::NotDir)) => return self.whole(),
            Err(_) => return self.media(),
        };
        match core::str::from_utf8(&mode).unwrap_or_default().split_once(' ') {
            Some(("load", _)) => self.load(),
            Some(("kills", count)) => self.kills(why("a number of kills", count.parse())?),
            Some(("media", _)) => self.media(),
            Some(("keeper", count)) => self.keeper(why("a number of kills", count.parse())?),
            Some(("taken", count)) => self.taken_back(why("a number of values", count.parse())?),
            _ => Err(format!("`{MODE}` says nothing that is known")),
        }
    }

    fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.write(&format!("{line}\n"));
    }

    fn pause(&self) {
        let until = clock::in_millis(PAUSE_MS);
        let _ = sys::reply_and_wait_words(self.silence.handle(), 0, 0, [0; 6], until);
    }

    fn put(&mut self, path: &str, data: &[u8]) -> Result<Receipt, CallError<Error>> {
        self.keep.put(path, data, false)
    }

    fn get(&mut self, path: &str) -> Result<(Vec<u8>, Stat), CallError<Error>> {
        self.keep.get(path)
    }

    fn expect(&mut self, path: &str, data: &[u8]) -> Verdict {
        let (found, _) = why(path, self.get(path))?;
        if found == data { Ok(()) } else { Err(format!("{path} has another value")) }
    }

    /// Puts a value of any length, made as it goes.
    fn upload(
        &mut self,
        path: &str,
        length: usize,
        byte: impl Fn(usize) -> u8,
    ) -> Result<Receipt, CallError<Error>> {
        let upload = self.state.upload(length as u64, text(path))?.upload;
        for from in (0..length).step_by(MAX_DATA) {
            let part: Vec<u8> = (from..length.min(from + MAX_DATA)).map(&byte).collect();
            self.state.more(upload, Bytes::new(&part).unwrap_or_default())?;
        }
        self.state.publish(upload).map(|reply| reply.receipt)
    }

    /// What must be refused, for this reason.
    fn refused<T>(what: &str, outcome: Result<T, CallError<Error>>, error: Error) -> Verdict {
        match outcome {
            Err(CallError::Service(found)) if found == error => Ok(()),
            Err(other) => Err(format!("{what}: {other:?} instead of {error:?}")),
            Ok(_) => Err(format!("{what}: done instead of {error:?}")),
        }
    }

    fn kill(&self, name: &str) -> Verdict {
        kill(&self.supervisor, name)
    }
}

fn kill(supervisor: &Owned<Channel>, name: &str) -> Verdict {
    let name = why("name", Text::new(name))?;
    why("kill", supervise::Client::new(Fixed::new(supervisor)).kill(name))
}
