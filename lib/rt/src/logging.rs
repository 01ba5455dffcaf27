//! The log: every program has a channel to `logd`, over which it sends records without ever waiting. What
//! does not fit the queue is counted, and the next record that fits tells how many were lost.
//!
//! A record is `[level, kind, dropped (u16)] text`. Who sent it is not in it: the kernel says so.

use crate::owned::{Channel, Handles, Owned, Resource};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};
use log::{Level, LevelFilter, Log, Metadata, Record};
use nexus_abi::{Error, NOW};
use spin::Mutex;

/// Longest text of one record, in bytes; a longer one ends in `…`.
pub const MAX_TEXT: usize = 240;

/// Bytes before the text.
pub const HEADER: usize = 4;

/// Largest record.
pub const MAX_RECORD: usize = HEADER + MAX_TEXT;

/// What `logd`'s end of a log channel can receive.
pub const LOG_END: crate::End = crate::End { depth: 32, bytes: MAX_RECORD as u16, handles: 0 };

/// Kind of an ordinary record.
pub const KIND_TEXT: u8 = 0;

/// Kind of an audit record.
pub const KIND_AUDIT: u8 = 1;

/// Kind of the supervisor's record that a process became ready; the text is its name.
pub const KIND_READY: u8 = 2;

static CHANNEL: Mutex<Option<Owned<Channel>>> = Mutex::new(None);
static CONSOLE: Mutex<Option<(Owned<Resource>, &'static str)>> = Mutex::new(None);
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// Text cut at a bound, at a character's border.
struct Text {
    bytes: [u8; MAX_RECORD],
    length: usize,
    cut: bool,
}

impl Text {
    const ELLIPSIS: &str = "…";

    fn new(level: Level, kind: u8) -> Text {
        let mut bytes = [0; MAX_RECORD];
        bytes[0] = level as u8;
        bytes[1] = kind;
        Text { bytes, length: HEADER, cut: false }
    }

    fn push(&mut self, text: &str, limit: usize) -> bool {
        for character in text.chars() {
            let end = self.length + character.len_utf8();
            if end > limit {
                return false;
            }
            character.encode_utf8(&mut self.bytes[self.length..end]);
            self.length = end;
        }
        true
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.cut && !self.push(text, MAX_RECORD - Self::ELLIPSIS.len()) {
            self.cut = true;
            self.push(Self::ELLIPSIS, MAX_RECORD);
        }
        Ok(())
    }
}

struct Channelled;

impl Log for Channelled {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        write(record.level(), KIND_TEXT, *record.args());
    }

    fn flush(&self) {}
}

/// Sends records through this channel from now on.
pub fn set_channel(channel: Option<Owned<Channel>>) {
    // A second call finds the logger set, which is what it wanted.
    let _ = log::set_logger(&Channelled);
    log::set_max_level(LevelFilter::Debug);
    *CHANNEL.lock() = channel;
}

/// What the first program, which calls itself `name`, writes to while there is no `logd`.
pub fn set_console(console: Owned<Resource>, name: &'static str) {
    let _ = log::set_logger(&Channelled);
    log::set_max_level(LevelFilter::Debug);
    *CONSOLE.lock() = Some((console, name));
}

/// Sends an audit record.
pub fn audit(text: fmt::Arguments<'_>) {
    write(Level::Info, KIND_AUDIT, text);
}

/// How many records were lost since the last one that got through.
pub fn dropped() -> u32 {
    DROPPED.load(Ordering::Relaxed)
}

/// Sends one record, or counts it as lost.
pub fn write(level: Level, kind: u8, text: fmt::Arguments<'_>) {
    let mut record = Text::new(level, kind);
    // `Text` takes whatever it is given; an error could only come from a value's own formatting.
    let _ = record.write_fmt(text);
    let lost = DROPPED.swap(0, Ordering::Relaxed);
    let told = u16::try_from(lost).unwrap_or(u16::MAX);
    record.bytes[2..4].copy_from_slice(&told.to_le_bytes());
    if transmit(&record.bytes[..record.length]).is_err() {
        DROPPED.fetch_add(lost.saturating_add(1), Ordering::Relaxed);
    }
}

fn transmit(record: &[u8]) -> Result<(), Error> {
    // The panic handler logs too: it must not wait for a lock that the panicking thread holds.
    let mut channel = CHANNEL.try_lock().ok_or(Error::Busy)?;
    if let Some(endpoint) = channel.as_ref() {
        match endpoint.send(record, &mut Handles::new(), NOW) {
            Err(Error::PeerClosed) => {}
            other => return other,
        }
    }
    // There is no `logd`, or it died. A channel to a new one, if it is there already, is in the bootstrap queue.
    *channel = crate::startup::replacement_log();
    match channel.as_ref() {
        Some(endpoint) => endpoint.send(record, &mut Handles::new(), NOW),
        None => {
            let console = CONSOLE.try_lock().ok_or(Error::Busy)?;
            let (console, name) = console.as_ref().ok_or(Error::PeerClosed)?;
            let (header, text) = record.split_at(HEADER);
            let is_ready = header[1] == KIND_READY;
            let (before, after) = if is_ready { ("", ": ready\n") } else { (": ", "\n") };
            let name = if is_ready { "" } else { name };
            for part in [name.as_bytes(), before.as_bytes(), text, after.as_bytes()] {
                console.console_write(part)?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Text {
        let mut record = Text::new(Level::Info, KIND_TEXT);
        write!(record, "{text}").unwrap();
        record
    }

    #[test]
    fn a_text_at_the_bound_is_whole_and_one_past_it_says_that_it_was_cut() {
        let room = MAX_TEXT - Text::ELLIPSIS.len();
        let whole = "x".repeat(room);
        let kept = record(&whole);
        assert_eq!(&kept.bytes[HEADER..kept.length], whole.as_bytes());
        let cut = record(&(whole.clone() + "y"));
        assert_eq!(&cut.bytes[HEADER..cut.length], (whole + Text::ELLIPSIS).as_bytes());
    }

    #[test]
    fn a_character_is_never_halved() {
        let long = "ä".repeat(MAX_TEXT);
        let cut = record(&long);
        assert!(core::str::from_utf8(&cut.bytes[HEADER..cut.length]).unwrap().ends_with('…'));
        assert!(cut.length <= MAX_RECORD);
    }

    #[test]
    fn what_cannot_be_sent_is_counted() {
        let before = dropped();
        write(Level::Info, KIND_TEXT, format_args!("nobody hears this"));
        assert_eq!(dropped(), before + 1);
    }
}
