//! The devices of this machine, and the grants that are made of them. A grant outlives the process that holds it: window,
//! interrupt and pools are the same for each new instance, which is started only once the device has been seen to be reset.

use crate::root::Root;
use alloc::format;
use alloc::vec::Vec;
use nexus_abi::{Error, Rights};
use nexus_driver::Transport;
use nexus_init::machine::{Site, sites};
use nexus_registry::{Device, Find, Registry, Share};
use nexus_rt::{IrqKind, MmioKind, Owned, PoolKind, ProcessKind, QuotaKind, error};
use nexus_spawn::Grants;

/// What slots for virtio devices are compatible with.
const VIRTIO: &str = "virtio,mmio";

/// What one device of the registry was made into.
#[derive(Debug)]
struct Grant {
    /// All of it is charged here, for as long as the machine runs.
    _quota: Owned<QuotaKind>,
    mmio: Owned<MmioKind>,
    irq: Option<Owned<IrqKind>>,
    pool: Option<Owned<PoolKind>>,
    /// Memory that the device may reach on behalf of one process each: its service id, and a quota for that pool alone.
    shares: Vec<(u32, Owned<QuotaKind>, Owned<PoolKind>)>,
    is_virtio: bool,
}

/// The grants, by the place of their device in the registry; `None` where the machine has no such device.
#[derive(Debug)]
pub struct Devices {
    grants: Vec<Option<Grant>>,
    own: &'static Owned<ProcessKind>,
}

impl Devices {
    /// Looks for every device that the registry names.
    pub fn find(
        root: &Root,
        registry: &Registry<'static>,
        own: &'static Owned<ProcessKind>,
        quota: &Owned<QuotaKind>,
    ) -> Devices {
        let mut devices = Devices { grants: registry.devices().map(|_| None).collect(), own };
        if devices.grants.is_empty() {
            return devices;
        }
        let mut names = Vec::from([VIRTIO]);
        names.extend(registry.devices().filter_map(|device| match device.find {
            Find::Compatible(name) => Some(name),
            Find::Virtio(_) => None,
        }));
        let found = match root.with_device_tree(|tree| sites(tree, &names)) {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => {
                error!("the device tree is of no use: {why}");
                return devices;
            }
            Err(why) => {
                error!("the device tree cannot be read: {why:?}");
                return devices;
            }
        };
        // What stands in each virtio slot, asked once.
        let probe = |site: &Site| {
            if site.name == 0 && site.window == 0 { devices.probe(root, quota, site) } else { None }
        };
        let ids: Vec<_> = found.iter().map(probe).collect();
        for device in registry.devices() {
            let fits = |(site, id): &(&Site, &Option<u32>)| match device.find {
                Find::Virtio(wanted) => **id == Some(wanted.into()),
                Find::Compatible(name) => names.get(site.name) == Some(&name) && site.window == 0,
            };
            let Some((site, _)) = found.iter().zip(&ids).filter(fits).nth(device.nth.into()) else {
                continue;
            };
            match Grant::make(root, registry, &device, site) {
                Ok(grant) => devices.grants[device.index] = Some(grant),
                Err(why) => error!("the device {} cannot be granted: {why:?}", device.name),
            }
        }
        devices
    }

    /// The kind of device in a virtio slot; `None` if it is empty, or no slot after all.
    fn probe(&self, root: &Root, quota: &Owned<QuotaKind>, site: &Site) -> Option<u32> {
        if !site.alone {
            return None;
        }
        let window = Owned::<MmioKind>::mint(&root.resource, quota, site.base, site.bytes).ok()?;
        let registers = window.map(self.own).ok()?;
        Transport::new(&registers).kind().ok()?
    }

    /// Whether this machine has the device.
    pub fn has(&self, index: usize) -> bool {
        self.grants.get(index).is_some_and(Option::is_some)
    }

    /// Resets the device; whether it is reset now, and reaches no memory any more. A device that knows no reset has no pool.
    pub fn reset(&self, index: usize) -> Result<bool, Error> {
        let Some(Some(grant)) = self.grants.get(index) else { return Err(Error::NotFound) };
        if !grant.is_virtio {
            return Ok(true);
        }
        let registers = grant.mmio.map(self.own)?;
        Ok(Transport::new(&registers).reset().is_ok())
    }

    /// Adds the device's objects to what a process is handed, under these names; shares are called by the name of the pool and whose they are.
    pub fn hand(&self, grants: &mut Grants, index: usize, names: [&str; 3]) -> Result<(), Error> {
        let Some(Some(grant)) = self.grants.get(index) else { return Err(Error::NotFound) };
        let common = Rights::TRANSFER | Rights::INSPECT | Rights::DUPLICATE;
        let [mmio, irq, dma] = names;
        grants.add(mmio, grant.mmio.duplicate(Rights::READ | Rights::WRITE | common)?)?;
        if let Some(object) = &grant.irq {
            grants.add(irq, object.duplicate(Rights::WAIT | Rights::MANAGE | common)?)?;
        }
        if let Some(object) = &grant.pool {
            grants.add(dma, object.duplicate(Rights::DMA | common)?)?;
        }
        for (whose, _, object) in &grant.shares {
            grants.add(&format!("{dma}.{whose}"), object.duplicate(Rights::DMA | common)?)?;
        }
        Ok(())
    }
}

impl Grant {
    fn make(root: &Root, registry: &Registry<'_>, device: &Device<'_>, site: &Site) -> Result<Grant, Error> {
        if !site.alone {
            // Its window would be another device's too.
            return Err(Error::Exists);
        }
        // Part of a window is all that its driver can reach.
        let bytes = match u64::from(device.window_pages) * nexus_abi::bounds::PAGE_SIZE as u64 {
            0 => site.bytes,
            part if part <= site.bytes => part,
            _ => return Err(Error::Invalid),
        };
        let quota = root.quota.split(device.pages(), 0)?;
        let mmio = Owned::<MmioKind>::mint(&root.resource, &quota, site.base, bytes)?;
        let irq = match site.source {
            Some(source) => Some(Owned::<IrqKind>::mint(&root.resource, &quota, source)?),
            None => None,
        };
        let new_pool = |quota: &Owned<QuotaKind>, pages: u32| {
            let bytes = u64::from(pages) * nexus_abi::bounds::PAGE_SIZE as u64;
            Owned::<PoolKind>::create(&root.resource, quota, bytes)
        };
        let pool = match device.pool_pages {
            0 => None,
            pages => Some(new_pool(&quota, pages)?),
        };
        let share = |(whose, share): (u32, Share)| {
            let quota = root.quota.split(share.cost(), 0)?;
            let pool = new_pool(&quota, share.pages)?;
            Ok((whose, quota, pool))
        };
        let shares = registry.shares(device.index).map(share).collect::<Result<_, Error>>()?;
        let is_virtio = matches!(device.find, Find::Virtio(_));
        Ok(Grant { _quota: quota, mmio, irq, pool, shares, is_virtio })
    }
}
