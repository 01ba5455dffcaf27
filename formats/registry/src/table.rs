//! Reading the compiled table. [`Registry::parse`] checks every record once; after that no accessor can leave
//! the bytes, and none allocates. What is looked for is found in the raw records, of which only the one that fits is decoded.
//!
//! A process record, 64 bytes: name, authority, program, args (offset and length, `u16` each) at 0, 4, 8, 12;
//! id `u32` at 16, pages `u32` at 20, grants `u32` at 24, backoff_ms `u32` at 28; cpu `u16` at 32, handles
//! `u16` at 34, max_restarts `u16` at 36; priority `u8` at 38, restart `u8` at 39, start `u8` at 40, flags `u8`
//! at 41 (bit 0 critical, bit 1 announces ready); device `u16` at 42 (its index plus 1; 0 none), devices that it may request
//! `u32` at 44 (a bit each); pages of its share of a device `u32` at 48 and that device `u16` at 52 (its index plus 1; both 0: none); the rest 0.

use crate::device::{DEVICE, MAX_POOL_PAGES, Share};
use crate::process::{EdgeKind, Grants, Restart, Start};
use crate::{MAGIC, MAX_DEVICES, MAX_EDGES, MAX_PROCESSES, MAX_SERVICES, MAX_TEXT, VERSION};
use nexus_abi::bounds::{MAX_HANDLES, MAX_PRIORITY};

pub(crate) const HEADER: usize = 32;
pub(crate) const PROCESS: usize = 64;
pub(crate) const SERVICE: usize = 8;
pub(crate) const EDGE: usize = 8;
pub(crate) const CRITICAL: u8 = 1;
pub(crate) const ANNOUNCES: u8 = 2;

/// Why bytes are not a registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegistryError {
    /// Shorter or longer than its parts.
    BadLength,
    /// It does not begin with the magic.
    BadMagic,
    /// A version this code does not know.
    BadVersion,
    /// No process, or more of something than its bound.
    BadCount,
    /// This process record has a field outside its range, or repeats a name or id.
    BadProcess(usize),
    /// This service record has a field outside its range, or repeats a name.
    BadService(usize),
    /// This edge record has a field outside its range.
    BadEdge(usize),
    /// This device record has a field outside its range, or repeats a name.
    BadDevice(usize),
}

/// A checked registry.
#[derive(Clone, Copy, Debug)]
pub struct Registry<'a> {
    processes: &'a [u8],
    services: &'a [u8],
    edges: &'a [u8],
    pub(crate) devices: &'a [u8],
    text: &'a [u8],
}

/// One process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process<'a> {
    /// Its place in the registry: processes are started in this order.
    pub index: usize,
    /// Its canonical name.
    pub name: &'a str,
    /// The one job it has.
    pub authority: &'a str,
    /// The name of its program in the boot image.
    pub program: &'a str,
    /// Text handed to the program.
    pub args: &'a str,
    /// Its service id.
    pub id: u32,
    /// Pages of its quota.
    pub pages: u32,
    /// What it is handed besides identity, quota and log channel.
    pub grants: Grants,
    /// Pause before the first restart, in milliseconds.
    pub backoff_ms: u32,
    /// Thousandths of a hart of its quota.
    pub cpu: u16,
    /// Size of its handle table.
    pub handles: u16,
    /// Restarts in a row before giving up.
    pub max_restarts: u16,
    /// Priority of its threads.
    pub priority: u8,
    /// When it is started again.
    pub restart: Restart,
    /// When it is started.
    pub start: Start,
    /// Whether giving up on it restarts the machine.
    pub critical: bool,
    /// Whether it announces `NAME: ready`.
    pub announces_ready: bool,
    /// Place of the device that it drives.
    pub device: Option<usize>,
    /// Devices that it may be given at run time, one bit each by their place.
    pub may_request: u32,
    /// The memory that it shares with another process's device.
    pub share: Option<Share>,
}

/// One service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service<'a> {
    /// Its place in the registry.
    pub index: usize,
    /// Its name, unique in the system.
    pub name: &'a str,
    /// The process that alone may register it.
    pub owner: Process<'a>,
}

/// One declared way from a client to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge<'a> {
    /// Who may use it.
    pub client: Process<'a>,
    /// What it may use.
    pub service: Service<'a>,
    /// How.
    pub kind: EdgeKind,
}

