//! Every power cut that a log of writes allows: what may be on the medium afterwards, and a judge for what the store makes of it.
//!
//! A cut leaves everything up to the last flush, and of what was written since then any sectors. What must never happen: an image
//! is made that an honest medium could not leave, or one is counted twice.
#![forbid(unsafe_code)]

mod cuts;
mod disk;
mod history;
mod random;
mod workload;

pub use cuts::{Cuts, images};
pub use disk::{Disk, Event};
pub use history::{History, Mark, digest};
pub use random::Random;
pub use workload::{CACHE, fresh, mount, work};
