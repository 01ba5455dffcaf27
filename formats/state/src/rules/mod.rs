//! The rules above the engine: paths, who may do what, who is charged for what, and what a change must not break.
//!
//! What must never happen: a change that is refused leaves something behind, or the charges differ from what is stored.

mod access;
mod charge;
mod cipher;
mod error;
mod fit;
mod header;
mod path;
mod plan;
mod repair;
mod row;
mod seals;
mod snapshots;
mod state;
mod unlock;
mod upload;
mod watch;

pub use access::{Access, Allow, MAX_SEALS};
pub use charge::{EXTRA, Limit, Warning};
pub use cipher::{KEY, SALT, SEALED_EXTRA};
pub use error::Error;
pub use fit::{AMPLIFICATION, quotas_that_fit};
pub use path::{MAX_COMPONENTS, MAX_PATH, Path};
pub use plan::{Change, MAX_AT_ONCE, MAX_CHANGES};
pub use repair::{REPAIR_PAGES, Salvaged, repair, salvage, told};
pub use seals::MAX_SEALED;
pub use state::{Entry, MAX_LIST, Receipt, Stat, State};
pub use unlock::{Unlock, sealed_prefixes};
pub use upload::{MAX_BYTES, MAX_UPLOADS, Upload};
pub use watch::{Event, MAX_EVENTS, MAX_WATCHES, MAX_WATCHES_EACH, Watches};
