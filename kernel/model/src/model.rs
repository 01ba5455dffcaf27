//! The state of the model, and how it begins.

use crate::fault::Fault;
use crate::ghost::{Event, Ghost};
use crate::object::{Body, Capability, Id, NOBODY, Object};
use crate::process::{Doing, Process, Thread};
use crate::quota::Quota;
use crate::{Answer, Refused, Slot};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use nexus_abi::{Error, Kind, Rights};

/// The quota that all others are split off.
pub const ROOT_QUOTA: Id = 1;
/// The process that is there at the beginning. It holds itself (1), the root quota (2), which it cannot destroy, and the
/// identity that mints all others (3).
pub const BOOT_PROCESS: Id = 2;
/// Its thread.
pub const BOOT_THREAD: Id = 4;

/// How a world begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Pages of the root quota.
    pub pages: u64,
    /// Thousandths of a hart of the root quota.
    pub cpu: u64,
    /// Entries in the first process's handle table.
    pub handles: u64,
    /// A rule to break.
    pub fault: Option<Fault>,
}

/// Everything there is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Model {
    /// Objects by name.
    pub objects: BTreeMap<Id, Object>,
    pub(crate) next: Id,
    /// Generation of the next process.
    pub(crate) generation: u32,
    /// The thread whose step this is.
    pub(crate) current: Id,
    /// Capabilities that are being closed.
    pub(crate) closing: Vec<Capability>,
    /// Threads that ended in this step.
    pub(crate) graves: Vec<Id>,
    /// Dead processes that are being taken apart, the next one last, and whether their handles are closed.
    pub(crate) reaping: Vec<(Id, bool)>,
    pub(crate) fault: Option<Fault>,
    serials: Ghost<u64>,
    /// What the last step did.
    pub(crate) events: Ghost<Vec<Event>>,
}

impl Model {
    /// A world with one process of one thread.
    pub fn new(start: Start) -> Model {
        let mut model = Model {
            objects: BTreeMap::new(),
            next: ROOT_QUOTA,
            generation: 1,
            current: NOBODY,
            closing: vec![],
            graves: vec![],
            reaping: vec![],
            fault: start.fault,
            serials: Ghost(0),
            events: Ghost(vec![]),
        };
        let root = Quota { pages: start.pages, cpu: start.cpu, ..Quota::default() };
        model.objects.insert(ROOT_QUOTA, Object { quota: NOBODY, charge: 0, body: Body::Quota(root) });
        model.next += 1;
        model.boot(start.handles).unwrap_or_else(|error| panic!("{start:?} is too small: {error:?}"));
        model.events.0.clear();
        model
    }

    fn boot(&mut self, handles: u64) -> Refused<()> {
        let (service, priority, cpu) = (1, 20, 50);
        let process = self.make_process(ROOT_QUOTA, service, handles, priority, cpu)?;
        let identity = self.create(ROOT_QUOTA, 1, Body::Identity(service))?;
        let all = Kind::all_rights;
        self.publish(process, process, Kind::Process, all(Kind::Process))?;
        self.publish(process, ROOT_QUOTA, Kind::Quota, all(Kind::Quota) - Rights::MANAGE)?;
        self.publish(process, identity, Kind::Identity, all(Kind::Identity))?;
        let doing = Doing::Running(Ghost(Answer::Done));
        let thread = self.create(ROOT_QUOTA, 2, Body::Thread(Thread { process, doing }))?;
        self.process_mut(process).threads.push(thread);
        Ok(())
    }

    /// Every process, in the order they were made.
    pub fn processes(&self) -> impl Iterator<Item = (Id, &Process)> {
        self.objects.iter().filter_map(|(id, object)| match &object.body {
            Body::Process(process) => Some((*id, process)),
            _ => None,
        })
    }

    /// Every thread, in the order they were made.
    pub fn threads(&self) -> impl Iterator<Item = (Id, &Thread)> {
        self.objects.iter().filter_map(|(id, object)| match &object.body {
            Body::Thread(thread) => Some((*id, thread)),
            _ => None,
        })
    }

    /// Whether the thread is still there.
    pub fn is_thread(&self, id: Id) -> bool {
        self.objects.get(&id).is_some_and(|object| matches!(object.body, Body::Thread(_)))
    }

    /// What the last step did.
    pub fn events(&self) -> &[Event] {
        &self.events.0
    }

    /// A number that was not used yet.
    pub(crate) fn number(&mut self) -> u64 {
        self.serials.0 += 1;
        self.serials.0
    }

    /// The thread's system call is complete.
    pub(crate) fn answer(&mut self, thread: Id, answer: Answer) {
        if self.is_thread(thread) {
            self.thread_mut(thread).doing = Doing::Running(Ghost(answer));
        }
    }

    /// The thread's system call is refused, and nothing else happens.
    pub fn refuse(&mut self, thread: Id, error: Error) {
        self.answer(thread, Answer::refused(error));
    }

    /// `identity_create`: only an identity with MINT can, and the new one cannot.
    pub(crate) fn identity_create(
        &mut self,
        process: Id,
        [minter, quota]: [Slot; 2],
        service: u64,
    ) -> Refused<Answer> {
        self.look_up_as(process, minter, Kind::Identity, Rights::MINT)?;
        let quota = self.charged(process, quota)?;
        let service = u32::try_from(service).ok().filter(|id| *id != 0).ok_or(Error::Invalid)?;
        let id = self.create(quota, 1, Body::Identity(service))?;
        self.publish(process, id, Kind::Identity, Kind::Identity.all_rights() - Rights::MINT)
    }
}
