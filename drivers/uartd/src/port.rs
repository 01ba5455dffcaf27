//! A serial port of the 16550 kind, driven by its interrupts. What is to be sent waits here until the port asks for it, and nothing here asks the port
//! over and over whether it can take more: each look at it is one that it called for, or the first one after something was written.

use alloc::collections::VecDeque;
use nexus_driver::{Fault, Registers};

/// Most bytes that wait to be sent.
pub const MAX_WAITING: usize = 16 << 10;

/// Most bytes typed that wait to be read; more are lost.
pub const MAX_TYPED: usize = 1024;

/// Bytes that the port takes at once when it is empty.
pub const FIFO: usize = 16;

/// Fillings of the port in one go, as long as it empties itself at once: a line or two. Then the interrupt is waited for.
const FILLINGS: usize = 64;

/// Looks at what was typed, and at the reasons for an interrupt, in one go.
const LOOKS: usize = 64;

/// Registers.
mod at {
    /// Data, both ways.
    pub const DATA: usize = 0;
    /// Which interrupts are on.
    pub const ENABLE: usize = 1;
    /// Read: why it interrupts. Written: the buffers.
    pub const CAUSE: usize = 2;
    /// Shape of a character; bit 7 makes other registers of the first two.
    pub const LINE: usize = 3;
    /// Lines of the modem.
    pub const MODEM: usize = 4;
    /// What the port can do now.
    pub const STATUS: usize = 5;
    /// Of no meaning to the port.
    pub const SCRATCH: usize = 7;
}

const ENABLE_TYPED: u8 = 1;
const ENABLE_EMPTY: u8 = 2;
const NO_CAUSE: u8 = 1;
const BUFFERS_ON_TYPED_CLEARED: u8 = 0x03;
const EIGHT_BITS: u8 = 0x03;
const MODEM_READY: u8 = 0x0b;
const STATUS_TYPED: u8 = 1;
const STATUS_EMPTY: u8 = 1 << 5;

/// Why bytes are not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// They do not fit beside those that wait.
    NoRoom,
    /// The port cannot be reached.
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Refused::Fault(fault)
    }
}

/// The port.
#[derive(Debug)]
pub struct Port<R> {
    registers: R,
    waiting: VecDeque<u8>,
    typed: VecDeque<u8>,
    lost: u64,
    enabled: u8,
}

impl<R: Registers> Port<R> {
    /// Whatever is behind the window; nothing is touched yet.
    pub fn new(registers: R) -> Port<R> {
        Port { registers, waiting: VecDeque::new(), typed: VecDeque::new(), lost: 0, enabled: 0 }
    }

    /// Makes a working port of whatever state it is in. What the kernel wrote before and is still in it is sent. The speed is left as it is.
    pub fn bring_up(&mut self) -> Result<(), Fault> {
        let registers = &self.registers;
        registers.store8(at::LINE, EIGHT_BITS)?;
        registers.store8(at::ENABLE, 0)?;
        for mark in [0x5a, 0xa5] {
            registers.store8(at::SCRATCH, mark)?;
            if registers.load8(at::SCRATCH)? != mark {
                return Err(Fault::Absent);
            }
        }
        registers.store8(at::CAUSE, BUFFERS_ON_TYPED_CLEARED)?;
        registers.store8(at::MODEM, MODEM_READY)?;
        self.enabled = 0;
        self.enable(ENABLE_TYPED)
    }

    fn enable(&mut self, interrupts: u8) -> Result<(), Fault> {
        if self.enabled != interrupts {
            self.registers.store8(at::ENABLE, interrupts)?;
            self.enabled = interrupts;
        }
        Ok(())
    }

