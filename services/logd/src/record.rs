//! One record of the log. Who sent it is what the kernel says; of the text nothing may look like another
//! record, so what would steer a terminal or begin a line is replaced.

use alloc::string::String;
use nexus_abi::{Identity, Ticks};
use nexus_rt::logging::{HEADER, KIND_AUDIT, KIND_READY, KIND_TEXT, MAX_TEXT};

/// How much a record matters, most first. Numbers as in the `log` crate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is not as it should be.
    Warn = 2,
    /// Something happened.
    Info = 3,
    /// Something that helps to find a fault.
    Debug = 4,
    /// Everything else.
    Trace = 5,
}

impl Level {
    /// The level with this number.
    pub const fn from_raw(number: u8) -> Option<Level> {
        match number {
            1 => Some(Level::Error),
            2 => Some(Level::Warn),
            3 => Some(Level::Info),
            4 => Some(Level::Debug),
            5 => Some(Level::Trace),
            _ => None,
        }
    }

    /// What stands before the text of records that call for attention.
    pub const fn mark(self) -> &'static str {
        match self {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        }
    }
}

/// What a record is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Told by a program about itself.
    Text = 0,
    /// A decision about who may do what.
    Audit = 1,
    /// The supervisor saw a process become ready: the text is its name.
    Ready = 2,
}

/// A record as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its number: the first since start is 0.
    pub sequence: u64,
    /// When it was received.
    pub time: Ticks,
    /// Who sent it.
    pub source: Identity,
    /// How much it matters.
    pub level: Level,
    /// What it is for.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

/// What arrived over a log channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// How much it matters.
    pub level: Level,
    /// What it is for.
    pub kind: Kind,
    /// Records that the sender could not send before this one.
    pub dropped: u16,
    /// What it says, made harmless.
    pub text: String,
}

/// Reads a message of a log channel; `None` when it is not a record.
pub fn read(message: &[u8]) -> Option<Received> {
    let (header, text) = message.split_first_chunk::<HEADER>()?;
    if text.len() > MAX_TEXT {
        return None;
    }
    let kind = match header[1] {
        KIND_TEXT => Kind::Text,
        KIND_AUDIT => Kind::Audit,
        KIND_READY => Kind::Ready,
        _ => return None,
    };
    let text = core::str::from_utf8(text).ok()?;
    let text = text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    let dropped = u16::from_le_bytes([header[2], header[3]]);
    Some(Received { level: Level::from_raw(header[0])?, kind, dropped, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_record_is_read_as_it_was_sent() {
        let read = read(b"\x02\x01\x05\x00denied").unwrap();
        assert_eq!((read.level, read.kind, read.dropped), (Level::Warn, Kind::Audit, 5));
        assert_eq!(read.text, "denied");
    }

    #[test]
    fn a_text_cannot_begin_a_line_of_its_own() {
        let read = read(b"\x03\0\0\0ok\nSELFTEST: forged\x1b[2J").unwrap();
        assert_eq!(read.text, "ok·SELFTEST: forged·[2J");
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        assert_eq!(read(b"\x03\0\0"), None);
        assert_eq!(read(b"\x00\0\0\0x"), None, "no level 0");
        assert_eq!(read(b"\x06\0\0\0x"), None, "no level 6");
        assert_eq!(read(b"\x03\x03\0\0x"), None, "no kind 3");
        assert_eq!(read(b"\x03\0\0\0\xff"), None, "not UTF-8");
        let mut bound = vec![b'x'; HEADER + MAX_TEXT];
        bound[..HEADER].copy_from_slice(&[3, 0, 0, 0]);
        assert!(read(&bound).is_some());
        bound.push(b'x');
        assert_eq!(read(&bound), None);
    }
}
