//! Two flash chips side by side, as QEMU and the standard have them, which go on in whatever state a killed driver leaves them.

use std::cell::{Cell, RefCell};

use nexus_driver::{Fault, Registers};
use nexus_vault::{BLOCKS, USED};

/// Bytes of a block of both chips.
pub const BLOCK: usize = 4 * USED;

/// What a chip is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Array,
    Status,
    Query,
    /// The next word is data.
    Program,
    /// The next word confirms.
    Erase,
    Lock,
}

/// What a chip may do wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lie {
    #[default]
    None,
    /// It is never done.
    Busy,
    /// It says that programming failed, or that a block is protected.
    Fails(u8),
    /// It answers no query.
    Silent,
    /// The two chips do not say the same.
    Split,
    /// A block is so large, in bytes of both.
    Size(usize),
    /// It knows another command set.
    Other,
}

/// The chips, and what is known of who drives them.
pub struct Chips {
    bytes: RefCell<Vec<u8>>,
    mode: Cell<Mode>,
    status: Cell<u8>,
    unlocked: Cell<[bool; 1 + BLOCKS]>,
    pub lie: Cell<Lie>,
    /// Words that the driver writes before it is dead. What it reads changes nothing.
    steps: Cell<usize>,
    dead: Cell<bool>,
    /// Whether programming can only make zeros, as chips do, or writes what it is given, as QEMU does.
    pub strict: bool,
    /// How often somebody waited.
    pub rests: Cell<usize>,
}

/// Bytes of the window: a block before those of the vault, which must stay as it is.
pub const WINDOW: usize = (1 + BLOCKS) * BLOCK;

pub fn erased(strict: bool) -> Chips {
    Chips::of(vec![0xff; BLOCKS * BLOCK], strict)
}

/// What is in the first block.
fn reset() -> Vec<u8> {
    (0..BLOCK).map(|at| (at * 7) as u8).collect()
}

impl Chips {
    /// Chips with this in the vault's blocks.
    pub fn of(vault: Vec<u8>, strict: bool) -> Chips {
        Chips {
            bytes: RefCell::new([reset(), vault].concat()),
            mode: Cell::new(Mode::Array),
            status: Cell::new(0x80),
            unlocked: Cell::new([false; 1 + BLOCKS]),
            lie: Cell::default(),
            steps: Cell::new(usize::MAX),
            dead: Cell::new(false),
            strict,
            rests: Cell::new(0),
        }
    }

    /// What the vault's blocks have. Nobody has touched the one before.
    pub fn vault(&self) -> Vec<u8> {
        let all = self.bytes.borrow();
        assert!(all[..BLOCK] == reset());
        all[BLOCK..].to_vec()
    }

    /// Another driver, which dies when it would write one word more than so many.
    pub fn driver(&self, steps: usize) {
        self.steps.set(steps);
        self.dead.set(false);
    }

    /// Whether the driver is dead, and so does nothing more.
    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }

    fn alive(&self) -> Result<(), Fault> {
        if self.dead.get() { Err(Fault::Absent) } else { Ok(()) }
    }

    fn step(&self) -> Result<(), Fault> {
        match self.steps.get().checked_sub(1) {
            Some(left) => self.steps.set(left),
            None => self.dead.set(true),
        }
        self.alive()
    }

    fn info(&self, word: usize) -> u16 {
        let size = if let Lie::Size(size) = self.lie.get() { size } else { BLOCK } / 2 / 256;
        match word {
            0x10 => u16::from(b'Q'),
            0x11 => u16::from(b'R'),
            0x12 => u16::from(b'Y'),
            0x13 => {
                if self.lie.get() == Lie::Other {
                    2
                } else {
                    1
                }
            }
            0x2c => 1,
            0x2f => (size & 0xff) as u16,
            0x30 => (size >> 8) as u16,
            _ => 0,
        }
    }
}

impl Registers for &Chips {
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        self.alive()?;
        let all = self.bytes.borrow();
        let word: [u8; 4] = all.get(offset..offset + 4).ok_or(Fault::Outside)?.try_into().expect("four");
        let both = |value: u16| u32::from(value) << 16 | u32::from(value);
        Ok(match (self.mode.get(), self.lie.get()) {
            (Mode::Array, _) | (Mode::Query, Lie::Silent) => u32::from_le_bytes(word),
            (Mode::Query, Lie::Split) => both(self.info(offset / 4)) ^ 1,
            (Mode::Query, _) => both(self.info(offset / 4)),
            (_, Lie::Busy) => 0x0080_0000,
            (_, Lie::Fails(bits)) => both(u16::from(self.status.get())) | u32::from(bits) << 16,
            _ => both(u16::from(self.status.get())),
        })
    }

    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        self.step()?;
        let block = offset / BLOCK;
        let place = offset..offset + 4;
        let mut all = self.bytes.borrow_mut();
        match self.mode.get() {
            Mode::Program => {
                let old = all.get_mut(place).ok_or(Fault::Outside)?;
                for (old, new) in old.iter_mut().zip(value.to_le_bytes()) {
                    *old = if self.strict { *old & new } else { new };
                }
                self.mode.set(Mode::Status);
                return Ok(());
            }
            Mode::Erase => {
                let confirmed = value as u8 == 0xd0;
                if confirmed && self.unlocked.get()[block] {
                    all[block * BLOCK..][..BLOCK].fill(0xff);
                } else if confirmed {
                    self.status.set(0x82);
                }
                self.mode.set(if value as u8 == 0xff { Mode::Array } else { Mode::Status });
                return Ok(());
            }
            Mode::Lock => {
                if value as u8 == 0xd0 {
                    let mut unlocked = self.unlocked.get();
                    unlocked[block] = true;
                    self.unlocked.set(unlocked);
                }
                self.mode.set(if value as u8 == 0xff { Mode::Array } else { Mode::Status });
                return Ok(());
            }
            Mode::Array | Mode::Status | Mode::Query => {}
        }
        match value as u8 {
            0xff => self.mode.set(Mode::Array),
            0x98 => self.mode.set(Mode::Query),
            0x50 => self.status.set(0x80),
            0x40 => self.mode.set(Mode::Program),
            0x20 => self.mode.set(Mode::Erase),
            0x60 => self.mode.set(Mode::Lock),
            other => panic!("what command is {other:#x}?"),
        }
        Ok(())
    }

    fn load8(&self, _: usize) -> Result<u8, Fault> {
        Err(Fault::Outside)
    }
    fn load16(&self, _: usize) -> Result<u16, Fault> {
        Err(Fault::Outside)
    }
    fn store8(&self, _: usize, _: u8) -> Result<(), Fault> {
        Err(Fault::Outside)
    }
}
