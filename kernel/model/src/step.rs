//! One step of a history: a system call, or what happens without one.

use crate::channel::Bounds;
use crate::message::{Buffers, Draft, Message, Room, Slots};
use crate::object::Id;
use crate::process::Doing;
use crate::{Model, Refused, Slot};
use alloc::vec::Vec;
use nexus_abi::{Error, ExitCause, Identity};

/// When an operation gives up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Deadline {
    /// It does not wait at all.
    Now,
    /// A time that has passed already.
    Past,
    /// After so many ticks, at least 1.
    After(u32),
    /// Never.
    Never,
}

impl Deadline {
    pub(crate) fn is_past(self) -> bool {
        matches!(self, Deadline::Now | Deadline::Past)
    }

    pub(crate) fn left(self) -> Option<u32> {
        match self {
            Deadline::Now | Deadline::Past => Some(0),
            Deadline::After(ticks) => Some(ticks),
            Deadline::Never => None,
        }
    }
}

/// A system call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the fields are the arguments of `abi`'s table")]
pub enum Op {
    Close {
        handle: Slot,
    },
    Dup {
        handle: Slot,
        rights: u32,
    },
    ChannelCreate {
        quota: Slot,
        ends: [Bounds; 2],
    },
    Send {
        end: Slot,
        draft: Draft,
        at: Buffers,
        deadline: Deadline,
    },
    Recv {
        end: Slot,
        room: Room,
    },
    Discard {
        end: Slot,
    },
    Call {
        end: Slot,
        draft: Draft,
        room: Room,
        deadline: Deadline,
    },
    Reply {
        token: u32,
        draft: Draft,
        at: Buffers,
    },
    /// `reply_and_wait`; token 0 answers nothing.
    Wait {
        port: Slot,
        token: u32,
        draft: Draft,
        room: Room,
        deadline: Deadline,
    },
    PortCreate {
        quota: Slot,
    },
    Bind {
        port: Slot,
        object: Slot,
        key: u64,
        signals: u32,
    },
    Signal {
        port: Slot,
        bits: u32,
    },
    VmoCreate {
        quota: Slot,
        bytes: u64,
    },
    Seal {
        vmo: Slot,
    },
    /// The whole vmo, from this page of the address space on.
    Map {
        process: Slot,
        vmo: Slot,
        page: u8,
        access: u32,
    },
    Unmap {
        process: Slot,
        page: u8,
    },
    ProcessCreate {
        quota: Slot,
        identity: Slot,
        handles: u64,
        max_priority: u64,
        cpu: u64,
    },
    ThreadCreate {
        process: Slot,
        quota: Slot,
        priority: u64,
    },
    ThreadStart {
        thread: Slot,
        gift: Slot,
    },
    Kill {
        process: Slot,
    },
    Exit {
        code: u64,
        whole_process: bool,
    },
    TimerCreate {
        quota: Slot,
    },
    TimerSet {
        timer: Slot,
        deadline: Deadline,
    },
    QuotaCreate {
        quota: Slot,
        pages: u64,
        cpu: u64,
    },
    QuotaDestroy {
        quota: Slot,
    },
    IdentityCreate {
        minter: Slot,
        quota: Slot,
        service: u64,
    },
}

/// A step.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// A thread makes a system call.
    Do(Id, Op),
    /// A thread makes a call, which is handed straight to the thread that has waited shortest at the port of the other end, also
    /// while another one, woken for something earlier, has not gone on yet. Whether that is done is the kernel's choice.
    Straight(Id, Op),
    /// A thread that was woken goes on: it looks at its port again, or takes its answer over.
    GoOn(Id),
    /// A thread does what it may not, and its process ends.
    Fault(Id),
    /// A process is told to end by somebody outside the history.
    End(Id),
    /// Time passes.
    Tick,
}

