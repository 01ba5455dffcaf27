//! What the kernel's instructions on a path are: loads, stores, accesses of control registers, atomics and fences, which cost a real core
//! more than others. Counted in the recount's trace, so that no table of them is anybody's guess.

use std::collections::HashMap;

use object::{Object, ObjectSection, SectionKind};

/// What an instruction does, as far as it is told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Reads memory.
    Load,
    /// Writes memory.
    Store,
    /// Reads or writes a control register.
    Csr,
    /// Reads and writes memory at once.
    Atomic,
    /// Orders memory, or drops translations.
    Fence,
    /// Anything else.
    Other,
}

/// How many of each sort there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// All instructions.
    pub all: u64,
    /// Loads.
    pub loads: u64,
    /// Stores.
    pub stores: u64,
    /// Accesses of control registers.
    pub csrs: u64,
    /// Atomics.
    pub atomics: u64,
    /// Fences.
    pub fences: u64,
}

impl Counts {
    /// All of them, in the order of a table's columns.
    pub fn numbers(&self) -> [u64; 6] {
        [self.all, self.loads, self.stores, self.csrs, self.atomics, self.fences]
    }

    /// One more.
    pub fn add(&mut self, sort: Sort) {
        self.all += 1;
        match sort {
            Sort::Load => self.loads += 1,
            Sort::Store => self.stores += 1,
            Sort::Csr => self.csrs += 1,
            Sort::Atomic => self.atomics += 1,
            Sort::Fence => self.fences += 1,
            Sort::Other => {}
        }
    }
}

/// What the instruction of this word is (its low half alone, if it has 16 bits).
fn sort(word: u32) -> Sort {
    if word & 3 != 3 {
        return match (word & 3, word >> 13 & 7) {
            (0 | 2, 1..=3) => Sort::Load,
            (0 | 2, 5..=7) => Sort::Store,
            _ => Sort::Other,
        };
    }
    match (word & 0x7f, word >> 12 & 7) {
        (0x03 | 0x07, _) => Sort::Load,
        (0x23 | 0x27, _) => Sort::Store,
        (0x2f, _) => Sort::Atomic,
        (0x0f, _) => Sort::Fence,
        (0x73, 0) if word >> 25 == 9 => Sort::Fence,
        (0x73, 1..) => Sort::Csr,
        _ => Sort::Other,
    }
}

/// The sort of every instruction of an ELF file's code, by address.
pub fn sorts(file: &[u8]) -> Option<HashMap<u64, Sort>> {
    let elf = object::File::parse(file).ok()?;
    let mut sorts = HashMap::new();
    for section in elf.sections().filter(|section| section.kind() == SectionKind::Text) {
        let code = section.data().ok()?;
        let half = |at: usize| Some(u16::from_le_bytes([*code.get(at)?, *code.get(at + 1)?]) as u32);
        let mut at = 0;
        while let Some(low) = half(at) {
            let long = low & 3 == 3;
            let word = if long { low | half(at + 2).unwrap_or_default() << 16 } else { low };
            sorts.insert(section.address() + at as u64, sort(word));
            at += if long { 4 } else { 2 };
        }
    }
    (!sorts.is_empty()).then_some(sorts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_is_known_in_both_lengths() {
        let cases = [
            (0x0005_3503, Sort::Load),   // ld a0, 0(a0)
            (0x6108, Sort::Load),        // c.ld a0, 0(a0)
            (0x60a2, Sort::Load),        // c.ldsp ra, 8(sp)
            (0x00a5_3023, Sort::Store),  // sd a0, 0(a0)
            (0xe108, Sort::Store),       // c.sd a0, 0(a0)
            (0xe406, Sort::Store),       // c.sdsp ra, 8(sp)
            (0x1805_1073, Sort::Csr),    // csrw satp, a0
            (0x1410_2573, Sort::Csr),    // csrr a0, sepc
            (0x44b6_b5af, Sort::Atomic), // amoor.d.aq a1, a1, (a3)
            (0x1800_302f, Sort::Atomic), // sc.d zero, zero, (zero)
            (0x0310_000f, Sort::Fence),  // fence rw, w
            (0x1200_0073, Sort::Fence),  // sfence.vma
            (0x1020_0073, Sort::Other),  // sret
            (0x0000_0073, Sort::Other),  // ecall
            (0x852e, Sort::Other),       // c.mv a0, a1
            (0x0505, Sort::Other),       // c.addi a0, 1
        ];
        for (word, expected) in cases {
            assert_eq!(sort(word), expected, "{word:#x}");
        }
    }
}