    /// Takes bytes to be sent: all of them, or none when there is no room.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if self.waiting.len() + bytes.len() > MAX_WAITING {
            return Err(Refused::NoRoom);
        }
        let idle = self.waiting.is_empty();
        self.waiting.extend(bytes);
        // Otherwise it is busy, and interrupts when it can take more.
        if idle {
            self.send()?;
        }
        Ok(())
    }

    /// Sends as much as the port takes.
    fn send(&mut self) -> Result<(), Fault> {
        for _ in 0..FILLINGS {
            if self.waiting.is_empty() || self.registers.load8(at::STATUS)? & STATUS_EMPTY == 0 {
                break;
            }
            for byte in self.waiting.drain(..self.waiting.len().min(FIFO)) {
                self.registers.store8(at::DATA, byte)?;
            }
        }
        let more = if self.waiting.is_empty() { 0 } else { ENABLE_EMPTY };
        self.enable(ENABLE_TYPED | more)
    }

    /// The port interrupted: takes what was typed and sends more.
    pub fn interrupt(&mut self) -> Result<(), Fault> {
        for _ in 0..LOOKS {
            if self.registers.load8(at::CAUSE)? & NO_CAUSE != 0 {
                break;
            }
            for _ in 0..LOOKS {
                if self.registers.load8(at::STATUS)? & STATUS_TYPED == 0 {
                    break;
                }
                let byte = self.registers.load8(at::DATA)?;
                if self.typed.len() < MAX_TYPED {
                    self.typed.push_back(byte);
                } else {
                    self.lost = self.lost.saturating_add(1);
                }
            }
            self.send()?;
        }
        Ok(())
    }

    /// Bytes that are not sent yet, no more than [`MAX_WAITING`].
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether something that was typed waits to be read.
    pub fn has_typed(&self) -> bool {
        !self.typed.is_empty()
    }

    /// Takes what was typed, as much as fits; answers how much.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        let count = self.typed.len().min(out.len());
        out.iter_mut().zip(self.typed.drain(..count)).for_each(|(place, byte)| *place = byte);
        count
    }

    /// Typed bytes that were lost since the last look.
    pub fn take_lost(&mut self) -> u64 {
        core::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::vec::Vec;

    /// A port as a test holds it.
    #[derive(Debug, Default)]
    struct Fake {
        sent: Vec<u8>,
        typed: VecDeque<u8>,
        in_fifo: usize,
        /// Whether it sends at once, or only when it is told to.
        slow: bool,
        enable: u8,
        scratch: u8,
        looks: u64,
        /// What the status register says instead of the truth.
        lie: Option<u8>,
        /// Accesses that its driver still makes before it dies; without a number it lives.
        left: Option<u64>,
    }

    impl Fake {
        fn empty(&self) -> bool {
            self.in_fifo == 0
        }
        fn interrupts(&self) -> bool {
            self.enable & 1 != 0 && !self.typed.is_empty() || self.enable & 2 != 0 && self.empty()
        }
        /// What a driver that is dead does not do.
        fn step(&mut self) -> Result<(), Fault> {
            match &mut self.left {
                Some(0) => Err(Fault::Outside),
                Some(left) => {
                    *left -= 1;
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }

    /// The driver's side of it.
    #[derive(Debug)]
    struct Window<'a>(&'a RefCell<Fake>);

    impl Registers for Window<'_> {
        fn load8(&self, offset: usize) -> Result<u8, Fault> {
            let mut fake = self.0.borrow_mut();
            fake.step()?;
            fake.looks += 1;
            Ok(match offset {
                at::DATA => fake.typed.pop_front().unwrap_or(0),
                at::CAUSE => u8::from(!fake.interrupts()),
                at::STATUS => {
                    let truth =
                        u8::from(!fake.typed.is_empty()) | if fake.empty() { STATUS_EMPTY } else { 0 };
                    fake.lie.unwrap_or(truth)
                }
                at::SCRATCH => fake.scratch,
                _ => return Err(Fault::Outside),
            })
        }
        fn store8(&self, offset: usize, value: u8) -> Result<(), Fault> {
            let mut fake = self.0.borrow_mut();
            fake.step()?;
            match offset {
                at::DATA => {
                    assert!(fake.lie.is_some() || fake.in_fifo < FIFO, "more than the port takes");
                    fake.sent.push(value);
                    fake.in_fifo += usize::from(fake.slow);
                }
                at::ENABLE => fake.enable = value,
                at::SCRATCH => fake.scratch = value,
                at::CAUSE | at::LINE | at::MODEM => {}
                _ => return Err(Fault::Outside),
            }
            Ok(())
        }
        fn load16(&self, _: usize) -> Result<u16, Fault> {
            Err(Fault::Outside)
        }
        fn load32(&self, _: usize) -> Result<u32, Fault> {
            Err(Fault::Outside)
        }
        fn store32(&self, _: usize, _: u32) -> Result<(), Fault> {
            Err(Fault::Outside)
        }
    }

    fn up(fake: &RefCell<Fake>) -> Port<Window<'_>> {
        let mut port = Port::new(Window(fake));
        port.bring_up().unwrap();
        port
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|n| n as u8).collect()
    }

    #[test]
    fn a_port_that_sends_at_once_needs_no_interrupt() {
        let fake = RefCell::default();
        let mut port = up(&fake);
        assert_eq!(port.write(&bytes(500)), Ok(()));
        assert_eq!(port.waiting(), 0);
        assert_eq!(fake.borrow().sent, bytes(500));
        assert_eq!(fake.borrow().enable, ENABLE_TYPED);
    }

    #[test]
    fn a_slow_port_is_left_alone_until_it_interrupts() {
        let fake = RefCell::new(Fake { slow: true, ..Fake::default() });
        let mut port = up(&fake);
        assert_eq!(port.write(&bytes(100)), Ok(()));
        assert_eq!(port.write(&bytes(50)), Ok(()));
        let looks = fake.borrow().looks;
        let mut interrupts = 0;
        while port.waiting() > 0 {
            assert!(!fake.borrow().interrupts(), "it interrupts although it is full");
            fake.borrow_mut().in_fifo = 0;
            assert!(fake.borrow().interrupts());
            port.interrupt().unwrap();
            interrupts += 1;
        }
        assert_eq!(fake.borrow().sent, [bytes(100), bytes(50)].concat());
        assert_eq!(interrupts, 150_usize.div_ceil(FIFO) - 1);
        assert!(fake.borrow().looks - looks < 10 * interrupts as u64, "it polls");
        assert_eq!(fake.borrow().enable, ENABLE_TYPED, "an empty port would interrupt for ever");
    }

    #[test]
    fn what_has_no_room_is_not_taken() {
        let fake = RefCell::new(Fake { slow: true, ..Fake::default() });
        let mut port = up(&fake);
        assert_eq!(port.write(&bytes(FIFO)), Ok(()));
        assert_eq!(port.write(&bytes(MAX_WAITING)), Ok(()), "the bound itself");
        assert_eq!(port.write(&[1]), Err(Refused::NoRoom), "one past it");
        fake.borrow_mut().in_fifo = 0;
        port.interrupt().unwrap();
        assert_eq!(port.write(&[1]), Ok(()));
    }

    #[test]
    fn what_is_typed_is_kept_up_to_the_bound() {
        let fake = RefCell::default();
        let mut port = up(&fake);
        fake.borrow_mut().typed.extend(bytes(MAX_TYPED + 3));
        while fake.borrow().interrupts() {
            port.interrupt().unwrap();
        }
        assert_eq!((port.take_lost(), port.take_lost()), (3, 0));
        let mut out = [0; MAX_TYPED + 1];
        assert_eq!(port.read(&mut out[..10]), 10);
        assert_eq!(port.read(&mut out[10..]), MAX_TYPED - 10);
        assert_eq!(out[..MAX_TYPED], bytes(MAX_TYPED));
        assert!(!port.has_typed());
    }

    #[test]
    fn the_driver_may_die_at_every_step() {
        for steps in 0.. {
            let fake = RefCell::new(Fake { slow: true, left: Some(steps), ..Fake::default() });
            let mut dead = Port::new(Window(&fake));
            let lived = dead.bring_up().and_then(|()| {
                fake.borrow_mut().typed.push_back(1);
                (dead.write(&bytes(2 * FIFO)) == Ok(())).then_some(()).ok_or(Fault::Outside)?;
                fake.borrow_mut().in_fifo = 0;
                dead.interrupt()
            });
            // What the dead one left on, and what is still in the port, are no hindrance to the next.
            let before = fake.borrow().sent.len();
            fake.borrow_mut().left = None;
            let mut port = up(&fake);
            port.write(&bytes(3 * FIFO)).unwrap();
            fake.borrow_mut().typed.push_back(2);
            while port.waiting() > 0 || fake.borrow().interrupts() {
                fake.borrow_mut().in_fifo = 0;
                port.interrupt().unwrap();
            }
            assert_eq!(fake.borrow().sent[before..], bytes(3 * FIFO), "died after {steps}");
            let mut out = [0; 2];
            let typed = port.read(&mut out);
            assert_eq!(out[..typed].last(), Some(&2), "died after {steps}");
            assert_eq!(fake.borrow().enable, ENABLE_TYPED, "died after {steps}");
            if lived.is_ok() {
                assert!(steps > 2 * FIFO as u64, "{steps} steps are a whole life");
                break;
            }
        }
    }

    #[test]
    fn a_port_that_lies_costs_a_bound_and_no_port_is_told() {
        // Always something typed, and always room: nobody goes round for ever.
        let fake = RefCell::new(Fake { lie: Some(STATUS_TYPED | STATUS_EMPTY), ..Fake::default() });
        let mut port = up(&fake);
        fake.borrow_mut().typed.push_back(1);
        port.write(&bytes(MAX_WAITING)).unwrap();
        port.interrupt().unwrap();
        assert!(fake.borrow().looks < 3 * (LOOKS * LOOKS) as u64 + 1000);
        // Registers that are not there read as anything.
        struct Nothing;
        impl Registers for Nothing {
            fn load8(&self, _: usize) -> Result<u8, Fault> {
                Ok(0xff)
            }
            fn store8(&self, _: usize, _: u8) -> Result<(), Fault> {
                Ok(())
            }
            fn load16(&self, _: usize) -> Result<u16, Fault> {
                Err(Fault::Outside)
            }
            fn load32(&self, _: usize) -> Result<u32, Fault> {
                Err(Fault::Outside)
            }
            fn store32(&self, _: usize, _: u32) -> Result<(), Fault> {
                Err(Fault::Outside)
            }
        }
        assert_eq!(Port::new(Nothing).bring_up(), Err(Fault::Absent));
    }
}
