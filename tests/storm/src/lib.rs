//! Random work of several processes on every hart, some of which are killed or revoked at any moment and made anew. Each is a
//! `stormer`, which calls, sends, serves, makes and ends objects, and checks what comes back; this driver connects, kills and counts.
//!
//! What holds: every message arrives once, whole and in order; every answer is to its call; everybody learns of a death; nobody
//! waits for ever; what a client alone works with answers as the model says; and when all are gone everything is charged as before.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

pub mod message;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use harness::{Account, Bench, Program, Test, Verdict, Wish, expect, why};
use nexus_abi::{Error, NOW, Signals};
use nexus_rt::server::Message;
use nexus_rt::{Channel, End, Handles, Incoming, Owned, Server, clock};

/// Every test.
pub const TESTS: &[Test] = &[("storm.random", random)];

/// First word of a call to the driver: a client wants an end whose other end somebody serves.
pub const ASK: u64 = 1;
/// It has done so much, and asks whether to go on.
pub const TICK: u64 = 2;
/// It tells what is wrong.
pub const FOUND: u64 = 3;
/// The answer that ends a client.
pub const STOP: u64 = 9;

/// How long anything here may take before it counts as a hang: far longer than it does.
pub const PATIENCE_MS: u64 = 30_000;

/// Processes, and clients in each.
const STORMERS: usize = 4;
const CLIENTS: usize = 2;
const PAGES: u64 = 600;

/// What each end of a client's channel can receive.
const CALLS: End = End { depth: 3, bytes: message::MAX_BYTES as u16, handles: 1 };
const NOTHING: End = End { depth: 0, bytes: 0, handles: 0 };

/// Operations on one hart, on several, and there where nothing else is done.
const EXACT: u64 = 1_000;
const QUICK: u64 = 2_500;
const LONG: u64 = 200_000;
/// Operations of the first, short storm.
const WARM: u64 = 900;
/// Operations between two deaths.
const BETWEEN_DEATHS: u64 = 400;
const SEED: u64 = 0x5701_2a11;
/// How often it is looked, some milliseconds apart, whether everything has been given back.
const LOOKS: usize = 500;

/// xorshift64*.
pub struct Random(u64);

impl Random {
    /// Any seed will do.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8) % bound
    }
}

/// A stormer as the driver knows it.
struct Stormer {
    program: Program,
    /// Clients of it that have ended.
    ended: usize,
}

/// The whole.
struct Storm<'b> {
    bench: &'b Bench,
    server: Server,
    stormers: Vec<Stormer>,
    random: Random,
    done: u64,
    goal: u64,
    deaths: u64,
}

/// See the module.
fn random(bench: &Bench) -> Verdict {
    // Once before it is counted: this process's own heap grows to what the driver needs.
    storm(bench, WARM)?;
    let before = Account::take(bench)?;
    let goal = match (bench.storm, bench.is_exact()?) {
        (true, _) => LONG,
        (false, true) => EXACT,
        (false, false) => QUICK,
    };
    storm(bench, goal)?;
    // What was revoked on another hart comes back when that has had time for it.
    for _ in 0..LOOKS {
        if before.unchanged(bench).is_ok() {
            return Ok(());
        }
        bench.pause(5)?;
    }
    before.unchanged(bench)
}

/// Starts them, lets them work until so much is done, and ends them.
fn storm(bench: &Bench, goal: u64) -> Verdict {
    let mut storm = Storm {
        bench,
        server: why("server", Server::new(bench.quota))?,
        stormers: Vec::new(),
        random: Random::new(SEED),
        done: 0,
        goal,
        deaths: 0,
    };
    for n in 0..STORMERS {
        let stormer = storm.start(n)?;
        storm.stormers.push(stormer);
    }
    storm.run()?;
    expect(storm.deaths >= goal / BETWEEN_DEATHS / 2, "hardly anybody died")
}

impl Storm<'_> {
    fn start(&self, n: usize) -> Result<Stormer, String> {
        let wish = Wish { program: "stormer", pages: PAGES, cpu: 0, priority: 10, armed: true };
        let program = Program::start(self.bench, &wish)?;
        let signals = Signals::READABLE | Signals::PEER_CLOSED;
        why("bind", self.server.port().bind(&program.channel, n as u64 + 1, signals))?;
        Ok(Stormer { program, ended: 0 })
    }

    fn run(&mut self) -> Verdict {
        let mut next_death = BETWEEN_DEATHS;
        while self.stormers.iter().any(|stormer| stormer.ended < CLIENTS) {
            let next = why("wait for clients", self.server.next(clock::in_millis(2 * PATIENCE_MS)))?;
            match next {
                Incoming::Call(message) => self.answer(message)?,
                Incoming::Event { key, .. } => return Err(format!("stormer {key} ended by itself")),
                other => return Err(format!("after {} operations: {other:?}", self.done)),
            }
            if self.done >= next_death && self.done < self.goal {
                next_death += BETWEEN_DEATHS;
                self.server.flush();
                self.end_one()?;
            }
        }
        Ok(())
    }

    /// One of them dies, in one of two ways, and another comes in its place.
    fn end_one(&mut self) -> Verdict {
        let n = self.random.below(STORMERS as u64) as usize;
        let old = &mut self.stormers[n];
        if self.random.below(2) == 0 {
            why("kill", old.program.process.kill())?;
            old.program.wait_end()?;
        } else {
            old.program.revoke()?;
        }
        self.deaths += 1;
        let fresh = self.start(n)?;
        self.stormers[n] = fresh;
        Ok(())
    }

    fn answer(&mut self, message: Message) -> Verdict {
        let bytes = self.server.bytes(&message);
        let word = |at: usize| {
            bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|raw| u64::from_le_bytes(*raw))
        };
        let (operation, number) = (word(0).unwrap_or(0), word(8).unwrap_or(0));
        let from = message.key as usize - 1;
        match operation {
            ASK => {
                let end = self.connect(from, number)?;
                let handles = end.map_or_else(Handles::new, Handles::one);
                why("answer", self.server.reply(message.token, &[0; 8], handles))
            }
            TICK => {
                self.done += number;
                let stop = self.done >= self.goal;
                self.stormers[from].ended += stop as usize;
                let answer = if stop { STOP } else { 0 };
                why("answer", self.server.reply(message.token, &answer.to_le_bytes(), Handles::new()))
            }
            _ => {
                let text = bytes.get(8..).unwrap_or(&[]);
                let text = text.split(|byte| *byte == 0).next().unwrap_or(&[]);
                let text = core::str::from_utf8(text).unwrap_or("?");
                Err(format!("stormer {from}, after {} operations: {text}", self.done))
            }
        }
    }

    /// An end for a client of stormer `from`, whose other end another one serves from now on; `None` when that one has no room now.
    fn connect(&mut self, from: usize, client: u64) -> Result<Option<Owned<Channel>>, String> {
        let to = (from + 1 + (client as usize + self.deaths as usize) % (STORMERS - 1)) % STORMERS;
        let (near, far) = why("channel", Owned::<Channel>::create(self.bench.quota, NOTHING, CALLS))?;
        match self.stormers[to].program.channel.send(&[], &mut Handles::one(far), NOW) {
            Ok(()) => Ok(Some(near)),
            Err(Error::WouldBlock) => Ok(None),
            Err(error) => Err(format!("give stormer {to} an end: {error:?}")),
        }
    }
}
