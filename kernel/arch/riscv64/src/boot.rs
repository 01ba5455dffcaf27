//! From the first instruction to the first thread. The boot hart reads the device tree, builds the kernel and
//! starts the other harts; each of these only goes online and looks for work.

use crate::console::{self, Line};
use crate::hart::{self, Local, SLOT_BYTES, STACKS};
use crate::paging::{self, DIRECT_BASE, DIRECT_BYTES, DIRECT_SLOT, DIRECT_SLOTS, IMAGE_BASE, IMAGE_SLOT};
use crate::platform::{KERNEL, Riscv, kernel};
use crate::tree::{self, Machine};
use crate::{cpu, plic, power, sbi, timer, trap};
use core::arch::global_asm;
use core::fmt::Write;
use core::mem::offset_of;
use core::ops::Range;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use neuron_core::memory::Memory;
use neuron_core::{BootImage, Kernel};
use nexus_abi::bounds::MAX_HARTS;

/// `sstatus` bits that the kernel runs with cleared: SIE, SPP, VS, FS, SUM, MXR.
const SSTATUS_CLEAR: usize = 1 << 1 | 1 << 8 | 3 << 9 | trap::FS | 1 << 18 | 1 << 19;

/// The id of each hart that the kernel starts, by the kernel's number for it; the rest is `NO_HART`.
static HART_IDS: [AtomicU64; MAX_HARTS] = [const { AtomicU64::new(NO_HART) }; MAX_HARTS];
const NO_HART: u64 = u64::MAX;

global_asm!(
    include_str!("boot.S"),
    root = sym paging::ROOT,
    tables = sym paging::TABLES,
    stacks = sym STACKS,
    hart_ids = sym HART_IDS,
    max_harts = const MAX_HARTS,
    image_base = const IMAGE_BASE as isize,
    image_slot = const IMAGE_SLOT,
    direct_slot = const DIRECT_SLOT,
    direct_slots = const DIRECT_SLOTS,
    slot_bytes = const SLOT_BYTES,
    local_bytes = const size_of::<Local>(),
    local_id = const offset_of!(Local, id),
    sstatus_clear = const SSTATUS_CLEAR,
    boot_main = sym boot_main,
    secondary_main = sym secondary_main,
);

unsafe extern "C" {
    safe static secondary_start: u8;
}

/// The device tree's bytes at a physical address, seen through boot.S's view of physical memory.
///
/// # Safety
/// That view must stay as it is while the bytes are used.
unsafe fn tree_bytes(at: u64) -> &'static [u8] {
    assert!(
        at != 0 && at.is_multiple_of(8) && at < DIRECT_BYTES - tree::MAX_TREE_BYTES,
        "no device tree at {at:#x}"
    );
    let start = (DIRECT_BASE + at as usize) as *const u8;
    // SAFETY: readable by the caller's promise; if there is no memory, the access faults and the kernel says so.
    let header = unsafe { slice::from_raw_parts(start, 8) };
    let Some(bytes) = tree::total_bytes(header) else { panic!("no device tree at {at:#x}") };
    // SAFETY: as above; the length is at most MAX_TREE_BYTES.
    unsafe { slice::from_raw_parts(start, bytes) }
}

