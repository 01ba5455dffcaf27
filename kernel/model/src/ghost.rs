//! What the checker remembers and the rules never look at: two states that differ in it alone are the same state.

use core::hash::{Hash, Hasher};

/// A value that takes no part in comparing states.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ghost<T>(pub T);

impl<T> PartialEq for Ghost<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Ghost<T> {}

impl<T> Hash for Ghost<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What a step did to capabilities and messages, for the checker. Serial numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A capability came into being, as a copy of another or as the first of a new object.
    Made {
        /// The new one.
        serial: u64,
        /// What it is a copy of.
        of: Option<u64>,
    },
    /// A capability was closed.
    Closed(u64),
    /// A message, a call or an answer was taken over by the kernel.
    Sent(u64),
    /// It ended: received, answered, dropped, or given back to its sender.
    Ended(u64),
    /// A message or call left the FIFO of an end for its receiver.
    Received((crate::Id, usize), u64),
    /// A port delivered what this node had.
    Delivered(crate::Id, crate::Node),
}
