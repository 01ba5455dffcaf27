//! The flash behind the window: chips that know the Common Flash Interface and Intel's commands, two of 16 bits side by side.
//!
//! It may have been left in the middle of a command by a process that was killed. What must never happen: a command is given while a chip waits for
//! data, so that it is programmed; or a chip that says nothing is waited for without an end.

use nexus_driver::{Fault as Broken, Registers};
use nexus_vault::{BLOCKS, Fault, Flash, USED};

/// Bytes of a word: both chips.
const WORD: usize = 4;

/// The block where the vault begins: the machine itself begins in the one before.
const FIRST: usize = 1;

/// Commands (Common Flash Interface, Intel/Sharp extended command set), the same to both chips.
const READ: u8 = 0xff;
const QUERY: u8 = 0x98;
const CLEAR: u8 = 0x50;
const PROGRAM: u8 = 0x40;
const LOCK: u8 = 0x60;
const ERASE: u8 = 0x20;
const CONFIRM: u8 = 0xd0;

/// Bits of the status: it is done; it failed, or the block is protected.
const DONE: u16 = 0x80;
const FAILED: u16 = 0x3a;

/// Places in the query, in words: its mark, the command set, how many kinds of blocks, and size of the first kind.
const MARK: usize = 0x10;
const SET: usize = 0x13;
const KINDS: usize = 0x2c;
const SIZE: usize = 0x2f;

/// Command sets that are understood: Intel's extended and standard one.
const SETS: [u16; 2] = [1, 3];

/// What a chip takes as data that change nothing, or as the command to be read.
const NOTHING: u32 = 0xffff_ffff;

/// How often a chip is asked whether it is done before it is left alone between two questions, and how often at all.
const QUICK: usize = 64;
const MAX_ASKED: usize = 6_000;

/// The blocks of the vault in the flash behind a window.
pub struct Chips<R, W> {
    registers: R,
    /// Bytes of the window.
    bytes: usize,
    block: usize,
    /// Waits a millisecond or so.
    rest: W,
}

fn fault(_: Broken) -> Fault {
    Fault::Outside
}

fn both(value: u16) -> u32 {
    u32::from(value) << 16 | u32::from(value)
}

impl<R: Registers, W: FnMut()> Chips<R, W> {
    /// The flash behind a window of so many bytes; `None` when there is none that is understood.
    pub fn find(registers: R, bytes: usize, rest: W) -> Result<Option<Chips<R, W>>, Fault> {
        if bytes < WORD {
            return Ok(None);
        }
        let mut chips = Chips { registers, bytes, block: USED, rest };
        chips.settle()?;
        chips.command(MARK * WORD, QUERY)?;
        let size = chips.query();
        chips.command(0, READ)?;
        let Some(block) = size? else { return Ok(None) };
        chips.block = block;
        chips.settle()?;
        Ok(Some(chips))
    }

    /// Brings chips back that wait for data or for the second half of a command: what they take it for is the last word of the window, which is no part of
    /// the vault, since a block is more than the vault uses.
    fn settle(&mut self) -> Result<(), Fault> {
        let unused = self.bytes - WORD;
        for _ in 0..2 {
            self.registers.store32(unused, NOTHING).map_err(fault)?;
        }
        self.command(unused, CLEAR)?;
        self.command(unused, READ)
    }

    fn command(&mut self, at: usize, command: u8) -> Result<(), Fault> {
        self.registers.store32(at, both(command.into())).map_err(fault)
    }

    /// What both chips say at a place; `None` when they do not say the same.
    fn said(&mut self, word: usize) -> Result<Option<u16>, Fault> {
        let value = self.registers.load32(word * WORD).map_err(fault)?;
        Ok((value >> 16 == value & 0xffff).then_some(value as u16))
    }

    /// Bytes of a block, if these are chips that are understood.
    fn query(&mut self) -> Result<Option<usize>, Fault> {
        for (n, letter) in b"QRY".iter().enumerate() {
            if self.said(MARK + n)? != Some(u16::from(*letter)) {
                return Ok(None);
            }
        }
        let mut byte = |at| Ok::<_, Fault>(self.said(at)?.filter(|value| *value < 256));
        let (Some(low), Some(high)) = (byte(SET)?, byte(SET + 1)?) else { return Ok(None) };
        let (Some(kinds), Some(small), Some(large)) = (byte(KINDS)?, byte(SIZE)?, byte(SIZE + 1)?) else {
            return Ok(None);
        };
        // The size is in units of 256 bytes, of each chip.
        let block = (usize::from(small) | usize::from(large) << 8) * 256 * 2;
        let fits = block.is_power_of_two() && (2 * USED..=self.bytes / (FIRST + BLOCKS)).contains(&block);
        Ok((SETS.contains(&(low | high << 8)) && kinds >= 1 && fits).then_some(block))
    }

    /// Waits until both chips are done, and looks what they say of it.
    fn done(&mut self, at: usize) -> Result<(), Fault> {
        for asked in 0..MAX_ASKED {
            let status = self.registers.load32(at).map_err(fault)?;
            if status & both(DONE) == both(DONE) {
                return if status & both(FAILED) == 0 { Ok(()) } else { Err(Fault::Refused) };
            }
            if asked >= QUICK {
                (self.rest)();
            }
        }
        Err(Fault::Stuck)
    }

    /// Where something is, if it is whole words of a block.
    fn place(&self, block: usize, at: usize, length: usize) -> Result<usize, Fault> {
        let words = at.is_multiple_of(WORD) && length.is_multiple_of(WORD);
        let inside = block < BLOCKS && at.checked_add(length).is_some_and(|end| end <= self.block);
        if words && inside { Ok((FIRST + block) * self.block + at) } else { Err(Fault::Outside) }
    }

    fn program_words(&mut self, from: usize, bytes: &[u8]) -> Result<(), Fault> {
        for (n, word) in bytes.as_chunks::<WORD>().0.iter().enumerate() {
            let at = from + n * WORD;
            self.command(at, PROGRAM)?;
            self.registers.store32(at, u32::from_le_bytes(*word)).map_err(fault)?;
            self.done(at)?;
        }
        Ok(())
    }

    fn erase_block(&mut self, at: usize) -> Result<(), Fault> {
        // Chips come up with every block protected.
        self.command(at, LOCK)?;
        self.command(at, CONFIRM)?;
        self.command(at, ERASE)?;
        self.command(at, CONFIRM)?;
        self.done(at)
    }

    /// Whatever came of something: the chips are read from again, and forget what failed.
    fn after(&mut self, at: usize, outcome: Result<(), Fault>) -> Result<(), Fault> {
        self.command(at, CLEAR)?;
        self.command(at, READ)?;
        outcome
    }
}

impl<R: Registers, W: FnMut()> Flash for Chips<R, W> {
    fn block(&self) -> usize {
        self.block
    }

    fn read(&mut self, block: usize, at: usize, out: &mut [u8]) -> Result<(), Fault> {
        let from = self.place(block, at, out.len())?;
        for (n, word) in out.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
            *word = self.registers.load32(from + n * WORD).map_err(fault)?.to_le_bytes();
        }
        Ok(())
    }

    fn erase(&mut self, block: usize) -> Result<(), Fault> {
        let at = self.place(block, 0, 0)?;
        let outcome = self.erase_block(at);
        self.after(at, outcome)
    }

    fn program(&mut self, block: usize, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        let from = self.place(block, at, bytes.len())?;
        let outcome = self.program_words(from, bytes);
        self.after(from, outcome)
    }
}
