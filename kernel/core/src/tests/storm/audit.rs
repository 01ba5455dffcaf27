//! What must hold whenever no hart is in the kernel: every waiter waits for something that has not come, every deadline is armed,
//! every reference is counted and every page charged.

use super::Storm;
use crate::binding::{Binding, node_object, node_ref};
use crate::channel::{Channel, End};
use crate::handles::ObjectRef;
use crate::kernel::Kernel;
use crate::list::{ThreadList, ThreadStack};
use crate::memory::{Frame, usage};
use crate::objects::{Port, Quota, Timer, Vmo};
use crate::process::{Process, life};
use crate::tests::host::Host;
use crate::thread::{Thread, state};
use nexus_abi::bounds::MAX_MAPPINGS;
use nexus_abi::{Kind, NEVER, Signals};
use std::collections::{BTreeMap, BTreeSet};

type K = Kernel<Host>;

/// The objects that are there: frame and kind.
fn objects(kernel: &K) -> Vec<(Frame, Kind)> {
    let root = Frame(kernel.root_quota.get() as u32);
    let mut found = vec![(root, Kind::Quota)];
    let mut at = 0;
    while at < found.len() {
        let (frame, kind) = found[at];
        at += 1;
        if kind != Kind::Quota {
            continue;
        }
        let mut next = kernel.memory.page::<Quota>(frame).objects.get();
        let mut before = 0;
        while next != 0 {
            let header = kernel.memory.header(Frame(next));
            assert_eq!(header.prev.get(), before, "the list of quota {frame:?} is broken at {next}");
            assert_eq!(header.quota.get(), frame.0, "an object stands in the list of another quota");
            let kind = header.kind.get();
            assert_eq!(kind & !usage::KIND, 0, "object {next} is half made or half gone: {kind:#x}");
            found.push((Frame(next), Kind::from_raw(kind as u8).expect("a kind")));
            assert!(found.len() < 10_000, "the list of quota {frame:?} has no end");
            (before, next) = (next, header.next.get());
        }
    }
    found
}

fn list(kernel: &K, list: &ThreadList) -> Vec<Frame> {
    let mut found = vec![];
    let mut next = list.head();
    while next.exists() {
        found.push(next);
        assert!(found.len() < 1000, "a list of threads has no end");
        next = Frame(kernel.thread(next).next.get());
    }
    found
}

fn stack(stack: &ThreadStack) -> Vec<Frame> {
    let mut found = vec![];
    let mut next = stack.top();
    while let Some(t) = next {
        found.push(t.frame());
        assert!(found.len() < 1000, "a stack of threads has no end");
        next = t.below.find();
    }
    found
}

impl Storm {
    /// See the module. All harts sleep.
    pub fn audit(&self) {
        let kernel = self.world.kernel;
        let objects = objects(kernel);
        self.audit_harts();
        self.audit_threads(&objects);
        for (frame, kind) in &objects {
            let held = kernel.memory.header(*frame).latch.try_hold();
            assert!(held.is_some(), "{kind:?} {frame:?} is locked by nobody");
            match kind {
                Kind::Channel => self.audit_channel(*frame),
                Kind::Port => self.audit_port(*frame),
                Kind::Timer => self.audit_binding(*frame, 0, &kernel.memory.page::<Timer>(*frame).binding),
                Kind::Process => self.audit_process(*frame),
                Kind::Quota => self.audit_quota(*frame),
                _ => {}
            }
        }
        self.audit_references(&objects);
    }

    fn audit_harts(&self) {
        let kernel = self.world.kernel;
        for id in 0..self.world.harts {
            let hart = kernel.hart(id);
            assert!(
                hart.thread.find().is_none() && hart.next.find().is_none(),
                "hart {id} sleeps on a thread"
            );
            assert_eq!((hart.graves.get(), hart.reap.get()), (0, 0), "hart {id} left the dead");
            assert_eq!((hart.best.get(), hart.ready.get()), (0, 0), "hart {id} sleeps with threads ready");
            assert!(hart.queues.iter().all(ThreadList::is_empty), "hart {id}: a queue is not empty");
            assert_eq!(hart.space.get(), 0, "hart {id} sleeps in an address space");
            let armed = kernel.platform.timers.of(id);
            assert!(armed <= hart.heap.first(), "hart {id} oversleeps: {armed} for {}", hart.heap.first());
            assert_ne!(kernel.idle.get() & 1 << id, 0, "hart {id} sleeps and does not say so");
        }
        assert_eq!(kernel.dying.get(), 0, "a dying process is left");
    }

