//! Devices that a driver may find.

mod block;
mod entropy;
pub mod net;

pub use block::Block;
pub use entropy::Entropy;
pub use net::Net;
