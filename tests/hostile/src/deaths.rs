//! Processes that die while they wait, run, or are in the middle of something: their callers learn it, everything comes
//! back, and everybody else goes on.

use crate::watch::Watch;
use alloc::format;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_abi::{Error, ExitCause, ExitRecord, Sysno, Tag};
use nexus_rt::api::echo;
use nexus_rt::samgr::Service;
use nexus_rt::sys::Area;
use nexus_rt::{CallError, Handles, Owned, PortKind, clock, sys};

/// What the attacker does when it is killed.
const WAITS: &[&str] = &[
    "wait.port",
    "wait.calling",
    "wait.open",
    "wait.sending",
    "wait.timed",
    "wait.spinning",
    "wait.yielding",
    "wait.calling_the_kernel",
    "wait.destroying",
    "wait.mapping",
    "wait.new_threads",
    "wait.all_at_once",
];

/// How long an attacker is left to what it does, in microseconds: in the first round, more in each of so many rounds, and then from the
/// beginning, one more. So death comes at another moment in each round, and a thousand rounds take no more than a few milliseconds each.
const FIRST_US: u64 = 300;
const STEP_US: u64 = 37;
const STEPS: u64 = 100;

/// How long it is left in this round.
fn moment(round: u32) -> u64 {
    let round = u64::from(round);
    FIRST_US + round % STEPS * STEP_US + round / STEPS
}

/// Sleeps: an attacker has no processor share of its own, and runs when nobody else does.
fn pause(bench: &Bench, us: u64) -> Verdict {
    let until = clock::now() + clock::timebase() * us / 1_000_000;
    let port = why("port", Owned::<PortKind>::create(bench.quota))?;
    let waited = sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], until).err();
    let late = waited.is_some_and(|refusal| refusal.error == Error::TimedOut);
    expect(late, "a wait for nothing ended otherwise than by its time")
}

fn ended(record: &ExitRecord, cause: ExitCause, code: u64) -> Verdict {
    let holds = record.cause == cause as u32 && record.code == code;
    expect(holds, &format!("cause {} and code {} instead of {cause:?} and {code}", record.cause, record.code))
}

/// Killed in each way of waiting.
pub fn killed(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    for name in WAITS {
        watch.ends(name, bench.rounds(), |round, attacker| {
            pause(bench, moment(round))?;
            why("kill", attacker.process.kill())?;
            ended(&attacker.wait_end()?, ExitCause::Killed, 0)
        })?;
    }
    Ok(())
}

/// Ended by itself, in each way of doing that.
pub fn exits(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    for (name, cause, code) in [
        ("exit.itself", ExitCause::Exited, 7),
        ("exit.last_thread", ExitCause::Exited, 7),
        ("exit.destroys_itself", ExitCause::Revoked, 0),
    ] {
        watch.ends(name, bench.rounds(), |_, attacker| ended(&attacker.wait_end()?, cause, code))?;
    }
    Ok(())
}

/// Its quota is destroyed under it, in each way of waiting.
pub fn revoked(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    for name in WAITS {
        watch.ends(name, bench.rounds(), |round, attacker| {
            pause(bench, moment(round))?;
            attacker.revoke()?;
            // The process was charged to that quota too: there is nothing left to ask.
            let gone = attacker.process.info().err();
            expect(gone == Some(Error::BadHandle), &format!("a revoked process answers {gone:?}"))
        })?;
    }
    Ok(())
}

/// It ends while this process waits in a call to it, and while others do: all learn it.
pub fn callers(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    for _ in 0..bench.rounds() {
        let attacker = watch.attacker()?;
        let mut room = [0; 8];
        let answer = attacker.call(b"\0\0\0\0exit.in_call", &mut Handles::new(), &mut room);
        let learnt = answer.err();
        expect(learnt == Some(CallError::ServerDied), &format!("a caller learnt {learnt:?}"))?;
        watch.goes_on()?;
    }
    Ok(())
}

/// It has no room for the handle that this process answers its call with: its call ends so, and the handle is closed.
pub fn full_table(bench: &Bench) -> Verdict {
    let watch = Watch::new(bench)?;
    watch.ends("errors.full_table", bench.rounds(), |_, attacker| {
        let gift = why("port", Owned::<PortKind>::create(bench.quota))?;
        let patience = clock::in_millis(20_000);
        let mut none = Area { bytes: &mut [], handles: &mut [] };
        let call = loop {
            match sys::recv(attacker.channel.handle(), Tag::new(0, 0), &mut none) {
                Ok(call) => break call,
                Err(refusal) if refusal.error == Error::WouldBlock => sys::thread_yield(),
                Err(refusal) => return Err(format!("receive its call: {refusal:?}")),
            }
            expect(clock::now() < patience, "it did not call")?;
        };
        let mut list = [gift.into_handle()];
        let mut area = Area { bytes: &mut [], handles: &mut list };
        why("answer", sys::reply(call.token, Tag::new(0, 1), [0; 6], &mut area))?;
        ended(&attacker.wait_end()?, ExitCause::Exited, Error::NoSpace as u64)
    })?;
    crate::pairs::add_one(Sysno::channel_call, Error::NoSpace);
    Ok(())
}

/// Two that spin at this process's own priority. Once their share is used up they cost a call between two others nothing, and
/// before that never more than their slices.
pub fn spin(bench: &Bench) -> Verdict {
    /// Longer than a budget period, so that this process has its whole share.
    const REST_US: u64 = 250_000;
    const CALLS: u32 = 200;
    /// Ticks that a call may take beside them; alone it takes a tenth of that.
    const MOST_US: u64 = 1_000;
    // The first call connects.
    let mut echo = echo::Client::new(Service("echo"));
    why("a call beside nobody", echo.words(1, 2, 3, 4))?;
    let before = Account::take(bench)?;
    let watch = Watch::new(bench)?;
    {
        let spinning = [watch.doing("wait.spinning")?, watch.doing("wait.yielding")?];
        pause(bench, REST_US)?;
        let mut longest = 0;
        for _ in 0..CALLS {
            let begun = clock::now();
            let words = why("a call beside them", echo.words(1, 2, 3, 4))?;
            expect(words.d == 4, "the service beside them answers otherwise")?;
            longest = longest.max(clock::now() - begun);
        }
        // On several harts time is the host's, and says nothing.
        let exact = why("stats", bench.stats.stats())?.harts == 1;
        let most = clock::timebase() * MOST_US / 1_000_000;
        expect(
            !exact || longest < most,
            &format!("a call beside them took {longest} ticks, {most} is the most"),
        )?;
        for mut attacker in spinning {
            why("kill", attacker.process.kill())?;
            ended(&attacker.wait_end()?, ExitCause::Killed, 0)?;
        }
    }
    drop(watch);
    before.unchanged(bench)
}