    /// Each thread is where it says, and nowhere else.
    fn audit_threads(&self, objects: &[(Frame, Kind)]) {
        let kernel = self.world.kernel;
        let mut seen: BTreeMap<Frame, (u32, u32)> = BTreeMap::new();
        let mut place = |threads: Vec<Frame>, what: u32, at: u32| {
            for thread in threads {
                let before = seen.insert(thread, (what, at));
                assert_eq!(before, None, "thread {thread:?} stands in two lists");
            }
        };
        for (frame, kind) in objects {
            match kind {
                Kind::Port => place(stack(&kernel.memory.page::<Port>(*frame).waiters), state::PORT, frame.0),
                Kind::Channel => {
                    for (n, end) in kernel.memory.page::<Channel>(*frame).ends.iter().enumerate() {
                        let node = node_ref(*frame, n);
                        place(list(kernel, &end.callers), state::CALLING, node);
                        place(stack(&end.answering), state::OPEN, node);
                        place(list(kernel, &end.senders), state::SENDING, node);
                    }
                }
                _ => {}
            }
        }
        let now = kernel.platform.clock.load(crate::sync::Ordering::Relaxed);
        for (frame, _) in objects.iter().filter(|(_, kind)| *kind == Kind::Thread) {
            let t = kernel.thread(*frame);
            let (what, at) = t.doing();
            if what == state::NEW {
                continue;
            }
            assert_eq!(
                seen.remove(frame),
                Some((what, at)),
                "thread {frame:?} is nowhere: it is {what} at {at}"
            );
            let deadline = t.deadline();
            assert!(deadline == NEVER || deadline > now, "thread {frame:?} waits past its deadline");
            let node = (t.timer.hart.get(), t.timer.at.get());
            let armed = deadline == NEVER || (node.0 != 0 && node.1 <= deadline);
            assert!(armed, "nothing ends the wait of thread {frame:?} at {deadline}: {node:?}");
        }
        assert!(seen.is_empty(), "threads in lists that are not there: {seen:?}");
    }

    fn audit_channel(&self, frame: Frame) {
        let kernel = self.world.kernel;
        let ends = &kernel.memory.page::<Channel>(frame).ends;
        for (n, end) in ends.iter().enumerate() {
            let calls = list(kernel, &end.callers).len() as u32;
            assert_eq!(end.waiting(), calls + end.queued.get(), "what waits at end {n} of {frame:?}");
            let has_room = end.queued.get() < end.depth.get();
            assert!(!has_room || end.senders.is_empty(), "a sender waits for room that is there");
            let idle = end.open.get() != 0 || end.waiting() == 0;
            assert!(
                idle && (end.open.get() != 0 || end.drained.get() != 0),
                "end {n} of {frame:?} half closed"
            );
            self.audit_end(frame, n, end, &ends[1 - n]);
        }
    }

    fn audit_end(&self, frame: Frame, n: usize, end: &End, other: &End) {
        let wanted = Signals::from_bits_retain(end.binding.wanted.get());
        let readable = wanted.contains(Signals::READABLE) && end.waiting() != 0;
        let closed = other.open.get() == 0
            && wanted.contains(Signals::PEER_CLOSED)
            && end.binding.told.get() == 0
            && !readable;
        let pending = end.binding.pending.get() & end.binding.wanted.get() != 0;
        self.audit_ready(frame, n, &end.binding, readable || closed || pending);
    }

    fn audit_binding(&self, frame: Frame, end: usize, binding: &Binding) {
        let pending = binding.pending.get() & binding.wanted.get() != 0;
        self.audit_ready(frame, end, binding, pending);
    }

    /// A binding with something to tell stands in its port's list.
    fn audit_ready(&self, frame: Frame, end: usize, binding: &Binding, is_ready: bool) {
        let memory = &self.world.kernel.memory;
        let Some(port) = binding.port().filter(|p| memory.header(p.frame).latch.generation() == p.generation)
        else {
            return;
        };
        let mut listed = vec![];
        let mut node = memory.page::<Port>(port.frame).first();
        while node != 0 && listed.len() < 1000 {
            listed.push(node);
            let (frame, end) = node_object(node);
            node = self.binding_of(frame, end).next.get();
        }
        let stands = listed.contains(&node_ref(frame, end));
        assert_eq!(stands, binding.queued.get() != 0, "a node of {frame:?} and its port do not agree");
        assert!(stands || !is_ready, "end {end} of {frame:?} has something to tell and nobody is told");
    }

    fn binding_of(&self, frame: Frame, end: usize) -> &Binding {
        let memory = &self.world.kernel.memory;
        match Kind::from_raw(memory.header(frame).kind.get() as u8) {
            Some(Kind::Channel) => &memory.page::<Channel>(frame).ends[end].binding,
            Some(Kind::Timer) => &memory.page::<Timer>(frame).binding,
            Some(Kind::Irq) => &memory.page::<crate::irq::Irq>(frame).binding,
            Some(Kind::Resource) => &memory.page::<crate::records::Resource>(frame).binding,
            kind => {
                assert_eq!(kind, Some(Kind::Process), "a port lists frame {frame:?}");
                &memory.page::<Process>(frame).binding
            }
        }
    }

