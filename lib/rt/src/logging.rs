//! The log: every program has a channel to `logd`, over which it sends records without ever waiting. What
//! does not fit the queue is counted, and the next record that fits tells how many were lost.
//!
//! Who sent a record is not in it: the kernel says so.

use crate::channel::end;
use crate::owned::{Channel, Owned, Resource};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU32, Ordering};
use log::{Level, LevelFilter, Log, Metadata, Record};
use nexus_api::console;
use nexus_api::log::{self as wire, Purpose, RecordRequest};
use nexus_wire::{Bytes, CallError, Connector, Failure, Fixed, Room, SendError, Text};
use spin::Mutex;

pub use nexus_api::log::MAX_TEXT;

/// What `logd`'s end of a log channel can receive.
pub const LOG_END: crate::End = end(32, Room { bytes: RecordRequest::MOST, handles: RecordRequest::HANDLES });

/// Longest line of the first program, with its name.
const MAX_LINE: usize = MAX_TEXT + 48;

static LOGD: Mutex<wire::Client<Line>> = Mutex::new(wire::Client::new(Line(None)));
static CONSOLE: Mutex<Option<Fallback>> = Mutex::new(None);
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// Where the log channel comes from: it was handed over, or replaces one whose `logd` died.
struct Line(Option<Owned<Channel>>);

impl Connector for Line {
    type Transport = Owned<Channel>;

    fn connect(&mut self) -> Result<Owned<Channel>, Failure> {
        // It must not wait: whoever logs has something better to do.
        self.0.take().or_else(crate::startup::replacement_log).ok_or(Failure::ServerDied)
    }
}

/// Where the first program's records go while there is no `logd`.
struct Fallback {
    name: &'static str,
    kernel: Owned<Resource>,
    /// The console's driver, as long as it lives.
    driver: Option<console::Client<Fixed<Owned<Channel>>>>,
}

impl Fallback {
    /// Writes a line, to the kernel or to the driver that has taken the console over from it.
    fn write(&mut self, line: &[u8]) -> bool {
        if self.kernel.console_write(line).is_ok() {
            return true;
        }
        let Some(driver) = self.driver.as_mut() else { return false };
        for piece in line.chunks(console::MAX_WRITE) {
            match Bytes::new(piece).map(|piece| driver.write(piece)) {
                Ok(Ok(_)) => {}
                Ok(Err(CallError::ServerDied)) => {
                    self.driver = None;
                    return self.kernel.console_write(line).is_ok();
                }
                Ok(Err(_)) | Err(_) => return false,
            }
        }
        true
    }
}

/// Text cut at a bound, at a character's border.
struct Bounded {
    bytes: [u8; MAX_TEXT],
    length: usize,
    cut: bool,
}

impl Bounded {
    const ELLIPSIS: &str = "…";

