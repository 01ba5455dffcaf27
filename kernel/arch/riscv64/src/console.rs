//! The kernel's console: a polled serial port, or firmware's until one is found; only for a panic once a driver has taken it over. Lines of two
//! harts never mix; a panic writes past the lock, because its holder may never let go.

use crate::cell::Once;
use crate::mmio::Window;
use crate::sbi;
use crate::tree::Serial;
use core::fmt;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, Ordering};

const DATA: usize = 0;
const ENABLE: usize = 1;
const LINE: usize = 3;
const MODEM: usize = 4;
const LINE_STATUS: usize = 5;
/// Characters of eight bits; no interrupts; ready, and not talking to itself.
const PLAIN: [(usize, u8); 3] = [(LINE, 0x03), (ENABLE, 0), (MODEM, 0x03)];
const TRANSMITTER_EMPTY: u8 = 1 << 5;
/// How often the line status is read before a byte is given up: a port that never gets ready must not stop
/// the kernel.
const MAX_POLLS: usize = 1 << 20;

struct Port {
    window: Window,
    shift: u32,
    wide: bool,
}

static PORT: Once<Port> = Once::new();
static LOCKED: AtomicBool = AtomicBool::new(false);
static PANICKING: AtomicBool = AtomicBool::new(false);

impl Port {
    fn put(&self, byte: u8) {
        let offset = LINE_STATUS << self.shift;
        for _ in 0..MAX_POLLS {
            let status = if self.wide { self.window.read32(offset) as u8 } else { self.window.read8(offset) };
            if status & TRANSMITTER_EMPTY != 0 {
                break;
            }
        }
        self.set(DATA, byte);
    }

    fn set(&self, register: usize, value: u8) {
        match self.wide {
            true => self.window.write32(register << self.shift, value.into()),
            false => self.window.write8(register << self.shift, value),
        }
    }

    /// A driver may have left it in any state.
    fn recover(&self) {
        PLAIN.into_iter().for_each(|(register, value)| self.set(register, value));
    }
}

/// Uses this serial port from now on. Only the boot hart calls it, once.
pub fn use_port(window: Window, serial: &Serial) {
    PORT.set(Port { window, shift: serial.shift, wide: serial.width == 4 });
}

fn put_all(bytes: &[u8]) {
    if let Some(port) = PORT.get() {
        port.recover();
    }
    for &byte in bytes {
        match PORT.get() {
            Some(port) => port.put(byte),
            None => sbi::putchar(byte),
        }
    }
}

/// Writes bytes, all of them before any of another hart's.
pub fn write(bytes: &[u8]) {
    if PANICKING.load(Ordering::Relaxed) {
        return;
    }
    while LOCKED.swap(true, Ordering::Acquire) {
        spin_loop();
    }
    put_all(bytes);
    LOCKED.store(false, Ordering::Release);
}

/// Silences everybody but the writer it answers.
pub fn seize() -> Seized {
    PANICKING.store(true, Ordering::Relaxed);
    Seized
}

/// The console without its lock, for a panic.
pub struct Seized;

impl fmt::Write for Seized {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_all(text.as_bytes());
        Ok(())
    }
}

/// A line in the making, so that it goes out in one piece. What does not fit is cut.
pub struct Line {
    bytes: [u8; 128],
    len: usize,
}

impl Line {
    /// An empty line.
    pub fn new() -> Line {
        Line { bytes: [0; 128], len: 0 }
    }

    /// Writes it out.
    pub fn print(&self) {
        write(&self.bytes[..self.len]);
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let take = text.len().min(room.len());
        room[..take].copy_from_slice(&text.as_bytes()[..take]);
        self.len += take;
        Ok(())
    }
}
