//! The atomics of host tests: laid out as the real ones, and every access asks whoever steers the test first.
//!
//! `harts` may let another hart of the simulated machine go on there; under Loom, `loom` keeps the value and says
//! which of the values ever stored a load reads.

use super::harts as steer;
use core::sync::atomic::Ordering;

pub use steer::{fence, pause};

/// What is done to a value in one step.
#[derive(Clone, Copy)]
pub enum Change {
    Swap(u64),
    Or(u64),
    And(u64),
    Add(u64),
    Sub(u64),
}

macro_rules! atomic {
    ($name:ident, $int:ty) => {
        /// An integer that harts share.
        #[derive(Default)]
        #[repr(transparent)]
        pub struct $name(core::sync::atomic::$name);

        #[allow(
            missing_docs,
            dead_code,
            reason = "each is what `core` says; not every width has a use for all"
        )]
        impl $name {
            pub const fn new(value: $int) -> $name {
                $name(core::sync::atomic::$name::new(value))
            }

            /// Where it is, and how to reach what lies there when nobody steers.
            fn place(&self) -> steer::Place {
                steer::place(core::ptr::from_ref(self).addr(), || self.0.load(Ordering::Relaxed) as u64)
            }

            pub fn load(&self, order: Ordering) -> $int {
                match self.place().load(order) {
                    Some(value) => value as $int,
                    None => self.0.load(order),
                }
            }

            pub fn store(&self, value: $int, order: Ordering) {
                if self.place().store(value as u64, order).is_none() {
                    self.0.store(value, order);
                }
            }

            fn change(&self, change: Change, order: Ordering) -> $int {
                match self.place().change(change, order) {
                    Some(old) => old as $int,
                    None => match change {
                        Change::Swap(value) => self.0.swap(value as $int, order),
                        Change::Or(value) => self.0.fetch_or(value as $int, order),
                        Change::And(value) => self.0.fetch_and(value as $int, order),
                        Change::Add(value) => self.0.fetch_add(value as $int, order),
                        Change::Sub(value) => self.0.fetch_sub(value as $int, order),
                    },
                }
            }

            pub fn swap(&self, value: $int, order: Ordering) -> $int {
                self.change(Change::Swap(value as u64), order)
            }

            pub fn fetch_or(&self, value: $int, order: Ordering) -> $int {
                self.change(Change::Or(value as u64), order)
            }

            pub fn fetch_and(&self, value: $int, order: Ordering) -> $int {
                self.change(Change::And(value as u64), order)
            }

            pub fn fetch_add(&self, value: $int, order: Ordering) -> $int {
                self.change(Change::Add(value as u64), order)
            }

            pub fn fetch_sub(&self, value: $int, order: Ordering) -> $int {
                self.change(Change::Sub(value as u64), order)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);
atomic!(AtomicUsize, usize);
