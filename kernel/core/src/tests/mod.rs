//! Host tests of the kernel, on a simulated machine. Only what stands in this folder may know it.

#[cfg(not(miri))]
pub mod atomics;
mod channels;
mod compare;
mod conform;
mod controller;
mod corners;
mod costs;
mod devices;
mod fast;
#[cfg(not(loom))]
mod harts;
mod host;
mod hostile;
#[cfg(loom)]
pub mod loom;
#[cfg(loom)]
use self::loom as harts;
mod models;
mod twin;
mod vmos;
mod world;
