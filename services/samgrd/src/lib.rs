//! The service registry, apart from its loop: who may register and connect, who is registered, and who waits.
//! Nothing here holds a handle or makes a system call, so that every rule is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod directory;

pub use directory::{Directory, Intake, Standing, Waiting};
