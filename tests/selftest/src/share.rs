//! 8 MiB from one process to another without a copy: the kernel's own counter of copied bytes is the witness.

use alloc::format;

use nexus_abi::{ExitCause, NOW};
use nexus_rt::Handles;
use sha2::{Digest, Sha256};

use crate::{Bench, Verdict, expect, start_peer, why};

const OP_PRODUCE: u8 = 0xf3;
const OP_CONSUME: u8 = 0xf4;
const OP_TRESPASS: u8 = 0xf5;
const SHARE_BYTES: usize = 8 << 20;
/// Bytes that the control messages may cost.
const TALK_BYTES: u64 = 64 << 10;
/// `scause` of a store page fault (RISC-V Privileged Architecture, table of exception codes).
const STORE_PAGE_FAULT: u64 = 15;

/// Producer, consumer, hash, and the fault of a write through a read-only mapping.
pub fn share(bench: &Bench) -> Verdict {
    let producer = start_peer(bench, 3000)?;
    let mut consumer = start_peer(bench, 600)?;
    let before = why("stats", bench.stats.stats())?.bytes_copied;
    let mut room = [0; 64];
    let (_, mut made) = why("produce", producer.call(&[OP_PRODUCE], &mut Handles::new(), &mut room))?;
    expect(made.len() == 1, "the producer sent no handle")?;
    let (length, _) = why("consume", consumer.call(&[OP_CONSUME], &mut made, &mut room))?;
    bench.say("vmo: producer sent handle");
    let copied = why("stats", bench.stats.stats())?.bytes_copied - before;

    why("send", consumer.channel.send(&[OP_TRESPASS], &mut Handles::new(), NOW))?;
    let record = consumer.wait_end()?;
    let faulted = record.cause == ExitCause::Faulted as u32 && record.code == STORE_PAGE_FAULT;
    expect(faulted, &format!("a write through a read-only mapping: {record:?}"))?;
    bench.say("vmo: consumer mapped ok");

    let mut hasher = Sha256::new();
    for page in 0..SHARE_BYTES / 4096 {
        let bytes: [u8; 4096] = core::array::from_fn(|n| (page * 7 + n) as u8);
        hasher.update(bytes);
    }
    expect(room[..length] == hasher.finalize()[..], "the consumer's hash differs")?;
    bench.say("vmo: sha256 ok");
    expect(copied < TALK_BYTES, &format!("{copied} bytes were copied for {SHARE_BYTES} shared"))?;
    bench.say("SELFTEST: vmo share ok");
    Ok(())
}
