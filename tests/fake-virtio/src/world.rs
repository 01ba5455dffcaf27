//! The machine around a driver: its window, its pool and its interrupt, as a test holds them.
//!
//! Each step that a driver makes (a register or memory access, memory taken or given) is counted. A test can have the driver die
//! after the n-th: from then on nothing that it does has any effect, which is what death is for a device.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use nexus_driver::memory::PAGE;
use nexus_driver::{Fault, Memory, Pool, Registers};

use crate::device::{Device, Model};
use crate::memory::{self, BASE};
use crate::{Mischief, Random};

/// Steps after which a driver is taken to be in an endless loop.
const MAX_STEPS: u64 = 2_000_000;

/// Everything that device and driver share, and what is known about both.
#[derive(Debug)]
pub(crate) struct Inner {
    pub memory: memory::Memory,
    pub device: Device,
    pub mischief: Mischief,
    pub random: Random,
    pub generation: u64,
    pub violations: Vec<String>,
    steps: u64,
    dies_at: Option<u64>,
    runaway: bool,
}

impl Inner {
    /// The driver broke a rule.
    pub fn violation(&mut self, what: String) {
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }

    /// One step of the driver of that generation; whether it lives to make it.
    fn step(&mut self, generation: u64) -> bool {
        if generation != self.generation || self.dies_at.is_some_and(|at| self.steps >= at) {
            return false;
        }
        self.steps += 1;
        self.runaway |= self.steps > MAX_STEPS;
        !self.runaway
    }
}

/// A machine with one device and one driver at a time.
#[derive(Clone, Debug)]
pub struct World(Rc<RefCell<Inner>>);

impl World {
    /// A machine with that device, a pool of `pages` frames, and a seed for everything that is left to chance.
    pub fn new(model: impl Model + 'static, pages: usize, seed: u64, mischief: Mischief) -> World {
        World(Rc::new(RefCell::new(Inner {
            memory: memory::Memory::new(pages),
            device: Device::new(Box::new(model)),
            mischief,
            random: Random::new(seed),
            generation: 0,
            violations: Vec::new(),
            steps: 0,
            dies_at: None,
            runaway: false,
        })))
    }

    fn inner(&self) -> RefMut<'_, Inner> {
        self.0.borrow_mut()
    }

    fn look(&self) -> Ref<'_, Inner> {
        self.0.borrow()
    }

    /// The window of the driver that lives now.
    pub fn registers(&self) -> FakeRegisters {
        FakeRegisters { world: self.clone(), generation: self.look().generation }
    }

    /// Its pool.
    pub fn pool(&self) -> FakePool {
        FakePool { world: self.clone(), generation: self.look().generation }
    }

    /// Has the device work on everything that it was told of. Answers whether the interrupt line is up.
    pub fn work(&self) -> bool {
        let inner = &mut *self.inner();
        Device::work(inner);
        inner.device.interrupts()
    }

    /// Whether the interrupt line is up.
    pub fn interrupts(&self) -> bool {
        self.look().device.interrupts()
    }

    /// Lets the model be looked at and changed, as whoever is on the other side of the device would.
    pub fn model<T: Model + 'static, A>(&self, change: impl FnOnce(&mut T) -> A) -> A {
        let mut inner = self.inner();
        change(inner.device.model().downcast_mut().expect("the test knows its model"))
    }

    /// Chains of a queue that the device has and works on later.
    pub fn waiting(&self, queue: usize) -> usize {
        self.look().device.waiting(queue)
    }

    /// The driver dies once it has made that many steps.
    pub fn die_at(&self, steps: u64) {
        self.inner().dies_at = Some(steps);
    }

    /// The driver dies now. A test that drops a driver whose device works kills it first, as the end of a process does.
    pub fn kill(&self) {
        let mut inner = self.inner();
        inner.dies_at = Some(inner.steps);
    }

    /// Whether the driver is dead.
    pub fn dead(&self) -> bool {
        let inner = self.look();
        inner.dies_at.is_some_and(|at| inner.steps >= at)
    }

    /// A new driver takes the place of the dead one, the way `nexus-init` does it: the device is reset first, and only
    /// then is the memory of the dead one free.
    pub fn revive(&self) {
        let inner = &mut *self.inner();
        let old = inner.generation;
        inner.memory.orphan(old);
        inner.generation += 1;
        inner.dies_at = None;
        inner.device.reset();
        inner.memory.reset_seen();
    }

    /// The device does this mischief from now on.
    pub fn misbehave(&self, mischief: Mischief) {
        self.inner().mischief = mischief;
    }

    /// The device does no more mischief.
    pub fn behave(&self) {
        self.inner().mischief = Mischief::none();
    }

    /// The mischief that was done.
    pub fn mischief(&self) -> Mischief {
        self.look().mischief.clone()
    }

    /// The driver may make as many steps again before it is taken to be in an endless loop.
    pub fn rest(&self) {
        self.inner().steps = 0;
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.look().steps
    }

    /// Frames that the living driver holds.
    pub fn held(&self) -> usize {
        let inner = self.look();
        inner.memory.held(inner.generation)
    }

    /// Panics with what the driver did that no driver may do.
    pub fn check(&self, context: &str) {
        let inner = self.look();
        assert!(inner.violations.is_empty(), "{context}: {:#?}", inner.violations);
        assert!(!inner.runaway, "{context}: the driver is in an endless loop");
    }
}

