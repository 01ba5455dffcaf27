//! The other side of a measured round trip: told by a long message which loop to run, it runs it until the next one.
#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

#[cfg(target_os = "none")]
mod serve;

use nexus_rt::abi::{Error, NEVER};
use nexus_rt::{End, Handles, Incoming, Server, Startup, clock};

nexus_rt::main!(run);

/// How long it goes on working after an answer, when it is asked to.
const GOES_ON_MS: u64 = 1;

/// What a client's channel carries: more than any loop has room for, so that a long message ends the loop.
const RECEIVES: End = End { depth: 1, bytes: 2048, handles: 1 };

fn run(startup: Startup) -> u64 {
    let Some(quota) = startup.quota() else { return 3 };
    let Ok(mut server) = Server::new(quota) else { return 4 };
    let name = if startup.args() == "second" { "bench-echo-2" } else { "bench-echo" };
    if server.provide(quota, name, RECEIVES).is_err() {
        return 5;
    }
    startup.ready();
    match work(&mut server) {
        Ok(()) => 0,
        Err(error) => error as u64,
    }
}

fn work(server: &mut Server) -> Result<(), Error> {
    let mut message_at = 0;
    loop {
        let message = match server.next(NEVER)? {
            Incoming::Call(message) => message,
            Incoming::Message(_) => {
                message_at = clock::now();
                continue;
            }
            _ => continue,
        };
        match server.bytes(&message).first().copied() {
            // The caller is told until when this goes on working, and is woken meanwhile.
            Some(b's') => {
                let until = clock::now() + clock::millis(GOES_ON_MS);
                server.reply(message.token, &until.to_le_bytes(), Handles::new())?;
                server.flush();
                while clock::now() < until {}
            }
            // When the last message came that was no call.
            Some(b't') => server.reply(message.token, &message_at.to_le_bytes(), Handles::new())?,
            mode => {
                server.reply(message.token, &[], Handles::new())?;
                server.flush();
                run_loop(server.port().handle().0 as u64, mode);
            }
        }
    }
}

#[cfg(target_os = "none")]
fn run_loop(port: u64, mode: Option<u8>) {
    let mut bytes = [0; 1024];
    match mode {
        Some(b'w') => serve::words(port),
        Some(b'b') => serve::all(port, &mut bytes, false),
        Some(b'c') => serve::all(port, &mut [], true),
        _ => {}
    }
}

#[cfg(not(target_os = "none"))]
fn run_loop(_port: u64, _mode: Option<u8>) {}
