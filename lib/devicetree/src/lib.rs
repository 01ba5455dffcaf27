//! Reading the device tree: devices on memory-mapped buses at the addresses that the processor sees, and which source of the
//! interrupt controller is theirs.
//!
//! The tree comes from outside and is believed in nothing: what contradicts itself is an error with a reason or is left out,
//! never a panic and never a guess.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub use dtoolkit;

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::{NodeStandard, Status};
use dtoolkit::{Node, Property};

/// How deep buses can nest.
pub const MAX_BUS_DEPTH: usize = 4;

/// What interrupt controllers of the platform level are compatible with.
pub const PLIC: [&str; 2] = ["riscv,plic0", "sifive,plic-1.0.0"];

/// Why a device tree cannot be used.
pub type Reason = &'static str;

/// A property of one or two cells, as a number.
pub fn number(node: &FdtNode<'_>, name: &str) -> Option<u64> {
    let value = node.property(name)?;
    cells(value.value())
}

/// One or two cells as a number.
pub fn cells(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => Some(u32::from_be_bytes(value.try_into().ok()?).into()),
        8 => Some(u64::from_be_bytes(value.try_into().ok()?)),
        _ => None,
    }
}

/// The cells of a property, one by one.
pub fn each_cell(value: &[u8]) -> impl Iterator<Item = u32> {
    value.as_chunks::<4>().0.iter().map(|cell| u32::from_be_bytes(*cell))
}

/// Whether a node says that it can be used.
pub fn usable(node: &FdtNode<'_>) -> bool {
    matches!(node.status(), Ok(Status::Okay))
}

/// Whether a node is an interrupt controller of the platform level.
pub fn is_plic(node: &FdtNode<'_>) -> bool {
    PLIC.iter().any(|name| node.is_compatible(name))
}

/// Calls `each` with start and size of every entry of a node's `reg`.
pub fn for_each_reg(
    node: &FdtNode<'_>,
    mut each: impl FnMut(u64, u64) -> Result<(), Reason>,
) -> Result<(), Reason> {
    for reg in node.reg().map_err(|_| "a malformed reg")?.into_iter().flatten() {
        let (Ok(start), Ok(bytes)) = (reg.address::<u64>(), reg.size::<u64>()) else {
            return Err("an address of more than 64 bits");
        };
        each(start, bytes)?;
    }
    Ok(())
}

/// Most windows of a device that are looked at.
pub const MAX_WINDOWS: usize = 8;

/// Where the processor sees a range of a bus.
type ToProcessor<'n> = &'n dyn Fn(u64, u64) -> Option<u64>;

/// A device on a memory-mapped bus.
pub struct Found<'n, 't> {
    /// Its node.
    pub node: &'n FdtNode<'t>,
    /// The processor's address of its first window.
    pub base: u64,
    /// Bytes of that window.
    pub bytes: u64,
    /// The name (`phandle`) of what takes its interrupts, as the nodes around it say.
    pub interrupt_parent: Option<u64>,
    to_processor: ToProcessor<'n>,
}

/// Address and bytes of a window, by its place in the node's `reg`.
fn window(node: &FdtNode<'_>, place: usize, to_processor: ToProcessor<'_>) -> Option<(u64, u64)> {
    let reg = node.reg().ok()??.nth(place)?;
    let (start, bytes) = (reg.address::<u64>().ok()?, reg.size::<u64>().ok()?);
    let base = to_processor(start, bytes)?;
    base.checked_add(bytes).map(|_| (base, bytes))
}

impl Found<'_, '_> {
    /// Its windows that make sense, each with its place among them: the processor's address, and bytes.
    pub fn windows(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let seen =
            |place| window(self.node, place, self.to_processor).map(|(base, bytes)| (place, base, bytes));
        (0..MAX_WINDOWS).filter_map(seen)
    }

    /// Its first source at the controller of this name.
    pub fn source(&self, controller: u64) -> Option<u32> {
        if let Some(extended) = self.node.property("interrupts-extended") {
            let mut wires = each_cell(extended.value());
            return wires.next().filter(|name| u64::from(*name) == controller).and_then(|_| wires.next());
        }
        let interrupts = self.node.property("interrupts")?;
        each_cell(interrupts.value()).next().filter(|_| self.interrupt_parent == Some(controller))
    }
}

/// Calls `each` with every usable device below the root.
pub fn visit(root: &FdtNode<'_>, each: &mut dyn FnMut(&Found<'_, '_>)) -> Result<(), Reason> {
    visit_bus(root, 0, &|start, _| Some(start), number(root, "interrupt-parent"), each)
}

/// The name of the interrupt controller, if there is one.
pub fn controller(tree: &Fdt<'_>) -> Result<Option<u64>, Reason> {
    let mut name = None;
    visit(&tree.root(), &mut |found| {
        if name.is_none() && is_plic(found.node) {
            name = number(found.node, "phandle");
        }
    })?;
    Ok(name)
}

