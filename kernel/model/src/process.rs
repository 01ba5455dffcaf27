//! Processes and threads: create, start, end.
//!
//! A process that is told to end loses its threads at once, and is then taken apart step by step. ENDING comes first; TERMINATED
//! last, when everything has been given back.

use crate::ghost::{Event, Ghost};
use crate::handles::Table;
use crate::message::{Message, Room, Staged};
use crate::object::{Body, Capability, EndId, Id, NOBODY};
use crate::port::Binding;
use crate::{Answer, Model, Refused, Slot};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::bounds::{HANDLES_PER_PAGE, MAX_HANDLES, MAX_PRIORITY};
use nexus_abi::{Error, ExitCause, Identity, Kind, Rights, Signals};

/// A process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Process {
    /// Who it is, as every message it sends says.
    pub identity: Identity,
    /// Its handles.
    pub table: Table,
    /// Its mappings, by page of its address space: the vmo (gone when it was revoked), and whether it can be written.
    pub mappings: BTreeMap<u8, (Id, bool)>,
    /// Its threads, in the order they were made.
    pub threads: Vec<Id>,
    /// Why it ended, and with which code, once it was told to.
    pub cause: Option<(ExitCause, u64)>,
    /// It has given everything back.
    pub ended: bool,
    /// Highest priority of its threads.
    pub max_priority: u64,
    /// Thousandths of a hart it holds.
    pub cpu: u64,
    /// Where ENDING and TERMINATED go.
    pub binding: Binding,
}

/// A thread.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Thread {
    /// Its process.
    pub process: Id,
    /// What it does.
    pub doing: Doing,
}

/// Ticks until a wait is over: 0 when that time has come already, `None` for ever.
pub type Left = Option<u32>;

/// What a thread does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Doing {
    /// Has not started.
    New,
    /// Can make a system call; this is what the last one answered.
    Running(Ghost<Answer>),
    /// Its message waits for room at this end.
    Sending {
        /// The end that is to receive it.
        to: EndId,
        /// The message.
        staged: Staged,
        /// When it gives up.
        left: Left,
    },
    /// Its call waits in the FIFO of this end.
    Calling {
        /// The end that is to receive it.
        to: EndId,
        /// The call.
        staged: Staged,
        /// Room for the answer.
        room: Room,
        /// When it gives up.
        left: Left,
    },
    /// Its call was received at this end and has no answer yet.
    Open {
        /// The end that received it.
        at: EndId,
        /// What answers it: no two open calls have the same.
        token: u32,
        /// Room for the answer.
        room: Room,
        /// When it gives up.
        left: Left,
        /// Which call it is.
        stamp: Ghost<u64>,
    },
    /// The answer to its call has come, and lies in its own keeping until it goes on.
    Answered {
        /// The answer.
        answer: Message,
        /// Where it is to go.
        room: Room,
    },
    /// Waits at a port.
    Waiting {
        /// The port.
        port: Id,
        /// Room for a message.
        room: Room,
        /// When it gives up.
        left: Left,
    },
    /// Was woken at a port, and looks again when it goes on.
    Woken {
        /// The port; it may be gone.
        port: Id,
        /// Room for a message.
        room: Room,
        /// When it would have given up.
        left: Left,
    },
    /// Ended; its object is about to go, with what it carries.
    Dead {
        /// What it carried.
        cargo: Vec<Capability>,
        /// The port at which it had been woken.
        woken_at: Id,
    },
}

impl Process {
    /// Whether it has given everything back.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether it can have threads and mappings.
    pub fn is_alive(&self) -> bool {
        self.cause.is_none()
    }

    /// Pages of page tables: every page of the model's small address space hangs in the same two tables.
    pub(crate) fn table_pages(&self) -> u64 {
        if self.mappings.values().any(|(vmo, _)| *vmo != NOBODY) { 2 } else { 0 }
    }
}

impl Thread {
    /// Capabilities on their way in or out with it.
    pub(crate) fn carried(&self) -> &[Capability] {
        match &self.doing {
            Doing::Sending { staged, .. } | Doing::Calling { staged, .. } => &staged.message.cargo,
            Doing::Answered { answer, .. } => &answer.cargo,
            Doing::Dead { cargo, .. } => cargo,
            _ => &[],
        }
    }

    /// When its wait is over.
    pub fn left(&self) -> Left {
        match self.doing {
            Doing::Sending { left, .. }
            | Doing::Calling { left, .. }
            | Doing::Open { left, .. }
            | Doing::Waiting { left, .. }
            | Doing::Woken { left, .. } => left,
            _ => None,
        }
    }

