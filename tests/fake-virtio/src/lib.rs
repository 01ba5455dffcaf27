//! A virtio-mmio device on the host: the register file and the device's side of split virtqueues, from virtio 1.2.
//!
//! Host tests run a driver's logic against it. It does what the standard says, and everything that a seed makes it do instead:
//! see [`Mischief`]. It also watches the driver: each breach of the standard by the driver, each access outside the
//! window or the pool, each address given to the device that is not pool memory is a violation, which fails the test.
#![forbid(unsafe_code)]

mod device;
mod memory;
mod mischief;
pub mod models;
mod random;
mod world;

pub use device::{Chain, Done, Model};
pub use mischief::{Kind, Mischief};
pub use random::Random;
pub use world::{FakeMemory, FakePool, FakeRegisters, World};
