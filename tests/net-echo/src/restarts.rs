//! The card's driver and the network are killed again and again: each time the network works again, and nobody holds more than before.

use crate::{PATIENCE_MS, Test, Verdict, why};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_rt::api::supervise::{self, State};
use nexus_rt::clock;
use nexus_rt::wire::Fixed;

/// The first rounds make the heaps of those around grow.
const WARM: u64 = 3;

/// Who may hold more from round to round: the log fills up to its bound, and this program is not what is tested.
const NOT_COUNTED: [&str; 2] = ["logd", "net-echo"];

/// What a process holds.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Held {
    name: String,
    generation: u32,
    is_ready: bool,
    pages: u64,
    handles: u32,
}

impl Test {
    /// Kills each of the two so often.
    pub fn restarts(&mut self, rounds: u64) -> Verdict {
        for name in ["virtionetd", "netstackd"] {
            let mut least = None;
            for round in 0..rounds {
                self.once(name).map_err(|why| format!("{name}, round {round}: {why}"))?;
                least = match least {
                    _ if round < WARM => None,
                    None => Some(self.held()?),
                    Some(least) => {
                        Some(self.settle(least).map_err(|why| format!("{name}, round {round}: {why}"))?)
                    }
                };
            }
        }
        self.say(&format!("net-echo: driver and network killed {rounds} times each, nothing grew"));
        Ok(())
    }

    fn once(&mut self, name: &str) -> Verdict {
        let generation = |held: Vec<Held>| {
            held.iter().find(|held| held.name == name && held.is_ready).map(|held| held.generation)
        };
        let before = generation(self.held()?).ok_or("it is not ready")?;
        self.kill(name)?;
        self.until("it did not come back", |test| {
            Ok(generation(test.held()?).is_some_and(|now| now > before))
        })?;
        self.until("the router does not answer", |test| Ok(test.ping().is_ok()))
    }

    /// Waits until nobody holds more than before: what was let go of may not be closed yet.
    fn settle(&mut self, least: Vec<Held>) -> Verdict<Vec<Held>> {
        let more = |now: &Held, then: &Held| now.pages > then.pages || now.handles > then.handles;
        let mut now = Vec::new();
        let settled = self.until("", |test| {
            now = test.held()?;
            Ok(now.len() == least.len() && !now.iter().zip(&least).any(|(now, then)| more(now, then)))
        });
        match settled {
            Ok(()) => Ok(now),
            Err(_) => Err(format!("{now:?} after {least:?}")),
        }
    }

    fn until(&mut self, otherwise: &str, mut holds: impl FnMut(&mut Test) -> Verdict<bool>) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            if holds(self)? {
                return Ok(());
            }
            if clock::now() >= deadline {
                return Err(String::from(otherwise));
            }
            self.pause();
        }
    }

    /// What everybody holds that is counted.
    fn held(&self) -> Verdict<Vec<Held>> {
        let mut init = supervise::Client::new(Fixed::new(&self.supervisor));
        let mut all = Vec::new();
        for index in 0.. {
            let stat = match init.stat(index) {
                Ok(stat) => stat,
                Err(nexus_rt::wire::CallError::Service(supervise::Error::NotFound)) => break,
                Err(error) => return why("stat", Err(error)),
            };
            let name = String::from(stat.name.get());
            if !NOT_COUNTED.contains(&name.as_str()) {
                let is_ready = matches!(stat.state, State::Ready);
                all.push(Held {
                    name,
                    generation: stat.generation,
                    is_ready,
                    pages: stat.pages,
                    handles: stat.handles,
                });
            }
        }
        Ok(all)
    }
}
