//! New disks: an empty file with a partition table, so that there is a place for what outlives the machine.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use nexus_gpt::{Partition, SECTOR, write};

use crate::exit::{Failure, Outcome};

/// The partition of `/state`.
pub const STATE: &str = "state";

/// A partition beside it on disks of test machines, that nobody but tests writes: its name and its sectors.
pub const SCRATCH: (&str, u64) = ("scratch", 4 * ALIGNMENT);

const SCRATCH_KIND: [u8; 16] = *b"nexus-os:scratch";
const SCRATCH_ID: [u8; 16] = *b"scratch of tests";

/// What is in it, and which one it is. A disk that is made twice is the same disk.
const STATE_KIND: [u8; 16] = *b"nexus-os: /state";
const STATE_ID: [u8; 16] = *b"state of a disk\0";
const DISK_ID: [u8; 16] = *b"disk made by nx\0";

/// Partitions begin and end at multiples of so many sectors.
const ALIGNMENT: u64 = 2048;

/// Makes a disk of this size, or empties one to it: one partition, `state`, over all of it but its ends, and before it [`SCRATCH`] if
/// that is asked for.
pub fn make(path: &Path, bytes: u64, scratch: bool) -> Outcome {
    let failed = |error: std::io::Error| Failure::host(path.display(), &error);
    let sectors = bytes / SECTOR as u64;
    let first = ALIGNMENT + if scratch { SCRATCH.1 } else { 0 };
    let end = (sectors.saturating_sub(ALIGNMENT) / ALIGNMENT) * ALIGNMENT;
    let state = Partition {
        kind: STATE_KIND,
        id: STATE_ID,
        first,
        sectors: end.saturating_sub(first),
        name: STATE.into(),
    };
    let beside = Partition {
        kind: SCRATCH_KIND,
        id: SCRATCH_ID,
        first: ALIGNMENT,
        sectors: SCRATCH.1,
        name: SCRATCH.0.into(),
    };
    let partitions = if scratch { vec![beside, state] } else { vec![state] };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path).map_err(failed)?;
    file.set_len(sectors * SECTOR as u64).map_err(failed)?;
    // A disk that is too small for a table has none.
    if let Some(table) = write::table(sectors, DISK_ID, &partitions) {
        file.write_all(&table.front).map_err(failed)?;
        let back = sectors * SECTOR as u64 - table.back.len() as u64;
        file.seek(SeekFrom::Start(back)).and_then(|_| file.write_all(&table.back)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_gpt::{Scan, Step};

    fn made(bytes: u64, scratch: bool) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        make(&path, bytes, scratch).unwrap();
        std::fs::read(&path).unwrap()
    }

    /// Name, first sector and number of sectors of each partition.
    fn partitions(disk: &[u8]) -> Vec<(String, u64, u64)> {
        let sectors = (disk.len() / SECTOR) as u64;
        let (mut scan, mut step) = Scan::begin(sectors);
        while let Step::Read(need) = step {
            step =
                scan.feed(&disk[need.sector as usize * SECTOR..(need.sector + need.count) as usize * SECTOR]);
        }
        let Step::Found(found, false) = step else { panic!("{step:?}") };
        found.into_iter().map(|found| (found.name.as_str().to_string(), found.first, found.sectors)).collect()
    }

    #[test]
    fn a_new_disk_has_a_place_for_the_state() {
        let disk = made(8 << 20, false);
        assert_eq!(disk.len(), 8 << 20);
        let sectors = (disk.len() / SECTOR) as u64;
        assert_eq!(partitions(&disk), [(STATE.to_string(), 2048, sectors - 2 * 2048)]);
        let (scratch, count) = SCRATCH;
        let both = [
            (scratch.to_string(), 2048, count),
            (STATE.to_string(), 2048 + count, sectors - count - 2 * 2048),
        ];
        assert_eq!(partitions(&made(8 << 20, true)), both);
    }

    #[test]
    fn the_partition_is_what_quotas_are_checked_against() {
        let disk = made(crate::machine::options::DISK_BYTES, false);
        let [(_, _, sectors)] = partitions(&disk)[..] else { panic!("one partition") };
        assert_eq!(sectors * SECTOR as u64, nexus_registry::STATE_BYTES);
    }

    #[test]
    fn a_disk_that_is_too_small_is_only_empty() {
        assert_eq!(made(20 * SECTOR as u64, false), vec![0; 20 * SECTOR]);
        assert_eq!(made(4096 * SECTOR as u64, false), vec![0; 4096 * SECTOR]);
    }
}
