//! Ports: bindings, the list of ready nodes, and the threads that wait.
//!
//! What must never happen: a ready object that is not in the list of its port, one that comes round twice before
//! another came once, or a thread that waits while something is ready.
//!
//! Rules that docs/ipc.md leaves to the reader:
//! - a node whose object stopped being ready is passed over when its turn comes; if it is ready again before, it has
//!   kept its place;
//! - PEER_CLOSED comes after the messages that were queued before the close, unless READABLE was not asked for;
//! - PEER_CLOSED and TERMINATED are told once for each binding; EXPIRED once for each setting, WRITABLE once for
//!   each raising, even if that was before the binding; unbinding forgets both;
//! - a bound object cannot be bound again, to the same port neither; signals that its kind has not are `Invalid`;
//! - a binding keeps nothing alive: it ends with the last handle of its object, or of its port;
//! - `reply_and_wait` answers first: when the wait then fails, the answer has been given.

use crate::answer::{Raw, RawAnswer};
use crate::fault::Fault;
use crate::model::Model;
use crate::object::{ObjectId, PortId};
use crate::op::{Buffers, HandleName, Outgoing, ProcessName, QuotaName, Sizes, ThreadName, TokenName};
use crate::outcome::Refusal;
use crate::quota::{Costs, OBJECT_PAGES};
use crate::thread::{State, Wait};
use nexus_abi::{Error, Kind, Rights, Signals, Ticks, NOW};
use std::collections::VecDeque;

/// Whose turn it is: a bound object's, or that of the port's own bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    Bits,
    Object(ObjectId),
}

/// A place in the list of ready nodes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub source: Source,
    /// How many deliveries can come before this one, at most. For the checker.
    pub ahead: usize,
}

/// A port.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub quota: QuotaName,
    pub bits: Signals,
    pub ready: VecDeque<Node>,
    /// Threads that wait; the last to come is served first.
    pub waiters: Vec<ThreadName>,
}

/// What ties an object to a port.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub port: PortId,
    pub key: u64,
    pub signals: Signals,
    /// Once-only signals that were told.
    pub told: Signals,
}

/// The signals that an object of this kind has.
pub fn signals_of(kind: Kind) -> Signals {
    match kind {
        Kind::Channel => Signals::READABLE | Signals::WRITABLE | Signals::PEER_CLOSED,
        Kind::Timer => Signals::EXPIRED,
        Kind::Process => Signals::TERMINATED,
        _ => Signals::empty(),
    }
}

impl Model {
    fn port_behind(&self, actor: ProcessName, name: HandleName, right: Rights) -> Result<PortId, Error> {
        match self.lookup(actor, name, Kind::Port, right)?.object {
            ObjectId::Port(port) => Ok(port),
            _ => Err(Error::WrongType),
        }
    }

    pub(crate) fn port_mut(&mut self, id: PortId) -> &mut Port {
        self.ports.get_mut(&id).expect("a port that something is bound to is")
    }

    pub(crate) fn port_create(&mut self, actor: ProcessName, quota: HandleName) -> RawAnswer {
        let quota = self.chargeable(actor, quota)?;
        let costs = Costs { quota, pages: OBJECT_PAGES, cpu: 0 };
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = PortId(self.next.object());
        let port = Port { quota, bits: Signals::empty(), ready: VecDeque::new(), waiters: Vec::new() };
        self.ports.insert(id, port);
        Ok(self.created(actor, &[ObjectId::Port(id)]))
    }

    pub(crate) fn port_bind(
        &mut self,
        actor: ProcessName,
        port: HandleName,
        object: HandleName,
        key: u64,
        signals: Signals,
    ) -> RawAnswer {
        let port = self.port_behind(actor, port, Rights::BIND)?;
        let slot = self.open_slot(actor, object)?;
        let (object, rights) = (slot.capability.object, slot.capability.rights);
        if signals_of(object.kind()).is_empty() {
            return Err(Error::WrongType.into());
        }
        if !rights.contains(Rights::WAIT) {
            return Err(Error::AccessDenied.into());
        }
        if !signals_of(object.kind()).contains(signals) {
            return Err(Error::Invalid.into());
        }
        let bound = self.bindings.get(&object).map(|binding| binding.port);
        if signals.is_empty() {
            if bound != Some(port) {
                return Err(Error::NotFound.into());
            }
            self.unbind(object);
            return Ok(Raw::Done);
        }
        if bound.is_some() {
            return Err(Error::Busy.into());
        }
        self.bindings.insert(object, Binding { port, key, signals, told: Signals::empty() });
        self.refresh(object);
        Ok(Raw::Done)
    }

