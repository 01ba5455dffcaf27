//! What the device tree says of the machine: the only source of addresses, harts and frequencies.
//!
//! The tree comes from outside the kernel and is believed in nothing: what is missing or contradicts itself is an
//! error with a reason, never a panic in here and never a guess. No reference into the tree survives the reading.

pub mod plic;

use core::ops::Range;
use nexus_abi::bounds::{MAX_HARTS, PAGE_SIZE};
use nexus_devicetree::dtoolkit::fdt::{Fdt, FdtNode};
use nexus_devicetree::dtoolkit::standard::NodeStandard;
use nexus_devicetree::dtoolkit::{Node, Property};
use nexus_devicetree::{Found, Reason, cells, for_each_reg, is_plic, number, usable, visit};

pub use plic::Plic;

/// Largest device tree, in bytes.
pub const MAX_TREE_BYTES: u64 = 1 << 20;
/// Most ranges that firmware can reserve.
pub const MAX_RESERVED: usize = 12;
/// Most ranges that no program gets.
pub const MAX_BARRED: usize = 32;

/// A range of physical memory that firmware keeps or describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// Where.
    pub range: Range<u64>,
    /// Whether it must not even be mapped.
    pub no_map: bool,
}

/// A serial port of the ns16550a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    /// Physical address.
    pub base: u64,
    /// Bytes of its window.
    pub bytes: u64,
    /// Registers lie `1 << shift` bytes apart.
    pub shift: u32,
    /// Bytes of one register access: 1 or 4.
    pub width: u32,
}

/// How many bytes a tree says it has, if its first 8 bytes are those of a tree of acceptable size.
pub fn total_bytes(header: &[u8]) -> Option<usize> {
    let (magic, total) = header.split_first_chunk::<4>()?;
    let total = u32::from_be_bytes(*total.first_chunk()?);
    (u32::from_be_bytes(*magic) == 0xd00d_feed && u64::from(total) <= MAX_TREE_BYTES)
        .then_some(total as usize)
}

/// The machine, as far as the kernel needs to know it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The bank of RAM that holds the kernel, whole pages. Other banks are not used.
    pub ram: Range<u64>,
    /// What firmware reserved, the first `reserved_count` of them.
    reserved: [Reserved; MAX_RESERVED],
    reserved_count: usize,
    /// Hart ids, the boot hart's first. Harts past [`MAX_HARTS`] are not used.
    harts: [u64; MAX_HARTS],
    hart_count: usize,
    /// Which of them have a timer of their own (the Sstc extension), one bit each.
    pub own_timers: u32,
    /// Ticks of the time counter a second.
    pub timebase_hz: u64,
    /// The first serial port.
    pub serial: Option<Serial>,
    /// The window of the test device, which ends the machine.
    pub test: Option<Range<u64>>,
    /// The interrupt controller.
    pub plic: Option<Plic>,
    /// What no program gets a window of: memory, and the devices of kernel and firmware. The first `barred_count` of them.
    barred: [Range<u64>; MAX_BARRED],
    barred_count: usize,
    /// The boot image that the loader placed in RAM.
    pub initrd: Range<u64>,
}

impl Machine {
    /// The ranges that firmware reserved.
    pub fn reserved(&self) -> &[Reserved] {
        &self.reserved[..self.reserved_count]
    }

    /// What no program gets a window of.
    pub fn barred(&self) -> &[Range<u64>] {
        &self.barred[..self.barred_count]
    }

    /// The pages of the serial port that a driver may take over: one whose registers are bytes side by side. Others stay the kernel's.
    pub fn console(&self) -> Range<u64> {
        match &self.serial {
            Some(Serial { base, bytes, shift: 0, width: 1 }) => {
                let page = PAGE_SIZE as u64;
                let end = base.saturating_add(*bytes).checked_next_multiple_of(page).unwrap_or(*base);
                base / page * page..end
            }
            _ => 0..0,
        }
    }

    /// The ids of the harts that will run, the boot hart's first.
    pub fn harts(&self) -> &[u64] {
        &self.harts[..self.hart_count]
    }

    /// Reads the tree. `kernel` is where the kernel image lies, `boot_hart` the hart that reads.
    pub fn read(tree: &[u8], kernel: Range<u64>, boot_hart: u64) -> Result<Machine, Reason> {
        let tree = Fdt::new(tree).map_err(|_| "malformed")?;
        let root = tree.root();
        let cpus = root.child("cpus").ok_or("no /cpus")?;
        let chosen = root.child("chosen").ok_or("no /chosen")?;
        let mut machine = Machine {
            ram: find_bank(&root, &kernel)?,
            reserved: [const { Reserved { range: 0..0, no_map: false } }; MAX_RESERVED],
            reserved_count: 0,
            harts: [boot_hart; MAX_HARTS],
            hart_count: 1,
            own_timers: 0,
            timebase_hz: number(&cpus, "timebase-frequency")
                .filter(|hz| *hz != 0)
                .ok_or("no timebase-frequency")?,
            serial: None,
            test: None,
            plic: None,
            barred: [const { 0..0 }; MAX_BARRED],
            barred_count: 0,
            initrd: number(&chosen, "linux,initrd-start").ok_or("no initrd")?
                ..number(&chosen, "linux,initrd-end").ok_or("no initrd")?,
        };
        for reservation in tree.memory_reservations() {
            machine.reserve(reservation.address(), reservation.size(), false)?;
        }
        for node in root.child("reserved-memory").iter().flat_map(|n| n.children()) {
            let no_map = node.property("no-map").is_some();
            for_each_reg(&node, |start, bytes| machine.reserve(start, bytes, no_map))?;
        }
        machine.add_harts(&cpus, boot_hart)?;
        for node in root.children().filter(|n| n.name_without_address() == "memory") {
            for_each_reg(&node, |start, bytes| machine.bar(start, bytes))?;
        }
        let mut outcome = Ok(());
        visit(&root, &mut |found| outcome = outcome.and(machine.add_device(&cpus, found)))?;
        outcome?;
        let initrd = &machine.initrd;
        if initrd.start >= initrd.end || initrd.start < machine.ram.start || initrd.end > machine.ram.end {
            return Err("the initrd is not in the kernel's bank of RAM");
        }
        if initrd.start < kernel.end && kernel.start < initrd.end {
            return Err("the initrd overlaps the kernel");
        }
        Ok(machine)
    }

