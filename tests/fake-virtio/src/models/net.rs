//! A network card (virtio 1.2, section 5.1). What is sent is kept; what a test puts on the wire is received.

use std::any::Any;
use std::collections::VecDeque;

use crate::{Chain, Done, Model, Random};

/// Bytes before each frame.
const HEADER: usize = 12;

/// A network card.
#[derive(Debug)]
pub struct Net {
    /// Frames that it sent.
    pub sent: Vec<Vec<u8>>,
    /// Frames on their way to it.
    pub wire: VecDeque<Vec<u8>>,
    /// Whether it has a link.
    pub link: bool,
    /// Whether it sends nothing now.
    pub paused: bool,
    /// Breaches of the standard in what it was given.
    pub malformed: usize,
}

impl Default for Net {
    fn default() -> Net {
        Net { sent: Vec::new(), wire: VecDeque::new(), link: true, paused: false, malformed: 0 }
    }
}

/// The card's address.
pub const ADDRESS: [u8; 6] = [0x52, 0x54, 0, 1, 2, 3];

impl Model for Net {
    fn kind(&self) -> u32 {
        1
    }
    fn features(&self) -> u64 {
        1 << 5 | 1 << 16
    }
    fn config(&self) -> Vec<u8> {
        [&ADDRESS[..], &[self.link.into(), 0]].concat()
    }
    fn queues(&self) -> Vec<u32> {
        vec![256, 256]
    }
    fn ready(&mut self, queue: usize) -> bool {
        if queue == 0 { !self.wire.is_empty() } else { !self.paused }
    }
    fn work(&mut self, queue: usize, chain: &Chain, _random: &mut Random) -> Done {
        if queue == 0 {
            let frame = self.wire.pop_front().unwrap_or_default();
            let mut written = vec![0; HEADER];
            // One buffer holds the frame.
            written[10] = 1;
            written.extend(frame);
            return Done { written, last: None };
        }
        match chain.readable.split_at_checked(HEADER) {
            Some((header, frame)) if header == [0; HEADER] => self.sent.push(frame.to_vec()),
            _ => self.malformed += 1,
        }
        Done::default()
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
