//! When the device feeds the generator: at the start, and after a bound of output. A device that is silent or lies is
//! reset a few times and then left alone; a generator that was seeded goes on without it.

use crate::generator::{Generator, KEY};
use crate::source::{ASK, Source};
use nexus_driver::{Fault, Memory, Registers};
use zeroize::Zeroize;

/// Faults in a row before the device is left alone.
pub const MAX_FAULTS: u32 = 5;

/// Random numbers for everybody.
pub struct Service<R, M> {
    source: Source<R, M>,
    generator: Generator,
    /// Entropy that does not suffice for a seed yet.
    gathered: [u8; KEY],
    count: usize,
    /// How long an answer of the device is waited for, in ticks.
    patience: u64,
    deadline: Option<u64>,
    faults: u32,
    /// Whether the device is out of order until the deadline.
    down: bool,
    last_fault: Option<Fault>,
}

impl<R: Registers, M: Memory> Service<R, M> {
    /// Brings the device up and asks it for the first entropy. `patience` is how long an answer is waited for, in ticks.
    pub fn new(source: Source<R, M>, patience: u64, now: u64) -> Service<R, M> {
        let (generator, gathered) = (Generator::default(), [0; KEY]);
        let mut service = Service {
            source,
            generator,
            gathered,
            count: 0,
            patience,
            deadline: None,
            faults: 0,
            down: false,
            last_fault: None,
        };
        service.begin(now);
        service
    }

    fn begin(&mut self, now: u64) {
        self.down = false;
        let begun = self.source.bring_up().and_then(|()| self.source.ask());
        self.deadline = Some(now.saturating_add(self.patience));
        if let Err(fault) = begun {
            self.fault(fault, now);
        }
    }

    /// Notes a fault. The device is tried again when the deadline passes, so that one that always fails costs little.
    fn fault(&mut self, fault: Fault, now: u64) {
        self.faults += 1;
        self.down = true;
        self.last_fault = Some(fault);
        self.deadline = Some(now.saturating_add(self.patience));
        if self.gave_up() {
            // It shall write nowhere any more. Its memory stays taken even if it does not obey.
            let _ = self.source.bring_down();
            self.deadline = None;
        }
    }

    /// Whether the device was left alone for good.
    pub fn gave_up(&self) -> bool {
        self.faults > MAX_FAULTS
    }

    /// The last fault of the device, once.
    pub fn take_fault(&mut self) -> Option<Fault> {
        self.last_fault.take()
    }

    /// Whether random bytes can be had.
    pub fn is_seeded(&self) -> bool {
        self.generator.is_seeded()
    }

    /// When [`Service::tick`] is to be called, if the device has not interrupted before.
    pub fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// The device interrupted.
    pub fn interrupt(&mut self, now: u64) {
        if self.down {
            return;
        }
        let mut fresh = [0; ASK];
        match self.source.interrupt(&mut fresh) {
            Ok(0) if self.source.is_waiting() || self.deadline.is_none() => {}
            // An answer without a byte: the standard forbids it.
            Ok(0) => self.fault(Fault::Malformed, now),
            Ok(count) => self.take(&fresh[..count.min(ASK)], now),
            Err(fault) => self.fault(fault, now),
        }
        fresh.zeroize();
    }

    fn take(&mut self, mut fresh: &[u8], now: u64) {
        self.faults = 0;
        self.deadline = None;
        while !fresh.is_empty() {
            let room = &mut self.gathered[self.count..];
            let count = room.len().min(fresh.len());
            room[..count].copy_from_slice(&fresh[..count]);
            (self.count, fresh) = (self.count + count, &fresh[count..]);
            if self.count == KEY {
                // A whole key suffices, so it is not refused.
                let _ = self.generator.seed(&self.gathered);
                self.gathered.zeroize();
                self.count = 0;
            }
        }
        self.want(now);
    }

    /// Asks for entropy if some is wanted.
    fn want(&mut self, now: u64) {
        if self.deadline.is_some() || self.down || !self.generator.wants_seed() {
            return;
        }
        self.deadline = Some(now.saturating_add(self.patience));
        if let Err(fault) = self.source.ask() {
            self.fault(fault, now);
        }
    }

    /// The deadline has passed: the device is reset and asked again. It may have answered without an interrupt; what it
    /// says after being late is not waited for.
    pub fn tick(&mut self, now: u64) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if !self.down {
            self.fault(Fault::Late, now);
        }
        if !self.gave_up() {
            self.begin(now);
        }
    }

    /// Fills `out` with random bytes. `false` while there has been no entropy.
    #[must_use = "without entropy there is no output"]
    pub fn fill(&mut self, out: &mut [u8], now: u64) -> bool {
        let filled = self.generator.fill(out);
        self.want(now);
        filled
    }
}
