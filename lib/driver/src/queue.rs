//! The driver's side of a split virtqueue (virtio 1.2, section 2.7).
//!
//! Everything that decides is kept in memory that the device cannot reach: which descriptors are free, which chains were handed over,
//! how much room each has. Of the shared memory only the used ring is ever read, each word once, and every word that
//! is read is a claim to be checked. So a device can make a [`Fault`], and nothing else.

use crate::Fault;
use crate::memory::{Memory, PAGE};
use alloc::vec::Vec;
use core::sync::atomic::{Ordering, fence};

/// Longest queue, in descriptors. A queue's length is a power of two.
pub const MAX_SIZE: u16 = 256;

/// Bytes of a descriptor, and of an entry of the used ring.
const DESCRIPTOR: usize = 16;
const USED_ENTRY: usize = 8;

/// Flags of a descriptor: another follows; the device writes.
const NEXT: u16 = 1;
const WRITE: u16 = 2;

/// Flag of the used ring: no notification is needed.
const NO_NOTIFY: u16 = 1;

/// Who writes a part of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// The device reads it.
    DeviceReads,
    /// The device writes it.
    DeviceWrites,
}

/// A part of what is handed to the device. It can only be made of pool memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    address: u64,
    length: u32,
    access: Access,
}

impl Part {
    /// `length` bytes at `offset`; not none, and all of them inside the memory.
    pub fn of(memory: &impl Memory, offset: usize, length: usize, access: Access) -> Result<Part, Fault> {
        let end = offset.checked_add(length).ok_or(Fault::Outside)?;
        if length == 0 || end > memory.len() {
            return Err(Fault::Outside);
        }
        let address = memory.device_address().checked_add(offset as u64).ok_or(Fault::Outside)?;
        let length = u32::try_from(length).map_err(|_| Fault::Outside)?;
        Ok(Part { address, length, access })
    }
}

/// A chain that the device has given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// What [`Queue::submit`] named it.
    pub token: u16,
    /// Bytes that the device says it wrote: at most the room it had.
    pub written: u32,
}

/// A chain that the device has.
#[derive(Clone, Copy, Debug)]
struct Chain {
    last: u16,
    parts: u16,
    room: u32,
}

/// A split virtqueue in one piece of pool memory, which is never given to anybody but the device.
#[derive(Debug)]
pub struct Queue<M> {
    memory: M,
    most: u16,
    size: u16,
    /// For each descriptor the one after it, in its chain or in the list of free ones.
    next: Vec<u16>,
    /// For each descriptor the chain that begins with it, if the device has that.
    chains: Vec<Option<Chain>>,
    first_free: u16,
    free: u16,
    outstanding: u16,
    submitted: u16,
    taken: u16,
}

/// Offsets of the available and the used ring, and where the used ring ends.
const fn layout(size: u16) -> (usize, usize, usize) {
    let size = size as usize;
    let available = DESCRIPTOR * size;
    let used = (available + 6 + 2 * size).next_multiple_of(4);
    (available, used, used + 6 + USED_ENTRY * size)
}

impl<M: Memory> Queue<M> {
    /// Bytes of memory that a queue of that length takes, in whole pages.
    pub const fn bytes(size: u16) -> usize {
        layout(size).2.next_multiple_of(PAGE)
    }

    /// A queue of at most `most` descriptors, in memory that suffices for them.
    pub fn new(memory: M, most: u16) -> Result<Queue<M>, Fault> {
        if !most.is_power_of_two() || most > MAX_SIZE {
            return Err(Fault::NoQueue);
        }
        if memory.len() < Self::bytes(most) {
            return Err(Fault::Outside);
        }
        let next = (0..most).map(|_| 0).collect();
        let chains = (0..most).map(|_| None).collect();
        let mut queue = Queue {
            memory,
            most,
            size: most,
            next,
            chains,
            first_free: 0,
            free: 0,
            outstanding: 0,
            submitted: 0,
            taken: 0,
        };
        queue.clear(most)?;
        Ok(queue)
    }

    /// Empties it, for a device that is known to be reset, with the length that this device can do.
    pub fn clear(&mut self, size: u16) -> Result<(), Fault> {
        if !size.is_power_of_two() || size > self.most {
            return Err(Fault::NoQueue);
        }
        let zeros = [0; 64];
        // What lies behind the rings is nobody's.
        for offset in (0..layout(size).2).step_by(zeros.len()) {
            self.memory.write(offset, &zeros)?;
        }
        self.next.iter_mut().zip(1..).for_each(|(next, following)| *next = following);
        self.chains.fill(None);
        (self.size, self.first_free, self.free) = (size, 0, size);
        (self.outstanding, self.submitted, self.taken) = (0, 0, 0);
        Ok(())
    }

