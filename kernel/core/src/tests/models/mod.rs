//! Models of what harts do to each other: the kernel's own functions on its own structures, in small worlds.
//!
//! `./nx test loom` explores each in every interleaving within a bound; as ordinary host tests they run in some hundred
//! interleavings that seeds choose.

mod budgets;
mod carry;
mod deadlines;
mod deaths;
mod handles;
mod locks;
mod moves;
mod pools;
mod sleep;
mod stale;

use super::harts::explore;
