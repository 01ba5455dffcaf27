//! Interrupts without end, that nobody acknowledges, whose object is taken away, and that are another's.

use crate::awake::Awake;
use crate::left::Left;
use crate::refusals::refused;
use crate::restarts::random;
use crate::{SPARE, probe, text};
use alloc::format;
use alloc::string::String;
use harness::{Account, Bench, Program, Verdict, expect, why};
use nexus_abi::{Error, Handle, Kind, Rights, Signals};
use nexus_rt::api::policy::Client;
use nexus_rt::owned::Irq;
use nexus_rt::samgr::Service;
use nexus_rt::{Handles, Incoming, Owned, Server, clock, sys};

const OP_KEEP: u8 = 0xe7;
const OP_IS_ON: u8 = 0xe8;
const OP_ACKNOWLEDGE: u8 = 0xe9;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

/// How long an interrupt may take that is due, and how long one is waited for that must not come.
const PATIENCE_MS: u64 = 5000;
const GLANCE_MS: u64 = 2;

/// Acknowledgements of a device that interrupts all the time.
const STORM: u32 = 300;

/// Whether the interrupt is told within that time.
fn comes(server: &mut Server, ms: u64) -> Result<bool, String> {
    match why("wait for the interrupt", server.next(clock::in_millis(ms)))? {
        Incoming::Event { key: INTERRUPT, signals } if signals == Signals::INTERRUPT => Ok(true),
        Incoming::TimedOut => Ok(false),
        other => Err(format!("instead of an interrupt came {other:?}")),
    }
}

fn is_on(irq: &Owned<Irq>) -> Result<bool, String> {
    Ok(why("info", irq.info())?.on == 1)
}

/// A device that interrupts without end gets through once for each acknowledgement, and not at all without; other drivers get theirs all the while.
pub fn storm(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    storm_of(bench, 1)?;
    let before = Account::take(bench)?;
    storm_of(bench, STORM)?;
    before.unchanged(bench)
}

fn storm_of(bench: &Bench, times: u32) -> Verdict {
    let left = Left::find(bench)?;
    let irq = left.interrupt(bench, bench.quota)?;
    let mut server = why("a server", Server::new(bench.quota))?;
    why("watch", server.watch(&irq, INTERRUPT, Signals::INTERRUPT))?;
    let mut driver = left.driver(bench)?;
    driver.interrupts()?;
    expect(!comes(&mut server, GLANCE_MS)?, "it came before it was let come")?;
    for round in 0..times {
        why("acknowledge", irq.acknowledge())?;
        expect(comes(&mut server, PATIENCE_MS)?, &format!("round {round}: it was lost"))?;
        expect(!is_on(&irq)?, &format!("round {round}: it is not off"))?;
        // Several while it is off are one.
        driver.interrupts()?;
        driver.interrupts()?;
        if round % 50 == 0 {
            expect(!comes(&mut server, GLANCE_MS)?, &format!("round {round}: it came although it was off"))?;
            random(bench)?;
        }
    }
    // From now on nobody acknowledges.
    for round in 0..times {
        driver.interrupts()?;
        if round % 50 == 0 {
            expect(!comes(&mut server, GLANCE_MS)?, &format!("round {round}: it came by itself"))?;
            random(bench)?;
        }
    }
    driver.bring_down()
}

/// An interrupt that is taken away leaves its source off, whether it was on or not; whoever is given it next gets what came meanwhile, once it
/// is acknowledged and not before.
pub fn revoked(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    revoked_once(bench)?;
    let before = Account::take(bench)?;
    revoked_once(bench)?;
    before.unchanged(bench)
}

fn revoked_once(bench: &Bench) -> Verdict {
    let left = Left::find(bench)?;
    let mut driver = left.driver(bench)?;
    for fires in [false, true] {
        let grant = why("split", bench.quota.split(1, 0))?;
        let irq = left.interrupt(bench, &grant)?;
        let mut server = why("a server", Server::new(bench.quota))?;
        why("watch", server.watch(&irq, INTERRUPT, Signals::INTERRUPT))?;
        why("acknowledge", irq.acknowledge())?;
        // Whoever had it before may have left one behind.
        if comes(&mut server, GLANCE_MS)? {
            why("acknowledge what was left behind", irq.acknowledge())?;
        }
        if fires {
            driver.interrupts()?;
            expect(comes(&mut server, PATIENCE_MS)?, "it was lost")?;
        }
        let on = is_on(&irq)?;
        expect(on != fires, &format!("it fires: {fires}, it is on: {on}"))?;
        why("revoke", grant.destroy())?;
        expect(irq.acknowledge() == Err(Error::BadHandle), "what was revoked is acknowledged")?;
        driver.interrupts()?;
        expect(!comes(&mut server, GLANCE_MS)?, "it came although it was revoked")?;

        let next = left.interrupt(bench, bench.quota)?;
        why("watch", server.watch(&next, INTERRUPT, Signals::INTERRUPT))?;
        expect(!is_on(&next)? && !comes(&mut server, GLANCE_MS)?, "its source was left on")?;
        why("acknowledge", next.acknowledge())?;
        expect(comes(&mut server, PATIENCE_MS)?, "what came meanwhile is lost")?;
    }
    driver.bring_down()
}

/// Who does not hold an interrupt cannot acknowledge it, by whatever number; nor can who holds it without the right. It stays as its holder has it.
pub fn of_another(bench: &Bench) -> Verdict {
    let probe = probe::with_window(bench)?;
    let irq: Owned<Irq> =
        why("ask for the interrupt", Client::new(Service("policy")).interrupt(text(SPARE)?))?.irq.into();
    let weak = why("duplicate", irq.duplicate(Rights::WAIT | Rights::INSPECT))?;
    let number = u32::from_le_bytes(ask(&probe, OP_KEEP, &mut Handles::one(irq))?);
    // That number may be one of this process too, of something else.
    let expected = match sys::handle_info(Handle(number)) {
        Ok(info) if info.kind == Kind::Irq as u32 => return Err(String::from("the numbers are the same")),
        Ok(_) => Error::WrongType,
        Err(_) => Error::BadHandle,
    };
    let state = |what: &str, on: u8| -> Verdict {
        let [is] = ask(&probe, OP_IS_ON, &mut Handles::new())?;
        expect(is == on, &format!("{what}: on is {is}"))
    };
    state("at first", 0)?;
    refused("by its number", sys::irq_ack(Handle(number)), expected)?;
    refused("without MANAGE", weak.acknowledge(), Error::AccessDenied)?;
    refused("asking the right back", weak.duplicate(Rights::MANAGE), Error::AccessDenied)?;
    state("after others tried", 0)?;
    let [] = ask(&probe, OP_ACKNOWLEDGE, &mut Handles::new())?;
    state("after its holder did it", 1)
}

/// Calls a probe, whose answer has exactly so many bytes.
fn ask<const N: usize>(probe: &Program, op: u8, handles: &mut Handles) -> Result<[u8; N], String> {
    let mut room = [0; 16];
    let (length, _) = why("ask the probe", probe.call(&[op], handles, &mut room))?;
    match room.first_chunk() {
        Some(answer) if length == N => Ok(*answer),
        _ => Err(format!("the probe answered {length} bytes to {op:#x}")),
    }
}
