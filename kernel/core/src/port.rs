//! Ports: where a thread waits for many things. The rules are in `docs/ipc.md`.
//!
//! A port's list holds the nodes of ready objects and has no storage of its own, so it cannot overflow. Lock order:
//! object, then port. What must never happen: a waiter that sleeps while the list is not empty.

use crate::binding::{Binding, node_object, node_ref};
use crate::channel::Channel;
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::hart::Hart;
use crate::irq::Irq;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, usage};
use crate::objects::{Port, Timer};
use crate::platform::Platform;
use crate::process::{Process, life};
use crate::receive::Refusal;
use crate::records::Resource;
use crate::thread::{Thread, resume, state};
use nexus_abi::{Error, Handle, Kind, Rights, Signals, Tag};

impl<P: Platform> Kernel<P> {
    /// The binding of an object that can have one.
    fn binding(&self, frame: Frame, end: usize) -> Option<&Binding> {
        match Kind::from_raw(u8::try_from(self.memory.header(frame).kind.get()).ok()?)? {
            Kind::Channel => Some(&self.memory.page::<Channel>(frame).ends[end].binding),
            Kind::Timer => Some(&self.memory.page::<Timer>(frame).binding),
            Kind::Process => Some(&self.memory.page::<Process>(frame).binding),
            Kind::Irq => Some(&self.memory.page::<Irq>(frame).binding),
            Kind::Resource => Some(&self.memory.page::<Resource>(frame).binding),
            _ => None,
        }
    }

    /// Signals other than READABLE that could be told now. The object's lock is held.
    fn events(&self, frame: Frame, end: usize, binding: &Binding) -> u32 {
        let mut bits = binding.pending.get();
        let kind = self.memory.header(frame).kind.get();
        if binding.told.get() == 0 {
            if kind == Kind::Channel as u32 {
                let ends = &self.memory.page::<Channel>(frame).ends;
                let drained =
                    ends[end].waiting() == 0 || binding.wanted.get() & Signals::READABLE.bits() == 0;
                if ends[1 - end].open.get() == 0 && drained {
                    bits |= Signals::PEER_CLOSED.bits();
                }
            } else if kind == Kind::Process as u32 && self.table(frame).life.get() == life::ENDED {
                bits |= Signals::TERMINATED.bits();
            }
        }
        bits & binding.wanted.get()
    }

    /// Whether a message could be delivered through the binding. The object's lock is held.
    fn readable(&self, frame: Frame, end: usize, binding: &Binding) -> bool {
        self.memory.header(frame).kind.get() == Kind::Channel as u32
            && binding.wanted.get() & Signals::READABLE.bits() != 0
            && self.memory.page::<Channel>(frame).ends[end].waiting() != 0
    }

    /// Puts the object's node on its port's list if it is ready and not there, and wakes a waiter; what needs no more than a word is
    /// told to that one at once. The object's lock is held.
    pub(crate) fn notify(&self, hart: &Hart, frame: Frame, end: usize) {
        let Some(binding) = self.binding(frame, end) else {
            return;
        };
        let Some(port) = binding.port() else { return };
        if binding.queued.get() != 0 {
            return;
        }
        let edge = self.events(frame, end, binding);
        if edge == 0 && !self.readable(frame, end, binding) {
            return;
        }
        let Ok(_held) = self.hold_next(port) else {
            return binding.clear();
        };
        let p = self.memory.page::<Port>(port.frame);
        if edge != 0 && self.tell_waiter(hart, p, binding, edge) && !self.readable(frame, end, binding) {
            return;
        }
        self.append(p, binding, node_ref(frame, end));
        self.wake_waiter(hart, port);
    }

    /// Completes the wait of the first waiter with these signals, if it has nothing to be told before; false: nothing happened. A
    /// process that is dying learns nothing that others wait for. The locks of object and port are held.
    fn tell_waiter(&self, hart: &Hart, port: &Port, binding: &Binding, edge: u32) -> bool {
        let alive = |t: &&Thread| self.table(t.owner()).life.get() == life::ALIVE;
        if port.is_ready() {
            return false;
        }
        let Some(t) = port.waiters.top().filter(alive) else { return false };
        port.waiters.take_top(t);
        t.pay_oneself();
        binding.tell(edge);
        self.deliver_event(t, binding.key.get(), edge);
        self.wake_thread(hart, t);
        true
    }

    fn append(&self, port: &Port, binding: &Binding, node: u32) {
        let tail = port.ready_tail.get();
        binding.prev.set(tail);
        binding.next.set(0);
        binding.queued.set(1);
        port.ready_tail.set(node);
        if tail == 0 {
            port.set_first(node);
        } else {
            self.linked(tail).next.set(node);
        }
    }

    /// Takes a queued node out; the port's lock is held.
    fn unlink(&self, port: &Port, binding: &Binding) {
        let (next, prev) = (binding.next.get(), binding.prev.get());
        let at = |node: u32| self.linked(node);
        match prev {
            0 => port.set_first(next),
            _ => at(prev).next.set(next),
        }
        match next {
            0 => port.ready_tail.set(prev),
            _ => at(next).prev.set(prev),
        }
        binding.queued.set(0);
    }

