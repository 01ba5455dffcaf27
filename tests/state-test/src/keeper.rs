//! `keystored` killed again and again, at whatever it does: what is sealed stays open, the device stays who it is, and nothing of the dead is left anywhere.

use alloc::format;
use alloc::vec::Vec;

use nexus_rt::api::supervise::{self, State};
use nexus_rt::clock;
use nexus_rt::wire::Fixed;

use crate::{Test, Verdict, why};

/// Kills before it is looked what everybody holds, so that all have what they need.
const FIRST: usize = 8;

/// Where it stands when it dies, by turns: just started, or at its work.
const STAGES: [State; 2] = [State::Starting, State::Ready];

/// Who may have kept something of a process that died: by name, and whether its pages are compared too. Those of `statefsd` rise and fall with its log.
const KEEPS: [(&str, bool); 4] =
    [("keystored", true), ("statefsd", false), ("samgrd", true), ("nexus-init", true)];

/// Rounds of kills, of which one after which no more is held than before it must be: others connect when they like, but only what leaks grows with each round.
const MOST_ROUNDS: usize = 3;

/// How long its successor may take.
const PATIENCE_MS: u64 = 20_000;

/// What each holds: pages and handles.
type Held = Vec<(u64, u32)>;

impl Test {
    /// So many kills.
    pub fn keeper(&mut self, kills: usize) -> Verdict {
        self.until_ready(0)?;
        let identity = why("who the device is", self.keys.identity())?.key;
        let mut took = Vec::new();
        for kill in 0..FIRST {
            self.one_dies(kill, &identity)?;
        }
        let mut rounds = 0;
        loop {
            let before = self.held()?;
            for kill in 0..kills {
                took.push(self.one_dies(kill, &identity)?);
            }
            let after = self.held()?;
            rounds += 1;
            if !after.iter().zip(&before).any(|(now, then)| now.0 > then.0 || now.1 > then.1) {
                break;
            }
            if rounds == MOST_ROUNDS {
                return Err(format!("before {before:?}, after {after:?}"));
            }
        }
        self.is_told()?;
        took.sort_unstable();
        let (middle, most) =
            (took.get(took.len() / 2).copied().unwrap_or(0), took.last().copied().unwrap_or(0));
        self.say(&format!("KEEPER median_us={middle} max_us={most}"));
        self.say(&format!("SELFTEST: keystored kills ok n={kills}"));
        Ok(())
    }

    /// It dies, and the next one does its work: a sealed value is changed and written down in the vault, and the device is who it was. Answers
    /// microseconds from the kill to the first answer of the next one.
    fn one_dies(&mut self, kill: usize, identity: &[u8; 32]) -> Verdict<u64> {
        let begun = clock::now();
        let was = self.kill_running("keystored")?;
        if let State::Starting = STAGES[kill % STAGES.len()] {
            self.until("keystored", was, State::Starting)?;
            self.kill_if_there("keystored")?;
        }
        let now = loop {
            // One that is not ready yet knows no key, and one that died says nothing.
            match self.keys.identity() {
                Ok(reply) => break reply.key,
                Err(_) if clock::now().saturating_sub(begun) < PATIENCE_MS * clock::timebase() / 1000 => {}
                other => return why("who the device is", other).map(|_| 0),
            }
        };
        let took = clock::now().saturating_sub(begun) * 1_000_000 / clock::timebase();
        if now != *identity {
            return Err("the device is another".into());
        }
        self.until_ready(was)?;
        why("put", self.put_again(&kill.to_le_bytes()))?;
        why("written down", self.keys.anchor())?;
        Ok(took)
    }

    /// The last of them is still told of what changes: of more watches than `statefsd` has room for, none was left by the dead.
    fn is_told(&mut self) -> Verdict {
        while why("status", self.keys.status())?.pending {
            self.pause();
        }
        why("put", self.put_again(b"the last"))?;
        if why("status", self.keys.status())?.pending {
            Ok(())
        } else {
            Err("nobody was told of a change".into())
        }
    }

    /// Waits until another one than that does its work.
    fn until_ready(&mut self, was: u32) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            let (generation, state) = self.stands("keystored")?;
            if generation > was && state == State::Ready {
                return Ok(());
            }
            if clock::now() > deadline {
                return Err(format!("keystored is {state:?}"));
            }
            self.pause();
        }
    }

    fn held(&self) -> Verdict<Held> {
        let mut all = Vec::new();
        for (name, pages) in KEEPS {
            let mut init = supervise::Client::new(Fixed::new(&*self.supervisor));
            for index in 0.. {
                let stat = why(name, init.stat(index))?;
                if stat.name.get() == name {
                    all.push((if pages { stat.pages } else { 0 }, stat.handles));
                    break;
                }
            }
        }
        Ok(all)
    }
}
