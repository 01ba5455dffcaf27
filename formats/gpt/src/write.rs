//! A new table, for a disk that has none: what the host's tool writes on disks that it makes.

use crate::table::{CRC, ENTRY, HEADER, Partition};
use crate::{NAME, SECTOR};
use alloc::vec;
use alloc::vec::Vec;

/// Entries of a new table, and the sectors that they take.
const ENTRIES: usize = 128;
const ENTRY_SECTORS: u64 = (ENTRIES * ENTRY / SECTOR) as u64;

/// Sectors before and behind the partitions: headers, entries, and the record that old tools look at.
const FRONT: u64 = 2 + ENTRY_SECTORS;
const BACK: u64 = 1 + ENTRY_SECTORS;

/// What is to be written where; the rest of the disk stays as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// From sector 0 on.
    pub front: Vec<u8>,
    /// The last sectors of the disk.
    pub back: Vec<u8>,
}

/// The first sector that a partition can have on a disk of that many sectors, and how many there are from it on. `None` when the disk is
/// too small for a table.
pub fn usable(disk: u64) -> Option<(u64, u64)> {
    let sectors = disk.checked_sub(FRONT + BACK).filter(|sectors| *sectors > 0)?;
    Some((FRONT, sectors))
}

/// A table with these partitions, in both places. `None` when it could not be read back: a partition that lies where none can or over another, a
/// name that is too long, a kind of zeros, two with one id, more than there are entries.
pub fn table(disk: u64, id: [u8; 16], partitions: &[Partition]) -> Option<Table> {
    let (first, sectors) = usable(disk)?;
    if partitions.len() > ENTRIES {
        return None;
    }
    let mut entries = vec![0; ENTRIES * ENTRY];
    for (entry, partition) in entries.chunks_exact_mut(ENTRY).zip(partitions) {
        let last = partition.first.checked_add(partition.sectors.checked_sub(1)?)?;
        entry[..16].copy_from_slice(&partition.kind);
        entry[16..32].copy_from_slice(&partition.id);
        entry[32..40].copy_from_slice(&partition.first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        if partition.name.encode_utf16().count() > NAME {
            return None;
        }
        for (place, unit) in entry[56..56 + 2 * NAME].chunks_exact_mut(2).zip(partition.name.encode_utf16()) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    }
    let header = |here: u64, other: u64, table: u64| {
        let mut header = vec![0; SECTOR];
        header[..8].copy_from_slice(b"EFI PART");
        for (at, value) in [(8, 0x1_0000), (12, HEADER as u32), (80, ENTRIES as u32), (84, ENTRY as u32)] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let last = first + sectors - 1;
        for (at, value) in [(24, here), (32, other), (40, first), (48, last), (72, table)] {
            header[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        header[56..72].copy_from_slice(&id);
        header[88..92].copy_from_slice(&CRC.checksum(&entries).to_le_bytes());
        let checksum = CRC.checksum(&header[..HEADER]);
        header[16..20].copy_from_slice(&checksum.to_le_bytes());
        header
    };
    let front = [protection(disk), header(1, disk - 1, 2), entries.clone()].concat();
    let back = [entries.clone(), header(disk - 1, 1, disk - BACK)].concat();
    // What was written is read as any disk is: nothing is written that would not be believed.
    let sector = front.get(SECTOR..)?.first_chunk()?;
    let read = crate::Header::read(sector, 1, disk).and_then(|header| crate::partitions(&header, &entries));
    (read.as_deref() == Ok(partitions)).then_some(Table { front, back })
}

/// The record that tells old tools that the whole disk is taken.
fn protection(disk: u64) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    sector[446..454].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]);
    sector[454..458].copy_from_slice(&1u32.to_le_bytes());
    let covered = u32::try_from(disk - 1).unwrap_or(u32::MAX);
    sector[458..462].copy_from_slice(&covered.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}
