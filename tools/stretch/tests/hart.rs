//! The stretches of a hart, block by block.

#[path = "../src/hart.rs"]
mod hart;

use hart::{Block, Hart, LIMIT, looks, returns};

const KERNEL: u64 = 0xffff_ffff_8000_0000;

fn block(pc: u64, instructions: u64, looks_after: u64) -> Block {
    Block { pc, instructions, looks_after, returns_at: 0 }
}

#[test]
fn what_is_due_at_the_way_out_is_served_there_and_a_fault_of_a_copy_is_no_way_out() {
    let mut hart = Hart::default();
    let back = |pc, instructions| Block { returns_at: pc + 4, ..block(pc, instructions, 0) };
    let (way_out, fault) = (KERNEL + 0x100, KERNEL + 0x200);
    hart.run(back(way_out, 10));
    hart.run(block(0x1000, 9, 0));
    // The kernel's own faults come back to the kernel.
    hart.run(block(KERNEL, 20, 0));
    hart.run(back(fault, 5));
    hart.run(block(KERNEL, 20, 0));
    hart.run(back(way_out, 10));
    assert_eq!((hart.stretches, hart.longest), (0, 0));
    // The next interrupt comes before the program's first instruction.
    hart.run(block(KERNEL, 30, 0));
    assert_eq!((hart.stretches, hart.longest), (1, 55));
    hart.run(back(way_out, 10));
    hart.run(block(0x1000, 9, 0));
    assert_eq!((hart.stretches, hart.longest), (2, 55));
    assert!(returns(0x1020_0073) && !returns(0x3020_0073) && !returns(0x1050_0073));
}

#[test]
fn a_stretch_is_from_one_moment_of_service_to_the_next() {
    let mut hart = Hart::default();
    // Before the first program nothing counts, also not the kernel's boot, which begins where its image lies.
    hart.run(block(0x8020_0000, 300, 0));
    hart.run(block(KERNEL, 500, 0));
    assert_eq!((hart.stretches, hart.longest), (0, 0));
    hart.run(block(0x1000, 9, 0));
    // Firmware by itself, then the kernel with what firmware does for it.
    hart.run(block(0x8000_0100, 70, 0));
    hart.run(block(KERNEL, 20, 0));
    hart.run(block(0x8000_0100, 30, 0));
    hart.run(block(KERNEL + 64, 5, 0));
    hart.run(block(0x1000, 9, 0));
    assert_eq!((hart.stretches, hart.longest), (1, 55));
    // Looking for interrupts ends one and begins another.
    hart.run(block(KERNEL, 60, 40));
    hart.run(block(KERNEL, 10, 0));
    hart.run(block(0x1000, 9, 0));
    assert_eq!((hart.stretches, hart.longest), (3, 55));
}

#[test]
fn long_ones_are_told_by_where_they_spent_most() {
    let mut hart = Hart::default();
    hart.run(block(KERNEL, 1, 0));
    hart.run(block(0x1000, 1, 0));
    for length in [LIMIT, LIMIT + 1, LIMIT + 7] {
        hart.run(block(KERNEL, length - 3, 0));
        hart.run(block(KERNEL + 8, 3, 0));
        hart.run(block(0x1000, 1, 0));
    }
    assert_eq!(hart.long.into_iter().collect::<Vec<_>>(), [(KERNEL, (LIMIT + 7, 2))]);
}

#[test]
fn sleeping_and_reading_sip_serve_interrupts_and_nothing_else_does() {
    // wfi; csrr a0, sip; csrr zero, sip; csrr a0, sie; csrc sip, a0; nop.
    let cases = [
        (0x1050_0073, true),
        (0x1440_2573, true),
        (0x1440_2073, true),
        (0x1040_2573, false),
        (0x1445_3073, false),
        (0x13, false),
    ];
    for (instruction, expected) in cases {
        assert_eq!(looks(instruction), expected, "{instruction:#x}");
    }
}
