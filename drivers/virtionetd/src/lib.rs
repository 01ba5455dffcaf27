//! The network driver, apart from its loop: the card (`card.rs`), and what happens when it fails (`service.rs`). Nothing here waits, so
//! that all of it is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod card;
pub mod service;