/// The boot hart, in the upper half on its own stack: its id, where the device tree and the image lie.
extern "C" fn boot_main(hart_id: u64, tree_at: u64, image_at: u64) -> ! {
    let entered = cpu::time();
    paging::narrow_image(image_at);
    let image = paging::image();
    // SAFETY: `map_ram` below is what changes the view, and `machine` holds no reference.
    let bytes = unsafe { tree_bytes(tree_at) };
    let tree_range = tree_at..tree_at + bytes.len() as u64;
    let machine = match Machine::read(bytes, image, hart_id) {
        Ok(machine) => machine,
        Err(reason) => panic!("device tree: {reason}"),
    };
    let ram = &machine.ram;
    assert!(ram.end <= DIRECT_BYTES, "RAM at {:#x} is out of the kernel's reach", ram.start);
    assert!(
        ram.start <= tree_range.start && tree_range.end <= ram.end,
        "the device tree is in another bank of RAM"
    );
    paging::map_ram(&machine);
    if let Some(serial) = &machine.serial {
        console::use_port(paging::map_device(serial.base..serial.base + serial.bytes), serial);
    }
    if let Some(test) = &machine.test {
        power::use_test_device(paging::map_device(test.clone()));
    }
    if let Some(controller) = &machine.plic {
        plic::use_controller(paging::map_device(controller.window()), controller);
    }
    let asid_bits = paging::asid_bits();
    // SAFETY: this is the boot hart, no other has been started.
    let harts = unsafe { hart::make_locals() };
    timer::declare(machine.own_timers);
    let memory = take_memory(&machine, tree_range.clone());
    let platform = Riscv::new(machine.harts(), machine.barred(), machine.console());
    match Kernel::new(platform, memory, paging::root(), asid_bits, machine.timebase_hz, harts) {
        Some(kernel) => KERNEL.set(kernel),
        None => panic!("not enough memory"),
    }
    start_harts(&machine);
    let mut line = Line::new();
    let mib = (machine.ram.end - machine.ram.start) >> 20;
    let (harts, s) = (machine.harts().len(), if machine.harts().len() == 1 { "" } else { "s" });
    // What costs more than it should is worth a word.
    let timers = if (0..harts).all(timer::is_own) { "" } else { ", timers set by firmware" };
    let _ = writeln!(line, "neuron: {harts} hart{s}, {mib} MiB, asid {asid_bits} bits{timers}");
    line.print();
    let boot = BootImage { image: machine.initrd.clone(), device_tree: tree_range, entered };
    if let Err(error) = kernel().start_first(boot) {
        panic!("the first program cannot start: {error:?}");
    }
    trap::run(hart::local())
}

/// Hands core the bank, less what others own.
fn take_memory(machine: &Machine, tree: Range<u64>) -> Memory {
    let mut owned = [const { 0..0 }; Memory::MAX_RESERVED - 1];
    let others = machine.reserved().iter().map(|r| r.range.clone());
    let mut count = 0;
    for range in others.chain([paging::image(), machine.initrd.clone(), tree]) {
        owned[count] = range;
        count += 1;
    }
    let ram = &machine.ram;
    let base = (DIRECT_BASE + ram.start as usize) as *mut u8;
    // SAFETY: `map_ram` mapped the bank for ever, less what is reserved as no-map; the image, the initrd, the
    // tree and what firmware reserved are all named, and nothing else is in use.
    match unsafe { Memory::new(base, ram.start, ram.end - ram.start, &owned[..count]) } {
        Some(memory) => memory,
        None => panic!("not enough memory"),
    }
}

/// Brings every hart online.
fn start_harts(machine: &Machine) {
    for (id, &hart_id) in machine.harts().iter().enumerate() {
        HART_IDS[id].store(hart_id, Relaxed);
    }
    plic::open(0);
    timer::choose();
    kernel().hart_online(0);
    let entry = paging::physical(&raw const secondary_start as usize);
    cpu::fence();
    for &hart_id in &machine.harts()[1..] {
        if let Err(error) = sbi::start_hart(hart_id, entry) {
            panic!("firmware cannot start hart {hart_id}: {error}");
        }
    }
    // A second is a thousand times what it takes; a hart that stays away is a broken machine, not a slow one.
    let all = (1u32 << machine.harts().len()) - 1;
    let end = cpu::time() + machine.timebase_hz;
    while kernel().online() != all {
        assert!(cpu::time() < end, "harts {:#x} did not start", all & !kernel().online());
        core::hint::spin_loop();
    }
}

/// Any other hart, in the upper half on its own stack: the kernel's number for it.
extern "C" fn secondary_main(id: usize) -> ! {
    plic::open(id);
    timer::choose();
    kernel().hart_online(id);
    trap::run(hart::local())
}