    /// The binding of a node that is in a list: its object may be retired, but it is not freed before it is unlinked.
    fn linked(&self, node: u32) -> &Binding {
        let (frame, end) = node_object(node);
        match self.memory.header(frame).kind.get() & usage::KIND {
            kind if kind == Kind::Channel as u32 => &self.memory.page::<Channel>(frame).ends[end].binding,
            kind if kind == Kind::Timer as u32 => &self.memory.page::<Timer>(frame).binding,
            kind if kind == Kind::Irq as u32 => &self.memory.page::<Irq>(frame).binding,
            kind if kind == Kind::Resource as u32 => &self.memory.page::<Resource>(frame).binding,
            _ => &self.table(frame).binding,
        }
    }

    /// Lets the first waiter look again. The port's lock is held.
    fn wake_waiter(&self, hart: &Hart, port: ObjectRef) {
        if let Some(t) = self.memory.page::<Port>(port.frame).waiters.pop() {
            t.pay_oneself();
            t.port.set(port.to_raw());
            t.resume.set(resume::WAIT);
            self.wake(hart, t.frame());
        }
    }

    /// Ends a binding. The object's lock is held.
    pub(crate) fn unbind(&self, frame: Frame, end: usize, binding: &Binding) {
        self.unlink_node(binding);
        binding.clear();
        if self.memory.header(frame).kind.get() & usage::KIND == Kind::Channel as u32 {
            self.memory.page::<Channel>(frame).ends[end].forget_port();
        }
    }

    /// Takes an object's node off its port's list. The object's lock is held.
    pub(crate) fn unlink_node(&self, binding: &Binding) {
        if let Some(port) = binding.port()
            && let Ok(_held) = self.hold_next(port)
            && binding.queued.get() != 0
        {
            self.unlink(self.memory.page::<Port>(port.frame), binding);
        }
    }

    /// System call `port_create`.
    pub(crate) fn port_create(&self, process: Frame, quota: Handle) -> Answer<Handle> {
        let quota = self.table(process).lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let frame = self.create(quota, Kind::Port, 1)?;
        self.publish(process, frame, Kind::Port.all_rights())
    }

    /// System call `port_bind`.
    pub(crate) fn port_bind(
        &self,
        hart: &Hart,
        port: Handle,
        object: Handle,
        key: u64,
        signals: u64,
    ) -> Answer<()> {
        let table = self.table(hart.owner());
        let port = table.lookup_as(&self.memory, port, Kind::Port, Rights::BIND)?.object;
        let target = table.lookup(&self.memory, object)?;
        let possible = match target.kind {
            Kind::Channel => Signals::READABLE | Signals::WRITABLE | Signals::PEER_CLOSED,
            Kind::Timer => Signals::EXPIRED,
            Kind::Process => Signals::ENDING | Signals::TERMINATED,
            Kind::Irq => Signals::INTERRUPT,
            Kind::Resource => Signals::RECORD,
            _ => return Err(Error::WrongType),
        };
        let readable = signals & Signals::READABLE.bits() as u64 != 0;
        let need = if readable { Rights::WAIT | Rights::RECEIVE } else { Rights::WAIT };
        if !target.rights.contains(need) {
            return Err(Error::AccessDenied);
        }
        if signals & !(possible.bits() as u64) != 0 {
            return Err(Error::Invalid);
        }
        let (frame, end) = (target.object.frame, target.end as usize);
        let _held = self.hold(target.object)?;
        self.confirm(hart, object.0 as u64, target)?;
        let binding = self.binding(frame, end).ok_or(Error::BadHandle)?;
        let bound = binding.port();
        if signals == 0 {
            if bound != Some(port) {
                return Err(Error::NotFound);
            }
            self.unbind(frame, end, binding);
            return Ok(());
        }
        if bound.is_some_and(|b| self.memory.header(b.frame).latch.generation() == b.generation) {
            return Err(Error::Busy);
        }
        binding.clear();
        drop(self.hold_next(port)?);
        binding.key.set(key);
        binding.wanted.set(signals as u32);
        binding.port.set(port.to_raw());
        self.notify(hart, frame, end);
        Ok(())
    }

    /// System call `port_signal`, the slow path. The next one to the same port may be faster.
    #[inline(never)]
    pub(crate) fn port_signal(&self, hart: &Hart, port: u64, bits: u64) -> Answer<()> {
        self.poke(hart, port);
        let port = self.table(hart.owner()).lookup_as(&self.memory, port, Kind::Port, Rights::SIGNAL)?.object;
        if bits == 0 || bits & !(Signals::USER.bits() as u64) != 0 {
            return Err(Error::Invalid);
        }
        let _held = self.hold(port)?;
        self.memory.page::<Port>(port.frame).raise(bits as u32);
        self.wake_waiter(hart, port);
        Ok(())
    }

