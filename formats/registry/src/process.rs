//! The small closed vocabularies of the registry. A number that is not here is refused, never defaulted.

use bitflags::bitflags;

/// When a process is started again after it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Restart {
    /// Not at all.
    Never = 0,
    /// When it faulted, was killed, or exited with another code than 0.
    OnFailure = 1,
    /// Whenever it ends.
    Always = 2,
}

impl Restart {
    /// The rule with this number.
    pub const fn from_raw(number: u8) -> Option<Restart> {
        match number {
            0 => Some(Restart::Never),
            1 => Some(Restart::OnFailure),
            2 => Some(Restart::Always),
            _ => None,
        }
    }
}

/// When a process is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Start {
    /// At boot, in the order of the registry. The first one is the program that the kernel starts.
    Boot = 0,
    /// Only when an authorized process asks for it; one of these at a time fits in what the others leave.
    Demand = 1,
}

impl Start {
    /// The rule with this number.
    pub const fn from_raw(number: u8) -> Option<Start> {
        match number {
            0 => Some(Start::Boot),
            1 => Some(Start::Demand),
            _ => None,
        }
    }
}

/// How a client reaches a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum EdgeKind {
    /// It calls, and waits for the answer.
    Call = 1,
    /// It only sends, and never waits.
    Send = 2,
}

impl EdgeKind {
    /// The kind with this number.
    pub const fn from_raw(number: u16) -> Option<EdgeKind> {
        match number {
            1 => Some(EdgeKind::Call),
            2 => Some(EdgeKind::Send),
            _ => None,
        }
    }
}

bitflags! {
    /// What a process is handed besides its identity, its quota and its log channel.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Grants: u32 {
        /// `console`: the root resource with CONSOLE alone.
        const CONSOLE = 1 << 0;
        /// `reset`: the root resource with RESET alone.
        const RESET = 1 << 1;
        /// `boot-image`: the boot image, read and execute.
        const BOOT_IMAGE = 1 << 2;
        /// `device-tree`: the device tree, read.
        const DEVICE_TREE = 1 << 3;
        /// `kernel-stats`: the root resource with INSPECT alone.
        const KERNEL_STATS = 1 << 4;
        /// `quota`: a handle to its own quota with CHARGE, SPLIT and MANAGE, to make processes with.
        const QUOTA = 1 << 5;
        /// `root`: everything the kernel gives the first process. Only the first process can have it.
        const ROOT = 1 << 6;
        /// `minter`: what mints identities, and windows, interrupts and pools. Only a file of tests can give it.
        const MINTER = 1 << 7;
        /// `kernel-records`: the root resource with WAIT alone, to learn of what the kernel records.
        const KERNEL_RECORDS = 1 << 8;
        /// `supervise`: a channel to the first process, to ask how the others are.
        const SUPERVISE = 1 << 9;
        /// `supervise-kill`: the same, and to end them. Only a file of tests can give it.
        const SUPERVISE_KILL = 1 << 10;
        /// `observe`: with `supervise`, to see which handles each process holds.
        const OBSERVE = 1 << 11;
    }
}

impl Grants {
    /// Every grant with its name in `system.toml`.
    pub const NAMES: &'static [(&'static str, Grants)] = &[
        ("console", Grants::CONSOLE),
        ("reset", Grants::RESET),
        ("boot-image", Grants::BOOT_IMAGE),
        ("device-tree", Grants::DEVICE_TREE),
        ("kernel-stats", Grants::KERNEL_STATS),
        ("quota", Grants::QUOTA),
        ("root", Grants::ROOT),
        ("minter", Grants::MINTER),
        ("kernel-records", Grants::KERNEL_RECORDS),
        ("supervise", Grants::SUPERVISE),
        ("supervise-kill", Grants::SUPERVISE_KILL),
        ("observe", Grants::OBSERVE),
    ];
}
