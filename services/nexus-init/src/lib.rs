//! The first process, apart from its loop: when a process is started again, and how its end is told. Nothing
//! here makes a system call, so that every rule is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod ending;
pub mod machine;
pub mod restart;
