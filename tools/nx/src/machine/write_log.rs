//! What QEMU's `blklogwrites` driver wrote down: every write to a disk and every flush, in their order. The format is that of
//! Linux's `dm-log-writes` (Documentation/admin-guide/device-mapper/log-writes.rst), with sectors of 512 bytes.

use std::path::Path;

use nexus_gpt::SECTOR;
use powercut::Event;

use crate::exit::{Exit, Failure, Outcome};

const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;

/// Flags of an entry: everything before it is safe; it is safe itself; it is no write of data.
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;
const MARK: u64 = 8;

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// The writes to these bytes of the disk, their places counted from the first of them, and all flushes.
pub fn read(log: &[u8], first: u64, length: u64) -> Option<Vec<Event>> {
    if number(log, 0)? != MAGIC || number(log, 8)? != VERSION {
        return None;
    }
    let (entries, mut at) = (number(log, 16)?, SECTOR);
    let mut events = Vec::new();
    for _ in 0..entries {
        let [sector, count, flags] = [number(log, at)?, number(log, at + 8)?, number(log, at + 16)?];
        at += SECTOR;
        if flags & FLUSH != 0 && events.last() != Some(&Event::Flush) {
            events.push(Event::Flush);
        }
        if flags & (DISCARD | MARK) != 0 {
            return None;
        }
        let size = usize::try_from(count).ok()?.checked_mul(SECTOR)?;
        let data = log.get(at..at.checked_add(size)?)?;
        at += size;
        let place = sector.checked_mul(SECTOR as u64)?;
        if size > 0 && place >= first && place + size as u64 <= first + length {
            events.push(Event::Write(place - first, data.to_vec()));
        }
        if flags & FUA != 0 {
            events.push(Event::Flush);
        }
    }
    Some(events)
}

/// The same from a file.
pub fn load(path: &Path, first: u64, length: u64) -> Outcome<Vec<Event>> {
    let log = std::fs::read(path).map_err(|error| Failure::host(path.display(), &error))?;
    read(&log, first, length).ok_or_else(|| {
        let what = format!("{} is no log of writes", path.display());
        Failure::new(Exit::Qemu, what, "QEMU 7.2 writes one: nx doctor")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sector: u64, data: &[u8], flags: u64) -> Vec<u8> {
        let numbers = [sector, (data.len() / SECTOR) as u64, flags, 0];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.resize(SECTOR, 0);
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn writes_and_flushes_in_their_order() {
        let head: Vec<u8> = [MAGIC, VERSION, 5].iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut log = head;
        log.resize(SECTOR, 0);
        let data = [7; 2 * SECTOR];
        log.extend(entry(9, &data, 0));
        log.extend(entry(0, &data, 0));
        log.extend(entry(0, &[], FLUSH));
        log.extend(entry(8, &data[..SECTOR], FLUSH | FUA));
        log.extend(entry(100, &data, 0));
        let write = |at, size| Event::Write(at, vec![7; size]);
        let expected = vec![write(512, 1024), Event::Flush, write(0, 512), Event::Flush];
        assert_eq!(read(&log, 8 * 512, 10 * 512), Some(expected));
        assert_eq!(read(&log[..log.len() - 1], 0, 1), None, "a log that ends too early");
        log[0] ^= 1;
        assert_eq!(read(&log, 0, 1), None);
    }
}
