//! The fast path for messages in memory: one copy, from the buffer of the thread that lets go to that of the one that waits.
//!
//! The invariants are those of `fast.rs`. What must never happen: a byte written where the receiver could not have written
//! itself, or into a frame that is not its any more.

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
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, PAGE_SIZE, REGISTER_BYTES};

/// The bytes of a message that has too many for registers, and no handles.
#[inline(always)]
fn bytes_alone(tag: u64) -> Option<usize> {
    // Handles and bits that mean nothing would make this number larger.
    let bytes = (tag & Tag::SIZES) as usize;
    let is_room =
        tag >> Tag::ROOM_SHIFT <= MAX_MESSAGE_BYTES as u64 || (Tag(tag).is_valid() && !Tag(tag).discards());
    (bytes > REGISTER_BYTES && bytes <= MAX_MESSAGE_BYTES && is_room).then_some(bytes)
}

impl<P: Platform> Kernel<P> {
    /// `channel_call` with a message of more than 48 bytes and no handles: as the fast path, with one copy on the way. `None`:
    /// nothing happened, but that some of the bytes may lie where they were to go.
    #[inline(always)]
    pub fn fast_call_bytes(&self, hart: &Hart, handle: u64, tag: u64) -> Option<HandOver> {
        let c = hart.current();
        let bytes = bytes_alone(tag)?;
        if c.aimed.get() != handle || !is_timed(hart, c, c.deadline()) {
            return None;
        }
        let held = c.aim.seize()?;
        let end = c.aim.at();
        if end.limit.get() == 0 || bytes > end.max_bytes.get() as usize {
            return None;
        }
        let port_held = end.port.seize()?;
        let port = end.port.at();
        let s = port.waiters.top()?;
        if s.rank.get() < hart.floor.get() || !self.carry(hart, c, s, bytes) {
            return None;
        }
        let over = self.pass_call(hart, c, s, (end, &held), port, tag);
        held.release_both(port_held);
        Some(over)
    }

    /// `reply_and_wait` with such an answer, likewise.
    #[inline(always)]
    pub fn fast_reply_bytes(&self, hart: &Hart, handle: u64, tag: u64) -> Option<HandOver> {
        let s = hart.current();
        let bytes = bytes_alone(tag)?;
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
        if port.is_ready() || !self.carry(hart, s, c, bytes) {
            return None;
        }
        let over = self.pass_answer(hart, s, c, end, port, bytes as u64);
        held.release_both(port_held);
        Some(over)
    }

    /// Copies bytes from the buffer of the current thread to that of one that waits for them, page by page of the latter. Its process is
    /// held meanwhile, so that no mapping of it goes away; it is only tried to be held, because the order of locks is the other
    /// way round. False if it did not work: the slow path finds out why.
    #[inline(always)]
    fn carry(&self, hart: &Hart, from: &Thread, to: &Thread, bytes: usize) -> bool {
        let (source, target) = (from.context.get(reg::T[1]), to.context.get(reg::T[1]));
        if bytes > Tag(to.context.get(reg::A0 + 1)).room_bytes()
            || !in_user_space(source, bytes)
            || !in_user_space(target, bytes)
        {
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
