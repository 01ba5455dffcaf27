//! One of the two dies, and the other sees exactly that: `PeerClosed` where it called, `CallerGone` where it answered.
//!
//! The victim is killed, or its code is taken away: then it faults at the very instruction at which it was interrupted, and its exit
//! record tells which one. That shows that no instruction was left out.

use alloc::format;
use alloc::string::String;
use nexus_abi::{Error, ExitCause, ExitRecord, QuotaInfo, Signals};

use crate::code::{self, at};
use crate::count_handles;
use crate::pair::{CODE, EARLIEST, Pair, Shape, Side, Stage, TICK, WARM};
use harness::{Verdict, expect, why};

/// `scause` of an instruction page fault.
const INSTRUCTION_PAGE_FAULT: u64 = 12;
/// Offsets that are tried past the length of a call.
const PAST: u64 = 16;
/// Bytes of an instruction of the two programs.
const STEP: u64 = 4;

/// How the victim ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Blow {
    /// Its code is taken away.
    Revoked,
    /// It is killed.
    Killed,
}

/// What one round came to.
struct Outcome {
    /// Where in the code the victim faulted.
    pc: u64,
    /// Calls that the client was answered.
    done: u64,
    /// Calls that the server received.
    received: u64,
}

/// Offsets from which on the server had the call, and the client its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Borders {
    received: Option<u64>,
    done: Option<u64>,
}

/// One kind of call, one victim, one blow.
struct Sweep<'a> {
    stage: &'a Stage<'a>,
    shape: Shape,
    victim: Side,
    blow: Blow,
    before: QuotaInfo,
}

/// Both sides die both deaths at every `stride`th offset.
pub fn both(stage: &Stage<'_>, shape: Shape, stride: u64) -> Verdict {
    let before = stage.charges()?;
    let sweep = |victim, blow| Sweep { stage, shape, victim, blow, before };
    let (zero, length) = sweep(Side::Client, Blow::Revoked).calibrate()?;
    let told = format!("a {} call takes {length} instructions, {} are the most", shape.name, shape.longest);
    expect(length <= shape.longest, &told)?;
    for victim in [Side::Client, Side::Server] {
        let revoked = sweep(victim, Blow::Revoked).run(zero, length, stride)?;
        let killed = sweep(victim, Blow::Killed).run(zero, length, stride)?;
        expect(revoked == killed, &format!("{victim:?}: {revoked:?} when revoked, {killed:?} when killed"))?;
    }
    Ok(())
}