fn visit_bus(
    bus: &FdtNode<'_>,
    depth: usize,
    to_processor: &dyn Fn(u64, u64) -> Option<u64>,
    interrupt_parent: Option<u64>,
    each: &mut dyn FnMut(&Found<'_, '_>),
) -> Result<(), Reason> {
    for node in bus.children().filter(usable) {
        let interrupt_parent = number(&node, "interrupt-parent").or(interrupt_parent);
        if let Some((base, bytes)) = window(&node, 0, to_processor) {
            each(&Found { node: &node, base, bytes, interrupt_parent, to_processor });
        }
        let Some(ranges) = node.property("ranges") else {
            continue;
        };
        if depth == MAX_BUS_DEPTH {
            return Err("buses nest too deep");
        }
        if ranges.value().is_empty() {
            visit_bus(&node, depth + 1, to_processor, interrupt_parent, each)?;
            continue;
        }
        let inner = |start: u64, bytes: u64| {
            node.ranges().ok()??.find_map(|r| {
                let child = r.child_bus_address::<u64>().ok()?;
                let offset = start.checked_sub(child)?;
                let fits = offset.checked_add(bytes)? <= r.length::<u64>().ok()?;
                let parent = r.parent_bus_address::<u64>().ok().filter(|_| fits)?;
                to_processor(parent.checked_add(offset)?, bytes)
            })
        };
        visit_bus(&node, depth + 1, &inner, interrupt_parent, each)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
    use std::vec;
    use std::vec::Vec;

    fn property(name: &str, value: impl dtoolkit::ToPropertyValue) -> DeviceTreeProperty {
        DeviceTreeProperty::new(name, value).unwrap()
    }

    fn node(
        name: &str,
        properties: Vec<DeviceTreeProperty>,
        children: Vec<DeviceTreeNode>,
    ) -> DeviceTreeNode {
        let node = DeviceTreeNode::builder(name).unwrap();
        let node = properties.into_iter().fold(node, |n, p| n.property(p));
        children.into_iter().fold(node, |n, c| n.child(c)).build()
    }

    /// A controller named 3, and three devices: wired by inheritance, by themselves elsewhere, and by `interrupts-extended`.
    fn tree() -> Vec<u8> {
        let reg = |at: u32| property("reg", [at, 0x100]);
        let cells = || vec![property("#address-cells", 1u32), property("#size-cells", 1u32)];
        let plic = node(
            "plic@c000000",
            vec![reg(0xc00_0000), property("compatible", "sifive,plic-1.0.0"), property("phandle", 3u32)],
            vec![],
        );
        let a = node("a@1000", vec![reg(0x1000), property("interrupts", 7u32)], vec![]);
        let b = node(
            "b@2000",
            vec![reg(0x2000), property("interrupts", 8u32), property("interrupt-parent", 4u32)],
            vec![],
        );
        let c = node("c@3000", vec![reg(0x3000), property("interrupts-extended", [3u32, 9])], vec![]);
        let d = node("d@4000", vec![reg(0x4000), property("interrupts-extended", 3u32)], vec![]);
        let e = node("e@5000", vec![reg(0x5000)], vec![]);
        let mut soc = cells();
        soc.extend([
            property("ranges", [0u32, 0x8000_0000, 0x1000_0000]),
            property("interrupt-parent", 3u32),
        ]);
        let mut tree = DeviceTree::new();
        tree.root = node("", cells(), vec![node("soc", soc, vec![a, b, c, d, e, plic])]);
        tree.to_dtb()
    }

    #[test]
    fn devices_are_found_with_their_addresses_and_sources() {
        let bytes = tree();
        let tree = Fdt::new(&bytes).unwrap();
        let plic = controller(&tree).unwrap().unwrap();
        assert_eq!(plic, 3);
        let mut seen = vec![];
        visit(&tree.root(), &mut |found| seen.push((found.base, found.bytes, found.source(plic)))).unwrap();
        let expected = [
            (0x8000_1000, 0x100, Some(7)),
            (0x8000_2000, 0x100, None),
            (0x8000_3000, 0x100, Some(9)),
            (0x8000_4000, 0x100, None),
            (0x8000_5000, 0x100, None),
            (0x8c00_0000, 0x100, None),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_device_may_have_several_windows() {
        let reg = [0x1000u32, 0x100, 0x3000, 0x200];
        let two = node("two@1000", vec![property("reg", reg)], vec![]);
        let cells = vec![property("#address-cells", 1u32), property("#size-cells", 1u32)];
        let mut tree = DeviceTree::new();
        tree.root = node("", cells, vec![two]);
        let bytes = tree.to_dtb();
        let mut seen = vec![];
        visit(&Fdt::new(&bytes).unwrap().root(), &mut |found| {
            assert_eq!((found.base, found.bytes), (0x1000, 0x100));
            seen.extend(found.windows());
        })
        .unwrap();
        assert_eq!(seen, [(0, 0x1000, 0x100), (1, 0x3000, 0x200)]);
    }

    #[test]
    fn no_changed_byte_makes_it_panic() {
        let bytes = tree();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let Ok(tree) = Fdt::new(&bytes) else { continue };
                let _ = controller(&tree);
                let _ = visit(&tree.root(), &mut |found| {
                    let _ = found.source(3);
                    assert!(found.windows().all(|(_, base, bytes)| base.checked_add(bytes).is_some()));
                });
            }
        }
    }
}