/// What a system call answers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// Nothing but success.
    Done,
    /// New handles.
    Handles(Vec<Slot>),
    /// An error.
    Refused {
        /// Which.
        error: Error,
        /// Bytes and handles of the message that did not fit.
        sizes: Option<(usize, usize)>,
        /// Key of the binding it waits at.
        key: u64,
    },
    /// A message, a call or an answer.
    Message {
        /// Its length in bytes.
        bytes: usize,
        /// Its first byte.
        fill: u8,
        /// Its handles, under their new names.
        handles: Slots,
        /// Who sent it.
        from: Identity,
        /// Key of the binding it came through.
        key: u64,
        /// Token and the caller's room, if it is a call.
        call: Option<(u32, Room)>,
    },
    /// Something happened to a bound object, or to the port itself (key 0).
    Event {
        /// Key of the binding.
        key: u64,
        /// What happened.
        signals: u32,
    },
}

impl Answer {
    pub(crate) fn refused(error: Error) -> Answer {
        Answer::Refused { error, sizes: None, key: 0 }
    }

    pub(crate) fn empty(from: Identity) -> Answer {
        Answer::Message { bytes: 0, fill: 0, handles: Slots::default(), from, key: 0, call: None }
    }

    pub(crate) fn message(message: &Message, handles: Slots) -> Answer {
        let (bytes, fill, from) = (message.bytes, message.fill, message.from);
        Answer::Message { bytes, fill, handles, from, key: 0, call: None }
    }
}

impl Model {
    /// Makes one step; false if the history asks for what cannot happen now, and nothing did.
    pub fn step(&mut self, step: &Step) -> bool {
        self.events.0.clear();
        match step {
            Step::Do(thread, op) if self.can_run(*thread) => {
                self.current = *thread;
                match self.system_call(*thread, op) {
                    Ok(Some(answer)) => self.answer(*thread, answer),
                    Ok(None) => {}
                    Err(answer) => self.answer(*thread, answer),
                }
            }
            Step::Straight(thread, Op::Call { end, draft, room, deadline }) if self.can_run(*thread) => {
                self.current = *thread;
                if !self.call_straight(*thread, *end, draft, *room, *deadline) {
                    return false;
                }
            }
            Step::GoOn(thread) if self.can_go_on(*thread) => {
                self.current = *thread;
                match self.thread(*thread).doing.clone() {
                    Doing::Woken { port, room, left } => {
                        let deadline = match left {
                            None => Deadline::Never,
                            Some(0) => Deadline::Past,
                            Some(ticks) => Deadline::After(ticks),
                        };
                        self.wait_at(*thread, port, room, deadline);
                    }
                    Doing::Answered { answer, room } => self.take_answer(*thread, answer, room),
                    _ => {}
                }
            }
            Step::Fault(thread) if self.can_run(*thread) => {
                self.current = *thread;
                self.kill(self.thread(*thread).process, ExitCause::Faulted, 0);
            }
            Step::End(process) if self.processes().any(|(id, state)| id == *process && state.is_alive()) => {
                self.kill(*process, ExitCause::Killed, 0);
            }
            Step::Tick => self.tick(),
            _ => return false,
        }
        self.settle();
        true
    }

    /// Whether the thread can make a system call.
    pub fn can_run(&self, thread: Id) -> bool {
        self.is_thread(thread) && matches!(self.thread(thread).doing, Doing::Running(_))
    }

    /// Whether the thread was woken and has not gone on yet.
    pub fn can_go_on(&self, thread: Id) -> bool {
        self.is_thread(thread)
            && matches!(self.thread(thread).doing, Doing::Woken { .. } | Doing::Answered { .. })
    }

    /// What needs no thread: the current one ends if its process was told to, and dead processes are taken apart.
    fn settle(&mut self) {
        let current = core::mem::take(&mut self.current);
        if self.is_thread(current)
            && !matches!(self.thread(current).doing, Doing::Dead { .. })
            && !self.process(self.thread(current).process).is_alive()
        {
            self.bury(current);
        }
        self.clear_graves();
        while !self.reaping.is_empty() {
            self.reap_step();
            self.clear_graves();
        }
    }

