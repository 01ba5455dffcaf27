//! What is compared between kernel and model after each step: everything but the kernel's own secrets.

use super::twin::{TICK, Twin};
use crate::binding::{Binding, node_object, node_ref};
use crate::channel::{Channel, End};
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::list::{ThreadList, ThreadStack};
use crate::memory::Frame;
use crate::objects::{Port, Quota, Timer, Vmo};
use crate::platform::Platform;
use crate::process::{Process, life};
use crate::thread::{Thread, resume, state};
use neuron_model::{Answer, Body, Doing, Id, Item, ROOT_QUOTA, Slot};
use nexus_abi::{Kind, NEVER, Rights, Tag};
use std::collections::BTreeMap;

/// Answers an error that names both values unless they are the same.
macro_rules! same {
    ($kernel:expr, $model:expr, $($what:tt)*) => {
        let (kernel, model) = ($kernel, $model);
        if kernel != model {
            return Err(format!("{}: kernel {kernel:?}, model {model:?}", format_args!($($what)*)));
        }
    };
}

/// What waits at an end: a message with its bytes, the first of them, its handles and its sender; or a call of a thread.
#[derive(PartialEq, Debug)]
enum Listed {
    Queued(usize, u8, usize, u64),
    Call(Option<Id>),
}

fn listed(item: &Item) -> Listed {
    match item {
        Item::Call(thread) => Listed::Call(Some(*thread)),
        Item::Queued(message) => {
            let fill = if message.bytes == 0 { 0 } else { message.fill };
            Listed::Queued(message.bytes, fill, message.cargo.len(), message.from.to_raw())
        }
    }
}

impl Twin {
    fn page<T: crate::memory::PageType>(&self, id: Id) -> &T {
        self.world.kernel.memory.page(self.links[&id].frame)
    }

    /// The model's name of an object in this frame.
    fn name(&self, frame: Frame) -> Option<Id> {
        self.links.iter().find(|(_, object)| object.frame == frame).map(|(id, _)| *id)
    }

    fn list(&self, list: &ThreadList) -> Vec<Option<Id>> {
        let mut names = vec![];
        let mut at = list.head();
        while at.exists() {
            names.push(self.name(at));
            at = Frame(self.world.kernel.thread(at).next.get());
        }
        names
    }

    fn stack(&self, stack: &ThreadStack) -> Vec<Option<Id>> {
        core::iter::successors(stack.top(), |t| t.below.find()).map(|t| self.name(t.frame())).collect()
    }

    /// Compares the registers and buffers of a thread whose system call has just been completed.
    pub fn compare_answer(&mut self, id: Id) -> Result<(), String> {
        let Doing::Running(answer) = &self.model.thread(id).doing else { return Ok(()) };
        let answer = answer.0.clone();
        let process = self.model.thread(id).process;
        let context = &self.page::<Thread>(id).context;
        let told: [u64; 32] = std::array::from_fn(|n| context.get(n));
        // Everything that is not callee-saved is 0 unless the answer says otherwise.
        let mut due = [0; 32];
        let raw = |slot: &Slot| self.raw(process, *slot);
        match &answer {
            Answer::Done => {}
            Answer::Handles(slots) => {
                slots.iter().enumerate().for_each(|(n, slot)| due[reg::A0 + 1 + n] = raw(slot));
            }
            Answer::Refused { error, sizes, key } => {
                due[reg::A0] = *error as u64;
                due[reg::A0 + 1] = sizes.map_or(0, |(bytes, handles)| Tag::new(bytes, handles).0);
                due[reg::T[1]] = *key;
            }
            Answer::Event { key, signals } => {
                due[reg::T[1]] = *key;
                due[reg::T[4]] = *signals as u64;
            }
            Answer::Message { bytes, fill, handles, from, key, call } => {
                let mut tag = Tag::new(*bytes, handles.0.len());
                if let Some((_, room)) = call {
                    tag = tag.with_room(room.bytes, room.handles);
                }
                due[reg::A0 + 1] = tag.0;
                due[reg::T[1]] = *key;
                due[reg::T[2]] = from.to_raw();
                if *bytes <= 48 {
                    let words = Twin::words(*bytes, *fill);
                    due[reg::A0 + 2..reg::A0 + 8].copy_from_slice(&words);
                }
            }
        }
        let token = told[reg::T[3]];
        if let Answer::Message { call: Some((token_name, _)), .. } = &answer {
            due[reg::T[3]] = token;
            if token == 0 || self.tokens.values().any(|other| *other == token) {
                return Err(format!("token {token:#x} is none, or another call's"));
            }
            self.tokens.insert(*token_name, token);
        }
        for n in reg::T.into_iter().chain(reg::A0..reg::A0 + 8) {
            same!(told[n], due[n], "register x{n} after {answer:?}");
        }
        let [bytes_at, handles_at] = self.buffers.get(&id).copied().unwrap_or_default();
        if let Answer::Message { bytes, fill, handles, .. } = &answer {
            if *bytes > 48 {
                let contents = Twin::contents(*bytes, *fill);
                same!(self.read(process, bytes_at, contents.len()), contents, "bytes");
            }
            let list = self.read(process, handles_at, 4 * handles.0.len());
            let list: Vec<u64> =
                list.chunks(4).map(|raw| raw.iter().rev().fold(0, |v, b| v << 8 | *b as u64)).collect();
            let names: Vec<u64> = handles.0.iter().map(|slot| self.raw(process, *slot)).collect();
            same!(list, names, "handles");
        }
        Ok(())
    }

