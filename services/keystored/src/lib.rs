//! What `keystored` does, apart from its window and its channels: the host tests run it over a flash in memory that dies after any access, and over
//! a real store in memory.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod flash;
pub mod keeper;
pub mod secrets;
pub mod service;
pub mod watch;
