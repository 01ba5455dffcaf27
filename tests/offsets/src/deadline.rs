//! The deadline of a call passes at every instruction of it: the client is answered or told so, never both and never neither, and
//! the server learns of it when it answers.

use alloc::format;
use alloc::string::String;
use nexus_abi::{Error, QuotaInfo};

use crate::code::at;
use crate::count_handles;
use crate::pair::{EARLIEST, Shape, Side, Stage, TICK, WARM};
use harness::{Verdict, expect, why};

/// What became of the measured call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Its deadline had passed before it began.
    Refused,
    /// It passed before the server had it.
    Unseen,
    /// It passed before the server had answered.
    Unanswered,
    /// It was answered.
    Answered,
}

/// Tries every `stride`th offset, from before the call to after its answer.
pub fn passes(stage: &Stage<'_>, shape: Shape, stride: u64) -> Verdict {
    let before = stage.charges()?;
    let mut counts = [0u64; 4];
    let mut last = Fate::Refused;
    let mut offset = 0;
    // It begins with a call that is too late, and ends when calls have been in time for more than a tick.
    while counts[Fate::Answered as usize] < 2 * TICK / stride {
        let fate = round(stage, shape, EARLIEST - offset, before);
        let fate = fate.map_err(|why| format!("{} call, offset {offset}: {why}", shape.name))?;
        expect(fate as u32 >= last as u32, &format!("offset {offset}: {fate:?} after {last:?}"))?;
        counts[fate as usize] += 1;
        last = fate;
        offset += stride;
    }
    let [refused, unseen, unanswered, answered] = counts;
    stage.bench.say(&format!(
        "offsets: {} call, the deadline passed at {} offsets: {refused} refused, {unseen} unseen, {unanswered} unanswered, \
         {answered} answered",
        shape.name,
        offset / stride,
    ));
    expect(refused > 0 && unanswered > 0, "the deadline never passed in the call")
}

fn round(stage: &Stage<'_>, shape: Shape, lead: u64, before: QuotaInfo) -> Result<Fate, String> {
    let pair = stage.start(shape)?;
    stage.set_deadline(lead);
    stage.settle(Side::Client)?;
    let [done, status] = [stage.get(Side::Client, at::DONE)?, stage.get(Side::Client, at::STATUS)?];
    let client = why("process", pair.process(Side::Client).info())?.handles;
    let held = stage.get(Side::Client, at::HELD)? == 0;
    why("kill", pair.process(Side::Client).kill())?;
    stage.wait_end(Side::Client)?;
    stage.settle(Side::Server)?;
    let [answered, received, gone] = [
        stage.get(Side::Server, at::DONE)?,
        stage.get(Side::Server, at::RECEIVED)?,
        stage.get(Side::Server, at::GONE)?,
    ];
    let numbers =
        format!("{done} done, {answered} answered, {received} received, {gone} gone, status {status}");
    // Every answer that the server was told had left has arrived, and nothing was received that was not sent.
    expect(done == answered && received == answered + gone, &numbers)?;
    let refused = status == Error::WouldBlock as u64;
    expect(refused || status == Error::TimedOut as u64, &numbers)?;
    expect(!(refused && gone > 0), &numbers)?;
    let own = super::OWN_HANDLES + if gone == 0 { shape.handles as u32 } else { 0 };
    expect(
        client == own && (held == (gone == 0) || shape.handles == 0),
        &format!("{client} handles; {numbers}"),
    )?;
    count_handles(stage, &pair, Side::Server, shape, gone == 1)?;
    why("kill", pair.process(Side::Server).kill())?;
    stage.wait_end(Side::Server)?;
    drop(pair);
    let after = stage.charges()?;
    expect(after == before, &format!("charged {after:?}, before {before:?}"))?;
    match (done - WARM, gone, refused) {
        (0, 0, true) => Ok(Fate::Refused),
        (0, 0, false) => Ok(Fate::Unseen),
        (0, 1, _) => Ok(Fate::Unanswered),
        (1.., _, _) => Ok(Fate::Answered),
        _ => Err(numbers),
    }
}
