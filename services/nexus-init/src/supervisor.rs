//! The supervisor's loop: starts processes in order, answers what they ask while they start, and decides what
//! follows when one ends.

mod launch;
mod watchers;

use crate::controls::{Authority, Controls, Refused};
use crate::devices::Devices;
use crate::handing;
use crate::root::{BootError, Root};
use crate::slot::{Slot, State};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::mem::replace;
use nexus_abi::{Error, NEVER, Signals};
use nexus_bootimg::Image;
use nexus_init::ending::describe;
use nexus_init::faults::Faults;
use nexus_init::restart::{Next, is_failure};
use nexus_registry::{Registry, Restart, Start};
use nexus_rt::api::log::Purpose;
use nexus_rt::api::{renew, start};
use nexus_rt::logging;
use nexus_rt::server::Message;
use nexus_rt::startup::{self, LOG, SAMGRD};
use nexus_rt::wire::{Fixed, Text, refuse};
use nexus_rt::{
    Channel, Incoming, Level, Owned, ProcessKind, QuotaKind, Server, TimerKind, Vmo, clock, error, info, warn,
};

/// Keys of processes and of timers: these plus the place in the registry.
const PROCESS_KEYS: u64 = 0x1000;
const TIMER_KEYS: u64 = 0x2000;

/// How long the start of the system may stand still before it is told for which process it waits.
const STALL_MS: u64 = 5_000;

/// Code that restarts the machine.
const RESTART: u64 = 0x8000;

/// Pause before a device that is not reset yet is asked again, in milliseconds.
const RESET_PAUSE_MS: u64 = 100;

/// The supervisor.
pub struct Supervisor {
    root: Root,
    image: Image<'static>,
    registry: Registry<'static>,
    own: &'static Owned<ProcessKind>,
    quota: &'static Owned<QuotaKind>,
    server: Server,
    slots: Vec<Slot>,
    starters: BTreeMap<u64, usize>,
    /// Who may ask about processes, by the key of its channel.
    watchers: BTreeMap<u64, usize>,
    controls: Controls,
    /// Whether there has been a `logd`.
    logged: bool,
    devices: Devices,
    faults: Faults,
    registry_copy: Owned<Vmo>,
    next: usize,
    announced: bool,
}

impl Supervisor {
    /// Reads the boot image; nothing is started yet.
    pub fn new(root: Root) -> Result<Supervisor, BootError> {
        let (image, registry) = root.read_image()?;
        let own = startup::own_process().ok_or(Error::BadHandle)?;
        let quota = startup::own_quota().ok_or(Error::BadHandle)?;
        let table = image.registry().ok_or(BootError::Registry)?.bytes;
        let mut slots: Vec<Slot> = registry.processes().map(Slot::new).collect();
        if let Some(own) = slots.first_mut() {
            own.become_(State::Starting, clock::now());
            own.starts = 1;
        }
        let devices = Devices::find(&root, &registry, own, quota);
        Ok(Supervisor {
            root,
            image,
            registry,
            own,
            quota,
            server: Server::new(quota)?,
            slots,
            starters: BTreeMap::new(),
            watchers: BTreeMap::new(),
            controls: Controls::default(),
            logged: false,
            devices,
            faults: Faults::default(),
            registry_copy: handing::registry_copy(table, own, quota)?,
            next: 1,
            announced: false,
        })
    }

    /// Starts the system and supervises it; ends only when it cannot go on.
    pub fn run(mut self) -> Result<(), BootError> {
        self.advance()?;
        loop {
            let deadline = if self.announced { NEVER } else { clock::in_millis(STALL_MS) };
            match self.server.next(deadline)? {
                Incoming::Call(message) if self.watchers.contains_key(&message.key) => {
                    self.watched(message)?
                }
                Incoming::Call(message) => self.answer(message)?,
                Incoming::Event { key, .. } => self.event(key)?,
                Incoming::TimedOut => self.tell_stall(),
                // What a program's end has to say comes as its process's signal.
                Incoming::Gone { key } => {
                    self.watchers.remove(&key);
                }
                Incoming::Message(_) => {}
            }
            self.advance()?;
        }
    }

    /// Starts what comes next in the order, as far as all before it is settled.
    fn advance(&mut self) -> Result<(), BootError> {
        while self.slots[1..self.next].iter().all(Slot::is_settled) {
            let Some(slot) = self.slots.get(self.next) else { return self.announce() };
            let boot = slot.process.start == Start::Boot;
            let index = self.next;
            self.next += 1;
            if boot {
                self.start(index)?;
            } else {
                self.slots[index].become_(State::Ended, clock::now());
            }
        }
        Ok(())
    }

    fn announce(&mut self) -> Result<(), BootError> {
        if !self.announced {
            self.announced = true;
            self.slots[0].become_(State::Ready, clock::now());
            let name = self.slots[0].process.name;
            logging::write(Level::Info, Purpose::Ready, format_args!("{name}"));
        }
        Ok(())
    }

