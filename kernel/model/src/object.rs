//! Objects: what there is, which quota it belongs to, what it costs, and when it ends.

use crate::channel::End;
use crate::ghost::{Event, Ghost};
use crate::port::Port;
use crate::process::{Process, Thread};
use crate::quota::Quota;
use crate::timer::Timer;
use crate::vmo::Vmo;
use crate::{Answer, Model, Refused};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Error, ExitCause, Kind, Rights};

/// Names an object. Never used again.
pub type Id = u32;

/// No object.
pub const NOBODY: Id = 0;

/// One end of a channel.
pub type EndId = (Id, usize);

/// The other end.
pub fn peer((channel, end): EndId) -> EndId {
    (channel, 1 - end)
}

/// An object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Object {
    /// The quota it belongs to.
    pub quota: Id,
    /// Pages that the quota was charged for it.
    pub charge: u64,
    /// What it is.
    pub body: Body,
}

/// The kinds of object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each says it by its name")]
pub enum Body {
    Process(Process),
    Thread(Thread),
    Channel([End; 2]),
    Port(Port),
    Timer(Timer),
    Vmo(Vmo),
    Quota(Quota),
    Identity(u32),
}

/// A right to an object, wherever it is: in a table, in a message, or on its way. It moves; only `handle_dup` copies.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Capability {
    /// The object. It may be gone.
    pub object: Id,
    /// Which end, for a channel.
    pub end: usize,
    /// Its kind.
    pub kind: Kind,
    /// What may be done with it.
    pub rights: Rights,
    /// Which capability it is.
    pub serial: Ghost<u64>,
}

macro_rules! bodies {
    ($($kind:ident $type:ty, $get:ident $get_mut:ident;)+) => {
        impl Model {
            $(
                /// The object of this kind. The caller knows that it is one.
                pub fn $get(&self, id: Id) -> &$type {
                    match &self.objects[&id].body {
                        Body::$kind(body) => body,
                        other => panic!("object {id} is {other:?}"),
                    }
                }

                #[allow(dead_code, reason = "not every kind is changed")]
                pub(crate) fn $get_mut(&mut self, id: Id) -> &mut $type {
                    match self.objects.get_mut(&id).map(|object| &mut object.body) {
                        Some(Body::$kind(body)) => body,
                        other => panic!("object {id} is {other:?}"),
                    }
                }
            )+
        }
    };
}

bodies! {
    Process Process, process process_mut;
    Thread Thread, thread thread_mut;
    Channel [End; 2], channel channel_mut;
    Port Port, port port_mut;
    Timer Timer, timer timer_mut;
    Vmo Vmo, vmo vmo_mut;
    Quota Quota, quota quota_mut;
    Identity u32, identity identity_mut;
}

impl Model {
    /// Whether the object still is.
    pub fn exists(&self, id: Id) -> bool {
        self.objects.contains_key(&id)
    }

    /// Makes an object that costs `pages` pages of `quota`, or changes nothing.
    pub(crate) fn create(&mut self, quota: Id, pages: u64, body: Body) -> Refused<Id> {
        self.charge(quota, pages)?;
        let id = self.next;
        self.next += 1;
        self.objects.insert(id, Object { quota, charge: pages, body });
        self.quota_mut(quota).objects.push(id);
        Ok(id)
    }

    /// A capability that has not been anywhere yet.
    pub(crate) fn mint(&mut self, object: Id, end: usize, kind: Kind, rights: Rights) -> Capability {
        let serial = self.number();
        self.events.0.push(Event::Made { serial, of: None });
        Capability { object, end, kind, rights, serial: Ghost(serial) }
    }

    /// Gives `process` the first handle to a new object; without room for it the object ends again.
    pub(crate) fn publish(&mut self, process: Id, object: Id, kind: Kind, rights: Rights) -> Refused<Answer> {
        let capability = self.mint(object, 0, kind, rights);
        match self.process_mut(process).table.reserve() {
            Ok(slot) => {
                self.process_mut(process).table.fill(slot, capability);
                Ok(Answer::Handles(vec![slot]))
            }
            Err(error) => {
                self.close(vec![capability]);
                Err(error)
            }
        }
    }

    /// Closes capabilities that are in no table any more, one after the other.
    pub(crate) fn close(&mut self, list: Vec<Capability>) {
        let floor = self.closing.len();
        self.closing.extend(list.into_iter().rev());
        while self.closing.len() > floor
            && let Some(capability) = self.closing.pop()
        {
            self.events.0.push(Event::Closed(capability.serial.0));
            if !self.exists(capability.object) {
                continue;
            }
            match capability.kind {
                Kind::Channel => self.close_end((capability.object, capability.end)),
                // Without threads it is of no use to anybody, and nobody could end it.
                Kind::Process if self.is_unused(capability.object) => {
                    self.kill(capability.object, ExitCause::Killed, 0);
                }
                _ if !self.is_needed(capability.object) => self.destroy(capability.object),
                _ => {}
            }
        }
    }

    fn is_unused(&self, process: Id) -> bool {
        let state = self.process(process);
        let named = self.capabilities().any(|capability| capability.object == process);
        state.is_alive() && state.threads.is_empty() && !named
    }

    /// Whether anything is a reason to keep the object: a handle, in a table or on its way; and by its kind, its own.
    pub(crate) fn is_needed(&self, id: Id) -> bool {
        let own = match &self.objects[&id].body {
            Body::Process(process) => !process.has_ended(),
            Body::Thread(_) => true,
            Body::Channel(ends) => ends.iter().any(|end| end.open),
            Body::Vmo(_) => self.mappings_of(id).count() != 0,
            Body::Quota(quota) => id == crate::ROOT_QUOTA || !quota.objects.is_empty(),
            Body::Port(_) | Body::Timer(_) | Body::Identity(_) => false,
        };
        own || self.capabilities().any(|capability| capability.object == id)
    }

    /// Ends an object wherever its handles are: those are stale from now on. What it cost comes back, and its quota
    /// ends too if this was the last reason to keep it.
    pub(crate) fn destroy(&mut self, id: Id) {
        match self.objects[&id].body {
            Body::Port(_) => self.end_port(id),
            Body::Vmo(_) => self.end_vmo(id),
            Body::Timer(_) | Body::Process(_) => self.unbind((id, 0)),
            _ => {}
        }
        self.forget(id);
    }

    /// The object is no more.
    pub(crate) fn forget(&mut self, id: Id) {
        let Some(object) = self.objects.remove(&id) else { return };
        self.discharge(object.quota, object.charge);
        let quota = self.quota_mut(object.quota);
        quota.objects.retain(|other| *other != id);
        if let Body::Quota(ended) = object.body {
            quota.cpu_used -= ended.cpu;
        }
        if !self.is_needed(object.quota) {
            self.destroy(object.quota);
        }
    }

    /// Every capability there is, wherever it is.
    pub fn capabilities(&self) -> impl Iterator<Item = &Capability> {
        let inside = self.objects.values().flat_map(|object| -> Box<dyn Iterator<Item = &Capability>> {
            match &object.body {
                Body::Process(process) => Box::new(process.table.open().map(|(_, capability)| capability)),
                Body::Thread(thread) => Box::new(thread.carried().iter()),
                Body::Channel(ends) => Box::new(ends.iter().flat_map(End::inside)),
                _ => Box::new(core::iter::empty()),
            }
        });
        inside.chain(&self.closing)
    }

    /// The kind of an object that may be gone.
    pub(crate) fn find(&self, id: Id) -> Refused<&Object> {
        self.objects.get(&id).ok_or(Error::BadHandle)
    }
}
