//! The entropy device (virtio 1.2, section 5.4): one queue, buffers that it fills with as much as it has.

use nexus_driver::memory::PAGE;
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Fault, Memory, Part, Pool, Queue, Registers, Transport};

/// Bytes that are asked for at once.
pub const ASK: usize = 64;

/// Descriptors of the queue: one request at a time.
const QUEUE: u16 = 2;

/// The device, with the one buffer that it fills.
#[derive(Debug)]
pub struct Source<R, M> {
    transport: Transport<R>,
    queue: Queue<M>,
    buffer: M,
    asked: Option<u16>,
}

impl<R: Registers, M: Memory> Source<R, M> {
    /// Takes the memory; the device is not touched before [`Source::bring_up`].
    pub fn new(registers: R, pool: &mut impl Pool<Memory = M>) -> Result<Source<R, M>, Fault> {
        let queue = Queue::new(pool.allocate(Queue::<M>::bytes(QUEUE))?, QUEUE)?;
        let buffer = pool.allocate(PAGE)?;
        Ok(Source { transport: Transport::new(registers), queue, buffer, asked: None })
    }

    /// Resets and starts the device; what was asked before is forgotten.
    pub fn bring_up(&mut self) -> Result<(), Fault> {
        self.asked = None;
        self.transport.bring_up(kind::ENTROPY, 0, &mut [&mut self.queue]).map(|_| ())
    }

    /// Resets the device and leaves it.
    pub fn bring_down(&mut self) -> Result<(), Fault> {
        self.transport.reset()
    }

    /// Asks for entropy, unless it is being waited for.
    pub fn ask(&mut self) -> Result<(), Fault> {
        if self.asked.is_some() {
            return Ok(());
        }
        // What an old answer left must not be taken for a new one.
        self.buffer.write(0, &[0; ASK])?;
        let part = Part::of(&self.buffer, 0, ASK, Access::DeviceWrites)?;
        self.asked = Some(self.queue.submit(&[part])?);
        if self.queue.must_notify()? {
            self.transport.notify(0)?;
        }
        Ok(())
    }

    /// Whether entropy is being waited for.
    pub fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Acknowledges an interrupt and takes what has come: how many bytes of `out` are entropy, 0 when nothing has.
    pub fn interrupt(&mut self, out: &mut [u8; ASK]) -> Result<usize, Fault> {
        self.transport.interrupt()?;
        let Some(used) = self.queue.take()? else { return Ok(0) };
        self.asked = None;
        // The queue has checked that it is not more than was asked for.
        let count = used.written as usize;
        let room = out.get_mut(..count).ok_or(Fault::UsedTooLong)?;
        self.buffer.read(0, room)?;
        self.buffer.write(0, &[0; ASK])?;
        Ok(count)
    }
}
