//! `lib/block`, the way in which programs use a partition: it sees the driver die and goes on by itself.

use crate::awake::Awake;
use crate::disk::{SCRATCH, SECTORS, pattern};
use crate::restarts::back;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_block::{Error, Partition};
use nexus_rt::api::block::{MAX_TRANSFERS, SECTOR_BYTES};
use nexus_rt::api::disk;
use nexus_rt::wire::CallError;

/// Bytes that are moved at once: as many sectors as one request has transfers.
const AT_ONCE: usize = MAX_TRANSFERS * SECTOR_BYTES;

/// Where batches begin.
const BATCH: u64 = 7000;

/// Reads, writes and batches at their bounds and one past them, and all of it again after the driver died.
pub fn block(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    let mut partition = Partition::new(SCRATCH, AT_ONCE);
    expect(why("info", partition.info())? == (SECTORS, false), "it is another partition")?;
    for round in 0..3 {
        moves(&mut partition, round)?;
        let before = bench.kill("virtioblkd")?;
        // The partition is used at once: what was answered before is there, without a word of what happened.
        let mut out = vec![0; 4096];
        why("read after the driver's death", partition.read(6100, &mut out))?;
        expect(out == pattern(round), "what was written before the driver's death is lost")?;
        back(bench, "virtioblkd", before.generation)?;
    }
    for (name, refusal) in [("state", disk::Error::PermissionDenied), ("missing", disk::Error::NotFound)] {
        let answer = Partition::new(name, 512).info();
        expect(answer == Err(Error::Open(CallError::Service(refusal))), &format!("{name}: {answer:?}"))?;
    }
    Ok(())
}

fn moves(partition: &mut Partition, round: u8) -> Verdict {
    let data = pattern(round);
    why("write", partition.write(6100, &data))?;
    why("flush", partition.flush())?;
    // As much as is moved at once, and one sector more; what is no whole sector, and nothing.
    let most: Vec<u8> = (0..AT_ONCE).map(|n| (n / 512) as u8 ^ n as u8 ^ round).collect();
    why("write", partition.write(SECTORS - MAX_TRANSFERS as u64, &most))?;
    let mut out = vec![0; AT_ONCE];
    why("read", partition.read(SECTORS - MAX_TRANSFERS as u64, &mut out))?;
    expect(out == most, "it reads otherwise")?;
    for bytes in [AT_ONCE + SECTOR_BYTES, SECTOR_BYTES - 1, 1, 0] {
        let mut room = vec![0; bytes];
        let answers = [partition.read(0, &mut room), partition.write(0, &room)];
        expect(answers == [Err(Error::Size); 2], &format!("{bytes} bytes: {answers:?}"))?;
    }
    let beyond = partition.write(SECTORS - MAX_TRANSFERS as u64 + 1, &most);
    expect(
        matches!(beyond, Err(Error::Request(CallError::Service(_)))),
        &format!("past its end: {beyond:?}"),
    )?;

    // As many pieces as there can be, each to a place of its own, and one more.
    let place = |n: usize| BATCH + 2 * n as u64;
    let mut pieces: Vec<(u64, &[u8])> =
        most.chunks(SECTOR_BYTES).enumerate().map(|(n, piece)| (place(n), piece)).collect();
    why("batch", partition.write_batch(&pieces))?;
    for (sector, piece) in &pieces {
        let mut out = [0; SECTOR_BYTES];
        why("read", partition.read(*sector, &mut out))?;
        expect(out == *piece, &format!("sector {sector} of the batch reads otherwise"))?;
    }
    pieces.push((BATCH - 1, &most[..SECTOR_BYTES]));
    let answer = partition.write_batch(&pieces);
    expect(answer == Err(Error::Size), &format!("a piece too many: {answer:?}"))?;
    let long = [(BATCH, &most[..]), (BATCH + 64, &most[..SECTOR_BYTES])];
    let answer = partition.write_batch(&long);
    expect(answer == Err(Error::Size), &format!("a sector too many: {answer:?}"))
}
