//! Devices that a driver may find.

mod block;
mod console;
mod entropy;
pub mod net;

pub use block::Block;
pub use console::Console;
pub use entropy::Entropy;
pub use net::Net;