impl Sweep<'_> {
    /// The lead with which the interrupt comes before the first instruction of the measured call, and the length of a call.
    fn calibrate(&self) -> Result<(u64, u64), String> {
        for lead in (EARLIEST - 2 * TICK..EARLIEST).rev() {
            if self.round(lead)?.pc == code::client_loop() {
                return Ok((lead, self.stage.get(Side::Client, at::LENGTH)?));
            }
        }
        Err("the interrupt never came at the begin of the loop".into())
    }

    /// First and last instruction of the victim's loop.
    fn lap(&self) -> (u64, u64) {
        match self.victim {
            Side::Client => (code::client_loop(), code::client_last()),
            Side::Server if self.shape.apart => (code::apart_loop(), code::apart_last()),
            Side::Server => (code::server_loop(), code::server_last()),
        }
    }

    fn run(&self, zero: u64, length: u64, stride: u64) -> Result<Borders, String> {
        let (first, last) = self.lap();
        let mut borders = Borders::default();
        let (mut tried, mut steps, mut before) = (0u64, 0u64, None);
        for offset in (0..length + PAST).step_by(stride as usize) {
            let outcome = self.round(zero - offset).map_err(|why| format!("offset {offset}: {why}"))?;
            tried += 1;
            if outcome.received > WARM {
                borders.received = borders.received.or(Some(offset));
            }
            if outcome.done > WARM {
                borders.done = borders.done.or(Some(offset));
            }
            if self.blow == Blow::Revoked {
                let pc = outcome.pc;
                expect((first..=last).contains(&pc), &format!("offset {offset}: faulted at {pc:#x}"))?;
                let next = before.map(|pc| if pc == last { first } else { pc + STEP });
                // While the kernel or the other side runs the victim stays where it is.
                let follows = before.is_none() || stride > 1 || before == Some(pc) || next == Some(pc);
                expect(follows, &format!("offset {offset}: from {before:x?} to {pc:#x}"))?;
                steps += (before != Some(pc)) as u64;
                before = Some(pc);
            }
        }
        if self.blow == Blow::Revoked && stride == 1 {
            let lap = (last - first) / STEP + 1;
            expect(steps >= lap, &format!("{steps} instructions of a loop of {lap} were hit"))?;
        }
        expect(borders.received.is_some() && borders.done.is_some(), "the call was never seen to happen")?;
        self.stage.bench.say(&format!(
            "offsets: {} call of {length} instructions, {:?} {:?} at {tried} offsets{}; {borders:?}",
            self.shape.name,
            self.victim,
            self.blow,
            if self.blow == Blow::Revoked {
                format!(", {steps} instructions of its own")
            } else {
                String::new()
            },
        ));
        Ok(borders)
    }

    fn round(&self, lead: u64) -> Result<Outcome, String> {
        self.stage.undisturbed(|| self.attempt(lead))
    }

    fn attempt(&self, lead: u64) -> Result<Option<Outcome>, String> {
        let stage = self.stage;
        let pair = stage.start(self.shape)?;
        let undisturbed = stage.strike(lead)?;
        let process = pair.process(self.victim);
        match self.blow {
            Blow::Killed => why("kill", process.kill())?,
            Blow::Revoked => why("unmap", code::unmap(process.handle(), CODE))?,
        }
        stage.wait_end(self.victim)?;
        let record = why("exit record", process.exit_record())?;
        let survivor = self.victim.other();
        stage.settle(survivor)?;
        let outcome = self.judge(&pair, &record)?;
        why("kill the survivor", pair.process(survivor).kill())?;
        stage.wait_end(survivor)?;
        drop(pair);
        let after = stage.charges()?;
        expect(after == self.before, &format!("charged {after:?}, before {:?}", self.before))?;
        Ok(undisturbed.then_some(outcome))
    }

    /// The record tells the death, the survivor has seen exactly what happened, and every handle is in one place.
    fn judge(&self, pair: &Pair, record: &ExitRecord) -> Result<Outcome, String> {
        let as_it_was = match self.blow {
            Blow::Killed => (record.cause, record.pc) == (ExitCause::Killed as u32, 0),
            Blow::Revoked => {
                (record.cause, record.code) == (ExitCause::Faulted as u32, INSTRUCTION_PAGE_FAULT)
                    && record.address == record.pc
            }
        };
        expect(as_it_was, &format!("{record:?}"))?;
        let [done, answered, received, gone] = [
            self.stage.get(Side::Client, at::DONE)?,
            self.stage.get(Side::Server, at::DONE)?,
            self.stage.get(Side::Server, at::RECEIVED)?,
            self.stage.get(Side::Server, at::GONE)?,
        ];
        let survivor = self.victim.other();
        let status = self.stage.get(survivor, at::STATUS)?;
        let numbers =
            format!("{done} done, {answered} answered, {received} received, {gone} gone, status {status}");
        let holds = match self.victim {
            Side::Client => {
                let event = self.stage.get(Side::Server, at::EVENT)?;
                expect(event == Signals::PEER_CLOSED.bits().into(), "the server was not told of the end")?;
                let whole = received == answered + gone && gone <= 1;
                // An answer that had left is the client's, whether it still came to count it or not.
                expect(whole && (done..=done + 1).contains(&answered), &numbers)?;
                gone == 1
            }
            Side::Server => {
                expect(status == Error::PeerClosed as u64, &numbers)?;
                expect(gone == 0 && (done..=done + 1).contains(&received), &numbers)?;
                self.stage.get(Side::Client, at::HELD)? == 0
            }
        };
        // The server's own count lags behind by the instructions that it did not come to.
        let received = if self.victim == Side::Server { received.max(answered) } else { received };
        count_handles(self.stage, pair, survivor, self.shape, holds)?;
        Ok(Outcome { pc: record.pc.wrapping_sub(CODE), done, received })
    }
}
