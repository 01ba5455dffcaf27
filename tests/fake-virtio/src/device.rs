//! The device: its registers, and its side of the queues.

use std::any::Any;
use std::fmt::Debug;

use crate::mischief::Kind;
use crate::random::Random;
use crate::world::Inner;

/// A kind of device: what is behind the queues.
pub trait Model: Debug + Any {
    /// Its number.
    fn kind(&self) -> u32;
    /// Features beside version 1.
    fn features(&self) -> u64;
    /// Its configuration.
    fn config(&self) -> Vec<u8>;
    /// Descriptors that each of its queues can have.
    fn queues(&self) -> Vec<u32>;
    /// Whether a chain of this queue can be worked on now; what cannot waits.
    fn ready(&mut self, _queue: usize) -> bool {
        true
    }
    /// Works on a chain.
    fn work(&mut self, queue: usize, chain: &Chain, random: &mut Random) -> Done;
    /// As a type that a test knows.
    fn as_any(&mut self) -> &mut dyn Any;
}

/// A chain that the driver handed over.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// What the driver wants read.
    pub readable: Vec<u8>,
    /// Room for what it wants written.
    pub room: usize,
    head: u16,
    /// Where the room is: offset in the pool, length.
    writable: Vec<(usize, usize)>,
    touched: Vec<(u64, usize)>,
}

/// What came of a chain.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// What is written into its room, from the beginning. What does not fit is cut.
    pub written: Vec<u8>,
    /// The very last byte of the room, when it is written too (a status).
    pub last: Option<u8>,
}

const MAGIC: u32 = 0x7472_6976;
const VERSION_1: u64 = 1 << 32;
const DRIVER_OK: u32 = 4;
const FEATURES_OK: u32 = 8;
const NEEDS_RESET: u32 = 64;

#[derive(Clone, Debug, Default)]
struct Queue {
    size: u32,
    ready: bool,
    addresses: [u64; 3],
    /// Chains taken from the available ring, and given back.
    taken: u16,
    given: u16,
    /// Chains that the device has.
    chains: Vec<Chain>,
    last_given: u16,
}

/// A virtio-mmio device.
#[derive(Debug)]
pub struct Device {
    model: Box<dyn Model>,
    status: u32,
    features_select: u32,
    accepted_select: u32,
    accepted: u64,
    selected: u32,
    queues: Vec<Queue>,
    causes: u32,
    generation: u32,
    notified: Vec<usize>,
    stuck: bool,
    /// Memory that the device was given before the last reset.
    remembered: Vec<(u64, usize)>,
}

impl Device {
    pub fn new(model: Box<dyn Model>) -> Device {
        let queues = vec![Queue::default(); model.queues().len()];
        Device {
            model,
            status: 0,
            features_select: 0,
            accepted_select: 0,
            accepted: 0,
            selected: 0,
            queues,
            causes: 0,
            generation: 0,
            notified: Vec::new(),
            stuck: false,
            remembered: Vec::new(),
        }
    }

    pub fn model(&mut self) -> &mut dyn Any {
        self.model.as_any()
    }

    pub fn interrupts(&self) -> bool {
        self.causes != 0
    }

    pub fn waiting(&self, queue: usize) -> usize {
        self.queues.get(queue).map_or(0, |queue| queue.chains.len())
    }

    pub fn is_reset(&self) -> bool {
        self.status == 0 && !self.stuck
    }

    /// Whether the device may still use any of that memory.
    pub fn has(&self, address: u64, length: usize) -> bool {
        let meets = |at: u64, bytes: usize| at < address + length as u64 && address < at + bytes as u64;
        self.queues.iter().any(|queue| {
            let lengths = ring_lengths(queue.size);
            let rings =
                queue.ready && queue.addresses.iter().zip(lengths).any(|(at, bytes)| meets(*at, bytes));
            rings
                || queue.chains.iter().flat_map(|chain| &chain.touched).any(|(at, bytes)| meets(*at, *bytes))
        })
    }

