//! What was written is read, and nothing else is.

use nexus_records::{Crash, Entry, MAX_BYTES, MAX_NAME, MAX_TEXT, Segment, paths};
use proptest::prelude::*;

fn crash() -> Crash {
    Crash {
        time: 1,
        hz: 10_000_000,
        unix: 3,
        code: 15,
        pc: 0x1_2345,
        address: 0xdead,
        registers: std::array::from_fn(|index| index as u64 * 7),
        image: *b"digest of image!",
        service: 12,
        generation: 9,
        name: "statefsd".into(),
        program: "statefsd".into(),
    }
}

fn entry(sequence: u64, text: &str) -> Entry {
    Entry {
        sequence,
        time: 5,
        service: 2,
        generation: 3,
        level: 3,
        purpose: 1,
        name: "logd".into(),
        text: text.into(),
    }
}

fn segment() -> Segment {
    let mut segment = Segment::new(10_000_000);
    for sequence in 0..5 {
        assert_eq!(segment.push(entry(sequence, "größer: ready")), None);
    }
    segment
}

#[test]
fn a_crash_comes_back_and_no_byte_of_it_can_be_another() {
    let bytes = crash().encode();
    assert!(bytes.len() <= MAX_BYTES);
    assert_eq!(Crash::decode(&bytes), Some(crash()));
    for at in 0..bytes.len() {
        assert_eq!(Crash::decode(&bytes[..at]), None, "cut at {at}");
        for bit in 0..8 {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= 1 << bit;
            assert_eq!(Crash::decode(&spoiled), None, "bit {bit} of byte {at}");
        }
    }
    assert_eq!(Segment::decode(&bytes), None, "it is no log");
    let long = Crash { name: "ü".repeat(MAX_NAME), ..crash() };
    assert_eq!(
        Crash::decode(&long.encode()).unwrap().name,
        "ü".repeat(MAX_NAME / 2),
        "cut between characters"
    );
}

#[test]
fn a_part_of_a_log_comes_back_and_no_byte_of_it_can_be_another() {
    let bytes = segment().encode();
    assert_eq!(Segment::decode(&bytes), Some(segment()));
    assert_eq!(Segment::decode(&Segment::new(1).encode()), Some(Segment::new(1)));
    for at in 0..bytes.len() {
        assert_eq!(Segment::decode(&bytes[..at]), None, "cut at {at}");
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x20;
        assert_eq!(Segment::decode(&spoiled), None, "byte {at}");
    }
    assert_eq!(Crash::decode(&bytes), None, "it is no crash");
}

#[test]
fn a_part_takes_what_fits_and_not_a_byte_more() {
    let mut full = Segment::new(1);
    let mut count = 0;
    while full.push(entry(count, &"x".repeat(MAX_TEXT))).is_none() {
        count += 1;
    }
    assert_eq!(count, 5);
    let room = (0..MAX_TEXT).rev().find(|length| full.clone().push(entry(9, &"x".repeat(*length))).is_none());
    let room = room.unwrap();
    assert_eq!(full.push(entry(9, &"x".repeat(room))), None);
    assert_eq!(full.encode().len(), MAX_BYTES);
    assert_eq!(Segment::decode(&full.encode()), Some(full.clone()));
    assert!(full.push(entry(9, "")).is_some());
}

#[test]
fn what_steers_a_terminal_is_not_kept_and_not_read() {
    let mut segment = Segment::new(1);
    segment.push(entry(1, "a\nb\x1b[2J"));
    assert_eq!(segment.entries[0].text, "a b [2J");
    // A segment that somebody else wrote, with a right checksum.
    segment.entries[0].text = "a\nb".into();
    assert_eq!(Segment::decode(&segment.encode()), None);
}

#[test]
fn paths_have_one_spelling_in_the_order_of_time() {
    assert_eq!(paths::read_crash(&paths::crash(7, 12)), Some((7, 12)));
    assert_eq!(paths::read_log(&paths::log(7, 12)), Some((7, 12)));
    for other in
        ["crash/7-12", "crash/00000007-0012/x", "crash/+0000007-0012", "crash", "log/00000007-0012", ""]
    {
        assert_eq!((paths::read_crash(other), paths::read_log(other)), (None, None), "{other}");
    }
    assert!(paths::log(9, 9999) < paths::log(10, 0) && paths::crash(1, 9) < paths::crash(1, 10));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), magic in 0..3u8) {
        let mut all = [&b"NXCR\x01\0"[..], b"NXLG\x01\0\0\0", b""][usize::from(magic)].to_vec();
        all.extend(bytes);
        let check = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&all);
        all.extend(check.to_le_bytes());
        if let Some(crash) = Crash::decode(&all) {
            prop_assert_eq!(crash.encode(), all.clone());
        }
        if let Some(segment) = Segment::decode(&all) {
            prop_assert_eq!(segment.encode(), all);
        }
    }
}
