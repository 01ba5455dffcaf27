//! Wire tests of every interface, on the host. Written by `nexus-idlc`; `support.rs` alone is not.

mod echo;
mod support;