    pub fn reset(&mut self) {
        for queue in &mut self.queues {
            if queue.ready {
                self.remembered.extend(queue.addresses.iter().copied().zip(ring_lengths(queue.size)));
            }
            self.remembered.extend(queue.chains.drain(..).flat_map(|chain| chain.touched));
            *queue = Queue::default();
        }
        let excess = self.remembered.len().saturating_sub(32);
        self.remembered.drain(..excess);
        (self.status, self.accepted, self.causes, self.stuck) = (0, 0, 0, false);
        (self.features_select, self.accepted_select, self.selected) = (0, 0, 0);
        self.notified.clear();
    }

    fn offered(&self) -> u64 {
        self.model.features() | VERSION_1
    }

    /// The driver reads a register.
    pub fn load(inner: &mut Inner, offset: usize, width: usize) -> u32 {
        let (mischief, random) = (&mut inner.mischief, &mut inner.random);
        let device = &mut inner.device;
        if mischief.now(Kind::RegistersLie, random) {
            return random.number() as u32;
        }
        if offset >= 0x100 {
            if mischief.now(Kind::ConfigLies, random) {
                return random.number() as u32;
            }
            let config = device.model.config();
            let mut raw = [0; 4];
            for (index, byte) in raw.iter_mut().enumerate().take(width) {
                *byte = config.get(offset - 0x100 + index).copied().unwrap_or(0);
            }
            return u32::from_le_bytes(raw);
        }
        if width != 4 {
            inner.violation(format!("register {offset:#x} was read with {width} bytes"));
            return 0;
        }
        let selected = device.queues.get(device.selected as usize);
        match offset {
            0x000 => MAGIC,
            0x004 => 2,
            0x008 => device.model.kind(),
            0x00c => 0x554d_4551,
            0x010 => {
                let mut offered = device.offered();
                if mischief.now(Kind::FeaturesLie, random) {
                    offered ^= random.number();
                }
                offered.checked_shr(32 * device.features_select).unwrap_or(0) as u32
            }
            0x034 if mischief.now(Kind::QueueLies, random) => {
                [0, 1, 3, 1 << 15, 1 << 16, u32::MAX, random.number() as u32][random.below(7) as usize]
            }
            0x034 => device.model.queues().get(device.selected as usize).copied().unwrap_or(0),
            0x044 if mischief.now(Kind::QueueLies, random) => random.number() as u32,
            0x044 => selected.is_some_and(|queue| queue.ready).into(),
            0x060 => device.causes,
            0x070 => {
                if device.stuck {
                    return 1;
                }
                if device.status & FEATURES_OK != 0 && mischief.now(Kind::FeaturesLie, random) {
                    device.status &= !FEATURES_OK;
                }
                if device.status & DRIVER_OK != 0 && mischief.now(Kind::NeedsReset, random) {
                    device.status |= NEEDS_RESET;
                }
                let status = device.status;
                if status == 0 {
                    inner.memory.reset_seen();
                }
                status
            }
            0x0fc => {
                if mischief.now(Kind::ConfigChanges, random) {
                    device.generation = device.generation.wrapping_add(1);
                }
                device.generation
            }
            _ => {
                inner.violation(format!("register {offset:#x} cannot be read"));
                0
            }
        }
    }

