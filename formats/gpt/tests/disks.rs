//! Disks as they should be, damaged in each place, and made up.

use crc::{CRC_32_ISO_HDLC, Crc};
use nexus_gpt::{Damage, MAX_ENTRY_SECTORS, Need, Partition, SECTOR, Scan, Step};
use proptest::prelude::*;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const DISK: u64 = 256;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// An entry: kind and id of one byte each, sectors, name.
fn entry(id: u8, first: u64, last: u64, name: &str) -> [u8; 128] {
    let mut entry = [0; 128];
    put(&mut entry, 0, &[0xa0; 16]);
    put(&mut entry, 16, &[id; 16]);
    put(&mut entry, 32, &first.to_le_bytes());
    put(&mut entry, 40, &last.to_le_bytes());
    for (index, unit) in name.encode_utf16().enumerate() {
        put(&mut entry, 56 + 2 * index, &unit.to_le_bytes());
    }
    entry
}

/// Both checksums of the table at `header` made right.
fn sign(disk: &mut [u8], header: u64) {
    let at = header as usize * SECTOR;
    let number = |at: usize| u32::from_le_bytes(disk[at..at + 4].try_into().unwrap()) as usize;
    let entries = u64::from_le_bytes(disk[at + 72..at + 80].try_into().unwrap()) as usize;
    let entries = entries.saturating_mul(SECTOR);
    let (length, size) = (number(at + 80).saturating_mul(number(at + 84)), number(at + 12));
    if let Some(table) = disk.get(entries..entries.saturating_add(length)) {
        let checksum = CRC.checksum(table);
        put(disk, at + 88, &checksum.to_le_bytes());
    }
    if (20..=SECTOR).contains(&size) {
        put(disk, at + 16, &[0; 4]);
        let checksum = CRC.checksum(&disk[at..at + size]);
        put(disk, at + 16, &checksum.to_le_bytes());
    }
}

fn header(disk: &mut [u8], here: u64, other: u64, entries: u64) {
    let at = here as usize * SECTOR;
    put(disk, at, b"EFI PART");
    put(disk, at + 8, &0x1_0000u32.to_le_bytes());
    put(disk, at + 12, &92u32.to_le_bytes());
    for (offset, value) in [(24, here), (32, other), (40, 34), (48, DISK - 34), (72, entries)] {
        put(disk, at + offset, &value.to_le_bytes());
    }
    put(disk, at + 80, &128u32.to_le_bytes());
    put(disk, at + 84, &128u32.to_le_bytes());
    sign(disk, here);
}

/// A disk with these entries in both tables.
fn disk(entries: &[[u8; 128]]) -> Vec<u8> {
    let mut disk = vec![0; DISK as usize * SECTOR];
    for (index, entry) in entries.iter().enumerate() {
        put(&mut disk, 2 * SECTOR + 128 * index, entry);
        put(&mut disk, (DISK as usize - 33) * SECTOR + 128 * index, entry);
    }
    header(&mut disk, 1, DISK - 1, 2);
    header(&mut disk, DISK - 1, 1, DISK - 33);
    disk
}

fn two() -> Vec<u8> {
    disk(&[entry(1, 34, 99, "state"), entry(2, 100, DISK - 34, "grüße")])
}

/// Searches; every sector that is asked for must be on the disk.
fn scan(disk: &[u8]) -> Step {
    let sectors = (disk.len() / SECTOR) as u64;
    let (mut scan, mut step) = Scan::begin(sectors);
    for _ in 0..5 {
        let Step::Read(Need { sector, count }) = step else { return step };
        assert!((1..=MAX_ENTRY_SECTORS).contains(&count) && sector + count <= sectors, "{sector}+{count}");
        step = scan.feed(&disk[sector as usize * SECTOR..(sector + count) as usize * SECTOR]);
    }
    panic!("the search does not end");
}

fn names(step: Step) -> (Vec<(String, u64, u64)>, bool) {
    let Step::Found(found, back) = step else { panic!("{step:?}") };
    (found.into_iter().map(|p: Partition| (p.name, p.first, p.sectors)).collect(), back)
}

#[test]
fn both_tables_say_the_same() {
    let expected = vec![("state".into(), 34, 66), ("grüße".into(), 100, DISK - 133)];
    assert_eq!(names(scan(&two())), (expected.clone(), false));
    // Any single byte of the front header or of its entries that changes is noticed, and the back table serves.
    for at in (SECTOR..SECTOR + 92).chain(2 * SECTOR..2 * SECTOR + 300) {
        let mut disk = two();
        disk[at] ^= 0x10;
        assert_eq!(names(scan(&disk)), (expected.clone(), true), "byte {at}");
    }
}

#[test]
fn a_disk_without_a_table_has_none() {
    assert_eq!(scan(&vec![0; DISK as usize * SECTOR]), Step::Nothing(Damage::None));
    for sectors in 0..=3 {
        assert_eq!(scan(&vec![0; sectors * SECTOR]), Step::Nothing(Damage::None));
    }
    assert_eq!(scan(&vec![0xff; 8 * SECTOR]), Step::Nothing(Damage::None));
}

