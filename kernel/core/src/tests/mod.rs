//! Host tests of the kernel, on a simulated machine. Only what stands in this folder may know it.

#[cfg(not(miri))]
pub mod atomics;
#[cfg(all(not(loom), not(miri)))]
pub mod breaths;
mod cargo;
mod channels;
mod compare;
mod conform;
mod controller;
mod corners;
mod costs;
#[cfg(all(not(loom), not(miri)))]
mod cuts;
mod devices;
mod fast;
mod handover;
#[cfg(all(not(loom), not(miri)))]
mod harts;
mod holdings;
mod host;
mod hostile;
#[cfg(loom)]
pub mod loom;
#[cfg(loom)]
use self::loom as harts;
mod models;
#[cfg(all(not(loom), not(miri)))]
pub mod order;
#[cfg(all(not(loom), not(miri)))]
mod pairs;
#[cfg(all(not(loom), not(miri)))]
mod room;
#[cfg(all(not(loom), not(miri)))]
mod storm;
#[cfg(miri)]
mod threads;
#[cfg(all(not(loom), not(miri)))]
pub mod tlb;
#[cfg(all(not(loom), not(miri)))]
mod together;
#[cfg(miri)]
use self::threads as harts;
mod turns;
mod twin;
mod vmos;
mod world;
