//! The console device (virtio 1.2, section 5.3) with its first port alone: a queue of empty buffers that it fills with what came over the line, and one
//! of full ones that it sends. Bytes are copied in and out.

use alloc::vec::Vec;
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Fault, Memory, Part, Pool, Queue, Registers, Transport};

/// Buffers each way. One queue each, so as many descriptors.
pub const BUFFERS: u16 = 4;

/// Bytes of a buffer.
pub const BUFFER: usize = 1024;

const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// Buffers of one queue, and under what name the device has which.
#[derive(Debug)]
struct Side<M> {
    queue: Queue<M>,
    memory: M,
    with_device: Vec<Option<u16>>,
    access: Access,
    index: u16,
}

impl<M: Memory> Side<M> {
    fn new(pool: &mut impl Pool<Memory = M>, index: u16, access: Access) -> Result<Side<M>, Fault> {
        let queue = Queue::new(pool.allocate(Queue::<M>::bytes(BUFFERS))?, BUFFERS)?;
        let memory = pool.allocate(BUFFER * usize::from(BUFFERS))?;
        Ok(Side { queue, memory, with_device: (0..BUFFERS).map(|_| None).collect(), access, index })
    }

    fn free(&self) -> Option<usize> {
        let free = || self.with_device.iter().position(Option::is_none);
        if self.queue.room() == 0 { None } else { free() }
    }

    fn submit(&mut self, buffer: usize, length: usize) -> Result<(), Fault> {
        let part = Part::of(&self.memory, BUFFER * buffer, length, self.access)?;
        let token = self.queue.submit(&[part])?;
        if let Some(place) = self.with_device.get_mut(buffer) {
            *place = Some(token);
        }
        Ok(())
    }

    /// A buffer that the device is done with, and how much it wrote.
    fn take(&mut self) -> Result<Option<(usize, usize)>, Fault> {
        let Some(used) = self.queue.take()? else { return Ok(None) };
        let buffer = self.with_device.iter().position(|has| *has == Some(used.token));
        let buffer = buffer.ok_or(Fault::UsedUnknown)?;
        self.with_device[buffer] = None;
        Ok(Some((buffer, used.written as usize)))
    }

    fn tell<R: Registers>(&self, transport: &Transport<R>) -> Result<(), Fault> {
        if self.queue.must_notify()? { transport.notify(self.index) } else { Ok(()) }
    }
}

/// The port.
#[derive(Debug)]
pub struct Port<R, M> {
    transport: Transport<R>,
    receive: Side<M>,
    transmit: Side<M>,
}

impl<R: Registers, M: Memory> Port<R, M> {
    /// Takes the memory; the device is not touched before [`Port::bring_up`].
    pub fn new(registers: R, pool: &mut impl Pool<Memory = M>) -> Result<Port<R, M>, Fault> {
        Ok(Port {
            transport: Transport::new(registers),
            receive: Side::new(pool, RECEIVE, Access::DeviceWrites)?,
            transmit: Side::new(pool, TRANSMIT, Access::DeviceReads)?,
        })
    }

    /// Resets and starts the device and gives it every empty buffer. What it had is lost.
    pub fn bring_up(&mut self) -> Result<(), Fault> {
        let queues = &mut [&mut self.receive.queue, &mut self.transmit.queue];
        self.transport.bring_up(kind::CONSOLE, 0, queues)?;
        self.receive.with_device.fill(None);
        self.transmit.with_device.fill(None);
        while let Some(buffer) = self.receive.free() {
            self.receive.submit(buffer, BUFFER)?;
        }
        self.receive.tell(&self.transport)
    }

    /// Resets the device and leaves it.
    pub fn bring_down(&mut self) -> Result<(), Fault> {
        self.transport.reset()
    }

    /// Acknowledges an interrupt and takes back what was sent.
    pub fn interrupt(&mut self) -> Result<(), Fault> {
        self.transport.interrupt()?;
        while self.transmit.take()?.is_some() {}
        Ok(())
    }

    /// Takes the next bytes that came; how many of `out` they are, `None` when there are none. As long as they are not taken the
    /// device has no room for more, and whoever sends has to wait.
    pub fn receive(&mut self, out: &mut [u8; BUFFER]) -> Result<Option<usize>, Fault> {
        let Some((buffer, length)) = self.receive.take()? else { return Ok(None) };
        let bytes = out.get_mut(..length).filter(|bytes| !bytes.is_empty()).ok_or(Fault::Malformed)?;
        self.receive.memory.read(BUFFER * buffer, bytes)?;
        self.receive.submit(buffer, BUFFER)?;
        self.receive.tell(&self.transport)?;
        Ok(Some(length))
    }

    /// Sends as much of `bytes` as there is room for now; answers how much.
    pub fn send(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let mut sent = 0;
        for piece in bytes.chunks(BUFFER) {
            let Some(buffer) = self.transmit.free() else { break };
            self.transmit.memory.write(BUFFER * buffer, piece)?;
            self.transmit.submit(buffer, piece.len())?;
            sent += piece.len();
        }
        if sent > 0 {
            self.transmit.tell(&self.transport)?;
        }
        Ok(sent)
    }
}
