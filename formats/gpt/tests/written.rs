//! A table that is written is the table that is read.

use nexus_gpt::{NAME, Partition, SECTOR, Scan, Step, write};

const DISK: u64 = 4096;

fn partition(id: u8, first: u64, sectors: u64, name: &str) -> Partition {
    Partition { kind: [0xa0; 16], id: [id; 16], first, sectors, name: name.into() }
}

fn written(partitions: &[Partition]) -> Option<Vec<u8>> {
    let table = write::table(DISK, [7; 16], partitions)?;
    let mut disk = vec![0; DISK as usize * SECTOR];
    disk[..table.front.len()].copy_from_slice(&table.front);
    let back = disk.len() - table.back.len();
    disk[back..].copy_from_slice(&table.back);
    Some(disk)
}

fn read(disk: &[u8]) -> Step {
    let (mut scan, mut step) = Scan::begin(DISK);
    while let Step::Read(need) = step {
        step = scan.feed(&disk[need.sector as usize * SECTOR..(need.sector + need.count) as usize * SECTOR]);
    }
    step
}

#[test]
fn both_tables_are_read_back() {
    let (first, sectors) = write::usable(DISK).unwrap();
    let all =
        [partition(1, first, 100, "state"), partition(2, first + 100, sectors - 100, &"é".repeat(NAME))];
    let mut disk = written(&all).unwrap();
    assert_eq!(read(&disk), Step::Found(all.to_vec(), false));
    disk[SECTOR + 20] ^= 1;
    assert_eq!(read(&disk), Step::Found(all.to_vec(), true), "the table at the back");
    assert_eq!(read(&written(&[]).unwrap()), Step::Found(Vec::new(), false));
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let (first, sectors) = write::usable(DISK).unwrap();
    let bad = [
        vec![partition(1, first - 1, 10, "before")],
        vec![partition(1, first, sectors + 1, "behind")],
        vec![partition(1, first, 0, "nothing")],
        vec![partition(1, u64::MAX, 2, "wraps")],
        vec![partition(1, first, 10, "one"), partition(2, first + 9, 10, "over it")],
        vec![partition(1, first, 10, "one"), partition(1, first + 10, 10, "the same id")],
        vec![partition(1, first, 10, &"x".repeat(NAME + 1))],
        vec![Partition { kind: [0; 16], ..partition(1, first, 10, "no kind") }],
        (0..129).map(|index| partition(index as u8, first + index, 1, "many")).collect(),
    ];
    for partitions in bad {
        assert!(written(&partitions).is_none(), "{:?}", partitions[0].name);
    }
    let most: Vec<_> = (0..128).map(|index| partition(index as u8, first + index, 1, "many")).collect();
    assert!(written(&most).is_some());
    for disk in 0..=67 {
        assert!(
            write::usable(disk).is_none() && write::table(disk, [7; 16], &[]).is_none(),
            "{disk} sectors"
        );
    }
    assert_eq!(write::usable(68), Some((34, 1)));
}
