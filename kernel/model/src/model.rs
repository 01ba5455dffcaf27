//! The whole state, and the one door to it: [`Model::step`].
//!
//! What must never happen: a step that half happened. Each operation checks everything, then changes.

use crate::answer::{Raw, RawAnswer};
use crate::channel::Channel;
use crate::handles::{Ledger, Table};
use crate::message::MessageId;
use crate::object::{ChannelId, IdentityId, ObjectId, PortId, TimerId, VmoId};
use crate::op::{ActorId, HandleName, Op, ProcessName, QuotaName, ThreadName, TokenName};
use crate::outcome::{Observation, Outcome, Phase, ProcessView, Progress, QuotaUse};
use crate::port::{Binding, Port};
use crate::process::{IdentityObject, Process};
use crate::quota::Quota;
use crate::thread::{State, Thread};
use crate::timer::Timer;
use crate::vmo::{Space, Vmo};
use nexus_abi::{ExitCause, Kind, Rights, Ticks};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What there is before a history begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// Pages of quota 1.
    pub pages: u64,
    /// Processor share of quota 1, in thousandths.
    pub cpu: u64,
    /// Room in the table of process 0.
    pub handles: usize,
}

impl Default for Start {
    fn default() -> Start {
        Start { pages: 600, cpu: 400, handles: 64 }
    }
}

impl Start {
    /// Name of process 0's handle to itself.
    pub const PROCESS: HandleName = HandleName(0);
    /// Name of its handle to quota 1.
    pub const QUOTA: HandleName = HandleName(1);
    /// Name of its handle to the identity that mints all others.
    pub const MINTER: HandleName = HandleName(2);
    /// Service id of process 0.
    pub const SERVICE: u32 = 1;
}

/// Numbers that are given out once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Next {
    objects: u32,
    processes: u32,
    threads: u32,
    quotas: u32,
    tokens: u32,
    orders: u64,
    pub message: u64,
}

fn post_increment(number: &mut u32) -> u32 {
    *number += 1;
    *number - 1
}

impl Next {
    pub fn object(&mut self) -> u32 {
        post_increment(&mut self.objects)
    }
    pub fn process(&mut self) -> u32 {
        post_increment(&mut self.processes)
    }
    pub fn thread(&mut self) -> u32 {
        post_increment(&mut self.threads)
    }
    pub fn quota(&mut self) -> u32 {
        post_increment(&mut self.quotas)
    }
    pub fn token(&mut self) -> u32 {
        post_increment(&mut self.tokens)
    }
    pub fn order(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }
}

/// The kernel's rules as plain state.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) now: Ticks,
    pub(crate) processes: BTreeMap<ProcessName, Process>,
    pub(crate) threads: BTreeMap<ThreadName, Thread>,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) ports: BTreeMap<PortId, Port>,
    pub(crate) vmos: BTreeMap<VmoId, Vmo>,
    pub(crate) timers: BTreeMap<TimerId, Timer>,
    pub(crate) quotas: BTreeMap<QuotaName, Quota>,
    pub(crate) identities: BTreeMap<IdentityId, IdentityObject>,
    pub(crate) bindings: BTreeMap<ObjectId, Binding>,
    /// When each object was made, for the order of revocation.
    pub(crate) born: BTreeMap<ObjectId, u64>,
    pub(crate) next: Next,
    /// Ports whose ready list grew in this step.
    pub(crate) to_serve: VecDeque<PortId>,
    /// Answers of this step.
    pub(crate) answers: Vec<(ThreadName, RawAnswer)>,
    /// Capabilities that are open, for the checker.
    pub(crate) ledger: Ledger,
    /// Messages that were accepted, and neither received nor dropped nor taken back, for the checker.
    pub(crate) unreceived: BTreeSet<MessageId>,
    #[cfg(test)]
    pub(crate) fault: Option<crate::fault::Fault>,
}