    /// The driver writes a register.
    pub fn store(inner: &mut Inner, offset: usize, width: usize, value: u32) {
        if offset >= 0x100 || width != 4 {
            inner.violation(format!("{width} bytes were written at {offset:#x}"));
            return;
        }
        let device = &mut inner.device;
        let configuring = device.status & FEATURES_OK != 0 && device.status & DRIVER_OK == 0;
        let index = device.selected as usize;
        // A hostile device takes anything away at any time; the driver cannot know, so it breaks no rule.
        let honest = inner.mischief.done == [0; Kind::ALL.len()];
        let breach = match offset {
            0x014 => {
                device.features_select = value;
                value > 1
            }
            0x020 => {
                let shift = 32 * device.accepted_select.min(1);
                device.accepted &= !(0xffff_ffff << shift);
                device.accepted |= u64::from(value) << shift;
                device.status & FEATURES_OK != 0 || device.accepted & !device.offered() != 0
            }
            0x024 => {
                device.accepted_select = value;
                value > 1
            }
            0x030 => {
                device.selected = value;
                value as usize >= device.queues.len()
            }
            0x038..=0x0a4 if ![0x050, 0x064, 0x070].contains(&offset) => {
                let most = device.model.queues().get(index).copied().unwrap_or(0);
                let Some(queue) = device.queues.get_mut(index) else {
                    return inner.violation(format!("queue {index} does not exist"));
                };
                let mut breach = !configuring || (queue.ready && offset != 0x044);
                match offset {
                    0x038 => {
                        queue.size = value;
                        breach |= value > most || !value.is_power_of_two();
                    }
                    0x044 => {
                        let lengths = ring_lengths(queue.size);
                        let addresses = queue.addresses;
                        breach |= value != 1 || queue.size == 0;
                        breach |= addresses.iter().zip([16, 2, 4]).any(|(at, unit)| !at.is_multiple_of(unit));
                        queue.ready = value == 1;
                        for (at, bytes) in addresses.into_iter().zip(lengths) {
                            if inner.memory.reach(at, bytes, inner.generation).is_none() {
                                inner.violations.push(format!("ring at {at:#x} is no pool memory"));
                                inner.device.queues[index].ready = false;
                            }
                        }
                    }
                    0x080 | 0x090 | 0x0a0 => {
                        let place = &mut queue.addresses[(offset - 0x080) / 16];
                        *place = *place & !0xffff_ffff | u64::from(value);
                    }
                    0x084 | 0x094 | 0x0a4 => {
                        let place = &mut queue.addresses[(offset - 0x084) / 16];
                        *place = *place & 0xffff_ffff | u64::from(value) << 32;
                    }
                    _ => breach = true,
                }
                breach
            }
            0x050 => {
                let ready = device.queues.get(value as usize).is_some_and(|queue| queue.ready);
                device.notified.push(value as usize);
                !ready || device.status & DRIVER_OK == 0
            }
            0x064 => {
                device.causes &= !value;
                value & !3 != 0
            }
            0x070 if value == 0 => {
                device.reset();
                device.stuck = inner.mischief.now(Kind::NeverReset, &mut inner.random);
                false
            }
            0x070 => {
                let lost = device.status & !value & !NEEDS_RESET != 0;
                let early = value & DRIVER_OK != 0 && value & FEATURES_OK == 0;
                let lies = inner.mischief.did(Kind::FeaturesLie);
                let old = device.accepted & VERSION_1 == 0;
                // (Unless a register said that all of it had happened already.)
                if value & DRIVER_OK != 0 && old && !inner.mischief.did(Kind::RegistersLie) {
                    inner.violations.push(String::from("the driver goes on without version 1"));
                }
                if value & FEATURES_OK != 0 && old && !lies {
                    device.status = value & !FEATURES_OK;
                } else {
                    device.status = value;
                }
                lost || early
            }
            _ => true,
        };
        if breach && honest {
            inner.violation(format!("{value:#x} must not be written to register {offset:#x} now"));
        }
    }

    /// Works on everything that it was told of, and on what waits.
    pub fn work(inner: &mut Inner) {
        Device::linger(inner);
        if inner.mischief.now(Kind::SpuriousInterrupt, &mut inner.random) {
            inner.device.causes |= 1 + inner.random.below(3) as u32;
        }
        let device = &mut inner.device;
        if device.status & DRIVER_OK == 0 || device.stuck {
            return;
        }
        device.notified.sort_unstable();
        device.notified.dedup();
        for queue in std::mem::take(&mut device.notified) {
            while let Some(chain) = Device::next_chain(inner, queue) {
                inner.device.queues[queue].chains.push(chain);
            }
        }
        for queue in 0..inner.device.queues.len() {
            Device::answer(inner, queue);
        }
    }