    fn reserve(&mut self, start: u64, bytes: u64, no_map: bool) -> Result<(), Reason> {
        let end = start.checked_add(bytes).ok_or("a reserved range wraps")?;
        let slot = self.reserved.get_mut(self.reserved_count).ok_or("too many reserved ranges")?;
        *slot = Reserved { range: start..end, no_map };
        self.reserved_count += 1;
        self.bar(start, bytes)
    }

    fn bar(&mut self, start: u64, bytes: u64) -> Result<(), Reason> {
        let end = start.checked_add(bytes).ok_or("a range wraps")?;
        *self.barred.get_mut(self.barred_count).ok_or("too many ranges that belong to the kernel")? =
            start..end;
        self.barred_count += 1;
        Ok(())
    }

    fn add_harts(&mut self, cpus: &FdtNode<'_>, boot_hart: u64) -> Result<(), Reason> {
        let mut boot_hart_seen = false;
        for cpu in cpus.children().filter(|n| n.name_without_address() == "cpu") {
            let id = cpu.property("reg").and_then(|p| cells(p.value())).ok_or("a hart without an id")?;
            let paged = cpu.property("mmu-type").is_some_and(|p| p.value().starts_with(b"riscv,sv"));
            let own_timer = u32::from(has_extension(&cpu, "sstc"));
            if id == boot_hart {
                boot_hart_seen = true;
                self.own_timers |= own_timer;
            }
            if id == boot_hart || !paged || !usable(&cpu) || self.hart_count == MAX_HARTS {
                continue;
            }
            if self.harts().contains(&id) {
                return Err("two harts with one id");
            }
            self.harts[self.hart_count] = id;
            self.own_timers |= own_timer << self.hart_count;
            self.hart_count += 1;
        }
        if boot_hart_seen { Ok(()) } else { Err("the boot hart is not in it") }
    }

    fn add_device(&mut self, cpus: &FdtNode<'_>, found: &Found<'_, '_>) -> Result<(), Reason> {
        let Found { node, base, bytes, .. } = *found;
        if self.serial.is_none() && node.is_compatible("ns16550a") {
            let shift = number(node, "reg-shift").unwrap_or(0);
            let width = number(node, "reg-io-width").unwrap_or(1);
            // The kernel touches registers 0 (data) and 5 (line status).
            if shift <= 3 && (width == 1 || (width == 4 && shift >= 2)) && bytes >= (5 << shift) + width {
                self.serial = Some(Serial { base, bytes, shift: shift as u32, width: width as u32 });
                self.bar(base, bytes)?;
            }
        }
        if self.test.is_none() && node.is_compatible("sifive,test0") && bytes >= 4 && base.is_multiple_of(4) {
            self.test = Some(base..base.saturating_add(bytes));
            self.bar(base, bytes)?;
        }
        let timer = node.is_compatible("riscv,clint0") || node.is_compatible("sifive,clint0");
        if timer || node.property("interrupt-controller").is_some() {
            self.bar(base, bytes)?;
        }
        if self.plic.is_none() && is_plic(node) {
            self.plic = plic::read(node, cpus, self.harts(), base, bytes);
        }
        Ok(())
    }
}

/// Whether a hart is said to have an extension of several letters, in either of the two spellings that there are: one text with `_`
/// between, or a list.
fn has_extension(cpu: &FdtNode<'_>, name: &str) -> bool {
    let among = |property: &str, between: u8| {
        let value = cpu.property(property);
        value.is_some_and(|p| {
            p.value()
                .split(|b| *b == between || *b == 0)
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        })
    };
    among("riscv,isa", b'_') || among("riscv,isa-extensions", 0)
}

/// The bank of RAM that holds the kernel, cut to whole pages.
fn find_bank(root: &FdtNode<'_>, kernel: &Range<u64>) -> Result<Range<u64>, Reason> {
    let mut bank = None;
    for node in root.children().filter(|n| n.name_without_address() == "memory" && usable(n)) {
        for_each_reg(&node, |start, bytes| {
            let end = start.checked_add(bytes).ok_or("a bank of RAM wraps")?;
            if start <= kernel.start && kernel.end <= end {
                let page = PAGE_SIZE as u64;
                bank = Some(start.next_multiple_of(page)..end / page * page);
            }
            Ok(())
        })?;
    }
    bank.ok_or("no bank of RAM holds the kernel")
}

#[cfg(test)]
mod tests;
