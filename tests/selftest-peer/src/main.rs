//! The other process in the proofs of gate 1: answers calls with what it saw, never with what it was told.
//!
//! A call whose first byte is an operation below is done; any other call or message comes back as it was.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

mod trespass;

use alloc::vec::Vec;
use nexus_abi::{Error, NEVER, Rights};
use nexus_rt::memory::Mapping;
use nexus_rt::server::Message;
use nexus_rt::{Channel, Handles, Incoming, Owned, Server, Startup, Vmo};
use sha2::{Digest, Sha256};

nexus_rt::main!(run);

/// Call: map each vmo that came, answer the sum of their first bytes, whether writing to each is denied, and them back.
const OP_USE: u8 = 0xf1;
/// Call: hold the endpoint that came, and leave alone what is in its queue.
const OP_HOLD: u8 = 0xf7;
/// Call: drain the endpoint that is held, answer how many messages were in it and the sum of their first bytes.
const OP_DRAIN: u8 = 0xf2;
/// Call: serve the endpoint that came as well.
const OP_SERVE: u8 = 0xf8;
/// Call: call through the endpoint that came with the bytes that follow, answer what was answered, and the endpoint back.
const OP_CALL: u8 = 0xf9;
/// Call: make a vmo of 8 MiB with a pattern, seal it, answer it.
const OP_PRODUCE: u8 = 0xf3;
/// Call: map the vmo that came, answer the SHA-256 of its bytes; keep the mapping.
const OP_CONSUME: u8 = 0xf4;
/// Message: write to the kept mapping. This ends the process.
const OP_TRESPASS: u8 = 0xf5;

/// Call: hold the pattern that follows (8 bytes) in the floating-point registers for so many rounds (8 bytes) of letting others run; answer
/// how many were changed, and what was in them before.
const OP_FLOAT: u8 = 0xf6;

const SHARE_BYTES: u64 = 8 << 20;

fn run(mut startup: Startup) -> u64 {
    let Some(channel) = startup.take::<Channel>("test") else { return 3 };
    startup.ready();
    match serve(&startup, channel) {
        Ok(()) => 0,
        Err(error) => error as u64,
    }
}

fn serve(startup: &Startup, channel: Owned<Channel>) -> Result<(), Error> {
    let quota = startup.quota().ok_or(Error::BadHandle)?;
    let mut server = Server::new(quota)?;
    let test = server.attach(channel)?;
    let mut kept = Kept::default();
    loop {
        match server.next(NEVER)? {
            Incoming::Call(mut message) => {
                let bytes = server.bytes(&message).to_vec();
                let (answer, handles) = match bytes[..] {
                    [OP_SERVE] => {
                        server.attach(message.handles.take_typed(0)?)?;
                        (Vec::new(), Handles::new())
                    }
                    _ => act(startup, &bytes, &mut message, &mut kept)?,
                };
                server.reply(message.token, &answer, handles)?;
            }
            Incoming::Message(message) => {
                let bytes = server.bytes(&message).to_vec();
                if bytes == [OP_TRESPASS] {
                    trespass::write_to(kept.mapping.as_ref().ok_or(Error::BadState)?.address());
                }
                let endpoint = server.endpoint(message.key).ok_or(Error::BadHandle)?;
                endpoint.send(&bytes, &mut Handles::new(), NEVER)?;
            }
            // Whoever made it is gone; of others that it serves it goes on without.
            Incoming::Gone { key } if key == test => return Ok(()),
            Incoming::Gone { .. } => {}
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

/// What stays from one call to the next.
#[derive(Default)]
struct Kept {
    mapping: Option<Mapping>,
    endpoint: Option<Owned<Channel>>,
}

fn act(
    startup: &Startup,
    bytes: &[u8],
    message: &mut Message,
    kept: &mut Kept,
) -> Result<(Vec<u8>, Handles), Error> {
    let own = startup.process().ok_or(Error::BadHandle)?;
    let quota = startup.quota().ok_or(Error::BadHandle)?;
    match bytes {
        [OP_USE] => {
            let (mut sum, mut denied, mut back) = (0u8, 0u8, Handles::new());
            for n in 0..message.handles.len() {
                let vmo: Owned<Vmo> = message.handles.take_typed(n)?;
                let mut first = [0];
                vmo.map(own, 0, 4096, Rights::READ)?.read(0, &mut first)?;
                sum = sum.wrapping_add(first[0]);
                let write = vmo.map(own, 0, 4096, Rights::READ | Rights::WRITE);
                denied += (write.err() == Some(Error::AccessDenied)) as u8;
                back.push(vmo).map_err(|_| Error::Invalid)?;
            }
            Ok((alloc::vec![sum, denied], back))
        }
        [OP_HOLD] => {
            kept.endpoint = Some(message.handles.take_typed(0)?);
            Ok((Vec::new(), Handles::new()))
        }
        [OP_DRAIN] => {
            let endpoint = kept.endpoint.as_ref().ok_or(Error::BadState)?;
            let (mut count, mut sum, mut room) = (0u8, 0u8, [0; 8]);
            while let Ok(answer) = endpoint.receive(&mut room) {
                count += 1;
                sum = sum.wrapping_add(answer.bytes.first().copied().unwrap_or(0));
            }
            Ok((alloc::vec![count, sum], Handles::new()))
        }
        [OP_CALL, rest @ ..] => {
            let endpoint: Owned<Channel> = message.handles.take_typed(0)?;
            let mut room = [0; 64];
            let answer = endpoint.call(rest, &mut Handles::new(), &mut room, 0, NEVER);
            let answer = answer.map_err(|_| Error::PeerClosed)?.bytes.to_vec();
            Ok((answer, Handles::one(endpoint)))
        }
        [OP_PRODUCE] => {
            let vmo = Owned::<Vmo>::create(quota, SHARE_BYTES)?;
            let mapping = vmo.map(own, 0, SHARE_BYTES, Rights::READ | Rights::WRITE)?;
            let mut page = [0u8; 4096];
            for at in (0..SHARE_BYTES as usize).step_by(page.len()) {
                page.iter_mut().enumerate().for_each(|(n, byte)| *byte = (at / 4096 * 7 + n) as u8);
                mapping.write(at, &page)?;
            }
            drop(mapping);
            Ok((Vec::new(), Handles::one(vmo.into_sealed()?)))
        }
        [OP_CONSUME] => {
            let vmo: Owned<Vmo> = message.handles.take_typed(0)?;
            let mapping = vmo.map(own, 0, SHARE_BYTES, Rights::READ)?;
            let digest = Sha256::digest(mapping.sealed_bytes().ok_or(Error::BadState)?);
            kept.mapping = Some(mapping);
            Ok((digest.to_vec(), Handles::new()))
        }
        [OP_FLOAT, rest @ ..] if rest.len() == 16 => {
            let first = floats::leftovers();
            let word = |at: usize| rest[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            let changed = floats::hold(word(0), word(8), floats::Between::Yield);
            Ok(([changed.to_le_bytes(), first.to_le_bytes()].concat(), Handles::new()))
        }
        _ => Ok((bytes.to_vec(), core::mem::take(&mut message.handles))),
    }
}
