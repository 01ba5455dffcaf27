//! What `statefsd` does with each request, apart from the disk: the host tests run it over a disk in memory.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod answers;
mod calls;
pub mod changes;
pub mod handed;
pub mod late;
pub mod looking;
pub mod mounted;
pub mod service;
mod watching;
