//! One service at a time is killed under this process, which is a client of it.

use alloc::format;
use alloc::string::String;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_rt::api::echo::Client;
use nexus_rt::api::samgr::Error as Denial;
use nexus_rt::api::supervise::Error;
use nexus_rt::samgr::{self, Service};
use nexus_rt::wire::{CallError, Text};
use nexus_rt::{clock, info, logging, thread};

use crate::reader::Reader;
use crate::{NEXUS_INIT, PATIENCE_MS, await_next};

/// Priority of a second thread.
const PRIORITY: u8 = 10;

/// How often a call is made that is to be kept until its server is killed.
const TRIES: usize = 20;

/// There is nothing to kill under a name that no process has, and the supervisor itself is not to be had.
pub fn unknown(bench: &Bench) -> Verdict {
    for name in ["no-such-process", "", "nexus-init", "selftest-peer"] {
        let refused = bench.supervisor().kill(Text::cut(name));
        let expected = Err(CallError::Service(Error::NotFound));
        expect(refused == expected, &format!("killing `{name}`: {refused:?}"))?;
    }
    Ok(())
}

/// A call that it keeps ends with `ServerDied`; what is idempotent is asked of the next one, and what is not, is not.
pub fn echo(bench: &Bench) -> Verdict {
    const MARK: u32 = 41;
    let mut log = Reader::at_end()?;
    let mut client = Client::new(Service("echo"));
    let before = why("count", client.count(7))?.total;
    expect(before >= 7, "the counter does not count")?;
    // On a busy host the deadline of the call may pass before the kill, or the call may come after it and find the next one.
    let mut tries = 0..TRIES;
    let was = loop {
        expect(tries.next().is_some(), "no call was kept until its server was killed")?;
        let served = why("look", bench.look("echo"))?.handles;
        let waits = || Client::new(Service("echo")).wait(MARK).map(|_| ());
        let waiting = why("spawn", thread::spawn(PRIORITY, waits))?;
        let patience = clock::in_millis(PATIENCE_MS);
        while bench.look("echo")?.handles == served && clock::now() < patience {
            bench.pause(1)?;
        }
        let was = bench.kill("echo")?;
        let words = why("an idempotent call", client.words(1, 2, 3, 4))?;
        expect(words.d == 4, "another answer")?;
        match waiting.join() {
            Some(Err(CallError::ServerDied)) => break was,
            Some(Err(CallError::TimedOut)) => {}
            other => return Err(format!("the call that it kept ended so: {other:?}")),
        }
    };
    await_next(bench, "echo", &was)?;
    log.find_ready(bench, "echo")?;
    expect(why("count", client.count(0))?.total == 0, "something of the old process is left in the new one")?;

    let was = bench.kill("echo")?;
    // Until it is dead it may still answer.
    let once = loop {
        match client.count(100) {
            Ok(_) => {}
            Err(why) => break why,
        }
    };
    expect(once == CallError::ServerDied, &format!("a call that is made once: {once:?}"))?;
    await_next(bench, "echo", &was)?;
    expect(why("count", client.count(0))?.total == 0, "a call that is made once was made again")
}

/// Connections go with it, because they are charged to it; a new one has them made again, and every service is there again.
pub fn samgrd(bench: &Bench) -> Verdict {
    let mut log = Reader::at_end()?;
    let mut client = Client::new(Service("echo"));
    let total = why("count", client.count(3))?.total;
    let (echo, was) = (bench.look("echo")?, bench.kill("samgrd")?);
    let words = why("an idempotent call", client.words(5, 6, 7, 8))?;
    expect(words.a == 5, "another answer")?;
    await_next(bench, "samgrd", &was)?;
    log.find_ready(bench, "samgrd")?;
    expect(bench.look("echo")?.generation == echo.generation, "echo died as well")?;
    let kept = why("count", Client::new(Service("echo")).count(0))?.total;
    expect(kept == total, "echo lost what it knew")?;
    let provided = "`echo` is provided by echo";
    let mut whole = Reader::new();
    whole.find(bench, provided, |r| r.text == provided)?;
    whole.find(bench, "the same from the new samgrd", |r| r.text == provided)?;
    connecting_takes_nothing(bench)
}

/// The room for a client's connections is put by before it makes the first: what `samgrd` holds does not depend on who has asked
/// for what since it was started.
fn connecting_takes_nothing(bench: &Bench) -> Verdict {
    let was = bench.kill("samgrd")?;
    await_next(bench, "samgrd", &was)?;
    // Once it refuses something it has been told of this process.
    let refused = samgr::connect("no-such-service").err();
    expect(refused == Some(CallError::Service(Denial::PermissionDenied)), &format!("{refused:?}"))?;
    let before = bench.look("samgrd")?.pages;
    why("an idempotent call", Client::new(Service("echo")).words(1, 2, 3, 4))?;
    let after = bench.look("samgrd")?.pages;
    expect(before == after, &format!("{before} pages before the first connection, {after} after it"))
}