    /// Compares everything else.
    pub fn compare(&self) -> Result<(), String> {
        let mut frames = 0;
        for (id, object) in &self.model.objects {
            let Some(link) = self.links.get(id) else { return Err(format!("nobody has object {id}")) };
            let header = self.world.kernel.memory.header(link.frame);
            same!(self.world.kernel.reference(link.frame), *link, "object {id} in the kernel");
            if *id != ROOT_QUOTA {
                same!(header.charge.get() as u64, object.charge, "charge of object {id}");
                same!(header.quota.get(), self.links[&object.quota].frame.0, "quota of object {id}");
            }
            match &object.body {
                Body::Process(_) => self.compare_process(*id)?,
                Body::Thread(_) => self.compare_thread(*id)?,
                Body::Channel(_) => self.compare_channel(*id)?,
                Body::Port(_) => self.compare_port(*id)?,
                Body::Vmo(_) => self.compare_vmo(*id)?,
                Body::Timer(timer) => {
                    let node = &self.page::<Timer>(*id).node;
                    let at = (node.hart.get() != 0).then(|| node.at.get());
                    let now = self.world.kernel.platform.now();
                    same!(at, timer.left.map(|left| now + left as u64 * TICK), "timer {id}");
                    self.compare_binding((*id, 0), &self.page::<Timer>(*id).binding, 0)?;
                }
                Body::Quota(quota) => {
                    let page = self.page::<Quota>(*id);
                    same!(
                        [page.pages.get(), page.used.get()],
                        [quota.pages, quota.used],
                        "pages of quota {id}"
                    );
                    same!(
                        [page.cpu.get() as u64, page.cpu_used.get() as u64],
                        [quota.cpu, quota.cpu_used],
                        "share of quota {id}"
                    );
                    same!(page.count.get() as usize, quota.objects.len(), "objects of quota {id}");
                    same!(page.dying.get() != 0, quota.dying, "quota {id} is dying");
                }
                Body::Identity(_) => {}
            }
            frames += match object.body {
                Body::Quota(_) => (*id != ROOT_QUOTA) as u64,
                _ => object.charge,
            };
        }
        let free = self.world.kernel.memory.free_frames() as u64;
        same!(self.frames - free, frames, "frames in use, and charged");
        Ok(())
    }

    fn compare_process(&self, id: Id) -> Result<(), String> {
        let (page, process) = (self.page::<Process>(id), self.model.process(id));
        let memory = &self.world.kernel.memory;
        same!(page.life.get() == life::ENDED, process.has_ended(), "process {id} has ended");
        same!(page.life.get() == life::ALIVE, process.is_alive(), "process {id} is alive");
        same!(page.identity.get(), process.identity.to_raw(), "identity of process {id}");
        self.compare_binding((id, 0), &page.binding, 0)?;
        if let Some((cause, code)) = process.cause {
            same!(page.record[0].get() as u32, cause as u32, "cause of the end of process {id}");
            if cause == nexus_abi::ExitCause::Exited {
                same!(page.record[2].get(), code, "exit code of process {id}");
            }
        }
        if process.has_ended() {
            return Ok(());
        }
        same!(page.handle_count.get() as usize, process.table.taken(), "handles of process {id}");
        same!(page.mapping_count.get() as usize, process.mappings.len(), "mappings of process {id}");
        same!(page.live_threads.get() as usize, process.threads.len(), "threads of process {id}");
        same!(
            self.free_entries(id),
            process.table.free().collect::<Vec<_>>(),
            "free entries of process {id}"
        );
        for slot in 0..page.handle_capacity.get() {
            let entry = page.peek(memory, slot).filter(|(meta, _)| (1..=12).contains(&(meta >> 40 & 0xff)));
            let found = entry.map(|(meta, object)| {
                let object = ObjectRef::from_raw(object);
                let name = self.links.iter().find(|(_, o)| **o == object).map(|(id, _)| *id);
                (name, meta >> 40 & 0xff, meta >> 32 & 1, Rights::from_bits_retain(meta as u32))
            });
            let open = process.table.open().find(|(at, _)| *at as u32 == slot).map(|(_, c)| {
                let name = self.model.exists(c.object).then_some(c.object);
                (name, c.kind as u64, c.end as u64, c.rights)
            });
            same!(found, open, "handle {slot} of process {id}");
        }
        Ok(())
    }

