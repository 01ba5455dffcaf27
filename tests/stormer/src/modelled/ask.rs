//! A step of a history as a system call, and what comes back held against what the model said.

use super::History;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use neuron_model::{Answer, Bounds, Deadline, Draft, Op, Room, Slot};
use nexus_abi::bounds::{REGISTER_BYTES, REGISTER_WORDS};
use nexus_abi::{Error, Handle, NOW, Rights, Signals, Tag, Ticks};
use nexus_rt::owned::Quota;
use nexus_rt::{End, Owned, clock, sys};
use storm::PATIENCE_MS;

/// A time that has passed.
const PAST: Ticks = 1;

/// What came of a system call.
pub(super) enum Told {
    Done,
    Handles(Vec<Handle>),
    Message(sys::raw::MessageOut),
    Refused(sys::Refusal),
}

impl Told {
    fn of<T>(result: Result<T, Error>, told: impl FnOnce(T) -> Told) -> Told {
        match result {
            Ok(value) => told(value),
            Err(error) => Told::Refused(error.into()),
        }
    }

    fn made(result: Result<Handle, Error>) -> Told {
        Told::of(result, |handle| Told::Handles([handle].into()))
    }

    fn done(result: Result<(), Error>) -> Told {
        Told::of(result, |()| Told::Done)
    }
}

/// Byte `n` of a message that begins with `fill`.
fn byte(fill: u8, n: usize) -> u8 {
    fill.wrapping_add(n as u8)
}

/// The words of a message in registers; past its length there is nothing.
fn words(bytes: usize, fill: u8) -> [u64; REGISTER_WORDS] {
    core::array::from_fn(|n| {
        let within = (8 * n..bytes.min(8 * n + 8)).rev();
        within.fold(0, |word, at| word << 8 | u64::from(byte(fill, at)))
    })
}

fn end_of(bounds: Bounds) -> End {
    End { depth: bounds.depth as u16, bytes: bounds.bytes as u16, handles: bounds.handles as u16 }
}

impl History {
    /// Fills the buffers for a message that goes out; its tag and words.
    fn fill(&mut self, draft: &Draft, room: Room) -> (Tag, [u64; REGISTER_WORDS]) {
        self.bytes.iter_mut().enumerate().for_each(|(n, out)| *out = byte(draft.fill, n));
        for (n, slot) in draft.handles.0.iter().enumerate() {
            self.handles[n] = self.name(*slot);
        }
        let tag = Tag::new(draft.bytes, draft.handles.0.len()).with_room(room.bytes, room.handles);
        (tag, words(draft.bytes, draft.fill))
    }

