//! The driver kit: what a driver process is made of, apart from its own device.
//!
//! A driver's logic is written against three traits: [`Registers`] (its window), [`Memory`] and [`Pool`] (its DMA memory).
//! On the device they are grants of the process; in host tests a fake device stands behind them, so that the same logic meets
//! every lie that a device can tell.
//!
//! What must never happen here: an access outside the window or the pool, an address that is not pool memory handed to
//! a device, a panic or an endless loop because of something that a device wrote.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod fault;
pub mod grants;
pub mod memory;
pub mod queue;
pub mod registers;
pub mod transport;
pub mod window;

pub use fault::Fault;
pub use grants::Grants;
pub use memory::{Memory, Pool};
pub use queue::{Part, Queue, Used};
pub use registers::Registers;
pub use transport::{Cause, Transport};
