//! The console device (virtio 1.2, section 5.3) with its first port alone: a buffer that it fills with what came over the line, and one that it sends.
//! Bytes are copied in and out. The device has one buffer each way at a time: it may be done with several in any order, and bytes have only one.

use nexus_driver::memory::PAGE;
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Fault, Memory, Part, Pool, Queue, Registers, Transport};

/// Bytes of each buffer.
pub const BUFFER: usize = PAGE;

/// Descriptors of each queue.
const DESCRIPTORS: u16 = 2;

const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// One queue with its buffer, and the name under which the device has it.
#[derive(Debug)]
struct Side<M> {
    queue: Queue<M>,
    memory: M,
    with_device: Option<u16>,
    access: Access,
    index: u16,
}

impl<M: Memory> Side<M> {
    fn new(pool: &mut impl Pool<Memory = M>, index: u16, access: Access) -> Result<Side<M>, Fault> {
        let queue = Queue::new(pool.allocate(Queue::<M>::bytes(DESCRIPTORS))?, DESCRIPTORS)?;
        Ok(Side { queue, memory: pool.allocate(BUFFER)?, with_device: None, access, index })
    }

    fn submit<R: Registers>(&mut self, length: usize, transport: &Transport<R>) -> Result<(), Fault> {
        let part = Part::of(&self.memory, 0, length, self.access)?;
        self.with_device = Some(self.queue.submit(&[part])?);
        if self.queue.must_notify()? { transport.notify(self.index) } else { Ok(()) }
    }

    /// How much the device wrote, once it is done with the buffer.
    fn take(&mut self) -> Result<Option<usize>, Fault> {
        let Some(used) = self.queue.take()? else { return Ok(None) };
        self.with_device = None;
        Ok(Some(used.written as usize))
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

    /// Resets and starts the device and gives it the empty buffer. What it had is lost.
    pub fn bring_up(&mut self) -> Result<(), Fault> {
        let queues = &mut [&mut self.receive.queue, &mut self.transmit.queue];
        self.transport.bring_up(kind::CONSOLE, 0, queues)?;
        self.receive.with_device = None;
        self.transmit.with_device = None;
        self.receive.submit(BUFFER, &self.transport)
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
        let Some(length) = self.receive.take()? else { return Ok(None) };
        let bytes = out.get_mut(..length).filter(|bytes| !bytes.is_empty()).ok_or(Fault::Malformed)?;
        self.receive.memory.read(0, bytes)?;
        self.receive.submit(BUFFER, &self.transport)?;
        Ok(Some(length))
    }

    /// Sends as much of `bytes` as there is room for now; answers how much.
    pub fn send(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let length = bytes.len().min(BUFFER);
        if length == 0 || self.transmit.with_device.is_some() {
            return Ok(0);
        }
        self.transmit.memory.write(0, &bytes[..length])?;
        self.transmit.submit(length, &self.transport)?;
        Ok(length)
    }
}
