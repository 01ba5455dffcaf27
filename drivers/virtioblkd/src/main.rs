//! `virtioblkd`: partitions of the machine's disk, each an endpoint for whoever may open it.
//!
//! It waits for its device and its clients at once and for none of them alone: a request is answered when the device has done it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::BTreeMap;
use nexus_driver::grants::{DevicePool, PoolMemory};
use nexus_driver::{Fault, Grants, Pool};
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::api::{block, disk};
use nexus_rt::channel::end;
use nexus_rt::memory::Mapping;
use nexus_rt::wire::{Replier, Sender, Text};
use nexus_rt::{
    Any, Channel, End, Incoming, Owned, QuotaKind, Server, Startup, audit, clock, error, info, warn,
};
use virtioblkd::disk::{Disk, Kind, SECTOR};
use virtioblkd::rules::Rules;
use virtioblkd::search::Found;
use virtioblkd::service::Service;

nexus_rt::main!(run);

/// Exit code when there is no device, when the kernel refused what it cannot do without, and when the device was given up.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const GAVE_UP: u64 = 5;

/// How long the device may have a request.
const PATIENCE_MS: u64 = 5000;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

/// What this end of a partition's channel can receive: calls only.
const SESSION: End = end(0, block::REQUEST_ROOM);

/// An answer that is owed.
enum Owed {
    Read(block::ReadPromise),
    Write(block::WritePromise),
    Flush(block::FlushPromise),
    Batch(block::BatchPromise),
}

impl Owed {
    fn keep(self, replier: &mut impl Replier, result: Result<(), block::Error>) {
        match self {
            Owed::Read(promise) => promise.keep(replier, result),
            Owed::Write(promise) => promise.keep(replier, result),
            Owed::Flush(promise) => promise.keep(replier, result),
            Owed::Batch(promise) => promise.keep(replier, result),
        }
    }
}

struct Driver<'a> {
    service: Service<&'a Mapping, PoolMemory, Owed>,
    /// The memory that each service may have of the device: a pool of its own, so that nobody takes another's.
    shares: BTreeMap<u32, DevicePool>,
    rules: Rules,
    quota: &'static Owned<QuotaKind>,
}

/// The driver while it handles one message, with the loop that it came through.
struct Turn<'t, 'a> {
    driver: &'t mut Driver<'a>,
    server: &'t mut Server,
}

fn run(mut startup: Startup) -> u64 {
    let Ok(grants) = Grants::take(&mut startup) else {
        warn!("there is no device");
        return NO_DEVICE;
    };
    let Some(rules) = Rules::read(startup.args()) else {
        error!("the arguments are no list of who may open what");
        return REFUSED;
    };
    let share = |service| Some((service, Grants::take_share(&mut startup, service)?));
    let shares = rules.services().into_iter().filter_map(share).collect();
    match serve(&startup, grants, rules, shares) {
        Ok(code) => code,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

fn serve(
    startup: &Startup,
    mut grants: Grants,
    rules: Rules,
    shares: BTreeMap<u32, DevicePool>,
) -> Result<u64, Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let pool = grants.pool.as_mut().ok_or(Refused::NotFound)?;
    let mut server = Server::new(quota)?;
    grants.interrupt.watch(&server, INTERRUPT)?;
    let begun = Disk::new(&grants.window, pool)
        .and_then(|disk| Service::begin(disk, pool, clock::millis(PATIENCE_MS), clock::now()));
    let service = match begun {
        Ok(service) => service,
        Err(fault) => {
            error!("the device does not come up: {fault:?}");
            return Ok(GAVE_UP);
        }
    };
    info!("mmio window mapped ok");
    let mut driver = Driver { service, shares, rules, quota };
    let mut provided = false;
    loop {
        if let Some(fault) = driver.service.take_fault() {
            warn!("the device failed: {fault:?}");
        }
        for (owed, result) in driver.service.take_finished() {
            owed.keep(&mut server, result);
        }
        if driver.service.gave_up() {
            server.flush();
            error!("the device is given up");
            return Ok(GAVE_UP);
        }
        if !provided && driver.service.found().is_some() {
            driver.announce();
            if let Err(why) = server.provide(quota, "disk", end(0, disk::REQUEST_ROOM)) {
                error!("cannot provide `disk`: {why:?}");
                return Ok(REFUSED);
            }
            startup.ready();
            provided = true;
        }
        match server.next(driver.service.deadline().unwrap_or(NEVER))? {
            Incoming::Event { key: INTERRUPT, .. } => {
                driver.service.interrupt(clock::now());
                grants.interrupt.acknowledge()?;
            }
            Incoming::Call(message) | Incoming::Message(message) => {
                let is_session = driver.service.range(message.key).is_some();
                server.serve(message, |server, sender, packet| {
                    let mut turn = Turn { driver: &mut driver, server };
                    if is_session {
                        block::dispatch(&mut turn, sender, packet)
                    } else {
                        disk::dispatch(&mut turn, sender, packet)
                    }
                });
            }
            Incoming::Gone { key } => driver.service.close(key),
            Incoming::TimedOut => driver.service.tick(clock::now()),
            Incoming::Event { .. } => {}
        }
    }
}

impl Driver<'_> {
    fn announce(&self) {
        let disk = self.service.disk();
        let how = if disk.is_read_only() { ", read-only" } else { "" };
        info!("blk: virtio-blk up (ss={SECTOR} nsec={}){how}", disk.sectors());
        match self.service.found() {
            Some(Found::Table(partitions, back)) => {
                let which = if *back { " (the table at the front is damaged)" } else { "" };
                let many = if partitions.len() == 1 { "" } else { "s" };
                info!("{} partition{many}{which}", partitions.len());
            }
            Some(Found::None(why)) => info!("no partitions: {why:?}"),
            None => {}
        }
    }
}

