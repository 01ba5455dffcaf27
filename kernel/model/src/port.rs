//! Ports: where a thread waits for many things.
//!
//! A port's list holds the nodes of objects that have something to tell. A node that has nothing any more stays in its
//! place until a wait comes to it.

use crate::ghost::Event;
use crate::message::Room;
use crate::object::{Body, Id, NOBODY, peer};
use crate::process::Doing;
use crate::{Answer, Deadline, Fault, Model, Refused, Slot};
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Error, Kind, Rights, Signals};

/// What can be bound: a channel's end, or a timer or process (end 0).
pub type Node = (Id, usize);

/// A port.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Port {
    /// Threads that wait, the warmest last.
    pub waiters: Vec<Id>,
    /// Nodes that are ready, or were.
    pub ready: Vec<Node>,
    /// User bits raised and not yet taken.
    pub user: u32,
}

/// Where an object's signals go, and what it has to tell.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Binding {
    /// The port, if it is bound.
    pub port: Id,
    /// What the port's waiters know it by.
    pub key: u64,
    /// Signals asked for.
    pub wanted: u32,
    /// Edges raised and not told; those that nobody asked for wait for the next binding.
    pub pending: u32,
    /// PEER_CLOSED or TERMINATED has been told.
    pub told: bool,
}

impl Model {
    /// The binding of an object that can have one.
    pub fn binding(&self, (id, end): Node) -> &Binding {
        match &self.objects[&id].body {
            Body::Channel(ends) => &ends[end].binding,
            Body::Timer(timer) => &timer.binding,
            Body::Process(process) => &process.binding,
            other => panic!("{other:?} cannot be bound"),
        }
    }

    fn binding_mut(&mut self, (id, end): Node) -> &mut Binding {
        match self.objects.get_mut(&id).map(|object| &mut object.body) {
            Some(Body::Channel(ends)) => &mut ends[end].binding,
            Some(Body::Timer(timer)) => &mut timer.binding,
            Some(Body::Process(process)) => &mut process.binding,
            other => panic!("{other:?} cannot be bound"),
        }
    }

    /// Signals other than READABLE that could be told now.
    pub fn events_of(&self, node: Node) -> u32 {
        let binding = self.binding(node);
        let mut bits = binding.pending;
        if !binding.told {
            match &self.objects[&node.0].body {
                Body::Channel(ends) => {
                    let drained =
                        ends[node.1].fifo.is_empty() || binding.wanted & Signals::READABLE.bits() == 0;
                    if !self.end(peer(node)).open && drained {
                        bits |= Signals::PEER_CLOSED.bits();
                    }
                }
                Body::Process(process) if process.has_ended() => bits |= Signals::TERMINATED.bits(),
                _ => {}
            }
        }
        bits & binding.wanted
    }

    /// Whether a message could be delivered through the binding.
    pub fn is_readable(&self, node: Node) -> bool {
        self.is_channel(node.0)
            && self.binding(node).wanted & Signals::READABLE.bits() != 0
            && !self.end(node).fifo.is_empty()
    }

    /// Whether a bound object has something to tell. An end on its way tells nothing.
    pub fn is_ready(&self, node: Node) -> bool {
        let in_flight = self.is_channel(node.0) && self.end(node).flight;
        !in_flight && (self.events_of(node) != 0 || self.is_readable(node))
    }

    /// Puts an object that is ready on its port's list, and lets a waiter look.
    pub(crate) fn notify(&mut self, node: Node) {
        let port = self.binding(node).port;
        if port != NOBODY && self.is_ready(node) && !self.port(port).ready.contains(&node) {
            if self.tell_waiter(port, node) && !self.is_readable(node) {
                return;
            }
            self.port_mut(port).ready.push(node);
            self.wake_one(port);
        }
    }

    /// Tells a waiter at once what needs no more than a word, if it has nothing to be told before. A process that is dying learns
    /// nothing that others wait for.
    fn tell_waiter(&mut self, port: Id, node: Node) -> bool {
        let (edges, key) = (self.events_of(node), self.binding(node).key);
        let Some(thread) = self.port(port).waiters.last().copied() else { return false };
        let alive = self.process(self.thread(thread).process).is_alive();
        if edges == 0 || !alive || !self.port(port).ready.is_empty() || self.port(port).user != 0 {
            return false;
        }
        self.port_mut(port).waiters.pop();
        self.told(node, edges);
        self.answer(thread, Answer::Event { key, signals: edges });
        self.events.0.push(Event::Delivered(port, node));
        true
    }