impl Model {
    /// Process 0 with thread 0, and what it starts with; see [`Start`].
    pub fn new(start: Start) -> Model {
        let mut model = Model {
            now: 0,
            processes: BTreeMap::new(),
            threads: BTreeMap::new(),
            channels: BTreeMap::new(),
            ports: BTreeMap::new(),
            vmos: BTreeMap::new(),
            timers: BTreeMap::new(),
            quotas: BTreeMap::new(),
            identities: BTreeMap::new(),
            bindings: BTreeMap::new(),
            born: BTreeMap::new(),
            next: Next::default(),
            to_serve: VecDeque::new(),
            answers: Vec::new(),
            ledger: Ledger::default(),
            unreceived: BTreeSet::new(),
            #[cfg(test)]
            fault: None,
        };
        let boot = QuotaName(model.next.quota());
        let all = Quota { parent: None, pages: 1 << 40, used: 0, cpu: 1 << 20, cpu_used: 0 };
        model.quotas.insert(boot, all);
        let root = QuotaName(model.next.quota());
        let given = Quota { parent: Some(boot), pages: start.pages, used: 0, cpu: start.cpu, cpu_used: 0 };
        model.quotas.insert(root, given);
        let minter = IdentityId(model.next.object());
        model.identities.insert(minter, IdentityObject { quota: boot, service: Start::SERVICE });
        let first = ProcessName(model.next.process());
        let table = Table::new(start.handles);
        let process =
            Process { quota: boot, service: Start::SERVICE, cpu: 0, table, space: Space::default(), ended: None };
        model.processes.insert(first, process);
        let thread = ThreadName(model.next.thread());
        model.threads.insert(thread, Thread { process: first, quota: boot, state: State::Ready });
        for object in model.objects() {
            let costs = model.costs(object);
            model.charge(costs).expect("quota 0 pays for everything");
        }
        let objects = [ObjectId::Process(first), ObjectId::Quota(root), ObjectId::Identity(minter)];
        let given = model.created(first, &objects);
        model.answers.push((thread, Ok(given)));
        model.tell(thread);
        model
    }

    /// The point in time.
    pub fn now(&self) -> Ticks {
        self.now
    }

    /// Does one operation of one thread, and everything that follows from it.
    pub fn step(&mut self, actor: ActorId, op: &Op) -> Outcome {
        if let Op::Advance { to } = op {
            self.advance(*to);
            let mut outcome = self.tell(ThreadName(u32::MAX));
            outcome.actor = Progress::Nobody;
            return outcome;
        }
        let process = match self.threads.get(&actor) {
            Some(Thread { process, state: State::Ready, .. }) => *process,
            _ => return Outcome { actor: Progress::Nobody, woken: Vec::new() },
        };
        let answer = self.operate(actor, process, op);
        let goes_on = self.threads.contains_key(&actor);
        match answer {
            Ok(Raw::Waits) => {}
            answer if goes_on => self.answers.push((actor, answer)),
            _ => {}
        }
        self.settle();
        self.tell(actor)
    }

    fn operate(&mut self, actor: ActorId, process: ProcessName, op: &Op) -> RawAnswer {
        match op {
            Op::HandleClose { handle } => self.handle_close(process, *handle),
            Op::HandleDup { handle, rights } => self.handle_dup(process, *handle, *rights),
            Op::ChannelCreate { quota, ends } => self.channel_create(process, *quota, *ends),
            Op::ChannelSend { endpoint, message, buffers, deadline } => {
                self.channel_send(actor, *endpoint, message, *buffers, *deadline)
            }
            Op::ChannelRecv { endpoint, room, buffers, discard } => {
                self.channel_recv(actor, *endpoint, *room, *buffers, *discard)
            }
            Op::ChannelCall { endpoint, message, room, buffers, deadline } => {
                self.channel_call(actor, *endpoint, message, *room, *buffers, *deadline)
            }
            Op::ChannelReply { token, message, buffers } => {
                self.channel_reply(actor, *token, message, Default::default(), *buffers)
            }
            Op::ReplyAndWait { port, reply, room, buffers, deadline } => {
                self.reply_and_wait(actor, *port, reply, *room, *buffers, *deadline)
            }
            Op::PortCreate { quota } => self.port_create(process, *quota),
            Op::PortBind { port, object, key, signals } => self.port_bind(process, *port, *object, *key, *signals),
            Op::PortSignal { port, bits } => self.port_signal(process, *port, *bits),
            Op::VmoCreate { quota, pages } => self.vmo_create(process, *quota, *pages),
            Op::VmoSeal { vmo } => self.vmo_seal(process, *vmo),
            Op::VmMap { process: target, vmo, offset, pages, page, access } => {
                self.vm_map(process, *target, *vmo, *offset, *pages, *page, *access)
            }
            Op::VmUnmap { process: target, page } => self.vm_unmap(process, *target, *page),
            Op::ProcessCreate { quota, identity, handles, cpu } => {
                self.process_create(process, *quota, *identity, *handles, *cpu)
            }
            Op::ThreadCreate { process: target, quota } => self.thread_create(process, *target, *quota),
            Op::ThreadStart { thread, handle } => self.thread_start(process, *thread, *handle),
            Op::ProcessKill { process: target } => self.process_kill(process, *target),
            Op::ThreadExit { code, whole_process } => {
                self.thread_exit(actor, *code, *whole_process);
                Ok(Raw::Waits)
            }
            Op::TimerCreate { quota } => self.timer_create(process, *quota),
            Op::TimerSet { timer, deadline } => self.timer_set(process, *timer, *deadline),
            Op::QuotaCreate { quota, pages, cpu } => self.quota_create(process, *quota, *pages, *cpu),
            Op::QuotaDestroy { quota } => self.quota_destroy(process, *quota),
            Op::IdentityCreate { minter, quota, service } => self.identity_create(process, *minter, *quota, *service),
            Op::Advance { .. } => Ok(Raw::Waits),
        }
    }

