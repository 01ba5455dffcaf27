//! Devices that a driver may find.

mod block;
mod entropy;

pub use block::Block;
pub use entropy::Entropy;
