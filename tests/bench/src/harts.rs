//! Rows of several harts, in real time: two pairs of client and server at once against one pair alone, and wake-ups on
//! another hart.
//!
//! What must never happen: a figure of two pairs that did not run at the same time, or of a wake-up on the hart that asked for
//! it. Both are checked by the clock, and a window that was not what it should be is left out.
//!
//! Two processors of a host do not always do twice what one does: they have neighbours. So the same windows are taken of harts
//! that only compute, and share nothing: what those do not reach nobody can.

use crate::Report;
use crate::measure;
use crate::rows::{Step, why};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::{NEVER, Tag, Ticks};
use nexus_rt::{
    Channel, End, Handles, Incoming, Owned, PortKind, QuotaKind, Server, Startup, clock, samgr, sys,
};

/// How long a try lasts: within the share of a client, which begins anew with each period.
const WINDOW_MS: u64 = 10;
/// From one try to the next: more than a period, so that no try pays for the one before.
const PAUSE_MS: u64 = 150;
/// Tries.
const TRIES: usize = 5;
/// Windows of each kind in a try, of which the best counts: what else the host does takes something away from most.
const ROUNDS: usize = 8;
/// Calls between looks at the clock.
const LOOK_EVERY: u64 = 16;
/// Steps that stand for a call where a hart only computes: about as long.
const STEPS: u64 = 128;
/// Of a window, in percent: how much of it two pairs must have had together.
const TOGETHER: u64 = 90;

/// Wake-ups across harts that count, and the most that are made for as many.
const CROSSED: usize = 40;
const MOST_CROSSED: usize = 200;
/// Between two of them: the server goes on after its answer, and has a share of its own for that.
const CROSS_PAUSE_MS: u64 = 20;
/// How long a sender keeps its hart.
const KEPT_MS: u64 = 1;

/// What a window is filled with.
#[derive(Clone, Copy)]
enum Work {
    /// Round trips to the server.
    Calls,
    /// Steps that need nobody.
    Steps,
}

/// What a client did in its window.
#[derive(Clone, Copy, Default)]
struct Done {
    calls: u64,
    begun: Ticks,
    ended: Ticks,
}

impl Done {
    /// Calls in a million ticks.
    fn rate(&self) -> u64 {
        self.calls * 1_000_000 / (self.ended - self.begun).max(1)
    }
}

/// A client, and what it sleeps at.
struct Client {
    channel: Owned<Channel>,
    bed: Owned<PortKind>,
}

impl Client {
    /// Of a server that answers what comes in registers.
    fn new(quota: &Owned<QuotaKind>, service: &str) -> Result<Client, String> {
        let channel = why("connect", samgr::connect(service))?;
        let bed = why("port", Owned::<PortKind>::create(quota))?;
        Ok(Client { channel, bed })
    }

    fn sleep_until(&self, at: Ticks) {
        // Nobody signals this port: the wait ends with its deadline.
        let _ = sys::reply_and_wait_words(self.bed.handle(), 0, 0, Default::default(), at);
    }

    fn sleep(&self, ms: u64) {
        self.sleep_until(clock::now() + clock::millis(ms));
    }

    /// Works from `start` on, for a window.
    fn window(&self, start: Ticks, work: Work) -> Result<Done, String> {
        self.sleep_until(start);
        let mut done = Done { begun: clock::now(), ..Done::default() };
        let end = done.begun + clock::millis(WINDOW_MS);
        while done.ended < end {
            for _ in 0..LOOK_EVERY {
                match work {
                    Work::Calls => self.call()?,
                    Work::Steps => {
                        core::hint::black_box(
                            (0..STEPS).fold(done.calls, |sum, step| core::hint::black_box(sum ^ step)),
                        );
                    }
                }
            }
            done.calls += LOOK_EVERY;
            done.ended = clock::now();
        }
        Ok(done)
    }

    fn call(&self) -> Step {
        let mut registers = [self.channel.handle().0 as u64, Tag::new(0, 0).0, 0, 0, 0, 0, 0, 0];
        // SAFETY: a message of 0 bytes, and an answer of as many.
        let count = unsafe { measure::w0w(&mut registers) };
        match registers[0] == 0 && count.is_some() {
            true => Ok(()),
            false => Err(format!("a call answered {:#x}", registers[0])),
        }
    }
}

/// What the follower's channel carries: when to begin and what with, and what it did.
const RECEIVES: End = End { depth: 1, bytes: 48, handles: 0 };

/// The second client: makes calls when it is told, then tells what it did.
pub fn follow(startup: &Startup) -> u64 {
    let done = (|| -> Step {
        let quota = startup.quota().ok_or("no quota")?;
        let client = Client::new(quota, "bench-echo-2")?;
        crate::rows::mode(&client.channel, b'w')?;
        let mut server = why("server", Server::new(quota))?;
        why("provide", server.provide(quota, "bench-follow", RECEIVES))?;
        startup.ready();
        let mut done = Done::default();
        loop {
            match why("next", server.next(NEVER))? {
                Incoming::Message(message) => {
                    let (start, work) = server.bytes(&message).split_first_chunk().ok_or("no time")?;
                    let work = if work == b"s" { Work::Steps } else { Work::Calls };
                    done = client.window(Ticks::from_le_bytes(*start), work)?;
                }
                Incoming::Call(message) => {
                    let words = [done.calls, done.begun, done.ended];
                    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                    why("reply", server.reply(message.token, &bytes, Handles::new()))?;
                    server.flush();
                }
                _ => {}
            }
        }
    })();
    done.is_err() as u64
}