    /// Whether it waits for something that others do.
    pub fn is_blocked(&self) -> bool {
        use Doing::{Calling, Open, Sending, Waiting};
        matches!(self.doing, Sending { .. } | Calling { .. } | Open { .. } | Waiting { .. })
    }
}

impl Model {
    /// `process_create`.
    pub(crate) fn process_create(
        &mut self,
        owner: Id,
        [quota, identity]: [Slot; 2],
        handles: u64,
        max_priority: u64,
        cpu: u64,
    ) -> Refused<Answer> {
        let quota = self.charged(owner, quota)?;
        let bearer = self.look_up_as(owner, identity, Kind::Identity, Rights::USE)?.object;
        if handles == 0 || handles > MAX_HANDLES as u64 || max_priority > MAX_PRIORITY || cpu > 1000 {
            return Err(Error::Invalid);
        }
        if max_priority > self.process(owner).max_priority {
            return Err(Error::AccessDenied);
        }
        let slot = self.process_mut(owner).table.reserve()?;
        let service = *self.identity(bearer);
        match self.make_process(quota, service, handles, max_priority, cpu) {
            Ok(id) => {
                let capability = self.mint(id, 0, Kind::Process, Kind::Process.all_rights());
                self.process_mut(owner).table.fill(slot, capability);
                Ok(Answer::Handles(vec![slot]))
            }
            Err(error) => {
                self.process_mut(owner).table.release(slot);
                Err(error)
            }
        }
    }

    /// A process without threads.
    pub(crate) fn make_process(
        &mut self,
        quota: Id,
        service: u32,
        handles: u64,
        max_priority: u64,
        cpu: u64,
    ) -> Refused<Id> {
        self.take_share(quota, cpu)?;
        let process = Process {
            identity: Identity { service, generation: self.generation },
            table: Table::new(handles as Slot),
            mappings: BTreeMap::new(),
            threads: Vec::new(),
            cause: None,
            ended: false,
            max_priority,
            cpu,
            binding: Binding::default(),
        };
        let pages = 2 + handles.div_ceil(HANDLES_PER_PAGE as u64);
        let id = self.create(quota, pages, Body::Process(process)).inspect_err(|_| {
            self.quota_mut(quota).cpu_used -= cpu;
        })?;
        self.generation += 1;
        Ok(id)
    }

    /// `thread_create`.
    pub(crate) fn thread_create(
        &mut self,
        owner: Id,
        [process, quota]: [Slot; 2],
        priority: u64,
    ) -> Refused<Answer> {
        let target = self.look_up_as(owner, process, Kind::Process, Rights::MANAGE)?.object;
        let quota = self.charged(owner, quota)?;
        if priority > MAX_PRIORITY {
            return Err(Error::Invalid);
        }
        if priority > self.process(target).max_priority {
            return Err(Error::AccessDenied);
        }
        let id = self.create(quota, 2, Body::Thread(Thread { process: target, doing: Doing::New }))?;
        let slot = match self.process_mut(owner).table.reserve() {
            Ok(slot) if self.process(target).is_alive() => slot,
            refused => {
                let error = refused.err().unwrap_or(Error::BadState);
                if let Ok(slot) = refused {
                    self.process_mut(owner).table.release(slot);
                }
                self.forget(id);
                return Err(error);
            }
        };
        self.process_mut(target).threads.push(id);
        let capability = self.mint(id, 0, Kind::Thread, Kind::Thread.all_rights());
        self.process_mut(owner).table.fill(slot, capability);
        Ok(Answer::Handles(vec![slot]))
    }

    /// `thread_start`, with a handle for the new thread or 0.
    pub(crate) fn thread_start(&mut self, owner: Id, thread: Slot, gift: Slot) -> Refused<Answer> {
        let thread = self.look_up_as(owner, thread, Kind::Thread, Rights::MANAGE)?.object;
        if self.thread(thread).doing != Doing::New {
            return Err(Error::BadState);
        }
        let home = self.thread(thread).process;
        let mut handles = vec![];
        if gift != 0 {
            let place = self.process_mut(home).table.reserve()?;
            match self.moor(owner, gift, NOBODY) {
                Ok(capability) => {
                    self.land(home, place, capability);
                    self.process_mut(owner).table.release(gift);
                    handles.push(place);
                }
                Err(error) => {
                    self.process_mut(home).table.release(place);
                    return Err(error);
                }
            }
        }
        self.answer(thread, Answer::Handles(handles));
        Ok(Answer::Done)
    }

    /// `process_kill`: one that has ended can be killed again.
    pub(crate) fn process_kill(&mut self, owner: Id, process: Slot) -> Refused<Answer> {
        let target = self.look_up_as(owner, process, Kind::Process, Rights::MANAGE)?.object;
        self.kill(target, ExitCause::Killed, 0);
        Ok(Answer::Done)
    }

