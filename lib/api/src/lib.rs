//! Every service interface: client stubs, server traits, dispatch. Written by `nexus-idlc` from `idl/`; nothing
//! here is changed by hand.
#![no_std]
#![forbid(unsafe_code)]

pub mod block;
pub mod console;
pub mod diag;
pub mod disk;
pub mod echo;
pub mod exec;
pub mod frames;
pub mod intake;
pub mod introduce;
pub mod keys;
pub mod log;
pub mod net;
pub mod news;
pub mod policy;
pub mod random;
pub mod renew;
pub mod samgr;
pub mod socket;
pub mod start;
pub mod state;
pub mod supervise;
pub mod time;

pub use nexus_wire as wire;

/// Every interface, for tools that show messages.
pub const ALL: &[&nexus_wire::trace::Interface] = &[
    &block::INTERFACE,
    &console::INTERFACE,
    &diag::INTERFACE,
    &disk::INTERFACE,
    &echo::INTERFACE,
    &exec::INTERFACE,
    &frames::INTERFACE,
    &intake::INTERFACE,
    &introduce::INTERFACE,
    &keys::INTERFACE,
    &log::INTERFACE,
    &net::INTERFACE,
    &news::INTERFACE,
    &policy::INTERFACE,
    &random::INTERFACE,
    &renew::INTERFACE,
    &samgr::INTERFACE,
    &socket::INTERFACE,
    &start::INTERFACE,
    &state::INTERFACE,
    &supervise::INTERFACE,
    &time::INTERFACE,
];
