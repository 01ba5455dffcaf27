//! The machine's memory as far as the device can reach it: the frames of the pool, and who has each.
//!
//! There are two copies: what is there, and what the driver put there. The device works by the second, so that a driver is never
//! blamed for what the device scribbled over its descriptors.

use nexus_driver::memory::PAGE;

/// Where the pool begins, for the device.
pub const BASE: u64 = 0x8765_4000;

/// Who has a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Frame {
    Free,
    /// A driver of that generation.
    Held(u64),
    /// A driver that died or let go of it had it; the device may still.
    Quarantined,
}

/// The frames of the pool.
#[derive(Debug)]
pub struct Memory {
    pub there: Vec<u8>,
    pub written: Vec<u8>,
    frames: Vec<Frame>,
}

impl Memory {
    pub fn new(pages: usize) -> Memory {
        let bytes = vec![0; pages * PAGE];
        Memory { there: bytes.clone(), written: bytes, frames: vec![Frame::Free; pages] }
    }

    /// Takes zeroed frames in a row; answers the offset of the first.
    pub fn take(&mut self, pages: usize, generation: u64) -> Option<usize> {
        let free = |frames: &[Frame]| frames.iter().all(|frame| *frame == Frame::Free);
        let first = self.frames.windows(pages).position(free)?;
        self.frames[first..first + pages].fill(Frame::Held(generation));
        let range = first * PAGE..(first + pages) * PAGE;
        self.there[range.clone()].fill(0);
        self.written[range].fill(0);
        Some(first * PAGE)
    }

    /// The driver gives frames back. They are free only when the device is known to be reset.
    pub fn give(&mut self, offset: usize, pages: usize, device_is_reset: bool) {
        let state = if device_is_reset { Frame::Free } else { Frame::Quarantined };
        self.frames[offset / PAGE..offset / PAGE + pages].fill(state);
    }

    /// The driver of that generation is dead.
    pub fn orphan(&mut self, generation: u64) {
        self.frames
            .iter_mut()
            .filter(|f| **f == Frame::Held(generation))
            .for_each(|f| *f = Frame::Quarantined);
    }

    /// The device was seen reset: what nobody holds is free again.
    pub fn reset_seen(&mut self) {
        self.frames.iter_mut().filter(|f| **f == Frame::Quarantined).for_each(|f| *f = Frame::Free);
    }

    /// Frames that a driver of that generation holds.
    pub fn held(&self, generation: u64) -> usize {
        self.frames.iter().filter(|f| **f == Frame::Held(generation)).count()
    }

    /// The offset of what the device means, if all of it is memory that this generation's driver holds.
    pub fn reach(&self, address: u64, length: usize, generation: u64) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(BASE)?).ok()?;
        let end = offset.checked_add(length)?;
        let frames = self.frames.get(offset / PAGE..end.div_ceil(PAGE))?;
        frames.iter().all(|frame| *frame == Frame::Held(generation)).then_some(offset)
    }
}
