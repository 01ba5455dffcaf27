//! The kernel's half of every address space (Sv39), made once at boot and never changed after: so each process can
//! copy its root entries, and no hart ever needs a fence for them.
//!
//! | from | what | rights |
//! |---|---|---|
//! | `DIRECT_BASE` | the bank of RAM, less the kernel image and what firmware forbids | RW |
//! | `DEVICE_BASE` | windows of the kernel's own devices | RW |
//! | `IMAGE_BASE` | the kernel image, part by part, less the guard pages | RX, R, RW |
//!
//! What must never happen: a page of the kernel both writable and executable, under any of its addresses.

use crate::cpu;
use crate::hart::STACKS;
use crate::mmio::Window;
use crate::tree::Machine;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use neuron_core::Cell64;
use nexus_abi::bounds::PAGE_SIZE;

/// Where the image is linked; kernel.ld has the same number.
pub const IMAGE_BASE: usize = 0xffff_ffff_8000_0000;
/// Where physical address 0 would be seen.
pub const DIRECT_BASE: usize = 0xffff_ffc0_0000_0000;
/// How much physical memory can be seen there.
pub const DIRECT_BYTES: u64 = 192 << 30;
const DEVICE_BASE: usize = 0xffff_fff0_0000_0000;
const DEVICE_BYTES: usize = 1 << 30;

/// Root entries, as boot.S needs them.
pub const IMAGE_SLOT: usize = IMAGE_BASE >> 30 & 511;
/// See [`IMAGE_SLOT`].
pub const DIRECT_SLOT: usize = DIRECT_BASE >> 30 & 511;
/// See [`IMAGE_SLOT`].
pub const DIRECT_SLOTS: usize = (DIRECT_BYTES >> 30) as usize;

const VALID: u64 = 1;
const READ: u64 = 2;
const WRITE: u64 = 4;
const EXECUTE: u64 = 8;
/// Valid in every address space, and accessed and dirty from the start.
const LEAF: u64 = VALID | 1 << 5 | 1 << 6 | 1 << 7;
const SV39: u64 = 8 << 60;
const ASID_SHIFT: u32 = 44;
const ASID_MASK: u64 = 0xffff << ASID_SHIFT;

/// A page table.
type Table = [Cell64; 512];

/// A table where the hardware wants it.
#[repr(C, align(4096))]
pub struct Page(Table);

impl Page {
    const fn empty() -> Page {
        Page([const { Cell64::new(0) }; 512])
    }
}

/// The root that boot.S loads and every process copies from.
pub static ROOT: Page = Page::empty();
/// The tables below it. The first [`BOOT_TABLES`] are filled by boot.S: they map the image.
pub static TABLES: [Page; 40] = [const { Page::empty() }; 40];
const BOOT_TABLES: usize = 3;
static TABLES_USED: AtomicUsize = AtomicUsize::new(BOOT_TABLES);
static DEVICES_END: AtomicUsize = AtomicUsize::new(DEVICE_BASE);
static IMAGE_PHYSICAL: AtomicU64 = AtomicU64::new(0);

// The ends of the image's parts, from kernel.ld. Only their addresses mean anything.
unsafe extern "C" {
    safe static image_start: u8;
    safe static text_end: u8;
    safe static rodata_end: u8;
    safe static image_end: u8;
}

fn index(address: usize, level: u32) -> usize {
    address >> (12 + 9 * level) & 511
}

fn entry(physical: u64, bits: u64) -> u64 {
    physical >> 12 << 10 | bits
}

/// The physical address of something in the kernel image.
pub fn physical(address: usize) -> u64 {
    (address - IMAGE_BASE) as u64 + IMAGE_PHYSICAL.load(Relaxed)
}

/// The physical range of the image.
pub fn image() -> Range<u64> {
    physical(&raw const image_start as usize)..physical(&raw const image_end as usize)
}

/// The root table.
pub fn root() -> &'static Table {
    &ROOT.0
}

/// The address space that has no user half.
pub fn kernel_satp() -> u64 {
    satp(physical(&raw const ROOT as usize), 0)
}

/// The address space with this root and identifier.
pub fn satp(root: u64, asid: u32) -> u64 {
    SV39 | u64::from(asid) << ASID_SHIFT & ASID_MASK | root >> 12
}

