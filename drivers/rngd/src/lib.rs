//! The random authority, apart from its loop: the device (`source.rs`), the generator that stretches what the device gives
//! (`generator.rs`), and when the one feeds the other (`service.rs`). Nothing here waits, so that all of it is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

pub mod generator;
pub mod service;
pub mod source;
