//! `uartd`: the console, once userspace is up. Lines of the log come over a channel that the supervisor hands over, others from whoever is declared.
//!
//! It waits for nobody, and it must never log what it is asked to show: the log is shown through it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::mem;
use nexus_driver::Grants;
use nexus_rt::abi::{Error as Refused, NEVER};
use nexus_rt::api::console::{
    self, DrainPromise, Error, MAX_READ, MAX_WRITE, ReadPromise, ReadReply, WriteReply,
};
use nexus_rt::api::introduce;
use nexus_rt::channel::end;
use nexus_rt::memory::Mapping;
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, Incoming, Owned, Server, Startup, error, info, warn};
use uartd::port::Port;

nexus_rt::main!(run);

/// Exit code when there is no device, when the kernel refused what it cannot do without, and when the port is none.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const NO_PORT: u64 = 5;

/// Key of the interrupt.
const INTERRUPT: u64 = 1;

/// Most who wait until everything is sent.
const MAX_DRAINS: usize = 16;

struct Console<'a> {
    port: Port<&'a Mapping>,
    drains: Vec<DrainPromise>,
    reader: Option<ReadPromise>,
}

fn run(mut startup: Startup) -> u64 {
    let Ok(grants) = Grants::take(&mut startup) else { return NO_DEVICE };
    match serve(&mut startup, &grants) {
        Ok(code) => code,
        Err(why) => {
            error!("cannot go on: {why:?}");
            REFUSED
        }
    }
}

fn serve(startup: &mut Startup, grants: &Grants) -> Result<u64, Refused> {
    let quota = startup.quota().ok_or(Refused::NotFound)?;
    let control = startup.take("control").ok_or(Refused::NotFound)?;
    let mut server = Server::new(quota)?;
    let control = server.attach(control)?;
    grants.interrupt.watch(&server, INTERRUPT)?;
    let mut console = Console { port: Port::new(&grants.window), drains: Vec::new(), reader: None };
    if let Err(fault) = console.port.bring_up() {
        error!("this is no serial port: {fault:?}");
        return Ok(NO_PORT);
    }
    info!("mmio window mapped ok");
    if let Err(why) = server.provide(quota, "console", end(0, console::REQUEST_ROOM)) {
        error!("cannot provide `console`: {why:?}");
        return Ok(REFUSED);
    }
    startup.ready();
    loop {
        match server.next(NEVER)? {
            Incoming::Event { key: INTERRUPT, .. } => {
                if console.port.interrupt().is_err() {
                    return Ok(NO_PORT);
                }
                console.settle(&mut server);
                grants.interrupt.acknowledge()?;
            }
            Incoming::Message(message) | Incoming::Call(message) if message.key == control => {
                server.serve(message, |server, sender, packet| {
                    introduce::dispatch(&mut Door(server), sender, packet)
                });
            }
            Incoming::Call(message) | Incoming::Message(message) => {
                server.serve(message, |_, sender, packet| console::dispatch(&mut console, sender, packet));
                console.settle(&mut server);
            }
            // The supervisor's end is gone: the system ends.
            Incoming::Gone { key } if key == control => return Ok(0),
            Incoming::Event { .. } | Incoming::Gone { .. } | Incoming::TimedOut => {}
        }
    }
}

impl Console<'_> {
    /// Answers who waits for what has happened meanwhile.
    fn settle(&mut self, server: &mut Server) {
        if self.port.waiting() == 0 {
            mem::take(&mut self.drains).into_iter().for_each(|drain| drain.keep(server, Ok(())));
        }
        let lost = self.port.take_lost();
        if lost > 0 {
            warn!("{lost} typed bytes that nobody read are lost");
        }
        if self.port.has_typed()
            && let Some(reader) = self.reader.take()
        {
            let mut bytes = [0; MAX_READ];
            let count = self.port.read(&mut bytes);
            reader.keep(server, Ok(ReadReply { data: Bytes::new(&bytes[..count]).unwrap_or_default() }));
        }
    }
}

impl console::Server for Console<'_> {
    fn write(&mut self, _sender: Sender, data: Bytes<'_, MAX_WRITE>) -> Result<WriteReply, Error> {
        self.port.write(data.get()).map_err(|_| Error::NotReady)?;
        Ok(WriteReply { waiting: self.port.waiting() as u32 })
    }

    fn drain(&mut self, _sender: Sender, promise: DrainPromise) -> Result<Option<()>, Error> {
        if self.drains.len() == MAX_DRAINS {
            return Err(Error::NotReady);
        }
        self.drains.push(promise);
        Ok(None)
    }

    fn read(&mut self, _sender: Sender, promise: ReadPromise) -> Result<Option<ReadReply<'_>>, Error> {
        // Who waits already may have given up: the kernel does not tell. The later one has what comes.
        if let Some(_given_up) = self.reader.replace(promise) {
            warn!("somebody else reads what is typed from now on");
        }
        Ok(None)
    }
}

/// The supervisor hands over the channel of a process that shows what it says here.
struct Door<'a>(&'a mut Server);

impl introduce::Server<Owned<Any>> for Door<'_> {
    fn process(
        &mut self,
        _sender: Sender,
        _service: u32,
        channel: Held<Owned<Any>, kinds::Channel>,
        name: Text<'_, { introduce::MAX_NAME }>,
    ) {
        if let Err(why) = self.0.attach(channel.into()) {
            warn!("the channel of {} is refused: {why:?}", name.get());
        }
    }

    fn absent(&mut self, _sender: Sender, _service: u32) {}

    /// It is the console.
    fn console(&mut self, _sender: Sender, _channel: Held<Owned<Any>, kinds::Channel>) {}
}
