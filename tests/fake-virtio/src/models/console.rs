//! A console with one port (virtio 1.2, section 5.3). What is sent is kept; what a test types is received.

use std::any::Any;
use std::collections::VecDeque;

use crate::{Chain, Done, Model, Random};

/// A console.
#[derive(Debug, Default)]
pub struct Console {
    /// Bytes that it sent.
    pub sent: Vec<u8>,
    /// Bytes on their way to it.
    pub typed: VecDeque<u8>,
    /// Whether it sends nothing now, because nobody reads.
    pub paused: bool,
}

impl Model for Console {
    fn kind(&self) -> u32 {
        3
    }
    fn features(&self) -> u64 {
        // It could have several ports: a driver need not want them.
        1 << 1
    }
    fn config(&self) -> Vec<u8> {
        vec![0; 12]
    }
    fn queues(&self) -> Vec<u32> {
        vec![128, 128]
    }
    fn ready(&mut self, queue: usize) -> bool {
        if queue == 0 { !self.typed.is_empty() } else { !self.paused }
    }
    fn work(&mut self, queue: usize, chain: &Chain, random: &mut Random) -> Done {
        if queue == 0 {
            // As many as it likes, but one at least.
            let most = chain.room.min(self.typed.len());
            let count = 1 + random.number() as usize % most.max(1);
            return Done { written: self.typed.drain(..count.min(most)).collect(), last: None };
        }
        self.sent.extend(&chain.readable);
        Done::default()
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
