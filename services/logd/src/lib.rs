//! The log and audit authority, apart from its loop: what a record is, how many are kept, and how much one
//! source may say. Nothing here waits or prints, so that all of it is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod kernel;
pub mod rate;
pub mod record;
pub mod ring;
pub mod unsent;
