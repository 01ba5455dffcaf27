//! The diagnostics authority, apart from its loop: the port that its line goes through (`port.rs`), the requests that come over it
//! (`line.rs`), and who waits for the log (`followers.rs`). Nothing here waits.
//!
//! The line is driven here and not by a driver of its own: nobody else will ever use it, and a driver between would copy each byte once more
//! and be one more process that has to live for the system to be looked into.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod followers;
pub mod line;
pub mod port;
