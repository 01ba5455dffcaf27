//! What a hostile device does instead of what the standard says.

use crate::Random;

/// One kind of mischief.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A used entry names a descriptor that the queue does not have.
    IdOutside,
    /// A used entry names a descriptor that was not handed over.
    IdUnknown,
    /// A chain is given back twice.
    Twice,
    /// The used index jumps.
    IndexJumps,
    /// More bytes were written, it says, than there was room for.
    TooLong,
    /// Fewer bytes than were written; or fewer were.
    TooShort,
    /// Nothing was written, though it says so.
    Unwritten,
    /// A chain is never given back.
    LostCompletion,
    /// A chain is given back without an interrupt.
    LostInterrupt,
    /// An interrupt without a reason.
    SpuriousInterrupt,
    /// Memory that the device was given is overwritten with anything, descriptors and available ring included.
    Scribble,
    /// After a reset, memory that the device was given before is written.
    LateWrite,
    /// The configuration changes while it is read.
    ConfigChanges,
    /// The configuration holds anything.
    ConfigLies,
    /// Features are offered that the device cannot do, or not offered, or their acceptance is withdrawn.
    FeaturesLie,
    /// A queue is longer than any, or has no length, or is in use from the start.
    QueueLies,
    /// The device never says that it is reset.
    NeverReset,
    /// The device says that it can go on no more.
    NeedsReset,
    /// What was written holds anything.
    DataLies,
    /// Any register reads as anything.
    RegistersLie,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 20] = [
        Kind::IdOutside,
        Kind::IdUnknown,
        Kind::Twice,
        Kind::IndexJumps,
        Kind::TooLong,
        Kind::TooShort,
        Kind::Unwritten,
        Kind::LostCompletion,
        Kind::LostInterrupt,
        Kind::SpuriousInterrupt,
        Kind::Scribble,
        Kind::LateWrite,
        Kind::ConfigChanges,
        Kind::ConfigLies,
        Kind::FeaturesLie,
        Kind::QueueLies,
        Kind::NeverReset,
        Kind::NeedsReset,
        Kind::DataLies,
        Kind::RegistersLie,
    ];
}

/// Which mischief a device does, and how often.
#[derive(Clone, Debug)]
pub struct Mischief {
    kinds: Vec<Kind>,
    chance: u8,
    /// How often each happened, in the order of [`Kind::ALL`].
    pub done: [u64; Kind::ALL.len()],
}

impl Mischief {
    /// None: a device that does what the standard says.
    pub fn none() -> Mischief {
        Mischief { kinds: Vec::new(), chance: 0, done: [0; Kind::ALL.len()] }
    }

    /// Of these kinds, `chance` times in 256 where it can be done.
    pub fn of(kinds: &[Kind], chance: u8) -> Mischief {
        Mischief { kinds: kinds.to_vec(), chance, done: [0; Kind::ALL.len()] }
    }

    /// Whether it is done here.
    pub(crate) fn now(&mut self, kind: Kind, random: &mut Random) -> bool {
        let now = self.kinds.contains(&kind) && random.chance(self.chance);
        if now {
            self.done[kind as usize] += 1;
        }
        now
    }

    /// Whether it was done at least once.
    pub fn did(&self, kind: Kind) -> bool {
        self.done[kind as usize] > 0
    }
}