    fn tell_stall(&self) {
        for slot in self.slots[1..self.next].iter().filter(|slot| !slot.is_settled()) {
            error!("still waiting for {} ({:?})", slot.process.name, slot.state);
        }
    }

    /// Starts a process; when that fails, it counts as an end. A driver is started when its device is there and reset.
    fn start(&mut self, index: usize) -> Result<(), BootError> {
        let process = self.slots[index].process;
        if let Some(device) = process.device {
            if !self.devices.has(device) {
                self.absent(index);
                return Ok(());
            }
            let waits = !self.devices.reset(device)?;
            let waited = replace(&mut self.slots[index].waits_for_device, waits);
            if waits {
                if !waited {
                    warn!("{} waits: its device is not reset yet", process.name);
                }
                self.slots[index].become_(State::Pausing, clock::now());
                self.wake(index, RESET_PAUSE_MS)?;
                return Ok(());
            }
        }
        self.slots[index].become_(State::Starting, clock::now());
        self.slots[index].starts += 1;
        match self.launch(index) {
            Ok(running) => {
                self.starters.insert(running.starter, index);
                self.slots[index].running = Some(running);
                Ok(())
            }
            Err(why) => {
                error!("{} could not be started: {why:?}", self.slots[index].process.name);
                self.decide(index, true)
            }
        }
    }

    /// There will be no such process on this machine, and whoever asks for its services is told so.
    fn absent(&mut self, index: usize) {
        let name = self.slots[index].process.name;
        self.slots[index].become_(State::Absent, clock::now());
        info!("{name} is absent: this machine has no such device");
        if let Err(why) = self.controls.tell_absent(&self.slots[index].process) {
            warn!("samgrd does not know that {name} is absent: {why:?}");
        }
    }

    fn speaks_to_samgrd(&self, index: usize) -> bool {
        let process = self.slots[index].process;
        // `execd` is asked by this process alone, over its control channel.
        !matches!(Authority::of(&process), Some(Authority::Services | Authority::Spawn))
            && (self.registry.is_client(index) || self.registry.is_provider(index))
    }

    /// A program asks for its next grant, or says that it does its job.
    fn answer(&mut self, message: Message) -> Result<(), BootError> {
        let index = self.starters.get(&message.key).copied();
        let mut running = index.and_then(|index| self.slots[index].running.as_mut());
        self.server.serve(message, |_, sender, packet| match &mut running {
            Some(running) => start::dispatch(&mut running.grants, sender, packet),
            None => refuse(packet, start::ID, sender.is_call()),
        });
        match (index, running.is_some_and(|running| running.grants.is_ready())) {
            (Some(index), true) => {
                // The answer leaves first: what follows may be long.
                self.server.flush();
                self.ready(index)
            }
            _ => Ok(()),
        }
    }

    fn ready(&mut self, index: usize) -> Result<(), BootError> {
        if self.slots[index].state != State::Starting {
            return Ok(());
        }
        self.slots[index].become_(State::Ready, clock::now());
        let process = self.slots[index].process;
        match Authority::of(&process) {
            Some(Authority::Log) => {
                self.controls.up(Authority::Log);
                self.reconnect_log();
                self.show_log();
            }
            Some(Authority::Services) => {
                self.controls.up(Authority::Services);
                self.reconnect_samgrd();
            }
            Some(Authority::Spawn) => self.controls.up(Authority::Spawn),
            Some(Authority::Console) => {
                self.controls.up(Authority::Console);
                self.show_log();
                self.speak_through_driver();
            }
            Some(Authority::Policy) | None => {}
        }
        if process.announces_ready {
            logging::write(Level::Info, Purpose::Ready, format_args!("{}", process.name));
        }
        Ok(())
    }

    /// A `logd` is there: everybody, this process first, gets a channel to it.
    fn reconnect_log(&mut self) {
        let own = self.slots[0].process;
        match self.controls.log_for(&own, self.quota) {
            Ok(log) => logging::set_channel(log),
            Err(why) => warn!("no channel to logd: {why:?}"),
        }
        if replace(&mut self.logged, true) {
            warn!("logd was started again: what it had kept, and what was on its way to it, is lost");
        }
        for index in 1..self.slots.len() {
            let process = self.slots[index].process;
            if self.slots[index].running.is_some() {
                let made = self.controls.log_for(&process, self.quota);
                self.push(index, LOG, made);
            }
        }
    }

    /// There is a `logd` or a console driver that was not there: the one is shown through the other.
    fn show_log(&mut self) {
        let log = self.slots.iter().find(|slot| Authority::of(&slot.process) == Some(Authority::Log));
        let made = log.map(|slot| self.controls.console_for(&slot.process, self.quota));
        match made {
            Some(Ok(Some(channel))) => {
                if let Err(why) = self.controls.give_console(channel) {
                    warn!("logd has no channel to the console: {why:?}");
                }
            }
            Some(Err(why)) => warn!("logd has no channel to the console: {why:?}"),
            Some(Ok(None)) | None => {}
        }
    }