impl<'a> Registry<'a> {
    /// Checks `bytes` whole.
    pub fn parse(bytes: &'a [u8]) -> Result<Registry<'a>, RegistryError> {
        let header = bytes.get(..HEADER).ok_or(RegistryError::BadLength)?;
        if header[..8] != MAGIC {
            return Err(RegistryError::BadMagic);
        }
        if u32_at(header, 8) != VERSION {
            return Err(RegistryError::BadVersion);
        }
        let count = |at, bound| match u32_at(header, at) as usize {
            count if count <= bound => Ok(count),
            _ => Err(RegistryError::BadCount),
        };
        let processes = count(12, MAX_PROCESSES)? * PROCESS;
        let services = count(16, MAX_SERVICES)? * SERVICE;
        let edges = count(20, MAX_EDGES)? * EDGE;
        let text = count(24, MAX_TEXT)?;
        let devices = count(28, MAX_DEVICES)? * DEVICE;
        if processes == 0 {
            return Err(RegistryError::BadCount);
        }
        if bytes.len() != HEADER + processes + services + edges + devices + text {
            return Err(RegistryError::BadLength);
        }
        let (processes, rest) = bytes[HEADER..].split_at(processes);
        let (services, rest) = rest.split_at(services);
        let (edges, rest) = rest.split_at(edges);
        let (devices, text) = rest.split_at(devices);
        let registry = Registry { processes, services, edges, devices, text };
        registry.check()?;
        Ok(registry)
    }

    fn check(&self) -> Result<(), RegistryError> {
        for index in 0..self.processes.len() / PROCESS {
            let process = self.process(index).ok_or(RegistryError::BadProcess(index))?;
            let in_range = process.id != 0
                && (1..=MAX_PRIORITY).contains(&u64::from(process.priority))
                && (1..=MAX_HANDLES).contains(&usize::from(process.handles))
                && process.pages != 0
                && !process.name.is_empty();
            let device = |n: usize| n < self.devices.len() / DEVICE;
            let in_range = in_range
                && process.device.is_none_or(device)
                && process.share.is_none_or(|share| device(share.device) && share.pages <= MAX_POOL_PAGES)
                && (0..32).all(|n| process.may_request & 1 << n == 0 || device(n));
            let first = |found: Option<Process>| found.is_some_and(|found| found.index == index);
            if !in_range || !first(self.by_name(process.name)) || !first(self.by_id(process.id)) {
                return Err(RegistryError::BadProcess(index));
            }
        }
        for index in 0..self.services.len() / SERVICE {
            let service = self.service_at(index).ok_or(RegistryError::BadService(index))?;
            let first = self.service(service.name).is_some_and(|found| found.index == index);
            if service.name.is_empty() || !first {
                return Err(RegistryError::BadService(index));
            }
        }
        for index in 0..self.edges.len() / EDGE {
            self.edge_at(index).ok_or(RegistryError::BadEdge(index))?;
        }
        for index in 0..self.devices.len() / DEVICE {
            let device = self.device(index).ok_or(RegistryError::BadDevice(index))?;
            if device.name.is_empty() || self.devices().take(index).any(|d| d.name == device.name) {
                return Err(RegistryError::BadDevice(index));
            }
        }
        Ok(())
    }

    /// The process at `index`; `None` past the last.
    pub fn process(&self, index: usize) -> Option<Process<'a>> {
        let raw = record(self.processes, index, PROCESS)?;
        if raw[41] & !(CRITICAL | ANNOUNCES) != 0 || raw[54..].iter().any(|byte| *byte != 0) {
            return None;
        }
        let share = match (u32_at(raw, 48), u16_at(raw, 52)) {
            (0, 0) => None,
            (0, _) | (_, 0) => return None,
            (pages, device) => Some(Share { device: usize::from(device) - 1, pages }),
        };
        Some(Process {
            index,
            name: self.text(raw, 0)?,
            authority: self.text(raw, 4)?,
            program: self.text(raw, 8)?,
            args: self.text(raw, 12)?,
            id: u32_at(raw, 16),
            pages: u32_at(raw, 20),
            grants: Grants::from_bits(u32_at(raw, 24))?,
            backoff_ms: u32_at(raw, 28),
            cpu: u16_at(raw, 32),
            handles: u16_at(raw, 34),
            max_restarts: u16_at(raw, 36),
            priority: raw[38],
            restart: Restart::from_raw(raw[39])?,
            start: Start::from_raw(raw[40])?,
            critical: raw[41] & CRITICAL != 0,
            announces_ready: raw[41] & ANNOUNCES != 0,
            device: u16_at(raw, 42).checked_sub(1).map(usize::from),
            may_request: u32_at(raw, 44),
            share,
        })
    }