    const fn new() -> Bounded {
        Bounded { bytes: [0; MAX_TEXT], length: 0, cut: false }
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

    fn text(&self) -> Text<'_, MAX_TEXT> {
        // Only whole characters were written.
        Text::cut(core::str::from_utf8(&self.bytes[..self.length]).unwrap_or(""))
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.cut && !self.push(text, MAX_TEXT - Self::ELLIPSIS.len()) {
            self.cut = true;
            self.push(Self::ELLIPSIS, MAX_TEXT);
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
        write(record.level(), Purpose::Text, *record.args());
    }

    fn flush(&self) {}
}

/// Sends records through this channel from now on.
pub fn set_channel(channel: Option<Owned<Channel>>) {
    // A second call finds the logger set, which is what it wanted.
    let _ = log::set_logger(&Channelled);
    log::set_max_level(LevelFilter::Debug);
    *LOGD.lock() = wire::Client::new(Line(channel));
}

/// What the first program, which calls itself `name`, writes to while there is no `logd`.
pub fn set_console(console: Owned<Resource>, name: &'static str) {
    let _ = log::set_logger(&Channelled);
    log::set_max_level(LevelFilter::Debug);
    *CONSOLE.lock() = Some(Fallback { name, kernel: console, driver: None });
}

/// The console has a driver, which is to be written to from now on. Only the first program is told so.
pub fn set_console_driver(driver: Owned<Channel>) {
    if let Some(console) = CONSOLE.lock().as_mut() {
        console.driver = Some(console::Client::new(Fixed::new(driver)));
    }
}

/// Writes a line past the log: for the first program's last words.
pub fn last_words(line: &str) {
    if let Some(console) = CONSOLE.lock().as_mut()
        && console.write(line.as_bytes())
        && let Some(driver) = console.driver.as_mut()
    {
        // The machine ends after this: what the driver has taken is to be seen first.
        let _ = driver.drain();
    }
}

/// Sends an audit record.
pub fn audit(text: fmt::Arguments<'_>) {
    write(Level::Info, Purpose::Audit, text);
}

/// How many records were lost since the last one that got through.
pub fn dropped() -> u32 {
    DROPPED.load(Ordering::Relaxed)
}

/// Sends one record, or counts it as lost.
pub fn write(level: Level, purpose: Purpose, text: fmt::Arguments<'_>) {
    let mut record = Bounded::new();
    // `Bounded` takes whatever it is given; an error could only come from a value's own formatting.
    let _ = record.write_fmt(text);
    account(&DROPPED, |lost| transmit(level, purpose, lost, record.text()));
}

/// Has a record sent that tells how many were lost before it; counts it when it is lost itself.
fn account(dropped: &AtomicU32, send: impl FnOnce(u16) -> bool) {
    let lost = dropped.swap(0, Ordering::Relaxed);
    let told = u16::try_from(lost).unwrap_or(u16::MAX);
    let untold = if send(told) { lost - u32::from(told) } else { lost.saturating_add(1) };
    dropped.fetch_add(untold, Ordering::Relaxed);
}

const fn level_of(level: Level) -> wire::Level {
    match level {
        Level::Error => wire::Level::Error,
        Level::Warn => wire::Level::Warn,
        Level::Info => wire::Level::Info,
        Level::Debug => wire::Level::Debug,
        Level::Trace => wire::Level::Trace,
    }
}

fn transmit(level: Level, purpose: Purpose, dropped: u16, text: Text<'_, MAX_TEXT>) -> bool {
    // The panic handler logs too: it must not wait for a lock that the panicking thread holds.
    let Some(mut logd) = LOGD.try_lock() else { return false };
    match logd.record(level_of(level), purpose, dropped, text) {
        Ok(()) => true,
        Err(SendError::ServerDied) => to_console(purpose, text.get()).is_some(),
        Err(SendError::QueueFull | SendError::Protocol(_)) => false,
    }
}

/// The first program's records while there is no `logd`.
fn to_console(purpose: Purpose, text: &str) -> Option<()> {
    let mut console = CONSOLE.try_lock()?;
    let console = console.as_mut()?;
    let parts = match purpose {
        Purpose::Ready => ["", "", text, ": ready\n"],
        Purpose::Text | Purpose::Audit => [console.name, ": ", text, "\n"],
    };
    let (mut line, mut length) = ([0; MAX_LINE], 0);
    for byte in parts.iter().flat_map(|part| part.bytes()).take(MAX_LINE) {
        line[length] = byte;
        length += 1;
    }
    console.write(&line[..length]).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owned::Any;
    use core::cell::{Cell, RefCell};
    use nexus_abi::Identity;
    use nexus_wire::{Held, Outcome, Packet, Sender, Transport, kinds};

    fn record(text: &str) -> Bounded {
        let mut record = Bounded::new();
        write!(record, "{text}").unwrap();
        record
    }

    #[test]
    fn a_text_at_the_bound_is_whole_and_one_past_it_says_that_it_was_cut() {
        let room = MAX_TEXT - Bounded::ELLIPSIS.len();
        let whole = "x".repeat(room);
        let kept = record(&whole);
        assert_eq!(kept.text().get(), whole);
        let cut = record(&(whole.clone() + "y"));
        assert_eq!(cut.text().get(), whole + Bounded::ELLIPSIS);
    }

    #[test]
    fn a_character_is_never_halved() {
        let long = "ä".repeat(MAX_TEXT);
        let cut = record(&long);
        assert!(cut.text().ends_with('…'));
        assert!(cut.length <= MAX_TEXT);
    }

    #[test]
    fn what_cannot_be_sent_is_counted() {
        let before = dropped();
        write(Level::Info, Purpose::Text, format_args!("nobody hears this"));
        assert_eq!(dropped(), before + 1);
    }

    /// A queue that nobody empties unless it is told to.
    #[derive(Clone)]
    struct Queue<'a> {
        room: &'a Cell<usize>,
        told: &'a RefCell<Vec<u16>>,
    }

