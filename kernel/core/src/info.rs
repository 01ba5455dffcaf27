//! `object_info` and the small calls that are nothing but a check and an act: identities, console, reset.

use crate::handles::Capability;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, KernelBytes};
use crate::mmio::Mmio;
use crate::objects::{Identity, Quota, Vmo};
use crate::platform::Platform;
use crate::pool::Pool;
use crate::process::life;
use crate::transfer::in_user_space;
use nexus_abi::bounds::{MAX_CONSOLE_WRITE, PAGE_SIZE};
use nexus_abi::{Error, Handle, Kind, Rights, Topic};

/// Largest structure, in 32-bit words: an exit record.
const MAX_WORDS: usize = 72;

/// A structure being written, as little-endian 32-bit words.
struct Words {
    bytes: [u8; MAX_WORDS * 4],
    len: usize,
}

impl Words {
    fn put32(&mut self, value: u32) -> &mut Self {
        if let Some(slot) = self.bytes.get_mut(self.len..self.len + 4) {
            slot.copy_from_slice(&value.to_le_bytes());
            self.len += 4;
        }
        self
    }

    fn put64(&mut self, value: u64) -> &mut Self {
        self.put32(value as u32).put32((value >> 32) as u32)
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `object_info`; answers the bytes written.
    pub(crate) fn object_info(&self, hart: &Hart, args: [u64; 5]) -> Answer<u64> {
        let [handle, topic, address, bytes, from] = args;
        let capability = self.table(hart.owner()).lookup(&self.memory, handle)?;
        let topic = Topic::from_raw(topic).ok_or(Error::Invalid)?;
        let needs = match topic {
            Topic::Handle => None,
            Topic::Process | Topic::Exit => Some((Kind::Process, Rights::INSPECT)),
            Topic::Vmo => Some((Kind::Vmo, Rights::INSPECT)),
            Topic::Quota => Some((Kind::Quota, Rights::INSPECT)),
            Topic::Kernel => Some((Kind::Resource, Rights::INSPECT)),
            Topic::Mmio => Some((Kind::Mmio, Rights::INSPECT)),
            Topic::Pool => Some((Kind::Pool, Rights::INSPECT)),
            Topic::Irq => Some((Kind::Irq, Rights::INSPECT)),
            Topic::Dma => Some((Kind::Vmo, Rights::DMA)),
            Topic::Records => Some((Kind::Resource, Rights::WAIT)),
            Topic::Holdings => Some((Kind::Process, Rights::OBSERVE)),
        };
        if let Some((kind, right)) = needs {
            if capability.kind != kind {
                return Err(Error::WrongType);
            }
            if !capability.rights.contains(right) {
                return Err(Error::AccessDenied);
            }
        }
        let mut words = Words { bytes: [0; MAX_WORDS * 4], len: 0 };
        self.describe(topic, capability, from, &mut words)?;
        let len = words.len.min(bytes as usize);
        if len != 0
            && (!in_user_space(address, len)
                || !self.platform.copy_to_user(address, KernelBytes::from_ref(&words.bytes[..len])))
        {
            return Err(Error::BadAddress);
        }
        Ok(len as u64)
    }

    fn describe(&self, topic: Topic, capability: Capability, from: u64, words: &mut Words) -> Answer<()> {
        let frame = capability.object.frame;
        let _held = self.hold(capability.object)?;
        match topic {
            Topic::Handle => {
                words.put32(capability.kind as u32).put32(capability.rights.bits());
            }
            Topic::Process => {
                let p = self.table(frame);
                words
                    .put64(p.identity.get())
                    .put32((p.life.get() == life::ENDED) as u32)
                    .put32(p.live_threads.get())
                    .put32(p.handle_count.get())
                    .put32(p.mapping_count.get())
                    .put64(p.cpu_total.get());
            }
            Topic::Exit => {
                let p = self.table(frame);
                if p.life.get() == life::ALIVE {
                    return Err(Error::BadState);
                }
                for word in &p.record[..36] {
                    words.put64(word.get());
                }
            }
            Topic::Vmo => {
                let vmo = self.memory.page::<Vmo>(frame);
                words
                    .put64(vmo.pages.get() as u64 * PAGE_SIZE as u64)
                    .put32(vmo.sealed.get())
                    .put32(vmo.mapped.count.get())
                    .put32(self.memory.header(frame).refs.get() - vmo.mapped.count.get())
                    .put32(0);
            }
            Topic::Quota => {
                let quota = self.memory.page::<Quota>(frame);
                words
                    .put64(quota.pages.get())
                    .put64(quota.used.get())
                    .put64(quota.cpu.get() as u64)
                    .put64(quota.cpu_used.get() as u64)
                    .put64(quota.count.get() as u64);
            }
            Topic::Mmio => {
                let window = self.memory.page::<Mmio>(frame);
                words
                    .put64(window.pages.get() as u64 * PAGE_SIZE as u64)
                    .put32(window.mapped.count.get())
                    .put32(self.memory.header(frame).refs.get() - window.mapped.count.get());
            }
            Topic::Irq => {
                let on = self.irq_is_on(frame);
                words.put32(on as u32).put32(self.memory.header(frame).refs.get());
            }
            Topic::Pool => {
                let pool = self.memory.page::<Pool>(frame);
                words.put32(pool.pages.get()).put32(pool.free.get()).put32(pool.vmos.get()).put32(0);
            }
            Topic::Dma => {
                // Only vmos of a pool have the right.
                let vmo = self.memory.page::<Vmo>(frame);
                words
                    .put64(self.memory.address(Frame(vmo.root.get())))
                    .put64(vmo.pages.get() as u64 * PAGE_SIZE as u64);
            }
            Topic::Records => self.records.read(|word| {
                words.put64(word);
            }),
            Topic::Holdings => {
                let (next, held) = self.table(frame).holdings(&self.memory, from);
                words.put32(next).put32(held.iter().flatten().count() as u32);
                for held in held {
                    // Nothing is a handle of kind 0.
                    let (object, rights, shape) = held.map_or((0, 0, 0), |held| {
                        let shape = held.kind as u32 | (held.end as u32) << 16;
                        (held.object.to_raw(), held.rights.bits(), shape)
                    });
                    words.put64(object).put32(rights).put32(shape);
                }
            }
            Topic::Kernel => {
                let sum = |cell: fn(&Hart) -> u64| self.harts.iter().copied().map(cell).sum::<u64>();
                words
                    .put64(self.memory.free_frames() as u64)
                    .put64(self.memory.frames() as u64)
                    .put64(sum(|h| h.copied.get()))
                    .put64(sum(|h| h.slow.get()))
                    .put64(sum(|h| h.switches.get()))
                    .put64(self.online().count_ones() as u64);
            }
        }
        Ok(())
    }

    /// System call `identity_create`.
    pub(crate) fn identity_create(&self, process: Frame, args: [u64; 3]) -> Answer<Handle> {
        let [minter, quota, service] = args;
        let table = self.table(process);
        table.lookup_as(&self.memory, minter, Kind::Identity, Rights::MINT)?;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let service = u32::try_from(service).ok().filter(|id| *id != 0).ok_or(Error::Invalid)?;
        let frame = self.create(quota, Kind::Identity, 1)?;
        self.memory.page::<Identity>(frame).service.set(service);
        self.publish(process, frame, Kind::Identity.all_rights() - Rights::MINT)
    }

    /// System call `console_write`.
    pub(crate) fn console_write(&self, hart: &Hart, args: [u64; 3]) -> Answer<()> {
        let [resource, address, bytes] = args;
        let table = self.table(hart.owner());
        table.lookup_as(&self.memory, resource, Kind::Resource, Rights::CONSOLE)?;
        if bytes > MAX_CONSOLE_WRITE as u64 {
            return Err(Error::Invalid);
        }
        let mut text = [0; MAX_CONSOLE_WRITE];
        let text = &mut text[..bytes as usize];
        if !text.is_empty()
            && (!in_user_space(address, text.len())
                || !self.platform.copy_from_user(KernelBytes::from_mut(text), address))
        {
            return Err(Error::BadAddress);
        }
        if self.console_is_taken() {
            return Err(Error::BadState);
        }
        self.platform.console(text);
        Ok(())
    }

    /// System call `machine_reset`.
    pub(crate) fn machine_reset(&self, hart: &Hart, resource: u64, code: u64) -> Answer<()> {
        self.table(hart.owner()).lookup_as(&self.memory, resource, Kind::Resource, Rights::RESET)?;
        if code > 0x8000 {
            return Err(Error::Invalid);
        }
        self.platform.reset(code)
    }
}
