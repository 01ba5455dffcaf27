//! What one hart does, from block to block: how many instructions lie between two moments at which an interrupt is served.
//!
//! The kernel runs with interrupts off and serves them in three places: it goes back to a program, it sleeps (`wfi`), or a long operation
//! looks for them (it reads `sip`). A block that is left early by a fault counts whole, so a stretch is never told too short.
//!
//! What is due when the kernel goes back to a program is served before the program's first instruction, so no block of a program is seen. The `sret` tells: one
//! that has led to a program leads to no other place.

use std::collections::{BTreeMap, BTreeSet};

/// Where the kernel's half of every address space begins.
const KERNEL: u64 = 1 << 63;
/// Where the firmware is, which has no addresses of its own.
const FIRMWARE: std::ops::Range<u64> = 0x8000_0000..0x8020_0000;

/// Stretches over this are told one by one.
pub const LIMIT: u64 = 10_000;

/// Instructions that are executed together.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Address of the first.
    pub pc: u64,
    /// How many there are.
    pub instructions: u64,
    /// How many of them come before interrupts are looked for or slept for, that one included; 0: they are not.
    pub looks_after: u64,
    /// Address of the `sret` that it ends with; 0: it does not.
    pub returns_at: u64,
}

/// See the module.
#[derive(Default, Debug)]
pub struct Hart {
    /// Whether the kernel has been where its addresses are: it begins where its image lies, which is no program.
    begun: bool,
    in_use: bool,
    now: u64,
    path: BTreeMap<u64, u64>,
    /// The `sret` that the last block ended with; 0: with none.
    returned_at: u64,
    /// Each that has led to a program.
    ways_out: BTreeSet<u64>,
    /// Stretches.
    pub stretches: u64,
    /// The longest.
    pub longest: u64,
    /// Stretches over [`LIMIT`], by where most of their instructions were: the longest of them, and how many there were.
    pub long: BTreeMap<u64, (u64, u64)>,
}

impl Hart {
    /// The hart executes a block.
    pub fn run(&mut self, block: Block) {
        let returned_at = std::mem::replace(&mut self.returned_at, block.returns_at);
        match block.pc {
            KERNEL.. => {
                self.begun = true;
                if self.ways_out.contains(&returned_at) {
                    self.end();
                }
            }
            // What the firmware does for the kernel is the kernel's time; what it does by itself while a program runs is not.
            pc if FIRMWARE.contains(&pc) => {
                if self.now == 0 {
                    return;
                }
            }
            _ => {
                if returned_at != 0 {
                    self.ways_out.insert(returned_at);
                }
                self.end();
                self.in_use = self.begun;
                return;
            }
        }
        // Before its first program a hart serves nobody.
        if !self.in_use {
            return;
        }
        *self.path.entry(block.pc).or_default() += block.instructions;
        if block.looks_after == 0 {
            self.now += block.instructions;
        } else {
            self.now += block.looks_after;
            self.end();
            self.now = block.instructions - block.looks_after;
        }
    }

    fn end(&mut self) {
        if self.now == 0 {
            return;
        }
        self.stretches += 1;
        self.longest = self.longest.max(self.now);
        if self.now > LIMIT
            && let Some((pc, _)) = self.path.iter().max_by_key(|(_, count)| **count)
        {
            let (longest, count) = self.long.entry(*pc).or_default();
            *longest = (*longest).max(self.now);
            *count += 1;
        }
        self.now = 0;
        self.path.clear();
    }
}

/// Whether an instruction goes back to where a trap came from, mostly a program: `sret`.
pub fn returns(instruction: u32) -> bool {
    instruction == 0x1020_0073
}

/// Whether an instruction sleeps or looks for interrupts: `wfi`, or a read of `sip` that writes nothing (RISC-V Privileged Architecture,
/// "Supervisor CSRs").
pub fn looks(instruction: u32) -> bool {
    const WFI: u32 = 0x1050_0073;
    const READ_SIP: u32 = 0x1440_2073;
    instruction == WFI || instruction & !(31 << 7) == READ_SIP
}