    /// What this process has to say while there is no `logd` goes to the console's driver.
    fn speak_through_driver(&self) {
        match self.controls.console_for(&self.slots[0].process, self.quota) {
            Ok(Some(channel)) => logging::set_console_driver(channel),
            Ok(None) => {}
            Err(why) => warn!("no channel to the console: {why:?}"),
        }
    }

    /// A `samgrd` is there: everybody who may speak to it gets a channel.
    fn reconnect_samgrd(&mut self) {
        for slot in self.slots.iter().filter(|slot| slot.state == State::Absent) {
            if let Err(why) = self.controls.tell_absent(&slot.process) {
                warn!("samgrd does not know that {} is absent: {why:?}", slot.process.name);
            }
        }
        for index in 1..self.slots.len() {
            if self.slots[index].running.is_some() && self.speaks_to_samgrd(index) {
                let process = self.slots[index].process;
                let made = self.controls.session_for(&process, self.quota);
                self.push(index, SAMGRD, made);
            }
        }
    }

    /// Sends a channel to a program over its bootstrap channel, without waiting.
    fn push(&self, index: usize, name: &str, made: Result<Option<Owned<Channel>>, Refused>) {
        let slot = &self.slots[index];
        let starter = slot.running.as_ref().and_then(|running| self.server.endpoint(running.starter));
        let (channel, starter) = match (made, starter) {
            (Ok(Some(channel)), Some(starter)) => (channel, starter),
            (Err(why), _) => {
                return warn!("{} has no new channel to {name}: {why:?}", slot.process.name);
            }
            _ => return,
        };
        let sent = renew::Client::new(Fixed::new(starter)).replace(channel.into(), Text::cut(name));
        if let Err(why) = sent {
            warn!("{} has no new channel to {name}: {why:?}", slot.process.name);
        }
    }

    fn event(&mut self, key: u64) -> Result<(), BootError> {
        if (TIMER_KEYS..TIMER_KEYS + self.slots.len() as u64).contains(&key) {
            let index = (key - TIMER_KEYS) as usize;
            return if self.slots[index].state == State::Pausing { self.start(index) } else { Ok(()) };
        }
        if (PROCESS_KEYS..PROCESS_KEYS + self.slots.len() as u64).contains(&key) {
            return self.ended((key - PROCESS_KEYS) as usize);
        }
        Ok(())
    }

    /// A process ended: tells why, takes everything back, and decides what follows.
    fn ended(&mut self, index: usize) -> Result<(), BootError> {
        let Some(running) = self.slots[index].running.take() else { return Ok(()) };
        let name = self.slots[index].process.name;
        let record = running.process.exit_record()?;
        let failed = is_failure(&record);
        self.faults.ended(index, clock::now(), &record);
        if let Some(authority) = Authority::of(&self.slots[index].process) {
            self.controls.down(authority);
            if authority == Authority::Log {
                logging::set_channel(None);
            }
        }
        if failed {
            error!("{name} {}", describe(&record));
        } else {
            info!("{name} {}", describe(&record));
        }
        self.server.detach(running.starter);
        self.starters.remove(&running.starter);
        running.quota.destroy()?;
        if let Some(device) = self.slots[index].process.device {
            // At once, so that it writes nowhere any more; whether it worked is asked again before the next start.
            self.devices.reset(device)?;
        }
        self.decide(index, failed)
    }

    fn decide(&mut self, index: usize, failed: bool) -> Result<(), BootError> {
        let now = clock::now();
        let slot = &mut self.slots[index];
        let ran = match slot.state {
            State::Ready => now.saturating_sub(slot.since),
            _ => 0,
        };
        let rule = slot.rule();
        let name = slot.process.name;
        if core::mem::take(&mut slot.killed) && rule.when != Restart::Never {
            slot.become_(State::Pausing, now);
            return Ok(self.wake(index, 0)?);
        }
        match slot.row.ended(rule, failed, ran.saturating_mul(1000) / clock::timebase().max(1)) {
            Next::Again { pause_ms } => {
                slot.become_(State::Pausing, now);
                info!("{name} is started again in {pause_ms} ms");
                self.wake(index, pause_ms)?;
            }
            Next::Rest => slot.become_(State::Ended, now),
            Next::GiveUp if slot.process.critical => {
                // Straight to the console: `logd` would not get to print it, if it is there at all.
                logging::last_words(&format!("nexus-init: {name} keeps failing: restarting the machine\n"));
                self.root.resource.reset(RESTART)?;
                return Err(BootError::Critical);
            }
            Next::GiveUp => {
                slot.become_(State::Ended, now);
                error!("{name} keeps failing: it is left alone");
            }
        }
        Ok(())
    }

    fn wake(&mut self, index: usize, pause_ms: u64) -> Result<(), Error> {
        let slot = &mut self.slots[index];
        if slot.timer.is_none() {
            let timer = Owned::<TimerKind>::create(self.quota)?;
            self.server.watch(&timer, TIMER_KEYS + index as u64, Signals::EXPIRED)?;
            slot.timer = Some(timer);
        }
        match &slot.timer {
            Some(timer) => timer.set(clock::in_millis(pause_ms)),
            None => Ok(()),
        }
    }
}