    /// The waiting half of `reply_and_wait`, for the current thread.
    pub(crate) fn wait(&self, hart: &Hart, thread: Frame) {
        let context = &self.thread(thread).context;
        let (handle, tag) = (context.get(reg::A0), Tag(context.get(reg::A0 + 1)));
        let port = self.table(hart.owner()).lookup_as(&self.memory, handle, Kind::Port, Rights::WAIT);
        match port {
            Ok(_) if !tag.is_valid() => self.refuse(thread, Error::Invalid.into()),
            Ok(port) => self.wait_at(hart, thread, port.object),
            Err(error) => self.refuse(thread, error.into()),
        }
    }

    /// Waits at a port, also again after the thread was woken: a wait that has begun goes on whatever becomes of the
    /// handle that it began with.
    pub(crate) fn wait_at(&self, hart: &Hart, thread: Frame, port: ObjectRef) {
        if let Err(refusal) = self.try_wait(hart, thread, port) {
            self.refuse(thread, refusal);
        }
        if hart.running().exists() {
            self.follow_payer(hart);
            self.pass_on(hart, port);
        }
    }

    /// Whoever was woken for what is ready at a port has taken one thing, or nothing: the next waiter sees to the rest.
    /// No lock is held.
    pub(crate) fn pass_on(&self, hart: &Hart, port: ObjectRef) {
        if let Ok(_held) = self.hold(port)
            && self.memory.page::<Port>(port.frame).is_ready()
        {
            self.wake_waiter(hart, port);
        }
    }

    /// `Ok` when the thread has been blocked or its delivery is complete.
    fn try_wait(&self, hart: &Hart, thread: Frame, port: ObjectRef) -> Result<(), Refusal> {
        let t = self.thread(thread);
        let p = self.memory.page::<Port>(port.frame);
        loop {
            let node = {
                let _held = self.hold(port)?;
                let user = p.take_user();
                if user != 0 {
                    self.deliver_event(self.thread(thread), 0, user);
                    return Ok(());
                }
                if !p.is_ready() {
                    let deadline = t.context.get(reg::T[3]);
                    if self.is_past(deadline) {
                        return Err(Self::late(deadline).into());
                    }
                    p.waiters.push(t);
                    self.block(hart, thread, state::PORT, port.frame.0, deadline);
                    return Ok(());
                }
                p.first()
            };
            if let Some(answer) = self.deliver_node(hart, thread, port, node) {
                return answer;
            }
        }
    }

    /// Delivers what the node has; `None` if it had nothing any more.
    fn deliver_node(
        &self,
        hart: &Hart,
        thread: Frame,
        port: ObjectRef,
        node: u32,
    ) -> Option<Result<(), Refusal>> {
        let (frame, end) = node_object(node);
        let _held = self.memory.lock(frame);
        let binding = self.binding(frame, end)?;
        if binding.port() != Some(port) || binding.queued.get() == 0 {
            // Its object is being unbound on another hart, which will unlink it.
            return None;
        }
        if self.memory.page::<Port>(port.frame).first() != node {
            // Another waiter was here first, and the node may be the last by now.
            // While the object is locked a node that is first stays so.
            return None;
        }
        let edge = self.events(frame, end, binding);
        let mut delivered = true;
        let mut received = false;
        if edge != 0 {
            binding.tell(edge);
            self.deliver_event(self.thread(thread), binding.key.get(), edge);
        } else if self.readable(frame, end, binding) {
            let room = Tag(self.thread(thread).context.get(reg::A0 + 1));
            let key = binding.key.get();
            if let Err(refusal) = self.receive(hart, thread, frame, end, room, key) {
                return Some(Err(Refusal { key, ..refusal }));
            }
            received = true;
        } else {
            delivered = false;
        }
        let Ok(_port_held) = self.hold_next(port) else {
            // Destroyed meanwhile, which takes nothing back that was delivered.
            return delivered.then_some(Ok(()));
        };
        let p = self.memory.page::<Port>(port.frame);
        if received && p.shared.get() == 0 {
            // The next call may come straight here.
            let ends = &self.memory.page::<Channel>(frame).ends;
            ends[end].port.note(self.memory.header(port.frame), p);
            ends[end].regauge();
        }
        self.unlink(p, binding);
        if self.events(frame, end, binding) != 0 || self.readable(frame, end, binding) {
            self.append(p, binding, node);
        }
        delivered.then_some(Ok(()))
    }

    #[inline(always)]
    pub(crate) fn deliver_event(&self, t: &Thread, key: u64, bits: u32) {
        self.finish(t, 0, [0, 0]);
        t.context.set(reg::T[1], key);
        t.context.set(reg::T[4], bits as u64);
    }

    /// Takes a retired port apart: its waiters learn that it is gone.
    pub(crate) fn clear_port(&self, frame: Frame) {
        let hart = self.this_hart();
        loop {
            let next = {
                let _held = self.memory.lock(frame);
                let p = self.memory.page::<Port>(frame);
                p.set_first(0);
                p.ready_tail.set(0);
                p.waiters.pop().map(|t| {
                    t.pay_oneself();
                    t.set_doing(state::LIMBO, 0);
                    t.frame()
                })
            };
            match next {
                Some(thread) => self.fail(hart, thread, Error::BadHandle),
                None => return,
            }
            self.breathe();
        }
    }
}