    /// `Ok(None)`: the thread waits, has ended, or has its answer already.
    fn system_call(&mut self, thread: Id, op: &Op) -> Result<Option<Answer>, Answer> {
        let me = self.thread(thread).process;
        let answer: Refused<Answer> = match op.clone() {
            Op::Send { end, draft, at, deadline } => {
                return self.send(thread, end, &draft, None, at, deadline).map_err(Answer::refused);
            }
            Op::Call { end, draft, room, deadline } => {
                return self
                    .send(thread, end, &draft, Some(room), room.at, deadline)
                    .map_err(Answer::refused);
            }
            Op::Recv { end, room } => return self.channel_recv(me, end, room).map(Some),
            Op::Wait { port, token, draft, room, deadline } => {
                self.reply_and_wait(thread, port, token, &draft, room, deadline).map_err(Answer::refused)?;
                return Ok(None);
            }
            Op::Exit { code, whole_process } => {
                self.thread_exit(thread, code, whole_process);
                return Ok(None);
            }
            Op::Reply { token, draft, at } => {
                self.reply(thread, token, &draft, Room::default(), at).map(|()| Answer::Done)
            }
            Op::Discard { end } => self.discard(me, end),
            Op::Close { handle } => self.handle_close(me, handle),
            Op::Dup { handle, rights } => self.handle_dup(me, handle, rights),
            Op::ChannelCreate { quota, ends } => self.channel_create(me, quota, ends),
            Op::PortCreate { quota } => self.port_create(me, quota),
            Op::Bind { port, object, key, signals } => self.port_bind(me, [port, object], key, signals),
            Op::Signal { port, bits } => self.port_signal(me, port, bits),
            Op::VmoCreate { quota, bytes } => self.vmo_create(me, quota, bytes),
            Op::Seal { vmo } => self.vmo_seal(me, vmo),
            Op::Map { process, vmo, page, access } => self.vm_map(me, [process, vmo], page, access),
            Op::Unmap { process, page } => self.vm_unmap(me, process, page),
            Op::ProcessCreate { quota, identity, handles, max_priority, cpu } => {
                self.process_create(me, [quota, identity], handles, max_priority, cpu)
            }
            Op::ThreadCreate { process, quota, priority } => {
                self.thread_create(me, [process, quota], priority)
            }
            Op::ThreadStart { thread, gift } => self.thread_start(me, thread, gift),
            Op::Kill { process } => self.process_kill(me, process),
            Op::TimerCreate { quota } => self.timer_create(me, quota),
            Op::TimerSet { timer, deadline } => self.timer_set(me, timer, deadline),
            Op::QuotaCreate { quota, pages, cpu } => self.quota_create(me, quota, pages, cpu),
            Op::QuotaDestroy { quota } => self.quota_destroy(me, quota),
            Op::IdentityCreate { minter, quota, service } => {
                self.identity_create(me, [minter, quota], service)
            }
        };
        answer.map(Some).map_err(Answer::refused)
    }

    /// `reply_and_wait`: the port is looked at first, so that a server does not answer and then wait for nothing.
    fn reply_and_wait(
        &mut self,
        thread: Id,
        port: Slot,
        token: u32,
        draft: &Draft,
        room: Room,
        deadline: Deadline,
    ) -> Refused<()> {
        let me = self.thread(thread).process;
        self.waitable(me, port)?;
        if token != 0 {
            self.reply(thread, token, draft, room, room.at)?;
        }
        // The answer may have taken the port's handle along.
        let port = self.waitable(me, port)?;
        if !draft.is_valid() || !room.is_valid() {
            return Err(Error::Invalid);
        }
        self.wait_at(thread, port, room, deadline);
        Ok(())
    }
}