    /// The kernel is asked. What the model does not wait for is not waited for without end.
    pub(super) fn ask(&mut self, op: &Op) -> Told {
        let deadline = |deadline: Deadline| match deadline {
            Deadline::Now => NOW,
            Deadline::Past => PAST,
            Deadline::After(_) | Deadline::Never => clock::in_millis(PATIENCE_MS),
        };
        // No call is open, so every token is somebody's guess.
        let guess = |token: u32| if token == 0 { 0 } else { u64::MAX - u64::from(token) };
        let (tag, words) = match op {
            Op::Send { draft, .. } | Op::Reply { draft, .. } => self.fill(draft, Room::default()),
            Op::Call { draft, room, .. } | Op::Wait { draft, room, .. } => self.fill(draft, *room),
            Op::Recv { room, .. } => self.fill(&Draft::default(), *room),
            _ => Default::default(),
        };
        let name = |slot: Slot| self.name(slot);
        let told = |out| match out {
            Ok(out) => Told::Message(out),
            Err(refusal) => Told::Refused(refusal),
        };
        match op {
            Op::Close { handle } => Told::done(sys::handle_close(name(*handle))),
            Op::Dup { handle, rights } => {
                Told::made(sys::handle_dup(name(*handle), Rights::from_bits_retain(*rights)))
            }
            Op::ChannelCreate { quota, ends } => {
                let [one, other] = ends.map(end_of);
                let made = sys::channel_create(name(*quota), one, other);
                Told::of(made, |(one, other)| Told::Handles([one, other].into()))
            }
            Op::Discard { end } => Told::done(sys::discard(name(*end))),
            Op::PortCreate { quota } => Told::made(sys::port_create(name(*quota))),
            Op::Bind { port, object, key, signals } => {
                let signals = Signals::from_bits_retain(*signals);
                Told::done(sys::port_bind(name(*port), name(*object), *key, signals))
            }
            Op::Signal { port, bits } => Told::done(sys::port_signal(name(*port), *bits)),
            Op::VmoCreate { quota, bytes } => Told::made(sys::vmo_create(name(*quota), *bytes)),
            Op::Seal { vmo } => Told::done(sys::vmo_seal(name(*vmo))),
            Op::TimerCreate { quota } => Told::made(sys::timer_create(name(*quota))),
            Op::TimerSet { timer, .. } => Told::done(sys::timer_set(name(*timer), nexus_abi::NEVER)),
            Op::QuotaCreate { quota, pages, cpu } => {
                Told::made(sys::quota_create(name(*quota), *pages, *cpu))
            }
            Op::QuotaDestroy { quota } => Told::done(Owned::<Quota>::from_handle(name(*quota)).destroy()),
            Op::Send { end, deadline: until, .. } => {
                let end = name(*end);
                Told::done(sys::send(end, tag, words, &mut self.area(), deadline(*until)))
            }
            Op::Call { end, deadline: until, .. } => {
                let end = name(*end);
                told(sys::call(end, tag, words, &mut self.area(), deadline(*until)))
            }
            Op::Recv { end, .. } => {
                let end = name(*end);
                told(sys::recv(end, tag, &mut self.area()))
            }
            Op::Reply { token, .. } => Told::done(sys::reply(guess(*token), tag, words, &mut self.area())),
            Op::Wait { port, token, deadline: until, .. } => {
                let (port, until) = (name(*port), deadline(*until));
                told(sys::reply_and_wait(port, guess(*token), tag, words, &mut self.area(), until))
            }
            _ => Told::Done,
        }
    }

    fn area(&mut self) -> sys::Area<'_> {
        sys::Area { bytes: &mut self.bytes[..], handles: &mut self.handles }
    }

    /// Whether the kernel said what the model says.
    pub(super) fn compare(&mut self, told: Told, answer: &Answer) -> Result<(), String> {
        match (told, answer) {
            (Told::Done, Answer::Done) => Ok(()),
            (Told::Handles(made), Answer::Handles(slots)) if made.len() == slots.len() => {
                self.names.extend(slots.iter().copied().zip(made));
                Ok(())
            }
            (Told::Refused(refusal), Answer::Refused { error, sizes, key }) => {
                let tag = sizes.map_or(Tag::default(), |(bytes, handles)| Tag::new(bytes, handles));
                let due = (*error, tag, *key);
                match (refusal.error, refusal.tag, refusal.key) {
                    told if told == due => Ok(()),
                    told => Err(format!("refused with {told:?}")),
                }
            }
            (Told::Message(out), Answer::Event { key, signals }) => {
                let due = (Tag::default(), *key, u64::from(*signals), 0);
                match (out.tag, out.key, out.signals, out.token) {
                    told if told == due => Ok(()),
                    told => Err(format!("tag, key, signals and token are {told:?}")),
                }
            }
            (Told::Message(out), Answer::Message { bytes, fill, handles, key, call: None, .. }) => {
                let due = (Tag::new(*bytes, handles.0.len()), *key, 0, 0, self.own);
                let told = (out.tag, out.key, out.signals, out.token, out.sender);
                if told != due {
                    return Err(format!("{told:?} in place of {due:?}"));
                }
                let same = match *bytes > REGISTER_BYTES {
                    true => {
                        self.bytes[..*bytes].iter().enumerate().all(|(n, found)| *found == byte(*fill, n))
                    }
                    false => out.words == words(*bytes, *fill),
                };
                self.names.extend(handles.0.iter().copied().zip(self.handles));
                if same { Ok(()) } else { Err(String::from("the bytes are others")) }
            }
            (Told::Done, _) => Err(String::from("done")),
            (Told::Handles(made), _) => Err(format!("made {made:?}")),
            (Told::Message(out), _) => Err(format!("came {out:?}")),
            (Told::Refused(refusal), _) => Err(format!("refused with {:?}", refusal.error)),
        }
    }
}
