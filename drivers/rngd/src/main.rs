//! `rngd`: random bytes for every process that may ask, from the machine's entropy device.
//!
//! It must never answer a byte before the device gave entropy. What it holds of the device stands in its grants.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use nexus_driver::grants::PoolMemory;
use nexus_driver::{Grants, Registers};
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::api::random::{self, Error, FillReply, MAX_BYTES};
use nexus_rt::channel::end;
use nexus_rt::memory::Mapping;
use nexus_rt::wire::{Bytes, Sender};
use nexus_rt::{Incoming, Server, Startup, clock, error, info, warn};
use rngd::service::Service;
use rngd::source::Source;
use zeroize::Zeroize;

nexus_rt::main!(run);

/// Exit code when there is no device, when the kernel refused what it cannot do without, and when the device gave no entropy.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const NO_ENTROPY: u64 = 5;

/// How long the device may take to answer.
const PATIENCE_MS: u64 = 1000;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

/// The service, with room for one answer.
struct Random<R, M> {
    service: Service<R, M>,
    answer: [u8; MAX_BYTES],
}

fn run(mut startup: Startup) -> u64 {
    let Ok(grants) = Grants::take(&mut startup) else {
        warn!("there is no device");
        return NO_DEVICE;
    };
    match serve(&startup, grants) {
        Ok(code) => code,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

fn serve(startup: &Startup, mut grants: Grants) -> Result<u64, Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let pool = grants.pool.as_mut().ok_or(Refused::NotFound)?;
    let Ok(source) = Source::new(&grants.window, pool) else { return Err(Refused::QuotaExceeded) };
    let mut server = Server::new(quota)?;
    grants.interrupt.watch(&server, INTERRUPT)?;
    let service = Service::new(source, clock::millis(PATIENCE_MS), clock::now());
    let mut random: Random<&Mapping, PoolMemory> = Random { service, answer: [0; MAX_BYTES] };
    let mut provided = false;
    loop {
        if let Some(fault) = random.service.take_fault() {
            warn!("the device failed: {fault:?}");
        }
        if random.service.is_seeded() && !provided {
            // The device was recognised through the window, and has answered.
            info!("mmio window mapped ok");
            if let Err(why) = server.provide(quota, "random", end(0, random::REQUEST_ROOM)) {
                error!("cannot provide `random`: {why:?}");
                return Ok(REFUSED);
            }
            startup.ready();
            provided = true;
        }
        if random.service.gave_up() && !provided {
            return Ok(NO_ENTROPY);
        }
        match server.next(random.service.deadline().unwrap_or(NEVER))? {
            Incoming::Event { key: INTERRUPT, .. } => {
                random.service.interrupt(clock::now());
                grants.interrupt.acknowledge()?;
            }
            Incoming::Call(message) | Incoming::Message(message) => {
                server.serve(message, |_, sender, packet| random::dispatch(&mut random, sender, packet));
                random.answer.zeroize();
            }
            Incoming::TimedOut => random.service.tick(clock::now()),
            Incoming::Event { .. } | Incoming::Gone { .. } => {}
        }
    }
}

impl<R: Registers, M: nexus_driver::Memory> random::Server for Random<R, M> {
    fn fill(&mut self, _sender: Sender, count: u16) -> Result<FillReply<'_>, Error> {
        let out = self.answer.get_mut(..usize::from(count)).ok_or(Error::Invalid)?;
        if !self.service.fill(out, clock::now()) {
            return Err(Error::NotReady);
        }
        Ok(FillReply { data: Bytes::new(out).map_err(|_| Error::Invalid)? })
    }
}