    /// Free entries of a process's table, the next one to be used first.
    fn free_entries(&self, id: Id) -> Vec<Slot> {
        let (page, memory) = (self.page::<Process>(id), &self.world.kernel.memory);
        let next = |slot: &u32| page.peek(memory, *slot).map(|(_, next)| next as u32);
        let free = core::iter::successors(Some(page.handle_free.get()), next);
        free.take_while(|slot| *slot != 0).map(|slot| slot as Slot).collect()
    }

    fn compare_thread(&self, id: Id) -> Result<(), String> {
        let page = self.page::<Thread>(id);
        let (what, place) = page.doing();
        let at = |frame: Frame| self.name(frame).unwrap_or_default();
        let end = || {
            let (frame, end) = node_object(place);
            format!("{:?}", (at(frame), end))
        };
        let does = match (what, page.resume.get()) {
            (state::NEW, _) => "new".into(),
            (state::READY, resume::NONE) => "running".into(),
            (state::READY, resume::WAIT) => {
                let port = ObjectRef::from_raw(page.port.get());
                let known = self.links.values().any(|object| *object == port);
                format!("woken at {}", if known { at(port.frame) } else { 0 })
            }
            (state::READY, _) => "answered".into(),
            (state::PORT, _) => format!("waiting at {}", at(Frame(place))),
            (state::CALLING, _) => format!("calling {}", end()),
            (state::OPEN, _) => format!("open at {}", end()),
            (state::SENDING, _) => format!("sending to {}", end()),
            other => format!("{other:?}"),
        };
        let should = match &self.model.thread(id).doing {
            Doing::New => "new".into(),
            Doing::Running(_) => "running".into(),
            Doing::Woken { port, .. } => {
                format!("woken at {}", if self.model.exists(*port) { *port } else { 0 })
            }
            Doing::Answered { .. } => "answered".into(),
            Doing::Waiting { port, .. } => format!("waiting at {port}"),
            Doing::Calling { to, .. } => format!("calling {to:?}"),
            Doing::Open { at, .. } => format!("open at {at:?}"),
            Doing::Sending { to, .. } => format!("sending to {to:?}"),
            other => format!("{other:?}"),
        };
        same!(does, should, "what thread {id} does");
        if self.model.thread(id).is_blocked() {
            let now = self.world.kernel.platform.now();
            let until = self.model.thread(id).left().map_or(NEVER, |left| now + left as u64 * TICK);
            same!(page.deadline(), until, "deadline of thread {id}");
        }
        Ok(())
    }

    fn compare_channel(&self, id: Id) -> Result<(), String> {
        for at in 0..2 {
            let (page, end) = (&self.page::<Channel>(id).ends[at], &self.model.channel(id)[at]);
            let what = format!("end {:?}", (id, at));
            same!(page.open.get() != 0, end.open, "{what} is open");
            self.compare_binding((id, at), &page.binding, page.flight.get())?;
            same!(page.queued.get() as usize, end.queued(), "messages at {what}");
            same!(page.waiting() as usize, end.fifo.len(), "length of the FIFO of {what}");
            let inside = self.model.handles_inside((id, at));
            same!(page.handles_inside.get() as usize, inside, "handles inside {what}");
            same!(page.owes_writable.get() != 0, end.owes_writable, "{what} owes WRITABLE");
            let calls = end.fifo.iter().filter_map(|item| match item {
                Item::Call(thread) => Some(Some(*thread)),
                Item::Queued(_) => None,
            });
            same!(self.list(&page.callers), calls.collect::<Vec<_>>(), "callers at {what}");
            same!(self.fifo(page), end.fifo.iter().map(listed).collect::<Vec<_>>(), "FIFO of {what}");
            let senders: Vec<_> = end.senders.iter().map(|thread| Some(*thread)).collect();
            same!(self.list(&page.senders), senders, "senders at {what}");
            let mut answering = self.stack(&page.answering);
            answering.sort();
            let open: Vec<_> = self.model.open_calls((id, at)).map(|(thread, _)| Some(thread)).collect();
            same!(answering, open, "open calls at {what}");
            if end.open {
                same!(page.flight.get() != 0, end.flight, "{what} is on its way");
            }
        }
        Ok(())
    }