const fn kernel(_: Refused) -> disk::Error {
    disk::Error::Kernel
}

impl disk::Server<Owned<Any>> for Turn<'_, '_> {
    fn open(
        &mut self,
        sender: Sender,
        partition: Text<'_, { disk::MAX_NAME }>,
    ) -> Result<disk::OpenReply<Owned<Any>>, disk::Error> {
        let (driver, service) = (&mut *self.driver, sender.identity.service);
        if !driver.rules.permit(service, partition.get()) {
            audit!("partition `{}` denied to service {service}", partition.get());
            return Err(disk::Error::PermissionDenied);
        }
        let range = driver.service.partition(partition.get()).ok_or(disk::Error::NotFound)?;
        if !driver.service.has_room(service) {
            return Err(disk::Error::QuotaExceeded);
        }
        let (mine, theirs) =
            Owned::<Channel>::create(driver.quota, SESSION, End::default()).map_err(kernel)?;
        let key = self.server.attach(mine).map_err(kernel)?;
        driver.service.open(key, service, range);
        Ok(disk::OpenReply { channel: theirs.into() })
    }
}

impl Turn<'_, '_> {
    fn begin(
        &mut self,
        sender: Sender,
        kind: Kind,
        transfers: &[block::Transfer],
        flush: bool,
        owed: Owed,
    ) -> Result<Option<()>, block::Error> {
        let begun = self.driver.service.transfer(sender.key, kind, transfers, flush, owed, clock::now());
        begun.map(|()| None)
    }
}

impl block::Server<Owned<Any>> for Turn<'_, '_> {
    fn info(&mut self, sender: Sender) -> Result<block::InfoReply, block::Error> {
        let service = &self.driver.service;
        let range = service.range(sender.key).ok_or(block::Error::Invalid)?;
        Ok(block::InfoReply { sectors: range.sectors, read_only: service.disk().is_read_only() })
    }

    fn share(&mut self, sender: Sender, bytes: u32) -> Result<block::ShareReply<Owned<Any>>, block::Error> {
        let driver = &mut *self.driver;
        driver.service.may_share(sender.key, bytes as usize)?;
        // Whoever opened it pays, also when it gave the session away.
        let share = driver.service.opener(sender.key).and_then(|opener| driver.shares.get_mut(&opener));
        let taken = share.ok_or(Fault::Exhausted).and_then(|share| share.allocate(bytes as usize));
        let memory = taken.map_err(|_| block::Error::QuotaExceeded)?;
        let lent = memory.lend().map_err(|_| block::Error::Kernel)?;
        driver.service.share(sender.key, memory);
        Ok(block::ShareReply { memory: lent.into() })
    }

    fn read(
        &mut self,
        sender: Sender,
        promise: block::ReadPromise,
        transfer: block::Transfer,
    ) -> Result<Option<()>, block::Error> {
        self.begin(sender, Kind::Read, &[transfer], false, Owed::Read(promise))
    }

    fn write(
        &mut self,
        sender: Sender,
        promise: block::WritePromise,
        transfer: block::Transfer,
    ) -> Result<Option<()>, block::Error> {
        self.begin(sender, Kind::Write, &[transfer], false, Owed::Write(promise))
    }

    fn flush(&mut self, sender: Sender, promise: block::FlushPromise) -> Result<Option<()>, block::Error> {
        self.begin(sender, Kind::Flush, &[], true, Owed::Flush(promise))
    }

    fn batch(
        &mut self,
        sender: Sender,
        promise: block::BatchPromise,
        direction: block::Direction,
        flush: bool,
        count: u16,
        transfers: [block::Transfer; block::MAX_TRANSFERS],
    ) -> Result<Option<()>, block::Error> {
        let transfers = transfers.get(..usize::from(count)).ok_or(block::Error::Invalid)?;
        let kind = match direction {
            block::Direction::Read => Kind::Read,
            block::Direction::Write => Kind::Write,
        };
        self.begin(sender, kind, transfers, flush, Owed::Batch(promise))
    }
}