    /// `thread_exit`: the last thread takes its process along.
    pub(crate) fn thread_exit(&mut self, thread: Id, code: u64, whole_process: bool) {
        let process = self.thread(thread).process;
        if whole_process || self.process(process).threads.len() == 1 {
            self.kill(process, ExitCause::Exited, code);
        } else {
            self.bury(thread);
        }
    }

    /// Tells a process to end. The first cause counts. Its threads are dead at once, but for the one that runs now.
    pub(crate) fn kill(&mut self, id: Id, cause: ExitCause, code: u64) {
        if !self.process(id).is_alive() {
            return;
        }
        self.process_mut(id).cause = Some((cause, code));
        self.raise((id, 0), Signals::ENDING);
        if self.process(id).threads.is_empty() {
            self.reaping.push((id, false));
        }
        for thread in self.process(id).threads.clone().into_iter().rev() {
            if thread != self.current {
                self.bury(thread);
            }
        }
    }

    /// Takes a thread off whatever it does. Its object goes with [`Self::clear_graves`].
    pub(crate) fn bury(&mut self, id: Id) {
        self.leave_lists(id);
        let nothing = Doing::Dead { cargo: vec![], woken_at: NOBODY };
        let (mut woken_at, mut cargo) = (NOBODY, vec![]);
        match core::mem::replace(&mut self.thread_mut(id).doing, nothing) {
            Doing::Sending { staged, .. } | Doing::Calling { staged, .. } => {
                self.events.0.push(Event::Ended(staged.message.stamp.0));
                let home = self.thread(id).process;
                staged.slots.iter().for_each(|slot| self.process_mut(home).table.release(*slot));
                cargo = staged.message.cargo;
            }
            Doing::Answered { answer, .. } => {
                self.events.0.push(Event::Ended(answer.stamp.0));
                cargo = answer.cargo;
            }
            Doing::Open { stamp, .. } => self.events.0.push(Event::Ended(stamp.0)),
            Doing::Woken { port, .. } => woken_at = port,
            _ => {}
        }
        self.thread_mut(id).doing = Doing::Dead { cargo, woken_at };
        self.graves.push(id);
    }

    /// The objects of dead threads go, with what they carried; the last one of a process hands it over to be taken apart.
    pub(crate) fn clear_graves(&mut self) {
        while let Some(id) = self.graves.pop() {
            let Doing::Dead { cargo, woken_at } = &mut self.thread_mut(id).doing else { continue };
            let (cargo, port) = (core::mem::take(cargo), *woken_at);
            self.pass_on(port);
            self.close(cargo);
            let process = self.thread(id).process;
            self.forget(id);
            let home = self.process_mut(process);
            home.threads.retain(|thread| *thread != id);
            if home.threads.is_empty() {
                if home.is_alive() {
                    home.cause = Some((ExitCause::Exited, 0));
                    self.raise((process, 0), Signals::ENDING);
                }
                self.reaping.push((process, false));
            }
        }
    }

    /// One step of taking the youngest dead process apart: its handles, its mappings one by one, the rest.
    pub(crate) fn reap_step(&mut self) {
        let Some((id, handles_closed)) = self.reaping.pop() else { return };
        if !handles_closed {
            self.reaping.push((id, true));
            while let Some(capability) = self.process_mut(id).table.empty() {
                self.close(vec![capability]);
            }
            return;
        }
        if let Some(page) = self.process(id).mappings.keys().next().copied() {
            self.reaping.push((id, true));
            return self.remove_mapping(id, page);
        }
        let process = self.process_mut(id);
        process.ended = true;
        let cpu = core::mem::take(&mut process.cpu);
        let quota = self.objects[&id].quota;
        self.quota_mut(quota).cpu_used -= cpu;
        self.recharge(id, 1);
        self.notify((id, 0));
        if !self.is_needed(id) {
            self.destroy(id);
        }
    }

    /// Revocation of a process: one step.
    pub(crate) fn revoke_process(&mut self, id: Id) {
        self.kill(id, ExitCause::Revoked, 0);
        self.clear_graves();
        if !self.process(id).has_ended() {
            self.reap_step();
        }
    }

    /// The object costs `pages` from now on, no more than before.
    pub(crate) fn recharge(&mut self, id: Id, pages: u64) {
        let Some(object) = self.objects.get_mut(&id) else { return };
        let (quota, before) = (object.quota, object.charge);
        object.charge = pages;
        self.discharge(quota, before - pages);
    }
}
