//! `diagd`: answers the host's tools about the running system, over a line of its own.
//!
//! It must never do more than the registry lets it: what it tells and does it gets from the supervisor, the log and the network over
//! channels that were granted, and each of these decides for itself.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod desk;

use desk::{Desk, INTERFACES};
use diagd::line::Line;
use diagd::port::{BUFFER, Port};
use nexus_driver::grants::PoolMemory;
use nexus_driver::{Fault, Grants};
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::memory::Mapping;
use nexus_rt::{Incoming, Server, Startup, error, info, warn};

nexus_rt::main!(run);

/// Exit code when there is no device, when the kernel refused what it cannot do without, and when the device was given up.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const GAVE_UP: u64 = 5;

/// Faults of the device without a byte between them before it is given up.
const MAX_FAULTS: u32 = 5;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

struct Diagnostics<'a> {
    port: Port<&'a Mapping, PoolMemory>,
    line: Line,
    desk: Desk,
    faults: u32,
}

fn run(mut startup: Startup) -> u64 {
    let Ok(grants) = Grants::take(&mut startup) else {
        warn!("there is no device");
        return NO_DEVICE;
    };
    match serve(&mut startup, grants) {
        Ok(code) => code,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

fn serve(startup: &mut Startup, mut grants: Grants) -> Result<u64, Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let pool = grants.pool.as_mut().ok_or(Refused::NotFound)?;
    let supervisor = startup.take("supervise").ok_or(Refused::NotFound)?;
    let Ok(port) = Port::new(&grants.window, pool) else { return Err(Refused::QuotaExceeded) };
    let mut server = Server::new(quota)?;
    server.keep_up()?;
    grants.interrupt.watch(&server, INTERRUPT)?;
    let desk = Desk::new(supervisor, quota);
    let mut diagnostics = Diagnostics { port, line: Line::default(), desk, faults: 0 };
    if let Err(fault) = diagnostics.port.bring_up() {
        error!("the device does not come up: {fault:?}");
        return Ok(GAVE_UP);
    }
    info!("mmio window mapped ok");
    startup.ready();
    loop {
        let worked = match server.next(NEVER)? {
            Incoming::Event { key: INTERRUPT, .. } => {
                let worked = diagnostics.port.interrupt();
                worked.and_then(|()| diagnostics.work(&mut server))
            }
            Incoming::Message(message) | Incoming::Call(message) => {
                diagnostics.desk.news(&mut server, message, &mut diagnostics.line);
                diagnostics.work(&mut server)
            }
            Incoming::Gone { key } => {
                diagnostics.desk.gone(key, &mut diagnostics.line);
                diagnostics.work(&mut server)
            }
            Incoming::Event { .. } | Incoming::TimedOut => Ok(()),
        };
        if let Err(fault) = worked
            && !diagnostics.recover(fault)
        {
            error!("the device is given up");
            return Ok(GAVE_UP);
        }
        grants.interrupt.acknowledge()?;
    }
}

impl Diagnostics<'_> {
    /// Answers what came, and sends what there is room for.
    fn work(&mut self, server: &mut Server) -> Result<(), Fault> {
        let mut bytes = [0; BUFFER];
        loop {
            let sent = self.port.send(self.line.waiting())?;
            self.line.sent(sent);
            if !self.line.has_room() {
                return Ok(());
            }
            let Some(length) = self.port.receive(&mut bytes)? else { break };
            self.faults = 0;
            self.desk.damaged = self.line.damaged();
            for byte in &bytes[..length] {
                let desk = &mut self.desk;
                self.line.feed(*byte, &INTERFACES, |interface, sender, packet| {
                    desk.serve(server, interface, sender, packet)
                });
            }
            self.desk.settle(&mut self.line);
        }
        let sent = self.port.send(self.line.waiting())?;
        self.line.sent(sent);
        Ok(())
    }

    /// Resets the device after a fault. Requests that were on their way are lost: who asked asks again. `false` when it is of no use.
    fn recover(&mut self, fault: Fault) -> bool {
        let mut fault = Some(fault);
        while let Some(why) = fault {
            warn!("the device failed: {why:?}");
            self.faults += 1;
            self.line.cut();
            self.desk.cut();
            if self.faults > MAX_FAULTS {
                let _ = self.port.bring_down();
                return false;
            }
            fault = self.port.bring_up().err();
        }
        true
    }
}