    /// Writes where a device has no business any more.
    fn linger(inner: &mut Inner) {
        if inner.device.remembered.is_empty() || !inner.mischief.now(Kind::LateWrite, &mut inner.random) {
            return;
        }
        let which = inner.random.below(inner.device.remembered.len() as u64) as usize;
        let (address, length) = inner.device.remembered[which];
        Device::scribble(inner, address, length);
    }

    fn scribble(inner: &mut Inner, address: u64, length: usize) {
        let offset = (address - crate::memory::BASE) as usize;
        for _ in 0..1 + inner.random.below(16) {
            let at = offset + inner.random.below(length as u64) as usize;
            if let Some(byte) = inner.memory.there.get_mut(at) {
                *byte = inner.random.number() as u8;
            }
        }
    }

    /// The next chain of the available ring, as the driver wrote it.
    fn next_chain(inner: &mut Inner, index: usize) -> Option<Chain> {
        let queue = inner.device.queues.get(index).filter(|queue| queue.ready)?;
        let [descriptors, available, _] = queue.addresses.map(|at| (at - crate::memory::BASE) as usize);
        let (size, taken) = (queue.size, queue.taken);
        let number = |at: usize, bytes: usize| {
            inner.memory.written[at..at + bytes].iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte))
        };
        let waiting = (number(available + 2, 2) as u16).wrapping_sub(taken);
        if waiting == 0 {
            return None;
        }
        let head = number(available + 4 + 2 * (u32::from(taken) % size) as usize, 2) as u16;
        let mut chain = Chain { head, ..Chain::default() };
        let mut faults = Vec::new();
        if u32::from(waiting) > size {
            faults.push(format!("{waiting} chains are available in a queue of {size}"));
        }
        // After a lie about what it is done with, the driver may rightly take a chain for its own.
        let lies = [Kind::IdUnknown, Kind::Twice, Kind::IndexJumps, Kind::Scribble];
        let honest = !lies.iter().any(|lie| inner.mischief.did(*lie));
        if honest && queue.chains.iter().any(|other| other.head == head) {
            faults.push(format!("chain {head} was handed over twice"));
        }
        let mut at = u64::from(head);
        for part in 0.. {
            if at >= u64::from(size) || part == size {
                faults.push(format!("chain {head} leaves the table or goes round"));
                break;
            }
            let entry = descriptors + 16 * at as usize;
            let (address, length) = (number(entry, 8), number(entry + 8, 4) as usize);
            let flags = number(entry + 12, 2);
            let Some(offset) = inner.memory.reach(address, length, inner.generation) else {
                faults
                    .push(format!("descriptor {at} points at {address:#x}, {length} bytes: no pool memory"));
                break;
            };
            chain.touched.push((address, length));
            if flags & 2 != 0 {
                chain.writable.push((offset, length));
                chain.room += length;
            } else {
                if !chain.writable.is_empty() {
                    faults.push(format!("chain {head} has a part to read after one to write"));
                }
                chain.readable.extend_from_slice(&inner.memory.written[offset..offset + length]);
            }
            if flags & !3 != 0 || length == 0 {
                faults.push(format!("descriptor {at} has flags {flags:#x} and {length} bytes"));
            }
            if flags & 1 == 0 {
                break;
            }
            at = number(entry + 14, 2);
        }
        inner.device.queues[index].taken = taken.wrapping_add(1);
        faults.into_iter().for_each(|fault| inner.violation(fault));
        Some(chain)
    }

    /// Answers the chains that can be answered, in any order.
    fn answer(inner: &mut Inner, index: usize) {
        while !inner.device.queues[index].chains.is_empty() && inner.device.model.ready(index) {
            let (mischief, random) = (&mut inner.mischief, &mut inner.random);
            let chains = &mut inner.device.queues[index].chains;
            let chain = chains.remove(random.below(chains.len() as u64) as usize);
            let mut done = inner.device.model.work(index, &chain, random);
            done.written.truncate(chain.room);
            if mischief.now(Kind::LostCompletion, random) {
                // It keeps the chain, and so its memory.
                inner.device.remembered.extend(chain.touched);
                continue;
            }
            if mischief.now(Kind::DataLies, random) {
                done.written.iter_mut().for_each(|byte| *byte = random.number() as u8);
                done.last = done.last.map(|_| random.number() as u8);
            }
            let whole = done.written.len();
            if mischief.now(Kind::TooShort, random) {
                done.written.truncate(random.below(done.written.len() as u64 + 1) as usize);
            }
            let missing = whole - done.written.len();
            let unwritten = mischief.now(Kind::Unwritten, random);
            let mut length = done.written.len() as u64;
            let mut bytes = done.written.into_iter().take(if unwritten { 0 } else { usize::MAX });
            'parts: for (offset, room) in &chain.writable {
                for at in *offset..offset + room {
                    let Some(byte) = bytes.next() else { break 'parts };
                    inner.memory.there[at] = byte;
                }
            }
            if let (Some(last), Some((offset, room))) = (done.last, chain.writable.last()) {
                if !unwritten {
                    inner.memory.there[offset + room - 1] = last;
                }
                length = (chain.room - missing) as u64;
            }
            Device::give_back(inner, index, chain.head, length, chain.room as u64);
        }
    }

    /// Writes a used entry, and whatever mischief goes with it.
    fn give_back(inner: &mut Inner, index: usize, head: u16, length: u64, room: u64) {
        let (mischief, random) = (&mut inner.mischief, &mut inner.random);
        let queue = &mut inner.device.queues[index];
        let used = (queue.addresses[2] - crate::memory::BASE) as usize;
        let (mut id, mut length) = (u32::from(head), length as u32);
        if mischief.now(Kind::IdOutside, random) {
            let size = queue.size;
            id = [size, size + 1, 0xffff, 0x1_0000 | id, u32::MAX][random.below(5) as usize];
        }
        if mischief.now(Kind::IdUnknown, random) {
            id = random.below(queue.size.into()) as u32;
        }
        if mischief.now(Kind::TooLong, random) {
            length = [room as u32 + 1, u32::MAX, random.number() as u32][random.below(3) as usize];
        }
        if mischief.now(Kind::TooShort, random) {
            length = random.below(u64::from(length) + 1) as u32;
        }
        let times = if mischief.now(Kind::Twice, random) { 2 } else { 1 };
        if mischief.now(Kind::Twice, random) {
            id = queue.last_given.into();
        }
        for _ in 0..times {
            let slot = used + 4 + 8 * (u32::from(queue.given) % queue.size) as usize;
            inner.memory.there[slot..slot + 4].copy_from_slice(&id.to_le_bytes());
            inner.memory.there[slot + 4..slot + 8].copy_from_slice(&length.to_le_bytes());
            queue.given = queue.given.wrapping_add(1);
        }
        queue.last_given = head;
        if mischief.now(Kind::IndexJumps, random) {
            queue.given = random.number() as u16;
        }
        inner.memory.there[used + 2..used + 4].copy_from_slice(&queue.given.to_le_bytes());
        let flags = inner.memory.written[(queue.addresses[1] - crate::memory::BASE) as usize];
        if flags & 1 == 0 && !mischief.now(Kind::LostInterrupt, random) {
            inner.device.causes |= 1;
        }
        if inner.mischief.now(Kind::Scribble, &mut inner.random) {
            let rings: Vec<_> = {
                let queue = &inner.device.queues[index];
                queue.addresses.into_iter().zip(ring_lengths(queue.size)).collect()
            };
            let (address, length) = rings[inner.random.below(3) as usize];
            Device::scribble(inner, address, length);
        }
    }
}

/// Bytes of descriptors, available ring and used ring.
fn ring_lengths(size: u32) -> [usize; 3] {
    let size = size as usize;
    [16 * size, 6 + 2 * size, 6 + 8 * size]
}