    pub(crate) fn port_signal(&mut self, actor: ProcessName, port: HandleName, bits: Signals) -> RawAnswer {
        let port = self.port_behind(actor, port, Rights::SIGNAL)?;
        if bits.is_empty() || !Signals::USER.contains(bits) {
            return Err(Error::Invalid.into());
        }
        self.port_mut(port).bits |= bits;
        self.place(port, Source::Bits);
        Ok(Raw::Done)
    }

    /// Ends an object's binding, if it has one.
    pub(crate) fn unbind(&mut self, object: ObjectId) {
        self.suspend(object);
        self.bindings.remove(&object);
        match object {
            ObjectId::End(end) => self.end_mut(end).writable = false,
            ObjectId::Timer(timer) => self.timer_mut(timer).expired = false,
            _ => {}
        }
    }

    /// Takes an object's node out of its port's list.
    pub(crate) fn suspend(&mut self, object: ObjectId) {
        if let Some(binding) = self.bindings.get(&object) {
            let port = binding.port;
            self.port_mut(port).ready.retain(|node| node.source != Source::Object(object));
        }
    }

    /// An object has left the process that bound it.
    pub(crate) fn forget_signals(&mut self, object: ObjectId) {
        if matches!(object, ObjectId::End(_)) && self.exists(object) {
            self.unbind(object);
        }
    }

    /// The signals, other than READABLE, that the object's port is owed.
    pub(crate) fn pending(&self, object: ObjectId) -> Signals {
        let Some(binding) = self.bindings.get(&object) else { return Signals::empty() };
        let mut raised = Signals::empty();
        match object {
            ObjectId::End(end) => {
                raised.set(Signals::WRITABLE, self.end(end).writable);
                let drained = self.end(end).fifo.is_empty() || !binding.signals.contains(Signals::READABLE);
                raised.set(Signals::PEER_CLOSED, !self.end(end.peer()).open && drained);
            }
            ObjectId::Timer(id) => raised.set(Signals::EXPIRED, self.timers[&id].expired),
            ObjectId::Process(id) => raised.set(Signals::TERMINATED, self.process(id).ended.is_some()),
            _ => {}
        }
        raised & binding.signals - binding.told
    }

    /// Whether the object has a message for its port.
    pub(crate) fn readable(&self, object: ObjectId) -> bool {
        match (object, self.bindings.get(&object)) {
            (ObjectId::End(end), Some(binding)) => {
                binding.signals.contains(Signals::READABLE) && !self.end(end).fifo.is_empty()
            }
            _ => false,
        }
    }

    /// Whether a wait would find something at the object now.
    pub(crate) fn is_ready(&self, source: Source, port: PortId) -> bool {
        match source {
            Source::Bits => !self.ports[&port].bits.is_empty(),
            Source::Object(object) => !self.pending(object).is_empty() || self.readable(object),
        }
    }

    /// After the object changed: puts its node into its port's list if it is ready. An end on its way is not.
    pub(crate) fn refresh(&mut self, object: ObjectId) {
        let Some(port) = self.bindings.get(&object).map(|binding| binding.port) else { return };
        let away = matches!(object, ObjectId::End(end) if self.in_flight(end));
        if !away && self.is_ready(Source::Object(object), port) {
            self.place(port, Source::Object(object));
        }
    }

    fn place(&mut self, id: PortId, source: Source) {
        let port = self.port_mut(id);
        if port.ready.iter().all(|node| node.source != source) {
            let ahead = port.ready.len();
            port.ready.push_back(Node { source, ahead });
            self.to_serve.push_back(id);
        }
    }

    /// Gives what is ready to the threads that wait, at every port that changed.
    pub(crate) fn settle(&mut self) {
        while let Some(id) = self.to_serve.pop_front() {
            self.serve(id);
        }
    }

