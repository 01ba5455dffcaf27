//! The goldfish real-time clock: nanoseconds since 1970 in two registers. Reading the low one holds the high one still.
//!
//! Time that is told never goes back by a little: a clock that lags is waited for. One that was set back is believed, and counted.

use nexus_driver::{Fault, Registers};

/// Offsets of the registers.
const LOW: usize = 0x00;
const HIGH: usize = 0x04;

/// Times that can be: from 2020-01-01 to 2200-01-01, in seconds since 1970.
const EARLIEST: u64 = 1_577_836_800;
const LATEST: u64 = 7_258_118_400;

const SECOND: u64 = 1_000_000_000;

/// How far behind what was told the clock may be before it counts as set back.
pub const LAG: u64 = SECOND;

/// The clock.
#[derive(Debug)]
pub struct Clock<R> {
    registers: R,
    told: u64,
    steps: u32,
}

/// What it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Nanoseconds since 1970.
    pub unix_ns: u64,
    /// How often it was set back.
    pub steps: u32,
}

impl<R: Registers> Clock<R> {
    /// The clock behind a window.
    pub fn new(registers: R) -> Clock<R> {
        Clock { registers, told: 0, steps: 0 }
    }

    /// What it shows now; `None` when that cannot be.
    pub fn read(&mut self) -> Result<Option<Reading>, Fault> {
        let low = self.registers.load32(LOW)?;
        let shown = u64::from(low) | u64::from(self.registers.load32(HIGH)?) << 32;
        if !(EARLIEST..LATEST).contains(&(shown / SECOND)) {
            return Ok(None);
        }
        if shown.saturating_add(LAG) < self.told {
            self.steps = self.steps.saturating_add(1);
            self.told = shown;
        }
        self.told = self.told.max(shown);
        Ok(Some(Reading { unix_ns: self.told, steps: self.steps }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Registers as the device has them: the high half is that of the last reading of the low one.
    #[derive(Default)]
    struct Fake {
        time: Cell<u64>,
        held: Cell<u32>,
    }

    impl Registers for &Fake {
        fn load32(&self, offset: usize) -> Result<u32, Fault> {
            match offset {
                0 => {
                    self.held.set((self.time.get() >> 32) as u32);
                    let low = self.time.get() as u32;
                    // Time goes on between the two readings.
                    self.time.set(self.time.get() + 1);
                    Ok(low)
                }
                4 => Ok(self.held.get()),
                _ => Err(Fault::Outside),
            }
        }
        fn load8(&self, _: usize) -> Result<u8, Fault> {
            Err(Fault::Outside)
        }
        fn load16(&self, _: usize) -> Result<u16, Fault> {
            Err(Fault::Outside)
        }
        fn store8(&self, _: usize, _: u8) -> Result<(), Fault> {
            Err(Fault::Outside)
        }
        fn store32(&self, _: usize, _: u32) -> Result<(), Fault> {
            Err(Fault::Outside)
        }
    }

    const NOW: u64 = 1_800_000_000 * SECOND;

    fn shown(clock: &mut Clock<&Fake>, fake: &Fake, time: u64) -> Option<(u64, u32)> {
        fake.time.set(time);
        clock.read().unwrap().map(|reading| (reading.unix_ns, reading.steps))
    }

    #[test]
    fn both_halves_are_of_one_moment() {
        let fake = Fake::default();
        let edge = NOW | 0xffff_ffff;
        assert_eq!(shown(&mut Clock::new(&fake), &fake, edge), Some((edge, 0)));
    }

    #[test]
    fn time_never_goes_back_a_little_and_is_set_back_once() {
        let fake = Fake::default();
        let mut clock = Clock::new(&fake);
        assert_eq!(shown(&mut clock, &fake, NOW), Some((NOW, 0)));
        assert_eq!(shown(&mut clock, &fake, NOW - LAG), Some((NOW, 0)), "a clock that lags");
        assert_eq!(shown(&mut clock, &fake, NOW + 5), Some((NOW + 5, 0)));
        assert_eq!(
            shown(&mut clock, &fake, NOW + 4 - LAG),
            Some((NOW + 4 - LAG, 1)),
            "a clock that was set back"
        );
        assert_eq!(shown(&mut clock, &fake, NOW), Some((NOW, 1)));
    }

    #[test]
    fn a_time_that_cannot_be_is_none() {
        let fake = Fake::default();
        let mut clock = Clock::new(&fake);
        for seconds in [0, EARLIEST - 1, LATEST, u64::MAX / SECOND] {
            assert_eq!(shown(&mut clock, &fake, seconds * SECOND), None, "{seconds}");
        }
        for seconds in [EARLIEST, LATEST - 1] {
            assert!(shown(&mut clock, &fake, seconds * SECOND).is_some(), "{seconds}");
        }
    }
}
