//! Does what a program must not, and tells what came of it.
//!
//! A call names an attack and how often to make it; the answer is empty, or says what did not end as it must. An attack
//! that is to end this process is told about first: the answer says how it will end (`faults.rs`). Nothing here may be
//! believed about the state of the system: whoever watches looks for itself.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

mod devices;
mod errors;
mod faults;
mod floods;
mod handles;
mod lab;
mod memory;
mod places;
mod pointers;
mod random;
mod record;
mod registers;
mod transfers;
mod waits;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use lab::{Lab, Verdict};
use nexus_abi::{Error, NEVER};
use nexus_rt::{Channel, Handles, Incoming, Owned, Server, Startup};

nexus_rt::main!(run);

/// What an attack does.
type Attack = fn(&mut Lab) -> Verdict;

/// What can be asked for by name, besides the faults.
const ATTACKS: &[(&str, Attack)] = &[
    ("handles.guessed", handles::guessed),
    ("handles.wide", handles::wide),
    ("handles.wrong_kind", handles::wrong_kind),
    ("handles.missing_right", handles::missing_right),
    ("pointers.info", pointers::info),
    ("pointers.outgoing", pointers::outgoing),
    ("pointers.incoming", pointers::incoming),
    ("transfers.lists", transfers::lists),
    ("transfers.busy", transfers::busy),
    ("transfers.in_flight", transfers::in_flight),
    ("transfers.rights_stay_small", transfers::rights_stay_small),
    ("transfers.queue", transfers::queue),
    ("floods.quota", floods::quota),
    ("floods.table", floods::table),
    ("floods.tables_of_others", floods::tables_of_others),
    ("floods.deep", floods::deep),
    ("floods.storms", floods::storms),
    ("memory.ranges", memory::ranges),
    ("memory.access", memory::access),
    ("registers.calls", registers::calls),
    ("registers.interrupts", registers::interrupts),
    ("registers.born", registers::born),
    ("random.calls", random::calls),
    ("devices.pairs", devices::pairs),
    ("errors.threads", errors::threads),
    ("errors.answers", errors::answers),
    ("memory.windows", memory::windows),
];

/// Exit codes of a program that was not given what it needs.
const UNARMED: u64 = 3;
/// Exit code of a program whose attack did not end it.
pub const SURVIVED: u64 = 99;

fn run(mut startup: Startup) -> u64 {
    let Some(channel) = startup.take::<Channel>("test") else { return UNARMED };
    let Some(mut lab) = Lab::new(&mut startup) else { return UNARMED };
    startup.ready();
    match serve(&startup, &mut lab, channel) {
        Ok(()) => 0,
        Err(error) => error as u64,
    }
}

fn serve(startup: &Startup, lab: &mut Lab, channel: Owned<Channel>) -> Result<(), Error> {
    let mut server = Server::new(startup.quota().ok_or(Error::BadHandle)?)?;
    server.attach(channel)?;
    loop {
        match server.next(NEVER)? {
            Incoming::Call(message) => {
                let request = server.bytes(&message).to_vec();
                let rounds = request.first_chunk::<4>().map_or(0, |raw| u32::from_le_bytes(*raw));
                let name = core::str::from_utf8(request.get(4..).unwrap_or(&[])).unwrap_or("");
                if name == "seen" {
                    server.reply(message.token, &record::table(), Handles::new())?;
                } else if let Some(plan) = faults::plan(lab, name) {
                    server.reply(message.token, &plan.told(), Handles::new())?;
                    server.flush();
                    plan.carry_out();
                } else if let Some(wait) = waits::plan(name) {
                    server.reply(message.token, &[], Handles::new())?;
                    server.flush();
                    let _ = wait(lab);
                    // Nothing of that ends by itself.
                    nexus_rt::sys::process_exit(SURVIVED);
                } else if name == "errors.full_table" {
                    server.reply(message.token, &[], Handles::new())?;
                    server.flush();
                    let driver = server.endpoint(message.key).ok_or(Error::BadHandle)?;
                    errors::full_table(lab, driver.handle().0.into());
                } else if name == "exit.in_call" {
                    nexus_rt::sys::process_exit(0);
                } else {
                    let said = attack(lab, name, rounds).err().unwrap_or_default();
                    server.reply(message.token, said.as_bytes(), Handles::new())?;
                }
            }
            Incoming::Gone { .. } => return Ok(()),
            Incoming::Message(_) | Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

/// Makes an attack once, then `rounds` times more, after which nothing may have grown.
fn attack(lab: &mut Lab, name: &str, rounds: u32) -> Verdict {
    let known: Vec<_> = ATTACKS.iter().filter(|(known, _)| *known == name).collect();
    let [(_, attack)] = known[..] else { return Err(format!("there is no attack `{name}`")) };
    attack(lab)?;
    let before = lab.account()?;
    for round in 0..rounds {
        attack(lab).map_err(|why| format!("round {round}: {why}"))?;
    }
    let after = lab.account()?;
    if before == after { Ok(()) } else { Err(grown(&before, &after)) }
}

fn grown(before: &lab::Account, after: &lab::Account) -> String {
    format!("before {before:?}, after {after:?}")
}
