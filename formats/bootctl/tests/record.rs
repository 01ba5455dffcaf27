//! A record comes back as it was, counts what happened, and nothing else is read as one.

use nexus_bootctl::{BYTES, Bad, MAX_TRIES, Record, Slot, VERSION};
use proptest::prelude::*;

fn sealed(mut bytes: [u8; BYTES]) -> [u8; BYTES] {
    let check = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[..BYTES - 4]);
    bytes[BYTES - 4..].copy_from_slice(&check.to_le_bytes());
    bytes
}

#[test]
fn boots_that_did_not_become_healthy_are_counted_until_one_does() {
    let mut record = Record::default();
    assert!(!record.is_healthy());
    for (becomes, begun, healthy, failed) in [
        (true, 1, 1, 0),
        (true, 2, 2, 0),
        (false, 3, 2, 0),
        (false, 4, 2, 1),
        (false, 5, 2, 2),
        (true, 6, 6, 0),
        (true, 7, 7, 0),
    ] {
        record = record.begin();
        assert!(!record.is_healthy());
        if becomes {
            record = record.healthy();
        }
        assert_eq!(
            (record.begun, record.healthy, record.failed, record.is_healthy()),
            (begun, healthy, failed, becomes)
        );
        assert_eq!(Record::decode(&record.encode()), Ok(record));
    }
}

#[test]
fn no_byte_of_a_record_can_be_another() {
    let record = Record {
        trial: Some((Slot::B, 3)),
        begun: 9,
        healthy: 7,
        failed: 1,
        versions: [4, 5],
        ..Record::default()
    };
    let bytes = record.encode();
    assert_eq!(Record::decode(&bytes), Ok(record));
    for at in 0..BYTES {
        assert_eq!(Record::decode(&bytes[..at]), Err(Bad::Damaged), "cut at {at}");
        for bit in 0..8 {
            let mut spoiled = bytes;
            spoiled[at] ^= 1 << bit;
            assert_eq!(Record::decode(&spoiled), Err(Bad::Damaged), "bit {bit} of byte {at}");
        }
    }
    assert_eq!(Record::decode(&[bytes.as_slice(), &[0]].concat()), Err(Bad::Damaged));
}

#[test]
fn what_cannot_be_is_refused_although_its_checksum_is_right() {
    let good = Record { begun: 9, healthy: 7, failed: 2, ..Record::default() }.encode();
    assert!(Record::decode(&sealed(good)).is_ok());
    let with = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        Record::decode(&sealed(bytes))
    };
    for (at, byte) in [(6, 2), (7, 2), (8, 1), (9, 1), (15, 1), (24, 10), (32, 3)] {
        assert_eq!(with(at, byte), Err(Bad::Damaged), "byte {at} is {byte}");
    }
    assert_eq!(with(4, 2), Err(Bad::Version(VERSION + 1)));
    let tried = Record { trial: Some((Slot::A, MAX_TRIES)), ..Record::default() }.encode();
    assert!(Record::decode(&tried).is_ok());
    let mut more = tried;
    more[8] += 1;
    assert_eq!(Record::decode(&sealed(more)), Err(Bad::Damaged));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::array::uniform32(any::<u8>()), small in proptest::array::uniform24(0..3u8)) {
        let mut all = [0; BYTES];
        all[..4].copy_from_slice(b"NXBC");
        all[4..28].copy_from_slice(&small);
        all[28..].copy_from_slice(&bytes);
        let all = sealed(all);
        if let Ok(record) = Record::decode(&all) {
            prop_assert_eq!(record.encode(), all);
        }
        prop_assert_eq!(Record::decode(&bytes), Err(Bad::Damaged));
    }
}
