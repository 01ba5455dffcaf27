//! The console driver, apart from its loop: the serial port (`port.rs`). Nothing here waits.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod port;