/// While it is away nobody can be started; afterwards whoever died meanwhile is.
pub fn execd(bench: &Bench) -> Verdict {
    let mut log = Reader::at_end()?;
    let (execd, echo) = (bench.kill("execd")?, bench.kill("echo")?);
    let words = why("an idempotent call", Client::new(Service("echo")).words(1, 1, 2, 3))?;
    expect(words.d == 3, "another answer")?;
    await_next(bench, "execd", &execd)?;
    await_next(bench, "echo", &echo)?;
    log.find_ready(bench, "execd").map(|_| ())
}

/// What the old one had kept is lost, and the supervisor says so; what could not be sent meanwhile is counted, and told by the next
/// record that can.
pub fn logd(bench: &Bench) -> Verdict {
    let own = why("process", bench.own.info())?.identity.service;
    let was = bench.kill("logd")?;
    info!("is anybody there");
    await_next(bench, "logd", &was)?;
    info!("somebody hears this");
    expect(logging::dropped() == 0, "losses were not told")?;
    let mut log = Reader::new();
    log.find_ready(bench, "logd")?;
    log.find(bench, "the record", |r| r.service == own && r.text == "somebody hears this")?;
    let told = "logd was started again: what it had kept, and what was on its way to it, is lost";
    Reader::new().find(bench, told, |r| r.service == NEXUS_INIT && r.text == told)?;
    // Either the new one has the first record, or whoever lost it says so, or it was on its way to the old one.
    let mut all = Reader::new();
    let (mut heard, mut dropped) = (0, 0);
    while let Some(record) = all.next()? {
        if record.service == own {
            heard += (record.text == "is anybody there") as u32;
            dropped += (record.text == "1 records dropped") as u32;
        }
    }
    expect(
        heard + dropped <= 1,
        &format!("one record was heard {heard} times and told as lost {dropped} times"),
    )
}

/// Nobody asks it now; whoever asks it next is answered by the new one.
pub fn policyd(bench: &Bench) -> Verdict {
    dies(bench, "policyd").map(|_| ())
}

/// Each dies again, and again: charges, handles and memory do not grow.
pub fn charges(bench: &Bench) -> Verdict {
    nothing_grows(bench, if bench.full { 100 } else { 5 }, &round)?;
    nothing_grows(bench, 1, &|bench| dies(bench, "echo"))
}

/// Rounds after which no more is held than before, at most.
const MOST_LOOKS: u32 = 10;

fn nothing_grows(bench: &Bench, rounds: u32, once: &dyn Fn(&Bench) -> Verdict) -> Verdict {
    once(bench)?;
    let before = State::look(bench)?;
    for _ in 0..rounds {
        once(bench)?;
    }
    // Others connect to each other and ask again when they like, which may be just now. What leaks does not become less again.
    let mut after = State::look(bench)?;
    for _ in 0..MOST_LOOKS {
        if !after.is_more_than(&before) {
            return Ok(());
        }
        once(bench)?;
        after = State::look(bench)?;
    }
    Err(format!("before {before:?}, after {after:?}"))
}

fn dies(bench: &Bench, name: &str) -> Verdict {
    let was = bench.kill(name)?;
    await_next(bench, name, &was)?;
    why("an idempotent call", Client::new(Service("echo")).words(1, 2, 3, 4)).map(|_| ())
}

/// The authorities die. `echo` lives on, and must not keep anything of them.
fn round(bench: &Bench) -> Verdict {
    for name in ["policyd", "execd", "samgrd", "logd"] {
        dies(bench, name)?;
    }
    // The new log knows it when all is done.
    Reader::new().find_ready(bench, "logd").map(|_| ())
}

/// What each holds, and what all is charged.
#[derive(Debug)]
struct State {
    /// Pages and handles.
    each: [(u64, u32); 5],
    all: Account,
}

impl State {
    fn look(bench: &Bench) -> Result<State, String> {
        bench.pause(100)?;
        let mut each = [(0, 0); 5];
        for (place, name) in each.iter_mut().zip(["echo", "policyd", "execd", "samgrd", "logd"]) {
            let known = bench.look(name)?;
            *place = (known.pages, known.handles);
        }
        Ok(State { each, all: Account::take(bench)? })
    }

    fn is_more_than(&self, before: &State) -> bool {
        let grew = |(now, then): (&(u64, u32), &(u64, u32))| now.0 > then.0 || now.1 > then.1;
        self.each.iter().zip(&before.each).any(grew) || self.all.is_more_than(&before.all)
    }
}