    /// What can be seen of the whole.
    pub fn observe(&self) -> Observation {
        let quotas = self.quotas.iter().filter(|(_, quota)| quota.parent.is_some()).map(|(id, quota)| {
            let objects = self.objects_of(*id) as u64;
            let Quota { pages, used, cpu, cpu_used, .. } = *quota;
            (*id, QuotaUse { pages, used, cpu, cpu_used, objects })
        });
        let processes = self.processes.iter().map(|(id, process)| {
            let view = ProcessView {
                ended: process.ended,
                handles: process.table.len(),
                threads: self.threads_of(*id).len(),
                mappings: process.space.mappings.len(),
            };
            (*id, view)
        });
        let threads = self.threads.iter().map(|(id, thread)| (*id, thread.state.phase()));
        Observation { quotas: quotas.collect(), processes: processes.collect(), threads: threads.collect() }
    }

    /// The open handles of a thread's process, for whoever makes up histories.
    pub fn handles(&self, of: ThreadName) -> Vec<(HandleName, Kind, Rights)> {
        let Some(thread) = self.threads.get(&of) else { return Vec::new() };
        let slots = self.process(thread.process).table.iter().filter(|slot| !slot.reserved);
        slots
            .filter(|slot| self.exists(slot.capability.object))
            .filter_map(|slot| Some((slot.name?, slot.capability.object.kind(), slot.capability.rights)))
            .collect()
    }
}

impl Model {
    /// The end of everything: every quota but quota 0 is destroyed, then process 0 ends, as its supervisor would
    /// see to.
    pub fn revoke_everything(&mut self) {
        let tops: Vec<QuotaName> = self.quotas.iter().filter(|(_, q)| q.parent.is_some()).map(|(id, _)| *id).collect();
        for quota in tops {
            self.revoke(quota);
        }
        for process in self.processes.keys().copied().collect::<Vec<_>>() {
            self.end_process(process, ExitCause::Killed, 0);
        }
        self.settle();
        self.tell(ThreadName(0));
    }

    /// Pages and processor share that quota 0, the root of all, has charged.
    pub fn charged(&self) -> (u64, u64) {
        self.quotas.values().filter(|quota| quota.parent.is_none()).fold((0, 0), |sum, quota| {
            (sum.0 + quota.used, sum.1 + quota.cpu_used)
        })
    }

    /// How many handles a thread's process was given so far.
    pub fn names_given(&self, of: ThreadName) -> u32 {
        self.threads.get(&of).map_or(0, |thread| self.process(thread.process).table.names)
    }

    /// How many reply tokens were told so far.
    pub fn tokens_given(&self) -> u32 {
        self.next.tokens
    }

    /// The tokens that a thread's process can answer.
    pub fn tokens(&self, of: ThreadName) -> Vec<TokenName> {
        let Some(thread) = self.threads.get(&of) else { return Vec::new() };
        let table = &self.process(thread.process).table;
        let ends = table.iter().filter_map(|slot| match slot.capability.object {
            ObjectId::End(end) if self.exists(slot.capability.object) => Some(self.end(end)),
            _ => None,
        });
        ends.flat_map(|end| end.open_calls.iter()).filter_map(|call| call.token).collect()
    }

    /// Whether the step means anything: its actor is there and does not wait.
    pub fn can_act(&self, actor: ThreadName, op: &Op) -> bool {
        let ready = self.threads.get(&actor).is_some_and(|thread| matches!(thread.state, State::Ready));
        ready || matches!(op, Op::Advance { .. })
    }
}

impl State {
    /// As others see it.
    pub fn phase(&self) -> Phase {
        match self {
            State::Created => Phase::Created,
            State::Ready => Phase::Ready,
            State::Blocked(..) => Phase::Blocked,
        }
    }
}
