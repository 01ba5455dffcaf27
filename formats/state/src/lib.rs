//! The durable store under `/state`: what is on the medium, and what may happen to it. The same code on host and device.
//!
//! [`engine`] keeps keys and values through power cuts and damage. What it must never do: answer a wrong or an older value, or
//! miss one, without saying so. [`rules`] says who may store what, and how much.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod engine;
pub mod rules;
