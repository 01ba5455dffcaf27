//! Around every attack: another process that must go on, and accounts that must not change.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use harness::{Account, Bench, Program, Verdict, Wish, expect, why};
use nexus_abi::ExitRecord;
use nexus_rt::{CallError, Handles};

/// Pages of an attacker, and of the process beside it.
const ATTACKER_PAGES: u64 = 1200;
const NEIGHBOUR_PAGES: u64 = 400;

/// Who watches.
pub struct Watch<'a> {
    bench: &'a Bench,
    neighbour: Program,
}

impl<'a> Watch<'a> {
    /// Starts the process beside which attacks happen.
    pub fn new(bench: &'a Bench) -> Result<Watch<'a>, String> {
        let neighbour = Program::start(bench, &Wish::plain("selftest-peer", NEIGHBOUR_PAGES))?;
        let watch = Watch { bench, neighbour };
        // Its first answers make its heap grow.
        watch.goes_on()?;
        Ok(watch)
    }

    /// A fresh attacker.
    pub fn attacker(&self) -> Result<Program, String> {
        Program::start(self.bench, &Wish { armed: true, ..Wish::plain("attacker", ATTACKER_PAGES) })
    }

    /// The process beside the attack still answers.
    pub fn goes_on(&self) -> Verdict {
        let mut room = [0; 16];
        let answer = self.neighbour.call(b"still here?", &mut Handles::new(), &mut room);
        let (length, _) = why("the process beside the attack", answer)?;
        expect(&room[..length] == b"still here?", "the process beside the attack answers otherwise")
    }

    /// Makes an attack in a process of its own that must survive it, with `rounds` repetitions after which nothing
    /// has grown in it; and once its process is gone, nothing has grown here.
    pub fn attack(&self, name: &str, rounds: u32) -> Verdict {
        let before = Account::take(self.bench)?;
        {
            let mut attacker = self.attacker()?;
            let mut room = [0; 1024];
            let answer = ask(&attacker, rounds, name, &mut room);
            let Ok((length, _)) = answer else {
                let ExitRecord { cause, code, pc, address, .. } = attacker.wait_end()?;
                return Err(format!(
                    "it ended: cause {cause}, code {code}, pc {pc:#x}, address {address:#x}"
                ));
            };
            let said = String::from_utf8_lossy(&room[..length]);
            expect(said.is_empty(), &said)?;
            let (length, _) = ask(&attacker, 0, "seen", &mut room)?;
            crate::pairs::add(&room[..length])?;
            self.goes_on()?;
        }
        before.unchanged(self.bench)
    }

    /// Makes an attack that must end its process `rounds` times, each in a process of its own; `judge` compares what it
    /// said before with how it ended.
    pub fn suicide(
        &self,
        name: &str,
        rounds: u32,
        judge: impl Fn(&[u64], &ExitRecord) -> Verdict,
    ) -> Verdict {
        let before = Account::take(self.bench)?;
        for round in 0..rounds {
            let mut attacker = self.attacker()?;
            let mut room = [0; 64];
            let (length, _) = ask(&attacker, 0, name, &mut room)?;
            let told: Vec<u64> = room[..length].chunks_exact(8).map(word).collect();
            let record = attacker.wait_end()?;
            judge(&told, &record).map_err(|why| format!("{name}, round {round}: {why}"))?;
            self.goes_on()?;
        }
        before.unchanged(self.bench)
    }

    /// A fresh attacker that does something for ever.
    pub fn doing(&self, name: &str) -> Result<Program, String> {
        let attacker = self.attacker()?;
        let mut room = [0; 64];
        let (length, _) = ask(&attacker, 0, name, &mut room)?;
        expect(length == 0, &String::from_utf8_lossy(&room[..length]))?;
        Ok(attacker)
    }

    /// Lets an attacker do something for ever, `rounds` times, each in a process of its own; `end` sees to its end.
    pub fn ends(&self, name: &str, rounds: u32, end: impl Fn(u32, &mut Program) -> Verdict) -> Verdict {
        let before = Account::take(self.bench)?;
        for round in 0..rounds {
            let mut attacker = self.doing(name)?;
            let mut room = [0; 64];
            end(round, &mut attacker).map_err(|why| format!("{name}, round {round}: {why}"))?;
            let call = attacker.call(&[], &mut Handles::new(), &mut room);
            let dead = call.err();
            expect(dead == Some(CallError::ServerDied), &format!("{name}: a dead process answers {dead:?}"))?;
            self.goes_on()?;
        }
        before.unchanged(self.bench).map_err(|why| format!("{name}: {why}"))
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Asks an attacker for an attack.
fn ask(attacker: &Program, rounds: u32, name: &str, room: &mut [u8]) -> Result<(usize, Handles), String> {
    let request: Vec<u8> = rounds.to_le_bytes().into_iter().chain(name.bytes()).collect();
    why(name, attacker.call(&request, &mut Handles::new(), room))
}
