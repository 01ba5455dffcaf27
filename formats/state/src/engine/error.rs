//! What can go wrong in the engine. Damage says where, so that a report can; none of it may end in a panic.

use super::Fault;

/// Why something was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The medium failed. The store answers nothing more until it is mounted again.
    Medium(Fault),
    /// The store failed before and must be mounted again.
    Failed,
    /// What is on the medium is not what was written.
    Integrity(Damage),
    /// No room is left on the medium.
    NoSpace,
    /// A key, a value or a batch over its bound.
    TooLarge,
    /// No such snapshot, one of that name already, or no place for another.
    Snapshot,
    /// There is no store on the medium.
    Unformatted,
    /// A store of another version.
    Version(u32),
    /// The medium is too small, too large, or another size than the store was made for.
    Size,
}

/// What is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// Both copies of the superblock, or there is proof of a newer one than what can be read: the generation that was
    /// reached, and the one that is left.
    Superblock {
        /// Generation that there is proof of.
        reached: u64,
        /// Generation that can be read.
        left: u64,
    },
    /// Both copies of a frame of the log, with later ones behind it.
    Log {
        /// Generation that there is proof of.
        reached: u64,
        /// Generation that can be read.
        left: u64,
    },
    /// A page of a tree or of a value.
    Page(u32),
    /// The map of used pages.
    Map,
    /// A frame, a page or a superblock whose checksum is right says what cannot be.
    Content,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::Medium(fault)
    }
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Error {
        Error::Integrity(damage)
    }
}
