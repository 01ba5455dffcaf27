//! A virtio device behind a window of registers (virtio 1.2, section 4.2: virtio over MMIO, version 2).
//!
//! Every wait for the device is a bounded number of looks, and everything that it says is checked before it is used.

use crate::memory::Memory;
use crate::queue::Queue;
use crate::{Fault, Registers};

/// Kinds of devices.
pub mod kind {
    /// A network card.
    pub const NET: u32 = 1;
    /// A disk.
    pub const BLOCK: u32 = 2;
    /// A console with ports.
    pub const CONSOLE: u32 = 3;
    /// A source of entropy.
    pub const ENTROPY: u32 = 4;
}

/// Offsets of registers.
mod at {
    pub const MAGIC: usize = 0x000;
    pub const VERSION: usize = 0x004;
    pub const DEVICE: usize = 0x008;
    pub const FEATURES: usize = 0x010;
    pub const FEATURES_SELECT: usize = 0x014;
    pub const ACCEPTED: usize = 0x020;
    pub const ACCEPTED_SELECT: usize = 0x024;
    pub const QUEUE_SELECT: usize = 0x030;
    pub const QUEUE_MOST: usize = 0x034;
    pub const QUEUE_SIZE: usize = 0x038;
    pub const QUEUE_READY: usize = 0x044;
    pub const NOTIFY: usize = 0x050;
    pub const CAUSE: usize = 0x060;
    pub const CAUSE_ACK: usize = 0x064;
    pub const STATUS: usize = 0x070;
    /// Descriptors, available ring, used ring: the low half of an address; the high half is 4 bytes further.
    pub const QUEUE_ADDRESSES: [usize; 3] = [0x080, 0x090, 0x0a0];
    pub const GENERATION: usize = 0x0fc;
    pub const CONFIG: usize = 0x100;
}

const MAGIC: u32 = u32::from_le_bytes(*b"virt");
const VERSION: u32 = 2;

/// Bits of the status register.
mod status {
    pub const ACKNOWLEDGE: u32 = 1;
    pub const DRIVER: u32 = 2;
    pub const DRIVER_OK: u32 = 4;
    pub const FEATURES_OK: u32 = 8;
    pub const NEEDS_RESET: u32 = 64;
    pub const FAILED: u32 = 128;
}

/// The device keeps to version 1 of the standard: every driver demands it.
pub const VERSION_1: u64 = 1 << 32;

/// Looks at the status before a reset is given up. (A real device answers at once or within microseconds.)
pub const RESET_LOOKS: u32 = 1000;

/// Readings of a configuration that changes meanwhile before it is given up.
pub const STEADY_LOOKS: u32 = 8;

/// Why the device interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// It is done with something of a queue.
    pub queue: bool,
    /// Its configuration changed, or its state did.
    pub config: bool,
}

/// A virtio device.
#[derive(Debug)]
pub struct Transport<R> {
    registers: R,
}

impl<R: Registers> Transport<R> {
    /// Whatever is behind the window; nothing is touched yet.
    pub const fn new(registers: R) -> Transport<R> {
        Transport { registers }
    }

    /// The kind of device that is there, 0 for an empty slot; `None` when it is no virtio device of this version.
    pub fn kind(&self) -> Result<Option<u32>, Fault> {
        let registers = &self.registers;
        let is_virtio = registers.load32(at::MAGIC)? == MAGIC && registers.load32(at::VERSION)? == VERSION;
        if is_virtio { registers.load32(at::DEVICE).map(Some) } else { Ok(None) }
    }

    /// Makes a working device of whatever state it is in: finds out that it is of that `kind`, resets it, takes of what it
    /// offers what is `wanted`, empties the queues and gives them to it, and starts it. Answers what was taken; [`VERSION_1`] always is.
    ///
    /// The queues must be those of the last time: their memory is the device's until it is seen reset.
    pub fn bring_up<M: Memory>(
        &mut self,
        kind: u32,
        wanted: u64,
        queues: &mut [&mut Queue<M>],
    ) -> Result<u64, Fault> {
        if self.kind()? != Some(kind) {
            return Err(Fault::Absent);
        }
        self.reset()?;
        let begun = self.begin(wanted, queues);
        if begun.is_err() {
            // The device shall do nothing with what it was given so far.
            self.reset()?;
            self.raise(status::FAILED)?;
        }
        begun
    }

    fn begin<M: Memory>(&mut self, wanted: u64, queues: &mut [&mut Queue<M>]) -> Result<u64, Fault> {
        let taken = self.negotiate(wanted)?;
        for (index, queue) in queues.iter_mut().enumerate() {
            self.add_queue(index as u32, queue)?;
        }
        let now = self.raise(status::DRIVER_OK)?;
        if now & (status::NEEDS_RESET | status::FAILED) != 0 { Err(Fault::NeedsReset) } else { Ok(taken) }
    }

