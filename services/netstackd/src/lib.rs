//! The network authority, apart from its loop: frames in and out (`wire.rs`), addresses and time (`stack.rs`), and clients' sockets
//! (`sockets.rs`, `ping.rs`), with what waits at them (`look.rs`). Nothing here waits, so that all of it is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod answer;
pub mod look;
pub mod ping;
pub mod setup;
pub mod sockets;
pub mod stack;
pub mod wire;
