//! `virtionetd`: frames of the machine's network card, for the one process that attaches.
//!
//! It waits for nobody: a frame that its receiver has no room for is dropped.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use nexus_driver::Grants;
use nexus_driver::grants::PoolMemory;
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::api::{frames, net};
use nexus_rt::channel::end;
use nexus_rt::memory::Mapping;
use nexus_rt::wire::{Bytes, Fixed, Held, SendError, Sender, kinds};
use nexus_rt::{Any, Channel, End, Incoming, Owned, Server, Startup, clock, error, info, warn};
use virtionetd::card::Card;
use virtionetd::service::Service;

nexus_rt::main!(run);

/// Exit code when there is no device, when the kernel refused what it cannot do without, and when the card was given up.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const GAVE_UP: u64 = 5;

/// How long the card may have a frame to send.
const PATIENCE_MS: u64 = 5000;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

/// What this end of a client's channel can receive: so many frames wait to be sent. (Their queue fits the quota of a session.)
const RECEIVES: End = end(24, net::REQUEST_ROOM);

/// Where received frames go.
struct Attached {
    key: u64,
    frames: frames::Client<Fixed<Owned<Channel>>>,
}

struct Driver<'a> {
    service: Service<&'a Mapping, PoolMemory>,
    attached: Option<Attached>,
    received: u64,
    received_dropped: u64,
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
    let mut server = Server::new(quota)?;
    grants.interrupt.watch(&server, INTERRUPT)?;
    let begun = Card::new(&grants.window, pool)
        .and_then(|card| Service::begin(card, clock::millis(PATIENCE_MS), clock::now()));
    let service = match begun {
        Ok(service) => service,
        Err(fault) => {
            error!("the card does not come up: {fault:?}");
            return Ok(GAVE_UP);
        }
    };
    info!("mmio window mapped ok");
    let [a, b, c, d, e, f] = service.address();
    info!("card {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}");
    let mut driver = Driver { service, attached: None, received: 0, received_dropped: 0 };
    if let Err(why) = server.provide(quota, "net", RECEIVES) {
        error!("cannot provide `net`: {why:?}");
        return Ok(REFUSED);
    }
    startup.ready();
    loop {
        if let Some(fault) = driver.service.take_fault() {
            warn!("the card failed: {fault:?}");
        }
        if driver.service.gave_up() {
            error!("the card is given up");
            return Ok(GAVE_UP);
        }
        match server.next(driver.service.deadline().unwrap_or(NEVER))? {
            Incoming::Event { key: INTERRUPT, .. } => {
                driver.interrupt();
                grants.interrupt.acknowledge()?;
            }
            Incoming::Call(message) | Incoming::Message(message) => {
                server.serve(message, |_, sender, packet| net::dispatch(&mut driver, sender, packet));
            }
            Incoming::Gone { key } => {
                driver.attached.take_if(|attached| attached.key == key);
            }
            Incoming::TimedOut => driver.service.tick(clock::now()),
            Incoming::Event { .. } => {}
        }
    }
}

impl Driver<'_> {
    fn interrupt(&mut self) {
        let Driver { service, attached, received, received_dropped } = self;
        let mut gone = false;
        service.interrupt(clock::now(), |frame| {
            let sent = match (attached.as_mut(), Bytes::new(frame)) {
                (Some(attached), Ok(frame)) => attached.frames.frame(frame),
                _ => Err(SendError::QueueFull),
            };
            match sent {
                Ok(()) => *received += 1,
                Err(why) => {
                    *received_dropped += 1;
                    gone |= why == SendError::ServerDied;
                }
            }
        });
        if gone {
            *attached = None;
        }
    }
}

impl net::Server<Owned<Any>> for Driver<'_> {
    fn attach(
        &mut self,
        sender: Sender,
        frames: Held<Owned<Any>, kinds::Channel>,
    ) -> Result<net::AttachReply, net::Error> {
        // Whoever is attached is forgotten when its channel is closed: until then the card is its own.
        if self.attached.as_ref().is_some_and(|attached| attached.key != sender.key) {
            return Err(net::Error::Exists);
        }
        let frames = frames::Client::new(Fixed::new(Owned::from(frames)));
        self.attached = Some(Attached { key: sender.key, frames });
        Ok(net::AttachReply { address: self.service.address() })
    }

    fn transmit(&mut self, sender: Sender, frame: Bytes<'_, { net::MAX_FRAME }>) {
        if self.attached.as_ref().is_some_and(|attached| attached.key == sender.key) {
            self.service.transmit(frame.get(), clock::now());
        }
    }

    fn counters(&mut self, _sender: Sender) -> Result<net::CountersReply, net::Error> {
        let counters = self.service.counters();
        Ok(net::CountersReply {
            link: self.service.has_link(),
            received: self.received,
            received_dropped: self.received_dropped,
            sent: counters.sent,
            sent_dropped: counters.sent_dropped,
            resets: counters.resets,
        })
    }
}
