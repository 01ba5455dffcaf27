//! Wire tests of every interface, on the host. Written by `nexus-idlc`; `support.rs` alone is not.

mod block;
mod console;
mod diag;
mod disk;
mod echo;
mod exec;
mod frames;
mod intake;
mod introduce;
mod keys;
mod log;
mod net;
mod news;
mod policy;
mod random;
mod renew;
mod samgr;
mod socket;
mod start;
mod state;
mod supervise;
mod support;
mod time;
