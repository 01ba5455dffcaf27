//! A source of entropy (virtio 1.2, section 5.4). What it gives comes from the seed, so that a test knows it.

use std::any::Any;

use crate::{Chain, Done, Model, Random};

/// A source of entropy.
#[derive(Debug, Default)]
pub struct Entropy {
    /// Everything that it has given.
    pub given: Vec<u8>,
    /// Most bytes that it gives at once; 0 is as many as there is room for.
    pub most: usize,
    /// Whether it gives back requests without a byte.
    pub dry: bool,
}

impl Model for Entropy {
    fn kind(&self) -> u32 {
        4
    }
    fn features(&self) -> u64 {
        0
    }
    fn config(&self) -> Vec<u8> {
        Vec::new()
    }
    fn queues(&self) -> Vec<u32> {
        vec![8]
    }
    fn work(&mut self, _queue: usize, chain: &Chain, random: &mut Random) -> Done {
        if self.dry {
            return Done::default();
        }
        let most = if self.most == 0 { chain.room } else { self.most.min(chain.room) };
        let written: Vec<u8> = (0..most).map(|_| random.number() as u8).collect();
        self.given.extend_from_slice(&written);
        Done { written, last: None }
    }
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
