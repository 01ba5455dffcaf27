//! The block driver, apart from its loop: the device (`disk.rs`), what clients asked for and who is answered when (`service.rs`),
//! who may open which partition (`rules.rs`),
//! and the search for partitions (`search.rs`). Nothing here waits, so that all of it is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod disk;
pub mod rules;
pub mod search;
pub mod service;
