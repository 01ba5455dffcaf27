//! The disk (virtio 1.2, section 5.2): requests of three parts, a header, the data and a status, many at a time.
//!
//! What must never happen: memory that the device may still write goes back to the pool. So each request keeps its buffer until the
//! device has given it back or is known to be reset.

use alloc::rc::Rc;
use alloc::vec::Vec;
use nexus_driver::memory::PAGE;
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Fault, Memory, Part, Pool, Queue, Registers, Transport};

/// Bytes of a sector, whatever the medium has.
pub const SECTOR: u64 = 512;

/// Descriptors of the queue.
const QUEUE: u16 = 128;

/// Requests that the device can have at a time: each takes three descriptors.
pub const DEPTH: usize = 42;

const READ_ONLY: u64 = 1 << 5;
const FLUSH: u64 = 1 << 9;

/// Types of requests, and what a status says.
const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSHING: u32 = 4;
const STATUS_OK: u8 = 0;
const STATUS_ERROR: u8 = 1;
const STATUS_UNSUPPORTED: u8 = 2;
/// No status: the device has not written one.
const STATUS_NONE: u8 = 0xff;

/// Where headers and statuses stand in their page.
const HEADER: usize = 16;
const STATUSES: usize = PAGE / 2;

/// What a request does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Sectors are read.
    Read,
    /// Sectors are written.
    Write,
    /// What was written is made durable.
    Flush,
}

/// A request.
#[derive(Debug)]
pub struct Request<M> {
    /// What it does.
    pub kind: Kind,
    /// The first sector; of no meaning to a flush.
    pub sector: u64,
    /// How many; 0 for a flush.
    pub count: u64,
    /// Where they are, or are to be, from this offset on; none for a flush.
    pub buffer: Option<Rc<M>>,
    /// See `buffer`.
    pub offset: usize,
    /// What the caller knows it by. Several requests may have the same.
    pub id: u64,
}

/// A request that the device has.
#[derive(Debug)]
struct Slot<M> {
    token: u16,
    /// What the device must have written when all is well.
    expected: u32,
    since: u64,
    /// None when whoever asked has been told that it failed.
    id: Option<u64>,
    _buffer: Option<Rc<M>>,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// What the caller knows it by.
    pub id: u64,
    /// Whether the device did it.
    pub good: bool,
}

/// The device.
#[derive(Debug)]
pub struct Disk<R, M> {
    transport: Transport<R>,
    queue: Queue<M>,
    heads: M,
    slots: Vec<Option<Slot<M>>>,
    sectors: Option<u64>,
    features: u64,
    told: bool,
}

impl<R: Registers, M: Memory> Disk<R, M> {
    /// Takes the memory; the device is not touched before [`Disk::bring_up`].
    pub fn new(registers: R, pool: &mut impl Pool<Memory = M>) -> Result<Disk<R, M>, Fault> {
        let queue = Queue::new(pool.allocate(Queue::<M>::bytes(QUEUE))?, QUEUE)?;
        let heads = pool.allocate(PAGE)?;
        let slots = (0..DEPTH).map(|_| None).collect();
        let transport = Transport::new(registers);
        Ok(Disk { transport, queue, heads, slots, sectors: None, features: 0, told: true })
    }

    /// Resets and starts the device. Requests that it had are gone; [`Disk::abandon`] tells whose they were.
    /// A disk that has another size than before is another disk: `Malformed`.
    pub fn bring_up(&mut self) -> Result<(), Fault> {
        self.features = self.transport.bring_up(kind::BLOCK, READ_ONLY | FLUSH, &mut [&mut self.queue])?;
        // The device is reset: their buffers are free.
        self.slots.fill_with(|| None);
        self.told = true;
        let sound = self.check();
        if sound.is_err() {
            self.transport.reset()?;
        }
        sound
    }

    /// Whether what came up is the disk that it was, and can be used.
    fn check(&mut self) -> Result<(), Fault> {
        if self.queue.size() < 4 {
            return Err(Fault::NoQueue);
        }
        let sectors = self.transport.steady(|transport| {
            Ok(u64::from(transport.config32(0)?) | u64::from(transport.config32(4)?) << 32)
        })?;
        // The size that it came up with first is the one that counts.
        if *self.sectors.get_or_insert(sectors) == sectors { Ok(()) } else { Err(Fault::Malformed) }
    }

