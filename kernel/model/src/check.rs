//! What must hold after every step, whatever the history. Computed from where things are and from what the step says it did,
//! never by the rules that did it.

use crate::channel::Item;
use crate::ghost::Event;
use crate::message::Message;
use crate::object::{Body, Id, NOBODY};
use crate::process::Doing;
use crate::{Model, ROOT_QUOTA};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Kind, Rights};

/// What existed before a step: capabilities by serial number with their rights, and messages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    capabilities: BTreeMap<u64, (Id, Rights)>,
    messages: BTreeSet<u64>,
}

macro_rules! must {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

impl Model {
    /// Checks every property after a step; `before` is what this function answered after the step before it.
    pub fn check(&self, before: &Summary) -> Result<Summary, String> {
        let now = self.summary()?;
        self.check_conservation(before, &now)?;
        self.check_ends()?;
        self.check_order()?;
        self.check_waits()?;
        self.check_charges()?;
        self.check_reach()?;
        Ok(now)
    }

    /// That nothing is left, once every process has ended.
    pub fn check_nothing_left(&self) -> Result<(), String> {
        must!(self.objects.len() == 1, "everything has ended, and there is still {:?}", self.objects);
        let root = self.quota(ROOT_QUOTA);
        must!((root.used, root.cpu_used) == (0, 0), "everything has ended, and the root quota is {root:?}");
        Ok(())
    }

    /// Each capability and each message is in exactly one place.
    pub fn summary(&self) -> Result<Summary, String> {
        let mut now = Summary::default();
        for c in self.capabilities() {
            must!(c.kind.all_rights().contains(c.rights), "{c:?} has rights that its kind does not know");
            let twice = now.capabilities.insert(c.serial.0, (c.object, c.rights));
            must!(twice.is_none(), "{c:?} is in two places");
        }
        for stamp in self.stamps() {
            must!(now.messages.insert(stamp), "message {stamp} is in two places");
        }
        Ok(now)
    }

    fn stamps(&self) -> impl Iterator<Item = u64> {
        let queued =
            self.all_ends().flat_map(|end| self.end(end).fifo.iter()).filter_map(|item| match item {
                Item::Queued(message) => Some(message.stamp.0),
                Item::Call(_) => None,
            });
        queued.chain(self.threads().filter_map(|(_, thread)| match &thread.doing {
            Doing::Sending { staged, .. } | Doing::Calling { staged, .. } => Some(staged.message.stamp.0),
            Doing::Open { stamp, .. } => Some(stamp.0),
            Doing::Answered { answer, .. } => Some(answer.stamp.0),
            _ => None,
        }))
    }

    /// What a step made and ended accounts for every difference; rights never grow; nothing ends twice.
    fn check_conservation(&self, before: &Summary, now: &Summary) -> Result<(), String> {
        let mut capabilities: BTreeMap<u64, Option<Rights>> =
            before.capabilities.iter().map(|(serial, (_, rights))| (*serial, Some(*rights))).collect();
        let mut messages = before.messages.clone();
        for event in self.events() {
            match event {
                Event::Made { serial, of } => {
                    let bound = of.and_then(|of| before.capabilities.get(&of)).map(|(_, rights)| *rights);
                    capabilities.insert(*serial, bound);
                }
                Event::Closed(serial) => {
                    must!(capabilities.remove(serial).is_some(), "capability {serial} was closed twice");
                }
                Event::Sent(stamp) => must!(messages.insert(*stamp), "message {stamp} was sent twice"),
                Event::Ended(stamp) => must!(messages.remove(stamp), "message {stamp} ended twice"),
                Event::Received(..) | Event::Delivered(..) => {}
            }
        }
        for (serial, bound) in &capabilities {
            let Some((object, rights)) = now.capabilities.get(serial) else {
                return Err(format!("capability {serial} was lost"));
            };
            let grown = bound.is_some_and(|bound| !bound.contains(*rights));
            must!(!grown, "capability {serial} to {object} grew to {rights:?} from {bound:?}");
        }
        let extra = now.capabilities.keys().find(|serial| !capabilities.contains_key(serial));
        must!(extra.is_none(), "capability {extra:?} came from nowhere");
        must!(messages == now.messages, "messages {:?}, accounted for {messages:?}", now.messages);
        Ok(())
    }

    fn all_ends(&self) -> impl Iterator<Item = (Id, usize)> {
        self.objects
            .iter()
            .filter(|(_, object)| matches!(object.body, Body::Channel(_)))
            .flat_map(|(id, _)| [(*id, 0), (*id, 1)])
    }

    /// An open end has one handle; on its way it carries nothing, is answering nothing and tells nothing.
    fn check_ends(&self) -> Result<(), String> {
        let held: BTreeSet<_> = self
            .processes()
            .flat_map(|(_, process)| process.table.open())
            .map(|(_, capability)| (capability.object, capability.end))
            .collect();
        for end in self.all_ends() {
            let state = self.end(end);
            let is = |c: &&crate::Capability| c.kind == Kind::Channel && (c.object, c.end) == end;
            let handles = self.capabilities().filter(is).count();
            must!(
                handles == state.open as usize || !state.open,
                "end {end:?} is open with {handles} handles"
            );
            must!(state.open || state.fifo.is_empty(), "closed end {end:?} has something in its FIFO");
            must!(state.open || state.senders.is_empty(), "senders wait at closed end {end:?}");
            must!(state.queued() <= state.bounds.depth, "end {end:?} is fuller than it can be");
            must!(
                state.queued() == state.bounds.depth || state.senders.is_empty(),
                "room at {end:?} is not used"
            );
            if !state.open {
                continue;
            }
            must!(
                state.flight != held.contains(&end),
                "end {end:?}: on its way, and held, at once or not at all"
            );
            if state.flight {
                must!(self.handles_inside(end) == 0, "end {end:?} is on its way with handles inside");
                must!(self.open_calls(end).next().is_none(), "end {end:?} is on its way with open calls");
                let port = state.binding.port;
                let told = port != NOBODY && self.port(port).ready.contains(&end);
                must!(!told, "end {end:?} is on its way and in a port's list");
            }
        }
        for (id, object) in &self.objects {
            if let Body::Vmo(vmo) = &object.body {
                let writable = |c: &crate::Capability| c.object == *id && c.rights.contains(Rights::WRITE);
                let reachable = self.capabilities().any(writable) || self.mappings_of(*id).any(|m| m.2);
                must!(!vmo.sealed || !reachable, "sealed vmo {id} can be written");
            }
        }
        Ok(())
    }

    fn stamp_of(&self, item: &Item) -> u64 {
        let message: &Message = match item {
            Item::Queued(message) => message,
            Item::Call(thread) => match &self.thread(*thread).doing {
                Doing::Calling { staged, .. } => &staged.message,
                _ => return 0,
            },
        };
        message.stamp.0
    }

    /// Each end is first in, first out; a port serves those first that have waited longest.
    fn check_order(&self) -> Result<(), String> {
        for end in self.all_ends() {
            let stamps: Vec<u64> = self.end(end).fifo.iter().map(|item| self.stamp_of(item)).collect();
            must!(stamps.is_sorted_by(|a, b| a < b), "end {end:?} holds {stamps:?}");
        }
        for event in self.events() {
            match event {
                Event::Received(end, stamp) if self.exists(end.0) => {
                    let left = self.end(*end).fifo.iter().map(|item| self.stamp_of(item));
                    must!(left.min().is_none_or(|first| first > *stamp), "{stamp} overtook at {end:?}");
                }
                Event::Delivered(port, node) if self.exists(*port) => {
                    let ready = &self.port(*port).ready;
                    let first = ready.len() > 1 && ready.first() == Some(node);
                    must!(!first, "{node:?} is served again before the others at port {port}");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody waits though what it waits for is there, nor for what cannot come any more.
    fn check_waits(&self) -> Result<(), String> {
        let mut tokens = BTreeSet::new();
        let woken = |port: Id| {
            self.threads().any(|(_, t)| matches!(t.doing, Doing::Woken { port: at, .. } if at == port))
        };
        for (id, thread) in self.threads() {
            must!(self.process(thread.process).is_alive(), "thread {id} outlives its process");
            must!(!thread.is_blocked() || thread.left() != Some(0), "thread {id} waits past its deadline");
            let listed = |list: &[Id]| list.iter().filter(|other| **other == id).count() == 1;
            match &thread.doing {
                Doing::Sending { to, .. } => {
                    must!(self.exists(to.0) && self.end(*to).open, "thread {id} waits at a closed end");
                    must!(listed(&self.end(*to).senders), "thread {id} is not one of the senders at {to:?}");
                }
                Doing::Calling { to, .. } => {
                    must!(self.exists(to.0) && self.end(*to).open, "thread {id} calls a closed end");
                    let places = self.end(*to).fifo.iter().filter(|item| **item == Item::Call(id)).count();
                    must!(places == 1, "the call of thread {id} is in {places} places");
                }
                Doing::Open { at, token, .. } => {
                    must!(
                        self.exists(at.0) && self.end(*at).open,
                        "thread {id} has a call open at a closed end"
                    );
                    must!(tokens.insert(*token), "two open calls have token {token}");
                }
                Doing::Waiting { port, .. } => {
                    must!(self.exists(*port), "thread {id} waits at a port that is gone");
                    must!(
                        listed(&self.port(*port).waiters),
                        "thread {id} is not one of the waiters of {port}"
                    );
                }
                Doing::Dead { .. } => return Err(format!("thread {id} is dead and still there")),
                _ => {}
            }
        }
        for node in self.nodes() {
            let port = self.binding(node).port;
            if port != NOBODY && self.is_ready(node) {
                must!(
                    self.exists(port) && self.port(port).ready.contains(&node),
                    "{node:?} is ready and not listed"
                );
            }
        }
        for (id, object) in &self.objects {
            let Body::Port(port) = &object.body else { continue };
            let ready = port.user != 0 || port.ready.iter().any(|node| self.is_ready(*node));
            let waits = !port.waiters.is_empty() && ready && !woken(*id);
            must!(!waits, "threads {:?} wait at port {id}, which is ready", port.waiters);
            let strange =
                port.ready.iter().find(|node| !self.exists(node.0) || self.binding(**node).port != *id);
            must!(strange.is_none(), "{strange:?} is in the list of port {id} and not bound to it");
        }
        Ok(())
    }

    /// What an object costs now, by what it is.
    fn cost(&self, body: &Body) -> u64 {
        match body {
            Body::Process(process) if process.has_ended() => 1,
            Body::Process(process) => {
                let mapped = process.mappings.values().any(|(vmo, _)| self.exists(*vmo));
                3 + 2 * mapped as u64
            }
            Body::Thread(_) => 2,
            Body::Channel(ends) => 1 + ends.iter().map(|end| end.bounds.pages() as u64).sum::<u64>(),
            Body::Vmo(vmo) => 1 + vmo.pages + (vmo.pages > 1) as u64,
            Body::Quota(quota) => 1 + quota.pages,
            Body::Port(_) | Body::Timer(_) | Body::Identity(_) => 1,
        }
    }

    /// Every quota has charged exactly what its objects cost, and nothing is kept that nobody needs.
    fn check_charges(&self) -> Result<(), String> {
        let mut sums: BTreeMap<Id, (u64, u64)> = BTreeMap::new();
        for (id, object) in &self.objects {
            if *id == ROOT_QUOTA {
                continue;
            }
            must!(self.is_needed(*id), "object {id} is kept for nobody");
            must!(
                object.charge == self.cost(&object.body),
                "object {id} costs not what was charged: {object:?}"
            );
            must!(self.exists(object.quota), "object {id} belongs to quota {}, which is gone", object.quota);
            let cpu = match &object.body {
                Body::Quota(quota) => quota.cpu,
                Body::Process(process) => process.cpu,
                _ => 0,
            };
            let sum = sums.entry(object.quota).or_default();
            *sum = (sum.0 + object.charge, sum.1 + cpu);
        }
        for (id, object) in &self.objects {
            let Body::Quota(quota) = &object.body else { continue };
            let sum = sums.get(id).copied().unwrap_or_default();
            must!(
                (quota.used, quota.cpu_used) == sum,
                "quota {id} charged {:?}, its objects cost {sum:?}",
                quota.used
            );
            must!(
                quota.used <= quota.pages && quota.cpu_used <= quota.cpu,
                "quota {id} gave more than it had"
            );
        }
        Ok(())
    }

    /// Everything can be reached from a live process: there is no cycle of queues that only hold each other.
    pub fn check_reach(&self) -> Result<(), String> {
        let mut seen: BTreeSet<(Id, usize)> = BTreeSet::new();
        let mut next: Vec<(Id, usize)> = vec![(ROOT_QUOTA, 0)];
        next.extend(self.processes().filter(|(_, p)| p.is_alive()).map(|(id, _)| (id, 0)));
        while let Some(at) = next.pop() {
            if !self.exists(at.0) || !seen.insert(at) {
                continue;
            }
            let object = &self.objects[&at.0];
            next.push((object.quota, 0));
            match &object.body {
                Body::Process(process) => {
                    next.extend(process.table.open().map(|(_, c)| (c.object, c.end)));
                    next.extend(process.threads.iter().map(|thread| (*thread, 0)));
                    next.extend(process.mappings.values().map(|(vmo, _)| (*vmo, 0)));
                }
                Body::Thread(thread) => next.extend(thread.carried().iter().map(|c| (c.object, c.end))),
                Body::Channel(ends) => next.extend(ends[at.1].inside().map(|c| (c.object, c.end))),
                _ => {}
            }
        }
        for (id, object) in &self.objects {
            let reached = match &object.body {
                Body::Channel(ends) => (0..2).all(|end| !ends[end].open || seen.contains(&(*id, end))),
                _ => seen.contains(&(*id, 0)),
            };
            must!(reached, "object {id} cannot be reached from any live process");
        }
        Ok(())
    }
}
