//! The compiled table: what was declared is read back, and no byte of it is believed unchecked.

mod common;

use common::{build, execd, file, init, logd, probe};
use nexus_registry::{
    EdgeKind, Find, Grants, MAX_POOL_PAGES, Registry, RegistryError, Restart, SHARE_VMOS, Share, Start,
};
use proptest::prelude::*;

/// A device that a driver holds, and one that the probe may ask for.
const DEVICES: &str = "[[device]]\nname = \"rng\"\nvirtio = 4\nindex = 1\npool_pages = 4\npool_vmos = 2\n\
    [[device]]\nname = \"rtc\"\ncompatible = \"acme,clock\"\nwindow_pages = 3\n";
const PROBE: &str = "PROBE\nmay_request = [\"rtc\"]\n[[process]]\nname = \"driver\"\nid = 65537\nauthority = \"test\"\n\
    priority = 5\ncpu = 1\npages = 1\nhandles = 8\nstart = \"demand\"\ndevice = \"rng\"\n";

fn table() -> Vec<u8> {
    build(&(file(&[init(), logd(), execd()]) + DEVICES), &[&PROBE.replace("PROBE", &probe().text())]).unwrap()
}

fn spoiled(at: usize, bytes: &[u8]) -> RegistryError {
    let mut table = table();
    table[at..at + bytes.len()].copy_from_slice(bytes);
    Registry::parse(&table).unwrap_err()
}

#[test]
fn what_is_declared_is_read() {
    let table = table();
    let registry = Registry::parse(&table).unwrap();
    let names: Vec<_> = registry.processes().map(|process| process.name).collect();
    assert_eq!(names, ["nexus-init", "logd", "execd", "probe", "driver"]);
    let execd = registry.by_name("execd").unwrap();
    assert_eq!((execd.id, execd.authority, execd.program, execd.args), (3, "spawn", "execd", ""));
    assert_eq!((execd.priority, execd.cpu, execd.pages, execd.handles), (20, 100, 100, 64));
    assert_eq!((execd.restart, execd.start, execd.critical), (Restart::Always, Start::Boot, true));
    assert_eq!((execd.backoff_ms, execd.max_restarts, execd.announces_ready), (100, 5, true));
    assert_eq!(registry.by_id(2).unwrap().args, "quiet");
    assert_eq!(registry.by_id(1).unwrap().grants, Grants::ROOT);
    assert!(!registry.by_name("probe").unwrap().announces_ready);
    assert_eq!(registry.by_name("tea"), None);
    assert_eq!(registry.by_id(9), None);
    assert_eq!(registry.process(5), None);
}

#[test]
fn devices_say_who_may_have_them() {
    let table = table();
    let registry = Registry::parse(&table).unwrap();
    let [rng, rtc] = [0, 1].map(|index| registry.device(index).unwrap());
    assert_eq!(
        (rng.name, rng.find, rng.nth, rng.pool_pages, rng.pool_vmos),
        ("rng", Find::Virtio(4), 1, 4, 2)
    );
    assert_eq!((rtc.name, rtc.find, rtc.nth, rtc.pool_pages), ("rtc", Find::Compatible("acme,clock"), 0, 0));
    assert_eq!([rng.window_pages, rtc.window_pages], [0, 3]);
    assert_eq!([rng.pages(), rtc.pages()], [2 + 1 + 4 + 2, 2]);
    assert_eq!(registry.devices().count(), 2);
    assert_eq!(registry.by_name("driver").unwrap().device, Some(0));
    assert_eq!(registry.by_name("probe").unwrap().device, None);
    assert!(registry.may_request(0x1_0000, &rtc));
    for (service, device) in [(0x1_0000, &rng), (0x1_0001, &rng), (0x1_0001, &rtc), (1, &rtc), (9, &rtc)] {
        assert!(!registry.may_request(service, device), "{service} {}", device.name);
    }
    assert_eq!(registry.device_named("rtc"), Some(rtc));
    assert_eq!(registry.device_named("tea"), None);
}

#[test]
fn shares_are_of_one_device_and_one_process() {
    let mut table = table();
    let probe = 32 + 3 * 64;
    // The most that there can be, of the second device.
    table[probe + 48..probe + 54].copy_from_slice(&[0, 16, 0, 0, 2, 0]);
    let registry = Registry::parse(&table).unwrap();
    let share = Share { device: 1, pages: MAX_POOL_PAGES };
    assert_eq!(registry.shares(1).collect::<Vec<_>>(), [(0x1_0000, share)]);
    assert_eq!(registry.shares(0).count(), 0);
    assert_eq!(share.cost(), 1 + 4096 + SHARE_VMOS);
}