/// Every row, by the first client.
pub fn lead(startup: &Startup, report: &mut Report) -> Step {
    let quota = startup.quota().ok_or("no quota")?;
    let client = Client::new(quota, "bench-echo")?;
    let follower = why("connect", samgr::connect("bench-follow"))?;
    // A row that a busy host does not let be taken is left out, and said.
    let left_out = |name: &str, done: Step, report: &Report| {
        if let Err(why) = done {
            report.say(&format!("BENCH-LEFT-OUT {name}: {why}"));
        }
    };
    left_out("ipc.cross_hart_send", sent(&client, report), report);
    left_out("ipc.cross_hart_call", called(&client, report), report);
    crate::rows::mode(&client.channel, b'w')?;
    for (name, work) in [("ipc.scaling.host", Work::Steps), ("ipc.scaling.2harts", Work::Calls)] {
        left_out(name, scaling(name, work, &client, &follower, report), report);
    }
    Ok(())
}

/// The best of two at once over the best of one alone, try by try, in hundredths.
fn scaling(name: &str, work: Work, client: &Client, follower: &Owned<Channel>, report: &mut Report) -> Step {
    let soon = || clock::now() + clock::millis(PAUSE_MS);
    let mut ratios = Vec::new();
    for _ in 0..TRIES {
        let (mut alone, mut both) = (0, 0);
        for _ in 0..ROUNDS {
            alone = alone.max(client.window(soon(), work)?.rate());
            both = both.max(together(soon(), work, client, follower)?.unwrap_or(0));
        }
        if both == 0 {
            return Err(format!("in none of {ROUNDS} windows did both run at once"));
        }
        ratios.push(both * 100 / alone.max(1));
    }
    report.hundredths(name, "times", &mut ratios);
    Ok(())
}

/// What two did in a window that both began at `start`; nothing if they were not at work at the same time.
fn together(
    start: Ticks,
    work: Work,
    client: &Client,
    follower: &Owned<Channel>,
) -> Result<Option<u64>, String> {
    let kind = if matches!(work, Work::Steps) { b's' } else { b'c' };
    let mut order = [kind; 9];
    order[..8].copy_from_slice(&start.to_le_bytes());
    why("send", follower.send(&order, &mut Handles::new(), NEVER))?;
    let mine = client.window(start, work)?;
    let mut room = [0; 24];
    let answer = why("ask", follower.call(&[], &mut Handles::new(), &mut room, 0, NEVER))?;
    let mut words =
        answer.bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    let mut word = || words.next().ok_or("a short answer");
    let theirs = Done { calls: word()?, begun: word()?, ended: word()? };
    let shared = mine.ended.min(theirs.ended).saturating_sub(mine.begun.max(theirs.begun));
    Ok((shared * 100 >= clock::millis(WINDOW_MS) * TOGETHER).then_some(mine.rate() + theirs.rate()))
}

/// Spans of tries that were what they should be: `try_once` answers when one began and ended, or nothing.
fn spans(
    client: &Client,
    try_once: impl Fn() -> Result<Option<(Ticks, Ticks)>, String>,
) -> Result<Vec<u64>, String> {
    let mut spans = Vec::new();
    for _ in 0..MOST_CROSSED {
        client.sleep(CROSS_PAUSE_MS);
        if let Some((begun, ended)) = try_once()? {
            spans.push((ended - begun) * 1_000_000_000 / clock::timebase());
        }
        if spans.len() == CROSSED {
            return Ok(spans);
        }
    }
    Err(format!("only {} of {MOST_CROSSED} were woken on another hart", spans.len()))
}

/// A number that the server answers a call with.
fn asked(client: &Client, request: &[u8]) -> Result<Ticks, String> {
    let mut room = [0; 8];
    let answer = why("call", client.channel.call(request, &mut Handles::new(), &mut room, 0, NEVER))?;
    answer.bytes.first_chunk().copied().map(u64::from_le_bytes).ok_or_else(|| "no time".into())
}

/// A message to a server that waits, whose sender goes on: another hart is called to run the server.
fn sent(client: &Client, report: &mut Report) -> Step {
    let mut spans = spans(client, || {
        let begun = clock::now();
        why("send", client.channel.send(&[], &mut Handles::new(), NEVER))?;
        // This hart is kept: a server that saw the message meanwhile saw it on another one.
        let until = begun + clock::millis(KEPT_MS);
        while clock::now() < until {}
        let seen = asked(client, b"t")?;
        Ok((seen < until).then_some((begun, seen)))
    })?;
    report.row("ipc.cross_hart_send", "ns", &mut spans);
    Ok(())
}

/// A call whose server goes on working after its answer: another hart is called to go on with the caller.
fn called(client: &Client, report: &mut Report) -> Step {
    let mut spans = spans(client, || {
        let begun = clock::now();
        let until = asked(client, b"s")?;
        let now = clock::now();
        // The server had not let go of its hart yet: so this is another one.
        Ok((now < until).then_some((begun, now)))
    })?;
    report.row("ipc.cross_hart_call", "ns", &mut spans);
    Ok(())
}