/// Gives each page of the image its own rights and takes the guard pages away. The image lies at `start`.
pub fn narrow_image(start: u64) {
    IMAGE_PHYSICAL.store(start, Relaxed);
    let text = &raw const image_start as usize..&raw const text_end as usize;
    let rodata = text.end..&raw const rodata_end as usize;
    let cell = |address: usize| &TABLES[1 + (index(address, 1) & 1)].0[index(address, 0)];
    for address in (text.start..&raw const image_end as usize).step_by(PAGE_SIZE) {
        let rights = match address {
            a if text.contains(&a) => READ | EXECUTE,
            a if rodata.contains(&a) => READ,
            _ => READ | WRITE,
        };
        cell(address).set(entry(physical(address), LEAF | rights));
    }
    for guard in STACKS.guards() {
        cell(guard).set(0);
    }
    cpu::fence_all();
}

/// Replaces boot.S's view of all physical memory by one of the bank, less what must not be seen there.
/// No reference into the old view may be alive.
pub fn map_ram(machine: &Machine) {
    for slot in DIRECT_SLOT..DIRECT_SLOT + DIRECT_SLOTS {
        ROOT.0[slot].set(0);
    }
    let page = PAGE_SIZE as u64;
    let hidden = || {
        let forbidden = machine.reserved().iter().filter(|r| r.no_map).map(|r| r.range.clone());
        forbidden.chain([image()]).map(|r| r.start / page * page..r.end.div_ceil(page) * page)
    };
    let mut at = machine.ram.start;
    while at < machine.ram.end {
        if let Some(inside) = hidden().find(|r| r.contains(&at)) {
            at = inside.end;
            continue;
        }
        let next = hidden().map(|r| r.start).filter(|s| *s > at).min().unwrap_or(u64::MAX);
        let end = next.min(machine.ram.end);
        map(DIRECT_BASE + at as usize, at, (end - at) as usize, 2);
        at = end;
    }
    cpu::fence_all();
}

/// Maps the registers of one of the kernel's own devices. Only at boot, before there is any process.
pub fn map_device(registers: Range<u64>) -> Window {
    let first = registers.start as usize / PAGE_SIZE * PAGE_SIZE;
    let bytes = (registers.end as usize).next_multiple_of(PAGE_SIZE) - first;
    let base = DEVICES_END.fetch_add(bytes, Relaxed);
    assert!(base + bytes <= DEVICE_BASE + DEVICE_BYTES, "too many device registers");
    map(base, first as u64, bytes, 0);
    cpu::fence_all();
    // SAFETY: mapped just now, at addresses given out once; the kernel's half is never unmapped.
    unsafe {
        Window::new(base + (registers.start as usize - first), (registers.end - registers.start) as usize)
    }
}

/// Maps `bytes` bytes readable and writable, with the largest pages that fit up to level `largest`.
fn map(mut address: usize, mut at: u64, mut bytes: usize, largest: u32) {
    while bytes > 0 {
        let size = |level: u32| PAGE_SIZE << (9 * level);
        let fits =
            |level: &u32| (address | at as usize).is_multiple_of(size(*level)) && bytes >= size(*level);
        let level = (0..=largest).rev().find(fits).unwrap_or(0);
        let mut table = &ROOT;
        for above in (level + 1..=2).rev() {
            table = descend(&table.0[index(address, above)]);
        }
        table.0[index(address, level)].set(entry(at, LEAF | READ | WRITE));
        address += size(level);
        at += size(level) as u64;
        bytes -= size(level).min(bytes);
    }
}

/// The table behind an entry, made if there is none.
fn descend(cell: &Cell64) -> &'static Page {
    let first = physical(&raw const TABLES as usize);
    let number = if cell.get() & VALID != 0 {
        ((cell.get() >> 10 << 12) - first) as usize / PAGE_SIZE
    } else {
        let number = TABLES_USED.fetch_add(1, Relaxed);
        assert!(number < TABLES.len(), "too many kernel page tables");
        cell.set(entry(first + (number * PAGE_SIZE) as u64, VALID));
        number
    };
    &TABLES[number]
}

/// How many bits of an address space identifier this hart remembers.
pub fn asid_bits() -> u32 {
    let own = kernel_satp();
    // SAFETY: the same root under another number.
    unsafe { cpu::set_satp(own | ASID_MASK) };
    let bits = (cpu::satp() & ASID_MASK).count_ones();
    // SAFETY: the same root.
    unsafe { cpu::set_satp(own) };
    cpu::fence_all();
    bits
}
