//! The message tag: what accompanies a message in register `a1`, and the register plan of message calls.
//!
//! | register | into the kernel | out of it |
//! |---|---|---|
//! | `t0` | system call number | 0 |
//! | `a0` | endpoint or port handle | 0, or the error |
//! | `a1` | tag: this message's sizes, and room for the answer | tag of the message received |
//! | `a2`–`a7` | message words, when it has at most 48 bytes | message words likewise |
//! | `t1` | address of the byte buffer (4 KiB at most) | binding key |
//! | `t2` | address of the handle buffer (`u32` each) | sender identity |
//! | `t3` | deadline, in ticks | reply token (0: not a call) |
//! | `t4` | reply token to answer (`reply`, `reply_and_wait`) | signal bits |
//!
//! A message of at most 48 bytes travels in `a2` to `a7`, little-endian, in whole words; words past its length
//! arrive as 0. A longer one is read from the byte buffer, and arrives in the receiver's byte buffer.
//! Handles always go through the handle buffer. The same two buffers serve the message out and the message in.
//! Every register not named here comes back 0, but for those that a C function keeps, and `ra`.

use crate::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};

/// What came out of a wait or a receive: a message with a reply token is a call, and only an event has signal bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Delivery {
    /// A message that expects no answer; also the answer to a call.
    Message,
    /// A call: the sender waits, and the reply token answers it.
    Call,
    /// No message: the signal bits say what happened to the object bound with this key.
    Event,
}

impl Delivery {
    /// From the reply token (`t3`) and the signal bits (`t4`) that came out.
    pub const fn of(token: u64, signals: u64) -> Delivery {
        match (token, signals) {
            (_, 1..) => Delivery::Event,
            (1.., _) => Delivery::Call,
            _ => Delivery::Message,
        }
    }
}

/// Sizes of a message (bits 0–12 bytes, 16–19 handles), room for what comes back (bits 24–36 bytes,
/// 40–43 handles), discard flag on the way in (bit 52).
/// Every other bit must be 0.
///
/// `channel_send` and `channel_reply` ignore the room; `channel_call`, `channel_recv` and `reply_and_wait`
/// use it. A delivered call's tag carries the caller's room, so that the server knows what it may answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Tag(pub u64);

impl Tag {
    /// `channel_recv` drops the head message instead of receiving it; a call among them answers its caller
    /// with an empty message.
    pub const DISCARD: u64 = 1 << 52;
    /// The bits that hold the sizes of the message itself.
    pub const SIZES: u64 = 0x00ff_ffff;

    /// Where they begin.
    pub const ROOM_SHIFT: u32 = 24;

    const BYTES: u64 = 0x1fff;
    const HANDLES: u64 = 0xf;
    /// The bits that hold the room for what comes back.
    pub const ROOM: u64 = Self::BYTES << 24 | Self::HANDLES << 40;
    const VALID_IN: u64 = Self::BYTES | Self::HANDLES << 16 | Self::ROOM | Self::DISCARD;

    /// A tag for a message of `bytes` and `handles` with no room for an answer.
    pub const fn new(bytes: usize, handles: usize) -> Tag {
        Tag((bytes as u64 & Self::BYTES) | (handles as u64 & Self::HANDLES) << 16)
    }

    /// The same message with room for an answer of `bytes` and `handles`.
    pub const fn with_room(self, bytes: usize, handles: usize) -> Tag {
        Tag(self.0 & !Self::ROOM
            | (bytes as u64 & Self::BYTES) << 24
            | (handles as u64 & Self::HANDLES) << 40)
    }

    /// Bytes of the message.
    pub const fn bytes(self) -> usize {
        (self.0 & Self::BYTES) as usize
    }

    /// Handles of the message.
    pub const fn handles(self) -> usize {
        (self.0 >> 16 & Self::HANDLES) as usize
    }

    /// Bytes there is room for.
    pub const fn room_bytes(self) -> usize {
        (self.0 >> 24 & Self::BYTES) as usize
    }

    /// Handles there is room for.
    pub const fn room_handles(self) -> usize {
        (self.0 >> 40 & Self::HANDLES) as usize
    }

    /// Whether the discard flag is set.
    pub const fn discards(self) -> bool {
        self.0 & Self::DISCARD != 0
    }

    /// Whether every field is within its bound and no other bit is set.
    pub const fn is_valid(self) -> bool {
        self.0 & !Self::VALID_IN == 0
            && self.bytes() <= MAX_MESSAGE_BYTES
            && self.handles() <= MAX_MESSAGE_HANDLES
            && Tag(self.0 & !Self::DISCARD).has_plain_room()
    }

    /// Whether all above the sizes is room within its bounds: no discard flag, and no bit without a meaning.
    #[inline(always)]
    pub const fn has_plain_room(self) -> bool {
        // The bounds are powers of two: added to a field that is past its bound, this raises the bit above the field.
        const PAST: u64 = {
            assert!(MAX_MESSAGE_BYTES.is_power_of_two() && MAX_MESSAGE_HANDLES.is_power_of_two());
            let (bytes, handles) =
                (Tag::BYTES - MAX_MESSAGE_BYTES as u64, Tag::HANDLES - MAX_MESSAGE_HANDLES as u64);
            bytes | handles << 16
        };
        let room = self.0 >> Self::ROOM_SHIFT;
        (room | (room + PAST)) & !(Self::ROOM >> Self::ROOM_SHIFT) == 0
    }
}
