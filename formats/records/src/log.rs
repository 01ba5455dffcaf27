//! A part of a log: records in their order, within the bound of a value.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::{CHECK, kept, open, seal};
use crate::{MAX_BYTES, MAX_NAME, MAX_TEXT, VERSION};

const MAGIC: [u8; 4] = *b"NXLG";

/// Bytes before the first record, and before the texts of each.
const HEAD: usize = 16;
const ENTRY: usize = 29;

const _: () = assert!(HEAD + ENTRY + MAX_NAME + MAX_TEXT + CHECK <= MAX_BYTES);

/// A record of the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Its number.
    pub sequence: u64,
    /// When, in ticks since the machine was switched on.
    pub time: u64,
    /// The service that the kernel saw; 0 is the kernel itself.
    pub service: u32,
    /// Which instance of it.
    pub generation: u32,
    /// How much it matters, as in the interface `log`.
    pub level: u8,
    /// What it is for, as in the interface `log`.
    pub purpose: u8,
    /// Who that was.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Ticks a second.
    pub hz: u64,
    /// The records.
    pub entries: Vec<Entry>,
    length: usize,
}

impl Segment {
    /// An empty one.
    pub fn new(hz: u64) -> Segment {
        Segment { hz, entries: Vec::new(), length: HEAD + CHECK }
    }

    /// Adds a record, whose texts are cut to their bounds; gives it back when there is no room for it.
    pub fn push(&mut self, mut entry: Entry) -> Option<Entry> {
        entry.name = kept(&entry.name, MAX_NAME);
        entry.text = kept(&entry.text, MAX_TEXT);
        let length = self.length + ENTRY + entry.name.len() + entry.text.len();
        if length > MAX_BYTES {
            return Some(entry);
        }
        self.length = length;
        self.entries.push(entry);
        None
    }

    /// As bytes, at most [`MAX_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 2]);
        out.extend(self.hz.to_le_bytes());
        for entry in &self.entries {
            out.extend((entry.text.len() as u16).to_le_bytes());
            out.extend([entry.name.len() as u8, entry.level, entry.purpose]);
            out.extend(entry.sequence.to_le_bytes());
            out.extend(entry.time.to_le_bytes());
            out.extend(entry.service.to_le_bytes());
            out.extend(entry.generation.to_le_bytes());
            out.extend(entry.name.as_bytes());
            out.extend(entry.text.as_bytes());
        }
        seal(&mut out);
        out
    }

    /// The part that these bytes are, if they are one.
    pub fn decode(bytes: &[u8]) -> Option<Segment> {
        let mut from = open(bytes)?;
        if bytes.len() > MAX_BYTES || from.array()? != MAGIC || from.u16()? != VERSION || from.u16()? != 0 {
            return None;
        }
        let mut segment = Segment::new(from.u64()?);
        while !from.0.is_empty() {
            let (text, name) = (from.u16()?, from.u8()?);
            let (level, purpose) = (from.u8()?, from.u8()?);
            let (sequence, time) = (from.u64()?, from.u64()?);
            let (service, generation) = (from.u32()?, from.u32()?);
            let name = from.text(name.into(), MAX_NAME)?;
            let text = from.text(text.into(), MAX_TEXT)?;
            let entry = Entry { sequence, time, service, generation, level, purpose, name, text };
            if segment.push(entry).is_some() {
                return None;
            }
        }
        Some(segment)
    }
}
