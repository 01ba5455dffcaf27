//! Calls, serves and makes things at random, and checks everything that comes back. The driver (`tests/storm`) starts several
//! of these, gives each of their clients an end whose other end another one serves, and kills them as it likes.
//!
//! Each message begins with its number on its channel: so one that is lost, doubled, out of order or changed is noticed by the
//! server, and an answer to another call by the client. What is found wrong is told to the driver and ends the process.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod modelled;
mod objects;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use client::Client;
use nexus_abi::{Error, NEVER};
use nexus_rt::server::Message;
use nexus_rt::{Channel, Handles, IdentityKind, Incoming, Server, Startup, thread};
use storm::message::{answer_to, is_sound, number_of};

nexus_rt::main!(run);

/// Clients of one process.
const CLIENTS: u64 = 2;
const PRIORITY: u8 = 10;
/// Exit codes: not given what it needs, and something was found.
const UNARMED: u64 = 3;
const FOUND: u64 = 4;

fn run(mut startup: Startup) -> u64 {
    let (Some(driver), Some(quota), Some(own), Some(identity)) = (
        startup.take::<Channel>("test"),
        startup.quota(),
        startup.process(),
        startup.take::<IdentityKind>("identity"),
    ) else {
        return UNARMED;
    };
    let Ok(mut server) = Server::new(quota) else { return UNARMED };
    let endpoint = driver.handle();
    let Ok(driver_key) = server.attach(driver) else { return UNARMED };
    let identity = identity.into_handle();
    startup.ready();
    for number in 0..CLIENTS {
        let client = move || Client { number, driver: endpoint, own, quota, identity }.run();
        // A client that ends has told the driver why; its handle is let go, and it goes on by itself.
        if thread::spawn(PRIORITY, client).is_err() {
            return UNARMED;
        }
    }
    let why = match serve(&mut server, driver_key) {
        Ok(why) => why,
        Err(error) => format!("serving: {error:?}"),
    };
    client::tell(endpoint, &why);
    FOUND
}

/// Serves until something is wrong; answers what.
fn serve(server: &mut Server, driver: u64) -> Result<String, Error> {
    // The number of the next message of each client.
    let mut next: BTreeMap<u64, u64> = BTreeMap::new();
    loop {
        match server.next(NEVER)? {
            // The driver sends ends to serve.
            Incoming::Message(mut message) if message.key == driver => {
                let key = server.attach(message.handles.take_typed(0)?)?;
                next.insert(key, 0);
            }
            Incoming::Message(message) | Incoming::Call(message) => {
                if let Err(why) = take(server, &mut next, message)? {
                    return Ok(why);
                }
            }
            Incoming::Gone { key } if key == driver => return Ok(String::from("the driver is gone")),
            Incoming::Gone { key } => drop(next.remove(&key)),
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

/// Looks at a message of a client, and answers it if it is a call: with the same length and the same handles.
fn take(
    server: &mut Server,
    next: &mut BTreeMap<u64, u64>,
    message: Message,
) -> Result<Result<(), String>, Error> {
    let bytes = server.bytes(&message);
    let number = number_of(bytes);
    let Some(expected) = next.get_mut(&message.key) else {
        return Ok(Err(format!("a message under key {} of nobody", message.key)));
    };
    if number != *expected || !is_sound(number, bytes) {
        let length = bytes.len();
        return Ok(Err(format!("message {number} of {length} bytes in place of {expected}, or not as sent")));
    }
    *expected += 1;
    if message.token != 0 {
        let mut answer = [0; storm::message::MAX_BYTES];
        let answer = &mut answer[..bytes.len()];
        answer_to(number, answer);
        server.reply(message.token, answer, message.handles)?;
    } else {
        drop::<Handles>(message.handles);
    }
    Ok(Ok(()))
}
