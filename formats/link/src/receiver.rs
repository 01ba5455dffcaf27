//! Finds frames in whatever comes over a line.

use crate::frame::Frame;
use crate::{BORDER, MAX_STUFFED, stuffing};
use alloc::vec::Vec;

/// The receiving end of a line. It holds at most [`MAX_STUFFED`] bytes.
#[derive(Debug, Default)]
pub struct Receiver {
    bytes: Vec<u8>,
    /// What came since the last border is longer than any frame: it is dropped up to the next one.
    overlong: bool,
    /// Whether `bytes` is the frame that was handed out.
    taken: bool,
    damaged: u64,
}

impl Receiver {
    /// Takes the next byte; answers the frame that it completes.
    pub fn push(&mut self, byte: u8) -> Option<Frame<'_>> {
        if self.taken {
            self.bytes.clear();
            self.taken = false;
        }
        if byte != BORDER {
            self.overlong |= self.bytes.len() == MAX_STUFFED;
            if !self.overlong {
                self.bytes.push(byte);
            }
            return None;
        }
        self.taken = true;
        let overlong = core::mem::take(&mut self.overlong);
        if self.bytes.is_empty() {
            return None;
        }
        let length = if overlong { None } else { stuffing::unstuff(&mut self.bytes) };
        let frame = length.and_then(|length| Frame::read(self.bytes.get(..length)?));
        if frame.is_none() {
            self.damaged = self.damaged.saturating_add(1);
        }
        frame
    }

    /// Bytes that it keeps of what is not complete, at most [`MAX_STUFFED`].
    pub fn kept(&self) -> usize {
        self.bytes.len()
    }

    /// How many pieces between borders were no frames.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Forgets what has come of a frame that is not complete: the line was cut.
    pub fn cut(&mut self) {
        self.bytes.clear();
        (self.overlong, self.taken) = (false, false);
    }
}
