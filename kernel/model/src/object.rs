//! Objects by number, and how each kind comes to its end. Numbers are never used again, so a reference to
//! an object that is gone can be told from every other.
//!
//! What must never happen: an object that outlives its last reason to be, or goes while something needs it.

use crate::model::Model;
use crate::op::{ProcessName, QuotaName, ThreadName};
use nexus_abi::Kind;

/// A channel, by order of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ChannelId(pub u32);

/// One end of a channel: what an endpoint handle is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct EndId {
    pub channel: ChannelId,
    pub side: usize,
}

impl EndId {
    /// The other end of the same channel.
    pub fn peer(self) -> EndId {
        EndId { side: 1 - self.side, ..self }
    }
}

/// A port, by order of creation; and the other kinds likewise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct PortId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct VmoId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct TimerId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct IdentityId(pub u32);

/// What a handle is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum ObjectId {
    Process(ProcessName),
    Thread(ThreadName),
    End(EndId),
    Port(PortId),
    Vmo(VmoId),
    Timer(TimerId),
    Quota(QuotaName),
    Identity(IdentityId),
}

impl ObjectId {
    pub fn kind(self) -> Kind {
        match self {
            ObjectId::Process(_) => Kind::Process,
            ObjectId::Thread(_) => Kind::Thread,
            ObjectId::End(_) => Kind::Channel,
            ObjectId::Port(_) => Kind::Port,
            ObjectId::Vmo(_) => Kind::Vmo,
            ObjectId::Timer(_) => Kind::Timer,
            ObjectId::Quota(_) => Kind::Quota,
            ObjectId::Identity(_) => Kind::Identity,
        }
    }
}

impl Model {
    /// Whether the object still is.
    pub(crate) fn exists(&self, object: ObjectId) -> bool {
        match object {
            ObjectId::Process(id) => self.processes.contains_key(&id),
            ObjectId::Thread(id) => self.threads.contains_key(&id),
            ObjectId::End(id) => self.channels.contains_key(&id.channel) && self.end(id).open,
            ObjectId::Port(id) => self.ports.contains_key(&id),
            ObjectId::Vmo(id) => self.vmos.contains_key(&id),
            ObjectId::Timer(id) => self.timers.contains_key(&id),
            ObjectId::Quota(id) => self.quotas.contains_key(&id),
            ObjectId::Identity(id) => self.identities.contains_key(&id),
        }
    }

    /// How many handles are for this object, in tables and in messages.
    pub(crate) fn handles_to(&self, object: ObjectId) -> usize {
        self.capabilities().filter(|(_, capability)| capability.object == object).count()
    }

    /// After a reason to keep `object` has gone: ends it when that was the last.
    pub(crate) fn release(&mut self, object: ObjectId) {
        if !self.exists(object) || self.handles_to(object) != 0 {
            return;
        }
        match object {
            ObjectId::Process(id) if self.process(id).ended.is_none() => {}
            ObjectId::Thread(_) => {}
            ObjectId::Vmo(id) if self.mappings_of(id) != 0 => {}
            ObjectId::Quota(id) if self.objects_of(id) != 0 => {}
            ObjectId::End(end) => self.close_end(end),
            _ => self.destroy(object),
        }
    }

    /// Ends `object` now, whatever handles there are to it. A process or thread must have ended before.
    pub(crate) fn destroy(&mut self, object: ObjectId) {
        if !self.exists(object) {
            return;
        }
        self.unbind(object);
        self.born.remove(&object);
        let costs = self.costs(object);
        match object {
            ObjectId::Process(id) => drop(self.processes.remove(&id)),
            ObjectId::Thread(id) => drop(self.threads.remove(&id)),
            ObjectId::End(id) => return self.destroy_channel(id.channel),
            ObjectId::Port(id) => self.empty_port(id),
            ObjectId::Vmo(id) => self.empty_vmo(id),
            ObjectId::Timer(id) => drop(self.timers.remove(&id)),
            ObjectId::Quota(id) => drop(self.quotas.remove(&id)),
            ObjectId::Identity(id) => drop(self.identities.remove(&id)),
        }
        self.give_back(costs);
    }
}