#[test]
fn edges_say_who_may_connect() {
    let table = table();
    let registry = Registry::parse(&table).unwrap();
    assert_eq!(registry.service("spawn").unwrap().owner.name, "execd");
    assert_eq!(registry.edges().count(), 4);
    assert_eq!(registry.edge(1, "spawn").unwrap().kind, EdgeKind::Call);
    assert_eq!(registry.edge(3, "log").unwrap().kind, EdgeKind::Send);
    assert_eq!(registry.edge(0x1_0000, "log").unwrap().client.name, "probe");
    assert_eq!(registry.edge(0x1_0000, "spawn"), None);
    assert_eq!(registry.edge(9, "log"), None);
    assert_eq!([0, 1, 2, 3, 4].map(|index| registry.is_client(index)), [true, true, true, true, false]);
    assert_eq!([0, 1, 2, 3, 4].map(|index| registry.is_provider(index)), [false, true, true, false, false]);
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    assert_eq!(table(), table());
}

#[test]
fn the_systems_own_registry_compiles() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../system.toml")).unwrap();
    let table = build(&text, &[]).unwrap_or_else(|refusals| panic!("{refusals:#?}"));
    let registry = Registry::parse(&table).unwrap();
    assert_eq!(registry.process(0).unwrap().grants, Grants::ROOT);
}

#[test]
fn lengths_are_exact() {
    let table = table();
    assert_eq!(Registry::parse(&table[..table.len() - 1]).unwrap_err(), RegistryError::BadLength);
    assert_eq!(Registry::parse(&table[..31]).unwrap_err(), RegistryError::BadLength);
    let longer = [table.as_slice(), &[0]].concat();
    assert_eq!(Registry::parse(&longer).unwrap_err(), RegistryError::BadLength);
}

#[test]
fn every_field_is_checked() {
    assert_eq!(spoiled(0, b"M"), RegistryError::BadMagic);
    assert_eq!(spoiled(8, &[1]), RegistryError::BadVersion);
    assert_eq!(spoiled(28, &[33]), RegistryError::BadCount);
    assert_eq!(spoiled(28, &[3]), RegistryError::BadLength);
    assert_eq!(spoiled(12, &[0]), RegistryError::BadCount);
    assert_eq!(spoiled(12, &129u32.to_le_bytes()), RegistryError::BadCount);
    assert_eq!(spoiled(16, &257u32.to_le_bytes()), RegistryError::BadCount);
    assert_eq!(spoiled(20, &1025u32.to_le_bytes()), RegistryError::BadCount);
    assert_eq!(spoiled(24, &0x8001u32.to_le_bytes()), RegistryError::BadCount);
    let second = 32 + 64;
    for (at, bytes) in [
        (0, &[0xff, 0xff][..]),
        (2, &[0, 0]),
        (16, &[0]),
        (16, &[1]),
        (20, &[0, 0]),
        (27, &[0x80]),
        (34, &[0, 0]),
        (34, &[1, 0x10]),
        (38, &[0]),
        (38, &[32]),
        (39, &[3]),
        (40, &[2]),
        (41, &[4]),
        (42, &[3]),
        (44, &[4]),
        // A share of no device, of no page, of one device too many, and of more than a pool can have.
        (48, &[1]),
        (52, &[1]),
        (48, &[1, 0, 0, 0, 3]),
        (48, &[1, 16, 0, 0, 1]),
        (54, &[1]),
        (63, &[1]),
    ] {
        assert_eq!(spoiled(second + at, bytes), RegistryError::BadProcess(1), "process byte {at}");
    }
    let services = 32 + 5 * 64;
    for (at, bytes) in [(0, &[0xff, 0xff][..]), (2, &[0]), (4, &[5]), (6, &[1])] {
        assert_eq!(spoiled(services + at, bytes), RegistryError::BadService(0), "service byte {at}");
    }
    let edges = services + 2 * 8;
    for (at, bytes) in [(0, &[5][..]), (2, &[2]), (4, &[0]), (4, &[3]), (6, &[1])] {
        assert_eq!(spoiled(edges + at, bytes), RegistryError::BadEdge(0), "edge byte {at}");
    }
    let devices = edges + 4 * 8;
    for (at, bytes) in [
        (0, &[0xff, 0xff][..]),
        (2, &[0]),
        (6, &[1]),
        (8, &[0]),
        (8, &[64]),
        (12, &[0]),
        (12, &[1, 0x10]),
        (16, &[0]),
        (18, &[1]),
        (23, &[1]),
    ] {
        assert_eq!(spoiled(devices + at, bytes), RegistryError::BadDevice(0), "device byte {at}");
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let mut table = table();
        for (at, byte) in noise {
            let at = at.index(table.len());
            table[at] = byte;
        }
        if let Ok(registry) = Registry::parse(&table) {
            prop_assert!(registry.processes().count() >= 1);
            for edge in registry.edges() {
                prop_assert!(registry.by_id(edge.client.id).is_some());
            }
        }
    }
}
