//! The first process, apart from its loop: when a process is started again, how its end is told, and which
//! faults are known. Nothing
//! here makes a system call, so that every rule is tested on the host.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod ending;
pub mod faults;
pub mod machine;
pub mod restart;
