//! What a process holds is seen by whoever may observe it, and by nobody else.

use alloc::vec::Vec;
use harness::{Bench, Program, Verdict, Wish, expect, why};
use nexus_abi::{Error, Holding, Kind, Rights};
use nexus_rt::{Owned, ProcessKind};

/// Everything that a process holds.
fn all(process: &Owned<ProcessKind>) -> Result<Vec<Holding>, Error> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let part = process.holdings(from)?;
        all.extend(part.holdings.iter().take(part.count as usize));
        from = part.next;
        if from == 0 {
            return Ok(all);
        }
    }
}

/// A program that was started with one end of a channel holds that, and no process sees its own handles, or those of others without the right.
pub fn holdings(bench: &Bench) -> Verdict {
    super::clean(bench, || {
        let mut peer = Program::start(bench, &Wish::plain("selftest-peer", 64))?;
        let held = why("holdings", all(&peer.process))?;
        let channels = held.iter().filter(|held| u32::from(held.kind) == Kind::Channel as u32).count();
        let counted = why("process", peer.process.info())?.handles;
        expect(channels > 0 && held.len() as u32 == counted, "not what it holds was told")?;
        let blind = why("duplicate", peer.process.duplicate(Kind::Process.all_rights() - Rights::OBSERVE))?;
        expect(all(&blind) == Err(Error::AccessDenied), "a handle without the right told it")?;
        expect(all(bench.own) == Err(Error::AccessDenied), "a process saw its own handles")?;
        drop(blind);
        peer.revoke()
    })
}
