//! Processes that may look at the others, and those that may end them (interface `supervise`).

use super::Supervisor;
use crate::slot::{Slot, State};
use nexus_abi::{Error, Rights};
use nexus_init::faults::Faults;
use nexus_registry::{Grants as Declared, Process};
use nexus_rt::api::supervise::{self, Error as Denial, FaultReply, LookReply, StatReply};
use nexus_rt::channel::end;
use nexus_rt::server::Message;
use nexus_rt::wire::{Sender, Text};
use nexus_rt::{Any, Channel, End, Owned, ProcessKind, QuotaKind, audit};

/// What this end of such a channel can receive: calls only.
const ASKED: End = end(0, supervise::REQUEST_ROOM);

/// A look at the processes, for one caller.
struct View<'a> {
    slots: &'a [Slot],
    /// This process, the first one, which nobody started from here.
    own: &'a Owned<ProcessKind>,
    quota: &'a Owned<QuotaKind>,
    faults: &'a Faults,
    /// The beginning of the digest of the boot image.
    digest: [u8; 16],
    /// Who asks, and whether it may kill.
    caller: &'a str,
    may_kill: bool,
    /// Whether it may see what others hold.
    may_observe: bool,
    /// The process that is to be ended.
    doomed: Option<usize>,
}

impl Supervisor {
    /// The process's end of a channel over which it may ask, if that was granted.
    pub(super) fn watcher(&mut self, process: &Process<'_>) -> Result<Option<Owned<Channel>>, Error> {
        if !process.grants.intersects(Declared::SUPERVISE | Declared::SUPERVISE_KILL | Declared::OBSERVE) {
            return Ok(None);
        }
        let (theirs, ours) = Owned::<Channel>::create(self.quota, End::default(), ASKED)?;
        let key = self.server.attach(ours)?;
        self.watchers.insert(key, process.index);
        Ok(Some(theirs))
    }

    /// Answers a watcher; false if it is none.
    pub(super) fn watched(&mut self, message: Message) -> Result<(), Error> {
        let Some(caller) = self.watchers.get(&message.key).and_then(|index| self.slots.get(*index)) else {
            return Ok(());
        };
        let may_kill = caller.process.grants.contains(Declared::SUPERVISE_KILL);
        let may_observe = caller.process.grants.contains(Declared::OBSERVE);
        let (own, quota, caller) = (self.own, self.quota, caller.process.name);
        let digest = self.image.claimed_digest().first_chunk().copied().unwrap_or_default();
        let (slots, faults) = (&self.slots, &self.faults);
        let mut view =
            View { slots, own, quota, faults, digest, caller, may_kill, may_observe, doomed: None };
        self.server.serve(message, |_, sender, packet| supervise::dispatch(&mut view, sender, packet));
        if let Some(slot) = view.doomed.and_then(|index| self.slots.get_mut(index)) {
            slot.killed = true;
        }
        Ok(())
    }
}

impl supervise::Server<Owned<Any>> for View<'_> {
    fn stat(&mut self, _sender: Sender, index: u16) -> Result<StatReply<'_>, Denial> {
        let slot = self.slots.get(usize::from(index)).ok_or(Denial::NotFound)?;
        let running = match (index, &slot.running) {
            (0, _) => Some((self.own, self.quota)),
            (_, running) => running.as_ref().map(|running| (&running.process, &running.quota)),
        };
        let process = running.and_then(|(process, _)| process.info().ok()).unwrap_or_default();
        let quota = running.and_then(|(_, quota)| quota.info().ok()).unwrap_or_default();
        Ok(StatReply {
            service: slot.process.id,
            generation: process.identity.generation,
            pages: quota.pages_used,
            pages_most: slot.process.pages.into(),
            cpu_ticks: process.cpu_ticks,
            handles: process.handles,
            starts: slot.starts,
            state: match slot.state {
                State::Idle => supervise::State::Idle,
                State::Starting => supervise::State::Starting,
                State::Ready => supervise::State::Ready,
                State::Pausing => supervise::State::Pausing,
                State::Ended => supervise::State::Ended,
                State::Absent => supervise::State::Absent,
            },
            name: Text::cut(slot.process.name),
        })
    }

    fn look(&mut self, _sender: Sender, index: u16) -> Result<LookReply<Owned<Any>>, Denial> {
        if !self.may_observe {
            audit!("{}: looking into a process is refused", self.caller);
            return Err(Denial::PermissionDenied);
        }
        let slot = self.slots.get(usize::from(index)).ok_or(Denial::NotFound)?;
        let running = slot.running.as_ref().map(|running| &running.process);
        let process = if index == 0 { Some(self.own) } else { running }.ok_or(Denial::NotFound)?;
        let lent = process.duplicate(Rights::OBSERVE | Rights::TRANSFER).map_err(|_| Denial::NotFound)?;
        Ok(LookReply { process: lent.into() })
    }

    fn kill(&mut self, _sender: Sender, name: Text<'_, { supervise::MAX_NAME }>) -> Result<(), Denial> {
        let index = self.slots.iter().position(|slot| slot.process.name == name.get());
        let running = index.and_then(|index| self.slots[index].running.as_ref());
        if !self.may_kill {
            audit!("{}: killing {} is refused", self.caller, name.get());
            return Err(Denial::PermissionDenied);
        }
        // The first process has nobody who would start it again, and is not among those that run here.
        let running = running.ok_or(Denial::NotFound)?;
        running.process.kill().map_err(|_| Denial::NotFound)?;
        audit!("{} kills {}", self.caller, name.get());
        self.doomed = index;
        Ok(())
    }

    fn fault(&mut self, _sender: Sender, from: u32) -> Result<FaultReply<'_>, Denial> {
        let fault = self.faults.from(from).ok_or(Denial::NotFound)?;
        let process = self.slots.get(fault.index).ok_or(Denial::NotFound)?.process;
        let record = &fault.record;
        Ok(FaultReply {
            number: fault.number,
            service: process.id,
            generation: record.identity.generation,
            time: fault.time,
            code: record.code,
            pc: record.pc,
            address: record.address,
            registers: record.registers,
            image: self.digest,
            name: Text::cut(process.name),
            program: Text::cut(process.program),
        })
    }
}
