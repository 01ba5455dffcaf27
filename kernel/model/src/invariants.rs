//! What must hold between any two steps, whatever the history was. Each rule is computed from the places
//! where things are, never from the code that moved them.

use crate::channel::Item;
use crate::model::Model;
use crate::object::{EndId, ObjectId};
use crate::op::ThreadName;
use crate::port::Source;
use crate::thread::{State, Wait};
use nexus_abi::Rights;
use std::collections::{BTreeMap, BTreeSet};

/// A rule that does not hold, and where.
pub type Violation = String;

macro_rules! rule {
    ($holds:expr, $($what:tt)*) => {
        if !$holds {
            return Err(format!($($what)*));
        }
    };
}

impl Model {
    /// Checks every rule; names the first that is broken.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_capabilities()?;
        self.check_messages()?;
        self.check_quotas()?;
        self.check_channels()?;
        self.check_threads()?;
        self.check_ports()?;
        self.check_vmos()?;
        self.check_reachable()?;
        rule!(self.answers.is_empty() && self.to_serve.is_empty(), "a step left work behind");
        Ok(())
    }

    /// Each open capability is in exactly one place, with no right that it was not minted with; an end has at most
    /// one handle; what has no reason to be is not.
    fn check_capabilities(&self) -> Result<(), Violation> {
        let mut seen = BTreeSet::new();
        let mut ends = BTreeSet::new();
        for (place, capability) in self.capabilities() {
            rule!(seen.insert(capability.mint), "{capability:?} is in two places, one is {place:?}");
            let bound = self.ledger.open.get(&capability.mint);
            rule!(bound.is_some(), "{capability:?} was closed and is in {place:?}");
            rule!(bound.is_some_and(|b| b.contains(capability.rights)), "{capability:?} has grown beyond {bound:?}");
            if let (ObjectId::End(end), true) = (capability.object, self.exists(capability.object)) {
                rule!(ends.insert(end), "{end:?} has two handles");
            }
        }
        rule!(seen.len() == self.ledger.open.len(), "a capability was lost: {:?}", self.ledger.open);
        for object in self.objects().into_iter().filter(|object| self.handles_to(*object) == 0) {
            let needed = match object {
                ObjectId::Process(id) => self.process(id).ended.is_none(),
                ObjectId::Thread(_) => true,
                ObjectId::Vmo(id) => self.mappings_of(id) != 0,
                ObjectId::Quota(id) => self.objects_of(id) != 0,
                ObjectId::End(_) => true,
                _ => false,
            };
            rule!(needed, "{object:?} outlived its handles");
        }
        Ok(())
    }

    /// Each message that was accepted and not yet received waits in exactly one place.
    fn check_messages(&self) -> Result<(), Violation> {
        let drafts = self.threads.keys().filter_map(|id| self.draft_of(*id)).map(|draft| draft.id);
        let mut seen = BTreeSet::new();
        for id in self.queued_messages().map(|message| message.id).chain(drafts) {
            rule!(seen.insert(id), "{id:?} waits in two places");
        }
        rule!(seen == self.unreceived, "waiting {seen:?}, accepted {:?}", self.unreceived);
        Ok(())
    }

    /// Each quota has charged what its objects cost now.
    fn check_quotas(&self) -> Result<(), Violation> {
        let mut sums: BTreeMap<_, (u64, u64)> = self.quotas.keys().map(|id| (*id, (0, 0))).collect();
        for object in self.objects() {
            let costs = self.costs(object);
            let sum = sums.get_mut(&costs.quota);
            rule!(sum.is_some(), "{object:?} belongs to {:?}, which is no more", costs.quota);
            if let Some(sum) = sum {
                *sum = (sum.0 + costs.pages, sum.1 + costs.cpu);
            }
        }
        for (id, quota) in &self.quotas {
            let charged = (quota.used, quota.cpu_used);
            rule!(sums[id] == charged, "{id:?} charged {charged:?} for objects that cost {:?}", sums[id]);
            rule!(quota.used <= quota.pages && quota.cpu_used <= quota.cpu, "{id:?} gave more than it has");
        }
        Ok(())
    }

    /// Queues within what was paid, waiting senders only at full queues, no way to load or open what moves.
    fn check_channels(&self) -> Result<(), Violation> {
        for id in self.all_ends() {
            let end = self.end(id);
            rule!(end.queued() <= end.bounds.depth, "{id:?} is fuller than its depth");
            let full = end.queued() == end.bounds.depth;
            rule!(full || end.senders.is_empty(), "{id:?} has room, and senders wait for it");
            if !end.open {
                let empty = end.fifo.is_empty() && end.senders.is_empty() && end.open_calls.is_empty();
                rule!(empty, "{id:?} is closed and not empty");
                rule!(self.end(id.peer()).open, "both ends of {:?} are closed", id.channel);
                continue;
            }
            rule!(self.handles_to(ObjectId::End(id)) == 1, "{id:?} is open without a handle");
            if self.in_flight(id) {
                rule!(!self.carries_handles(id), "{id:?} is in flight with handles");
                rule!(end.open_calls.is_empty(), "{id:?} is in flight with open calls");
                let listed = self.ports.values().flat_map(|port| port.ready.iter());
                let told = listed.map(|node| node.source).any(|source| source == Source::Object(ObjectId::End(id)));
                rule!(!told, "{id:?} is in flight and stands in a port's list");
            }
        }
        Ok(())
    }

    /// Each blocked thread is in exactly one list, the one its state names, at an end that can still answer.
    fn check_threads(&self) -> Result<(), Violation> {
        let mut places: BTreeMap<ThreadName, Vec<String>> = BTreeMap::new();
        for id in self.all_ends() {
            let end = self.end(id);
            for item in &end.fifo {
                if let Item::Call(caller) = item {
                    places.entry(*caller).or_default().push(format!("calls {id:?}"));
                }
            }
            for call in &end.open_calls {
                places.entry(call.caller).or_default().push(format!("answer of {id:?}"));
            }
            for sender in &end.senders {
                places.entry(*sender).or_default().push(format!("sends {id:?}"));
            }
        }
        for (id, port) in &self.ports {
            for waiter in &port.waiters {
                places.entry(*waiter).or_default().push(format!("port {id:?}"));
            }
        }
        for (id, thread) in &self.threads {
            let lives = self.processes.get(&thread.process).is_some_and(|process| process.ended.is_none());
            rule!(lives, "{id:?} goes on after its process");
            let listed = places.remove(id).unwrap_or_default();
            let (place, end) = match &thread.state {
                State::Blocked(Wait::Send { to, .. }, _) => (format!("sends {to:?}"), Some(*to)),
                State::Blocked(Wait::Call { to, draft: Some(_), .. }, _) => (format!("calls {to:?}"), Some(*to)),
                State::Blocked(Wait::Call { to, draft: None, .. }, _) => (format!("answer of {to:?}"), Some(*to)),
                State::Blocked(Wait::Port { port, .. }, _) => (format!("port {port:?}"), None),
                _ => {
                    rule!(listed.is_empty(), "{id:?} does not wait and is in {listed:?}");
                    continue;
                }
            };
            rule!(listed == [place.clone()], "{id:?} waits for {place} and is in {listed:?}");
            let alive = |end: EndId| self.exists(ObjectId::End(end)) && self.exists(ObjectId::End(end.peer()));
            rule!(end.is_none_or(alive), "{id:?} waits for an end that is closed: {place}");
        }
        rule!(places.is_empty(), "threads that are no more wait: {places:?}");
        for (id, process) in &self.processes {
            let idle = process.table.len() == 0 && process.space.mappings.is_empty();
            rule!(process.ended.is_none() || idle, "{id:?} ended and holds something");
            let waiting: BTreeSet<_> = self.threads_of(*id).into_iter().filter_map(|t| self.draft_of(t)).collect_mints();
            for slot in process.table.iter() {
                let waits = waiting.contains(&slot.capability.mint);
                rule!(slot.reserved == waits, "{:?} of {id:?} is reserved for nothing, or not reserved", slot.name);
            }
        }
        Ok(())
    }

    /// The ready list has all that is ready, nobody waits beside it, and nobody is overtaken in it.
    fn check_ports(&self) -> Result<(), Violation> {
        for (id, port) in &self.ports {
            let mut ready: Vec<Source> = Vec::new();
            if !port.bits.is_empty() {
                ready.push(Source::Bits);
            }
            for (object, _) in self.bindings.iter().filter(|(_, binding)| binding.port == *id) {
                rule!(self.exists(*object), "{object:?} is bound and no more");
                let away = matches!(object, ObjectId::End(end) if self.in_flight(*end));
                if !away && self.is_ready(Source::Object(*object), *id) {
                    ready.push(Source::Object(*object));
                }
            }
            for (at, node) in port.ready.iter().enumerate() {
                let again = port.ready.iter().skip(at + 1).any(|other| other.source == node.source);
                rule!(!again, "{id:?} lists {node:?} twice");
                let bound = match node.source {
                    Source::Bits => true,
                    Source::Object(object) => self.bindings.get(&object).is_some_and(|b| b.port == *id),
                };
                rule!(bound, "{id:?} lists {node:?}, which is not bound to it");
                ready.retain(|source| *source != node.source);
                rule!(at <= node.ahead, "{id:?} let somebody overtake {node:?}");
            }
            rule!(ready.is_empty(), "{id:?} lost what is ready: {ready:?}");
            rule!(port.ready.is_empty() || port.waiters.is_empty(), "{id:?} has listed nodes and waiting threads");
        }
        rule!(self.bindings.values().all(|b| self.ports.contains_key(&b.port)), "a binding outlived its port");
        Ok(())
    }

    /// What is sealed cannot be written, and only that can be executed.
    fn check_vmos(&self) -> Result<(), Violation> {
        for mapping in self.all_mappings() {
            let sealed = self.vmos.get(&mapping.vmo).map(|vmo| vmo.sealed);
            let asked = (mapping.access.contains(Rights::WRITE), mapping.access.contains(Rights::EXECUTE));
            let fine = match asked {
                (false, false) => sealed.is_some(),
                (true, false) => sealed == Some(false),
                (false, true) => sealed == Some(true),
                (true, true) => false,
            };
            rule!(fine, "{mapping:?} of a vmo with sealed = {sealed:?}");
        }
        for (place, capability) in self.capabilities().filter(|(_, c)| c.rights.contains(Rights::WRITE)) {
            if let ObjectId::Vmo(id) = capability.object {
                let sealed = self.vmos.get(&id).is_some_and(|vmo| vmo.sealed);
                rule!(!sealed, "{id:?} is sealed and writable through {place:?}");
            }
        }
        Ok(())
    }

    /// No cycle of queues holds itself alive: each open end can be reached from a table.
    fn check_reachable(&self) -> Result<(), Violation> {
        let mut reached = BTreeSet::new();
        let mut todo: Vec<EndId> = Vec::new();
        let mut found = |object: ObjectId, todo: &mut Vec<EndId>| {
            if let (ObjectId::End(end), true) = (object, self.exists(object)) {
                if reached.insert(end) {
                    todo.push(end);
                }
            }
        };
        for slot in self.processes.values().flat_map(|process| process.table.iter()) {
            found(slot.capability.object, &mut todo);
        }
        while let Some(end) = todo.pop() {
            for item in &self.end(end).fifo {
                if let Item::Message(message) = item {
                    message.handles.iter().for_each(|c| found(c.object, &mut todo));
                }
            }
        }
        for end in self.all_ends().into_iter().filter(|end| self.end(*end).open) {
            rule!(reached.contains(&end), "{end:?} is out of everybody's reach");
        }
        Ok(())
    }

    fn all_ends(&self) -> Vec<EndId> {
        self.channels.keys().flat_map(|channel| [0, 1].map(|side| EndId { channel: *channel, side })).collect()
    }
}

/// The handles of several messages.
trait CollectMints {
    fn collect_mints(self) -> BTreeSet<crate::handles::Mint>;
}

impl<'a, I: Iterator<Item = &'a crate::message::Draft>> CollectMints for I {
    fn collect_mints(self) -> BTreeSet<crate::handles::Mint> {
        self.flat_map(|draft| draft.mints.iter().copied()).collect()
    }
}