    /// Every process, in start order.
    pub fn processes(&self) -> impl Iterator<Item = Process<'a>> + use<'a> {
        let registry = *self;
        (0..self.processes.len() / PROCESS).map_while(move |index| registry.process(index))
    }

    /// The process of this name.
    pub fn by_name(&self, name: &str) -> Option<Process<'a>> {
        self.process(self.position(self.processes, PROCESS, name)?)
    }

    /// The process with this service id: whom a message's identity stands for.
    pub fn by_id(&self, id: u32) -> Option<Process<'a>> {
        let index = self.processes.chunks_exact(PROCESS).position(|raw| u32_at(raw, 16) == id)?;
        self.process(index)
    }

    /// The service at `index`; `None` past the last.
    pub fn service_at(&self, index: usize) -> Option<Service<'a>> {
        let raw = record(self.services, index, SERVICE)?;
        if u16_at(raw, 6) != 0 {
            return None;
        }
        Some(Service { index, name: self.text(raw, 0)?, owner: self.process(u16_at(raw, 4).into())? })
    }

    /// Every service.
    pub fn services(&self) -> impl Iterator<Item = Service<'a>> + use<'a> {
        let registry = *self;
        (0..self.services.len() / SERVICE).map_while(move |index| registry.service_at(index))
    }

    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<Service<'a>> {
        self.service_at(self.position(self.services, SERVICE, name)?)
    }

    fn edge_at(&self, index: usize) -> Option<Edge<'a>> {
        let raw = record(self.edges, index, EDGE)?;
        if u16_at(raw, 6) != 0 {
            return None;
        }
        Some(Edge {
            client: self.process(u16_at(raw, 0).into())?,
            service: self.service_at(u16_at(raw, 2).into())?,
            kind: EdgeKind::from_raw(u16_at(raw, 4))?,
        })
    }

    /// Every edge, by client.
    pub fn edges(&self) -> impl Iterator<Item = Edge<'a>> + use<'a> {
        let registry = *self;
        (0..self.edges.len() / EDGE).map_while(move |index| registry.edge_at(index))
    }

    /// The edge from the process with this service id to the service of this name: whether it may connect.
    pub fn edge(&self, client: u32, service: &str) -> Option<Edge<'a>> {
        let client = self.by_id(client)?.index;
        let service = self.position(self.services, SERVICE, service)?;
        let is_it =
            |raw: &[u8]| usize::from(u16_at(raw, 0)) == client && usize::from(u16_at(raw, 2)) == service;
        self.edge_at(self.edges.chunks_exact(EDGE).position(is_it)?)
    }

    /// Whether the process at `index` may connect to any service.
    pub fn is_client(&self, index: usize) -> bool {
        self.edges.chunks_exact(EDGE).any(|raw| usize::from(u16_at(raw, 0)) == index)
    }

    /// Whether the process at `index` provides any service.
    pub fn is_provider(&self, index: usize) -> bool {
        self.services.chunks_exact(SERVICE).any(|raw| usize::from(u16_at(raw, 4)) == index)
    }

    /// The first of the records of `size` bytes whose name, which stands at their beginning, is this one.
    fn position(&self, records: &[u8], size: usize, name: &str) -> Option<usize> {
        records.chunks_exact(size).position(|raw| self.bytes(raw, 0) == Some(name.as_bytes()))
    }

    fn bytes(&self, raw: &[u8], at: usize) -> Option<&'a [u8]> {
        let start = usize::from(u16_at(raw, at));
        self.text.get(start..start + usize::from(u16_at(raw, at + 2)))
    }

    pub(crate) fn text(&self, raw: &[u8], at: usize) -> Option<&'a str> {
        core::str::from_utf8(self.bytes(raw, at)?).ok()
    }
}

pub(crate) fn record(table: &[u8], index: usize, size: usize) -> Option<&[u8]> {
    let start = index.checked_mul(size)?;
    table.get(start..start.checked_add(size)?)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}
