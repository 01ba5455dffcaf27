//! The interface language: one file an interface, from which everything else is made, so that client, server,
//! tests and documentation cannot disagree.
//!
//! [`parse`](parse::parse) turns a file into a checked [`Interface`](model::Interface) or into one
//! [`Problem`](lexer::Problem) that says what to write; [`emit`] turns that into text. Neither touches a file:
//! [`tree`] does.
#![forbid(unsafe_code)]

pub mod emit;
pub mod layout;
pub mod lexer;
pub mod model;
pub mod names;
pub mod parse;
pub mod tree;
