//! `netstackd`: the network for every process that may use it.
//!
//! It waits for frames, clients and time at once. When the card's driver dies it attaches to the next one, and connections go on; on a
//! machine without a card, or without random numbers, it answers that there is no network.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod card;
mod server;
mod time;

use card::{Card, NoCard};
use netstackd::setup::Setup;
use nexus_rt::abi::Error as Refused;
use nexus_rt::api::{frames, random, socket};
use nexus_rt::channel::end;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, Sender};
use nexus_rt::{Incoming, Server, Startup, error, info, warn};
use server::{Network, Turn, finish};

nexus_rt::main!(run);

/// Exit code when the kernel refused what it cannot do without, when the arguments are none, and when the card is another than before.
const REFUSED: u64 = 4;
const BAD_ARGUMENTS: u64 = 5;
const OTHER_CARD: u64 = 6;

/// How long an address is waited for at the start before the process says that it is ready all the same.
const READY_MS: u64 = 500;

/// How long a driver that died is waited for before it is asked for again.
const AGAIN_MS: u64 = 500;

fn run(startup: Startup) -> u64 {
    let Some(setup) = Setup::read(startup.args()) else {
        error!("the arguments are no address");
        return BAD_ARGUMENTS;
    };
    match serve(&startup, setup) {
        Ok(code) => code,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

/// A number that nobody can foretell.
fn seed() -> Option<u64> {
    let mut random = random::Client::new(Service("random"));
    let reply = random.fill(8).ok()?;
    reply.data.get().try_into().ok().map(u64::from_le_bytes)
}

fn serve(startup: &Startup, setup: Setup) -> Result<u64, Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let mut server = Server::new(quota)?;
    let mut card = Card::new(quota);
    let seed = seed();
    if seed.is_none() {
        warn!("there is no network: without random numbers anybody could take over a connection");
    }
    let mut network = None;
    // When the card is to be attached (again), if it is.
    let mut again = seed.map(|_| time::now());
    if let Err(why) = server.provide(quota, "network", end(0, socket::REQUEST_ROOM)) {
        error!("cannot provide `network`: {why:?}");
        return Ok(REFUSED);
    }
    // It does its job once there is an address, if one is to come: whoever starts later finds it there.
    let mut ready_by = Some(time::now().saturating_add(1000 * READY_MS));
    loop {
        if let (Some(seed), true) = (seed, again.is_some_and(|at| time::now() >= at)) {
            again = match card.attach(&mut server) {
                Ok(address) => {
                    let new = || Network::new(address, setup, seed);
                    network = network.or_else(new);
                    if network.as_ref().is_none_or(|network| network.address != address) {
                        error!("the card is another than before, or none");
                        return Ok(OTHER_CARD);
                    }
                    None
                }
                Err(NoCard::Never) => {
                    warn!("there is no network: this machine has no card");
                    None
                }
                Err(NoCard::NotNow) => Some(time::now().saturating_add(1000 * AGAIN_MS)),
            };
        }
        let mut deadline = again;
        if let Some(network) = &mut network {
            turn(network, &mut card, &mut server);
            deadline = time::earlier(again, network.deadline());
        }
        let waits =
            again.is_some() || network.as_ref().is_some_and(|network| network.stack.address().is_none());
        if ready_by.is_some_and(|by| !waits || time::now() >= by) {
            startup.ready();
            ready_by = None;
        }
        deadline = time::earlier(deadline, ready_by);
        match server.next(time::ticks(deadline))? {
            Incoming::Message(message) | Incoming::Call(message) if card.is(message.key) => {
                server.serve(message, |_, sender, packet| {
                    frames::dispatch(&mut Arriving(network.as_mut()), sender, packet)
                });
            }
            Incoming::Message(message) | Incoming::Call(message) => {
                server.serve(message, |_, sender, packet| {
                    socket::dispatch(&mut Turn(network.as_mut()), sender, packet)
                });
            }
            Incoming::Gone { key } if card.is(key) => {
                warn!("the card's driver died");
                card.lost();
                again = Some(time::now());
            }
            Incoming::Gone { key } => {
                if let Some(server::Network { stack, sockets, .. }) = &mut network {
                    sockets.leave(stack, key, time::now());
                }
            }
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

/// Lets the stack work, sends what it has to send, and answers what can be answered.
fn turn(network: &mut Network, card: &mut Card, server: &mut Server) {
    let now = time::now();
    // The second time for what the first look moved.
    for _ in 0..2 {
        if network.stack.poll(now) {
            match network.stack.address() {
                Some(address) => match network.stack.router() {
                    Some(router) => info!("address {address}, router {router}"),
                    None => info!("address {address}, no router"),
                },
                None => info!("the address is lost"),
            }
        }
        network.sockets.look(&mut network.stack, now);
        while let Some(frame) = network.stack.wire.leave() {
            card.transmit(&frame);
        }
    }
    for (owed, answer) in network.sockets.take_finished() {
        finish(server, owed, answer);
    }
}

/// The stack while frames arrive.
struct Arriving<'a>(Option<&'a mut Network>);

impl frames::Server for Arriving<'_> {
    fn frame(&mut self, _sender: Sender, frame: Bytes<'_, { frames::MAX_FRAME }>) {
        if let Some(network) = &mut self.0 {
            network.stack.wire.arrive(frame.get());
        }
    }
}
