//! The reader against trees made here: what it takes from a good one, what it refuses, and that no change of a byte
//! makes it panic.

use super::*;
use dtoolkit::memreserve::MemoryReservation;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use nexus_devicetree::MAX_BUS_DEPTH;

const KERNEL: Range<u64> = 0x4020_0000..0x4030_0000;

fn property(name: &str, value: impl dtoolkit::ToPropertyValue) -> DeviceTreeProperty {
    DeviceTreeProperty::new(name, value).unwrap()
}

fn node<const P: usize, const C: usize>(
    name: &str,
    properties: [DeviceTreeProperty; P],
    children: [DeviceTreeNode; C],
) -> DeviceTreeNode {
    let node = DeviceTreeNode::builder(name).unwrap();
    let node = properties.into_iter().fold(node, |n, p| n.property(p));
    children.into_iter().fold(node, |n, c| n.child(c)).build()
}

fn cpu(id: u32, mmu: &str, status: &str) -> DeviceTreeNode {
    let properties = [property("reg", id), property("mmu-type", mmu), property("status", status)];
    let local = [property("interrupt-controller", &[][..] as &[u8]), property("phandle", id + 100)];
    node(&format!("cpu@{id:x}"), properties, [node("interrupt-controller", local, [])])
}

fn reg(start: u64, bytes: u64) -> DeviceTreeProperty {
    property("reg", [(start >> 32) as u32, start as u32, (bytes >> 32) as u32, bytes as u32])
}

/// Two banks, five harts of which three can be used, a bus that shifts addresses.
fn board() -> DeviceTree {
    let mut tree = DeviceTree::new();
    let cells = [property("#address-cells", 2u32), property("#size-cells", 2u32)];
    let bus_cells = [property("#address-cells", 1u32), property("#size-cells", 1u32)];
    let ranges = property("ranges", [0x1000u32, 0, 0x9000_0000, 0x10_0000]);
    let serial = node(
        "serial@2000",
        [
            property("compatible", "acme,uart\0ns16550a"),
            property("reg", [0x2000u32, 0x100]),
            property("reg-shift", 2u32),
        ],
        [],
    );
    let outside =
        node("serial@800", [property("compatible", "ns16550a"), property("reg", [0x800u32, 0x100])], []);
    let test =
        node("test@5000", [property("compatible", "sifive,test0"), property("reg", [0x5000u32, 0x1000])], []);
    let bus_properties = bus_cells.into_iter().chain([ranges]).collect::<Vec<_>>().try_into();
    let bus_properties: [DeviceTreeProperty; 3] = bus_properties.ok().unwrap();
    let cpus = [
        cpu(4, "riscv,sv39", "okay"),
        cpu(9, "riscv,sv48", "okay"),
        cpu(7, "riscv,none", "okay"),
        cpu(8, "riscv,sv39", "disabled"),
        cpu(70, "riscv,sv57", "okay"),
    ];
    let cpu_cells = [property("#address-cells", 1u32), property("#size-cells", 0u32)];
    let [cpu_address, cpu_size] = cpu_cells;
    let cpus = node("cpus", [cpu_address, cpu_size, property("timebase-frequency", 1_000_000u32)], cpus);
    let chosen =
        [property("linux,initrd-start", 0x4100_0000u32), property("linux,initrd-end", 0x4100_1234u64)];
    let reserved_cells = [
        property("#address-cells", 2u32),
        property("#size-cells", 2u32),
        property("ranges", &[][..] as &[u8]),
    ];
    let firmware =
        node("firmware@40000000", [reg(0x4000_0000, 0x8_0000), property("no-map", &[][..] as &[u8])], []);
    let kept = node("log@47000000", [reg(0x4700_0000, 0x1000)], []);
    tree.root = node(
        "",
        cells,
        [
            node("memory@20000000", [reg(0x2000_0000, 0x1000_0000)], []),
            node("memory@40000000", [reg(0x4000_0000, 0x800_0123)], []),
            cpus,
            node("chosen", chosen, []),
            node("reserved-memory", reserved_cells, [firmware, kept]),
            node("bus@90000000", bus_properties, [outside, serial, test]),
        ],
    );
    tree.memory_reservations.push(MemoryReservation::new(0x4600_0000, 0x2000));
    tree
}

fn read(tree: &DeviceTree) -> Result<Machine, Reason> {
    Machine::read(&tree.to_dtb(), KERNEL, 9)
}

