//! The card (virtio 1.2, section 5.1): a queue of empty buffers that it fills, and one of full ones that it sends.
//!
//! Frames are copied in and out: what the stack works on is not what a card may still write.

use alloc::vec::Vec;
use nexus_driver::memory::PAGE;
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Fault, Memory, Part, Pool, Queue, Registers, Transport};

/// Shortest frame, without checksum.
pub const SHORTEST: usize = 14;

/// Longest frame, without checksum.
pub const LONGEST: usize = 1514;

/// Buffers each way. One queue each, so as many descriptors.
pub const BUFFERS: u16 = 64;

/// Bytes of a buffer, and of what stands before each frame.
const BUFFER: usize = PAGE / 2;
const HEADER: usize = 12;

/// Features: the card has an address of its own; it tells whether there is a link.
const ADDRESS: u64 = 1 << 5;
const STATUS: u64 = 1 << 16;

const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// Buffers of one queue, and which of them the device has, under what name.
#[derive(Debug)]
struct Side<M> {
    queue: Queue<M>,
    memory: M,
    /// For each buffer the chain that it is in, and since when.
    with_device: Vec<Option<(u16, u64)>>,
    access: Access,
    index: u16,
}

impl<M: Memory> Side<M> {
    fn new(pool: &mut impl Pool<Memory = M>, index: u16, access: Access) -> Result<Side<M>, Fault> {
        let queue = Queue::new(pool.allocate(Queue::<M>::bytes(BUFFERS))?, BUFFERS)?;
        let memory = pool.allocate(BUFFER * usize::from(BUFFERS))?;
        let with_device = (0..BUFFERS).map(|_| None).collect();
        Ok(Side { queue, memory, with_device, access, index })
    }

    fn free(&self) -> Option<usize> {
        if self.queue.room() == 0 {
            None
        } else {
            self.with_device.iter().position(|buffer| buffer.is_none())
        }
    }

    fn submit(&mut self, buffer: usize, length: usize, now: u64) -> Result<(), Fault> {
        let part = Part::of(&self.memory, BUFFER * buffer, length, self.access)?;
        let token = self.queue.submit(&[part])?;
        if let Some(place) = self.with_device.get_mut(buffer) {
            *place = Some((token, now));
        }
        Ok(())
    }

    /// A buffer that the device is done with, and how much it wrote.
    fn take(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        let Some(used) = self.queue.take()? else { return Ok(None) };
        let has = |buffer: &Option<(u16, u64)>| buffer.is_some_and(|(token, _)| token == used.token);
        let buffer = self.with_device.iter().position(has).ok_or(Fault::UsedUnknown)?;
        self.with_device[buffer] = None;
        Ok(Some((buffer, used.written as usize)))
    }

    fn tell<R: Registers>(&self, transport: &Transport<R>) -> Result<(), Fault> {
        if self.queue.must_notify()? { transport.notify(self.index) } else { Ok(()) }
    }
}

/// The card.
#[derive(Debug)]
pub struct Card<R, M> {
    transport: Transport<R>,
    receive: Side<M>,
    transmit: Side<M>,
    has_status: bool,
}

impl<R: Registers, M: Memory> Card<R, M> {
    /// Takes the memory; the card is not touched before [`Card::bring_up`].
    pub fn new(registers: R, pool: &mut impl Pool<Memory = M>) -> Result<Card<R, M>, Fault> {
        Ok(Card {
            transport: Transport::new(registers),
            receive: Side::new(pool, RECEIVE, Access::DeviceWrites)?,
            transmit: Side::new(pool, TRANSMIT, Access::DeviceReads)?,
            has_status: false,
        })
    }

    /// Resets and starts the card and gives it every empty buffer. Answers its address.
    pub fn bring_up(&mut self, now: u64) -> Result<[u8; 6], Fault> {
        let (receive, transmit) = (&mut self.receive, &mut self.transmit);
        let queues = &mut [&mut receive.queue, &mut transmit.queue];
        let features = self.transport.bring_up(kind::NET, ADDRESS | STATUS, queues)?;
        // The card is reset: all buffers are here.
        receive.with_device.fill(None);
        transmit.with_device.fill(None);
        let begun = self.begin(features, now);
        if begun.is_err() {
            self.transport.reset()?;
        }
        begun
    }

    fn begin(&mut self, features: u64, now: u64) -> Result<[u8; 6], Fault> {
        if features & ADDRESS == 0 {
            return Err(Fault::Features);
        }
        self.has_status = features & STATUS != 0;
        let address = self.transport.steady(|transport| {
            let mut address = [0; 6];
            for (offset, byte) in address.iter_mut().enumerate() {
                *byte = transport.config8(offset)?;
            }
            Ok(address)
        })?;
        // A group's address, or none, is no card's.
        if address[0] & 1 != 0 || address == [0; 6] {
            return Err(Fault::Malformed);
        }
        while let Some(buffer) = self.receive.free() {
            self.receive.submit(buffer, HEADER + LONGEST, now)?;
        }
        self.receive.tell(&self.transport)?;
        Ok(address)
    }

    /// Resets the card and leaves it.
    pub fn bring_down(&mut self) -> Result<(), Fault> {
        self.transport.reset()
    }

    /// Whether there is a link. A card that does not tell has one.
    pub fn has_link(&self) -> Result<bool, Fault> {
        if self.has_status { Ok(self.transport.config16(6)? & 1 != 0) } else { Ok(true) }
    }

    /// Sends a frame. `false` when there is no room now, or when it is too short or too long.
    pub fn transmit(&mut self, frame: &[u8], now: u64) -> Result<bool, Fault> {
        if !(SHORTEST..=LONGEST).contains(&frame.len()) {
            return Ok(false);
        }
        let Some(buffer) = self.transmit.free() else { return Ok(false) };
        self.transmit.memory.write(BUFFER * buffer, &[0; HEADER])?;
        self.transmit.memory.write(BUFFER * buffer + HEADER, frame)?;
        self.transmit.submit(buffer, HEADER + frame.len(), now)?;
        self.transmit.tell(&self.transport)?;
        Ok(true)
    }

    /// Acknowledges an interrupt, takes back what was sent and hands on what has come, each frame in a copy of its own.
    pub fn interrupt(&mut self, now: u64, mut received: impl FnMut(&[u8])) -> Result<(), Fault> {
        self.transport.interrupt()?;
        while self.transmit.take()?.is_some() {}
        let mut frame = [0; LONGEST];
        let mut came = false;
        // Not more than there are buffers, so that a flood does not keep the driver from sending.
        for _ in 0..BUFFERS {
            let Some((buffer, written)) = self.receive.take()? else { break };
            let length = written.checked_sub(HEADER).filter(|length| *length >= SHORTEST);
            let frame = length.and_then(|length| frame.get_mut(..length)).ok_or(Fault::Malformed)?;
            self.receive.memory.read(BUFFER * buffer + HEADER, frame)?;
            received(frame);
            self.receive.submit(buffer, HEADER + LONGEST, now)?;
            came = true;
        }
        if came { self.receive.tell(&self.transport) } else { Ok(()) }
    }

    /// Since when the card has had the frame that it has had longest to send.
    pub fn oldest(&self) -> Option<u64> {
        self.transmit.with_device.iter().flatten().map(|(_, since)| *since).min()
    }
}
