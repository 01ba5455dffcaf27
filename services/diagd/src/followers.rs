//! Who waits for the next record of the log. Each terminal waits once, and there is a bound on all of them.

use alloc::collections::VecDeque;

/// Most terminals that wait at a time.
pub const MAX_FOLLOWERS: usize = 16;

/// One that waits.
#[derive(Debug)]
pub struct Follower<P> {
    /// Which terminal.
    pub terminal: u64,
    /// The record that it wants, or the first one after it.
    pub from: u64,
    /// What answers it.
    pub promise: P,
}

/// Those that wait, the one that waits longest first.
#[derive(Debug)]
pub struct Followers<P>(VecDeque<Follower<P>>);

impl<P> Default for Followers<P> {
    fn default() -> Self {
        Followers(VecDeque::new())
    }
}

impl<P> Followers<P> {
    /// Takes back what a terminal asked before, if it waits still.
    pub fn replaced(&mut self, terminal: u64) -> Option<Follower<P>> {
        let place = self.0.iter().position(|follower| follower.terminal == terminal)?;
        self.0.remove(place)
    }

    /// Waits. When there are too many, the one that waits longest gives way.
    pub fn add(&mut self, follower: Follower<P>) -> Option<Follower<P>> {
        let oldest = if self.0.len() == MAX_FOLLOWERS { self.0.pop_front() } else { None };
        self.0.push_back(follower);
        oldest
    }

    /// Takes all of them.
    pub fn take(&mut self) -> VecDeque<Follower<P>> {
        core::mem::take(&mut self.0)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follower(terminal: u64) -> Follower<u64> {
        Follower { terminal, from: 0, promise: terminal }
    }

    #[test]
    fn as_many_as_there_is_room_for_and_then_the_oldest_gives_way() {
        let mut followers = Followers::default();
        for terminal in 0..MAX_FOLLOWERS as u64 {
            assert!(followers.add(follower(terminal)).is_none());
        }
        assert_eq!(followers.add(follower(99)).map(|oldest| oldest.terminal), Some(0));
        assert_eq!(followers.take().len(), MAX_FOLLOWERS);
        assert!(followers.is_empty());
    }

    #[test]
    fn a_terminal_waits_once() {
        let mut followers = Followers::default();
        assert!(followers.replaced(1).is_none());
        assert!(followers.add(follower(1)).is_none());
        assert!(followers.add(follower(2)).is_none());
        assert_eq!(followers.replaced(1).map(|before| before.promise), Some(1));
        assert!(followers.replaced(1).is_none());
    }
}
