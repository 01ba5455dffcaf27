//! Interrupts of devices: the kernel takes one off the controller, turns its source off and tells a port; whoever serves
//! the device turns it on again.
//!
//! One lock stands for the controller. While a source is claimed and not yet completed, nothing else of it may change: a
//! controller forgets a completion that comes after its source was masked or sent elsewhere. What must never happen: a
//! source that is on without an [`Irq`] that is alive, or an interrupt that stays claimed.

use crate::binding::Binding;
use crate::hart::Hart;
use crate::kernel::{Answer, Kernel};
use crate::memory::{Frame, Memory, PageType};
use crate::platform::Platform;
use crate::sync::{Cell32, Lock};
use nexus_abi::bounds::MAX_IRQ_SOURCES;
use nexus_abi::{Error, Handle, Kind, Rights, Signals};

/// The interrupt of one source.
#[repr(C)]
pub struct Irq {
    /// Its source; never changes.
    pub source: Cell32,
    /// Where INTERRUPT goes.
    pub binding: Binding,
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Irq {}

/// The hart that a source's interrupts are sent to, plus 1, as [`Source::state`] holds it; 0: none yet.
const ROUTE: u32 = 0xff;
/// Set in [`Source::state`] while the source can interrupt.
const ON: u32 = 0x100;

/// What the kernel knows of one source. Guarded by the controller's lock.
struct Source<'m> {
    /// Its [`Irq`]; 0: none.
    frame: &'m Cell32,
    /// [`ROUTE`] and [`ON`].
    state: &'m Cell32,
}

/// The interrupt controller: its lock, and two pages with a word for each source.
pub struct Irqs {
    lock: Lock,
    frames: Frame,
    states: Frame,
}

impl Irqs {
    /// `None` without memory for the two pages.
    pub(crate) fn new(memory: &Memory) -> Option<Irqs> {
        Some(Irqs { lock: Lock::new(), frames: memory.allocate()?, states: memory.allocate()? })
    }

    fn source<'m>(&self, memory: &'m Memory, number: u32) -> Option<Source<'m>> {
        let words = |frame| memory.page::<[Cell32; MAX_IRQ_SOURCES]>(frame).get(number as usize);
        Some(Source { frame: words(self.frames)?, state: words(self.states)? })
    }
}

impl Source<'_> {
    fn set_on(&self, on: bool) {
        self.state.set(self.state.get() & !ON | if on { ON } else { 0 });
    }
}

impl<P: Platform> Kernel<P> {
    /// System call `irq_create`.
    pub(crate) fn irq_create(&self, process: Frame, args: [u64; 3]) -> Answer<Handle> {
        let [resource, quota, source] = args;
        let table = self.table(process);
        table.lookup_as(&self.memory, resource, Kind::Resource, Rights::MINT)?;
        let quota = table.lookup_as(&self.memory, quota, Kind::Quota, Rights::CHARGE)?.object;
        let most = self.platform.irq_sources().min(MAX_IRQ_SOURCES as u32 - 1);
        if source == 0 || source > most as u64 {
            return Err(Error::Invalid);
        }
        let place = self.irqs.source(&self.memory, source as u32).ok_or(Error::Invalid)?;
        let frame = self.create(quota, Kind::Irq, 1)?;
        self.memory.page::<Irq>(frame).source.set(source as u32);
        let taken = {
            let _held = self.irqs.lock.hold();
            let taken = place.frame.get() != 0;
            if !taken {
                place.frame.set(frame.0);
                place.set_on(false);
                self.platform.irq_enable(source as u32, false);
            }
            taken
        };
        if taken {
            let object = self.reference(frame);
            self.born(frame);
            if self.retire_live(object) {
                self.bury(frame, Kind::Irq);
            }
            return Err(Error::Exists);
        }
        self.publish(process, frame, Kind::Irq.all_rights())
    }

    /// System call `irq_ack`. The source's interrupts come to this hart from now on: whoever serves it is here.
    pub(crate) fn irq_ack(&self, hart: &Hart, irq: Handle) -> Answer<()> {
        let object = self.table(hart.owner()).lookup_as(&self.memory, irq, Kind::Irq, Rights::MANAGE)?.object;
        let _held = self.hold(object)?;
        let source = self.memory.page::<Irq>(object.frame).source.get();
        let _controller = self.irqs.lock.hold();
        let place = self.irqs.source(&self.memory, source).ok_or(Error::BadHandle)?;
        if place.state.get() & ON == 0 {
            let here = hart.id.get() + 1;
            let before = place.state.take(here | ON) & ROUTE;
            if before != here {
                self.platform.irq_route(source, before.checked_sub(1), hart.id.get());
            }
            self.platform.irq_enable(source, true);
        }
        Ok(())
    }

    /// Whether an interrupt, which is alive, can fire.
    pub(crate) fn irq_is_on(&self, frame: Frame) -> bool {
        let source = self.memory.page::<Irq>(frame).source.get();
        let _controller = self.irqs.lock.hold();
        self.irqs.source(&self.memory, source).is_some_and(|place| place.state.get() & ON != 0)
    }

    /// The external interrupt. A source that was taken is off until it is acknowledged, and then comes back to whichever
    /// hart did that: so each is taken at most once here, however fast it is acknowledged elsewhere.
    pub fn external(&self, hart: &Hart) {
        self.awake(hart);
        loop {
            let (source, frame) = {
                let _controller = self.irqs.lock.hold();
                let source = self.platform.irq_claim();
                if source == 0 {
                    return;
                }
                self.platform.irq_enable(source, false);
                self.platform.irq_complete(source);
                let Some(place) = self.irqs.source(&self.memory, source) else { continue };
                place.set_on(false);
                (source, Frame(place.frame.get()))
            };
            if frame.exists() {
                self.raise(hart, frame, source);
            }
        }
    }

    /// Tells the port of a source's interrupt. Between the claim and here it may have been destroyed.
    pub(crate) fn raise(&self, hart: &Hart, frame: Frame, source: u32) {
        let _held = self.memory.lock(frame);
        let irq = self.memory.page::<Irq>(frame);
        if self.memory.header(frame).kind.get() == Kind::Irq as u32 && irq.source.get() == source {
            irq.binding.pending.set(irq.binding.pending.get() | Signals::INTERRUPT.bits());
            self.notify(hart, frame, 0);
        }
    }

    /// Takes a retired interrupt apart: its source stays off.
    pub(crate) fn clear_irq(&self, frame: Frame) {
        let _held = self.memory.lock(frame);
        let irq = self.memory.page::<Irq>(frame);
        self.unbind(frame, 0, &irq.binding);
        let _controller = self.irqs.lock.hold();
        let Some(place) = self.irqs.source(&self.memory, irq.source.get()) else { return };
        if place.frame.get() == frame.0 {
            place.frame.set(0);
            place.set_on(false);
            self.platform.irq_enable(irq.source.get(), false);
        }
    }
}
