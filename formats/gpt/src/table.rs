//! One table: its header, and its entries.

use crate::{MAX_ENTRY_SECTORS, NAME, SECTOR};
use alloc::string::String;
use alloc::vec::Vec;
use crc::{CRC_32_ISO_HDLC, Crc};

pub(crate) const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Bytes of a header that are defined, and of an entry; an entry has that many or a larger power of two.
pub(crate) const HEADER: usize = 92;
pub(crate) const ENTRY: usize = 128;

/// Why a table is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// There is no table here at all.
    None,
    /// A checksum does not fit.
    Checksum,
    /// The header says what cannot be: of its size, its place, its entries or the disk.
    Header,
    /// A partition lies where none can, or over another.
    Partition,
}

/// What a header says, checked against the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// First and last sector that partitions may have.
    pub usable: (u64, u64),
    /// First sector of the entries.
    pub entries: u64,
    /// How many sectors they take.
    pub entry_sectors: u64,
    count: usize,
    entry_bytes: usize,
    checksum: u32,
}

/// A partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// What kind of thing is in it.
    pub kind: [u8; 16],
    /// Which one it is.
    pub id: [u8; 16],
    /// Its first sector.
    pub first: u64,
    /// How many sectors it has: at least one.
    pub sectors: u64,
    /// Its name. What is no character stands as U+FFFD.
    pub name: String,
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn number64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl Header {
    /// The header in the sector `here` of a disk of that many sectors.
    pub fn read(sector: &[u8; SECTOR], here: u64, disk: u64) -> Result<Header, Damage> {
        if &sector[..8] != b"EFI PART" {
            return Err(Damage::None);
        }
        let size = number32(sector, 12) as usize;
        let Some(covered) = sector.get(..size).filter(|_| size >= HEADER) else { return Err(Damage::Header) };
        let mut digest = CRC.digest();
        digest.update(&covered[..16]);
        digest.update(&[0; 4]);
        digest.update(&covered[20..]);
        if digest.finalize() != number32(sector, 16) {
            return Err(Damage::Checksum);
        }
        let (first, last) = (number64(sector, 40), number64(sector, 48));
        let (entries, count) = (number64(sector, 72), number32(sector, 80) as usize);
        let entry_bytes = number32(sector, 84) as usize;
        let bytes = (count as u64).checked_mul(entry_bytes as u64).ok_or(Damage::Header)?;
        let entry_sectors = bytes.div_ceil(SECTOR as u64);
        let entries_end = entries.checked_add(entry_sectors).ok_or(Damage::Header)?;
        let sound = number32(sector, 8) == 0x1_0000
            && number64(sector, 24) == here
            && entry_bytes >= ENTRY
            && entry_bytes.is_power_of_two()
            && (1..=MAX_ENTRY_SECTORS).contains(&entry_sectors)
            // The entries lie on the disk, not over a header, and not where partitions may.
            && entries >= 2
            && entries_end < disk
            && first <= last
            // Before and behind the partitions is room for the tables.
            && first >= 2 + entry_sectors
            && last.checked_add(entry_sectors).is_some_and(|end| end < disk - 1)
            && (entries_end <= first || entries > last);
        if !sound {
            return Err(Damage::Header);
        }
        let usable = (first, last);
        Ok(Header { usable, entries, entry_sectors, count, entry_bytes, checksum: number32(sector, 88) })
    }
}

/// The partitions that the entries of a header list, in their order.
pub fn partitions(header: &Header, entries: &[u8]) -> Result<Vec<Partition>, Damage> {
    let table = entries.get(..header.count * header.entry_bytes).ok_or(Damage::Header)?;
    if CRC.checksum(table) != header.checksum {
        return Err(Damage::Checksum);
    }
    let mut found: Vec<Partition> = Vec::new();
    for entry in table.chunks_exact(header.entry_bytes) {
        let (kind, id) = (part(entry, 0), part(entry, 16));
        if kind == [0; 16] {
            continue;
        }
        let (first, last) = (number64(entry, 32), number64(entry, 40));
        let inside = first >= header.usable.0 && last <= header.usable.1 && first <= last;
        let apart = |other: &Partition| last < other.first || first > other.first + (other.sectors - 1);
        if !inside || !found.iter().all(apart) || found.iter().any(|other| other.id == id) {
            return Err(Damage::Partition);
        }
        found.push(Partition { kind, id, first, sectors: last - first + 1, name: name(entry) });
    }
    Ok(found)
}

fn part(entry: &[u8], at: usize) -> [u8; 16] {
    entry.get(at..at + 16).and_then(|raw| raw.try_into().ok()).unwrap_or_default()
}

fn name(entry: &[u8]) -> String {
    let units = entry[56..56 + 2 * NAME].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let decoded = char::decode_utf16(units.take_while(|unit| *unit != 0));
    decoded.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