    /// The longest that it can be.
    pub fn most(&self) -> u16 {
        self.most
    }

    /// Its length in descriptors.
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Descriptors that are free.
    pub fn room(&self) -> usize {
        usize::from(self.free)
    }

    /// Chains that the device has.
    pub fn outstanding(&self) -> usize {
        usize::from(self.outstanding)
    }

    /// Device addresses of descriptors, available ring and used ring.
    pub fn addresses(&self) -> [u64; 3] {
        let (available, used, _) = layout(self.size);
        let base = self.memory.device_address();
        [base, base + available as u64, base + used as u64]
    }

    /// Hands a chain to the device: parts that it reads first, then parts that it writes. Answers the chain's name, which
    /// is free again once [`Queue::take`] has given it back. `Full` when the descriptors do not suffice now.
    pub fn submit(&mut self, parts: &[Part]) -> Result<u16, Fault> {
        let count = parts.len();
        let ordered = parts
            .windows(2)
            .all(|pair| !(pair[0].access == Access::DeviceWrites && pair[1].access == Access::DeviceReads));
        if count == 0 || count > usize::from(self.size) || !ordered {
            return Err(Fault::Outside);
        }
        if count > self.room() {
            return Err(Fault::Full);
        }
        let head = self.first_free;
        let (mut index, mut last, mut room) = (head, head, 0u32);
        for (position, part) in parts.iter().enumerate() {
            let more = if position + 1 < count { NEXT } else { 0 };
            let writes = if part.access == Access::DeviceWrites { WRITE } else { 0 };
            if writes != 0 {
                room = room.saturating_add(part.length);
            }
            let next = self.next.get(usize::from(index)).copied().ok_or(Fault::Outside)?;
            let at = DESCRIPTOR * usize::from(index);
            self.memory.store64(at, part.address)?;
            self.memory.store32(at + 8, part.length)?;
            self.memory.store16(at + 12, more | writes)?;
            self.memory.store16(at + 14, if more != 0 { next } else { 0 })?;
            (last, index) = (index, next);
        }
        let (available, _, _) = layout(self.size);
        let slot = usize::from(self.submitted % self.size);
        self.memory.store16(available + 4 + 2 * slot, head)?;
        // The device sees the index only after everything that it stands for.
        fence(Ordering::SeqCst);
        self.memory.store16(available + 2, self.submitted.wrapping_add(1))?;
        fence(Ordering::SeqCst);
        // Nothing below can fail: the chain is the device's exactly when it is known to be.
        self.submitted = self.submitted.wrapping_add(1);
        self.first_free = index;
        self.free -= count as u16;
        self.outstanding += 1;
        if let Some(chain) = self.chains.get_mut(usize::from(head)) {
            *chain = Some(Chain { last, parts: count as u16, room });
        }
        Ok(head)
    }

    /// Whether the device wants to be told of what was submitted.
    pub fn must_notify(&self) -> Result<bool, Fault> {
        let (_, used, _) = layout(self.size);
        Ok(self.memory.load16(used)? & NO_NOTIFY == 0)
    }

    /// Takes back a chain that the device is done with; `None` when there is none.
    pub fn take(&mut self) -> Result<Option<Used>, Fault> {
        let (_, used, _) = layout(self.size);
        let waiting = self.memory.load16(used + 2)?.wrapping_sub(self.taken);
        if waiting == 0 {
            return Ok(None);
        }
        if waiting > self.outstanding {
            return Err(Fault::UsedTooMany);
        }
        // What the entry says was written before the index.
        fence(Ordering::SeqCst);
        let entry = used + 4 + USED_ENTRY * usize::from(self.taken % self.size);
        let id = self.memory.load32(entry)?;
        let written = self.memory.load32(entry + 4)?;
        let token = u16::try_from(id).map_err(|_| Fault::UsedUnknown)?;
        let place = self.chains.get_mut(usize::from(token)).ok_or(Fault::UsedUnknown)?;
        let chain = place.take_if(|chain| written <= chain.room);
        let chain = match (chain, place) {
            (Some(chain), _) => chain,
            (None, Some(_)) => return Err(Fault::UsedTooLong),
            (None, None) => return Err(Fault::UsedUnknown),
        };
        // The chain's descriptors go to the head of the list of free ones, in their order.
        if let Some(next) = self.next.get_mut(usize::from(chain.last)) {
            *next = self.first_free;
        }
        self.first_free = token;
        self.free += chain.parts;
        self.outstanding -= 1;
        self.taken = self.taken.wrapping_add(1);
        Ok(Some(Used { token, written }))
    }
}
