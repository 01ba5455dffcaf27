//! What `recordd` keeps and lets go, apart from whom it asks: the host tests run it over a shelf in memory.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod keeper;
