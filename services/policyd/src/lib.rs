//! The policy authority, apart from its loop: who may have what. Nothing here makes a system call, so that every rule is tested
//! on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod rules;
