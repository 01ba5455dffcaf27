//! What a process is handed: exactly what the registry declares for it, and what every process has without asking
//! (its log channel, its own process to map in, its own quota to charge to). Rights are cut to what each needs.

use crate::devices::Devices;
use crate::root::Root;
use alloc::format;
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Rights};
use nexus_registry::{Grants as Declared, Process, Registry};
use nexus_rt::owned::ObjectKind;
use nexus_rt::{IdentityKind, Owned, ProcessKind, QuotaKind, Vmo, startup};
use nexus_spawn::Grants;

/// Every handed handle can move on and be looked at.
const COMMON: Rights = Rights::TRANSFER.union(Rights::INSPECT);

fn hand<K: ObjectKind>(
    grants: &mut Grants,
    name: &str,
    handle: &Owned<K>,
    rights: Rights,
) -> Result<(), Error> {
    grants.add(name, handle.duplicate(rights | Rights::TRANSFER)?)
}

/// Adds what the registry declares.
pub fn declared(
    grants: &mut Grants,
    process: &Process<'_>,
    root: &Root,
    identity: &Owned<IdentityKind>,
) -> Result<(), Error> {
    let wants = |grant| process.grants.contains(grant);
    let readable = Rights::READ | Rights::DUPLICATE | COMMON;
    if wants(Declared::CONSOLE) {
        hand(grants, "console", &root.resource, Rights::CONSOLE)?;
    }
    if wants(Declared::RESET) {
        hand(grants, "reset", &root.resource, Rights::RESET)?;
    }
    if wants(Declared::KERNEL_STATS) {
        hand(grants, "kernel-stats", &root.resource, Rights::INSPECT | Rights::DUPLICATE)?;
    }
    if wants(Declared::KERNEL_RECORDS) {
        hand(grants, "kernel-records", &root.resource, Rights::WAIT)?;
    }
    if wants(Declared::BOOT_IMAGE) {
        hand(grants, "boot-image", &root.image, readable | Rights::EXECUTE)?;
    }
    if wants(Declared::DEVICE_TREE) {
        hand(grants, "device-tree", &root.device_tree, readable)?;
    }
    if wants(Declared::MINTER) {
        hand(grants, "minter", &root.minter, Rights::MINT | Rights::DUPLICATE | COMMON)?;
        hand(grants, "machine", &root.resource, Rights::MINT | Rights::DUPLICATE | COMMON)?;
    }
    if wants(Declared::QUOTA) {
        // Who makes processes makes them as itself.
        hand(grants, "identity", identity, Rights::USE | Rights::DUPLICATE | COMMON)?;
    }
    Ok(())
}

/// Adds the devices that processes may ask `policyd` for: `NAME.mmio` and `NAME.irq`.
pub fn requestable(grants: &mut Grants, registry: &Registry<'_>, devices: &Devices) -> Result<(), Error> {
    let asked = registry.processes().fold(0, |all, process| all | process.may_request);
    for device in registry.devices().filter(|device| asked & 1 << device.index != 0) {
        if devices.has(device.index) {
            let name = device.name;
            let names = [format!("{name}.mmio"), format!("{name}.irq"), format!("{name}.dma")];
            devices.hand(grants, device.index, [&names[0], &names[1], &names[2]])?;
        }
    }
    Ok(())
}

/// Adds what every process has of itself.
pub fn own(
    grants: &mut Grants,
    declared: &Process<'_>,
    process: &Owned<ProcessKind>,
    quota: &Owned<QuotaKind>,
) -> Result<(), Error> {
    // To map memory in, and to make threads.
    hand(grants, startup::PROCESS, process, Rights::MAP | Rights::MANAGE | Rights::DUPLICATE | COMMON)?;
    let maker = Rights::SPLIT | Rights::MANAGE | Rights::DUPLICATE;
    let more = if declared.grants.contains(Declared::QUOTA) { maker } else { Rights::empty() };
    hand(grants, startup::QUOTA, quota, Rights::CHARGE | COMMON | more)
}

/// The registry as `samgrd` reads it: its length, then the table, in sealed memory.
pub fn registry_copy(
    table: &[u8],
    own: &Owned<ProcessKind>,
    quota: &Owned<QuotaKind>,
) -> Result<Owned<Vmo>, Error> {
    let length = table.len() as u64;
    let size = (length + 8).next_multiple_of(PAGE_SIZE as u64);
    let copy = Owned::<Vmo>::create(quota, size)?;
    let mapping = copy.map(own, 0, size, Rights::READ | Rights::WRITE)?;
    mapping.write(0, &length.to_le_bytes())?;
    mapping.write(8, table)?;
    drop(mapping);
    copy.into_sealed()
}
