//! An entropy device that nobody was given. Tests mint its window and its interrupt themselves: so they can take the interrupt away again, and
//! have the device interrupt without end, which no driver of the system does.

use alloc::string::String;
use harness::{Bench, Verdict, expect, why};
use nexus_driver::grants::{DevicePool, PoolMemory};
use nexus_driver::queue::Access;
use nexus_driver::transport::kind;
use nexus_driver::{Part, Pool as _, Queue, Transport};
use nexus_rt::memory::Mapping;
use nexus_rt::owned::{Irq, Mmio, Pool, Quota};
use nexus_rt::{Owned, clock};

/// Slots of QEMU's `virt`, each with one page of registers: the first one's address, and how many there are. Slot `n` has source `n + 1`.
const FIRST_SLOT: u64 = 0x1000_1000;
const SLOTS: u32 = 8;
const PAGE: u64 = 4096;

/// Descriptors of its queue.
const DESCRIPTORS: u16 = 2;

/// The device's memory: its queue and its buffer.
const POOL: u64 = 2 * PAGE;

/// How long the device may take.
const PATIENCE_MS: u64 = 5000;

/// The device.
pub struct Left {
    registers: Mapping,
    source: u32,
}

impl Left {
    /// Looks for it.
    pub fn find(bench: &Bench) -> Result<Left, String> {
        for slot in 0..SLOTS {
            let base = FIRST_SLOT + u64::from(slot) * PAGE;
            // A slot that somebody was given is `Exists`.
            let Ok(window) = Owned::<Mmio>::mint(&bench.machine, bench.quota, base, PAGE) else { continue };
            let registers = why("map", window.map(bench.own))?;
            if why("its kind", Transport::new(&registers).kind())? == Some(kind::ENTROPY) {
                return Ok(Left { registers, source: slot + 1 });
            }
        }
        Err(String::from("this machine has no entropy device that is left over"))
    }

    /// Its interrupt, charged to that quota.
    pub fn interrupt(&self, bench: &Bench, quota: &Owned<Quota>) -> Result<Owned<Irq>, String> {
        why("mint the interrupt", Owned::<Irq>::mint(&bench.machine, quota, self.source))
    }

    /// What drives it. Nobody ever looks at why it interrupts.
    pub fn driver(&self, bench: &Bench) -> Result<Restless<'_>, String> {
        let pool = why("a pool", Owned::<Pool>::create(&bench.machine, bench.quota, POOL))?;
        let mut pool = DevicePool::new(pool, bench.own);
        let memory = why("memory", pool.allocate(Queue::<PoolMemory>::bytes(DESCRIPTORS)))?;
        let mut queue = why("a queue", Queue::new(memory, DESCRIPTORS))?;
        let buffer = why("memory", pool.allocate(PAGE as usize))?;
        let mut transport = Transport::new(&self.registers);
        why("bring it up", transport.bring_up(kind::ENTROPY, 0, &mut [&mut queue]))?;
        Ok(Restless { transport, queue, buffer })
    }
}

/// Its driver.
pub struct Restless<'a> {
    transport: Transport<&'a Mapping>,
    queue: Queue<PoolMemory>,
    buffer: PoolMemory,
}

impl Restless<'_> {
    /// Has the device do something, which it tells by its interrupt; waits until it is done, by looking at memory.
    pub fn interrupts(&mut self) -> Verdict {
        let part = why("a part", Part::of(&self.buffer, 0, 1, Access::DeviceWrites))?;
        why("submit", self.queue.submit(&[part]))?;
        why("notify", self.transport.notify(0))?;
        let deadline = clock::in_millis(PATIENCE_MS);
        while why("look", self.queue.take())?.is_none() {
            expect(clock::now() < deadline, "the device never answered")?;
            nexus_rt::sys::thread_yield();
        }
        Ok(())
    }

    /// Leaves it reset.
    pub fn bring_down(mut self) -> Verdict {
        why("reset", self.transport.reset())
    }
}
