//! The boot control record: which boot this is, whether it and those before became healthy, and which slot a machine boots. `updated` keeps it at
//! [`PATH`] under `/state`; the same code reads it on the host.
//!
//! What must never happen: a record that was damaged, cut or written by somebody who means something else is read as if it said something; or a boot that was not
//! seen to be healthy counts as one.
//!
//! # Bytes (little-endian)
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | magic `NXBC` |
//! | 4–5 | version, [`VERSION`] |
//! | 6 | slot that is booted: 0 or 1 |
//! | 7 | slot that is tried, or 255: none |
//! | 8 | tries that are left for it |
//! | 9–15 | 0 |
//! | 16–23 | boots begun |
//! | 24–31 | the newest boot that became healthy; 0: none did |
//! | 32–39 | boots since then that did not |
//! | 40–55 | version of what is in slot 0 and in slot 1 (`u64` each); 0: not known |
//! | 56–59 | CRC-32 (ISO-HDLC) of all before |
#![no_std]
#![forbid(unsafe_code)]

use crc::{CRC_32_ISO_HDLC, Crc};

/// Where it lies under `/state`.
pub const PATH: &str = "boot/record";

/// The only version there is.
pub const VERSION: u16 = 1;

/// Bytes of a record.
pub const BYTES: usize = 60;

/// Most tries of a slot.
pub const MAX_TRIES: u8 = 7;

/// What stands for no slot.
const NONE: u8 = 255;

const MAGIC: [u8; 4] = *b"NXBC";
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// One of the two places that a system can lie in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slot {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
}

/// The record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record {
    /// The slot that is booted.
    pub slot: Slot,
    /// The slot that is tried, and how often it may still be: it becomes the one that is booted when a boot of it is healthy.
    pub trial: Option<(Slot, u8)>,
    /// Boots begun: the number of the present one.
    pub begun: u64,
    /// The newest boot that became healthy; 0: none did.
    pub healthy: u64,
    /// Boots since then that did not.
    pub failed: u64,
    /// What is in each slot; 0: not known.
    pub versions: [u64; 2],
}

/// Why bytes are no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Another length, another beginning, a checksum that is off, or numbers that cannot be.
    Damaged,
    /// A record of another version.
    Version(u16),
}

fn slot(number: u8) -> Option<Slot> {
    match number {
        0 => Some(Slot::A),
        1 => Some(Slot::B),
        _ => None,
    }
}

impl Record {
    /// A boot begins. One that was begun before and did not become healthy failed.
    #[must_use]
    pub fn begin(mut self) -> Record {
        if self.healthy < self.begun {
            self.failed = self.failed.saturating_add(1);
        }
        self.begun = self.begun.saturating_add(1);
        self
    }

    /// The present boot is healthy.
    #[must_use]
    pub fn healthy(mut self) -> Record {
        (self.healthy, self.failed) = (self.begun, 0);
        self
    }

    /// Whether the present boot is healthy.
    pub fn is_healthy(&self) -> bool {
        self.begun > 0 && self.healthy == self.begun
    }

    /// As bytes.
    pub fn encode(&self) -> [u8; BYTES] {
        let mut out = [0; BYTES];
        out[..4].copy_from_slice(&MAGIC);
        out[4..6].copy_from_slice(&VERSION.to_le_bytes());
        let (tried, tries) = self.trial.map_or((NONE, 0), |(slot, tries)| (slot as u8, tries.min(MAX_TRIES)));
        out[6..9].copy_from_slice(&[self.slot as u8, tried, tries]);
        let numbers = [self.begun, self.healthy, self.failed, self.versions[0], self.versions[1]];
        for (place, number) in out[16..56].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let check = CRC.checksum(&out[..BYTES - 4]);
        out[BYTES - 4..].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// The record that these bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Record, Bad> {
        let (covered, check) = bytes.split_last_chunk::<4>().ok_or(Bad::Damaged)?;
        let (head, rest) = covered.split_first_chunk::<16>().ok_or(Bad::Damaged)?;
        let [m0, m1, m2, m3, v0, v1, booted, tried, tries, zeros @ ..] = *head;
        if [m0, m1, m2, m3] != MAGIC || CRC.checksum(covered) != u32::from_le_bytes(*check) {
            return Err(Bad::Damaged);
        }
        let version = u16::from_le_bytes([v0, v1]);
        if version != VERSION {
            return Err(Bad::Version(version));
        }
        let numbers: &[u8; 40] = rest.try_into().map_err(|_| Bad::Damaged)?;
        let (words, _) = numbers.as_chunks::<8>();
        let mut read = [0; 5];
        for (number, word) in read.iter_mut().zip(words) {
            *number = u64::from_le_bytes(*word);
        }
        let [begun, healthy, failed, first, second] = read;
        let trial = match (tried, tries) {
            (NONE, 0) => None,
            (tried, 0..=MAX_TRIES) => Some((slot(tried).ok_or(Bad::Damaged)?, tries)),
            _ => return Err(Bad::Damaged),
        };
        if zeros != [0; 7] || healthy > begun || failed > begun - healthy {
            return Err(Bad::Damaged);
        }
        let slot = slot(booted).ok_or(Bad::Damaged)?;
        Ok(Record { slot, trial, begun, healthy, failed, versions: [first, second] })
    }
}
