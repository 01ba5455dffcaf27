//! Load without an end, for a machine that is killed under it, and with one, for services that are. What is stored is a function of one
//! number that is stored with it (`state_work::load`), so whoever looks, here or on the host, knows what there must be.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nexus_rt::api::state::Error;
use nexus_rt::wire::{Bytes, CallError};
use nexus_rt::{Channel, Owned, QuotaKind, Server, clock, thread};
use state_work::load::{COUNT, SLOTS, slot, step, value};
use statefsd::changes;

use crate::{Test, Verdict, kill, why};

/// Steps between two words to whoever counts them.
const A_WORD: usize = 10;

/// Most answers that one step gets from servers that died.
const MAX_DEATHS: usize = 50;

/// Priority of the thread that kills: that of the client.
const PRIORITY: u8 = 10;

impl Test {
    /// Steps as long as the machine lives, each safe before the next one begins.
    pub fn load(&mut self) -> Verdict {
        let mut count = self.loaded()?;
        self.say(&format!("LOAD {count} found"));
        loop {
            count = self.step(count)?;
            if count.is_multiple_of(A_WORD) {
                self.say(&format!("LOAD {count} safe"));
            }
        }
    }

    /// Steps while `statefsd` and the disk's driver are killed by turns, so many times.
    pub fn kills(&mut self, kills: usize) -> Verdict {
        let mut count = self.loaded()?;
        let (steps, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, told) = (steps.clone(), over.clone());
        let (supervisor, quota) = (self.supervisor.clone(), self.quota);
        let killer = thread::spawn(PRIORITY, move || {
            let outcome = kill_by_turns(kills, &supervisor, quota, &seen, &told);
            told.store(true, Ordering::Relaxed);
            outcome
        });
        let killer = why("a thread", killer)?;
        let done = loop {
            if over.load(Ordering::Relaxed) {
                break Ok(());
            }
            match self.step(count) {
                Ok(next) => count = next,
                Err(what) => break Err(what),
            }
            steps.fetch_add(1, Ordering::Relaxed);
        };
        over.store(true, Ordering::Relaxed);
        let killed = killer.join().ok_or("the thread that kills ended otherwise")?;
        done.and(killed)?;
        if self.loaded()? != count {
            return Err(String::from("another count is there"));
        }
        self.say(&format!("SELFTEST: statefs kills ok n={kills}"));
        Ok(())
    }

    /// One step, durable; answers the number of steps then. When its server dies on the way it was done or not, and what is stored says which.
    fn step(&mut self, count: usize) -> Verdict<usize> {
        let mut bytes = Vec::new();
        for (path, value) in step(count) {
            changes::write(&path, value.as_deref(), &mut bytes);
        }
        for _ in 0..MAX_DEATHS {
            match self.state.batch(true, Bytes::new(&bytes).unwrap_or_default()) {
                Ok(_) => return Ok(count + 1),
                Err(CallError::ServerDied) => {}
                // A server that came up while the driver was away says so; then it was not done, or is not known to be.
                Err(CallError::Service(Error::NotFound | Error::Io)) => {}
                other => return why(&format!("step {count}"), other).map(|_| 0),
            }
            let found = self.steps()?;
            if found == count + 1 {
                return Ok(found);
            }
            if found != count {
                return Err(format!("{found} steps are there instead of {count} or one more"));
            }
        }
        Err(format!("step {count}: {MAX_DEATHS} servers died"))
    }

    fn steps(&mut self) -> Verdict<usize> {
        let mut found = self.get(COUNT);
        for _ in 0..MAX_DEATHS {
            if !matches!(found, Err(CallError::Service(Error::Io))) {
                break;
            }
            // The driver is being started again.
            self.pause();
            found = self.get(COUNT);
        }
        match found {
            Ok((bytes, _)) => {
                let text = core::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok());
                text.ok_or_else(|| String::from("the count is no number"))
            }
            Err(CallError::Service(Error::NotFound | Error::NotDir)) => Ok(0),
            other => why("the count", other).map(|_| 0),
        }
    }

    /// How many steps were done: everything that there must be then is there.
    fn loaded(&mut self) -> Verdict<usize> {
        let count = self.steps()?;
        for number in 0..SLOTS {
            match value(count, number) {
                Some(value) => self.expect(&slot(number), &value)?,
                None => match self.get(&slot(number)) {
                    Err(CallError::Service(Error::NotFound | Error::NotDir)) => {}
                    other => return Err(format!("{} after {count} steps: {other:?}", slot(number))),
                },
            }
        }
        Ok(count)
    }
}

/// Kills one and the other, each after a step at least, in the middle of another one.
fn kill_by_turns(
    kills: usize,
    supervisor: &Owned<Channel>,
    quota: &Owned<QuotaKind>,
    steps: &AtomicUsize,
    over: &AtomicBool,
) -> Verdict {
    let mut pause = why("a server to wait at", Server::new(quota))?;
    let mut done = 0;
    for turn in 0..kills {
        while steps.load(Ordering::Relaxed) == done && !over.load(Ordering::Relaxed) {
            why("a pause", pause.next(clock::in_millis(1 + turn as u64 * 7 % 5)))?;
        }
        if over.load(Ordering::Relaxed) {
            return Err(String::from("the load ended"));
        }
        done = steps.load(Ordering::Relaxed);
        kill(supervisor, ["statefsd", "virtioblkd"][turn % 2])?;
    }
    Ok(())
}
