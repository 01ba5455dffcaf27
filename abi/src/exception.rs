//! The exceptions that end a program, in words.

/// What an exception number (`scause`) of the RISC-V privileged specification means.
pub const fn exception(code: u64) -> &'static str {
    match code {
        0 => "misaligned instruction address",
        1 => "instruction access fault",
        2 => "illegal instruction",
        3 => "breakpoint",
        4 => "misaligned load",
        5 => "load access fault",
        6 => "misaligned store",
        7 => "store access fault",
        12 => "instruction page fault",
        13 => "load page fault",
        15 => "store page fault",
        _ => "unknown exception",
    }
}
