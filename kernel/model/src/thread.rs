//! Threads: made, started, blocked and woken, ended.
//!
//! What must never happen: a thread that waits in two places or in none, or one that is told two answers.

use crate::answer::{Raw, RawAnswer};
use crate::channel::Item;
use crate::message::Draft;
use crate::model::Model;
use crate::object::{EndId, ObjectId, PortId};
use crate::op::{Buffers, HandleName, ProcessName, QuotaName, Sizes, ThreadName};
use crate::outcome::Refusal;
use crate::quota::{Costs, THREAD_PAGES};
use crate::timer::Deadline;
use nexus_abi::{Error, ExitCause, Kind, Rights, Ticks};

/// What a thread waits for.
#[derive(Clone, Debug)]
pub(crate) enum Wait {
    /// Room in the queue of `to`.
    Send { to: EndId, draft: Draft },
    /// The answer of `to`. The message is there until the call is received.
    Call { to: EndId, draft: Option<Draft>, room: Sizes, buffers: Buffers },
    /// Something on a port.
    Port { port: PortId, room: Sizes, buffers: Buffers },
}

/// The state of a thread.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Created,
    Ready,
    Blocked(Wait, Deadline),
}

/// A thread.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub process: ProcessName,
    pub quota: QuotaName,
    pub state: State,
}

impl Model {
    pub(crate) fn thread(&self, id: ThreadName) -> &Thread {
        &self.threads[&id]
    }

    pub(crate) fn thread_mut(&mut self, id: ThreadName) -> &mut Thread {
        self.threads.get_mut(&id).expect("a thread that is asked for is")
    }

    /// The threads of a process.
    pub(crate) fn threads_of(&self, process: ProcessName) -> Vec<ThreadName> {
        let of = self.threads.iter().filter(|(_, thread)| thread.process == process);
        of.map(|(id, _)| *id).collect()
    }

    pub(crate) fn thread_create(&mut self, actor: ProcessName, process: HandleName, quota: HandleName) -> RawAnswer {
        let process = self.process_behind(actor, process, Rights::MANAGE)?;
        let quota = self.chargeable(actor, quota)?;
        let costs = Costs { quota, pages: THREAD_PAGES, cpu: 0 };
        self.charge(costs)?;
        let refused = match self.has_room(actor, 1) {
            false => Some(Error::NoSpace),
            true => self.process(process).ended.map(|_| Error::BadState),
        };
        if let Some(error) = refused {
            self.give_back(costs);
            return Err(error.into());
        }
        let id = ThreadName(self.next.thread());
        self.threads.insert(id, Thread { process, quota, state: State::Created });
        Ok(self.created(actor, &[ObjectId::Thread(id)]))
    }

    /// Errors: the thread's handle; `BadState` when it was started; `NoSpace` in its process's table, the caller's
    /// own entry still counted; the handle that goes with it, as in check 4 of `send`.
    pub(crate) fn thread_start(&mut self, actor: ProcessName, thread: HandleName, handle: Option<HandleName>) -> RawAnswer {
        let ObjectId::Thread(id) = self.lookup(actor, thread, Kind::Thread, Rights::MANAGE)?.object else {
            return Err(Error::WrongType.into());
        };
        if !matches!(self.thread(id).state, State::Created) {
            return Err(Error::BadState.into());
        }
        let home = self.thread(id).process;
        if handle.is_some() && !self.has_room(home, 1) {
            return Err(Error::NoSpace.into());
        }
        let moved = match handle {
            Some(name) => Some(self.movable(actor, name, |_| false, None)?),
            None => None,
        };
        let given = moved.and_then(|capability| {
            if let ObjectId::End(_) = capability.object {
                self.unbind(capability.object);
            }
            let capability = self.withdraw_handle(actor, capability.mint)?;
            Some(self.install(home, capability))
        });
        self.wake(id, Ok(Raw::Started(given)));
        Ok(Raw::Done)
    }

    pub(crate) fn thread_exit(&mut self, actor: ThreadName, code: u64, whole_process: bool) {
        let process = self.thread(actor).process;
        if whole_process || self.threads_of(process) == [actor] {
            self.end_process(process, ExitCause::Exited, code);
        } else {
            self.stop_thread(actor);
        }
    }

    pub(crate) fn block(&mut self, thread: ThreadName, wait: Wait, deadline: Ticks) {
        let deadline = self.deadline(deadline);
        self.thread_mut(thread).state = State::Blocked(wait, deadline);
    }

    /// A thread that nothing lists any more gets its answer.
    pub(crate) fn wake(&mut self, thread: ThreadName, answer: RawAnswer) {
        self.thread_mut(thread).state = State::Ready;
        self.answers.push((thread, answer));
    }

    /// A wait ends without what it waited for.
    pub(crate) fn interrupt(&mut self, thread: ThreadName, refusal: Refusal) {
        self.leave(thread);
        self.wake(thread, Err(refusal));
    }

    /// Takes a thread out of where it waits. A message that was not received goes back whole.
    fn leave(&mut self, id: ThreadName) {
        let State::Blocked(wait, _) = self.thread(id).state.clone() else { return };
        match wait {
            Wait::Send { to, draft } => {
                self.end_mut(to).senders.retain(|thread| *thread != id);
                self.take_back(&draft);
            }
            Wait::Call { to, draft: Some(draft), .. } => {
                self.end_mut(to).fifo.retain(|item| !matches!(item, Item::Call(caller) if *caller == id));
                self.take_back(&draft);
                self.refresh(ObjectId::End(to));
            }
            Wait::Call { to, draft: None, .. } => self.end_mut(to).open_calls.retain(|call| call.caller != id),
            Wait::Port { port, .. } => self.port_mut(port).waiters.retain(|thread| *thread != id),
        }
    }

    fn take_back(&mut self, draft: &Draft) {
        self.unreceived.remove(&draft.id);
        self.set_reserved(draft, false);
    }

    /// Ends a thread and its object, whoever holds handles to it: of a process that goes on or one that is being ended.
    pub(crate) fn stop_thread(&mut self, id: ThreadName) {
        self.leave(id);
        self.answers.retain(|(thread, _)| *thread != id);
        self.destroy(ObjectId::Thread(id));
    }
}
