//! Senders that wait for room in a queue are served in the order in which they came; one whose deadline passes leaves, and the
//! others keep their places.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::{Error, NOW};
use nexus_rt::{Channel, End, Handles, Owned, clock, thread};

use crate::PATIENCE_MS;

const HOLDS: End = End { depth: 2, bytes: 8, handles: 0 };
const PRIORITY: u8 = 10;
/// What the senders send, in the order in which they come; the middle ones have no time.
const WORDS: [u64; 5] = [11, 12, 13, 14, 15];
const IMPATIENT: [u64; 2] = [12, 14];
const SOON_MS: u64 = 20;

/// Five wait, two give up.
pub fn in_order(bench: &Bench) -> Verdict {
    let made = Owned::<Channel>::create(bench.quota, End::default(), HOLDS);
    let (near, far) = why("channel", made)?;
    let near = Arc::new(near);
    for word in [1u64, 2] {
        why("send", near.send(&word.to_le_bytes(), &mut Handles::new(), NOW))?;
    }
    let mut senders = Vec::new();
    for word in WORDS {
        let (end, impatient) = (near.clone(), IMPATIENT.contains(&word));
        let send = move || {
            let deadline = clock::in_millis(if impatient { SOON_MS } else { PATIENCE_MS });
            end.send(&word.to_le_bytes(), &mut Handles::new(), deadline)
        };
        senders.push(why("spawn", thread::spawn(PRIORITY, send))?);
        // It waits before the next one is there.
        bench.pause(1)?;
    }
    let newcomer = near.send(&[], &mut Handles::new(), NOW);
    expect(newcomer == Err(Error::WouldBlock), &format!("a newcomer: {newcomer:?}"))?;
    bench.pause(2 * SOON_MS)?;
    let mut came = Vec::new();
    let mut room = [0; 8];
    for _ in 0..HOLDS.depth as usize + WORDS.len() - IMPATIENT.len() {
        let message = why("receive", far.receive(&mut room))?;
        came.push(message.bytes.first_chunk().map(|word| u64::from_le_bytes(*word)));
    }
    let expected: Vec<_> = [1, 2, 11, 13, 15].map(Some).into();
    expect(came == expected, &format!("they came in the order {came:?}"))?;
    let nothing = far.receive(&mut room).err();
    expect(nothing == Some(Error::WouldBlock), &format!("something is left: {nothing:?}"))?;
    for (word, sender) in WORDS.into_iter().zip(senders) {
        let ended = sender.join().ok_or("a sender did not end")?;
        let expected = if IMPATIENT.contains(&word) { Err(Error::TimedOut) } else { Ok(()) };
        expect(ended == expected, &format!("sender {word}: {ended:?}"))?;
    }
    Ok(())
}