    /// These signals of an object are told.
    fn told(&mut self, node: Node, edges: u32) {
        let binding = self.binding_mut(node);
        binding.pending &= !edges;
        binding.told |= edges & (Signals::PEER_CLOSED | Signals::TERMINATED).bits() != 0;
    }

    /// Raises an edge.
    pub(crate) fn raise(&mut self, node: Node, signal: Signals) {
        self.binding_mut(node).pending |= signal.bits();
        self.notify(node);
    }

    fn wake_one(&mut self, port: Id) {
        let Some(thread) = self.port_mut(port).waiters.pop() else { return };
        if let Doing::Waiting { port, room, left } = self.thread(thread).doing {
            self.thread_mut(thread).doing = Doing::Woken { port, room, left };
        }
    }

    /// Whoever was woken at a port and is done with it lets the next waiter see to the rest.
    pub(crate) fn pass_on(&mut self, port: Id) {
        if self.exists(port)
            && (!self.port(port).ready.is_empty() || self.port(port).user != 0)
            && !self.breaks(Fault::WokenKeepsTheRest)
        {
            self.wake_one(port);
        }
    }

    /// Takes a node off its port's list.
    pub(crate) fn leave_port(&mut self, node: Node) {
        let port = self.binding(node).port;
        if port != NOBODY {
            self.port_mut(port).ready.retain(|other| *other != node);
        }
    }

    /// Ends a binding. What had not been told waits for the next one.
    pub(crate) fn unbind(&mut self, node: Node) {
        self.leave_port(node);
        let pending = self.binding(node).pending;
        *self.binding_mut(node) = Binding { pending, ..Binding::default() };
    }

    /// The port is about to go: its waiters learn it, and what was bound to it no longer is.
    pub(crate) fn end_port(&mut self, id: Id) {
        for node in self.nodes().filter(|node| self.binding(*node).port == id).collect::<Vec<_>>() {
            self.unbind(node);
        }
        while let Some(thread) = self.port_mut(id).waiters.pop() {
            self.fail(thread, Error::BadHandle);
        }
    }

