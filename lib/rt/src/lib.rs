//! What every program on Nexus OS links: the entry, the heap, the panic handler, handles that close
//! themselves, channels, ports, a server loop and the log.
//!
//! A program forbids unsafe code and writes `nexus_rt::main!(run);`. The few modules here that need unsafe
//! say why at each block; nothing in this crate may keep a program from seeing that its peer died.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

pub mod channel;
pub mod clock;
pub mod console;
pub mod copier;
pub mod device;
#[cfg(target_os = "none")]
mod heap;
pub mod logging;
pub mod memory;
pub mod object;
pub mod owned;
#[cfg(target_os = "none")]
mod panic;
pub mod process;
pub mod provide;
pub mod samgr;
pub mod server;
pub mod startup;
pub mod thread;
mod transport;

pub use channel::{Answer, CallError};
pub use log::{Level, debug, error, info, warn};
pub use nexus_abi as abi;
pub use nexus_api as api;
pub use nexus_sys as sys;
pub use nexus_wire as wire;
pub use object::*;
pub use owned::{Any, Handles, Owned};
pub use process::{Child, Limits};
pub use server::{Incoming, Server};
pub use startup::Startup;

/// Names the function that the program begins with: `fn run(startup: nexus_rt::Startup) -> u64` (not `main`), whose result
/// is the exit code. On the host, where such a program cannot run, it becomes an empty `main`, so that the
/// workspace's host build stays whole.
#[macro_export]
macro_rules! main {
    ($run:path) => {
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        extern "C" fn _start(argument: u64, bootstrap: u64) -> ! {
            $crate::startup::run($run, argument, bootstrap)
        }

        #[cfg(not(target_os = "none"))]
        fn main() {
            let _: fn($crate::Startup) -> u64 = $run;
        }
    };
}

/// The same for the first program, which the kernel starts: `fn run(bootstrap: Owned<Channel>) -> u64`.
#[macro_export]
macro_rules! first {
    ($run:path) => {
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        extern "C" fn _start(_argument: u64, bootstrap: u64) -> ! {
            $crate::startup::run_first($run, bootstrap)
        }

        #[cfg(not(target_os = "none"))]
        fn main() {
            let _: fn($crate::Owned<$crate::Channel>) -> u64 = $run;
        }
    };
}

/// Writes an audit record: what was asked, by whom, and what was decided. Takes the arguments of `format!`.
#[macro_export]
macro_rules! audit {
    ($($text:tt)+) => { $crate::logging::audit(format_args!($($text)+)) };
}
