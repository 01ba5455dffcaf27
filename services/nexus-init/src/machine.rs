//! What the device tree says of the devices that the registry names. It is hostile input: what does not make sense is left
//! out, and a driver then finds no device.

use alloc::vec::Vec;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_devicetree::dtoolkit::fdt::Fdt;
use nexus_devicetree::dtoolkit::standard::NodeStandard;
use nexus_devicetree::{Reason, controller, visit};

/// Most devices that are looked at.
pub const MAX_SITES: usize = 256;

/// A window of a device that answers to one of the names that were asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// Which of the names.
    pub name: usize,
    /// Which of the device's windows.
    pub window: usize,
    /// Where its window begins: whole pages.
    pub base: u64,
    /// Bytes of its window: whole pages.
    pub bytes: u64,
    /// Its source at the interrupt controller.
    pub source: Option<u32>,
    /// Whether no other device has registers in those pages.
    pub alone: bool,
}

/// Every window of every device that is compatible with one of `names`, by rising address.
pub fn sites(tree: &[u8], names: &[&str]) -> Result<Vec<Site>, Reason> {
    let tree = Fdt::new(tree).map_err(|_| "malformed")?;
    let controller = controller(&tree)?;
    let mut sites = Vec::new();
    let mut all = Vec::new();
    let mut too_many = false;
    visit(&tree.root(), &mut |found| {
        let name = names.iter().position(|name| found.node.is_compatible(name));
        for (window, base, bytes) in found.windows() {
            let Some((base, bytes)) = pages(base, bytes) else { continue };
            if all.len() == MAX_SITES {
                too_many = true;
                return;
            }
            all.push((base, bytes));
            if let Some(name) = name {
                let source = controller.and_then(|controller| found.source(controller));
                sites.push(Site { name, window, base, bytes, source, alone: true });
            }
        }
    })?;
    if too_many {
        return Err("too many devices");
    }
    for site in &mut sites {
        let in_reach =
            |(base, bytes): &&(u64, u64)| *base < site.base + site.bytes && site.base < base + bytes;
        site.alone = all.iter().filter(in_reach).count() == 1;
    }
    sites.sort_by_key(|site| site.base);
    Ok(sites)
}

/// The whole pages that hold a range.
fn pages(base: u64, bytes: u64) -> Option<(u64, u64)> {
    let page = PAGE_SIZE as u64;
    let end = base.checked_add(bytes)?.checked_next_multiple_of(page)?;
    let start = base / page * page;
    (bytes != 0).then_some((start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use nexus_devicetree::dtoolkit::ToPropertyValue;
    use nexus_devicetree::dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

    fn property(name: &str, value: impl ToPropertyValue) -> DeviceTreeProperty {
        DeviceTreeProperty::new(name, value).unwrap()
    }

    fn node(name: &str, properties: Vec<DeviceTreeProperty>) -> DeviceTreeNode {
        let node = DeviceTreeNode::builder(name).unwrap();
        properties.into_iter().fold(node, |n, p| n.property(p)).build()
    }

    fn device(at: u32, bytes: u32, compatible: &str, source: u32) -> DeviceTreeNode {
        let properties = vec![
            property("reg", [at, bytes]),
            property("compatible", compatible),
            property("interrupts", source),
        ];
        node(&alloc::format!("device@{at:x}"), properties)
    }

    fn tree(devices: Vec<DeviceTreeNode>) -> Vec<u8> {
        let plic = vec![
            property("reg", [0xc00_0000u32, 0x60_0000]),
            property("compatible", "riscv,plic0"),
            property("phandle", 3u32),
        ];
        let mut tree = DeviceTree::new();
        tree.root = node(
            "",
            vec![
                property("#address-cells", 1u32),
                property("#size-cells", 1u32),
                property("interrupt-parent", 3u32),
            ],
        );
        devices.into_iter().chain([node("plic@c000000", plic)]).for_each(|n| tree.root.add_child(n));
        tree.to_dtb()
    }

    #[test]
    fn devices_are_found_by_name_in_the_order_of_their_addresses() {
        let tree = tree(vec![
            device(0x2000, 0x1000, "virtio,mmio", 2),
            device(0x1000, 0x1000, "virtio,mmio", 1),
            device(0x5010, 0x100, "acme,clock", 5),
            device(0x9000, 0x1000, "acme,other", 9),
        ]);
        let found = sites(&tree, &["virtio,mmio", "acme,clock", "acme,none"]).unwrap();
        let site = |name, base, source| Site {
            name,
            window: 0,
            base,
            bytes: 0x1000,
            source: Some(source),
            alone: true,
        };
        assert_eq!(found, [site(0, 0x1000, 1), site(0, 0x2000, 2), site(1, 0x5000, 5)]);
    }

    #[test]
    fn each_window_of_a_device_is_told() {
        let banks = node(
            "flash@10000",
            vec![property("reg", [0x10000u32, 0x4000, 0x20000, 0x8000]), property("compatible", "cfi-flash")],
        );
        // Another device has registers in the middle of the second one.
        let tree = tree(vec![banks, device(0x22000, 0x1000, "a", 1)]);
        let found = sites(&tree, &["cfi-flash"]).unwrap();
        let site = |window, base, bytes, alone| Site { name: 0, window, base, bytes, source: None, alone };
        assert_eq!(found, [site(0, 0x10000, 0x4000, true), site(1, 0x20000, 0x8000, false)]);
    }

    #[test]
    fn a_device_that_shares_its_page_is_not_alone() {
        let tree = tree(vec![
            device(0x1000, 0x800, "a", 1),
            device(0x1800, 0x800, "b", 2),
            device(0x2000, 0x1001, "a", 3),
            device(0x3800, 0x10, "b", 4),
            device(0x4000, 0x10, "a", 5),
        ]);
        let alone: Vec<_> = sites(&tree, &["a"]).unwrap().iter().map(|site| site.alone).collect();
        assert_eq!(alone, [false, false, true]);
    }

    #[test]
    fn what_makes_no_sense_is_left_out_or_refused() {
        assert!(sites(&[], &["a"]).is_err());
        let odd = tree(vec![device(0xffff_f000, 0, "a", 1)]);
        assert_eq!(sites(&odd, &["a"]), Ok(vec![]), "a window without a byte");
        let many = |count: u32| tree((0..count).map(|n| device(n * 0x1000, 1, "a", 1)).collect());
        // The controller is one of them.
        assert_eq!(sites(&many(MAX_SITES as u32 - 1), &["a"]).unwrap().len(), MAX_SITES - 1);
        assert_eq!(sites(&many(MAX_SITES as u32), &["a"]), Err("too many devices"));
    }
}