/// The window as the driver sees it.
#[derive(Clone, Debug)]
pub struct FakeRegisters {
    world: World,
    generation: u64,
}

/// Bytes of the window.
const WINDOW: usize = PAGE;

impl FakeRegisters {
    fn load(&self, offset: usize, width: usize) -> Result<u32, Fault> {
        let inner = &mut *self.world.inner();
        let inside = offset.checked_add(width).is_some_and(|end| end <= WINDOW);
        if !inner.step(self.generation) || !inside || !offset.is_multiple_of(width) {
            return Err(Fault::Outside);
        }
        Ok(Device::load(inner, offset, width))
    }

    fn store(&self, offset: usize, width: usize, value: u32) -> Result<(), Fault> {
        let inner = &mut *self.world.inner();
        let inside = offset.checked_add(width).is_some_and(|end| end <= WINDOW);
        if !inner.step(self.generation) || !inside || !offset.is_multiple_of(width) {
            return Err(Fault::Outside);
        }
        Device::store(inner, offset, width, value);
        Ok(())
    }
}

impl Registers for FakeRegisters {
    fn load8(&self, offset: usize) -> Result<u8, Fault> {
        self.load(offset, 1).map(|value| value as u8)
    }
    fn load16(&self, offset: usize) -> Result<u16, Fault> {
        self.load(offset, 2).map(|value| value as u16)
    }
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        self.load(offset, 4)
    }
    fn store8(&self, offset: usize, value: u8) -> Result<(), Fault> {
        self.store(offset, 1, value.into())
    }
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        self.store(offset, 4, value)
    }
}

/// The pool as the driver sees it.
#[derive(Clone, Debug)]
pub struct FakePool {
    world: World,
    generation: u64,
}

impl Pool for FakePool {
    type Memory = FakeMemory;

    fn allocate(&mut self, bytes: usize) -> Result<FakeMemory, Fault> {
        let inner = &mut *self.world.inner();
        if !inner.step(self.generation) || bytes == 0 {
            return Err(Fault::Exhausted);
        }
        let pages = bytes.div_ceil(PAGE);
        let offset = inner.memory.take(pages, self.generation).ok_or(Fault::Exhausted)?;
        Ok(FakeMemory { world: self.world.clone(), generation: self.generation, offset, pages })
    }
}

/// A piece of pool memory as the driver sees it.
#[derive(Debug)]
pub struct FakeMemory {
    world: World,
    generation: u64,
    offset: usize,
    pages: usize,
}

impl FakeMemory {
    fn range(&self, offset: usize, length: usize) -> Option<std::ops::Range<usize>> {
        let end = offset.checked_add(length)?;
        (end <= self.pages * PAGE).then_some(self.offset + offset..self.offset + end)
    }

    fn number(&self, offset: usize, out: &mut [u8]) -> Result<(), Fault> {
        if !offset.is_multiple_of(out.len()) { Err(Fault::Outside) } else { self.read(offset, out) }
    }

    fn put(&self, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        if !offset.is_multiple_of(bytes.len()) { Err(Fault::Outside) } else { self.write(offset, bytes) }
    }
}

impl Memory for FakeMemory {
    fn device_address(&self) -> u64 {
        BASE + self.offset as u64
    }
    fn len(&self) -> usize {
        self.pages * PAGE
    }
    fn load16(&self, offset: usize) -> Result<u16, Fault> {
        let mut raw = [0; 2];
        self.number(offset, &mut raw).map(|()| u16::from_le_bytes(raw))
    }
    fn load32(&self, offset: usize) -> Result<u32, Fault> {
        let mut raw = [0; 4];
        self.number(offset, &mut raw).map(|()| u32::from_le_bytes(raw))
    }
    fn store16(&self, offset: usize, value: u16) -> Result<(), Fault> {
        self.put(offset, &value.to_le_bytes())
    }
    fn store32(&self, offset: usize, value: u32) -> Result<(), Fault> {
        self.put(offset, &value.to_le_bytes())
    }
    fn store64(&self, offset: usize, value: u64) -> Result<(), Fault> {
        self.put(offset, &value.to_le_bytes())
    }
    fn read(&self, offset: usize, out: &mut [u8]) -> Result<(), Fault> {
        let inner = &mut *self.world.inner();
        let range = self.range(offset, out.len()).ok_or(Fault::Outside)?;
        if !inner.step(self.generation) {
            return Err(Fault::Outside);
        }
        out.copy_from_slice(&inner.memory.there[range]);
        Ok(())
    }
    fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        let inner = &mut *self.world.inner();
        let range = self.range(offset, bytes.len()).ok_or(Fault::Outside)?;
        if !inner.step(self.generation) {
            return Err(Fault::Outside);
        }
        inner.memory.there[range.clone()].copy_from_slice(bytes);
        inner.memory.written[range].copy_from_slice(bytes);
        Ok(())
    }
}

impl Drop for FakeMemory {
    fn drop(&mut self) {
        let inner = &mut *self.world.inner();
        // A dead driver gives nothing back: its memory waits for the reset.
        if inner.step(self.generation) {
            let reset = inner.device.is_reset();
            if !reset && inner.device.has(BASE + self.offset as u64, self.pages * PAGE) {
                inner.violation(format!(
                    "memory at {:#x} was given back while the device has it",
                    self.offset
                ));
            }
            inner.memory.give(self.offset, self.pages, reset);
        }
    }
}
