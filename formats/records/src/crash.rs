//! A record of a process that faulted: who, where, and what its registers were.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::{kept, open, seal};
use crate::{MAX_NAME, VERSION};

const MAGIC: [u8; 4] = *b"NXCR";

/// Registers of a thread, but the one that is always 0.
pub const REGISTERS: usize = 31;

/// The record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// When, in ticks since the machine was switched on.
    pub time: u64,
    /// Ticks a second.
    pub hz: u64,
    /// When, in seconds since 1970; 0: nobody knew.
    pub unix: u64,
    /// The number of the exception.
    pub code: u64,
    /// Where its program stood.
    pub pc: u64,
    /// What it touched.
    pub address: u64,
    /// `x1` to `x31`.
    pub registers: [u64; REGISTERS],
    /// The beginning of the digest of the boot image that its program came from.
    pub image: [u8; 16],
    /// Its service id.
    pub service: u32,
    /// Which instance it was.
    pub generation: u32,
    /// Its canonical name.
    pub name: String,
    /// The name of its program in the image.
    pub program: String,
}

impl Crash {
    /// As bytes. Names that are too long are cut.
    pub fn encode(&self) -> Vec<u8> {
        let (name, program) = (kept(&self.name, MAX_NAME), kept(&self.program, MAX_NAME));
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend([name.len() as u8, program.len() as u8]);
        let numbers = [self.time, self.hz, self.unix, self.code, self.pc, self.address];
        numbers.iter().chain(&self.registers).for_each(|number| out.extend(number.to_le_bytes()));
        out.extend(self.image);
        out.extend(self.service.to_le_bytes());
        out.extend(self.generation.to_le_bytes());
        out.extend(name.as_bytes());
        out.extend(program.as_bytes());
        seal(&mut out);
        out
    }

    /// The record that these bytes are, if they are one.
    pub fn decode(bytes: &[u8]) -> Option<Crash> {
        let mut from = open(bytes)?;
        if from.array()? != MAGIC || from.u16()? != VERSION {
            return None;
        }
        let (name, program) = (from.u8()?, from.u8()?);
        let [time, hz, unix, code, pc, address] =
            [from.u64()?, from.u64()?, from.u64()?, from.u64()?, from.u64()?, from.u64()?];
        let mut registers = [0; REGISTERS];
        for register in &mut registers {
            *register = from.u64()?;
        }
        let (image, service, generation) = (from.array()?, from.u32()?, from.u32()?);
        let name = from.text(name.into(), MAX_NAME)?;
        let program = from.text(program.into(), MAX_NAME)?;
        let crash =
            Crash { time, hz, unix, code, pc, address, registers, image, service, generation, name, program };
        from.0.is_empty().then_some(crash)
    }
}
