//! The line between a running system and the tools of the host: frames that hostile bytes cannot break. The same code on both sides.
//!
//! A line carries bytes that anybody may have spoiled, cut or invented. So a frame ends with a byte that stands nowhere inside one, has a
//! bound, and carries a checksum: whatever came before it, the next whole frame is found, and what is not one is dropped and counted.
//! What must never happen here: a panic, a buffer that grows past its bound, or a frame that was not sent as it is handed on.
//!
//! # A frame, before it is stuffed (little-endian)
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version, [`VERSION`] |
//! | 1 | kind, see [`Kind`] |
//! | 2–3 | terminal: who asks. A side with several of them sets it; an answer bears that of its request |
//! | 4–7 | number of the request, chosen by who asks; an answer bears the same |
//! | 8–… | payload, at most [`MAX_PAYLOAD`] bytes |
//! | last 4 | CRC-32 (ISO-HDLC) of all before |
//!
//! On the line it is stuffed (consistent overhead byte stuffing), so that no byte of it is 0, and stands between zeros. A payload is
//! a message of an interface in `idl/`, request or answer, which says itself what it is about: a new interface needs no new frame.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod frame;
mod receiver;
mod stuffing;

pub use frame::{Frame, HEADER, Kind, Refusal};
pub use receiver::Receiver;

/// Version of the frames. A frame of another one is not understood, and dropped.
pub const VERSION: u8 = 1;

/// Largest payload, in bytes: the largest message of the kernel's channels.
pub const MAX_PAYLOAD: usize = 4096;

/// Largest frame before it is stuffed.
pub const MAX_PLAIN: usize = HEADER + MAX_PAYLOAD + 4;

/// Largest frame on the line, without the zeros around it.
pub const MAX_STUFFED: usize = MAX_PLAIN + MAX_PLAIN / 254 + 1;

/// The byte between frames.
pub const BORDER: u8 = 0;