#[test]
fn sectors_that_cannot_be_read_are_damage() {
    let (mut search, step) = Scan::begin(DISK);
    assert_eq!(step, Step::Read(Need { sector: 1, count: 1 }));
    assert_eq!(search.failed(), Step::Read(Need { sector: DISK - 1, count: 1 }));
    assert_eq!(search.failed(), Step::Nothing(Damage::Checksum));
    let (mut search, _) = Scan::begin(DISK);
    assert_eq!(search.feed(&[0; SECTOR - 1]), Step::Read(Need { sector: DISK - 1, count: 1 }));
}

/// The same change in both headers, signed again.
fn with_headers(at: usize, value: &[u8]) -> Step {
    let mut disk = two();
    for here in [1, DISK - 1] {
        put(&mut disk, here as usize * SECTOR + at, value);
        sign(&mut disk, here);
    }
    scan(&disk)
}

#[test]
fn what_a_signed_header_cannot_say() {
    let refused = |at: usize, value: &[u8]| {
        assert_eq!(with_headers(at, value), Step::Nothing(Damage::Header), "{value:?} at {at}");
    };
    for size in [0u32, 91, 513, u32::MAX] {
        refused(12, &size.to_le_bytes());
    }
    refused(8, &0x2_0000u32.to_le_bytes());
    refused(24, &7u64.to_le_bytes());
    for (first, last) in
        [(1u64, DISK - 34), (35, 34), (34, DISK - 1), (34, u64::MAX), (2, DISK - 34), (34, DISK - 2)]
    {
        refused(40, &[first.to_le_bytes(), last.to_le_bytes()].concat());
    }
    for entries in [0, 1, 34, DISK - 32, DISK, u64::MAX - 31, u64::MAX] {
        refused(72, &entries.to_le_bytes());
    }
    for (count, size) in
        [(0, 128), (128, 127), (128, 0), (64, 192), (257, 128), (u32::MAX, u32::MAX), (1, 1 << 31)]
    {
        refused(80, &[u32::to_le_bytes(count), u32::to_le_bytes(size)].concat());
    }
    // At the bound: entries of twice the size, as many sectors of them as there is room for before the first usable one.
    let larger = with_headers(80, &[64u32.to_le_bytes(), 256u32.to_le_bytes()].concat());
    assert_eq!(names(larger).0, vec![("state".into(), 34, 66)]);
}

#[test]
fn partitions_that_cannot_be() {
    let bad = |entries: &[[u8; 128]]| assert_eq!(scan(&disk(entries)), Step::Nothing(Damage::Partition));
    let last = DISK - 34;
    bad(&[entry(1, 33, 50, "before")]);
    bad(&[entry(1, 34, last + 1, "behind")]);
    bad(&[entry(1, 50, 49, "turned")]);
    bad(&[entry(1, 34, u64::MAX, "huge")]);
    bad(&[entry(1, 34, 50, "one"), entry(2, 50, 60, "over its end")]);
    bad(&[entry(1, 50, 60, "one"), entry(2, 34, 50, "over its beginning")]);
    bad(&[entry(1, 34, 90, "one"), entry(2, 40, 41, "inside")]);
    bad(&[entry(1, 34, 50, "one"), entry(1, 51, 60, "the same id")]);
    let (found, _) = names(scan(&disk(&[entry(1, 34, 34, "one sector"), entry(2, 35, last, "the rest")])));
    assert_eq!(found.len(), 2);
}

#[test]
fn a_name_is_text_whatever_it_holds() {
    let mut odd = entry(1, 34, 50, &"ä".repeat(36));
    assert_eq!(names(scan(&disk(&[odd]))).0[0].0, "ä".repeat(36));
    odd[56..58].copy_from_slice(&0xd800u16.to_le_bytes());
    assert_eq!(names(scan(&disk(&[odd]))).0[0].0, format!("\u{fffd}{}", "ä".repeat(35)));
}

fn sound(disk: &[u8]) {
    if let Step::Found(found, _) = scan(disk) {
        for (index, a) in found.iter().enumerate() {
            assert!(a.first >= 2 && a.sectors >= 1 && a.first + a.sectors < (disk.len() / SECTOR) as u64);
            for b in &found[..index] {
                assert!(a.first + a.sectors <= b.first || b.first + b.sectors <= a.first);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Numbers that a disk may hold, in any field, signed: whatever is found is sound.
    #[test]
    fn whatever_is_found_is_sound(
        changes in prop::collection::vec((0usize..92, prop::sample::select(vec![0u64, 1, 2, 33, 34, 128, DISK - 34, DISK, 1 << 31, u64::MAX])), 1..4),
        spans in prop::collection::vec((0u64..DISK, 0u64..DISK), 1..6),
        flips in prop::collection::vec((0usize..40 * SECTOR, any::<u8>()), 0..3),
        signed in any::<bool>(),
    ) {
        let entries: Vec<_> = spans.iter().enumerate().map(|(id, (first, last))| entry(id as u8, *first, *last, "p")).collect();
        let mut bytes = disk(&entries);
        sound(&bytes);
        for (at, value) in changes {
            let at = (SECTOR + at).min(2 * SECTOR - 8);
            put(&mut bytes, at, &value.to_le_bytes());
        }
        if signed {
            sign(&mut bytes, 1);
        }
        sound(&bytes);
        for (at, value) in flips {
            bytes[at] = value;
        }
        sound(&bytes);
    }
}
