//! The devices of the registry: how each is found in the machine, and what memory it may reach.
//!
//! A device record, 24 bytes: name at 0 and `compatible` at 4 (offset and length, `u16` each; a virtio device has an empty one);
//! virtio id `u16` at 8, index `u16` at 10, pool pages `u32` at 12, pool vmos `u16` at 16, two zeros, window pages `u32` at 20.

use crate::table::{Registry, record, u16_at, u32_at};
use nexus_abi::bounds::{MAX_MMIO_BYTES, MAX_POOL_BYTES, PAGE_SIZE};

pub(crate) const DEVICE: usize = 24;

/// Most pages of a device's pool.
pub const MAX_POOL_PAGES: u32 = (MAX_POOL_BYTES / PAGE_SIZE as u64) as u32;

/// Most pages of a device's window.
pub const MAX_WINDOW_PAGES: u32 = (MAX_MMIO_BYTES / PAGE_SIZE as u64) as u32;

/// Highest kind of virtio device that a registry can name.
pub const MAX_VIRTIO: u16 = 63;

/// How a device is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Find<'a> {
    /// By what the device tree says that it is compatible with.
    Compatible(&'a str),
    /// By the kind of virtio device that answers in one of the virtio-mmio slots.
    Virtio(u16),
}

/// One device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device<'a> {
    /// Its place in the registry.
    pub index: usize,
    /// What grants call it.
    pub name: &'a str,
    /// How it is found.
    pub find: Find<'a>,
    /// Which of those found it is, by rising address, from 0.
    pub nth: u16,
    /// Pages of the memory that it may reach; 0: none.
    pub pool_pages: u32,
    /// Most vmos that can be taken of that at a time.
    pub pool_vmos: u16,
    /// Pages of its first window that its driver is given, from its beginning; 0: all of it.
    pub window_pages: u32,
}

impl Device<'_> {
    /// Pages that its objects are charged: window, interrupt, pool and vmos.
    pub const fn pages(&self) -> u64 {
        pages(self.pool_pages, self.pool_vmos)
    }
}

/// What the objects of a device with such a pool are charged.
pub(crate) const fn pages(pool_pages: u32, pool_vmos: u16) -> u64 {
    let pool = if pool_pages == 0 { 0 } else { 1 + pool_pages as u64 + pool_vmos as u64 };
    2 + pool
}

/// Most processes that have a share of one device.
pub const MAX_SHARES: usize = 4;

/// Vmos that can be taken of a share at a time.
pub const SHARE_VMOS: u64 = 4;

/// Memory that a device may reach on behalf of one process alone, in a pool of its own: whatever others take, this is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Place of the device.
    pub device: usize,
    /// Pages.
    pub pages: u32,
}

impl Share {
    /// Pages that it is charged: pool and vmos.
    pub const fn cost(&self) -> u64 {
        share_cost(self.pages)
    }
}

/// What a share of so many pages is charged.
pub(crate) const fn share_cost(pages: u32) -> u64 {
    1 + pages as u64 + SHARE_VMOS
}

impl<'a> Registry<'a> {
    /// The device at `index`; `None` past the last.
    pub fn device(&self, index: usize) -> Option<Device<'a>> {
        let raw = record(self.devices, index, DEVICE)?;
        let (compatible, virtio) = (self.text(raw, 4)?, u16_at(raw, 8));
        let find = match (compatible.is_empty(), virtio) {
            (true, 1..=MAX_VIRTIO) => Find::Virtio(virtio),
            (false, 0) => Find::Compatible(compatible),
            _ => return None,
        };
        let (pool_pages, pool_vmos) = (u32_at(raw, 12), u16_at(raw, 16));
        let fits = pool_pages <= MAX_POOL_PAGES && (pool_pages == 0) == (pool_vmos == 0);
        let (zeros, window_pages) = (u16_at(raw, 18), u32_at(raw, 20));
        let most = if virtio == 0 { MAX_WINDOW_PAGES } else { 0 };
        if !fits || zeros != 0 || window_pages > most {
            return None;
        }
        let (name, nth) = (self.text(raw, 0)?, u16_at(raw, 10));
        Some(Device { index, name, find, nth, pool_pages, pool_vmos, window_pages })
    }

    /// Every device.
    pub fn devices(&self) -> impl Iterator<Item = Device<'a>> + use<'a> {
        let registry = *self;
        (0..self.devices.len() / DEVICE).map_while(move |index| registry.device(index))
    }

    /// The device of this name.
    pub fn device_named(&self, name: &str) -> Option<Device<'a>> {
        self.devices().find(|device| device.name == name)
    }

    /// Who has a share of the device, by service id, and the share.
    pub fn shares(&self, device: usize) -> impl Iterator<Item = (u32, Share)> + use<'a> {
        let all = self.processes().filter_map(|process| Some((process.id, process.share?)));
        all.filter(move |(_, share)| share.device == device)
    }

    /// Whether the process with this service id may be given the device at run time.
    pub fn may_request(&self, service: u32, device: &Device<'_>) -> bool {
        self.by_id(service).is_some_and(|process| process.may_request & 1 << device.index != 0)
    }
}
