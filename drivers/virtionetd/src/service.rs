//! The card for whoever attached: counted, and reset when it lies or is late. After a few faults without a frame between them it is given up.

use crate::card::Card;
use nexus_driver::{Fault, Memory, Registers};

/// Faults without a frame between them before the card is given up.
pub const MAX_FAULTS: u32 = 5;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Frames sent, and frames that were not.
    pub sent: u64,
    /// See `sent`.
    pub sent_dropped: u64,
    /// Times that the card was reset.
    pub resets: u64,
}

/// The driver's logic.
#[derive(Debug)]
pub struct Service<R, M> {
    card: Card<R, M>,
    address: [u8; 6],
    counters: Counters,
    /// How long the card may have a frame to send, in ticks.
    patience: u64,
    faults: u32,
    last_fault: Option<Fault>,
}

impl<R: Registers, M: Memory> Service<R, M> {
    /// Brings the card up.
    pub fn begin(mut card: Card<R, M>, patience: u64, now: u64) -> Result<Service<R, M>, Fault> {
        let address = card.bring_up(now)?;
        let counters = Counters::default();
        Ok(Service { card, address, counters, patience, faults: 0, last_fault: None })
    }

    /// The card's address. It stays the same as long as the driver lives.
    pub fn address(&self) -> [u8; 6] {
        self.address
    }

    /// What was done.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether there is a link.
    pub fn has_link(&self) -> bool {
        !self.gave_up() && self.card.has_link().unwrap_or(false)
    }

    /// Whether the card was given up.
    pub fn gave_up(&self) -> bool {
        self.faults > MAX_FAULTS
    }

    /// The last fault of the card, once.
    pub fn take_fault(&mut self) -> Option<Fault> {
        self.last_fault.take()
    }

    /// Sends a frame, if there is room for it and it is one.
    pub fn transmit(&mut self, frame: &[u8], now: u64) {
        let sent = if self.gave_up() { Ok(false) } else { self.card.transmit(frame, now) };
        match sent {
            Ok(true) => self.counters.sent += 1,
            Ok(false) => self.counters.sent_dropped += 1,
            Err(fault) => {
                self.counters.sent_dropped += 1;
                self.fault(fault, now);
            }
        }
    }

    /// The card interrupted; frames that have come are handed on.
    pub fn interrupt(&mut self, now: u64, mut received: impl FnMut(&[u8])) {
        if self.gave_up() {
            return;
        }
        let mut came = false;
        let outcome = self.card.interrupt(now, |frame| {
            came = true;
            received(frame);
        });
        if came {
            self.faults = 0;
        }
        if let Err(fault) = outcome {
            self.fault(fault, now);
        }
    }

    /// Resets the card; frames that it had are lost, as frames are.
    fn fault(&mut self, fault: Fault, now: u64) {
        let mut fault = Some(fault);
        while let Some(why) = fault {
            self.faults += 1;
            self.counters.resets += 1;
            self.last_fault = Some(why);
            if self.gave_up() {
                // It shall write nowhere any more. If it does not obey, its memory stays taken.
                let _ = self.card.bring_down();
                return;
            }
            fault = match self.card.bring_up(now) {
                Ok(address) if address == self.address => None,
                Ok(_) => Some(Fault::Malformed),
                Err(why) => Some(why),
            };
        }
    }

    /// When [`Service::tick`] is to be called, if the card has not interrupted before.
    pub fn deadline(&self) -> Option<u64> {
        if self.gave_up() {
            None
        } else {
            self.card.oldest().map(|since| since.saturating_add(self.patience))
        }
    }

    /// A deadline may have passed: then the card is late.
    pub fn tick(&mut self, now: u64) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.fault(Fault::Late, now);
        }
    }
}
