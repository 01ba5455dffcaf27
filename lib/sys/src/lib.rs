//! System call stubs. The only crate that programs link which contains the instruction `ecall`.
//!
//! [`raw`] takes bare numbers, for hostile tests; everything else takes handles, rights and slices, so that no
//! call can be made to write outside the memory that was lent to it.
#![no_std]

mod message;
mod object;
pub mod raw;

pub use message::{
    Area, Refusal, call, call_words, discard, recv, recv_at, reply, reply_and_wait, reply_and_wait_words,
    send, send_at, send_bytes,
};
pub use nexus_abi as abi;
pub use object::*;
pub use raw::{MessageOut, device_fence, ticks};

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::{Error, Handle, NOW, Tag};

    #[test]
    fn a_tag_that_promises_more_than_the_buffers_is_refused_before_the_kernel_sees_it() {
        let mut bytes = [0; 100];
        let mut handles = [Handle::NONE; 2];
        let mut area = Area { bytes: &mut bytes, handles: &mut handles };
        for (tag, expected) in [
            (Tag::new(100, 2).with_room(100, 2), Error::BadSyscall),
            (Tag::new(101, 0), Error::Invalid),
            (Tag::new(0, 3), Error::Invalid),
            (Tag::new(0, 0).with_room(101, 0), Error::Invalid),
            (Tag::new(0, 0).with_room(0, 3), Error::Invalid),
        ] {
            let refused = call(Handle(1), tag, [0; 6], &mut area, NOW);
            assert_eq!(refused.map(|_| ()).map_err(|r| r.error), Err(expected), "{tag:?}");
        }
    }

    #[test]
    fn a_message_at_an_address_has_more_bytes_than_the_registers_and_no_more_than_a_message() {
        for (bytes, expected) in [
            (0, Error::Invalid),
            (48, Error::Invalid),
            (49, Error::BadSyscall),
            (4096, Error::BadSyscall),
            (4097, Error::Invalid),
            (1 << 13 | 64, Error::Invalid),
        ] {
            // SAFETY: there is no kernel here that would read or write anything.
            let (sent, received) = unsafe { (send_at(Handle(1), 0, bytes), recv_at(Handle(1), 0, bytes)) };
            assert_eq!((sent, received), (Err(expected), Err(expected)), "{bytes}");
        }
    }

    #[test]
    fn a_message_that_fits_registers_needs_no_byte_buffer() {
        let mut area = Area { bytes: &mut [], handles: &mut [] };
        let tag = Tag::new(48, 0).with_room(48, 0);
        let refused = call(Handle(1), tag, [0; 6], &mut area, NOW);
        assert_eq!(refused.map(|_| ()).map_err(|r| r.error), Err(Error::BadSyscall));
    }
}
