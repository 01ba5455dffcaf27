//! `policyd`: decides what the registry leaves to run time. What is not declared is denied; each decision is an audit record.
//!
//! It calls nobody. It holds the devices that may be asked for and gives out duplicates with the rights that the interface names. What must
//! never happen: a device that still does what its last holder told it is given to the next.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use nexus_abi::{Error, Rights};
use nexus_driver::Transport;
use nexus_registry::{Device, Find, Registry};
use nexus_rt::api::policy::{self, Error as Denial, InterruptReply, MAX_NAME, WindowReply};
use nexus_rt::channel::end;
use nexus_rt::wire::{Sender, Text};
use nexus_rt::{Any, End, IrqKind, MmioKind, Owned, ProcessKind, Startup, Vmo, audit, provide, warn};
use policyd::rules::Rules;

nexus_rt::main!(run);

/// Exit code when a grant is missing or is not what it should be.
const NO_GRANT: u64 = 3;

/// What the service's end of a client's channel can receive: calls only.
const CLIENTS: End = end(0, policy::REQUEST_ROOM);

/// Handles to an object of a device that nobody uses: the supervisor's and this process's own.
const KEPT_HANDLES: u32 = 2;

/// What may be done with whatever is given out, besides what it is for.
const COMMON: Rights = Rights::INSPECT.union(Rights::TRANSFER).union(Rights::DUPLICATE);

/// The objects of a device.
struct Held {
    mmio: Owned<MmioKind>,
    irq: Option<Owned<IrqKind>>,
}

impl Held {
    /// Whether anybody has something of the device.
    fn in_use(&self) -> Result<bool, Error> {
        let mmio = self.mmio.info()?;
        let irq = match &self.irq {
            Some(irq) => irq.info()?.handles,
            None => KEPT_HANDLES,
        };
        Ok(mmio.mappings != 0 || mmio.handles > KEPT_HANDLES || irq > KEPT_HANDLES)
    }

    /// Ends whatever a virtio device does. One that does not obey is given to nobody.
    fn reset(&self, own: &Owned<ProcessKind>) -> Result<(), Error> {
        let registers = self.mmio.map(own)?;
        Transport::new(&registers).reset().map_err(|_| Error::BadState)
    }
}

struct Policy {
    own: &'static Owned<ProcessKind>,
    rules: Rules<'static>,
    devices: BTreeMap<usize, Held>,
}

fn run(mut startup: Startup) -> u64 {
    let Some(own) = startup.process() else { return NO_GRANT };
    let Some(registry) = startup.take("registry").and_then(|vmo| read_registry(&vmo, own)) else {
        return NO_GRANT;
    };
    let mut devices = BTreeMap::new();
    for device in registry.devices() {
        let name = device.name;
        if let Some(mmio) = startup.take(&format!("{name}.mmio")) {
            devices.insert(device.index, Held { mmio, irq: startup.take(&format!("{name}.irq")) });
        }
    }
    let mut policy = Policy { own, rules: Rules::new(registry), devices };
    provide::serve(&startup, "policy", CLIENTS, |_, sender, packet| {
        policy::dispatch(&mut policy, sender, packet)
    })
}

/// The registry as the supervisor hands it over: its length (`u64`), then the table, in sealed memory.
fn read_registry(vmo: &Owned<Vmo>, own: &Owned<ProcessKind>) -> Option<Registry<'static>> {
    let size = vmo.info().ok()?.size;
    // It is needed for as long as the process lives.
    let mapping = Box::leak(Box::new(vmo.map(own, 0, size, Rights::READ).ok()?));
    let (length, table) = mapping.sealed_bytes()?.split_first_chunk::<8>()?;
    Registry::parse(table.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?).ok()
}

/// A refusal of the kernel as the client is told.
fn told(error: Error) -> Denial {
    warn!("a device could not be given: {error:?}");
    Denial::Kernel
}

impl Policy {
    fn device(&self, sender: Sender, name: &str) -> Result<(Device<'static>, &Held, bool), Denial> {
        let device = self.rules.declared(sender.identity, name)?;
        let held = self.devices.get(&device.index).ok_or(Denial::NotFound)?;
        Ok((device, held, held.in_use().map_err(told)?))
    }

    fn give_window(&mut self, sender: Sender, name: &str) -> Result<Owned<MmioKind>, Denial> {
        let (device, _, in_use) = self.device(sender, name)?;
        self.rules.window(sender.identity, &device, in_use)?;
        let held = self.devices.get(&device.index).ok_or(Denial::NotFound)?;
        if matches!(device.find, Find::Virtio(_)) {
            held.reset(self.own).map_err(told)?;
        }
        held.mmio.duplicate(Rights::READ | Rights::WRITE | COMMON).map_err(told)
    }

    fn give_interrupt(&self, sender: Sender, name: &str) -> Result<Owned<IrqKind>, Denial> {
        let (device, held, in_use) = self.device(sender, name)?;
        self.rules.interrupt(sender.identity, &device, in_use)?;
        let irq = held.irq.as_ref().ok_or(Denial::NotFound)?;
        irq.duplicate(Rights::WAIT | Rights::MANAGE | COMMON).map_err(told)
    }

    /// Writes down what was decided.
    fn record<T>(&self, sender: Sender, what: &str, name: &str, decided: &Result<T, Denial>) {
        let who = self.rules.name_of(sender.identity.service);
        match decided {
            Ok(_) => audit!("{who} is given the {what} of {name}"),
            Err(denial) => audit!("{who}: the {what} of {name} is refused: {denial:?}"),
        }
    }
}

impl policy::Server<Owned<Any>> for Policy {
    fn window(
        &mut self,
        sender: Sender,
        device: Text<'_, MAX_NAME>,
    ) -> Result<WindowReply<Owned<Any>>, Denial> {
        let decided = self.give_window(sender, device.get());
        self.record(sender, "window", device.get(), &decided);
        Ok(WindowReply { mmio: decided?.into() })
    }

    fn interrupt(
        &mut self,
        sender: Sender,
        device: Text<'_, MAX_NAME>,
    ) -> Result<InterruptReply<Owned<Any>>, Denial> {
        let decided = self.give_interrupt(sender, device.get());
        self.record(sender, "interrupt", device.get(), &decided);
        Ok(InterruptReply { irq: decided?.into() })
    }
}
