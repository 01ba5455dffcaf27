//! The time authority, apart from its loop: what the clock shows (`clock.rs`). Nothing here waits.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

pub mod clock;