/// What the reader says of the board after a change.
fn refused(change: impl FnOnce(&mut DeviceTree)) -> Reason {
    let mut tree = board();
    change(&mut tree);
    read(&tree).unwrap_err()
}

fn set(tree: &mut DeviceTree, path: &str, name: &str, value: impl dtoolkit::ToPropertyValue) {
    let node = tree.find_node_mut(path).unwrap();
    node.remove_property(name);
    node.add_property(property(name, value));
}

#[test]
fn a_board_is_read_whole() {
    let machine = read(&board()).unwrap();
    assert_eq!(machine.ram, 0x4000_0000..0x4800_0000);
    assert_eq!(machine.harts(), [9, 4, 70], "the boot hart first, then what can page");
    assert_eq!(machine.timebase_hz, 1_000_000);
    assert_eq!(machine.serial, Some(Serial { base: 0x9000_1000, bytes: 0x100, shift: 2, width: 1 }));
    assert_eq!(machine.test, Some(0x9000_4000..0x9000_5000));
    assert_eq!(machine.initrd, 0x4100_0000..0x4100_1234);
    let reserved: Vec<_> = machine.reserved().iter().map(|r| (r.range.clone(), r.no_map)).collect();
    let expected = [
        (0x4600_0000..0x4600_2000, false),
        (0x4000_0000..0x4008_0000, true),
        (0x4700_0000..0x4700_1000, false),
    ];
    assert_eq!(reserved, expected);
}

/// A controller for three harts (machine and supervisor mode of each), as a child of the root.
fn controller(wiring: &[u32]) -> DeviceTreeNode {
    let bytes: Vec<u8> = wiring.iter().flat_map(|cell| cell.to_be_bytes()).collect();
    let properties = [
        property("compatible", "acme,plic\0riscv,plic0"),
        property("interrupt-controller", &[][..] as &[u8]),
        property("riscv,ndev", 95u32),
        property("interrupts-extended", &bytes[..]),
        reg(0xc00_0000, 0x20_6000),
    ];
    node("plic@c000000", properties, [])
}

#[test]
fn no_program_gets_memory_or_what_the_kernel_uses() {
    let mut tree = board();
    tree.root.add_child(controller(&[104, 11, 104, 9, 109, 11, 109, 9, 170, 11, 170, 9]));
    tree.root.add_child(node(
        "clint@2000000",
        [property("compatible", "riscv,clint0"), reg(0x200_0000, 0x1_0000)],
        [],
    ));
    let machine = read(&tree).unwrap();
    let barred: Vec<_> = machine.barred().iter().map(|r| (r.start, r.end)).collect();
    let expected = [
        (0x4600_0000, 0x4600_2000),
        (0x4000_0000, 0x4008_0000),
        (0x4700_0000, 0x4700_1000),
        (0x2000_0000, 0x3000_0000),
        (0x4000_0000, 0x4800_0123),
        (0x9000_1000, 0x9000_1100),
        (0x9000_4000, 0x9000_5000),
        (0xc00_0000, 0xc20_6000),
        (0x200_0000, 0x201_0000),
    ];
    assert_eq!(barred, expected);
    for n in barred.len()..MAX_BARRED {
        tree.root.add_child(node(&format!("memory@{n:x}"), [reg(0x1_0000_0000 + n as u64, 1)], []));
    }
    assert!(read(&tree).is_ok());
    tree.root.add_child(node("memory@ff", [reg(0x2_0000_0000, 1)], []));
    assert_eq!(read(&tree).unwrap_err(), "too many ranges that belong to the kernel");
}

