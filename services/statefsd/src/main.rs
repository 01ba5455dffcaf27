//! `statefsd`: the one authority for `/state`. It stores what services put, on the partition `state` of the disk.
//!
//! A store that is damaged, or a disk that is not there, does not stop the boot: then everything but `health` answers why. What must never happen: a promise of
//! an earlier run is taken for one of this run.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod hands;
mod partition;

use alloc::vec::Vec;

use hands::Copying;
use nexus_rt::api::{news, random, state};
use nexus_rt::channel::end;
use nexus_rt::samgr::Service as Named;
use nexus_rt::wire::{Fixed, SendError};
use nexus_rt::{Incoming, Server, Startup, audit, clock, error, info, startup, warn};
use nexus_state::rules::Access;
use partition::Disk;
use statefsd::late::{BUDGET_MS, Late};
use statefsd::mounted::{Mounted, Settled};
use statefsd::service::Service;

nexus_rt::main!(run);

/// Exit codes: a grant is missing, the kernel refused something, the arguments are no rules.
const NO_GRANT: u64 = 3;
const REFUSED: u64 = 4;
const BAD_ARGUMENTS: u64 = 5;

/// A deadline that has passed: what is there is taken, and nothing waited for.
const AT_ONCE: nexus_rt::abi::Ticks = 0;

/// What the service's end of a client's channel can receive: calls only.
const CLIENTS: nexus_rt::End = end(0, state::REQUEST_ROOM);

fn run(startup: Startup) -> u64 {
    let Some(access) = Access::read(startup.args()) else {
        error!("the arguments are no rules");
        return BAD_ARGUMENTS;
    };
    let (Some(quota), Some(own)) = (startup.quota(), startup.process()) else { return NO_GRANT };
    let Ok(known) = own.info() else { return REFUSED };
    let run = u64::from(known.identity.generation) << 32;
    let Ok(hands) = Copying::new(quota, own) else { return REFUSED };
    let mounted = Mounted::new(Disk::new(), access, name_of_a_store, run);
    let mut service = Service::new(mounted).timed(now_ms).handed(hands);
    tell(&mut service);
    let served = Server::new(quota).and_then(|mut server| {
        if let Err(why) = server.provide(quota, "state", CLIENTS) {
            error!("cannot provide `state`: {why:?}");
            return Ok(());
        }
        startup.ready();
        serve(&mut server, &mut service)
    });
    if let Err(why) = served {
        error!("cannot go on: {why:?}");
    }
    REFUSED
}

fn serve(server: &mut Server, service: &mut Service<Disk>) -> Result<(), nexus_rt::abi::Error> {
    loop {
        let deadline = if service.is_looking() { AT_ONCE } else { nexus_rt::abi::NEVER };
        match server.next(deadline)? {
            Incoming::Message(message) | Incoming::Call(message) => {
                server.serve(message, |_, sender, packet| state::dispatch(service, sender, packet));
                for warned in service.warnings() {
                    let (subject, used, soft) = (warned.service, warned.used, warned.soft);
                    warn!("statefs: quota warn subject={subject} used={used} soft={soft}");
                }
                for opened in service.opened() {
                    info!("{opened}");
                }
                if let Some(Late { service, took_ms }) = service.late() {
                    warn!("statefs: put late subject={service} took_ms={took_ms} budget_ms={BUDGET_MS}");
                }
                for denial in service.denials() {
                    audit!("{denial}");
                }
                settle(service);
                ring(service);
            }
            Incoming::Gone { key } => service.gone(key),
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
        if service.is_looking() {
            // Who was answered does not wait for the piece.
            server.flush();
            service.look();
            settle(service);
        }
    }
}

/// What became of the store.
fn settle(service: &mut Service<Disk>) {
    match service.settle() {
        Settled::Nothing => {}
        Settled::Failed => {
            warn!("the disk failed; the store is mounted again");
            tell(service);
        }
        Settled::Anew => tell(service),
    }
}

/// Tells those that watch. A full queue says already that there is something.
fn ring(service: &mut Service<Disk>) {
    let ring = |(watch, news)| (watch, news::Client::new(Fixed::new(news)).added());
    let told: Vec<(u64, Result<(), SendError>)> = service.rung().into_iter().map(ring).collect();
    for (watch, _) in told.into_iter().filter(|(_, sent)| *sent == Err(SendError::ServerDied)) {
        service.deaf(watch);
    }
}

/// Says how the store is.
fn tell(service: &mut Service<Disk>) {
    let mended = service.mounted().mended();
    for line in service.mounted().told() {
        warn!("{line}");
    }
    match service.mounted().state() {
        Ok(state) => {
            let (generation, figures) = (state.store().generation(), state.store().figures());
            info!("generation {generation}, {} of {} pages are free", figures.free, figures.pages);
            if state.lost() > 0 {
                warn!(
                    "{} ranges of keys were lost in repairs: what is not there any more is answered Integrity",
                    state.lost()
                );
            }
            if state.store().is_read_only() {
                warn!("the medium can only be read: nothing is stored");
            }
        }
        Err(why) => error!("there is no state: {why:?}"),
    }
    if mended > 0 {
        warn!("{mended} repairs so far");
    }
}

/// Milliseconds since the machine started.
fn now_ms() -> u64 {
    clock::now() / (clock::timebase() / 1000).max(1)
}

/// What a store that is made now is called: random, or where there is no entropy at least another each time.
fn name_of_a_store() -> [u8; 16] {
    let mut random = random::Client::new(Named("random"));
    if let Ok(reply) = random.fill(16)
        && let Ok(name) = reply.data.get().try_into()
    {
        return name;
    }
    let generation =
        startup::own_process().and_then(|own| own.info().ok()).map_or(0, |own| own.identity.generation);
    let mut name = [0; 16];
    name[..8].copy_from_slice(&clock::now().to_le_bytes());
    name[8..12].copy_from_slice(&generation.to_le_bytes());
    name
}