    /// What waits at an end, in the order in which it will be received.
    fn fifo(&self, end: &End) -> Vec<Listed> {
        let (kernel, mut items) = (self.world.kernel, BTreeMap::new());
        for n in 0..end.queued.get() {
            let entry = end.entry(n);
            let tag = Tag(end.entry_tag(&kernel.memory, entry).get());
            let first = end.entry_word(&kernel.memory, entry, 0).get() as u8;
            let fill = if tag.bytes() == 0 { 0 } else { first };
            let from = end.entry_identity(&kernel.memory, entry).get();
            let message = Listed::Queued(tag.bytes(), fill, tag.handles(), from);
            items.insert(end.entry_sequence(&kernel.memory, entry).get(), message);
        }
        let mut caller = end.callers.head();
        while caller.exists() {
            let t = kernel.thread(caller);
            items.insert(t.sequence.get(), Listed::Call(self.name(caller)));
            caller = Frame(t.next.get());
        }
        items.into_values().collect()
    }

    fn compare_port(&self, id: Id) -> Result<(), String> {
        let (page, port) = (self.page::<Port>(id), self.model.port(id));
        same!(page.user(), port.user, "user bits of port {id}");
        let mut waiters = self.stack(&page.waiters);
        waiters.reverse();
        same!(waiters, port.waiters.iter().map(|id| Some(*id)).collect::<Vec<_>>(), "waiters at port {id}");
        let mut ready = vec![];
        let mut node = page.first();
        while node != 0 && ready.len() < 100 {
            let (frame, end) = node_object(node);
            let Some(name) = self.name(frame) else {
                return Err(format!("port {id} lists a node of frame {frame:?}, where nothing is"));
            };
            ready.push((name, end));
            node = self.node(name, end).next.get();
        }
        same!(&ready, &port.ready, "nodes ready at port {id}");
        let last = port.ready.last().map_or(0, |(id, end)| node_ref(self.links[id].frame, *end));
        same!(page.ready_tail.get(), last, "last node of port {id}");
        Ok(())
    }

    fn node(&self, id: Id, end: usize) -> &Binding {
        match &self.model.objects[&id].body {
            Body::Channel(_) => &self.page::<Channel>(id).ends[end].binding,
            Body::Timer(_) => &self.page::<Timer>(id).binding,
            _ => &self.page::<Process>(id).binding,
        }
    }

    fn compare_binding(&self, node: (Id, usize), page: &Binding, _flight: u32) -> Result<(), String> {
        let binding = self.model.binding(node);
        let port = page.port().filter(|port| self.links.values().any(|object| object == port));
        let name = port.and_then(|port| self.name(port.frame)).unwrap_or_default();
        same!(name, binding.port, "port of {node:?}");
        same!(page.pending.get(), binding.pending, "edges pending at {node:?}");
        if name != 0 {
            same!(page.key.get(), binding.key, "key of {node:?}");
            same!(page.told.get() != 0, binding.told, "{node:?} has told its end");
            let listed = self.model.port(name).ready.contains(&node);
            same!(page.queued.get() != 0, listed, "{node:?} is in its port's list");
        }
        Ok(())
    }

    fn compare_vmo(&self, id: Id) -> Result<(), String> {
        let (page, vmo) = (self.page::<Vmo>(id), self.model.vmo(id));
        same!(page.sealed.get() != 0, vmo.sealed, "vmo {id} is sealed");
        same!(page.mapped.count.get() as usize, self.model.mappings_of(id).count(), "mappings of vmo {id}");
        let writable = self.model.mappings_of(id).filter(|(_, _, writable)| *writable).count();
        same!(page.mapped.writable.get() as usize, writable, "writable mappings of vmo {id}");
        let is = |c: &&neuron_model::Capability| {
            c.object == id && c.kind == Kind::Vmo && c.rights.contains(Rights::WRITE)
        };
        same!(
            page.writable_handles.get() as usize,
            self.model.capabilities().filter(is).count(),
            "writable handles of vmo {id}"
        );
        Ok(())
    }
}