#[test]
fn a_controller_is_used_when_it_serves_every_hart() {
    let with = |wiring: &[u32], change: &dyn Fn(&mut DeviceTree)| {
        let mut tree = board();
        tree.root.add_child(controller(wiring));
        change(&mut tree);
        read(&tree).unwrap().plic
    };
    let all = [104, 11, 104, 9, 109, 11, 109, 9, 170, 11, 170, 9];
    let plic = with(&all, &|_| ()).expect("a controller");
    // The boot hart, 9, comes first.
    assert_eq!((plic.base, plic.sources, &plic.contexts[..3]), (0xc00_0000, 95, &[3, 1, 5][..]));
    assert_eq!(plic.window(), 0xc00_0000..0xc20_6000, "exactly the registers of its contexts");
    assert_eq!(with(&all[..10], &|_| ()), None, "one hart is not served");
    assert_eq!(with(&[104, 11, 104, 9, 109, 11, 109, 9, 170, 11, 170, 10], &|_| ()), None);
    assert_eq!(with(&[], &|_| ()), None);
    let set_plic = |name, value: u32| move |t: &mut DeviceTree| set(t, "/plic@c000000", name, value);
    assert_eq!(with(&all, &set_plic("riscv,ndev", 0)), None);
    assert_eq!(with(&all, &set_plic("riscv,ndev", 1024)), None, "past the bound");
    assert!(with(&all, &set_plic("riscv,ndev", 1023)).is_some());
    let narrow = |t: &mut DeviceTree| {
        let node = t.find_node_mut("/plic@c000000").unwrap();
        node.remove_property("reg");
        node.add_property(reg(0xc00_0000, 0x20_5fff));
    };
    assert_eq!(with(&all, &narrow), None, "its window ends before its last context");
}

#[test]
fn what_is_missing_has_a_reason() {
    let remove = |path: &'static str, name: &'static str| {
        move |t: &mut DeviceTree| drop(t.find_node_mut(path).unwrap().remove_property(name))
    };
    assert_eq!(refused(|t| drop(t.root.remove_child("cpus"))), "no /cpus");
    assert_eq!(refused(|t| drop(t.root.remove_child("chosen"))), "no /chosen");
    assert_eq!(refused(remove("/chosen", "linux,initrd-start")), "no initrd");
    assert_eq!(refused(remove("/chosen", "linux,initrd-end")), "no initrd");
    assert_eq!(refused(remove("/cpus", "timebase-frequency")), "no timebase-frequency");
    assert_eq!(refused(remove("/cpus/cpu@4", "reg")), "a hart without an id");
    assert_eq!(refused(|t| drop(t.root.remove_child("memory@40000000"))), "no bank of RAM holds the kernel");
    let no_devices = |t: &mut DeviceTree| drop(t.root.remove_child("bus@90000000"));
    let mut tree = board();
    no_devices(&mut tree);
    let machine = read(&tree).unwrap();
    assert_eq!((machine.serial, machine.test), (None, None));
}

#[test]
fn what_contradicts_itself_has_a_reason() {
    assert_eq!(refused(|t| set(t, "/cpus", "timebase-frequency", 0u32)), "no timebase-frequency");
    assert_eq!(refused(|t| set(t, "/cpus/cpu@9", "reg", 5u32)), "the boot hart is not in it");
    assert_eq!(refused(|t| set(t, "/cpus/cpu@46", "reg", 4u32)), "two harts with one id");
    let end = |end: u64| move |t: &mut DeviceTree| set(t, "/chosen", "linux,initrd-end", end);
    assert_eq!(refused(end(0x4100_0000)), "the initrd is not in the kernel's bank of RAM");
    assert_eq!(refused(end(0x4800_0001)), "the initrd is not in the kernel's bank of RAM");
    assert_eq!(
        refused(|t| set(t, "/chosen", "linux,initrd-start", 0x402f_ffffu64)),
        "the initrd overlaps the kernel"
    );
    let wraps = |t: &mut DeviceTree| t.memory_reservations.push(MemoryReservation::new(u64::MAX, 2));
    assert_eq!(refused(wraps), "a reserved range wraps");
    let bank =
        |t: &mut DeviceTree| t.find_node_mut("/memory@20000000").unwrap().add_property(reg(u64::MAX, 2));
    assert_eq!(refused(bank), "a bank of RAM wraps");
    assert_eq!(Machine::read(&[], KERNEL, 9).unwrap_err(), "malformed");
}

