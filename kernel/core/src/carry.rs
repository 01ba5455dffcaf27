//! The fast path for what is more than registers: bytes in memory, with one copy from the buffer of the thread that lets go to that
//! of the one that waits, and a handle (`cargo.rs`).
//!
//! The invariants are those of `fast.rs`, but that a refusal may leave bytes where they were to go. What must never happen: a byte
//! written where the receiver could not have written itself, or into a frame that is not its any more.

use crate::context::reg;
use crate::fast::{HandOver, is_timed};
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::memory::Frame;
use crate::paging;
use crate::platform::Platform;
use crate::thread::Thread;
use crate::transfer::in_user_space;
use nexus_abi::Tag;
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, PAGE_SIZE, REGISTER_BYTES, REGISTER_WORDS};

/// A hand-over, and the words of the message that goes with it.
type Handed = (HandOver, [u64; REGISTER_WORDS]);

/// What a message has beside what registers hold: [`BYTES`] in memory, or a [`HANDLE`]. One that has both goes the slow path.
type Load = bool;
/// More than 48 bytes, and no handle.
pub const BYTES: Load = false;
/// One handle, and at most 48 bytes.
pub const HANDLE: Load = true;

/// The bytes of a message with such a load, if the tag says that it has nothing else and that what comes back has room.
#[inline(always)]
fn bytes_beside<const LOAD: Load>(tag: Tag) -> Option<u64> {
    let bytes = tag.0 & Tag::SIZES ^ if LOAD == HANDLE { Tag::new(0, 1).0 } else { 0 };
    // With more handles than that, or a bit that means nothing, it is larger than any number of bytes.
    let is_it = match LOAD {
        BYTES => bytes > REGISTER_BYTES as u64 && bytes <= MAX_MESSAGE_BYTES as u64,
        HANDLE => bytes <= REGISTER_BYTES as u64,
    };
    (is_it && tag.has_plain_room()).then_some(bytes)
}

impl<P: Platform> Kernel<P> {
    /// What is left of a call that the fast path began ([`Else::Carry`](crate::Else)). All registers are saved.
    #[inline(always)]
    pub fn carry_call<const LOAD: Load>(&self, hart: &Hart, tag: u64) -> Option<Handed> {
        let tag = Tag(tag);
        let c = hart.current();
        let held = c.aim.resume();
        let end = c.aim.at();
        let bytes = bytes_beside::<LOAD>(tag)?;
        // With a limit nothing is before it, and it is known where it goes.
        let may_come = match LOAD {
            BYTES => end.limit.get() != 0 && bytes <= end.max_bytes.get() as u64,
            HANDLE => bytes < end.limit.get() && end.max_handles.get() != 0,
        };
        if !may_come {
            return None;
        }
        let port_held = end.port.seize()?;
        let port = end.port.at();
        let s = port.waiters.top()?;
        if s.rank.get() < hart.floor.get() || !self.carry::<LOAD>(hart, c, s, bytes) {
            return None;
        }
        let words = self.words::<LOAD>(c);
        let over = self.pass_call(hart, c, s, (end, &held), port, tag.0);
        held.release_both(port_held);
        Some((over, words))
    }

    /// `reply_and_wait` with an answer that is more than registers. All registers are saved.
    #[inline(always)]
    pub fn carry_reply<const LOAD: Load>(&self, hart: &Hart, handle: u64, tag: u64) -> Option<Handed> {
        let tag = Tag(tag);
        let s = hart.current();
        let bytes = bytes_beside::<LOAD>(tag)?;
        if s.stood.get() != handle || !is_timed(hart, s, s.deadline()) {
            return None;
        }
        let held = s.serving.seize()?;
        let end = s.serving.at();
        let c = end.answering.top()?;
        if c.token.get() != s.context.get(reg::T[4]) || c.rank.get() < hart.floor.get() {
            return None;
        }
        let port_held = s.stand.seize()?;
        let port = s.stand.at();
        if port.is_ready() || !self.carry::<LOAD>(hart, s, c, bytes) {
            return None;
        }
        let words = self.words::<LOAD>(s);
        let over = self.pass_answer(hart, s, c, end, port, tag.0 & Tag::SIZES);
        held.release_both(port_held);
        Some((over, words))
    }

    /// Brings what is not in registers from the current thread to one that waits for it, and loads the latter's address space. False
    /// if that did not work, with the address space as it was: the slow path finds out why.
    #[inline(always)]
    fn carry<const LOAD: Load>(&self, hart: &Hart, from: &Thread, to: &Thread, bytes: u64) -> bool {
        let (room, bytes) = (Tag(to.context.get(reg::A0 + 1)), bytes as usize);
        match LOAD {
            BYTES => {
                let carried = bytes <= room.room_bytes() && self.carry_bytes(hart, from, to, bytes);
                if carried {
                    self.platform.switch_space(to.satp.get());
                }
                carried
            }
            HANDLE => room.room_handles() != 0 && self.carry_handle(from, to),
        }
    }

    /// The words of the message of a thread that has saved them and has not let go yet.
    #[inline(always)]
    fn words<const LOAD: Load>(&self, from: &Thread) -> [u64; REGISTER_WORDS] {
        match LOAD {
            BYTES => [0; REGISTER_WORDS],
            HANDLE => core::array::from_fn(|n| from.context.get(reg::A0 + 2 + n)),
        }
    }

    /// Copies bytes from one buffer to the other, page by page of the latter. The receiver's process is
    /// held meanwhile, so that no mapping of it goes away; it is only tried to be held, because the order of locks is the other
    /// way round.
    #[inline(always)]
    fn carry_bytes(&self, hart: &Hart, from: &Thread, to: &Thread, bytes: usize) -> bool {
        let (source, target) = (from.context.get(reg::T[1]), to.context.get(reg::T[1]));
        if !in_user_space(source, bytes) || !in_user_space(target, bytes) {
            return false;
        }
        let owner = to.owner();
        let Some(_kept) = self.memory.header(owner).latch.try_hold() else { return false };
        let root = Frame(self.table(owner).root.get());
        let mut done = 0;
        while done < bytes {
            let at = target + done as u64;
            let offset = at as usize % PAGE_SIZE;
            let run = (PAGE_SIZE - offset).min(bytes - done);
            let Some(frame) = paging::writable_frame(&self.memory, root, at) else { return false };
            if !self.platform.copy_from_user(self.memory.bytes(frame, offset, run), source + done as u64) {
                return false;
            }
            done += run;
        }
        hart.copied.add(bytes as u64);
        true
    }
}
