//! From one version of what is on the medium to the next. A store of an older version is brought to this one when it is mounted, step by step, in one checkpoint: a
//! cut leaves the old store or the new one.
//!
//! What must never happen: a store of a version that nobody here knows is touched, or one is called by a version that it is not of.

use super::{Damage, Error, Medium, Notice, Store, Tree};

/// The oldest version that there is a step from.
pub const OLDEST: u32 = 1;

/// The version that stores are made in, and brought to.
pub const VERSION: u32 = 2;

/// What brings a store from one version to the next. It changes what is in memory; the checkpoint after the last of them writes all of it.
type Step<M> = fn(&mut Store<M>) -> Result<(), Error>;

/// One from each version to the next, from the oldest on.
const fn steps<M: Medium>() -> [Step<M>; (VERSION - OLDEST) as usize] {
    [with_losses]
}

impl<M: Medium> Store<M> {
    /// Brings it to this version, if it is of an older one, and says so. Nothing is written yet.
    pub(super) fn migrate(&mut self) -> Result<Option<Notice>, Error> {
        let from = self.superblock.version;
        for step in steps().iter().skip(from.saturating_sub(OLDEST) as usize) {
            step(self)?;
        }
        self.superblock.version = VERSION;
        Ok((from < VERSION).then_some(Notice::Migrated { from }))
    }
}

/// In version 2 a row whose key begins with `l` names keys that were lost. Version 1 has no such rows, and whoever knows no other would answer `NotFound` for what
/// they name; a store of version 1 that has one is none that anybody wrote.
fn with_losses<M: Medium>(store: &mut Store<M>) -> Result<(), Error> {
    for tree in Tree::ALL {
        if store.next(tree, b"l")?.is_some_and(|(key, _)| key.starts_with(b"l")) {
            return Err(Damage::Content.into());
        }
    }
    Ok(())
}
