//! A port gives each of its objects its turn, however much one of them has.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::{NOW, Signals};
use nexus_rt::{Channel, End, Handles, Owned, PortKind};

use crate::{clean, port, wait};

const DEPTH: u16 = 4;
const HOLDS: End = End { depth: DEPTH, bytes: 8, handles: 0 };
const NOTHING: End = End { depth: 0, bytes: 0, handles: 0 };

/// Clients' ends, the other ends of which are bound to a port under the keys 1, 2, ….
struct Clients {
    near: Vec<Owned<Channel>>,
    far: Vec<Owned<Channel>>,
    port: Owned<PortKind>,
}

impl Clients {
    fn new(bench: &Bench, count: u64) -> Result<Clients, String> {
        let mut clients = Clients { near: Vec::new(), far: Vec::new(), port: port(bench)? };
        for key in 1..=count {
            let (near, far) = why("channel", Owned::<Channel>::create(bench.quota, NOTHING, HOLDS))?;
            why("bind", clients.port.bind(&far, key, Signals::READABLE))?;
            clients.near.push(near);
            clients.far.push(far);
        }
        Ok(clients)
    }

    fn send(&self, key: u64, word: u64) -> Verdict {
        let near = self.near.get(key as usize - 1).ok_or("no such client")?;
        why("send", near.send(&word.to_le_bytes(), &mut Handles::new(), NOW))
    }

    /// Whose turn it is, and what came.
    fn next(&self) -> Result<Option<(u64, u64)>, String> {
        Ok(wait(self.port.handle(), NOW)?.map(|came| (came.key, came.word)))
    }
}

/// Two and three clients with full queues are served in turn, each its messages in order.
pub fn turns(bench: &Bench) -> Verdict {
    clean(bench, || {
        for count in [2, 3] {
            let clients = Clients::new(bench, count)?;
            for key in 1..=count {
                for word in 0..DEPTH as u64 {
                    clients.send(key, word)?;
                }
            }
            for word in 0..DEPTH as u64 {
                for key in 1..=count {
                    let came = clients.next()?;
                    expect(came == Some((key, word)), &format!("turn {word} of client {key}: {came:?}"))?;
                }
            }
            expect(clients.next()?.is_none(), "something came that nobody sent")?;
        }
        Ok(())
    })
}

/// Clients that send as fast as they are served do not delay one that has something now and then.
pub fn flood(bench: &Bench) -> Verdict {
    const ROUNDS: u64 = 100;
    clean(bench, || {
        let clients = Clients::new(bench, 3)?;
        for key in [1, 2] {
            for _ in 0..DEPTH {
                clients.send(key, 0)?;
            }
        }
        for round in 1..=ROUNDS {
            clients.send(3, round)?;
            // At most one message of each flooding client comes first.
            let mut before = 0;
            loop {
                let (key, word) = clients.next()?.ok_or("nothing came")?;
                if key == 3 {
                    expect(word == round, "another message than was sent")?;
                    break;
                }
                before += 1;
                clients.send(key, 0)?;
            }
            expect(before <= 2, &format!("round {round}: {before} messages came first"))?;
        }
        Ok(())
    })
}
