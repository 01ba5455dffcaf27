//! Where `/state` is looked at: on a disk image, or in the system that runs. The commands know no difference.

use nexus_state::rules::Path;

use crate::exit::Outcome;

/// What is known of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its path.
    pub path: Path,
    /// Its bytes.
    pub bytes: u64,
    /// The service that is charged for it.
    pub owner: u32,
    /// Another one means another value.
    pub version: u64,
    /// Whether it can be read only with a key that the host has not.
    pub sealed: bool,
}

/// A value to be put.
#[derive(Clone, Debug)]
pub struct Put {
    /// Its path.
    pub path: Path,
    /// Who is charged for it; nothing: who was, as far as the place lets the host choose.
    pub owner: Option<u32>,
    /// It.
    pub bytes: Vec<u8>,
}

/// How a store is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Which store it is, as text.
    pub store: String,
    /// The newest commit.
    pub generation: u64,
    /// Values and charges, as of the last checkpoint.
    pub keys: u64,
    /// Pages for values.
    pub pages: u32,
    /// How many of them are free.
    pub free: u32,
    /// What everything else answers, unless it is well.
    pub fault: Option<String>,
    /// Names of the snapshots.
    pub snapshots: Vec<String>,
    /// Ranges of keys that repairs could not save, and that are not forgotten.
    pub lost: u32,
}

/// What a service is charged for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Charge {
    /// It.
    pub owner: u32,
    /// Bytes.
    pub charged: u64,
    /// Bytes from which on it is warned, and the most; a disk does not know.
    pub limit: Option<(u64, u64)>,
}

/// What looking at every page came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// Values and charges.
    pub keys: u64,
    /// Pages that they and snapshots have.
    pub pages: u32,
    /// Pages that are called used, and nobody has them.
    pub lost: u32,
    /// Pages that are used and called free.
    pub unmapped: u32,
    /// What was mended, or could be.
    pub mended: Vec<String>,
    /// What is damaged.
    pub damage: Vec<String>,
}

/// The place.
pub trait Place {
    /// The command that comes here, for hints.
    fn command(&self) -> String;

    /// Every value under a prefix, in order.
    fn list(&mut self, prefix: &str) -> Outcome<Vec<Known>>;

    /// A value.
    fn get(&mut self, path: &Path) -> Outcome<Vec<u8>>;

    /// Puts values, so that they survive a power cut; answers how many. What only its keeper may write is left out, and an error when it is all there is.
    fn put(&mut self, values: &[Put]) -> Outcome<usize>;

    /// Takes a value away, so that it stays away.
    fn remove(&mut self, path: &Path) -> Outcome;

    /// How the store is.
    fn health(&mut self) -> Outcome<Health>;

    /// Who is charged for how much.
    fn charges(&mut self) -> Outcome<Vec<Charge>>;

    /// Looks at every page; `repair` mends what can be mended.
    fn check(&mut self, repair: bool) -> Outcome<Looked>;

    /// Forgets what repairs could not save.
    fn forget(&mut self) -> Outcome;

    /// From now on what is sound is listed and read, as it would be after a repair; nothing is changed. Answers what is not there any more, a line each.
    fn salvage(&mut self) -> Outcome<Vec<String>>;

    /// Makes an empty store, whatever is there; answers which.
    fn reset(&mut self) -> Outcome<String>;
}
