//! The wire as the stack sees it: two short queues of frames. What does not fit is dropped, as on any network.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Longest frame, without checksum.
pub const LONGEST: usize = 1514;

/// Most frames that wait, each way.
pub const MAX_FRAMES: usize = 64;

/// Frames on their way.
#[derive(Debug, Default)]
pub struct Wire {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
    /// Frames that came when there was no room, or that were too long.
    pub dropped: u64,
}

impl Wire {
    /// A frame has come.
    pub fn arrive(&mut self, frame: &[u8]) {
        if frame.len() > LONGEST || self.incoming.len() == MAX_FRAMES {
            self.dropped += 1;
        } else {
            self.incoming.push_back(frame.to_vec());
        }
    }

    /// The next frame to be sent.
    pub fn leave(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// Whether frames wait to be worked on.
    pub fn has_incoming(&self) -> bool {
        !self.incoming.is_empty()
    }
}

/// A frame that came.
#[derive(Debug)]
pub struct Incoming(Vec<u8>);

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

/// Room for a frame to be sent.
#[derive(Debug)]
pub struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming, Outgoing<'_>)> {
        // An answer to what came must have room.
        if self.outgoing.len() >= MAX_FRAMES {
            return None;
        }
        Some((Incoming(self.incoming.pop_front()?), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        (self.outgoing.len() < MAX_FRAMES).then_some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities.max_burst_size = Some(MAX_FRAMES);
        capabilities
    }
}