    /// Ends everything that the device does. After it the device touches no memory until it is started again.
    pub fn reset(&mut self) -> Result<(), Fault> {
        self.registers.store32(at::STATUS, 0)?;
        for _ in 0..RESET_LOOKS {
            if self.registers.load32(at::STATUS)? == 0 {
                return Ok(());
            }
        }
        Err(Fault::NotReset)
    }

    fn raise(&mut self, bits: u32) -> Result<u32, Fault> {
        let before = self.registers.load32(at::STATUS)?;
        self.registers.store32(at::STATUS, before | bits)?;
        self.registers.load32(at::STATUS)
    }

    fn negotiate(&mut self, wanted: u64) -> Result<u64, Fault> {
        self.raise(status::ACKNOWLEDGE)?;
        self.raise(status::DRIVER)?;
        let mut offered = 0;
        for half in 0..2u32 {
            self.registers.store32(at::FEATURES_SELECT, half)?;
            offered |= u64::from(self.registers.load32(at::FEATURES)?) << (32 * half);
        }
        let taken = offered & (wanted | VERSION_1);
        if taken & VERSION_1 == 0 {
            return Err(Fault::Features);
        }
        for half in 0..2u32 {
            self.registers.store32(at::ACCEPTED_SELECT, half)?;
            self.registers.store32(at::ACCEPTED, (taken >> (32 * half)) as u32)?;
        }
        if self.raise(status::FEATURES_OK)? & status::FEATURES_OK == 0 {
            return Err(Fault::Features);
        }
        Ok(taken)
    }

    fn add_queue<M: Memory>(&mut self, index: u32, queue: &mut Queue<M>) -> Result<(), Fault> {
        self.registers.store32(at::QUEUE_SELECT, index)?;
        if self.registers.load32(at::QUEUE_READY)? != 0 {
            return Err(Fault::NoQueue);
        }
        let can = self.registers.load32(at::QUEUE_MOST)?.min(queue.most().into());
        // The largest power of two that is not more; there is none for 0.
        let size = can.checked_ilog2().map(|log| 1u16 << log).ok_or(Fault::NoQueue)?;
        queue.clear(size)?;
        self.registers.store32(at::QUEUE_SIZE, size.into())?;
        for (offset, address) in at::QUEUE_ADDRESSES.into_iter().zip(queue.addresses()) {
            self.registers.store32(offset, address as u32)?;
            self.registers.store32(offset + 4, (address >> 32) as u32)?;
        }
        self.registers.store32(at::QUEUE_READY, 1)
    }

    /// Tells the device that queue `index` has something new.
    pub fn notify(&self, index: u16) -> Result<(), Fault> {
        self.registers.store32(at::NOTIFY, index.into())
    }

    /// Why the device interrupted, acknowledged. When its configuration changed the device may also say that it can go
    /// on no more: that is `NeedsReset`.
    pub fn interrupt(&self) -> Result<Cause, Fault> {
        let bits = self.registers.load32(at::CAUSE)? & 3;
        if bits != 0 {
            self.registers.store32(at::CAUSE_ACK, bits)?;
        }
        let cause = Cause { queue: bits & 1 != 0, config: bits & 2 != 0 };
        if cause.config && self.registers.load32(at::STATUS)? & status::NEEDS_RESET != 0 {
            return Err(Fault::NeedsReset);
        }
        Ok(cause)
    }

    /// A byte of the configuration.
    pub fn config8(&self, offset: usize) -> Result<u8, Fault> {
        self.registers.load8(at::CONFIG.checked_add(offset).ok_or(Fault::Outside)?)
    }

    /// Two bytes of the configuration.
    pub fn config16(&self, offset: usize) -> Result<u16, Fault> {
        self.registers.load16(at::CONFIG.checked_add(offset).ok_or(Fault::Outside)?)
    }

    /// Four bytes of the configuration.
    pub fn config32(&self, offset: usize) -> Result<u32, Fault> {
        self.registers.load32(at::CONFIG.checked_add(offset).ok_or(Fault::Outside)?)
    }

    /// Reads several fields of the configuration as they were at one moment.
    pub fn steady<T>(&self, read: impl Fn(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        for _ in 0..STEADY_LOOKS {
            let before = self.registers.load32(at::GENERATION)?;
            let value = read(self)?;
            if self.registers.load32(at::GENERATION)? == before {
                return Ok(value);
            }
        }
        Err(Fault::Unsteady)
    }
}