    fn serve(&mut self, id: PortId) {
        while let Some(port) = self.ports.get(&id) {
            let Some(source) = port.ready.front().map(|node| node.source) else { return };
            if port.waiters.is_empty() {
                return;
            }
            let ready = self.is_ready(source, id);
            let port = self.port_mut(id);
            if !ready {
                port.ready.pop_front();
            } else if let Some(thread) = port.waiters.pop() {
                self.deliver(id, thread);
            }
        }
    }

    /// One thing from the node at the head to a thread that no longer waits.
    fn deliver(&mut self, id: PortId, thread: ThreadName) {
        let State::Blocked(Wait::Port { room, buffers, .. }, _) = self.thread(thread).state.clone() else { return };
        let source = self.ports[&id].ready[0].source;
        let answer = match source {
            Source::Bits => {
                let signals = std::mem::replace(&mut self.port_mut(id).bits, Signals::empty());
                Ok(Raw::Event { key: 0, signals })
            }
            Source::Object(object) => self.deliver_object(object, thread, room, buffers),
        };
        if answer.is_ok() {
            self.rotate(id, source);
        }
        self.wake(thread, answer);
    }

    fn deliver_object(&mut self, object: ObjectId, thread: ThreadName, room: Sizes, buffers: Buffers) -> RawAnswer {
        let key = self.bindings[&object].key;
        let signals = self.pending(object);
        if !signals.is_empty() {
            let once = Signals::PEER_CLOSED | Signals::TERMINATED;
            if let Some(binding) = self.bindings.get_mut(&object) {
                binding.told |= signals & once;
            }
            match object {
                ObjectId::End(end) if signals.contains(Signals::WRITABLE) => self.end_mut(end).writable = false,
                ObjectId::Timer(timer) => self.timer_mut(timer).expired = false,
                _ => {}
            }
            return Ok(Raw::Event { key, signals });
        }
        let ObjectId::End(end) = object else { unreachable!("a ready node has something to deliver") };
        match self.receive(end, thread, room, buffers) {
            Ok(Raw::Message(message)) => Ok(Raw::Message(crate::answer::RawMessage { key, ..message })),
            Ok(other) => Ok(other),
            Err(refusal) => Err(Refusal { key, ..refusal }),
        }
    }

    /// After a delivery from `source`: every other node is one nearer, and `source` goes to the tail if it is
    /// still ready.
    fn rotate(&mut self, id: PortId, source: Source) {
        let ready = self.is_ready(source, id);
        let first = self.broken(Fault::StillReadyFirst);
        let forgotten = self.broken(Fault::StillReadyForgotten);
        let port = self.port_mut(id);
        port.ready.retain(|node| node.source != source);
        port.ready.iter_mut().for_each(|node| node.ahead = node.ahead.saturating_sub(1));
        if ready && !forgotten {
            let ahead = port.ready.len();
            let node = Node { source, ahead };
            if first { port.ready.push_front(node) } else { port.ready.push_back(node) }
        }
    }

    pub(crate) fn reply_and_wait(
        &mut self,
        actor: ThreadName,
        port: HandleName,
        reply: &Option<(TokenName, Outgoing)>,
        room: Sizes,
        buffers: Buffers,
        deadline: Ticks,
    ) -> RawAnswer {
        let process = self.thread(actor).process;
        if let Some((token, message)) = reply {
            self.channel_reply(actor, *token, message, room, buffers)?;
            self.settle();
        }
        let port = self.port_behind(process, port, Rights::WAIT)?;
        crate::message::check_sizes(room)?;
        self.block(actor, Wait::Port { port, room, buffers }, deadline);
        self.port_mut(port).waiters.push(actor);
        self.serve(port);
        let waits = matches!(self.thread(actor).state, State::Blocked(..));
        if waits && deadline <= self.now {
            let late = if deadline == NOW { Error::WouldBlock } else { Error::TimedOut };
            self.interrupt(actor, late.into());
        }
        Ok(Raw::Waits)
    }

    /// The port is no more: what is bound to it is free, who waits on it is told.
    pub(crate) fn empty_port(&mut self, id: PortId) {
        let bound: Vec<ObjectId> = self.bindings.iter().filter(|(_, b)| b.port == id).map(|(o, _)| *o).collect();
        bound.into_iter().for_each(|object| self.unbind(object));
        for thread in self.ports[&id].waiters.clone() {
            self.interrupt(thread, Error::BadHandle.into());
        }
        self.ports.remove(&id);
    }
}