    /// Everything that can be bound.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.objects.iter().flat_map(|(id, object)| match object.body {
            Body::Channel(_) => vec![(*id, 0), (*id, 1)],
            Body::Timer(_) | Body::Process(_) => vec![(*id, 0)],
            _ => vec![],
        })
    }

    /// `port_create`.
    pub(crate) fn port_create(&mut self, process: Id, quota: Slot) -> Refused<Answer> {
        let quota = self.charged(process, quota)?;
        let id = self.create(quota, 1, Body::Port(Port::default()))?;
        self.publish(process, id, Kind::Port, Kind::Port.all_rights())
    }

    /// `port_bind`; `signals` 0 unbinds.
    pub(crate) fn port_bind(
        &mut self,
        process: Id,
        [port, object]: [Slot; 2],
        key: u64,
        signals: u32,
    ) -> Refused<Answer> {
        let port = self.look_up_as(process, port, Kind::Port, Rights::BIND)?.object;
        let target = self.look_up(process, object)?;
        let possible = match target.kind {
            Kind::Channel => Signals::READABLE | Signals::WRITABLE | Signals::PEER_CLOSED,
            Kind::Timer => Signals::EXPIRED,
            Kind::Process => Signals::ENDING | Signals::TERMINATED,
            _ => return Err(Error::WrongType),
        };
        let receives = signals & Signals::READABLE.bits() != 0;
        let need = if receives { Rights::WAIT | Rights::RECEIVE } else { Rights::WAIT };
        if !target.rights.contains(need) {
            return Err(Error::AccessDenied);
        }
        if signals & !possible.bits() != 0 {
            return Err(Error::Invalid);
        }
        let node = (target.object, target.end);
        let bound = self.binding(node).port;
        if signals == 0 {
            if bound != port {
                return Err(Error::NotFound);
            }
            self.unbind(node);
            return Ok(Answer::Done);
        }
        if bound != NOBODY {
            return Err(Error::Busy);
        }
        let pending = self.binding(node).pending;
        *self.binding_mut(node) = Binding { port, key, wanted: signals, pending, told: false };
        self.notify(node);
        Ok(Answer::Done)
    }

    /// `port_signal`: bits raised again before they are taken merge.
    pub(crate) fn port_signal(&mut self, process: Id, port: Slot, bits: u32) -> Refused<Answer> {
        let port = self.look_up_as(process, port, Kind::Port, Rights::SIGNAL)?.object;
        if bits == 0 || bits & !Signals::USER.bits() != 0 {
            return Err(Error::Invalid);
        }
        self.port_mut(port).user |= bits;
        self.wake_one(port);
        Ok(Answer::Done)
    }

    /// The port that a thread may wait on.
    pub(crate) fn waitable(&self, process: Id, slot: Slot) -> Refused<Id> {
        Ok(self.look_up_as(process, slot, Kind::Port, Rights::WAIT)?.object)
    }

    /// Waits at a port, for the first time or after having been woken. A wait that has begun goes on whatever becomes of the
    /// handle that it began with.
    pub(crate) fn wait_at(&mut self, thread: Id, port: Id, room: Room, deadline: Deadline) {
        if !self.exists(port) {
            return self.answer(thread, Answer::refused(Error::BadHandle));
        }
        match self.take_from(thread, port, room) {
            Some(Ok(answer) | Err(answer)) => self.answer(thread, answer),
            None => match deadline {
                Deadline::Now => self.answer(thread, Answer::refused(Error::WouldBlock)),
                Deadline::Past => self.answer(thread, Answer::refused(Error::TimedOut)),
                _ => {
                    let left = deadline.left();
                    self.port_mut(port).waiters.push(thread);
                    self.thread_mut(thread).doing = Doing::Waiting { port, room, left };
                    return;
                }
            },
        }
        self.pass_on(port);
    }

    /// A waiter that is about to be told something else has seen that the first node of a port has nothing any more. False, and
    /// nothing happens, if it has, or there is no such port or node.
    pub fn drop_stale(&mut self, port: Id) -> bool {
        let first = self.exists(port).then(|| self.port(port).ready.first().copied()).flatten();
        let stale = first.filter(|node| !self.is_ready(*node));
        if let Some(node) = stale {
            self.leave_port(node);
        }
        stale.is_some()
    }

    /// A waiter that leaves a port sees that something is ready there by now, and wakes the next one, which may find nothing. False, and
    /// nothing happens, if nothing is ready or nobody waits.
    pub fn wake_next(&mut self, port: Id) -> bool {
        let wakes = self.exists(port) && {
            let port = self.port(port);
            !port.waiters.is_empty() && (!port.ready.is_empty() || port.user != 0)
        };
        if wakes {
            self.pass_on(port);
        }
        wakes
    }

    /// Takes one thing from a port: user bits first, else what the first node that is ready has. After that the node goes to
    /// the tail if there is more; one whose message could not be delivered stays first.
    fn take_from(&mut self, thread: Id, port: Id, room: Room) -> Option<Result<Answer, Answer>> {
        let process = self.thread(thread).process;
        match core::mem::take(&mut self.port_mut(port).user) {
            0 => {}
            signals => return Some(Ok(Answer::Event { key: 0, signals })),
        }
        while let Some(node) = self.port(port).ready.first().copied() {
            let (edges, key) = (self.events_of(node), self.binding(node).key);
            let mut delivered = None;
            if edges != 0 {
                self.told(node, edges);
                delivered = Some(Ok(Answer::Event { key, signals: edges }));
            } else if self.is_readable(node) {
                match self.receive(process, node, room, key) {
                    Ok(answer) => delivered = Some(Ok(answer)),
                    Err(refused) => return Some(Err(refused)),
                }
            }
            self.leave_port(node);
            if self.is_ready(node) {
                let place =
                    if self.breaks(Fault::StillReadyGoesFirst) { 0 } else { self.port(port).ready.len() };
                self.port_mut(port).ready.insert(place, node);
            }
            if delivered.is_some() {
                self.events.0.push(Event::Delivered(port, node));
                return delivered;
            }
        }
        None
    }
}