    /// Resets the device and leaves it.
    pub fn bring_down(&mut self) -> Result<(), Fault> {
        self.transport.reset()?;
        self.slots.fill_with(|| None);
        Ok(())
    }

    /// How many sectors it has; 0 before it was brought up.
    pub fn sectors(&self) -> u64 {
        self.sectors.unwrap_or(0)
    }

    /// Whether it can only be read.
    pub fn is_read_only(&self) -> bool {
        self.features & READ_ONLY != 0
    }

    /// Whether it keeps what was written somewhere else until it is flushed. If not, everything written is durable.
    pub fn needs_flush(&self) -> bool {
        self.features & FLUSH != 0
    }

    /// Hands a request to the device, which is told of it by [`Disk::tell`]. `Full` when it has as many as it can.
    pub fn submit(&mut self, request: &Request<M>, now: u64) -> Result<(), Fault> {
        let end = request.sector.checked_add(request.count).ok_or(Fault::Outside)?;
        let bytes = request.count.checked_mul(SECTOR).ok_or(Fault::Outside)?;
        let bytes = usize::try_from(bytes).map_err(|_| Fault::Outside)?;
        if end > self.sectors() {
            return Err(Fault::Outside);
        }
        let index = self.slots.iter().position(|slot| slot.is_none()).ok_or(Fault::Full)?;
        let (kind, access, expected) = match request.kind {
            Kind::Read => (IN, Access::DeviceWrites, bytes as u32 + 1),
            Kind::Write => (OUT, Access::DeviceReads, 1),
            Kind::Flush => (FLUSHING, Access::DeviceReads, 1),
        };
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        header[8..].copy_from_slice(&request.sector.to_le_bytes());
        let head = Part::of(&self.heads, HEADER * index, HEADER, Access::DeviceReads)?;
        let status = Part::of(&self.heads, STATUSES + index, 1, Access::DeviceWrites)?;
        self.heads.write(HEADER * index, &header)?;
        self.heads.write(STATUSES + index, &[STATUS_NONE])?;
        let token = match (&request.buffer, request.kind) {
            (None, Kind::Flush) => self.queue.submit(&[head, status])?,
            (Some(buffer), Kind::Read | Kind::Write) => {
                let data = Part::of(&**buffer, request.offset, bytes, access)?;
                self.queue.submit(&[head, data, status])?
            }
            _ => return Err(Fault::Outside),
        };
        let (id, buffer) = (Some(request.id), request.buffer.clone());
        self.slots[index] = Some(Slot { token, expected, since: now, id, _buffer: buffer });
        self.told = false;
        Ok(())
    }

    /// Tells the device of what was submitted since it was last told.
    pub fn tell(&mut self) -> Result<(), Fault> {
        if !self.told && self.queue.must_notify()? {
            self.transport.notify(0)?;
        }
        self.told = true;
        Ok(())
    }

    /// Acknowledges an interrupt and adds what the device has done to `done`, as far as it is to be believed.
    pub fn interrupt(&mut self, done: &mut Vec<Done>) -> Result<(), Fault> {
        self.transport.interrupt()?;
        while let Some(used) = self.queue.take()? {
            let has_it = |slot: &Option<Slot<M>>| slot.as_ref().is_some_and(|slot| slot.token == used.token);
            let index = self.slots.iter().position(has_it).ok_or(Fault::UsedUnknown)?;
            let Some(slot) = self.slots[index].take() else { return Err(Fault::UsedUnknown) };
            let mut status = [0];
            self.heads.read(STATUSES + index, &mut status)?;
            let good = match status[0] {
                STATUS_OK if used.written == slot.expected => true,
                STATUS_ERROR | STATUS_UNSUPPORTED => false,
                // Done, and not all of it; or a status that does not exist. The request is nobody's success.
                _ => {
                    done.extend(slot.id.map(|id| Done { id, good: false }));
                    return Err(Fault::Malformed);
                }
            };
            done.extend(slot.id.map(|id| Done { id, good }));
        }
        Ok(())
    }

    /// Whose requests the device has; they are not told of again.
    pub fn abandon(&mut self) -> Vec<u64> {
        self.slots.iter_mut().flatten().filter_map(|slot| slot.id.take()).collect()
    }

    /// Since when the device has had the request that it has had longest.
    pub fn oldest(&self) -> Option<u64> {
        self.slots.iter().flatten().take(self.queue.outstanding()).map(|slot| slot.since).min()
    }
}