    fn audit_port(&self, frame: Frame) {
        let port = self.world.kernel.memory.page::<Port>(frame);
        let waiters = stack(&port.waiters);
        assert!(
            waiters.is_empty() || !port.is_ready(),
            "{waiters:?} sleep at port {frame:?}, which is ready"
        );
    }

    fn audit_process(&self, frame: Frame) {
        let p = self.world.kernel.table(frame);
        assert_ne!(p.life.get(), life::DYING, "process {frame:?} is dying and nobody sees to it");
        assert_eq!(p.in_steps.get(), 0, "process {frame:?} is being unmapped by nobody");
        self.audit_ready(
            frame,
            0,
            &p.binding,
            p.binding.pending.get() & p.binding.wanted.get() != 0
                || p.life.get() == life::ENDED
                    && p.binding.told.get() == 0
                    && p.binding.wanted.get() & Signals::TERMINATED.bits() != 0,
        );
    }

    fn audit_quota(&self, frame: Frame) {
        let memory = &self.world.kernel.memory;
        let quota = memory.page::<Quota>(frame);
        let (mut used, mut count, mut next) = (0, 0, quota.objects.get());
        while next != 0 {
            used += memory.header(Frame(next)).charge.get() as u64;
            count += 1;
            next = memory.header(Frame(next)).next.get();
        }
        assert_eq!((quota.used.get(), quota.count.get()), (used, count), "quota {frame:?}");
    }

    /// Each object is kept by as many handles, mappings and dependants as it counts.
    fn audit_references(&self, objects: &[(Frame, Kind)]) {
        let kernel = self.world.kernel;
        let memory = &kernel.memory;
        let mut refs: BTreeMap<ObjectRef2, u32> = BTreeMap::new();
        let mut ends: BTreeSet<(u32, u8)> = BTreeSet::new();
        let mut count = |object: ObjectRef, kind: Kind, end: u8| {
            if memory.header(object.frame).latch.generation() != object.generation {
                return;
            }
            if kind == Kind::Channel {
                assert!(ends.insert((object.frame.0, end)), "end {end} of {object:?} has two handles");
            }
            *refs.entry((object.frame.0, object.generation)).or_default() += 1;
        };
        for (frame, kind) in objects {
            match kind {
                Kind::Process => {
                    let p = kernel.table(*frame);
                    for index in 1..p.handle_capacity.get() {
                        let (meta, object) = p.peek(memory, index).unwrap_or_default();
                        if let Some(c) = crate::handles::Capability::from_words(meta, object) {
                            count(c.object, c.kind, c.end);
                        }
                    }
                    for m in p.mappings.iter().take(MAX_MAPPINGS).filter(|m| m.vmo.get() != 0) {
                        count(ObjectRef::from_raw(m.vmo.get()), Kind::Vmo, 0);
                    }
                    if p.life.get() == life::ALIVE {
                        count(kernel.reference(*frame), Kind::Process, 0);
                    }
                }
                Kind::Channel => {
                    for end in &memory.page::<Channel>(*frame).ends {
                        for n in 0..end.queued.get() {
                            let entry = end.entry(n);
                            let tag = nexus_abi::Tag(end.entry_tag(memory, entry).get());
                            for handle in 0..tag.handles() {
                                let (meta, object) = end.entry_handle(memory, entry, handle);
                                if let Some(c) =
                                    crate::handles::Capability::from_words(meta.get(), object.get())
                                {
                                    count(c.object, c.kind, c.end);
                                }
                            }
                        }
                    }
                }
                Kind::Thread => {
                    let t: &Thread = kernel.thread(*frame);
                    for moving in t.staged.moving() {
                        if let Some(c) = moving.capability() {
                            count(c.object, c.kind, c.end);
                        }
                    }
                }
                _ => {}
            }
            let quota = Frame(memory.header(*frame).quota.get());
            if quota.exists() {
                count(kernel.reference(quota), Kind::Quota, 0);
            }
            if *kind == Kind::Vmo && memory.page::<Vmo>(*frame).depth.get() == Vmo::POOLED {
                let pool = ObjectRef::from_raw(memory.page::<Vmo>(*frame).pool.get());
                count(pool, Kind::Pool, 0);
            }
        }
        for (frame, kind) in objects {
            if matches!(kind, Kind::Thread | Kind::Channel) {
                continue;
            }
            let object = kernel.reference(*frame);
            let counted = refs.get(&(frame.0, object.generation)).copied().unwrap_or_default();
            let own = (frame.0 == kernel.root_quota.get() as u32) as u32;
            assert_eq!(memory.header(*frame).refs.get(), counted + own, "reasons to keep {kind:?} {frame:?}");
        }
    }
}

type ObjectRef2 = (u32, u32);