#[test]
fn a_timer_of_its_own_is_believed_hart_by_hart_in_both_spellings() {
    let with = |path: &str, name: &str, value: &[u8]| {
        let mut tree = board();
        set(&mut tree, path, name, value);
        read(&tree).unwrap().own_timers
    };
    // The boot hart, 9, is the kernel's first; 4 and 70 follow.
    assert_eq!(read(&board()).unwrap().own_timers, 0);
    assert_eq!(with("/cpus/cpu@9", "riscv,isa", b"rv64imafdc_zicsr_sstc\0"), 1);
    assert_eq!(with("/cpus/cpu@4", "riscv,isa", b"rv64imac_Sstc_svpbmt\0"), 1 << 1);
    assert_eq!(with("/cpus/cpu@46", "riscv,isa-extensions", b"i\0m\0sstc\0zba\0"), 1 << 2);
    assert_eq!(with("/cpus/cpu@7", "riscv,isa", b"rv64imac_sstc\0"), 0, "a hart that is not used");
    for other in [&b"rv64imac_sstcx\0"[..], b"rv64imacsstc\0", b"rv64imac_s_stc\0", b""] {
        assert_eq!(with("/cpus/cpu@9", "riscv,isa", other), 0);
    }
}

#[test]
fn reserved_ranges_have_a_bound() {
    let with = |count: usize| {
        let mut tree = board();
        let range = |n: usize| MemoryReservation::new(0x4500_0000 + n as u64 * 4096, 4096);
        tree.memory_reservations = (0..count - 2).map(range).collect();
        read(&tree).map(|m| m.reserved().len())
    };
    assert_eq!(with(MAX_RESERVED), Ok(MAX_RESERVED));
    assert_eq!(with(MAX_RESERVED + 1), Err("too many reserved ranges"));
}

#[test]
fn harts_past_the_bound_are_not_used() {
    let mut tree = board();
    let cpus = tree.root.child_mut("cpus").unwrap();
    (100..100 + MAX_HARTS as u32).for_each(|id| cpus.add_child(cpu(id, "riscv,sv39", "okay")));
    assert_eq!(read(&tree).unwrap().harts(), [9, 4, 70, 100, 101, 102, 103, 104]);
}

#[test]
fn buses_nest_to_the_bound() {
    let with = |depth: usize| {
        let mut tree = board();
        let mut inner = tree.root.remove_child("bus@90000000").unwrap();
        for n in 1..depth {
            let cells = [
                property("#address-cells", 2u32),
                property("#size-cells", 2u32),
                property("ranges", &[][..] as &[u8]),
            ];
            inner = node(&format!("bus{n}"), cells, [inner]);
        }
        tree.root.add_child(inner);
        read(&tree).map(|m| m.test.map(|t| t.start))
    };
    assert_eq!(with(MAX_BUS_DEPTH), Ok(Some(0x9000_4000)));
    assert_eq!(with(MAX_BUS_DEPTH + 1), Err("buses nest too deep"));
}

#[test]
fn only_a_serial_port_that_can_be_driven_is_taken() {
    let serial = |name: &str, value: u32| {
        let mut tree = board();
        set(&mut tree, "/bus@90000000/serial@2000", name, value);
        read(&tree).unwrap().serial.map(|s| (s.shift, s.width))
    };
    assert_eq!(serial("reg-io-width", 4), Some((2, 4)));
    assert_eq!(serial("reg-io-width", 2), None);
    assert_eq!(serial("reg-shift", 3), Some((3, 1)));
    assert_eq!(serial("reg-shift", 4), None);
    let mut tree = board();
    set(&mut tree, "/bus@90000000/serial@2000", "reg", [0x2000u32, 20]);
    assert_eq!(read(&tree).unwrap().serial, None, "the line status register is outside");
    set(&mut tree, "/bus@90000000/serial@2000", "reg", [0x2000u32, 21]);
    assert!(read(&tree).unwrap().serial.is_some());
}

#[test]
fn a_size_is_believed_to_its_bound() {
    let header = |total: u32| [0xd00d_feed_u32.to_be_bytes(), total.to_be_bytes()].concat();
    assert_eq!(total_bytes(&header(MAX_TREE_BYTES as u32)), Some(MAX_TREE_BYTES as usize));
    assert_eq!(total_bytes(&header(MAX_TREE_BYTES as u32 + 1)), None);
    assert_eq!(total_bytes(&header(100)[..7]), None);
    assert_eq!(total_bytes(&[0; 8]), None);
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let good = board().to_dtb();
    let mut refused = 0;
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, good[at] ^ 1, good[at] ^ 0x20] {
            let mut bytes = good.clone();
            bytes[at] = value;
            refused += Machine::read(&bytes, KERNEL, 9).is_err() as usize;
        }
    }
    for end in 0..good.len() {
        refused += Machine::read(&good[..end], KERNEL, 9).is_err() as usize;
    }
    assert!(refused > good.len(), "at least every cut is refused");
}
