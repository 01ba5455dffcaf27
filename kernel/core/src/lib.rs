//! neuron, the portable part: objects, capabilities, channels, ports, scheduling, accounting.
#![cfg_attr(not(test), no_std)]
pub mod context;