    impl Connector for Queue<'_> {
        type Transport = Self;
        fn connect(&mut self) -> Result<Self, Failure> {
            Ok(self.clone())
        }
    }

    struct Reader<'a>(&'a RefCell<Vec<u16>>);

    impl wire::Server<Owned<Any>> for Reader<'_> {
        fn permits(&mut self, _: Sender, _: &'static str) -> bool {
            false
        }
        fn record(
            &mut self,
            _: Sender,
            _: wire::Level,
            _: Purpose,
            dropped: u16,
            _: Text<'_, { wire::MAX_TEXT }>,
        ) {
            self.0.borrow_mut().push(dropped);
        }
        fn read(&mut self, _: Sender, _: u64) -> Result<wire::ReadReply<'_>, wire::Error> {
            Err(wire::Error::NotFound)
        }
        fn watch(&mut self, _: Sender, _: Held<Owned<Any>, kinds::Channel>) -> Result<(), wire::Error> {
            Err(wire::Error::PermissionDenied)
        }
    }

    impl Transport for Queue<'_> {
        type Handle = Owned<Any>;
        fn call(&mut self, _: &mut Packet<'_, Owned<Any>>, _: Room, _: u32) -> Result<(), Failure> {
            panic!("a logger calls nobody");
        }
        fn send(&mut self, packet: &mut Packet<'_, Owned<Any>>, deadline_ms: u32) -> Result<(), Failure> {
            assert_eq!(deadline_ms, 0, "a logger never waits");
            let room = self.room.get().checked_sub(1).ok_or(Failure::TimedOut)?;
            self.room.set(room);
            let sender = Sender { identity: Identity::default(), key: 0, token: 0 };
            assert_eq!(wire::dispatch(&mut Reader(self.told), sender, packet), Outcome::Taken);
            Ok(())
        }
    }

    #[test]
    fn a_full_queue_loses_records_and_the_next_one_tells_how_many() {
        let (room, told) = (Cell::new(3), RefCell::new(Vec::new()));
        let mut logd = wire::Client::new(Queue { room: &room, told: &told });
        let dropped = AtomicU32::new(0);
        let mut log = |count: usize| {
            for _ in 0..count {
                account(&dropped, |lost| {
                    logd.record(wire::Level::Info, Purpose::Text, lost, Text::cut("text")).is_ok()
                });
            }
            dropped.load(Ordering::Relaxed)
        };
        assert_eq!(log(3), 0, "the bound itself fits");
        assert_eq!(log(1), 1, "one past it is lost");
        assert_eq!(log(4), 5);
        room.set(2);
        assert_eq!(log(2), 0);
        assert_eq!(*told.borrow(), [0, 0, 0, 5, 0]);
    }

    #[test]
    fn more_losses_than_a_record_can_tell_are_told_by_several() {
        let dropped = AtomicU32::new(u32::from(u16::MAX) + 7);
        account(&dropped, |lost| lost == u16::MAX);
        assert_eq!(dropped.load(Ordering::Relaxed), 7);
        account(&dropped, |lost| lost == 7);
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
    }
}
