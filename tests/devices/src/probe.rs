//! A driver in a process of its own, and what it sees through its window.

use crate::SPARE;
use crate::awake::Awake;
use alloc::format;
use alloc::string::String;
use harness::{Account, Bench, Program, Verdict, Wish, expect, why};
use nexus_rt::api::policy::Client;
use nexus_rt::owned::{Irq, Mmio, Pool};
use nexus_rt::samgr::Service;
use nexus_rt::{Handles, Owned};

pub const OP_READ: u8 = 0xe1;
pub const OP_ENTROPY: u8 = 0xe2;

/// Pages of a probe.
const PAGES: u64 = 400;

/// What a virtio-mmio device with entropy answers: magic, version, kind.
const EXPECTED: [u32; 3] = [0x7472_6976, 2, 4];

/// The spare device's window, as the policy gives it.
pub fn window() -> Result<Owned<Mmio>, String> {
    let reply = why("ask for the spare window", Client::new(Service("policy")).window(crate::text(SPARE)?))?;
    Ok(reply.mmio.into())
}

/// A driver without a device.
pub fn start(bench: &Bench) -> Result<Program, String> {
    Program::start(bench, &Wish::plain("driver-probe", PAGES))
}

/// A driver that has mapped the window of the spare device.
pub fn with_window(bench: &Bench) -> Result<Program, String> {
    let probe = start(bench)?;
    let mut room = [0; 16];
    let (length, _) = why("read", probe.call(&[OP_READ], &mut Handles::one(window()?), &mut room))?;
    expect(length == 12, "it answers otherwise")?;
    for (n, expected) in EXPECTED.iter().enumerate() {
        let word = room[n * 4..].first_chunk().map(|word| u32::from_le_bytes(*word));
        expect(word == Some(*expected), &format!("register {n} is {word:?}"))?;
    }
    Ok(probe)
}

/// A driver reads magic, version and device id through its own window.
pub fn map(bench: &Bench) -> Verdict {
    drop(with_window(bench)?);
    let before = Account::take(bench)?;
    for _ in 0..bench.rounds() {
        drop(with_window(bench)?);
    }
    before.unchanged(bench)?;
    bench.say("SELFTEST: mmio map ok");
    Ok(())
}

/// A driver gets its interrupt when its device has answered, and not before; it is off until it is acknowledged.
pub fn interrupt(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    for _ in 0..3 {
        let probe = with_window(bench)?;
        let reply = Client::new(Service("policy")).interrupt(crate::text(SPARE)?);
        let irq: Owned<Irq> = why("ask for the interrupt", reply)?.irq.into();
        let pool = why("make a pool", Owned::<Pool>::create(&bench.machine, bench.quota, 4 * 4096))?;
        let mut handles = Handles::one(irq);
        handles.push(pool).map_err(|_| "two handles are too many")?;
        let mut room = [0; 16];
        let (length, _) = why("entropy", probe.call(&[OP_ENTROPY], &mut handles, &mut room))?;
        expect(length == 2 && room[0] > 0, "no entropy came")?;
        expect(room[1] == 1, "the interrupt was not off when it was told")?;
    }
    Ok(())
}
